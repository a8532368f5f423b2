/* tgi: the native protocol of text-generation-inference, one token an event. Protocols.md
 * 14.4. */
#pragma once

#include <lens/plugin.h>

#include "sdk/mock-kit.h"
#include "sdk/stream.h"

enum { TGI_STREAM = 0, TGI_GENERATE = 1, TGI_API_COUNT };

struct tgi {
    const struct lens_host *host;
    uint32_t api;
    char *stream_url, *generate_url, *info_url, *health_url;
    char *authorization;    /* NULL: no key */
    const char *adapter_id; /* NULL: the base model */
};

/* The decoder of one answer. */
struct tgi_stream {
    struct lens_stream stream; /* first: the SDK's */
    const struct tgi *provider;
    int64_t input_said, output_said; /* by headers; -1: not said */
};

/* describe.c */
lens_status tgi_describe(void *self, const struct lens_ask *, struct lens_request *);

/* event.c */
extern const struct lens_stream_ops tgi_stream_ops;

/* mock.c */
extern const struct lens_mock tgi_mock;
