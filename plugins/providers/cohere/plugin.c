/* plugin: options, life cycle and the exported symbol. */
#include <stdlib.h>
#include <string.h>

#include "cohere.h"
#include "sdk/emit.h"
#include "sdk/models.h"
#include "sdk/request.h"

static const struct lens_option options[] = {
    { "url", LENS_OPT_URL, 0, "https://api.cohere.com", NULL, NULL, "CO_API_URL",
      "base URL, without /v2" },
    { "api_key", LENS_OPT_SECRET, 0, NULL, NULL, NULL, "CO_API_KEY",
      "key, sent as Authorization: Bearer" },
    { "cohere_api_key", LENS_OPT_SECRET, 0, NULL, NULL, NULL, "COHERE_API_KEY",
      "the same, where there is no api_key" },
    { "client_name", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "name of the client in the vendor's logs (X-Client-Name)" },
    { "thinking", LENS_OPT_CHOICE, 0, "auto", "auto|enabled|disabled", NULL, NULL,
      "whether the model thinks first; auto: what the model does by itself" },
    { "thinking_budget", LENS_OPT_INT, 0, "0", "0..1000000", "tokens", NULL,
      "most tokens of thinking; 0: no limit" },
    { "safety_mode", LENS_OPT_CHOICE, 0, NULL, "CONTEXTUAL|STRICT|OFF|NONE", NULL, NULL,
      "safety instruction that the vendor adds to the prompt" },
    { "priority", LENS_OPT_INT, 0, "-1", "-1..999", NULL, NULL,
      "order under load, 0 is served first; -1: not sent" },
};

static const struct lens_api apis[] = {
    { "v2chat", "chat of version 2", LENS_TASK_CHAT, 0, "text/event-stream" },
};

static void
cohere_close(void *self)
{
    struct cohere *p = self;

    if (p == NULL)
        return;
    free(p->url);
    free(p->models_url);
    lens_secret_free(p->authorization);
    free(p);
}

/* The base may come with the version, as the old clients had it. */
static char *
route_url(const char *base, const char *route)
{
    static const char *const versions[] = { "/v2", "/v1" };
    const size_t size = strcspn(base, "?");

    for (int i = 0; i < 2; i++) {
        size_t end = size;

        while (end > 0 && base[end - 1] == '/')
            end--;
        if (end > 3 && memcmp(base + end - 3, versions[i], 3) == 0 &&
            strncmp(route, versions[i], 3) == 0)
            return lens_url_join(base, route + 3);
    }
    return lens_url_join(base, route);
}

static lens_status
cohere_open(const struct lens_host *h, const struct lens_provider_args *args,
            void **ret_self)
{
    const char *url = h->opt_string(h, "url", 0);
    const char *key = h->opt_string(h, "api_key", 0);
    const char *thinking = h->opt_string(h, "thinking", 0);
    struct cohere *p;

    if (key == NULL || key[0] == '\0')
        key = h->opt_string(h, "cohere_api_key", 0);
    if (args->api >= sizeof apis / sizeof apis[0])
        return h->fail(h, LENS_E_UNSUPPORTED, "no such api");
    if (url == NULL)
        return h->fail(h, LENS_E_CONFIG, "option url is missing");
    p = calloc(1, sizeof *p);
    if (p == NULL)
        return h->fail(h, LENS_E_NOMEM, "out of memory");
    p->host = h;
    p->client_name = h->opt_string(h, "client_name", 0);
    p->safety_mode = h->opt_string(h, "safety_mode", 0);
    p->thinking_budget = h->opt_int(h, "thinking_budget");
    p->priority = h->opt_int(h, "priority");
    if (thinking != NULL && strcmp(thinking, "auto") != 0)
        p->thinking = thinking;
    p->url = route_url(url, "/v2/chat");
    p->models_url = route_url(url, "/v1/models");
    if (key != NULL && key[0] != '\0')
        p->authorization = lens_secret_join("Bearer ", key);
    if (p->url == NULL || p->models_url == NULL ||
        (key != NULL && key[0] != '\0' && p->authorization == NULL)) {
        cohere_close(p);
        return h->fail(h, LENS_E_NOMEM, "out of memory");
    }
    *ret_self = p;
    return LENS_OK;
}

/* ---- streams ---- */

static lens_status
stream_reset(void *stream, int32_t streamed)
{
    struct cohere_stream *s = stream;

    lens_stream_start(&s->stream, streamed);
    for (uint32_t i = 0; i < LENS_USAGE_COUNT; i++)
        s->usage[i] = -1;
    s->next_tool = 0;
    return LENS_OK;
}

static lens_status
stream_open(void *self, int32_t streamed, void **ret_stream)
{
    const struct cohere *p = self;
    struct cohere_stream *s = calloc(1, sizeof *s);

    if (s == NULL)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    lens_stream_init(&s->stream, p->host, LENS_FRAME_SSE, &cohere_stream_ops);
    *ret_stream = s;
    return stream_reset(s, streamed);
}

static void
stream_close(void *stream)
{
    struct cohere_stream *s = stream;

    if (s == NULL)
        return;
    lens_stream_clear(&s->stream);
    free(s);
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
    const struct cohere *p = self;

    if (call->kind != LENS_CALL_MODELS && call->kind != LENS_CALL_HEALTH)
        return LENS_E_UNSUPPORTED;
    return lens_request_get(p->host, p->models_url, p->authorization, r);
}

static lens_status
call_decode(void *self, uint32_t kind, const struct lens_answer *a,
            struct lens_sink *sink)
{
    const struct cohere *p = self;
    lens_status st;

    if (kind != LENS_CALL_MODELS && kind != LENS_CALL_HEALTH)
        return LENS_E_UNSUPPORTED;
    if (a->status < 200 || a->status > 299)
        return lens_emit_refusal(sink, a);
    st = lens_emit_models(sink, a->body, "models", "name");
    if (st != LENS_E_PROTOCOL)
        return st;
    return p->host->fail(p->host, st,
                         "the model list is not JSON with a list in \"models\"");
}

static const struct lens_provider provider = {
    .struct_size = sizeof provider,
    .capabilities = LENS_CAP_USAGE | LENS_CAP_CACHED_USAGE | LENS_CAP_TOOLS |
                    LENS_CAP_IMAGES | LENS_CAP_SERVER_TIMES,
    .options = LENS_SCHEMA(options),
    .apis = apis,
    .api_count = sizeof apis / sizeof apis[0],
    .api_size = sizeof apis[0],
    .open = cohere_open,
    .close = cohere_close,
    .describe = cohere_describe,
    .stream_open = stream_open,
    .stream_close = stream_close,
    .stream_reset = stream_reset,
    .head = lens_stream_head,
    .decode = lens_stream_decode,
    .finish = lens_stream_finish,
    .classify = classify,
    .call_describe = call_describe,
    .call_decode = call_decode,
    .mock = &cohere_mock,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD, LENS_KIND_OF_PROVIDER, 0,         "cohere",
    "1.0.0",          "Cohere, v2 chat",     &provider, NULL,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
