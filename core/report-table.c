#include "report-table.h"

#include <math.h>
#include <string.h>

#define NAME_WIDTH 15
#define UNIT_WIDTH 5
#define CELL_WIDTH 8

static const char *const columns[] = {
    "mean", "p50", "p90", "p95", "p99", "p99_9", "max"
};
#define COLUMNS G_N_ELEMENTS(columns)

/* ---- latencies ---- */

struct scale {
    const char *unit;
    double factor;
    int decimals;
};

/* One unit and one precision for a row, so that its numbers can be compared at a glance.
 */
static struct scale
scale_of(enum metric m, double max)
{
    if (strcmp(metric_get(m)->unit, "ms") != 0)
        return (struct scale){ metric_get(m)->unit, 1, max < 100 ? 2 : 1 };
    if (max < 1)
        return (struct scale){ "us", 1e3, max < 0.1 ? 1 : 0 };
    if (max < 10000)
        return (struct scale){ "ms", 1, max < 100 ? 3 : max < 1000 ? 2 : 1 };
    return (struct scale){ "s", 1e-3, max < 1e6 ? 3 : 1 };
}

/* Gives whether a percentile had too few samples. */
static bool
print_row(const paper *p, const tally *t, enum metric m, const char *name)
{
    const struct scale scale = scale_of(m, tally_stat(t, m, "max"));
    bool too_few = false;

    fprintf(p->out, "%-*s", NAME_WIDTH, name);
    paper_ink(p, INK_DIM, scale.unit);
    fprintf(p->out, "%*s", UNIT_WIDTH - (int)strlen(scale.unit), "");
    for (unsigned i = 0; i < COLUMNS; i++) {
        const double value = tally_stat(t, m, columns[i]);

        if (isnan(value)) {
            g_autofree char *cell = g_strdup_printf("%*s", CELL_WIDTH, "n/a");

            paper_ink(p, INK_DIM, cell);
            too_few = true;
        } else {
            fprintf(p->out, "%*.*f", CELL_WIDTH, scale.decimals, value * scale.factor);
        }
    }
    fputc('\n', p->out);
    return too_few;
}

static bool
known(const tally *t, enum metric m)
{
    return t->hist[m] != NULL && histogram_count(t->hist[m]) > 0;
}

/* A second view of the same thing is worth a row only where it tells something new. */
static bool
differs(const tally *t, enum metric m, enum metric from)
{
    return known(t, m) &&
           (!known(t, from) ||
            histogram_count(t->hist[m]) != histogram_count(t->hist[from]) ||
            histogram_sum(t->hist[m]) != histogram_sum(t->hist[from]));
}

static void
print_head(const paper *p)
{
    g_autoptr(GString) head = g_string_new(NULL);

    g_string_append_printf(head, "%-*s", NAME_WIDTH + UNIT_WIDTH, "");
    for (unsigned i = 0; i < COLUMNS; i++)
        g_string_append_printf(head, "%*s", CELL_WIDTH,
                               strcmp(columns[i], "p99_9") == 0 ? "p99.9" : columns[i]);
    g_string_append_c(head, '\n');
    paper_ink(p, INK_DIM, head->str);
}

static void
print_needs(const paper *p, const tally *t, const enum metric *shown, unsigned count)
{
    g_autoptr(GString) text = g_string_new("n/a: too few samples");

    for (unsigned i = 0; i < METRIC_PERCENTILES; i++) {
        const struct metric_percentile *q = &metric_percentiles[i];
        bool missing = false;

        for (unsigned k = 0; k < count && strcmp(q->id, "p75") != 0; k++)
            missing |= isnan(tally_stat(t, shown[k], q->id));
        if (missing)
            g_string_append_printf(text, ", %s needs %" G_GUINT64_FORMAT,
                                   strcmp(q->id, "p99_9") == 0 ? "p99.9" : q->id,
                                   histogram_needs(q->q));
    }
    paper_wrapped(p, 0, text->str);
}

void
report_latencies(const paper *p, const result *r)
{
    const tally *t = r->tally;
    const bool open = r->judge.open_loop;
    const struct {
        enum metric metric;
        const char *name;
        bool shown;
    } rows[] = {
        { METRIC_TTFT, "ttft", known(t, METRIC_TTFT) },
        { METRIC_TTFT_TEXT, "ttft_text", differs(t, METRIC_TTFT_TEXT, METRIC_TTFT) },
        { METRIC_TTFT_FROM_DUE, "ttft_from_due", open && known(t, METRIC_TTFT_FROM_DUE) },
        { METRIC_ITL, "itl", known(t, METRIC_ITL) },
        { METRIC_ITL_TOKEN, "itl_token", differs(t, METRIC_ITL_TOKEN, METRIC_ITL) },
        { METRIC_TPOT, "tpot", known(t, METRIC_TPOT) },
        { METRIC_E2E, "e2e", known(t, METRIC_E2E) },
        { METRIC_E2E_FROM_DUE, "e2e_from_due", open && known(t, METRIC_E2E_FROM_DUE) },
        { METRIC_REQUEST_RATE, "output/request", known(t, METRIC_REQUEST_RATE) },
    };
    enum metric shown[G_N_ELEMENTS(rows)];
    unsigned count = 0;
    bool too_few = false;

    if (t->ok == 0)
        return;
    fputc('\n', p->out);
    print_head(p);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        if (!rows[i].shown)
            continue;
        shown[count++] = rows[i].metric;
        too_few |= print_row(p, t, rows[i].metric, rows[i].name);
    }
    if (too_few)
        print_needs(p, t, shown, count);
    if (t->deltas_missing && !known(t, METRIC_ITL))
        paper_ink(p, INK_DIM, "itl is not known: the arrivals were not kept\n");
}

/* ---- results side by side ---- */

enum ink
report_ink(const verdict *v)
{
    if (v == NULL || v->state == VERDICT_VALID)
        return INK_GOOD;
    return v->state == VERDICT_SUSPECT ? INK_WARN : INK_BAD;
}

/* Dollars in `width` columns. */
static char *
cost_cell(const struct cost_view *v, int width)
{
    const double usd = (double)v->total / 1e12;

    if (!v->known)
        return g_strdup_printf("%*s", width, "n/a");
    if (v->total == 0 || usd >= 0.0001)
        return g_strdup_printf("%*.*f", width,
                               usd >= 100      ? 2
                               : v->total == 0 ? 0
                               : usd >= 0.01   ? 4
                                               : 6,
                               usd);
    return g_strdup_printf("%*.1e", width, usd);
}

/* The same with what it has cost, the names shorter. */
static void
print_priced_line(const paper *p, const result *r)
{
    const tally *t = r->tally;
    const struct cost_view cost = cost_of_result(r);
    g_autofree char *target = paper_cut(r->target_name, 12);
    g_autofree char *stage = paper_cut(r->stage_name, 8);
    g_autofree char *ok = paper_count(t->ok);
    g_autofree char *failed = paper_count(t->failed);
    g_autofree char *tokens = paper_amount(result_value(r, "output_tokens_per_s", NULL));
    g_autofree char *ttft = paper_ms(tally_stat(t, METRIC_TTFT, "p50"));
    g_autofree char *tail = paper_ms(tally_stat(t, METRIC_TTFT, "p99"));
    g_autofree char *usd = cost_cell(&cost, 9);
    g_autofree char *verdict_cell =
        g_strdup_printf("%8s", verdict_name(r->verdict != NULL ? r->verdict->state : 0));

    fprintf(p->out, "%-12s %-8s%7s%7s%8s%10s%10s%9s", target, stage, ok, failed, tokens,
            ttft, tail, usd);
    paper_ink(p, report_ink(r->verdict), verdict_cell);
    fputc('\n', p->out);
}

static void
print_result_line(const paper *p, const result *r)
{
    const tally *t = r->tally;
    g_autofree char *target = paper_cut(r->target_name, 14);
    g_autofree char *stage = paper_cut(r->stage_name, 10);
    g_autofree char *ok = paper_count(t->ok);
    g_autofree char *failed = paper_count(t->failed);
    g_autofree char *rate = paper_amount(result_value(r, "requests_per_s", NULL));
    g_autofree char *tokens = paper_amount(result_value(r, "output_tokens_per_s", NULL));
    g_autofree char *ttft = paper_ms(tally_stat(t, METRIC_TTFT, "p50"));
    g_autofree char *tail = paper_ms(tally_stat(t, METRIC_TTFT, "p99"));
    const char *state = verdict_name(r->verdict != NULL ? r->verdict->state : 0);
    g_autofree char *verdict_cell = g_strdup_printf("%8s", state);

    fprintf(p->out, "%-14s %-10s%7s%7s%7s%8s%9s%9s", target, stage, ok, failed, rate,
            tokens, ttft, tail);
    paper_ink(p, report_ink(r->verdict), verdict_cell);
    fputc('\n', p->out);
}

static void
print_priced(const paper *p, const run_info *run)
{
    g_autofree char *head =
        g_strdup_printf("%-12s %-8s%7s%7s%8s%10s%10s%9s%8s\n", "target", "stage", "ok",
                        "failed", "tok/s", "ttft p50", "p99", "USD", "verdict");
    const struct cost_view total = cost_of_run(run);
    g_autofree char *usd = cost_cell(&total, 9);

    paper_ink(p, INK_DIM, head);
    for (guint i = 0; i < run->results->len; i++)
        print_priced_line(p, run->results->pdata[i]);
    fprintf(p->out, "%-12s %50s%9s\n\n", "all", "", usd);
}

static void
print_plain(const paper *p, const run_info *run)
{
    g_autofree char *head =
        g_strdup_printf("%-14s %-10s%7s%7s%7s%8s%9s%9s%8s\n", "target", "stage", "ok",
                        "failed", "req/s", "tok/s", "ttft p50", "p99", "verdict");

    paper_ink(p, INK_DIM, head);
    for (guint i = 0; i < run->results->len; i++)
        print_result_line(p, run->results->pdata[i]);
    fputc('\n', p->out);
}

void
report_comparison(const paper *p, const run_info *run)
{
    if (cost_of_run(run).known) {
        print_priced(p, run);
        return;
    }
    print_plain(p, run);
}
