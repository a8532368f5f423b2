/* bedrock: the runtime of AWS Bedrock: Converse, which is one protocol for all models,
 * and InvokeModel, which carries each vendor's own. Streams come as binary frames. */
#pragma once

#include <stdbool.h>

#include <lens/plugin.h>

#include "../anthropic/events.h"
#include "sdk/auth.h"
#include "sdk/members.h"
#include "sdk/stream.h"
#include "sdk/write.h"

/* Index into the apis. */
enum api { API_CONVERSE = 0, API_INVOKE = 1, API_COUNT };

/* Whose form the body of InvokeModel has. */
enum family {
    FAMILY_UNKNOWN = 0,
    FAMILY_ANTHROPIC,
    FAMILY_NOVA,
    FAMILY_LLAMA,
    FAMILY_TITAN,
    FAMILY_MISTRAL,
    FAMILY_COHERE,
    FAMILY_OPENAI,
    FAMILY_CHAT /* what looks like OpenAI's chat, as most newer ones do */
};

/* Where the breakpoints of the prompt cache go. */
enum { CACHE_SYSTEM = 1, CACHE_TOOLS = 2, CACHE_PROMPT = 4 };

/* An instance: one api of one endpoint. */
struct provider {
    const struct lens_host *host;
    enum api api;
    bool own_url, loopback;
    bool cache_inside_known, cache_inside; /* whether cache is part of inputTokens */
    uint32_t cache;                        /* CACHE_* */
    enum family family;                    /* as the option says; or unknown */
    char *base;                /* the user's own URL without a slash; or NULL */
    char *authorization;       /* Bearer; NULL: requests are signed */
    char url_region[32];       /* as the user's own URL says it; or empty */
    struct lens_auth_aws keys; /* given by options; or empty */
    struct lens_auth *auth;    /* NULL: nothing has to be fetched */
    enum family last_family;   /* of the model that was asked last */
};

/* Token counts as the protocol says them; -1: not said. Cache counts are not part of the
 * input there, but for some families. */
struct counts {
    int64_t input, cache_read, cache_write, write_1h, output;
};

/* The decoder of one answer. */
struct stream {
    struct lens_stream base;
    const struct provider *provider;
    struct counts counts;
    bool counted, final, told; /* counts: said; not only provisional; told */
    bool stopped, ended;       /* a reason to stop was said; an exception came */
    bool claude;               /* the events are Anthropic's */
    struct anthropic_message message;
    uint32_t tools;         /* calls that were started */
    int64_t tool_block[16]; /* block index of each of the first calls */
    struct counts header_counts;
    char *plain; /* room for what was in base64; from host->grow */
    size_t plain_size;
};

/* family.c */
enum family family_of_model(struct lens_bytes model);
enum family family_of_name(const char *name);

/* describe.c */
lens_status bedrock_describe(void *self, const struct lens_ask *, struct lens_request *);
/* A request of the runtime or, with `control`, of the control plane; `path` is encoded. A
 * body is sent as POST. */
lens_status describe_call(const struct provider *p, const struct lens_call *call,
                          const char *path, bool control, struct lens_bytes body,
                          struct lens_request *);

/* converse-body.c: LENS_E_UNSUPPORTED: a part has no place in it. */
lens_status converse_body(const struct provider *p, const struct lens_ask *ask,
                          struct lens_writer *w);
/* `"messages":[..]` and, after a comma, `"system":[..]`. */
lens_status converse_messages(const struct provider *p, const struct lens_ask *ask,
                              struct lens_writer *w);
/* converse-tools.c: the member toolConfig with a comma in front. */
struct lens_object;
void converse_tools(const struct provider *p, const struct lens_ask *ask,
                    struct lens_object *o);
void converse_cache_point(const struct provider *p, struct lens_writer *w);

/* invoke-body.c */
lens_status invoke_body(const struct provider *p, const struct lens_ask *ask,
                        struct lens_writer *w);
/* invoke-claude.c */
lens_status invoke_claude_body(const struct provider *p, const struct lens_ask *ask,
                               struct lens_writer *w);

/* stream.c */
lens_status bedrock_stream_open(void *self, int32_t streamed, void **ret_stream);
void bedrock_stream_close(void *stream);
lens_status bedrock_stream_reset(void *stream, int32_t streamed);
lens_status bedrock_head(void *stream, const struct lens_head *, struct lens_sink *);

/* converse.c: one event, told with its message; also of models that speak so inside of
 * InvokeModel. */
lens_status converse_event(struct stream *s, struct lens_bytes name,
                           struct lens_bytes json, const struct lens_frame *f);
lens_status converse_document(struct stream *s, struct lens_bytes json);

/* invoke.c */
lens_status invoke_chunk(struct stream *s, const struct lens_frame *f);
lens_status invoke_document(struct stream *s, struct lens_bytes json);
/* invoke-plain.c: bodies of models without events. */
struct lens_json_string;
lens_status plain_message(struct stream *s, struct lens_bytes json,
                          const struct lens_frame *f);

/* usage.c */
void counts_clear(struct counts *c);
/* Converse's usage object, and invocation metrics; per member the last value counts. */
void counts_read_usage(struct stream *s, struct lens_bytes json);
void counts_read_metrics(struct stream *s, struct lens_bytes json);
/* The counts in the headers of an invocation without a stream. */
void counts_take_headers(struct stream *s);
lens_status counts_tell(struct stream *s);
/* The server's own times, in milliseconds. */
lens_status counts_tell_time(struct stream *s, struct lens_bytes json, const char *member,
                             const char *name);

/* error.c: exception and error frames. */
lens_status error_frame(struct stream *s, const struct lens_frame *f);

/* calls.c */
lens_status bedrock_call_describe(void *self, const struct lens_call *,
                                  struct lens_request *);
lens_status bedrock_call_decode(void *self, uint32_t kind, const struct lens_answer *,
                                struct lens_sink *);
lens_status bedrock_classify(void *self, const struct lens_answer *, struct lens_sink *);

/* mock.c */
extern const struct lens_mock bedrock_mock;
