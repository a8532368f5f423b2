/* plugin: options, life cycle and the exported symbol. */
#include <stdlib.h>
#include <string.h>

#include "mistral.h"
#include "sdk/emit.h"
#include "sdk/models.h"
#include "sdk/request.h"

static const struct lens_option options[] = {
    { "url", LENS_OPT_URL, 0, "https://api.mistral.ai", NULL, NULL, NULL,
      "base URL, with or without /v1" },
    { "api_key", LENS_OPT_SECRET, 0, NULL, NULL, NULL, "MISTRAL_API_KEY",
      "key, sent as Authorization: Bearer" },
    { "safe_prompt", LENS_OPT_BOOL, 0, "false", NULL, NULL, NULL,
      "lets the vendor put a safety instruction in front of the prompt" },
    { "prompt_mode", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "reasoning: the vendor's own instruction for models that think" },
    { "reasoning_effort", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "how long a reasoning model may think, for instance none or high" },
    { "prompt_cache_key", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "leads requests to a cache that they share" },
};

static const struct lens_api apis[] = {
    { "chat", "chat completions", LENS_TASK_CHAT, 0, "text/event-stream" },
};

static void
mistral_close(void *self)
{
    struct mistral *m = self;

    if (m == NULL)
        return;
    free(m->base.url);
    free(m->base.models_url);
    lens_secret_free(m->base.authorization);
    free(m);
}

/* The version is put where it is missing; a whole URL is taken as it is. */
static char *
route_url(const char *base, const char *route)
{
    static const char chat[] = "/v1/chat/completions";
    size_t size = strcspn(base, "?"), drop = 0;
    const char *query;
    char *bare, *url;

    while (size > 0 && base[size - 1] == '/')
        size--;
    if (size > sizeof chat && memcmp(base + size - strlen(chat), chat, strlen(chat)) == 0)
        drop = strlen(chat);
    else if (size > 3 && memcmp(base + size - 3, "/v1", 3) == 0)
        drop = 3;
    bare = malloc(strlen(base) + 1);
    if (bare == NULL)
        return NULL;
    memcpy(bare, base, size - drop);
    query = base + strcspn(base, "?");
    memcpy(bare + size - drop, query, strlen(query) + 1);
    url = lens_url_join(bare, route);
    free(bare);
    return url;
}

static lens_status
mistral_open(const struct lens_host *h, const struct lens_provider_args *args,
             void **ret_self)
{
    const char *url = h->opt_string(h, "url", 0);
    const char *key = h->opt_string(h, "api_key", 0);
    struct mistral *m;

    if (args->api >= sizeof apis / sizeof apis[0])
        return h->fail(h, LENS_E_UNSUPPORTED, "no such api");
    if (url == NULL)
        return h->fail(h, LENS_E_CONFIG, "option url is missing");
    m = calloc(1, sizeof *m);
    if (m == NULL)
        return h->fail(h, LENS_E_NOMEM, "out of memory");
    m->base.host = h;
    m->base.api = API_CHAT;
    m->base.error_finishes = true;
    m->prompt_mode = h->opt_string(h, "prompt_mode", 0);
    m->effort = h->opt_string(h, "reasoning_effort", 0);
    m->prompt_cache_key = h->opt_string(h, "prompt_cache_key", 0);
    m->safe_prompt = h->opt_int(h, "safe_prompt") != 0;
    m->base.url = route_url(url, "/v1/chat/completions");
    m->base.models_url = route_url(url, "/v1/models");
    if (key != NULL && key[0] != '\0')
        m->base.authorization = lens_secret_join("Bearer ", key);
    if (m->base.url == NULL || m->base.models_url == NULL ||
        (key != NULL && key[0] != '\0' && m->base.authorization == NULL)) {
        mistral_close(m);
        return h->fail(h, LENS_E_NOMEM, "out of memory");
    }
    *ret_self = m;
    return LENS_OK;
}

/* ---- other answers ---- */

static lens_status
classify(void *self, const struct lens_answer *answer, struct lens_sink *sink)
{
    (void)self;
    return lens_emit_refusal(sink, answer);
}

static lens_status
call_describe(void *self, const struct lens_call *call, struct lens_request *r)
{
    const struct mistral *m = self;

    if (call->kind != LENS_CALL_MODELS && call->kind != LENS_CALL_HEALTH)
        return LENS_E_UNSUPPORTED;
    return lens_request_get(m->base.host, m->base.models_url, m->base.authorization, r);
}

static lens_status
call_decode(void *self, uint32_t kind, const struct lens_answer *a,
            struct lens_sink *sink)
{
    const struct mistral *m = self;
    lens_status st;

    if (kind != LENS_CALL_MODELS && kind != LENS_CALL_HEALTH)
        return LENS_E_UNSUPPORTED;
    if (a->status < 200 || a->status > 299)
        return lens_emit_refusal(sink, a);
    st = lens_emit_models(sink, a->body, "data", "id");
    if (st != LENS_E_PROTOCOL)
        return st;
    return m->base.host->fail(m->base.host, st,
                              "the model list is not JSON with a list in \"data\"");
}

static const struct lens_provider provider = {
    .struct_size = sizeof provider,
    .capabilities = LENS_CAP_USAGE | LENS_CAP_CACHED_USAGE | LENS_CAP_TOOLS |
                    LENS_CAP_IMAGES | LENS_CAP_SERVER_TIMES,
    .options = LENS_SCHEMA(options),
    .apis = apis,
    .api_count = sizeof apis / sizeof apis[0],
    .api_size = sizeof apis[0],
    .open = mistral_open,
    .close = mistral_close,
    .describe = mistral_describe,
    .stream_open = openai_stream_open,
    .stream_close = openai_stream_close,
    .stream_reset = openai_stream_reset,
    .head = lens_stream_head,
    .decode = lens_stream_decode,
    .finish = lens_stream_finish,
    .classify = classify,
    .call_describe = call_describe,
    .call_decode = call_decode,
    .mock = &mistral_mock,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD, LENS_KIND_OF_PROVIDER, 0,         "mistral",
    "1.0.0",          "Mistral, chat",       &provider, NULL,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
