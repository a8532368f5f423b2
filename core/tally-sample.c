/* A sample's part in a tally: which of its numbers count for what. */
#include <math.h>

#include "measure.h"
#include "slo.h"
#include "tally.h"

/* An example is for people; a server may answer with a page. */
#define EXAMPLE_MAX 240

static void
record(tally *t, enum metric m, int64_t value)
{
    if (value == NEVER)
        return;
    if (t->hist[m] == NULL)
        t->hist[m] = histogram_new();
    histogram_record(t->hist[m], value);
}

/* ---- the window: whoever started them ---- */

static void
add_to_window(tally *t, const sample *s)
{
    const attempt *last = sample_last(s);
    const int64_t end = last->terminal_ns != NEVER ? last->terminal_ns : last->end_ns;

    t->last_end_ns = MAX(t->last_end_ns, MAX(end, last->end_ns));
    if (s->outcome == LENS_OUTCOME_OK && end >= t->window_start_ns &&
        end <= t->window_end_ns)
        t->window_requests += 1;

    for (uint32_t i = 0; i < s->attempt_count; i++) {
        const attempt *a = &s->attempts[i];
        const int64_t input = a->usage[LENS_USAGE_INPUT];
        const int64_t output = a->usage_partial ? -1 : a->usage[LENS_USAGE_OUTPUT];
        double share;

        if (input < 0 && output < 0)
            continue;
        share = measure_share(a, t->window_start_ns, t->window_end_ns);
        t->window_tokens_known = true;
        t->window_input_tokens += input > 0 ? share * (double)input : 0;
        t->window_output_tokens += output > 0 ? share * (double)output : 0;
    }
}

/* ---- counts ---- */

static void
add_error(tally *t, const sample *s)
{
    const attempt *a = sample_last(s);
    const int64_t duration = measure_metric(s, METRIC_DURATION);
    const uint32_t kind = a->error_kind > 0 && a->error_kind < ERROR_KINDS
                              ? a->error_kind
                              : (uint32_t)LENS_KIND_PROTOCOL;
    struct error_tally *e = &t->errors[kind];

    if (e->count++ == 0)
        e->where = a->error_where;
    if (duration != NEVER) {
        if (e->duration == NULL)
            e->duration = histogram_new();
        histogram_record(e->duration, duration);
    }
    if (e->example != NULL)
        return;
    if (a->error_detail != NULL && *a->error_detail != '\0') {
        g_autofree char *text = g_utf8_make_valid(a->error_detail, -1);
        const char *end = text;

        while (*end != '\0' && g_utf8_next_char(end) - text <= EXAMPLE_MAX)
            end = g_utf8_next_char(end);
        e->example =
            g_strdup_printf("%.*s%s", (int)(end - text), text, *end != '\0' ? "..." : "");
    } else if (a->error_code != NULL && *a->error_code != '\0') {
        e->example = g_utf8_make_valid(a->error_code, -1);
    } else if (a->http_status > 0) {
        e->example = g_strdup_printf("HTTP status %d", a->http_status);
    }
}

static void
add_outcome(tally *t, const sample *s)
{
    t->total++;
    t->retries += s->attempt_count - 1;
    switch (s->outcome) {
    case LENS_OUTCOME_OK:
        t->ok++;
        if (sample_last(s)->output_messages == 0)
            t->no_output++;
        break;
    case LENS_OUTCOME_CANCEL:
        t->cancelled++;
        break;
    case LENS_OUTCOME_CENSOR:
        t->censored++;
        break;
    default:
        t->failed++;
        add_error(t, s);
    }
}

static void
add_times(tally *t, const sample *s)
{
    const int64_t start = s->attempts[0].start_ns;

    if (s->due_ns != NEVER) {
        t->due_in_window++;
        t->last_due_ns = MAX(t->last_due_ns, s->due_ns);
        if (t->first_due_ns == NEVER || s->due_ns < t->first_due_ns)
            t->first_due_ns = s->due_ns;
    }
    if (start != NEVER) {
        t->last_start_ns = MAX(t->last_start_ns, start);
        if (t->first_start_ns == NEVER || start < t->first_start_ns)
            t->first_start_ns = start;
    }
    record(t, METRIC_START_LATE, measure_metric(s, METRIC_START_LATE));
}

static void
add_tokens(tally *t, const sample *s)
{
    bool unknown = false;

    for (uint32_t i = 0; i < s->attempt_count; i++) {
        const attempt *a = &s->attempts[i];

        for (unsigned u = 1; u < LENS_USAGE_COUNT; u++) {
            if (a->usage[u] < 0 || (a->usage_partial && (u == LENS_USAGE_OUTPUT ||
                                                         u == LENS_USAGE_REASONING)))
                continue;
            t->tokens[u] += a->usage[u];
            t->tokens_known[u] = true;
        }
        if (a->usage_partial || a->usage[LENS_USAGE_INPUT] < 0 ||
            a->usage[LENS_USAGE_OUTPUT] < 0)
            unknown |= sample_used_tokens(s, a);
    }
    if (unknown)
        t->tokens_unknown++;
}

/* ---- costs ---- */

static void
add_reported(tally *t, const sample *s)
{
    for (uint32_t i = 0; i < s->attempt_count; i++) {
        const double usd = s->attempts[i].cost_reported_usd;

        if (isnan(usd) || fabs(usd) > 9e6)
            continue;
        t->reported_count++;
        t->cost_reported += llround(usd * 1e12);
    }
}

static void
add_cost(tally *t, const sample *s)
{
    add_reported(t, s);
    if (s->cost_total < 0) {
        t->cost_unknown++;
        return;
    }
    t->cost_known++;
    t->cost_total = saturating_add(t->cost_total, s->cost_total);
    t->cache_saving = saturating_add(t->cache_saving, s->cache_saving);
    for (unsigned i = 0; i < LENS_COST_COUNT; i++)
        t->cost[i] = saturating_add(t->cost[i], s->cost[i]);
    for (uint32_t i = 0; i < s->attempt_count; i++)
        t->cost_output_tokens = saturating_add(
            t->cost_output_tokens, MAX(s->attempts[i].usage[LENS_USAGE_OUTPUT], 0));
}

/* Money spent outside of the window is money, too. */
static void
add_other_cost(tally *t, const sample *s)
{
    if (s->cost_total > 0)
        t->cost_other = saturating_add(t->cost_other, s->cost_total);
}

/* ---- stamps and connections ---- */

static void
add_stamps(tally *t, const attempt *a)
{
    gap_reader r;
    struct gap g;
    uint64_t shared = 0;

    if (!a->streamed)
        return;
    t->stamps_kernel += a->kernel_stamps;
    t->stamps_user += a->user_stamps;
    t->stamps_interval += a->interval_stamps;
    if (a->interval_stamps > 0 || a->first_clock == LENS_CLOCK_INTERVAL)
        t->merged_samples++;
    t->messages_output += a->output_messages;
    if (a->messages_log.size == 0) {
        t->messages_shared += MIN(a->shared_messages, a->output_messages);
        return;
    }
    gap_read(&r, a);
    while (gap_next(&r, &g))
        shared += g.ns == 0;
    t->messages_shared += shared;
}

static void
add_connections(tally *t, const sample *s)
{
    for (uint32_t i = 0; i < s->attempt_count; i++) {
        const attempt *a = &s->attempts[i];

        if (a->reused || a->connect_ns != NEVER || a->departure_ns != NEVER) {
            t->attempts++;
            t->reused += a->reused;
        }
    }
}

/* ---- latency: measured and ok ---- */

static void
add_gaps(tally *t, const attempt *a)
{
    gap_reader r;
    struct gap g;

    if (!a->streamed)
        return;
    if (!measure_has_gaps(a)) {
        t->deltas_missing = true;
        return;
    }
    gap_read(&r, a);
    while (gap_next(&r, &g)) {
        record(t, METRIC_ITL, g.ns);
        if (g.tokens > 0)
            record(t, METRIC_ITL_TOKEN, g.tokens == 1 ? g.ns : g.ns / g.tokens);
    }
}

static void
add_latency(tally *t, const sample *s)
{
    for (unsigned m = 0; m < METRIC_LATENCIES; m++)
        record(t, (enum metric)m, measure_metric(s, (enum metric)m));
    for (unsigned m = METRIC_FIRST_CHUNK; m < METRIC_COUNT; m++)
        record(t, (enum metric)m, measure_metric(s, (enum metric)m));
    add_gaps(t, sample_last(s));
}

static void
add_goodput(tally *t, const sample *s, const GPtrArray *slos)
{
    bool asked = false, good = s->outcome == LENS_OUTCOME_OK;

    if (slos == NULL || s->outcome == LENS_OUTCOME_CANCEL)
        return;
    for (guint i = 0; i < slos->len; i++) {
        const slo *condition = slos->pdata[i];

        if (!condition->per_request)
            continue;
        asked = true;
        good = good && measure_meets(s, condition);
    }
    t->judged += asked;
    t->good += asked && good;
}

void
tally_add_sample(tally *t, const sample *s, const GPtrArray *slos)
{
    if (s->attempt_count == 0)
        return;
    add_to_window(t, s);
    tally_add_flight(t, s->due_ns, sample_last(s)->end_ns);
    if (s->phase == LENS_PART_WARMUP) {
        t->warmup++;
        add_other_cost(t, s);
        return;
    }
    if (s->phase == LENS_PART_COOLDOWN) {
        t->cooldown++;
        add_other_cost(t, s);
        return;
    }
    add_outcome(t, s);
    add_times(t, s);
    add_tokens(t, s);
    add_cost(t, s);
    add_stamps(t, sample_last(s));
    add_connections(t, s);
    add_goodput(t, s, slos);
    if (s->outcome == LENS_OUTCOME_OK)
        add_latency(t, s);
}
