/* openai: the wire protocols of OpenAI and of the servers that speak them, as the two
 * providers `openai` and `compat` of one shared object. Protocols.md 3, 4, 5 and 14. */
#pragma once

#include <stdbool.h>

#include <lens/plugin.h>

#include "chunk.h"
#include "sdk/failure.h"
#include "sdk/frame.h"

/* Index into the apis of both providers. */
enum api { API_CHAT = 0, API_COMPLETIONS = 1, API_RESPONSES = 2, API_COUNT };

/* An instance: one api of one base URL. */
struct provider {
    const struct lens_host *host;
    enum api api;
    bool compat;
    bool include_usage;
    bool reasoning_outside;  /* reasoning tokens are not part of the output count */
    bool echo;               /* the prompt comes back as the first text of each choice */
    bool obfuscation, store; /* Responses */
    const char *limit_name;  /* of the member that limits the output */
    const char *organization, *project, *tier, *effort; /* NULL: not given */
    char *url, *models_url;                             /* of this api, of the list */
    char *authorization;                                /* NULL: no key */
};

/* How the body of an answer is cut. */
enum mode { MODE_UNKNOWN = 0, MODE_SSE, MODE_WHOLE };

/* Flags of a stream. */
enum {
    STREAM_FAILED = 1,      /* a fault was told */
    STREAM_DONE = 2,        /* the terminal message was seen */
    STREAM_OUTPUT = 4,      /* output was seen */
    STREAM_HAS_ID = 8,      /* the server's request id was told */
    STREAM_HAS_MODEL = 16,  /* the model that answered was told */
    STREAM_BYTES = 32,      /* something but white space came */
    STREAM_MESSAGES = 64,   /* a message of the protocol was seen */
    STREAM_DONE_MARK = 128, /* [DONE] was seen */
    STREAM_JSON = 256,      /* content type says JSON */
    STREAM_FOREIGN = 512,   /* content type is neither JSON nor an event stream */
    STREAM_EVENTS = 1024    /* content type says event stream */
};

/* Token counts as the protocol says them; -1: not said. */
struct usage {
    int64_t input, cache_read, cache_write, output, reasoning;
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
    const struct provider *provider;
    const struct lens_host *host;
    struct lens_sink *sink; /* of the running call */
    struct lens_framer framer;
    enum mode mode;
    bool streamed; /* a stream was asked for */
    bool usage_said, usage_final, usage_told;
    uint32_t flags;
    uint32_t warned;          /* bit 1 << LENS_WARN_* */
    uint64_t lanes, finished; /* choices seen and choices finished, as bits */
    uint64_t items_with_text, items_with_tool, items_named; /* Responses: output_index */
    uint64_t echoed;     /* choices whose echo of the prompt has passed */
    uint32_t next_tool;  /* calls without an index seen so far */
    uint32_t held_count; /* bytes that came before the mode was known */
    char held[64];
    struct call calls[CALLS_MAX];
    struct usage usage;
    double cost;            /* as billed by a gateway, USD; < 0: not said */
    int64_t counted_output; /* provisional output count of the chunk before; -1: none */
    char tier[32];
    char *scratch; /* for unescaping; from host->grow */
    size_t scratch_size;
};

/* describe.c */
lens_status openai_describe(void *self, const struct lens_ask *, struct lens_request *);

/* stream.c */
lens_status openai_stream_open(void *self, int32_t streamed, void **ret_stream);
void openai_stream_close(void *stream);
lens_status openai_stream_reset(void *stream, int32_t streamed);
lens_status openai_decode(void *stream, const void *data, size_t size,
                          struct lens_sink *);
lens_status openai_finish(void *stream, struct lens_sink *);

/* decode.c: for the framer, and for the readers of each api. */
lens_status decode_message(void *stream, const struct lens_frame *f);
lens_status decode_document(void *stream, const struct lens_frame *f);
bool decode_all_finished(const struct stream *s);
lens_status decode_broken(struct stream *s, const struct lens_frame *f);
lens_status decode_whole(struct stream *s, struct lens_bytes json);
lens_status decode_whole_broken(struct stream *s, struct lens_bytes json);
lens_status decode_settle_usage(struct stream *s);
/* The terminal message. */
lens_status decode_done(struct stream *s, const struct lens_frame *f, uint32_t classes);

/* emit.c: all that goes to the sink. */
lens_status emit_piece(struct stream *s, const struct piece *p);
lens_status emit_message(struct stream *s, uint32_t classes, const struct lens_frame *f,
                         int64_t tokens);
lens_status emit_warning(struct stream *s, uint32_t code);
lens_status emit_fault(struct stream *s, uint32_t error_class, uint32_t kind,
                       const char *message);
/* A document came where a stream was asked for (C9). */
lens_status emit_not_streamed(struct stream *s);
/* Tells what servers say about themselves: id, model, service tier. */
lens_status emit_identity(struct stream *s, const struct chunk *c);
/* Each number of a JSON object as an extra; with `only` those whose name ends like that.
 * `unit` is put behind the name. */
lens_status emit_extras(struct lens_sink *sink, struct lens_bytes object,
                        const char *only, const char *unit);

/* tools.c */
uint32_t tools_id(const struct lens_json_string *id);
/* Finds the call that a fragment belongs to. False: nothing new is left in it. */
bool tools_settle(struct stream *s, struct piece *p);

/* usage.c */
void usage_clear(struct usage *u);
/* Merges the usage object `json` into what is known (docs/streams.md U1-U4, U6). */
void usage_merge(struct stream *s, struct lens_bytes json, bool final);
lens_status usage_tell(struct stream *s);

/* error.c */
/* The error of `json`, which is the value of an `error` member or a whole error object,
 * as the stream's fault. */
lens_status error_tell(struct stream *s, struct lens_bytes json);
lens_status openai_classify(void *self, const struct lens_answer *, struct lens_sink *);

/* head.c */
lens_status openai_head(void *stream, const struct lens_head *, struct lens_sink *);
/* Request id, rate limits and server times of an answer's head. */
lens_status head_tell(struct lens_sink *sink, const struct lens_pair *headers,
                      uint32_t count, uint32_t size, struct lens_bytes *ret_id);

/* models.c */
lens_status openai_call_describe(void *self, const struct lens_call *,
                                 struct lens_request *);
lens_status openai_call_decode(void *self, uint32_t kind, const struct lens_answer *,
                               struct lens_sink *);
/* The headers that every request of an instance carries. */
lens_status describe_identity(const struct provider *p, struct lens_request *);

/* mock.c */
extern const struct lens_mock openai_mock;
