/* Numbers of results by their path in the summary JSON, and what says whose they are. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "column.h"
#include "field-names.h"
#include "json.h"
#include "names.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const char *const labels[] = { "target", "stage", "verdict" };

/* Only where they are asked for. */
static const char *const named[] = {
    "provider",
    "api",
    "model",
    "url",
    "workload",
    "concurrency",
    "run_id",
    "run_start",
    "run_end",
    "run_s",
    "window_s",
    "total_tokens",
    "success_ratio",
    "error_ratio",
    "skipped",
    "tokens.input_uncached",
    "tokens.output_visible",
};

static const char *const interval_labels[] = { "interval", "time", "begin_s", "end_s" };

static const char *const numbers[] = {
    "window.start_s",
    "window.end_s",
    "requests.total",
    "requests.ok",
    "requests.failed",
    "requests.cancelled",
    "requests.censored",
    "requests.warmup",
    "requests.cooldown",
    "requests.no_output",
    "requests.retries",
    "tokens.input",
    "tokens.cache_read",
    "tokens.cache_write",
    "tokens.output",
    "tokens.reasoning",
    "tokens.unknown_requests",
    "throughput.requests_per_s",
    "throughput.output_tokens_per_s",
    "throughput.input_tokens_per_s",
    "client.clock.kernel",
    "client.clock.user",
    "client.clock.interval",
    "client.merged",
    "client.shared_read_share",
    "client.reuse_ratio",
    "client.in_flight",
    "client.in_flight_max",
    "client.cpu_s",
    "client.max_rss_bytes",
    "goodput.ratio",
    "goodput.requests_per_s",
    "cost.total",
    "target.up",
};

static const char *const metrics[] = {
    "latency.ttft",
    "latency.ttft_text",
    "latency.ttft_from_due",
    "latency.ttft_text_from_due",
    "latency.ttst",
    "latency.itl",
    "latency.itl_token",
    "latency.tpot",
    "latency.e2e",
    "latency.e2e_from_due",
    "latency.ttfb",
    "latency.dns",
    "latency.connect",
    "latency.tls",
    "latency.network",
    "latency.server",
    "latency.output_tokens_per_s_per_request",
    "client.lag",
    "client.start_late",
};

static const struct {
    const char *name;
    double q; /* -1: none */
} stats[] = {
    { "count", -1 }, { "min", -1 },      { "mean", -1 }, { "stddev", -1 },
    { "p50", 0.5 },  { "p75", 0.75 },    { "p90", 0.9 }, { "p95", 0.95 },
    { "p99", 0.99 }, { "p99_9", 0.999 }, { "max", -1 },
};

/* ---- names ---- */

void
result_each_source(enum rows rows, source_fn fn, void *data)
{
    char name[128];
    int more = 1;

    for (size_t i = 0; more && rows == ROWS_INTERVALS && i < LENGTH(interval_labels); i++)
        more = fn(data, interval_labels[i]);
    for (size_t i = 0; more && i < LENGTH(labels); i++)
        more = fn(data, labels[i]);
    for (size_t i = 0; more && i < LENGTH(numbers); i++)
        more = fn(data, numbers[i]);
    for (uint32_t kind = 1; more && kind_word(kind) != NULL; kind++) {
        snprintf(name, sizeof name, "requests.errors.%s.count", kind_word(kind));
        more = fn(data, name);
    }
    for (size_t i = 0; more && i < LENGTH(metrics); i++)
        for (size_t s = 0; more && s < LENGTH(stats); s++) {
            snprintf(name, sizeof name, "%s.%s", metrics[i], stats[s].name);
            more = fn(data, name);
        }
}

/* The walk ends early exactly when the name is found. */
struct search {
    char *name;
    int found;
};

static int
search_on(void *data, const char *source)
{
    struct search *s = data;

    s->found = strcmp(s->name, source) == 0;
    return !s->found;
}

int
result_find_source(enum rows rows, const char *word, char ret[128])
{
    static const char *const prefixes[] = { "", "latency.", "client.", "throughput." };

    for (size_t i = 0; i < LENGTH(named); i++)
        if (strcmp(named[i], word) == 0) {
            snprintf(ret, 128, "%s", word);
            return 1;
        }
    /* "ttft.p99" is short for "latency.ttft.p99", as in an SLO. */
    for (size_t i = 0; i < LENGTH(prefixes); i++) {
        struct search search = { .name = ret };

        snprintf(ret, 128, "%s%s", prefixes[i], word);
        result_each_source(rows, search_on, &search);
        if (search.found)
            return 1;
    }
    return 0;
}

/* ---- values ---- */

double
summary_seconds(const struct lens_summary *summary)
{
    struct lens_json j;
    double seconds = NAN;

    if (lens_json_find(summary->json, summary->json_size, "run.duration_s", &j))
        lens_json_double(&j, &seconds);
    return seconds;
}

static double
stat_of(const struct lens_metric *m, const char *stat)
{
    if (strcmp(stat, "count") == 0)
        return (double)m->count;
    if (m->count == 0)
        return NAN;
    if (strcmp(stat, "min") == 0)
        return m->min;
    if (strcmp(stat, "mean") == 0)
        return m->mean;
    if (strcmp(stat, "stddev") == 0)
        return m->stddev;
    if (strcmp(stat, "max") == 0)
        return m->max;
    for (size_t i = 0; i < LENGTH(stats); i++)
        if (stats[i].q >= 0 && strcmp(stats[i].name, stat) == 0)
            return lens_metric_quantile(m, stats[i].q);
    return NAN;
}

/* `name` is GROUP.METRIC.STAT. */
static double
metric_value(const struct lens_result *r, const char *name)
{
    const char *metric = strchr(name, '.');
    const char *stat = metric != NULL ? strchr(metric + 1, '.') : NULL;
    const struct lens_metric *m;
    char id[64];

    if (stat == NULL)
        return NAN;
    snprintf(id, sizeof id, "%.*s", (int)(stat - metric - 1), metric + 1);
    m = lens_result_metric(r, id);
    return m != NULL ? stat_of(m, stat + 1) : NAN;
}

static void
set_number(struct value *v, double number)
{
    v->kind = isfinite(number) ? VALUE_DOUBLE : VALUE_NONE;
    v->number = number;
}

static void
set_name(struct value *v, char *const *names, uint32_t count, uint32_t nth)
{
    if (nth >= count)
        return;
    v->kind = VALUE_STRING;
    v->string = names[nth];
}

static double
concurrency_of(const struct row *row)
{
    const struct run_names *n = row->names;
    struct lens_json j;
    double number = NAN;

    if (row->result->stage < n->stage_count) {
        const char *options = n->options[row->result->stage];

        if (lens_json_find(options, strlen(options), "concurrency", &j))
            lens_json_double(&j, &number);
    }
    return number;
}

static double
window_s(const struct row *row)
{
    if (row->snapshot != NULL)
        return (double)(row->snapshot->end_ns - row->snapshot->begin_ns) / 1e9;
    return lens_result_number(row->result, "window.end_s") -
           lens_result_number(row->result, "window.start_s");
}

/* What is told of the row as such; 0: `source` is something else. */
static int
read_label(const char *source, const struct row *row, struct value *v)
{
    const struct run_names *n = row->names;
    const struct lens_result *r = row->result;

    if (strcmp(source, "target") == 0)
        set_name(v, n->targets, n->target_count, r->target);
    else if (strcmp(source, "stage") == 0)
        set_name(v, n->stages, n->stage_count, r->stage);
    else if (strcmp(source, "provider") == 0)
        set_name(v, n->providers, n->target_count, r->target);
    else if (strcmp(source, "api") == 0)
        set_name(v, n->apis, n->target_count, r->target);
    else if (strcmp(source, "model") == 0)
        set_name(v, n->models, n->target_count, r->target);
    else if (strcmp(source, "url") == 0)
        set_name(v, n->urls, n->target_count, r->target);
    else if (strcmp(source, "workload") == 0)
        set_name(v, n->workloads, n->stage_count, r->stage);
    else if (strcmp(source, "run_id") == 0)
        set_name(v, &n->run_id, 1, 0);
    else if (strcmp(source, "verdict") == 0)
        set_name(v, (char *const *)&r->verdict, r->verdict != NULL, 0);
    else
        return 0;
    return 1;
}

static int
read_time(const char *source, const struct row *row, struct value *v)
{
    const int64_t start = row->names->start_unix_ns;

    if (strcmp(source, "run_start") == 0)
        value_set_time(v, start);
    else if (strcmp(source, "run_end") == 0 && isfinite(row->run_s))
        value_set_time(v, start + (int64_t)(row->run_s * 1e9));
    else if (strcmp(source, "time") == 0 && row->snapshot != NULL)
        value_set_time(v, row->snapshot->unix_ns);
    else
        return strcmp(source, "run_end") == 0 || strcmp(source, "time") == 0;
    return 1;
}

static double
number_of(const char *source, const struct row *row)
{
    const struct lens_result *r = row->result;
    const struct lens_snapshot *s = row->snapshot;
    const double total = lens_result_number(r, "requests.total");

    if (strcmp(source, "concurrency") == 0)
        return concurrency_of(row);
    if (strcmp(source, "run_s") == 0)
        return row->run_s;
    if (strcmp(source, "window_s") == 0)
        return window_s(row);
    if (strcmp(source, "interval") == 0)
        return s != NULL ? (double)s->index : NAN;
    if (strcmp(source, "begin_s") == 0)
        return s != NULL ? (double)s->begin_ns / 1e9 : NAN;
    if (strcmp(source, "end_s") == 0)
        return s != NULL ? (double)s->end_ns / 1e9 : NAN;
    if (strcmp(source, "total_tokens") == 0)
        return lens_result_number(r, "tokens.input") +
               lens_result_number(r, "tokens.output");
    if (strcmp(source, "success_ratio") == 0)
        return total > 0 ? lens_result_number(r, "requests.ok") / total : NAN;
    if (strcmp(source, "error_ratio") == 0)
        return total > 0 ? 1 - lens_result_number(r, "requests.ok") / total : NAN;
    if (strcmp(source, "skipped") == 0)
        return lens_result_number(r, "requests.cancelled") +
               lens_result_number(r, "requests.censored");
    {
        const double number = lens_result_number(r, source);

        return isnan(number) ? metric_value(r, source) : number;
    }
}

void
result_read(const char *source, const struct row *row, struct value *ret)
{
    ret->kind = VALUE_NONE;
    if (!read_label(source, row, ret) && !read_time(source, row, ret))
        set_number(ret, number_of(source, row));
}
