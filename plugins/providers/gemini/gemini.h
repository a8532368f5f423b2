/* gemini: Google's generateContent, on AI Studio and on Vertex AI. Protocols of both are
 * one; they differ in URLs and in how a caller proves who he is. */
#pragma once

#include <stdbool.h>

#include <lens/plugin.h>

#include "sdk/auth.h"
#include "sdk/members.h"
#include "sdk/stream.h"
#include "sdk/text.h"
#include "sdk/write.h"

/* Index into the apis. */
enum api { API_SSE = 0, API_ARRAY = 1, API_EMBED = 2, API_COUNT };

/* An instance: one api of one endpoint. */
struct provider {
    const struct lens_host *host;
    enum api api;
    bool vertex;
    bool own_url;        /* the URL is the user's own */
    char *base;          /* up to and with the version, without a slash at its end */
    char *query;         /* of the user's URL, with its `?`; or empty */
    char *models;        /* Vertex: where models lie below the base, with slashes */
    bool whole_url;      /* the base names model and method already */
    char *authorization; /* of the option token; NULL: none */
    const char *key;     /* NULL: none */
    const char *quota_project;
    const char *tier;
    struct lens_auth *auth; /* NULL: nothing has to be fetched */
};

/* Token counts as the protocol says them; -1: not said. */
struct usage {
    int64_t prompt, cached, tool_use, candidates, thoughts;
    int64_t input_audio, input_image, output_audio, output_image;
};

/* A fragment of output or a reason to finish, as it stands in JSON. */
struct piece {
    uint32_t kind; /* LENS_EV_TEXT, _REASONING, _TOOL or _FINISH */
    uint32_t lane;
    struct lens_json_string name, text;
};

/* The decoder of one answer. */
struct stream {
    struct lens_stream base;
    const struct provider *provider;
    bool usage_said, usage_final, usage_told;
    bool tier_told;
    uint64_t lanes, finished; /* candidates seen and candidates finished, as bits */
    uint32_t next_tool;       /* calls seen so far */
    struct usage usage;
    struct piece *pieces; /* of the running message; from host->grow */
    size_t piece_room;    /* in pieces */
};

/* One message of an answer, read but not yet told: a broken one is dropped whole. */
struct message {
    struct lens_bytes error; /* raw; empty when missing */
    struct lens_json_string id, model, tier, block_reason;
    bool candidates, feedback, has_usage, embedding;
    struct usage usage;
    uint64_t lanes, finished;
    size_t count; /* of pieces */
    uint32_t classes;
    lens_status status; /* LENS_E_TOO_LARGE: no room for the pieces */
};

/* plugin.c */
lens_status gemini_open(const struct lens_host *, const struct lens_provider_args *,
                        void **ret_self);
void gemini_close(void *self);

/* url.c */
/* Fills base, query and models from the options; false: out of memory. */
bool url_settle(struct provider *p);
/* The URL of `method` of `model`, with `alt=sse` when `sse`. */
void url_method(const struct provider *p, struct lens_bytes model, const char *method,
                bool sse, struct lens_text *ret);
/* The URL of the list of models. */
void url_models(const struct provider *p, int page_size, struct lens_text *ret);

/* describe.c */
lens_status gemini_describe(void *self, const struct lens_ask *, struct lens_request *);
/* What says who asks. */
lens_status describe_identity(const struct provider *p, struct lens_bytes credential,
                              struct lens_request *);

/* contents.c: a prompt as the members `contents` and `systemInstruction`, with a comma
 * between. LENS_E_UNSUPPORTED: a part has no place in it. */
lens_status contents_write(struct lens_writer *w, const struct lens_ask *ask);

/* config.c: the members that follow, each with a comma in front. */
void config_write(const struct provider *p, const struct lens_ask *ask,
                  struct lens_writer *w);

/* calls.c */
lens_status gemini_call_describe(void *self, const struct lens_call *,
                                 struct lens_request *);
lens_status gemini_call_decode(void *self, uint32_t kind, const struct lens_answer *,
                               struct lens_sink *);

/* decode.c */
lens_status gemini_stream_open(void *self, int32_t streamed, void **ret_stream);
void gemini_stream_close(void *stream);
lens_status gemini_stream_reset(void *stream, int32_t streamed);

/* candidates.c: reads the candidates at the cursor into pieces. */
void candidates_read(struct stream *s, struct lens_json *j, struct message *m);
lens_status candidates_tell(struct stream *s, const struct message *m);

/* usage.c */
void usage_clear(struct usage *u);
/* Reads usageMetadata at the cursor. */
void usage_read(struct lens_json *j, struct message *m);
/* Takes what a message says; per member the last value counts. */
void usage_merge(struct stream *s, const struct usage *said);
lens_status usage_tell(struct stream *s);
/* The tier that was used, once. */
lens_status usage_tier(struct stream *s, struct lens_bytes tier);

/* head.c */
lens_status gemini_head(void *stream, const struct lens_head *, struct lens_sink *);
lens_status gemini_classify(void *self, const struct lens_answer *, struct lens_sink *);

/* mock.c */
extern const struct lens_mock gemini_mock;
