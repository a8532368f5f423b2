/* plugin: options, life cycle and the exported symbol. */
#include <stdlib.h>
#include <string.h>

#include "replicate.h"
#include "sdk/emit.h"
#include "sdk/request.h"

static const struct lens_option options[] = {
    { "url", LENS_OPT_URL, 0, "https://api.replicate.com/v1", NULL, NULL,
      "REPLICATE_BASE_URL", "base URL, with or without /v1" },
    { "api_key", LENS_OPT_SECRET, 0, NULL, NULL, NULL, "REPLICATE_API_TOKEN",
      "token, sent as Authorization: Bearer to *.replicate.com and to `url`" },
    { "deployment", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "OWNER/NAME of a deployment that is asked in place of the model" },
    { "prompt_name", LENS_OPT_STRING, 0, "prompt", NULL, NULL, NULL,
      "member of the model's input that takes the prompt" },
    { "system_name", LENS_OPT_STRING, 0, "system_prompt", NULL, NULL, NULL,
      "member of the model's input that takes system turns; empty: the prompt" },
    { "max_tokens_name", LENS_OPT_STRING, 0, "max_tokens", NULL, NULL, NULL,
      "member of the model's input that limits the output, for instance "
      "max_new_tokens; empty: none" },
};

static const struct lens_api apis[] = {
    { "stream", "predictions with a stream of their own", LENS_TASK_COMPLETION, 0,
      "text/event-stream" },
};

static void
replicate_close(void *self)
{
    struct replicate *p = self;

    if (p == NULL)
        return;
    lens_secret_free(p->authorization);
    free(p);
}

static const char *
name_of(const struct lens_host *h, const char *option)
{
    const char *name = h->opt_string(h, option, 0);

    return name != NULL ? name : "";
}

static lens_status
replicate_open(const struct lens_host *h, const struct lens_provider_args *args,
               void **ret_self)
{
    const char *key = h->opt_string(h, "api_key", 0);
    struct replicate *p;

    if (args->api >= sizeof apis / sizeof apis[0])
        return h->fail(h, LENS_E_UNSUPPORTED, "no such api");
    if (h->opt_string(h, "url", 0) == NULL)
        return h->fail(h, LENS_E_CONFIG, "option url is missing");
    if (*name_of(h, "prompt_name") == '\0')
        return h->fail(h, LENS_E_CONFIG, "option prompt_name is empty");
    p = calloc(1, sizeof *p);
    if (p == NULL)
        return h->fail(h, LENS_E_NOMEM, "out of memory");
    p->host = h;
    p->url = h->opt_string(h, "url", 0);
    p->deployment = h->opt_string(h, "deployment", 0);
    p->prompt_name = name_of(h, "prompt_name");
    p->system_name = name_of(h, "system_name");
    p->max_tokens_name = name_of(h, "max_tokens_name");
    if (key != NULL && *key != '\0') {
        p->authorization = lens_secret_join("Bearer ", key);
        if (p->authorization == NULL) {
            replicate_close(p);
            return h->fail(h, LENS_E_NOMEM, "out of memory");
        }
    }
    *ret_self = p;
    return LENS_OK;
}

static lens_status
classify(void *self, const struct lens_answer *answer, struct lens_sink *sink)
{
    (void)self;
    return lens_emit_refusal(sink, answer);
}

static const struct lens_provider provider = {
    .struct_size = sizeof provider,
    .capabilities = LENS_CAP_USAGE | LENS_CAP_SERVER_TIMES,
    .options = LENS_SCHEMA(options),
    .apis = apis,
    .api_count = sizeof apis / sizeof apis[0],
    .api_size = sizeof apis[0],
    .open = replicate_open,
    .close = replicate_close,
    .describe = replicate_describe,
    .stream_open = replicate_stream_open,
    .stream_close = replicate_stream_close,
    .stream_reset = replicate_stream_reset,
    .head = replicate_head,
    .decode = replicate_decode,
    .finish = replicate_finish,
    .classify = classify,
    .call_describe = replicate_call_describe,
    .call_decode = replicate_call_decode,
    .mock = &replicate_mock,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    LENS_KIND_OF_PROVIDER,
    0,
    "replicate",
    "1.0.0",
    "Replicate, predictions with a stream",
    &provider,
    NULL,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
