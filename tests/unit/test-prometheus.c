/* The pages that Prometheus scrapes and the bytes of remote writes, without a server;
 * tests/peers has real ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "../../plugins/exporters/prometheus/exposition.h"
#include "../../plugins/exporters/prometheus/native.h"
#include "../../plugins/exporters/prometheus/remote.h"

/* ---- a host with one histogram ---- */

struct lens_histogram {
    const struct lens_bucket *buckets;
    uint32_t count;
};

struct bench {
    struct lens_host host; /* first */
    const char *names[8], *values[8];
    GByteArray *posted;
    int32_t status; /* answer to what is posted */
    const char *answer;
    char *complaint;
};

static const char *
get_string(const struct lens_host *host, const char *name, uint32_t nth)
{
    const struct bench *b = (const struct bench *)host;

    for (size_t i = 0; i < G_N_ELEMENTS(b->names); i++)
        if (g_strcmp0(b->names[i], name) == 0 && nth-- == 0)
            return b->values[i];
    return NULL;
}

static int64_t
get_int(const struct lens_host *host, const char *name)
{
    return get_string(host, name, 0) != NULL;
}

static int32_t
get_count(const struct lens_host *host, const char *name)
{
    int32_t count = 0;

    while (get_string(host, name, (uint32_t)count) != NULL)
        count++;
    return count;
}

static lens_status
take_complaint(const struct lens_host *host, lens_status why, const char *text)
{
    struct bench *b = (struct bench *)host;

    g_free(b->complaint);
    b->complaint = g_strdup(text);
    return why;
}

static void
take_log(const struct lens_host *host, int32_t level, const char *text)
{
    (void)level;
    take_complaint(host, LENS_OK, text);
}

static int32_t
next_bucket(const struct lens_host *host, const struct lens_histogram *h,
            uint64_t *cursor, struct lens_bucket *ret)
{
    (void)host;
    if (*cursor >= h->count)
        return 0;
    *ret = h->buckets[(*cursor)++];
    return 1;
}

static lens_status
exchange(const struct lens_host *host, const struct lens_http_request *request,
         struct lens_http_answer *answer)
{
    struct bench *b = (struct bench *)host;

    g_byte_array_set_size(b->posted, 0);
    g_byte_array_append(b->posted, (const guint8 *)request->body.data,
                        (guint)request->body.size);
    answer->status = b->status;
    answer->body = (struct lens_bytes){ b->answer, strlen(b->answer) };
    answer->retry_after_ns = -1;
    return LENS_OK;
}

static struct bench
make_bench(void)
{
    return (struct bench){ .host = { .struct_size = sizeof(struct lens_host),
                                     .abi = LENS_ABI,
                                     .log = take_log,
                                     .fail = take_complaint,
                                     .opt_string = get_string,
                                     .opt_int = get_int,
                                     .opt_count = get_count,
                                     .http = exchange,
                                     .histogram_next = next_bucket },
                           .posted = g_byte_array_new(),
                           .status = 204,
                           .answer = "" };
}

static void
clear_bench(struct bench *b)
{
    g_byte_array_unref(b->posted);
    g_free(b->complaint);
}

/* ---- a state of one series ---- */

#define MS INT64_C(1000000)

static const struct lens_bucket gaps[] = {
    { 0, 512, 2 },                         /* shared reads */
    { 4 * MS - 256, 4 * MS + 256, 5 },     /* 4 ms */
    { 50 * MS - 1000, 50 * MS + 1000, 1 }, /* 50 ms */
};
static const struct lens_histogram gap_histogram = { gaps, 3 };

static void
take_result(struct state *s, struct bench *b, double ok)
{
    const struct lens_metric metrics[] = {
        { .name = "itl",
          .unit = "ms",
          .count = 8,
          .sum = 70,
          .histogram = &gap_histogram,
          .scale = 1e-6 },
        { .name = "tls", .unit = "ms", .scale = 1e-6 }, /* nothing there */
    };
    const struct lens_number numbers[] = { { "requests.ok", "requests", ok },
                                           { "requests.failed", "requests", 1 },
                                           { "goodput.ratio", "ratio", NAN } };
    const struct lens_error_count errors[] = { { "rate_limit", "http", NULL, 1, NULL } };
    const struct lens_result result = {
        .metrics = metrics,
        .metric_count = G_N_ELEMENTS(metrics),
        .metric_size = sizeof metrics[0],
        .numbers = numbers,
        .number_count = G_N_ELEMENTS(numbers),
        .number_size = sizeof numbers[0],
        .verdict = "VALID",
        .errors = errors,
        .error_count = 1,
        .error_size = sizeof errors[0],
    };

    assert_non_null(state_take(s, &b->host, &result, INT64_C(1700000000123456789)));
}

static void
make_state(struct state *s, struct bench *b)
{
    const struct lens_target_info target = { "a\"\\\n", "p", "chat", "m", "u" };
    const struct lens_stage_info stage = { "low", "closed", "{}" };
    const struct lens_run run = {
        .struct_size = sizeof run,
        .id = "RUN",
        .version = "1",
        .seed = "2",
        .host_name = "h",
        .targets = &target,
        .target_count = 1,
        .target_size = sizeof target,
        .stages = &stage,
        .stage_count = 1,
        .stage_size = sizeof stage,
    };

    *s = (struct state){ 0 };
    assert_int_equal(state_open(s, &b->host), LENS_OK);
    assert_int_equal(state_begin(s, &run), LENS_OK);
}

static char *
page(const struct state *s, enum exposition format)
{
    struct text t = { 0 };
    char *copy;

    assert_true(exposition_write(s, format, &t));
    copy = g_strndup(t.data != NULL ? t.data : "", t.size);
    text_clear(&t);
    return copy;
}

static void
holds(const char *page_text, const char *line)
{
    if (strstr(page_text, line) == NULL)
        fail_msg("`%s` is missing in:\n%s", line, page_text);
}

#define LABELS "model=\"m\",stage=\"low\",target=\"a\\\"\\\\\\n\""

static void
text_pages_escape_and_count(void **state)
{
    struct bench b = make_bench();
    struct state s;
    g_autofree char *text = NULL, *open = NULL;

    (void)state;
    make_state(&s, &b);
    take_result(&s, &b, 41);
    take_result(&s, &b, 42); /* the newest counts */
    text = page(&s, EXPOSE_TEXT);
    holds(text, "# TYPE lens_requests_total counter\n"
                "lens_requests_total{" LABELS ",outcome=\"ok\"} 42\n"
                "lens_requests_total{" LABELS ",outcome=\"failed\"} 1\n");
    holds(text, "lens_errors_total{" LABELS ",error=\"rate_limit\",where=\"http\"} 1\n");
    holds(text, "lens_run_info{host=\"h\",run_id=\"RUN\",seed=\"2\",version=\"1\"} 1\n");
    holds(text, "lens_inter_token_latency_seconds_bucket{" LABELS ",le=\"0.0001\"} 2\n");
    holds(text, "lens_inter_token_latency_seconds_bucket{" LABELS ",le=\"0.005\"} 7\n");
    holds(text, "lens_inter_token_latency_seconds_bucket{" LABELS ",le=\"0.06\"} 8\n");
    holds(text, "lens_inter_token_latency_seconds_bucket{" LABELS ",le=\"1\"} 8\n");
    holds(text, "lens_inter_token_latency_seconds_bucket{" LABELS ",le=\"+Inf\"} 8\n"
                "lens_inter_token_latency_seconds_sum{" LABELS "} 0.07\n"
                "lens_inter_token_latency_seconds_count{" LABELS "} 8\n");
    assert_null(strstr(text, "lens_tls"));
    assert_null(strstr(text, "lens_goodput_ratio"));
    assert_null(strstr(text, "NaN"));
    open = page(&s, EXPOSE_OPENMETRICS);
    holds(open, "# TYPE lens_requests counter\n"
                "lens_requests_total{" LABELS ",outcome=\"ok\"} 42\n");
    holds(open, "# UNIT lens_inter_token_latency_seconds seconds\n");
    holds(open, "_bucket{" LABELS ",le=\"1.0\"} 8\n");
    assert_true(g_str_has_suffix(open, "\n# EOF\n"));
    state_close(&s);
    clear_bench(&b);
}

static void
pages_of_nothing_are_pages(void **state)
{
    struct bench b = make_bench();
    struct state s = { 0 };

    (void)state;
    assert_int_equal(state_open(&s, &b.host), LENS_OK);
    for (int format = 0; format < EXPOSITIONS; format++) {
        g_autofree char *text = page(&s, (enum exposition)format);

        assert_null(strstr(text, "lens_requests"));
    }
    state_close(&s);
    clear_bench(&b);
}

static void
own_buckets_must_rise(void **state)
{
    static const struct {
        const char *values[3];
        lens_status status;
    } cases[] = { { { "0.1", "0.5", "1" }, LENS_OK }, { { "0.5", "0.1" }, LENS_E_CONFIG },
                  { { "1", "1" }, LENS_E_CONFIG },    { { "0" }, LENS_E_CONFIG },
                  { { "x" }, LENS_E_CONFIG },         { { "inf" }, LENS_E_CONFIG } };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        struct bench b = make_bench();
        struct state s = { 0 };

        for (size_t k = 0; k < 3 && cases[i].values[k] != NULL; k++) {
            b.names[k] = "buckets";
            b.values[k] = cases[i].values[k];
        }
        assert_int_equal(state_open(&s, &b.host), cases[i].status);
        if (cases[i].status == LENS_OK)
            assert_int_equal(s.time.count, 3);
        state_close(&s);
        clear_bench(&b);
    }
}

/* ---- what a scraper likes best ---- */

static void
accept_headers_are_weighed(void **state)
{
    static const struct {
        const char *accept;
        enum exposition format;
    } cases[] = {
        { "", EXPOSE_TEXT },
        { "*/*", EXPOSE_TEXT },
        { "text/plain", EXPOSE_TEXT },
        { "application/json", EXPOSE_TEXT },
        { "application/openmetrics-text", EXPOSE_OPENMETRICS },
        /* Prometheus 2.42, without and with native histograms */
        { "application/openmetrics-text;version=1.0.0,application/"
          "openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/"
          "*;q=0.1",
          EXPOSE_OPENMETRICS },
        { "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
          "encoding=delimited,application/openmetrics-text;version=1.0.0;q=0.8,"
          "application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;"
          "q=0.5,*/*;q=0.1",
          EXPOSE_PROTOBUF },
        /* Prometheus 3.14 */
        { "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
          "encoding=delimited;q=0.6,application/openmetrics-text;version=1.0.0;"
          "escaping=allow-utf-8;q=0.5,text/plain;version=1.0.0;q=0.3,"
          "text/plain;version=0.0.4;q=0.2,*/*;q=0.1",
          EXPOSE_PROTOBUF },
        { "application/openmetrics-text;version=2.0.0;q=0.9, text/plain;q=0.1",
          EXPOSE_TEXT },
        { "application/vnd.google.protobuf;proto=other;q=1,text/plain;q=0.1",
          EXPOSE_TEXT },
        { "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
          "encoding=text;q=1,application/openmetrics-text;q=0.3",
          EXPOSE_OPENMETRICS },
        { "Application/OpenMetrics-Text ; Version=1.0.0 ; Q=0.2 , text/plain;q=0.1",
          EXPOSE_OPENMETRICS },
        { "application/openmetrics-text;q=0,text/plain;q=0.1", EXPOSE_TEXT },
        { ",,;;q=,=;q=x", EXPOSE_TEXT },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(exposition_choose(cases[i].accept, strlen(cases[i].accept)),
                         cases[i].format);
}

/* ---- remote writes ---- */

/* The decoder of format_description.txt, as far as literals go. */
static GByteArray *
unsnap(const guint8 *data, gsize size)
{
    GByteArray *plain = g_byte_array_new();
    uint64_t length = 0;
    gsize at = 0;

    for (unsigned shift = 0;; shift += 7) {
        assert_true(at < size);
        length |= (uint64_t)(data[at] & 0x7f) << shift;
        if ((data[at++] & 0x80) == 0)
            break;
    }
    while (at < size) {
        const guint8 tag = data[at++];
        gsize piece = tag >> 2;

        assert_int_equal(tag & 3, 0);
        if (piece >= 60) {
            const gsize bytes = piece - 59;

            piece = 0;
            for (gsize i = 0; i < bytes; i++)
                piece |= (gsize)data[at++] << (8 * i);
        }
        piece++;
        assert_true(piece <= size - at);
        g_byte_array_append(plain, data + at, (guint)piece);
        at += piece;
    }
    assert_int_equal(plain->len, length);
    return plain;
}

static void
snappy_frames_hold_the_data(void **state)
{
    static const size_t sizes[] = { 0,     1,     59,    60,    61,     127,   128,
                                    16383, 65535, 65536, 65537, 131072, 200000 };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree guint8 *data = g_malloc(sizes[i] + 1);
        struct lens_text framed = { 0 };
        GByteArray *plain;

        for (size_t k = 0; k < sizes[i]; k++)
            data[k] = (guint8)(k * 31 >> 3);
        remote_snappy(&framed, data, sizes[i]);
        plain = unsnap((const guint8 *)framed.data, framed.size);
        assert_int_equal(plain->len, sizes[i]);
        assert_memory_equal(plain->data, data, sizes[i]);
        g_byte_array_unref(plain);
        lens_text_clear(&framed);
    }
}

/* ---- a reader of protobuf, independent of the writer ---- */

struct cursor {
    const guint8 *at, *end;
};

static uint64_t
read_varint(struct cursor *c)
{
    uint64_t value = 0;

    for (unsigned shift = 0;; shift += 7) {
        assert_true(c->at < c->end);
        value |= (uint64_t)(*c->at & 0x7f) << shift;
        if ((*c->at++ & 0x80) == 0)
            return value;
    }
}

/* The next field; a message or string in `ret_body`, other values in `ret_value`. */
static uint32_t
read_field(struct cursor *c, struct cursor *ret_body, uint64_t *ret_value)
{
    const uint64_t tag = read_varint(c);

    if ((tag & 7) == 0) {
        *ret_value = read_varint(c);
    } else if ((tag & 7) == 1) {
        assert_true(c->end - c->at >= 8);
        memcpy(ret_value, c->at, 8);
        c->at += 8;
    } else {
        const uint64_t size = read_varint(c);

        assert_int_equal(tag & 7, 2);
        assert_true(size <= (uint64_t)(c->end - c->at));
        *ret_body = (struct cursor){ c->at, c->at + size };
        c->at += size;
    }
    return (uint32_t)(tag >> 3);
}

/* One series as "name{a=b,...} value@time", NaN bits as hex; native ones as count. */
static char *
read_series(struct cursor c)
{
    GString *labels = g_string_new(NULL), *value = g_string_new(NULL);
    g_autofree char *before = g_strdup("");
    struct cursor body, inner;
    uint64_t number = 0;

    while (c.at < c.end) {
        const uint32_t field = read_field(&c, &body, &number);
        uint64_t time = 0, bits = 0;

        if (field == 1) {
            assert_int_equal(read_field(&body, &inner, &number), 1);
            g_string_append_len(labels, (const char *)inner.at, inner.end - inner.at);
            if (strcmp(before, labels->str) != 0)
                g_string_append_c(labels, '=');
            assert_int_equal(read_field(&body, &inner, &number), 2);
            assert_true(inner.end > inner.at); /* no empty values */
            g_string_append_len(labels, (const char *)inner.at, inner.end - inner.at);
            g_string_append_c(labels, ',');
            continue;
        }
        while (body.at < body.end)
            switch (read_field(&body, &inner, &number)) {
            case 1:
                bits = number;
                break;
            case 2:
            case 15:
                time = number;
                break;
            default:
                break;
            }
        if (field == 2 && bits == UINT64_C(0x7ff0000000000002))
            g_string_append_printf(value, "stale@%" G_GUINT64_FORMAT, time);
        else if (field == 2) {
            double number_value;

            memcpy(&number_value, &bits, sizeof bits);
            g_string_append_printf(value, "%g@%" G_GUINT64_FORMAT, number_value, time);
        } else {
            g_string_append_printf(value, "native %" G_GUINT64_FORMAT, bits);
        }
    }
    g_string_append_printf(labels, " %s", value->str);
    g_string_free(value, TRUE);
    return g_string_free(labels, FALSE);
}

static GPtrArray *
read_request(const GByteArray *posted)
{
    GPtrArray *lines = g_ptr_array_new_with_free_func(g_free);
    GByteArray *plain = unsnap(posted->data, posted->len);
    struct cursor c = { plain->data, plain->data + plain->len }, body;
    uint64_t number;

    while (c.at < c.end) {
        assert_int_equal(read_field(&c, &body, &number), 1);
        g_ptr_array_add(lines, read_series(body));
    }
    g_byte_array_unref(plain);
    return lines;
}

static bool
has(const GPtrArray *lines, const char *line)
{
    for (guint i = 0; i < lines->len; i++)
        if (strcmp(lines->pdata[i], line) == 0)
            return true;
    return false;
}

static void
remote_writes_carry_sorted_labels_and_times(void **state)
{
    struct bench b = make_bench();
    struct remote r = { 0 };
    struct state s;
    int64_t retry = 0;
    GPtrArray *lines;

    (void)state;
    b.names[0] = "remote_write";
    b.values[0] = "http://127.0.0.1:1/api/v1/write";
    b.names[1] = "histograms";
    b.values[1] = "both";
    b.names[2] = "label";
    b.values[2] = "team=x";
    make_state(&s, &b);
    take_result(&s, &b, 42);
    assert_int_equal(remote_open(&r, &b.host), LENS_OK);
    remote_begin(&r, &s, "lens", "h");
    assert_int_equal(remote_write(&r, &s, s.series[0], 0, 1234, &retry), ANSWER_OK);
    lines = read_request(b.posted);
#define REMOTE(name, le, outcome)                                  \
    "__name__=" name ",instance=h,job=lens," le "model=m," outcome \
    "run_id=RUN,stage=low,target=a\"\\\n,team=x,"
    assert_true(has(lines, REMOTE("lens_requests_total", "", "outcome=ok,") " 42@1234"));
    assert_true(has(lines, REMOTE("lens_inter_token_latency_seconds_bucket", "le=0.005,",
                                  "") " 7@1234"));
    assert_true(
        has(lines, REMOTE("lens_inter_token_latency_seconds", "", "") " native 8"));
    g_ptr_array_unref(lines);

    assert_int_equal(remote_write(&r, &s, s.series[0], 1, 1235, &retry), ANSWER_OK);
    lines = read_request(b.posted);
    assert_true(
        has(lines, REMOTE("lens_requests_total", "", "outcome=ok,") " stale@1235"));
    assert_true(
        has(lines, REMOTE("lens_inter_token_latency_seconds", "", "") " native 0"));
    g_ptr_array_unref(lines);
    remote_close(&r);
    state_close(&s);
    clear_bench(&b);
}

static void
what_a_server_refuses_is_explained(void **state)
{
    static const struct {
        int32_t status;
        const char *body;
        enum answer_act act;
        const char *words;
    } cases[] = {
        { 400, "out of order sample", ANSWER_BAD_DATA, "out_of_order_time_window" },
        { 400, "out of bounds", ANSWER_GIVE_UP, "out_of_order_time_window" },
        { 400, "too old sample", ANSWER_GIVE_UP, "out_of_order_time_window" },
        { 400, "duplicate sample for timestamp", ANSWER_BAD_DATA, "same labels" },
        { 400, "native histograms are disabled", ANSWER_GIVE_UP, "histograms=classic" },
        { 401, "", ANSWER_GIVE_UP, "token=" },
        { 404, "page not found", ANSWER_GIVE_UP, "remote-write-receiver" },
        { 429, "", ANSWER_LATER, "429" },
        { 500, "disk full", ANSWER_LATER, "disk full" },
        { 503, "", ANSWER_LATER, "503" },
    };
    struct bench b = make_bench();
    struct remote r = { 0 };
    struct state s;
    int64_t retry = 0;

    (void)state;
    b.names[0] = "remote_write";
    b.values[0] = "http://127.0.0.1:1/api/v1/write";
    make_state(&s, &b);
    take_result(&s, &b, 1);
    assert_int_equal(remote_open(&r, &b.host), LENS_OK);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        b.status = cases[i].status;
        b.answer = cases[i].body;
        assert_int_equal(remote_write(&r, &s, s.series[0], 0, 1, &retry), cases[i].act);
        holds(r.why, cases[i].words);
    }
    remote_close(&r);
    state_close(&s);
    clear_bench(&b);
}

/* ---- native histograms ---- */

static int64_t
unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

/* Reads the spans and deltas back into counts by index. */
static void
native_histograms_tell_all_counts(void **state)
{
    static const struct native_fields fields = {
        .schema = 5, .zero_threshold = 6, .zero_count = 7, .spans = 12, .deltas = 13
    };
    struct exponential h;
    struct lens_protobuf p = { 0 };
    struct cursor c, body, inner;
    int64_t index = 0, count = 0, offsets[64], lengths[64];
    uint32_t spans = 0;
    uint64_t number = 0, zero = 0, total = 0;

    (void)state;
    exponential_init(&h, 640);
    exponential_add(&h, 0, 3);
    for (int i = 0; i < 30; i++)
        exponential_add(&h, 0.01 * pow(1.07, i), (uint64_t)(i * i + 1));
    native_write(&p, &h, &fields);
    c.at = (const guint8 *)lens_protobuf_bytes(&p).data;
    c.end = c.at + p.size;
    while (c.at < c.end)
        switch (read_field(&c, &body, &number)) {
        case 5:
            assert_int_equal(unzigzag(number), h.scale);
            break;
        case 7:
            zero = number;
            break;
        case 12:
            read_field(&body, &inner, &number);
            offsets[spans] = unzigzag(number);
            read_field(&body, &inner, &number);
            lengths[spans++] = (int64_t)number;
            break;
        case 13:
            for (uint32_t i = 0; i < spans; i++) {
                index += offsets[i];
                for (int64_t k = 0; k < lengths[i]; k++, index++) {
                    /* OpenTelemetry's index is one less. */
                    const int64_t at = index - 1 - h.offset;

                    count += unzigzag(read_varint(&body));
                    assert_true(at >= 0 && at < h.size);
                    assert_int_equal(count, h.counts[at]);
                    total += (uint64_t)count;
                }
            }
            assert_ptr_equal(body.at, body.end);
            break;
        default:
            break;
        }
    assert_int_equal(zero, 3);
    assert_int_equal(total + zero, h.count);
    exponential_clear(&h);
    lens_protobuf_clear(&p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_pages_escape_and_count),
        cmocka_unit_test(pages_of_nothing_are_pages),
        cmocka_unit_test(own_buckets_must_rise),
        cmocka_unit_test(accept_headers_are_weighed),
        cmocka_unit_test(snappy_frames_hold_the_data),
        cmocka_unit_test(remote_writes_carry_sorted_labels_and_times),
        cmocka_unit_test(what_a_server_refuses_is_explained),
        cmocka_unit_test(native_histograms_tell_all_counts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
