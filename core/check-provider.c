#include <string.h>

#include "check.h"

/* A body to decode, recorded or made by the mock. */
struct stream {
    char *name;
    uint32_t api;
    JsonObject *options;
    struct lens_harness_answer answer;
    struct lens_pair *headers;
};

/* One instance under proof. */
struct bench {
    check *c;
    struct check_host host;
    const struct lens_provider *provider;
    uint32_t api;
    void *self;
};

static int
bench_open(struct bench *b)
{
    const struct lens_provider_args args = { (uint32_t)sizeof args, b->api };

    b->self = NULL;
    lens_harness_forget(&b->host.harness);
    return lens_harness_settle(&b->host.harness, "open",
                               b->provider->open(&b->host.harness.host, &args, &b->self));
}

static void
bench_close(struct bench *b)
{
    struct lens_harness *h = &b->host.harness;

    if (b->self != NULL)
        b->provider->close(b->self);
    b->self = NULL;
    if (h->grown > 0)
        lens_harness_problem(h, "close keeps %u bytes of host->grow", (unsigned)h->grown);
    h->grown = 0;
}

static void
bench_init(struct bench *b, check *c, uint32_t api, JsonObject *options)
{
    b->c = c;
    b->provider = &c->plugin->ops.provider;
    b->api = api;
    b->self = NULL;
    check_host_init(&b->host, c, options);
}

/* Says why an open that worked in no other way failed. */
static int
bench_opened(struct bench *b)
{
    if (bench_open(b))
        return 1;
    return lens_harness_problem(&b->host.harness,
                                "open fails with the options that the schema requires");
}

static const struct lens_api *
api_at(const struct lens_provider *p, uint32_t nth)
{
    return (const void *)((const char *)p->apis + (size_t)nth * p->api_size);
}

/* ---- streams ---- */

static void
stream_free(void *data)
{
    struct stream *s = data;

    g_free(s->name);
    g_free(s->headers);
    g_free((void *)s->answer.body);
    g_free((void *)s->answer.content_type);
    g_free(s);
}

/* Failed answers are for `classify`, they have no stream. */
static void
add_case(GPtrArray *streams, const decode_case *c, const struct lens_provider *p)
{
    struct stream *s = g_new0(struct stream, 1);
    uint32_t api = 0;

    while (c->api != NULL && api < p->api_count &&
           strcmp(api_at(p, api)->name, c->api) != 0)
        api++;
    s->name = c->id != NULL ? g_strdup(c->id) : g_strdup_printf("of line %u", c->line);
    s->api = api < p->api_count ? api : 0;
    s->options = c->options;
    s->answer.body = g_memdup2(c->body->data, c->body->len);
    s->answer.size = c->body->len;
    s->answer.streamed = c->streamed;
    s->answer.status = c->status;
    s->answer.content_type = g_strdup(
        c->content_type != NULL ? c->content_type : api_at(p, s->api)->content_type);
    s->answer.header_count = c->headers->len / 2;
    s->answer.header_size = (uint32_t)sizeof *s->headers;
    s->headers = g_new0(struct lens_pair, s->answer.header_count + 1);
    for (uint32_t i = 0; i < s->answer.header_count; i++) {
        const char *name = c->headers->pdata[2 * i],
                   *value = c->headers->pdata[2 * i + 1];

        s->headers[i] =
            (struct lens_pair){ { name, strlen(name) }, { value, strlen(value) } };
    }
    s->answer.headers = s->headers;
    g_ptr_array_add(streams, s);
}

static bool
is_of(const check *c, const decode_case *recorded)
{
    return g_strcmp0(recorded->provider, c->plugin->name) == 0;
}

/* The mock's conversation with the decoder; its streams are proven like recorded ones. */
static void
check_mock(check *c, const struct lens_provider *p, GPtrArray *streams)
{
    for (uint32_t api = 0; api < p->api_count; api++) {
        g_autofree char *what = g_strdup_printf("mock of %s", api_at(p, api)->name);
        struct lens_sheet body = { 0 };
        struct stream *s;
        struct bench b;

        check_begin(c, what);
        bench_init(&b, c, api, NULL);
        if (bench_opened(&b))
            lens_harness_mock(&b.host.harness, p, b.self, api, &body);
        bench_close(&b);
        if (b.host.harness.problem[0] == '\0' && body.size > 0) {
            s = g_new0(struct stream, 1);
            s->name = g_strdup_printf("mock %s", api_at(p, api)->name);
            s->api = api;
            s->answer.body = g_memdup2(body.data, body.size);
            s->answer.size = body.size;
            s->answer.streamed = 1;
            s->answer.status = 200;
            s->answer.content_type = g_strdup(api_at(p, api)->content_type);
            g_ptr_array_add(streams, s);
        }
        check_end(c, b.host.harness.problem);
        lens_sheet_clear(&body);
        check_host_clear(&b.host);
    }
}

static void
check_expected(check *c, const decode_case *recorded)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(decode_result) r = NULL;
    g_autofree char *difference = NULL;
    g_autofree char *what =
        g_strdup_printf("case %s", recorded->id != NULL ? recorded->id : "without id");

    check_begin(c, what);
    r = decode_run(recorded, c->plugins, &error);
    if (r != NULL && recorded->expect != NULL)
        difference = decode_result_differs(r, recorded->expect);
    check_end(c, r == NULL ? error->message : difference);
}

static void
check_stream(check *c, const struct stream *s, const char *what,
             int (*prove)(struct lens_harness *, const struct lens_provider *, void *,
                          const struct lens_harness_answer *))
{
    g_autofree char *name = g_strdup_printf("%s of %s", what, s->name);
    struct bench b;

    check_begin(c, name);
    bench_init(&b, c, s->api, s->options);
    if (bench_opened(&b))
        prove(&b.host.harness, b.provider, b.self, &s->answer);
    bench_close(&b);
    check_end(c, b.host.harness.problem);
    check_host_clear(&b.host);
}

/* ---- the life of an instance ---- */

static void
check_life(check *c, const struct lens_provider *p)
{
    for (uint32_t api = 0; api < p->api_count; api++) {
        g_autofree char *what = g_strdup_printf("life cycle of %s", api_at(p, api)->name);
        struct bench first, second;
        void *stream = NULL;

        check_begin(c, what);
        bench_init(&first, c, api, NULL);
        bench_init(&second, c, api, NULL);
        /* Two at once, closed in the order of their opening, one with a stream unused. */
        if (bench_opened(&first) && bench_opened(&second) &&
            lens_harness_settle(&first.host.harness, "stream_open",
                                p->stream_open(first.self, 1, &stream)))
            p->stream_close(stream);
        bench_close(&first);
        bench_close(&second);
        if (second.host.harness.problem[0] != '\0')
            lens_harness_problem(&first.host.harness, "%s", second.host.harness.problem);
        check_end(c, first.host.harness.problem);
        check_host_clear(&first.host);
        check_host_clear(&second.host);
    }
}

static void
check_requests(check *c, const struct lens_provider *p)
{
    for (uint32_t api = 0; api < p->api_count; api++) {
        g_autofree char *what = g_strdup_printf("requests of %s", api_at(p, api)->name);
        const bool streams = (api_at(p, api)->flags & LENS_API_NO_STREAM) == 0;
        struct bench b;

        check_begin(c, what);
        bench_init(&b, c, api, NULL);
        if (bench_opened(&b) &&
            (!streams || lens_harness_describe(&b.host.harness, p, b.self, api, 1)))
            lens_harness_describe(&b.host.harness, p, b.self, api, 0);
        bench_close(&b);
        check_end(c, b.host.harness.problem);
        check_host_clear(&b.host);
    }
}

static void
check_failures(check *c, const struct lens_provider *p)
{
    struct bench b;

    check_begin(c, "failed answers");
    bench_init(&b, c, 0, NULL);
    if (bench_opened(&b))
        lens_harness_classify(&b.host.harness, p, b.self);
    bench_close(&b);
    check_end(c, b.host.harness.problem);
    check_host_clear(&b.host);
}

static void
check_calls(check *c, const struct lens_provider *p)
{
    struct bench b;

    check_begin(c, "side calls");
    bench_init(&b, c, 0, NULL);
    if (bench_opened(&b))
        lens_harness_calls(&b.host.harness, p, b.self);
    bench_close(&b);
    check_end(c, b.host.harness.problem);
    check_host_clear(&b.host);
}

/* ---- whole cycles ---- */

struct cycle {
    struct bench bench;
    const struct stream *stream; /* NULL: nothing to decode */
    bool calls;                  /* with side calls; once is enough */
};

static int
run_cycle(void *data)
{
    struct cycle *y = data;
    struct bench *b = &y->bench;
    struct lens_harness *h = &b->host.harness;

    if (bench_open(b)) {
        lens_harness_describe(h, b->provider, b->self, b->api, 1);
        if (y->stream != NULL)
            lens_harness_decode(h, b->provider, b->self, &y->stream->answer,
                                y->stream->answer.size / 2, 0, LENS_WANT_CONTENT);
        lens_harness_classify(h, b->provider, b->self);
        if (y->calls)
            lens_harness_calls(h, b->provider, b->self);
    }
    bench_close(b);
    return h->problem[0] == '\0';
}

static void
check_cycles(check *c, const struct stream *s, bool calls)
{
    const char *of = s != NULL ? s->name : "requests";
    g_autofree char *failing = g_strdup_printf("each failing host call of %s", of);
    g_autofree char *leaks = g_strdup_printf("leaks of %s", of);
    struct cycle y = { .stream = s, .calls = calls };

    for (int i = 0; i < 2; i++) {
        check_begin(c, i == 0 ? failing : leaks);
        bench_init(&y.bench, c, s != NULL ? s->api : 0, s != NULL ? s->options : NULL);
        if (i == 0)
            check_failing_calls(c, &y.bench.host, run_cycle, &y);
        else
            check_leaks(c, &y.bench.host, run_cycle, &y);
        check_host_clear(&y.bench.host);
    }
}

void
check_provider(check *c)
{
    const struct lens_provider *p = &c->plugin->ops.provider;
    g_autoptr(GPtrArray) streams = g_ptr_array_new_with_free_func(stream_free);

    check_life(c, p);
    check_requests(c, p);
    check_failures(c, p);
    check_calls(c, p);
    if (c->plugin->mock.recognise != NULL)
        check_mock(c, p, streams);
    for (unsigned i = 0; i < c->cases->len; i++) {
        const decode_case *recorded = c->cases->pdata[i];

        if (!is_of(c, recorded))
            continue;
        check_expected(c, recorded);
        if (recorded->status >= 200 && recorded->status < 300)
            add_case(streams, recorded, p);
    }
    for (unsigned i = 0; i < streams->len; i++) {
        check_stream(c, streams->pdata[i], "every split", lens_harness_splits);
        check_stream(c, streams->pdata[i], "garbage instead", lens_harness_garbage);
        check_cycles(c, streams->pdata[i], i == 0);
    }
    if (streams->len == 0)
        check_cycles(c, NULL, true);
}
