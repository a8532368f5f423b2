#include "report.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "paper.h"
#include "report-table.h"
#include "slo.h"

/* "closed concurrency=32" */
static char *
describe_workload(const result *r)
{
    GString *out = g_string_new(r->workload != NULL ? r->workload : "load");
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *root = NULL;
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;

    if (r->workload_options != NULL &&
        json_parser_load_from_data(parser, r->workload_options, -1, NULL))
        root = json_parser_get_root(parser);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root))
        return g_string_free(out, FALSE);
    json_object_iter_init_ordered(&iter, json_node_get_object(root));
    while (json_object_iter_next_ordered(&iter, &name, &value)) {
        const bool is_text = JSON_NODE_HOLDS_VALUE(value) &&
                             json_node_get_value_type(value) == G_TYPE_STRING;
        g_autofree char *text =
            is_text ? json_node_dup_string(value) : json_to_string(value, FALSE);

        if (!JSON_NODE_HOLDS_NULL(value))
            g_string_append_printf(out, " %s=%s", name, text);
    }
    return g_string_free(out, FALSE);
}

static void
print_what(const paper *p, const run_info *run, const result *r)
{
    g_autofree char *workload = describe_workload(r);
    g_autofree char *model = paper_cut(r->model, 40);
    const bool named =
        r->stage_name != NULL && g_strcmp0(r->stage_name, r->workload) != 0;

    if (run->is_mock)
        paper_entry(p, "target", "built-in mock (%s %s, %s)", r->provider, r->api, model);
    else
        paper_entry(p, "target", "%s (%s %s, %s) at %s", r->target_name, r->provider,
                    r->api, model, r->url != NULL ? r->url : "-");
    paper_entry(p, "load", "%s%s%s, window %.*f s", named ? r->stage_name : "",
                named ? ": " : "", workload, result_window_s(r) < 10 ? 2 : 1,
                result_window_s(r));
}

/* ", 3 failed" for what is not 0. */
static void
append_count(GString *out, uint64_t count, const char *what)
{
    g_autofree char *text = paper_count(count);

    if (count > 0)
        g_string_append_printf(out, ", %s %s", text, what);
}

static void
print_requests(const paper *p, const result *r)
{
    const tally *t = r->tally;
    g_autofree char *ok = paper_count(t->ok), *total = paper_count(t->total);
    g_autofree char *rate = paper_amount(result_value(r, "requests_per_s", NULL));
    g_autoptr(GString) text = g_string_new(NULL);

    if (t->total > 0)
        g_string_append_printf(text, "%s req/s, %s of %s ok", rate, ok, total);
    else
        g_string_append(text, "none measured");
    append_count(text, t->failed, "failed");
    append_count(text, t->cancelled, "cancelled");
    append_count(text, t->censored, "never ended");
    append_count(text, t->no_output, "without output");
    append_count(text, t->retries, "retries");
    append_count(text, t->warmup, "warm-up");
    append_count(text, t->cooldown, "cool-down");
    paper_entry(p, "requests", "%s", text->str);
}

static void
append_tokens(GString *out, const tally *t, unsigned usage, const char *what)
{
    g_autofree char *text = paper_count((uint64_t)MAX(t->tokens[usage], 0));

    if (t->tokens_known[usage] &&
        (usage == LENS_USAGE_OUTPUT || usage == LENS_USAGE_INPUT || t->tokens[usage] > 0))
        g_string_append_printf(out, ", %s %s", text, what);
}

static void
print_tokens(const paper *p, const result *r)
{
    const tally *t = r->tally;
    g_autofree char *rate = paper_amount(result_value(r, "output_tokens_per_s", NULL));
    g_autoptr(GString) text = g_string_new(NULL);

    if (!t->tokens_known[LENS_USAGE_INPUT] && !t->tokens_known[LENS_USAGE_OUTPUT]) {
        if (t->ok > 0)
            paper_entry(p, "tokens", "unknown, the server reports no usage");
        return;
    }
    g_string_append_printf(text, "%s tok/s", rate);
    append_tokens(text, t, LENS_USAGE_OUTPUT, "out");
    append_tokens(text, t, LENS_USAGE_REASONING, "of them reasoning");
    append_tokens(text, t, LENS_USAGE_INPUT, "in");
    append_tokens(text, t, LENS_USAGE_CACHE_READ, "of them cached");
    append_count(text, t->tokens_unknown, "requests unknown");
    paper_entry(p, "tokens", "%s", text->str);
}

/* Dollars as people read them: all digits where they are few, else six decimals, of
 * amounts from 1 on four, of tiny ones three digits that count. */
static char *
dollars(money_amount amount)
{
    g_autofree char *exact = money_amount_text(amount);
    const money_amount size = amount < 0 ? -amount : amount;
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    uint64_t step;

    if (strlen(exact) <= 8)
        return g_steal_pointer(&exact);
    if (size < 100000000) {
        g_ascii_formatd(text, sizeof text, "%.3g", (double)amount / 1e12);
        return g_strdup(text);
    }
    step = size < 1000000000000 ? 1000000 : 100000000;
    return money_amount_text(money_divide(amount, step) * step);
}

static void
append_dollars(GString *out, const char *format, bool known, money_amount amount)
{
    g_autofree char *text = known ? dollars(amount) : NULL;

    if (known)
        g_string_append_printf(out, "%s%s %s", out->len > 0 ? ", " : "", text, format);
}

static void
print_cost(const paper *p, const struct cost_view *v)
{
    g_autoptr(GString) text = g_string_new(NULL);
    const bool output = v->output_tokens > 0;
    const bool good = v->judged && v->good > 0;

    if (!v->known && !v->reported_known)
        return;
    append_dollars(text, "USD", v->known, v->total);
    append_dollars(text, "a request", v->known && v->known_requests > 0,
                   money_divide(v->total, MAX(v->known_requests, 1)));
    append_dollars(text, "per 1k out", v->known && output,
                   output ? money_divide(v->total * 1000, (uint64_t)v->output_tokens)
                          : 0);
    append_dollars(text, "a good request", v->known && good,
                   good ? money_divide(v->total, v->good) : 0);
    append_dollars(text, "saved by the cache", v->cache_saving > 0, v->cache_saving);
    append_dollars(text, "more by the cache", v->cache_saving < 0, -v->cache_saving);
    append_dollars(text, "more outside of the window", v->other > 0, v->other);
    append_count(text, v->unknown_requests, "requests unknown");
    if (v->price_date != NULL)
        g_string_append_printf(text, ", prices of %s", v->price_date);
    paper_entry(p, "cost", "%s", text->str);
}

/* The server's own bill, beside ours. */
static void
print_reported(const paper *p, const struct cost_view *v)
{
    g_autofree char *bill = dollars(v->reported);
    const double ours = (double)v->total, theirs = (double)v->reported;

    if (!v->reported_known)
        return;
    if (v->known && v->unknown_requests == 0 && ours > 0)
        paper_entry(p, "billed", "%s USD by the server itself, %+.2f %% of ours", bill,
                    100 * (theirs - ours) / ours);
    else
        paper_entry(p, "billed", "%s USD by the server itself", bill);
}

static void
print_errors(const paper *p, const tally *t)
{
    const char *label = "errors";

    for (uint32_t kind = 0; kind < ERROR_KINDS; kind++) {
        const struct error_tally *e = &t->errors[kind];
        g_autofree char *count = paper_count(e->count);

        if (e->count == 0)
            continue;
        paper_entry(p, label, "%s %s (%s)%s%s", count, error_kind_name(kind),
                    where_name(e->where), e->example != NULL ? ": " : "",
                    e->example != NULL ? e->example : "");
        label = NULL;
    }
}

/* ---- goodput and SLOs ---- */

static char *
slo_value(const slo *s, const tally *t, double value)
{
    const enum metric m = metric_from_id(s->metric);
    const double q = metric_quantile_of(s->stat);

    if (isnan(value) && !isnan(q) && m < METRIC_COUNT && t->hist[m] != NULL)
        return g_strdup_printf("n/a (needs %" G_GUINT64_FORMAT ")", histogram_needs(q));
    if (strcmp(s->unit, "ms") == 0)
        return paper_ms(value);
    if (strcmp(s->unit, "ratio") == 0)
        return paper_share(value);
    return paper_amount(value);
}

static void
print_slos(const paper *p, const run_info *run, const result *r)
{
    const char *label = "slo";

    for (guint i = 0; i < run->slos->len; i++) {
        const slo *s = run->slos->pdata[i];
        const double value = s->per_request ? NAN : result_value(r, s->metric, s->stat);
        g_autofree char *seen = slo_value(s, r->tally, value);
        const bool met = slo_met(s, value);

        if (s->per_request)
            continue;
        paper_label(p, label);
        paper_ink(p, met ? INK_GOOD : INK_BAD, met ? "met    " : "MISSED ");
        fprintf(p->out, "%s, seen %s\n", s->text, seen);
        label = NULL;
    }
}

static void
print_goodput(const paper *p, const run_info *run, const result *r)
{
    const double seconds = result_window_s(r);
    g_autofree char *share = paper_share(result_value(r, "goodput", NULL));
    g_autofree char *rate =
        paper_amount(seconds > 0 ? (double)r->tally->good / seconds : NAN);
    g_autoptr(GString) conditions = g_string_new(NULL);

    if (r->tally->judged == 0)
        return;
    for (guint i = 0; i < run->slos->len; i++) {
        const slo *s = run->slos->pdata[i];

        if (s->per_request)
            g_string_append_printf(conditions, "%s%s", conditions->len > 0 ? " and " : "",
                                   s->text);
    }
    paper_entry(p, "goodput", "%s of requests meet %s, %s req/s", share, conditions->str,
                rate);
}

/* ---- the client and its verdict ---- */

static void
print_connection(const paper *p, const tally *t)
{
    static const struct {
        enum metric metric;
        const char *name;
    } steps[] = { { METRIC_NETWORK, "rtt" },
                  { METRIC_DNS, "dns" },
                  { METRIC_CONNECT, "tcp" },
                  { METRIC_TLS, "tls" } };
    g_autoptr(GString) text = g_string_new(NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(steps); i++) {
        const double mean = tally_stat(t, steps[i].metric, "mean");
        g_autofree char *shown = paper_ms(mean);

        if (!isnan(mean))
            g_string_append_printf(text, "%s%s %s", text->len > 0 ? ", " : "",
                                   steps[i].name, shown);
    }
    if (t->attempts > 0) {
        g_autofree char *share = paper_share((double)t->reused / (double)t->attempts);

        g_string_append_printf(text, "%s%s re-used",
                               text->len > 0 ? " (means), connections " : "", share);
    }
    if (text->len > 0)
        paper_entry(p, "network", "%s", text->str);
}

static void
print_client(const paper *p, const tally *t)
{
    const uint64_t stamps = t->stamps_kernel + t->stamps_user + t->stamps_interval;
    g_autofree char *lag = paper_ms(tally_stat(t, METRIC_LAG, "p99"));
    g_autofree char *cpu = paper_share((double)t->cpu_ns_max_share_ppm / 1e6);
    g_autofree char *memory = paper_bytes(t->max_rss_bytes);
    g_autoptr(GString) text = g_string_new(NULL);

    if (stamps > 0) {
        g_autofree char *kernel = paper_share((double)t->stamps_kernel / (double)stamps);

        g_string_append_printf(text, "%s kernel stamps, ", kernel);
    }
    g_string_append_printf(text, "lag p99 %s", lag);
    if (t->cpu_ns > 0)
        g_string_append_printf(text, ", cpu %s", cpu);
    if (t->max_rss_bytes > 0)
        g_string_append_printf(text, ", %s", memory);
    if (t->burst_spread_ns > 0) {
        g_autofree char *spread = paper_ms((double)t->burst_spread_ns / 1e6);

        g_string_append_printf(text, ", bursts left within %s", spread);
    }
    paper_entry(p, "client", "%s", text->str);
}

static void
print_verdict(const paper *p, const verdict *v)
{
    paper_label(p, "verdict");
    if (v == NULL || v->state == VERDICT_VALID) {
        paper_ink(p, INK_GOOD, verdict_name(VERDICT_VALID));
        fputc('\n', p->out);
        return;
    }
    paper_ink(p, report_ink(v), verdict_name(v->state));
    fputc('\n', p->out);
    for (guint i = 0; i < v->reasons->len; i++) {
        const struct verdict_reason *reason =
            &g_array_index(v->reasons, struct verdict_reason, i);

        paper_entry(p, NULL, "%s: %s", reason->id, reason->text);
    }
}

static void
print_result(const paper *p, const run_info *run, const result *r)
{
    const struct cost_view cost = cost_of_result(r);

    print_what(p, run, r);
    print_requests(p, r);
    print_tokens(p, r);
    print_cost(p, &cost);
    print_reported(p, &cost);
    print_errors(p, r->tally);
    report_latencies(p, r);
    fputc('\n', p->out);
    print_slos(p, run, r);
    print_goodput(p, run, r);
    print_connection(p, r->tally);
    print_client(p, r->tally);
    print_verdict(p, r->verdict);
    fputc('\n', p->out);
}

static void
print_exports(const paper *p, const run_info *run)
{
    const char *label = "exports";

    for (guint i = 0; i < run->exports->len; i++) {
        const struct export_state *e = run->exports->pdata[i];
        g_autofree char *delivered = paper_count(e->delivered), *of = paper_count(e->of);

        if (e->complete && e->error == NULL)
            continue;
        paper_entry(p, label, "%s: %s of %s delivered%s%s", e->name, delivered, of,
                    e->error != NULL ? ", " : "", e->error != NULL ? e->error : "");
        label = NULL;
    }
}

void
report_print(const run_info *run, FILE *out)
{
    const paper p = paper_on(out);

    if (run->results->len == 0)
        paper_entry(&p, "results", "none, nothing was run");
    if (run->results->len > 1)
        report_comparison(&p, run);
    for (guint i = 0; i < run->results->len; i++)
        print_result(&p, run, run->results->pdata[i]);
    print_exports(&p, run);
    if (run->run_file != NULL)
        paper_entry(&p, "run file", "%s, seed %" G_GUINT64_FORMAT, run->run_file,
                    run->seed);
    fflush(out);
}
