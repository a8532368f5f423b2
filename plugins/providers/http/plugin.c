/* plugin: life cycle and the exported symbol. */
#include <stdlib.h>

#include "http.h"
#include "options.h"
#include "sdk/request.h"

static const struct lens_api apis[] = {
    { "request", "any protocol, as its options say", LENS_TASK_CHAT, 0,
      "text/event-stream" },
};

static void
http_close(void *self)
{
    struct http *p = self;

    if (p == NULL)
        return;
    http_forget(p);
    lens_auth_free(p->chain);
    lens_secret_free(p->authorization);
    free(p);
}

static lens_status
http_open(const struct lens_host *h, const struct lens_provider_args *args,
          void **ret_self)
{
    struct http *p;
    lens_status st;

    if (args->api >= sizeof apis / sizeof apis[0])
        return h->fail(h, LENS_E_UNSUPPORTED, "no such api");
    p = calloc(1, sizeof *p);
    if (p == NULL)
        return h->fail(h, LENS_E_NOMEM, "out of memory");
    p->host = h;
    st = http_configure(p);
    if (st == LENS_OK)
        st = http_auth_open(p);
    if (st != LENS_OK) {
        http_close(p);
        return st;
    }
    *ret_self = p;
    return LENS_OK;
}

static const struct lens_provider provider = {
    .struct_size = sizeof provider,
    .capabilities = LENS_CAP_USAGE | LENS_CAP_CACHED_USAGE | LENS_CAP_TOOLS |
                    LENS_CAP_SERVER_TIMES | LENS_CAP_NO_MODEL,
    .options = LENS_SCHEMA(http_options),
    .apis = apis,
    .api_count = sizeof apis / sizeof apis[0],
    .api_size = sizeof apis[0],
    .open = http_open,
    .close = http_close,
    .describe = http_describe,
    .stream_open = http_stream_open,
    .stream_close = http_stream_close,
    .stream_reset = http_stream_reset,
    .head = http_head,
    .decode = http_decode,
    .finish = http_finish,
    .classify = http_classify,
    .call_describe = http_call_describe,
    .call_decode = http_call_decode,
    .mock = &http_mock,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    LENS_KIND_OF_PROVIDER,
    0,
    "http",
    "1.0.0",
    "any other protocol, by configuration alone",
    &provider,
    NULL,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
