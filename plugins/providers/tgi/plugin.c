/* plugin: options, life cycle and the exported symbol. */
#include <stdlib.h>
#include <string.h>

#include "sdk/emit.h"
#include "sdk/failure.h"
#include "sdk/members.h"
#include "sdk/request.h"
#include "tgi.h"

static const struct lens_option options[] = {
    { "url", LENS_OPT_URL, 0, "http://127.0.0.1:3000", NULL, NULL, NULL,
      "base URL, without /generate_stream" },
    { "api_key", LENS_OPT_SECRET, 0, NULL, NULL, NULL, NULL,
      "key, sent as Authorization: Bearer; a server of one's own needs none" },
    { "adapter_id", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "LoRA adapter that answers; unset: the base model" },
};

static const struct lens_api apis[TGI_API_COUNT] = {
    { "generate_stream", "/generate_stream, or /generate without a stream",
      LENS_TASK_COMPLETION, 0, "text/event-stream" },
    { "generate", "/generate", LENS_TASK_COMPLETION, LENS_API_NO_STREAM,
      "text/event-stream" },
};

static void
tgi_close(void *self)
{
    struct tgi *p = self;

    if (p == NULL)
        return;
    free(p->stream_url);
    free(p->generate_url);
    free(p->info_url);
    free(p->health_url);
    lens_secret_free(p->authorization);
    free(p);
}

/* The base without a route, where someone gave the whole URL. */
static char *
bare_url(const char *base)
{
    static const char *const routes[] = { "/generate_stream", "/generate" };
    size_t size = strcspn(base, "?");
    char *copy;

    while (size > 0 && base[size - 1] == '/')
        size--;
    for (int i = 0; i < 2; i++) {
        const size_t route = strlen(routes[i]);

        if (size > route && memcmp(base + size - route, routes[i], route) == 0) {
            size -= route;
            break;
        }
    }
    copy = strndup(base, size);
    if (copy != NULL && base[strcspn(base, "?")] == '?') {
        char *joined = lens_secret_join(copy, base + strcspn(base, "?"));

        free(copy);
        return joined;
    }
    return copy;
}

static lens_status
tgi_open(const struct lens_host *h, const struct lens_provider_args *args,
         void **ret_self)
{
    const char *url = h->opt_string(h, "url", 0);
    const char *key = h->opt_string(h, "api_key", 0);
    struct tgi *p;
    char *base;

    if (args->api >= TGI_API_COUNT)
        return h->fail(h, LENS_E_UNSUPPORTED, "no such api");
    if (url == NULL)
        return h->fail(h, LENS_E_CONFIG, "option url is missing");
    p = calloc(1, sizeof *p);
    base = bare_url(url);
    if (p != NULL && base != NULL) {
        p->host = h;
        p->api = args->api;
        p->adapter_id = h->opt_string(h, "adapter_id", 0);
        p->stream_url = lens_url_join(base, "/generate_stream");
        p->generate_url = lens_url_join(base, "/generate");
        p->info_url = lens_url_join(base, "/info");
        p->health_url = lens_url_join(base, "/health");
        if (key != NULL && key[0] != '\0')
            p->authorization = lens_secret_join("Bearer ", key);
    }
    free(base);
    if (p == NULL || p->stream_url == NULL || p->generate_url == NULL ||
        p->info_url == NULL || p->health_url == NULL ||
        (key != NULL && key[0] != '\0' && p->authorization == NULL)) {
        tgi_close(p);
        return h->fail(h, LENS_E_NOMEM, "out of memory");
    }
    *ret_self = p;
    return LENS_OK;
}

/* ---- streams ---- */

static lens_status
stream_reset(void *stream, int32_t streamed)
{
    struct tgi_stream *s = stream;

    lens_stream_start(&s->stream, s->provider->api == TGI_STREAM ? streamed : 0);
    s->input_said = s->output_said = -1;
    return LENS_OK;
}

static lens_status
stream_open(void *self, int32_t streamed, void **ret_stream)
{
    const struct tgi *p = self;
    struct tgi_stream *s = calloc(1, sizeof *s);

    if (s == NULL)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    s->provider = p;
    lens_stream_init(&s->stream, p->host, LENS_FRAME_SSE, &tgi_stream_ops);
    *ret_stream = s;
    return stream_reset(s, streamed);
}

static void
stream_close(void *stream)
{
    struct tgi_stream *s = stream;

    if (s == NULL)
        return;
    lens_stream_clear(&s->stream);
    free(s);
}

static void
read_count_header(const struct lens_head *h, const char *name, int64_t *ret)
{
    const struct lens_bytes value =
        lens_header(h->headers, h->header_count, h->header_size, name);
    struct lens_json j;

    lens_json_begin(&j, value.data, value.size);
    if (value.size > 0)
        lens_read_tokens(&j, ret);
}

/* Answers without stream say their token counts in the head. */
static lens_status
head(void *stream, const struct lens_head *h, struct lens_sink *sink)
{
    struct tgi_stream *s = stream;

    read_count_header(h, "x-prompt-tokens", &s->input_said);
    read_count_header(h, "x-generated-tokens", &s->output_said);
    return lens_stream_head(stream, h, sink);
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
    const struct tgi *p = self;

    if (call->kind != LENS_CALL_MODELS && call->kind != LENS_CALL_HEALTH)
        return LENS_E_UNSUPPORTED;
    return lens_request_get(p->host,
                            call->kind == LENS_CALL_MODELS ? p->info_url : p->health_url,
                            p->authorization, r);
}

static lens_status
call_decode(void *self, uint32_t kind, const struct lens_answer *a,
            struct lens_sink *sink)
{
    const struct tgi *p = self;
    struct lens_event e = { .struct_size = (uint32_t)sizeof e, .kind = LENS_EV_MODEL };
    struct lens_json_string id;
    struct lens_json j;
    char room[512];

    if (kind != LENS_CALL_MODELS && kind != LENS_CALL_HEALTH)
        return LENS_E_UNSUPPORTED;
    if (a->status < 200 || a->status > 299)
        return lens_emit_refusal(sink, a);
    if (kind == LENS_CALL_HEALTH)
        return LENS_OK;
    if (!lens_json_find(a->body.data, a->body.size, "model_id", &j) ||
        !lens_json_string(&j, &id) || id.raw.size > sizeof room)
        return p->host->fail(p->host, LENS_E_PROTOCOL,
                             "the answer of /info is not JSON with a \"model_id\"");
    e.text = (struct lens_bytes){ room, lens_json_unescape(&id, room) };
    return sink->event(sink, &e);
}

static const struct lens_provider provider = {
    .struct_size = sizeof provider,
    .capabilities = LENS_CAP_USAGE | LENS_CAP_SERVER_TIMES | LENS_CAP_NO_MODEL,
    .options = LENS_SCHEMA(options),
    .apis = apis,
    .api_count = TGI_API_COUNT,
    .api_size = sizeof apis[0],
    .open = tgi_open,
    .close = tgi_close,
    .describe = tgi_describe,
    .stream_open = stream_open,
    .stream_close = stream_close,
    .stream_reset = stream_reset,
    .head = head,
    .decode = lens_stream_decode,
    .finish = lens_stream_finish,
    .classify = classify,
    .call_describe = call_describe,
    .call_decode = call_decode,
    .mock = &tgi_mock,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    LENS_KIND_OF_PROVIDER,
    0,
    "tgi",
    "1.0.0",
    "text-generation-inference, generate and generate_stream",
    &provider,
    NULL,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
