/* lens.summary/1: every member is always there, what is unknown is
 * null. */
#include <math.h>

#include "json-text.h"
#include "price.h"
#include "result.h"
#include "slo.h"

static void
open_member(JsonBuilder *b, const char *name)
{
    json_builder_set_member_name(b, name);
    json_builder_begin_object(b);
}

static void
open_list(JsonBuilder *b, const char *name)
{
    json_builder_set_member_name(b, name);
    json_builder_begin_array(b);
}

static void
put_count(JsonBuilder *b, const char *name, uint64_t value)
{
    json_put_int(b, name, (int64_t)MIN(value, (uint64_t)INT64_MAX));
}

static void
put_verdict(JsonBuilder *b, const verdict *v)
{
    open_member(b, "verdict");
    json_put_string(b, "state", verdict_name(v != NULL ? v->state : VERDICT_VALID));
    open_list(b, "reasons");
    for (guint i = 0; v != NULL && i < v->reasons->len; i++) {
        const struct verdict_reason *r =
            &g_array_index(v->reasons, struct verdict_reason, i);

        json_builder_begin_object(b);
        json_put_string(b, "id", r->id);
        json_put_number(b, "value", r->value);
        json_put_number(b, "limit", r->limit);
        json_put_string(b, "text", r->text);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
}

/* ---- costs: decimals as text, so that nothing is lost ---- */

static void
put_amount(JsonBuilder *b, const char *name, bool known, money_amount amount)
{
    g_autofree char *text = known ? money_amount_text(amount) : NULL;

    json_put_string(b, name, text);
}

static void
put_cost(JsonBuilder *b, const struct cost_view *v)
{
    g_autofree char *request = cost_per(v, 1, v->known_requests);
    g_autofree char *output = cost_per(v, 1000, (uint64_t)MAX(v->output_tokens, 0));
    g_autofree char *good = v->judged ? cost_per(v, 1, v->good) : NULL;

    open_member(b, "cost");
    json_put_string(b, "currency", "USD");
    put_amount(b, "total", v->known, v->total);
    open_member(b, "by");
    for (unsigned i = 0; i < LENS_COST_COUNT; i++)
        put_amount(b, cost_kind_name(i), v->known, v->by[i]);
    json_builder_end_object(b);
    json_put_string(b, "per_request", request);
    json_put_string(b, "per_1k_output", output);
    put_amount(b, "cache_saving", v->known, v->cache_saving);
    put_amount(b, "reported", v->reported_known, v->reported);
    put_count(b, "unknown_requests", v->unknown_requests);
    json_put_string(b, "price_date", v->price_date);
    json_put_string(b, "per_goodput_request", good);
    json_builder_end_object(b);
}

/* ---- the run ---- */

static char *
rfc3339(int64_t unix_ns)
{
    g_autoptr(GDateTime) at = g_date_time_new_from_unix_utc(unix_ns / 1000000000);
    g_autofree char *seconds = NULL;

    if (at == NULL)
        return NULL;
    seconds = g_date_time_format(at, "%Y-%m-%dT%H:%M:%S");
    return g_strdup_printf("%s.%03dZ", seconds, (int)(unix_ns / 1000000 % 1000));
}

static void
put_exports(JsonBuilder *b, const run_info *r)
{
    open_list(b, "exports");
    for (guint i = 0; i < r->exports->len; i++) {
        const struct export_state *e = r->exports->pdata[i];

        json_builder_begin_object(b);
        json_put_string(b, "kind", e->kind);
        json_put_string(b, "name", e->name);
        put_count(b, "delivered", e->delivered);
        put_count(b, "of", e->of);
        json_put_string(b, "error", e->error);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static void
put_run(JsonBuilder *b, const run_info *r)
{
    g_autofree char *started = rfc3339(r->start_unix_ns);
    g_autofree char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, r->seed);
    const struct cost_view total = cost_of_run(r);

    open_member(b, "run");
    json_put_string(b, "id", r->id);
    json_put_string(b, "started_at", started);
    json_put_number(b, "duration_s", (double)r->duration_ns / 1e9);
    json_put_string(b, "seed", seed);
    json_put_string(b, "version", r->version);
    json_put_string(b, "plan_hash", r->plan_hash);
    open_member(b, "host");
    json_put_string(b, "name", r->host_name);
    json_put_string(b, "cpu", r->host_cpu);
    json_put_int(b, "cores", r->host_cores);
    json_put_string(b, "kernel", r->host_kernel);
    json_builder_end_object(b);
    put_cost(b, &total);
    put_verdict(b, r->verdict);
    put_exports(b, r);
    json_builder_end_object(b);
}

/* ---- a result ---- */

static void
put_workload(JsonBuilder *b, const result *r)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *options = NULL;

    if (r->workload_options != NULL &&
        json_parser_load_from_data(parser, r->workload_options, -1, NULL))
        options = json_parser_get_root(parser);
    open_member(b, "workload");
    json_put_string(b, "name", r->workload);
    json_builder_set_member_name(b, "options");
    if (options != NULL && JSON_NODE_HOLDS_OBJECT(options)) {
        json_builder_add_value(b, json_node_copy(options));
    } else {
        json_builder_begin_object(b);
        json_builder_end_object(b);
    }
    json_builder_end_object(b);
}

static void
put_window(JsonBuilder *b, const result *r)
{
    const tally *t = r->tally;
    const double start = (double)t->window_start_ns / 1e9;
    const bool begun = t->window_start_ns != INT64_MAX;

    open_member(b, "window");
    json_put_number(b, "start_s", begun ? start : NAN);
    json_put_number(b, "end_s", begun ? start + result_window_s(r) : NAN);
    json_builder_end_object(b);
}

static void
put_requests(JsonBuilder *b, const tally *t)
{
    open_member(b, "requests");
    put_count(b, "total", t->total);
    put_count(b, "ok", t->ok);
    put_count(b, "failed", t->failed);
    put_count(b, "cancelled", t->cancelled);
    put_count(b, "censored", t->censored);
    put_count(b, "warmup", t->warmup);
    put_count(b, "cooldown", t->cooldown);
    put_count(b, "no_output", t->no_output);
    put_count(b, "retries", t->retries);
    open_member(b, "errors");
    for (uint32_t kind = 0; kind < ERROR_KINDS; kind++) {
        const struct error_tally *e = &t->errors[kind];

        if (e->count == 0)
            continue;
        open_member(b, error_kind_name(kind));
        put_count(b, "count", e->count);
        json_put_string(b, "where", where_name(e->where));
        json_put_string(b, "example", e->example);
        json_builder_end_object(b);
    }
    json_builder_end_object(b);
    json_builder_end_object(b);
}

static void
put_tokens(JsonBuilder *b, const tally *t)
{
    static const struct {
        const char *name;
        unsigned usage;
    } kinds[] = {
        { "input", LENS_USAGE_INPUT },
        { "cache_read", LENS_USAGE_CACHE_READ },
        { "cache_write", LENS_USAGE_CACHE_WRITE },
        { "output", LENS_USAGE_OUTPUT },
        { "reasoning", LENS_USAGE_REASONING },
    };

    open_member(b, "tokens");
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (t->tokens_known[kinds[i].usage])
            json_put_int(b, kinds[i].name, t->tokens[kinds[i].usage]);
        else
            json_put_string(b, kinds[i].name, NULL);
    }
    put_count(b, "unknown_requests", t->tokens_unknown);
    json_builder_end_object(b);
}

static void
put_value(JsonBuilder *b, const result *r, const char *name)
{
    json_put_number(b, name, result_value(r, name, NULL));
}

static void
put_throughput(JsonBuilder *b, const result *r)
{
    open_member(b, "throughput");
    put_value(b, r, "requests_per_s");
    put_value(b, r, "output_tokens_per_s");
    put_value(b, r, "input_tokens_per_s");
    json_builder_end_object(b);
}

static void
put_metric(JsonBuilder *b, const tally *t, enum metric m)
{
    static const char *const stats[] = { "min", "mean", "stddev" };
    const uint64_t count = t->hist[m] != NULL ? histogram_count(t->hist[m]) : 0;

    open_member(b, metric_get(m)->id);
    put_count(b, "count", count);
    for (unsigned i = 0; i < G_N_ELEMENTS(stats); i++)
        json_put_number(b, stats[i], tally_stat(t, m, stats[i]));
    for (unsigned i = 0; i < METRIC_PERCENTILES; i++)
        json_put_number(b, metric_percentiles[i].id,
                        tally_stat(t, m, metric_percentiles[i].id));
    json_put_number(b, "max", tally_stat(t, m, "max"));
    open_member(b, "needs");
    for (unsigned i = 0; i < METRIC_PERCENTILES; i++) {
        const uint64_t needs = histogram_needs(metric_percentiles[i].q);

        if (count < needs)
            put_count(b, metric_percentiles[i].id, needs);
    }
    json_builder_end_object(b);
    json_builder_end_object(b);
}

static double
share(uint64_t part, uint64_t of)
{
    return of > 0 ? (double)part / (double)of : NAN;
}

static void
put_client(JsonBuilder *b, const tally *t)
{
    open_member(b, "client");
    open_member(b, "clock");
    put_count(b, "kernel", t->stamps_kernel);
    put_count(b, "user", t->stamps_user);
    put_count(b, "interval", t->stamps_interval);
    json_builder_end_object(b);
    put_metric(b, t, METRIC_LAG);
    put_metric(b, t, METRIC_START_LATE);
    put_count(b, "merged", t->merged_samples);
    json_put_number(b, "shared_read_share",
                    share(t->messages_shared, t->messages_output));
    json_put_number(b, "reuse_ratio", share(t->reused, t->attempts));
    put_count(b, "in_flight_max", t->in_flight_max);
    json_put_number(b, "cpu_s", (double)t->cpu_ns / 1e9);
    if (t->max_rss_bytes > 0)
        json_put_int(b, "max_rss_bytes", t->max_rss_bytes);
    else
        json_put_string(b, "max_rss_bytes", NULL);
    json_builder_end_object(b);
}

static void
put_goodput(JsonBuilder *b, const run_info *run, const result *r)
{
    const double seconds = result_window_s(r);

    open_member(b, "goodput");
    open_list(b, "slo");
    for (guint i = 0; i < run->slos->len; i++) {
        const slo *s = run->slos->pdata[i];

        if (s->per_request)
            json_builder_add_string_value(b, s->text);
    }
    json_builder_end_array(b);
    json_put_number(b, "ratio", result_value(r, "goodput", NULL));
    json_put_number(b, "requests_per_s",
                    r->tally->judged > 0 && seconds > 0 ? (double)r->tally->good / seconds
                                                        : NAN);
    json_builder_end_object(b);
}

static void
put_slos(JsonBuilder *b, const run_info *run, const result *r)
{
    open_list(b, "slo");
    for (guint i = 0; i < run->slos->len; i++) {
        const slo *s = run->slos->pdata[i];
        const double value = s->per_request ? NAN : result_value(r, s->metric, s->stat);

        if (s->per_request)
            continue;
        json_builder_begin_object(b);
        json_put_string(b, "expr", s->text);
        json_put_number(b, "value", value);
        json_put_string(b, "unit", s->unit);
        json_builder_set_member_name(b, "ok");
        json_builder_add_boolean_value(b, slo_met(s, value));
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static void
put_result(JsonBuilder *b, const run_info *run, const result *r)
{
    const struct cost_view cost = cost_of_result(r);

    json_builder_begin_object(b);
    json_put_string(b, "target", r->target_name);
    json_put_string(b, "stage", r->stage_name);
    json_put_string(b, "provider", r->provider);
    json_put_string(b, "api", r->api);
    json_put_string(b, "model", r->model);
    json_put_string(b, "url", r->url);
    put_workload(b, r);
    put_window(b, r);
    put_requests(b, r->tally);
    put_tokens(b, r->tally);
    put_cost(b, &cost);
    put_throughput(b, r);
    open_member(b, "latency");
    for (unsigned m = 0; m < METRIC_LATENCIES; m++)
        put_metric(b, r->tally, (enum metric)m);
    json_builder_end_object(b);
    put_client(b, r->tally);
    put_goodput(b, run, r);
    put_slos(b, run, r);
    put_verdict(b, r->verdict);
    json_builder_end_object(b);
}

char *
summary_json(const run_info *r)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    g_autoptr(JsonNode) root = NULL;

    json_builder_begin_object(b);
    json_put_string(b, "schema", "lens.summary/1");
    put_run(b, r);
    open_list(b, "results");
    for (guint i = 0; i < r->results->len; i++)
        put_result(b, r, r->results->pdata[i]);
    json_builder_end_array(b);
    json_builder_end_object(b);
    root = json_builder_get_root(b);
    return json_text(root);
}
