/* cohere: v2 chat of Cohere, streamed and whole. Protocols.md 12. */
#pragma once

#include <lens/plugin.h>

#include "sdk/stream.h"

struct cohere {
    const struct lens_host *host;
    char *url, *models_url;
    char *authorization;     /* NULL: no key */
    const char *client_name; /* NULL: not given */
    const char *thinking;    /* enabled, disabled, or NULL: the model's default */
    const char *safety_mode; /* NULL: not given */
    int64_t thinking_budget; /* 0: not given */
    int64_t priority;        /* -1: not given */
};

/* The decoder of one answer. */
struct cohere_stream {
    struct lens_stream stream; /* first: the SDK's */
    int64_t usage[LENS_USAGE_COUNT];
    uint32_t next_tool; /* calls without an index that were seen */
};

/* describe.c */
lens_status cohere_describe(void *self, const struct lens_ask *, struct lens_request *);

/* message.c */
extern const struct lens_stream_ops cohere_stream_ops;

/* usage.c */
void cohere_usage_read(struct cohere_stream *s, struct lens_bytes json);
lens_status cohere_usage_tell(struct cohere_stream *s);

/* mock.c */
extern const struct lens_mock cohere_mock;
