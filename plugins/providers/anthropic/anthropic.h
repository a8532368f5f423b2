/* anthropic: the Messages API, at Anthropic's own address, at servers that speak it, on
 * Vertex AI and in Foundry. Protocols.md 7. */
#pragma once

#include <stdbool.h>

#include <lens/plugin.h>

#include "events.h"

struct lens_auth;
struct lens_body;
struct lens_writer;

/* Whose door the requests go through: URL, authorisation and two members differ. */
enum platform { PLATFORM_ANTHROPIC = 0, PLATFORM_VERTEX, PLATFORM_FOUNDRY };

/* Where breakpoints of the prompt cache are put. */
enum {
    CACHE_AUTO = 1,  /* the server moves it along with the conversation */
    CACHE_TOOLS = 2, /* behind the last tool */
    CACHE_SYSTEM = 4,
    CACHE_PROMPT = 8 /* behind the last turn */
};

/* An instance. Strings are the host's unless said otherwise. */
struct provider {
    const struct lens_host *host;
    enum platform platform;
    char *base;  /* URL up to and with the version; owned */
    char *query; /* of the given URL, with its ?, or empty; owned */
    const char *api_key, *version;
    char *authorization; /* "Bearer ..", owned and wiped; NULL: none */
    char *betas;         /* values of anthropic-beta, joined; owned, NULL: none */
    const char *thinking, *display, *effort, *tier, *geo, *speed; /* NULL: not given */
    int64_t budget;         /* of thinking; 0: not given */
    uint32_t cache;         /* CACHE_* */
    bool cache_1h;          /* breakpoints live an hour, not five minutes */
    struct lens_auth *auth; /* fetches tokens; NULL: keys are given */
};

/* url.c */
/* "http://h", "http://h/v1", "http://h/v1/messages": the base with its version. NULL: out
 * of memory. */
char *url_base(const char *url, char **ret_query);
/* The base of Vertex AI, with project and location; `url` NULL: the regional host. */
char *url_vertex(const char *url, const char *project, const char *location);
/* The URL of a call; `tail` for instance "/messages". NULL: out of memory; the caller
 * frees. */
char *url_join(const struct provider *p, const char *tail);
char *url_vertex_call(const struct provider *p, struct lens_bytes model,
                      const char *method);

/* describe.c */
lens_status anthropic_describe(void *self, const struct lens_ask *ask,
                               struct lens_request *r);
/* Key and versions. `credential` as in struct lens_ask. */
lens_status describe_identity(const struct provider *p, struct lens_bytes credential,
                              struct lens_request *r);

/* content.c: system and messages of a body. LENS_E_UNSUPPORTED: a part has no place. */
lens_status content_write(const struct provider *p, const struct lens_ask *ask,
                          struct lens_body *b);
/* The value of a `cache_control` member. */
void content_cache_control(const struct provider *p, struct lens_writer *w);

/* tools.c: tools, tool_choice and output format, also in OpenAI's form. */
void tools_write(const struct provider *p, const struct lens_ask *ask,
                 struct lens_body *b);

/* stream.c */
lens_status anthropic_stream_open(void *self, int32_t streamed, void **ret_stream);
lens_status anthropic_stream_reset(void *stream, int32_t streamed);
void anthropic_stream_close(void *stream);

/* calls.c */
lens_status anthropic_call_describe(void *self, const struct lens_call *call,
                                    struct lens_request *r);
lens_status anthropic_call_decode(void *self, uint32_t kind, const struct lens_answer *a,
                                  struct lens_sink *sink);
lens_status anthropic_classify(void *self, const struct lens_answer *a,
                               struct lens_sink *sink);

/* mock.c */
extern const struct lens_mock anthropic_mock;
