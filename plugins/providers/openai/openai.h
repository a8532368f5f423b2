/* openai: the wire protocols of OpenAI and of the servers that speak them, as the three
 * providers `openai`, `azure` and `compat` of one shared object. Protocols.md 3 to 6 and
 * 14. */
#pragma once

#include <stdbool.h>

#include <lens/plugin.h>

#include "chunk.h"
#include "sdk/members.h"
#include "sdk/stream.h"

/* Index into the apis of all three providers. */
enum api {
    API_CHAT = 0,
    API_COMPLETIONS = 1,
    API_RESPONSES = 2,
    API_EMBEDDINGS = 3,
    API_COUNT
};

struct lens_auth;
struct lens_body;

/* What only `azure` has. */
struct azure {
    char *endpoint, *query;  /* of the resource; of the given URL, with its ?; owned */
    char *of_url;            /* deployment that the given URL names; owned, or NULL */
    const char *deployment;  /* NULL: the model's name is that of its deployment */
    const char *api_version; /* NULL: not said */
    const char *api_key;     /* sent as api-key; NULL: a token */
    struct lens_auth *auth;  /* fetches tokens; NULL: none */
    bool classic;            /* path with deployments, not /openai/v1 */
};

/* An instance: one api of one base URL. */
struct provider {
    const struct lens_host *host;
    enum api api;
    bool compat, is_azure;
    bool include_usage;
    bool reasoning_outside;  /* reasoning tokens are not part of the output count */
    bool error_finishes;     /* the reason `error` to finish is a failure (Mistral) */
    bool echo;               /* the prompt comes back as the first text of each choice */
    bool obfuscation, store; /* Responses */
    const char *limit_name;  /* of the member that limits the output */
    const char *organization, *project, *tier, *effort; /* NULL: not given */
    char *url, *models_url;                             /* of this api, of the list */
    char *authorization;                                /* NULL: no key */
    const char *encoding;                               /* of embeddings */
    int64_t dimensions;                                 /* of embeddings; 0: not said */
    struct azure azure;
};

/* Token counts as the protocol says them; -1: not said. */
struct usage {
    int64_t input, cache_read, cache_write, output, reasoning;
    int64_t input_audio, input_image, output_audio, output_image;
};

/* A tool call of the first choice, by its number. */
struct call {
    uint32_t id;    /* hash of its id; 0: none was said */
    uint32_t again; /* how often its number was given to another call */
    bool named;
};
enum { CALLS_MAX = 16 };

/* The decoder of one answer. */
struct stream {
    struct lens_stream base; /* first: the SDK's part */
    const struct provider *provider;
    bool usage_said, usage_final, usage_told;
    bool done_mark;           /* [DONE] was seen */
    uint64_t lanes, finished; /* choices seen and choices finished, as bits */
    uint64_t items_with_text, items_with_tool, items_named; /* Responses: output_index */
    uint64_t echoed;    /* choices whose echo of the prompt has passed */
    uint32_t next_tool; /* calls without an index seen so far */
    struct call calls[CALLS_MAX];
    struct usage usage;
    double cost;            /* as billed by a gateway, USD; < 0: not said */
    int64_t counted_output; /* provisional output count of the chunk before; -1: none */
    char tier[32];
};

/* describe.c */
lens_status openai_describe(void *self, const struct lens_ask *, struct lens_request *);

/* stream.c */
lens_status openai_stream_open(void *self, int32_t streamed, void **ret_stream);
void openai_stream_close(void *stream);
lens_status openai_stream_reset(void *stream, int32_t streamed);

/* decode.c: for the SDK's stream, and for the readers of each api. */
lens_status decode_message(struct lens_stream *base, const struct lens_frame *f);
lens_status decode_document(struct lens_stream *base, struct lens_bytes json);
lens_status decode_after_done(struct lens_stream *base, const struct lens_frame *f);
bool decode_all_finished(const struct stream *s);
lens_status decode_whole(struct stream *s, struct lens_bytes json);
lens_status decode_settle_usage(struct stream *s);
/* The terminal message. */
lens_status decode_done(struct stream *s, const struct lens_frame *f, uint32_t classes);

/* emit.c */
lens_status emit_piece(struct stream *s, const struct piece *p);
/* A document came where a stream was asked for (C9). */
lens_status emit_not_streamed(struct stream *s);
/* Tells what servers say about themselves: id, model, service tier. */
lens_status emit_identity(struct stream *s, const struct chunk *c);

/* tools.c */
uint32_t tools_id(const struct lens_json_string *id);
/* Finds the call that a fragment belongs to. False: nothing new is left in it. */
bool tools_settle(struct stream *s, struct piece *p);

/* usage.c */
void usage_clear(struct usage *u);
/* Merges the usage object `json` into what is known (docs/streams.md U1-U4, U6). */
void usage_merge(struct stream *s, struct lens_bytes json, bool final);
lens_status usage_tell(struct stream *s);

/* models.c */
lens_status openai_classify(void *self, const struct lens_answer *, struct lens_sink *);
lens_status openai_call_describe(void *self, const struct lens_call *,
                                 struct lens_request *);
lens_status openai_call_decode(void *self, uint32_t kind, const struct lens_answer *,
                               struct lens_sink *);
/* The headers that every request of an instance carries; `credential` as in an ask. */
lens_status describe_identity(const struct provider *p, struct lens_bytes credential,
                              struct lens_request *);

/* azure.c */
/* Options, URL and authorisation of an opened instance. */
lens_status azure_open(struct provider *p, const char *url);
void azure_close(struct azure *a);
/* URL of an api for a deployment, or of the list of models (API_COUNT). NULL: out of
 * memory; the caller frees. */
char *azure_url(const struct provider *p, enum api api, struct lens_bytes model);

/* embeddings.c */
lens_status embeddings_write(const struct provider *p, const struct lens_ask *ask,
                             struct lens_body *b);
lens_status embeddings_document(struct stream *s, struct lens_bytes json);

/* plugin.c: the path of an api behind the version. */
extern const char *const openai_routes[API_COUNT];

/* mock.c */
extern const struct lens_mock openai_mock;

/* mock-azure.c */
extern const struct lens_mock azure_mock;
