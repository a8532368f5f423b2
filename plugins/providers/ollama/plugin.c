/* plugin: options, life cycle and the exported symbol. */
#include <stdlib.h>
#include <string.h>

#include "ollama.h"
#include "sdk/emit.h"
#include "sdk/models.h"
#include "sdk/request.h"

static const struct lens_option options[] = {
    { "url", LENS_OPT_URL, 0, "http://127.0.0.1:11434", NULL, NULL, "OLLAMA_HOST",
      "base URL, without /api" },
    { "api_key", LENS_OPT_SECRET, 0, NULL, NULL, NULL, NULL,
      "key, sent as Authorization: Bearer; a server of one's own needs none" },
    { "think", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "true, false, or how much: low, medium, high; unset: what the model does" },
    { "keep_alive", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "how long the model stays loaded, for instance 10m, or -1 for ever" },
    { "num_ctx", LENS_OPT_INT, 0, "0", "0..100000000", "tokens", NULL,
      "size of the context; 0: what the model says" },
    { "raw", LENS_OPT_BOOL, 0, "false", NULL, NULL, NULL,
      "puts no template around the prompt (generate)" },
};

static const struct lens_api apis[OLLAMA_API_COUNT] = {
    { "chat", "/api/chat", LENS_TASK_CHAT, 0, "application/x-ndjson" },
    { "generate", "/api/generate", LENS_TASK_COMPLETION, 0, "application/x-ndjson" },
};

static void
ollama_close(void *self)
{
    struct ollama *p = self;

    if (p == NULL)
        return;
    free(p->url);
    free(p->models_url);
    lens_secret_free(p->authorization);
    free(p);
}

/* The base may end in /api already. */
static char *
route_url(const char *base, const char *route)
{
    size_t size = strcspn(base, "?");

    while (size > 0 && base[size - 1] == '/')
        size--;
    if (size > 4 && memcmp(base + size - 4, "/api", 4) == 0)
        return lens_url_join(base, route + 4);
    return lens_url_join(base, route);
}

static lens_status
ollama_open(const struct lens_host *h, const struct lens_provider_args *args,
            void **ret_self)
{
    const char *url = h->opt_string(h, "url", 0);
    const char *key = h->opt_string(h, "api_key", 0);
    struct ollama *p;

    if (args->api >= OLLAMA_API_COUNT)
        return h->fail(h, LENS_E_UNSUPPORTED, "no such api");
    if (url == NULL)
        return h->fail(h, LENS_E_CONFIG, "option url is missing");
    p = calloc(1, sizeof *p);
    if (p == NULL)
        return h->fail(h, LENS_E_NOMEM, "out of memory");
    p->host = h;
    p->api = args->api;
    p->think = h->opt_string(h, "think", 0);
    p->keep_alive = h->opt_string(h, "keep_alive", 0);
    p->num_ctx = h->opt_int(h, "num_ctx");
    p->raw = p->api == OLLAMA_GENERATE && h->opt_int(h, "raw") != 0;
    p->url = route_url(url, apis[p->api].summary);
    p->models_url = route_url(url, "/api/tags");
    if (key != NULL && key[0] != '\0')
        p->authorization = lens_secret_join("Bearer ", key);
    if (p->url == NULL || p->models_url == NULL ||
        (key != NULL && key[0] != '\0' && p->authorization == NULL)) {
        ollama_close(p);
        return h->fail(h, LENS_E_NOMEM, "out of memory");
    }
    *ret_self = p;
    return LENS_OK;
}

/* ---- streams ---- */

static lens_status
stream_reset(void *stream, int32_t streamed)
{
    struct ollama_stream *s = stream;

    lens_stream_start(&s->stream, streamed);
    s->tools = 0;
    s->lines = 0;
    return LENS_OK;
}

static lens_status
stream_open(void *self, int32_t streamed, void **ret_stream)
{
    const struct ollama *p = self;
    struct ollama_stream *s = calloc(1, sizeof *s);

    if (s == NULL)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    lens_stream_init(&s->stream, p->host, LENS_FRAME_NDJSON, &ollama_stream_ops);
    *ret_stream = s;
    return stream_reset(s, streamed);
}

static void
stream_close(void *stream)
{
    struct ollama_stream *s = stream;

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
    const struct ollama *p = self;

    if (call->kind != LENS_CALL_MODELS && call->kind != LENS_CALL_HEALTH)
        return LENS_E_UNSUPPORTED;
    return lens_request_get(p->host, p->models_url, p->authorization, r);
}

static lens_status
call_decode(void *self, uint32_t kind, const struct lens_answer *a,
            struct lens_sink *sink)
{
    const struct ollama *p = self;
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
    .capabilities =
        LENS_CAP_USAGE | LENS_CAP_TOOLS | LENS_CAP_IMAGES | LENS_CAP_SERVER_TIMES,
    .options = LENS_SCHEMA(options),
    .apis = apis,
    .api_count = OLLAMA_API_COUNT,
    .api_size = sizeof apis[0],
    .open = ollama_open,
    .close = ollama_close,
    .describe = ollama_describe,
    .stream_open = stream_open,
    .stream_close = stream_close,
    .stream_reset = stream_reset,
    .head = lens_stream_head,
    .decode = lens_stream_decode,
    .finish = lens_stream_finish,
    .classify = classify,
    .call_describe = call_describe,
    .call_decode = call_decode,
    .mock = &ollama_mock,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    LENS_KIND_OF_PROVIDER,
    0,
    "ollama",
    "1.0.0",
    "Ollama's native protocol, with the server's own times",
    &provider,
    NULL,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
