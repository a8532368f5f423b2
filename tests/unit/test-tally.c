#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "result.h"
#include "slo.h"

#define MS INT64_C(1000000)

/* A streamed request: due, started 1 ms and departed 2 ms later, output messages at the
 * given times (ms, ended by 0), done 5 ms after the last. */
static sample *
streamed(int64_t due_ms, const int *output_ms, int64_t tokens)
{
    sample *s = sample_new(1);
    attempt *a = &s->attempts[0];

    s->due_ns = due_ms * MS;
    s->outcome = LENS_OUTCOME_OK;
    s->phase = LENS_PART_MEASURED;
    a->streamed = true;
    a->start_ns = s->due_ns + 1 * MS;
    a->departure_ns = s->due_ns + 2 * MS;
    a->first_byte_ns = a->departure_ns + 3 * MS;
    a->rtt_ns = MS / 2;
    for (; *output_ms != 0; output_ms++) {
        const int64_t at = *output_ms * MS;

        timeline_add(&a->messages_log, at, LENS_MSG_TEXT, LENS_CLOCK_KERNEL, 1,
                     at == a->last_output_ns);
        if (a->output_messages++ == 0)
            a->first_output_ns = a->first_text_ns = at;
        else if (a->output_messages == 2)
            a->second_output_ns = at;
        a->last_output_ns = at;
        a->kernel_stamps++;
    }
    a->terminal_ns = a->end_ns =
        (a->last_output_ns != NEVER ? a->last_output_ns : a->departure_ns) + 5 * MS;
    a->usage[LENS_USAGE_INPUT] = 10;
    a->usage[LENS_USAGE_OUTPUT] = tokens;
    return s;
}

static sample *
failed(int64_t due_ms, uint32_t kind, uint32_t where, const char *detail)
{
    static const int none[] = { 0 };
    sample *s = streamed(due_ms, none, -1);

    s->outcome = LENS_OUTCOME_FAILED;
    s->attempts[0].usage[LENS_USAGE_INPUT] = -1;
    s->attempts[0].error_kind = kind;
    s->attempts[0].error_where = where;
    s->attempts[0].error_detail = g_strdup(detail);
    return s;
}

static void
add(tally *t, sample *s, const GPtrArray *slos)
{
    tally_add_sample(t, s, slos);
    sample_free(s);
}

static double
stat(const tally *t, enum metric m, const char *name)
{
    return tally_stat(t, m, name);
}

static void
assert_near(double value, double expected)
{
    if (!(fabs(value - expected) < 1e-9 * (1 + fabs(expected))))
        fail_msg("%.12g is not %.12g", value, expected);
}

/* One request, every formula by hand: due 100, departed 102, output at 200 220 220 260.
 */
static void
one_request_by_hand(void **state)
{
    static const int at[] = { 200, 220, 220, 260, 0 };
    static const struct {
        enum metric metric;
        double ms;
    } expected[] = {
        { METRIC_TTFT, 98 },
        { METRIC_TTFT_TEXT, 98 },
        { METRIC_TTFT_FROM_DUE, 100 },
        { METRIC_TTFT_TEXT_FROM_DUE, 100 },
        { METRIC_TTST, 20 },
        { METRIC_TPOT, 60.0 / 5 }, /* 6 tokens in 4 messages */
        { METRIC_E2E, 163 },
        { METRIC_E2E_FROM_DUE, 165 },
        { METRIC_TTFB, 3 },
        { METRIC_NETWORK, 0.5 },
        { METRIC_SERVER, 97.5 },
        { METRIC_START_LATE, 1 },
    };
    g_autoptr(tally) t = tally_new(NULL);

    (void)state;
    add(t, streamed(100, at, 6), NULL);
    for (unsigned i = 0; i < sizeof expected / sizeof *expected; i++) {
        assert_near(stat(t, expected[i].metric, "count"), 1);
        assert_near(stat(t, expected[i].metric, "max"), expected[i].ms);
    }
    assert_near(stat(t, METRIC_ITL, "count"), 3);
    assert_near(stat(t, METRIC_ITL, "mean"), 20);
    assert_near(stat(t, METRIC_ITL, "min"), 0);
    assert_near(stat(t, METRIC_ITL, "max"), 40);
    assert_near(stat(t, METRIC_ITL_TOKEN, "count"), 3);
    assert_near(stat(t, METRIC_REQUEST_RATE, "mean"), 36.809815);
    assert_int_equal(t->messages_output, 4);
    assert_int_equal(t->messages_shared, 1);
    assert_int_equal(t->stamps_kernel, 4);
    /* No connection was recorded, so none of its times is known. */
    assert_null(t->hist[METRIC_DNS]);
    assert_null(t->hist[METRIC_TLS]);
}

static void
a_whole_answer_has_no_first_token(void **state)
{
    static const int at[] = { 200, 0 };
    g_autoptr(tally) t = tally_new(NULL);
    sample *s = streamed(100, at, 6);

    (void)state;
    s->attempts[0].streamed = false;
    add(t, s, NULL);
    assert_int_equal(t->ok, 1);
    assert_null(t->hist[METRIC_TTFT]);
    assert_null(t->hist[METRIC_TTFT_FROM_DUE]);
    assert_null(t->hist[METRIC_TPOT]);
    assert_null(t->hist[METRIC_ITL]);
    assert_null(t->hist[METRIC_SERVER]);
    assert_near(stat(t, METRIC_E2E, "mean"), 103);
    assert_false(t->deltas_missing);
}

static void
pace_needs_two_known_tokens(void **state)
{
    static const int at[] = { 200, 220, 0 };
    static const int64_t tokens[] = { -1, 0, 1 };

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        g_autoptr(tally) t = tally_new(NULL);

        add(t, streamed(100, at, tokens[i]), NULL);
        assert_null(t->hist[METRIC_TPOT]);
        assert_int_equal(t->tokens_unknown, tokens[i] < 0);
    }
}

static void
gaps_per_token_need_the_tokens(void **state)
{
    static const int at[] = { 200, 0 };
    g_autoptr(tally) t = tally_new(NULL);
    sample *s = streamed(100, at, 6);
    timeline *log = &s->attempts[0].messages_log;

    (void)state;
    timeline_add(log, 230 * MS, LENS_MSG_TEXT, 1, 3, false);
    timeline_add(log, 231 * MS, LENS_MSG_PING, 1, -1, false); /* no output */
    timeline_add(log, 250 * MS, LENS_MSG_REASONING, 1, -1, false);
    add(t, s, NULL);
    assert_near(stat(t, METRIC_ITL, "count"), 2);
    assert_near(stat(t, METRIC_ITL, "min"), 20);
    assert_near(stat(t, METRIC_ITL, "max"), 30);
    assert_near(stat(t, METRIC_ITL_TOKEN, "count"), 1);
    assert_near(stat(t, METRIC_ITL_TOKEN, "mean"), 10);
}

static void
a_dropped_log_is_told(void **state)
{
    static const int at[] = { 200, 220, 0 };
    g_autoptr(tally) t = tally_new(NULL);
    sample *s = streamed(100, at, 2);

    (void)state;
    timeline_clear(&s->attempts[0].messages_log);
    add(t, s, NULL);
    assert_true(t->deltas_missing);
    assert_null(t->hist[METRIC_ITL]);
    assert_near(stat(t, METRIC_TPOT, "mean"), 20);
}

static void
new_connections_have_steps(void **state)
{
    static const int at[] = { 200, 0 };

    (void)state;
    for (int reused = 0; reused < 2; reused++) {
        g_autoptr(tally) t = tally_new(NULL);
        sample *s = streamed(100, at, 2);
        attempt *a = &s->attempts[0];

        a->reused = reused;
        a->dns_ns = a->start_ns + 1 * MS;
        a->connect_ns = a->start_ns + 3 * MS;
        a->tls_ns = a->start_ns + 7 * MS;
        add(t, s, NULL);
        assert_int_equal(t->reused, reused);
        assert_int_equal(t->attempts, 1);
        if (reused) {
            assert_null(t->hist[METRIC_CONNECT]);
            continue;
        }
        assert_near(stat(t, METRIC_DNS, "mean"), 1);
        assert_near(stat(t, METRIC_CONNECT, "mean"), 2);
        assert_near(stat(t, METRIC_TLS, "mean"), 4);
    }
}

/* Latency is the last try's, from due spans all; tokens of both were used. */
static void
retries_count_apart(void **state)
{
    static const int at[] = { 500, 520, 0 };
    g_autoptr(tally) t = tally_new(NULL);
    sample *s = streamed(100, at, 2);
    attempt *a = sample_add_attempt(s);

    (void)state;
    *a = s->attempts[0];
    memset(&s->attempts[0].messages_log, 0, sizeof(timeline));
    s->attempts[0].error_kind = LENS_KIND_SERVER;
    s->attempts[0].error_where = WHERE_HTTP;
    a->start_ns = 301 * MS;
    a->departure_ns = 302 * MS;
    add(t, s, NULL);
    assert_int_equal(t->total, 1);
    assert_int_equal(t->ok, 1);
    assert_int_equal(t->failed, 0);
    assert_int_equal(t->retries, 1);
    assert_int_equal(t->errors[LENS_KIND_SERVER].count, 0);
    assert_near(stat(t, METRIC_TTFT, "mean"), 198);
    assert_near(stat(t, METRIC_TTFT_FROM_DUE, "mean"), 400);
    assert_near(stat(t, METRIC_START_LATE, "mean"), 1);
    assert_int_equal(t->tokens[LENS_USAGE_OUTPUT], 4);
}

static void
a_wait_for_the_rate_limit_is_not_late(void **state)
{
    static const int at[] = { 500, 0 };
    g_autoptr(tally) t = tally_new(NULL);
    sample *s = streamed(100, at, 2);

    (void)state;
    s->attempts[0].start_ns = 153 * MS;
    s->bucket_wait_ns = 50 * MS;
    add(t, s, NULL);
    assert_near(stat(t, METRIC_START_LATE, "mean"), 3);
    assert_near(stat(t, METRIC_TTFT_FROM_DUE, "mean"), 400);
}

static void
only_measured_and_ok_have_latency(void **state)
{
    static const int at[] = { 200, 220, 0 };
    g_autoptr(tally) t = tally_new(NULL);
    static const struct {
        uint32_t phase, outcome;
    } others[] = {
        { LENS_PART_WARMUP, LENS_OUTCOME_OK },
        { LENS_PART_COOLDOWN, LENS_OUTCOME_OK },
        { LENS_PART_MEASURED, LENS_OUTCOME_CANCEL },
        { LENS_PART_MEASURED, LENS_OUTCOME_CENSOR },
        { LENS_PART_MEASURED, LENS_OUTCOME_FAILED },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof others / sizeof *others; i++) {
        sample *s = streamed(100, at, 2);

        s->phase = others[i].phase;
        s->outcome = others[i].outcome;
        s->attempts[0].error_kind =
            others[i].outcome == LENS_OUTCOME_FAILED ? LENS_KIND_TRUNCATED : 0;
        add(t, s, NULL);
    }
    assert_int_equal(t->total, 3);
    assert_int_equal(t->failed, 1);
    assert_int_equal(t->cancelled, 1);
    assert_int_equal(t->censored, 1);
    assert_int_equal(t->ok, 0);
    assert_int_equal(t->warmup, 1);
    assert_int_equal(t->cooldown, 1);
    for (unsigned m = 0; m < METRIC_LATENCIES; m++)
        assert_null(t->hist[m]);
    /* What they used was used all the same. */
    assert_int_equal(t->tokens[LENS_USAGE_OUTPUT], 6);
}

static void
errors_are_kept_by_kind(void **state)
{
    g_autoptr(tally) t = tally_new(NULL);
    g_autofree char *page = g_strnfill(2000, 'x');
    const struct error_tally *e;

    (void)state;
    add(t, failed(1, LENS_KIND_RATE_LIMIT, WHERE_HTTP, "429 slow down"), NULL);
    add(t, failed(2, LENS_KIND_RATE_LIMIT, WHERE_HTTP, "429 again"), NULL);
    add(t, failed(3, LENS_KIND_SERVER, WHERE_HTTP, page), NULL);
    add(t, failed(4, LENS_KIND_TIMEOUT, WHERE_CLIENT, "first"), NULL);
    e = t->errors;
    assert_int_equal(e[LENS_KIND_RATE_LIMIT].count, 2);
    assert_string_equal(e[LENS_KIND_RATE_LIMIT].example, "429 slow down");
    assert_int_equal(e[LENS_KIND_RATE_LIMIT].where, WHERE_HTTP);
    assert_true(strlen(e[LENS_KIND_SERVER].example) < 250);
    assert_int_equal(t->failed, 4);
    /* The server refused three; only the one that hung may have used tokens. */
    assert_int_equal(t->tokens_unknown, 1);
    assert_false(t->tokens_known[LENS_USAGE_OUTPUT]);
}

static void
nothing_said_is_ok_and_counted(void **state)
{
    static const int none[] = { 0 };
    g_autoptr(tally) t = tally_new(NULL);

    (void)state;
    add(t, streamed(100, none, 0), NULL);
    assert_int_equal(t->ok, 1);
    assert_int_equal(t->no_output, 1);
    assert_null(t->hist[METRIC_TTFT]);
    assert_int_equal(t->tokens_unknown, 0);
}

static void
partial_usage_is_not_a_count(void **state)
{
    static const int at[] = { 200, 220, 0 };
    g_autoptr(tally) t = tally_new(NULL);
    sample *s = streamed(100, at, 1);

    (void)state;
    s->attempts[0].usage_partial = true;
    s->outcome = LENS_OUTCOME_FAILED;
    add(t, s, NULL);
    assert_int_equal(t->tokens_unknown, 1);
    assert_false(t->tokens_known[LENS_USAGE_OUTPUT]);
    assert_int_equal(t->tokens[LENS_USAGE_INPUT], 10);
}

/* Window 1 s to 2 s. Output at 900 1100 1900 2100: half of 8 tokens inside. */
static void
tokens_are_split_at_the_window(void **state)
{
    static const int across[] = { 900, 1100, 1900, 2100, 0 };
    static const int inside[] = { 1100, 1200, 0 };
    static const int before[] = { 100, 200, 0 };
    const uint32_t phases[] = { LENS_PART_WARMUP, LENS_PART_MEASURED,
                                LENS_PART_COOLDOWN };

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        result *r = result_new(NULL);
        sample *s = streamed(0, across, 8);

        r->tally->window_start_ns = 1000 * MS;
        r->tally->window_end_ns = 2000 * MS;
        s->phase = phases[i];
        add(r->tally, s, NULL);
        add(r->tally, streamed(1000, inside, 5), NULL);
        add(r->tally, streamed(0, before, 50), NULL);
        assert_near(result_window_s(r), 1);
        assert_near(result_value(r, "output_tokens_per_s", NULL), 9);
        assert_near(result_value(r, "input_tokens_per_s", NULL), 15);
        assert_near(result_value(r, "requests_per_s", NULL), 1);
        result_free(r);
    }
}

/* Without a log the output is taken as even: 900 to 2100 ms, 1000 of 1200 inside. */
static void
tokens_are_split_by_time_without_a_log(void **state)
{
    static const int across[] = { 900, 1100, 1900, 2100, 0 };
    g_autoptr(tally) t = tally_new(NULL);
    sample *s = streamed(0, across, 12);

    (void)state;
    t->window_start_ns = 1000 * MS;
    t->window_end_ns = 2000 * MS;
    timeline_clear(&s->attempts[0].messages_log);
    add(t, s, NULL);
    assert_near(t->window_output_tokens, 10);
}

static void
throughput_of_unknown_tokens_is_unknown(void **state)
{
    static const int at[] = { 200, 300, 0 };
    result *r = result_new(NULL);
    sample *s = streamed(100, at, -1);

    (void)state;
    s->attempts[0].usage[LENS_USAGE_INPUT] = -1;
    add(r->tally, s, NULL);
    assert_true(isnan(result_value(r, "output_tokens_per_s", NULL)));
    assert_near(result_value(r, "requests_per_s", NULL), 1 / 0.305);
    result_free(r);
}

static GPtrArray *
conditions(const char *first, const char *second)
{
    GPtrArray *slos = g_ptr_array_new_with_free_func((GDestroyNotify)slo_free);

    g_ptr_array_add(slos, slo_parse(first, NULL));
    if (second != NULL)
        g_ptr_array_add(slos, slo_parse(second, NULL));
    return slos;
}

/* TTFT 98 ms, gaps 20 and 40 ms; two failures; a cancelled one is not judged. */
static void
goodput_is_the_conjunction(void **state)
{
    static const int at[] = { 200, 220, 260, 0 };
    static const struct {
        const char *first, *second;
        double ratio;
    } cases[] = {
        { "ttft<98.1ms", "itl<=40ms", 0.25 },
        { "ttft<98ms", NULL, 0 },
        { "itl<40ms", NULL, 0 },
        { "itl>=20ms", "tpot<31ms", 0.25 },
        { "tls<1s", NULL, 0 },              /* unknown is not met */
        { "errors<1%", "ttft<1s", 0.25 },   /* the first judges results */
        { "errors<1%", "ttft.p50<1", NAN }, /* no condition on requests */
    };

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        g_autoptr(GPtrArray) slos = conditions(cases[i].first, cases[i].second);
        result *r = result_new(slos);
        sample *cancelled = streamed(100, at, 3), *censored = streamed(100, at, 3);

        add(r->tally, streamed(100, at, 3), slos);
        add(r->tally, failed(1, LENS_KIND_SERVER, WHERE_HTTP, "x"), slos);
        add(r->tally, failed(1, LENS_KIND_SERVER, WHERE_HTTP, "x"), slos);
        cancelled->outcome = LENS_OUTCOME_CANCEL;
        censored->outcome = LENS_OUTCOME_CENSOR;
        add(r->tally, cancelled, slos);
        add(r->tally, censored, slos);
        if (isnan(cases[i].ratio))
            assert_true(isnan(result_value(r, "goodput", NULL)));
        else
            assert_near(result_value(r, "goodput", NULL), cases[i].ratio);
        assert_near(result_value(r, "errors", NULL), 3.0 / 5);
        result_free(r);
    }
}

static client_report *
report_of(uint32_t worker, int64_t cpu_ms, int64_t wall_ms)
{
    client_report *c = client_report_new();

    c->worker = worker;
    c->measured = true;
    c->cpu_ns = cpu_ms * MS;
    c->wall_ns = wall_ms * MS;
    c->in_flight_time = 2;
    c->in_flight_max = 3 + worker;
    c->stall_ns = worker * MS;
    histogram_record(c->lag_kernel, (1 + worker) * 1000);
    histogram_record(c->lag_user, 500000);
    c->lost = 1;
    return c;
}

static void
the_busiest_worker_counts(void **state)
{
    g_autoptr(tally) t = tally_new(NULL);
    client_report *reports[] = { report_of(0, 100, 1000), report_of(1, 900, 1000),
                                 report_of(0, 300, 1000), report_of(1, 700, 1000),
                                 report_of(2, 9, 10) };

    (void)state;
    reports[4]->measured = false;
    for (unsigned i = 0; i < 5; i++) {
        tally_add_client(t, reports[i]);
        client_report_free(reports[i]);
    }
    assert_int_equal(t->cpu_ns_max_share_ppm, 800000);
    assert_int_equal(t->cpu_ns, 2000 * MS);
    assert_int_equal(t->in_flight_wall_ns, 2000 * MS);
    assert_int_equal(t->in_flight_max, 4);
    assert_int_equal(t->stall_ns, MS);
    assert_int_equal(t->lost, 5); /* whenever it was */
    assert_int_equal(histogram_count(t->lag_kernel), 4);
    assert_int_equal(histogram_count(t->lag_user), 4);
    assert_near(stat(t, METRIC_LAG, "count"), 8);
    assert_true(t->max_rss_bytes > 0);
}

/* Two slots, each request 100 ms, the last due at 200 ms; then the loop runs empty. */
static void
concurrency_ends_with_the_last_due(void **state)
{
    g_autoptr(tally) t = tally_new(NULL);

    (void)state;
    for (int i = 4; i >= 0; i--) { /* in whatever order */
        const int at[] = { i / 2 * 100 + 95, 0 };
        sample *s = streamed(i / 2 * 100, at, 1);

        s->attempts[0].start_ns = s->due_ns;
        s->attempts[0].end_ns = s->due_ns + 100 * MS;
        add(t, s, NULL);
    }
    assert_true(fabs(tally_concurrency(t) - 2) < 0.3); /* with the turnaround */
}

static void
an_idle_slot_is_seen(void **state)
{
    g_autoptr(tally) t = tally_new(NULL);

    (void)state;
    for (int i = 0; i <= 1000; i++) { /* 50 ms of work, 50 ms of nothing */
        const int at[] = { i * 100 + 45, 0 };
        sample *s = streamed(i * 100, at, 1);

        s->attempts[0].start_ns = s->due_ns;
        s->attempts[0].end_ns = s->due_ns + 50 * MS;
        add(t, s, NULL);
    }
    assert_true(fabs(tally_concurrency(t) - 0.6) < 1e-3);
}

static sample *
random_sample(unsigned *seed)
{
    const int64_t due = rand_r(seed) % 5000;
    int at[20] = { 0 };
    sample *s;

    for (int i = 0, now = (int)due + 10; i < rand_r(seed) % 19; i++)
        at[i] = now += rand_r(seed) % 50;
    s = streamed(due, at, rand_r(seed) % 30 - 1);
    s->outcome = 1 + (uint32_t)rand_r(seed) % 4;
    s->phase = 1 + (uint32_t)rand_r(seed) % 3;
    s->attempts[0].error_kind = (uint32_t)rand_r(seed) % ERROR_KINDS;
    return s;
}

static void
assert_same(const tally *a, const tally *b)
{
    for (unsigned m = 0; m < METRIC_COUNT; m++) {
        static const char *const stats[] = { "count", "min", "mean", "stddev",
                                             "p50",   "p95", "max" };

        for (unsigned i = 0; i < 7; i++) {
            const double x = stat(a, (enum metric)m, stats[i]);
            const double y = stat(b, (enum metric)m, stats[i]);

            assert_true(x == y || (isnan(x) && isnan(y)));
        }
    }
    assert_int_equal(a->total, b->total);
    assert_int_equal(a->ok, b->ok);
    assert_int_equal(a->warmup, b->warmup);
    assert_int_equal(a->judged, b->judged);
    assert_int_equal(a->good, b->good);
    assert_int_equal(a->tokens[LENS_USAGE_OUTPUT], b->tokens[LENS_USAGE_OUTPUT]);
    assert_int_equal(a->tokens_unknown, b->tokens_unknown);
    assert_int_equal(a->last_end_ns, b->last_end_ns);
    assert_int_equal(a->first_due_ns, b->first_due_ns);
    assert_int_equal(a->messages_shared, b->messages_shared);
    assert_near(a->window_output_tokens, b->window_output_tokens);
    assert_near(tally_concurrency(a), tally_concurrency(b));
    for (unsigned i = 0; i < ERROR_KINDS; i++)
        assert_int_equal(a->errors[i].count, b->errors[i].count);
}

static void
parts_add_up_to_the_whole(void **state)
{
    g_autoptr(GPtrArray) slos = conditions("ttft<30ms", "itl<40ms");
    g_autoptr(tally) whole = tally_new(slos), sum = tally_new(slos),
                     part = tally_new(slos);
    unsigned seed = 9, again = 9;

    (void)state;
    whole->window_start_ns = sum->window_start_ns = 1000 * MS;
    whole->window_end_ns = sum->window_end_ns = 4000 * MS;
    for (int i = 0; i < 2000; i++)
        add(whole, random_sample(&seed), slos);
    for (int i = 0; i < 2000; i++) {
        if (i % 300 == 0) {
            tally_add(sum, part);
            tally_reset(part);
            part->window_start_ns = 1000 * MS;
            part->window_end_ns = 4000 * MS;
        }
        add(part, random_sample(&again), slos);
    }
    tally_add(sum, part);
    assert_same(sum, whole);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_request_by_hand),
        cmocka_unit_test(a_whole_answer_has_no_first_token),
        cmocka_unit_test(pace_needs_two_known_tokens),
        cmocka_unit_test(gaps_per_token_need_the_tokens),
        cmocka_unit_test(a_dropped_log_is_told),
        cmocka_unit_test(new_connections_have_steps),
        cmocka_unit_test(retries_count_apart),
        cmocka_unit_test(a_wait_for_the_rate_limit_is_not_late),
        cmocka_unit_test(only_measured_and_ok_have_latency),
        cmocka_unit_test(errors_are_kept_by_kind),
        cmocka_unit_test(nothing_said_is_ok_and_counted),
        cmocka_unit_test(partial_usage_is_not_a_count),
        cmocka_unit_test(tokens_are_split_at_the_window),
        cmocka_unit_test(tokens_are_split_by_time_without_a_log),
        cmocka_unit_test(throughput_of_unknown_tokens_is_unknown),
        cmocka_unit_test(goodput_is_the_conjunction),
        cmocka_unit_test(the_busiest_worker_counts),
        cmocka_unit_test(concurrency_ends_with_the_last_due),
        cmocka_unit_test(an_idle_slot_is_seen),
        cmocka_unit_test(parts_add_up_to_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
