/* http: any other protocol, by configuration alone. Protocols.md 15,
 * docs/providers/http.md.
 */
#pragma once

#include <lens/plugin.h>

#include "sdk/auth.h"
#include "sdk/stream.h"
#include "template.h"
#include "walk.h"

enum framing {
    FRAMING_SSE = 0,
    FRAMING_NDJSON,
    FRAMING_ARRAY,
    FRAMING_CONCATENATED,
    FRAMING_RAW,
    FRAMING_WHOLE
};

enum auth {
    AUTH_NONE = 0,
    AUTH_BEARER,
    AUTH_HEADER,
    AUTH_BASIC,
    AUTH_SIGV4,
    AUTH_GOOGLE,
    AUTH_ENTRA,
    AUTH_MANAGED_IDENTITY,
    AUTH_TOKEN
};

/* `PATTERN=KIND` of the option error_kind. */
struct kind_rule {
    struct lens_bytes pattern; /* a star at either end stands for anything */
    uint32_t kind;
};

/* `NAME=PATH` or `NAME=header:FIELD` of the option time. */
struct time_rule {
    char name[64];
    const char *header; /* NULL: a path */
};

enum { HEADERS_MAX = 24, KINDS_MAX = 32, EVENTS_MAX = 16, LANES_MAX = 16 };

struct http {
    const struct lens_host *host;

    /* the request */
    const char *method, *url, *path, *path_whole;
    const char *body;
    enum template_form body_form;
    const char *content_type, *accept; /* NULL: by framing */
    struct {
        char *name, *value;
        uint32_t flags;
    } headers[HEADERS_MAX];
    uint32_t header_count;
    const char *models_path, *models_list, *models_name;

    /* who asks */
    enum auth auth;
    char *authorization;     /* value of the header, secret; NULL: none */
    const char *auth_header; /* its name */
    const char *service, *region;
    struct lens_auth *chain; /* NULL: none */

    /* the answer */
    enum framing framing;
    int32_t text_data;  /* data of messages is text, not JSON */
    int32_t cumulative; /* each message brings the whole text so far */
    int32_t cache_outside, reasoning_outside;
    const char *events[EVENTS_MAX];
    uint32_t event_count;
    const char *text_event, *reasoning_event, *done_event, *error_event;
    const char *done_data, *done_value, *id_header;
    struct tree tree;
    struct time_rule times[TIMES_MAX];
    uint32_t time_count;
    struct kind_rule kinds[KINDS_MAX];
    uint32_t kind_count;
};

/* The decoder of one answer. */
struct http_stream {
    struct lens_stream stream; /* first: the SDK's */
    const struct http *provider;
    int64_t usage[LENS_USAGE_COUNT], told[LENS_USAGE_COUNT];
    int64_t total;
    uint32_t next_tool;
    int32_t finished;          /* a reason to finish was seen */
    int32_t has_tier;          /* the service tier was told */
    size_t seen[2][LANES_MAX]; /* cumulative: bytes of text and reasoning so far */
    uint64_t position;         /* raw: of the body */
    uint32_t tail_size;        /* raw: bytes of a character that is not whole yet */
    char tail[4];
    struct found found;
};

/* config.c: LENS_E_CONFIG after host->fail. */
lens_status http_configure(struct http *p);
void http_forget(struct http *p);

/* auth.c */
lens_status http_auth_open(struct http *p);
lens_status http_auth_add(const struct http *p, const struct lens_ask *ask,
                          const char *url, struct lens_bytes body,
                          struct lens_request *r);

/* describe.c */
lens_status http_describe(void *self, const struct lens_ask *, struct lens_request *);
lens_status http_call_describe(void *self, const struct lens_call *,
                               struct lens_request *);
lens_status http_call_decode(void *self, uint32_t kind, const struct lens_answer *,
                             struct lens_sink *);

/* decode.c */
lens_status http_stream_open(void *self, int32_t streamed, void **ret_stream);
void http_stream_close(void *stream);
lens_status http_stream_reset(void *stream, int32_t streamed);
lens_status http_head(void *stream, const struct lens_head *, struct lens_sink *);
lens_status http_decode(void *stream, const void *data, size_t size, struct lens_sink *);
lens_status http_finish(void *stream, struct lens_sink *);

/* raw.c: the bytes of one read. */
lens_status http_decode_raw(struct http_stream *s, const char *data, size_t size);

/* tell.c: what was found in a message. */
lens_status http_tell(struct http_stream *s, struct lens_bytes json, uint32_t *classes,
                      int64_t *tokens);
lens_status http_tell_usage(struct http_stream *s);
/* Text that is no JSON. */
lens_status http_tell_text(struct http_stream *s, uint32_t kind, struct lens_bytes text);

/* error.c */
/* The fault that a message tells; `error` is the value at error_path, or empty. */
lens_status http_complain(struct http_stream *s, struct lens_bytes json);
lens_status http_classify(void *self, const struct lens_answer *, struct lens_sink *);
/* Whether the value at error_path means an error: not null, false, 0, "" or empty. */
int http_is_error(const struct value *v);
/* LENS_KIND_*, 0: no such kind. */
uint32_t http_kind_of_name(struct lens_bytes name);
extern const char http_kind_names[];

/* mock.c */
extern const struct lens_mock http_mock;
