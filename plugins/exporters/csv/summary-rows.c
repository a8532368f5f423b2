#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/field-names.h"
#include "csv.h"

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static const char *const labels[] = { "target", "stage", "verdict" };

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
    "client.in_flight_max",
    "client.cpu_s",
    "client.max_rss_bytes",
    "goodput.ratio",
    "goodput.requests_per_s",
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

/* ---- which columns ---- */

typedef int (*name_fn)(void *data, const char *name);

/* Calls `fn` with every column's name until it answers 0. */
static void
each_name(name_fn fn, void *data)
{
    char name[128];

    for (size_t i = 0; i < LENGTH(labels); i++)
        if (!fn(data, labels[i]))
            return;
    for (size_t i = 0; i < LENGTH(numbers); i++)
        if (!fn(data, numbers[i]))
            return;
    for (uint32_t kind = 1; kind_word(kind) != NULL; kind++) {
        snprintf(name, sizeof name, "requests.errors.%s.count", kind_word(kind));
        if (!fn(data, name))
            return;
    }
    for (size_t i = 0; i < LENGTH(metrics); i++)
        for (size_t s = 0; s < LENGTH(stats); s++) {
            snprintf(name, sizeof name, "%s.%s", metrics[i], stats[s].name);
            if (!fn(data, name))
                return;
        }
}

static int
append_name(void *data, const char *name)
{
    struct summary_columns *c = data;

    if (c->count == c->capacity) {
        const uint32_t capacity = c->capacity * 2 + 16;
        char **grown = realloc(c->names, capacity * sizeof *grown);

        if (grown == NULL)
            return 0;
        c->names = grown;
        c->capacity = capacity;
    }
    c->names[c->count] = strdup(name);
    return c->names[c->count] != NULL && ++c->count > 0;
}

struct search {
    const char *word;
    size_t size;
    int found;
};

static int
compare_name(void *data, const char *name)
{
    struct search *s = data;

    s->found = strlen(name) == s->size && memcmp(name, s->word, s->size) == 0;
    return !s->found;
}

struct choice {
    struct summary_columns *columns;
    const struct lens_host *host;
};

static lens_status
unknown_column(const struct lens_host *host, const char *word, size_t size)
{
    char why[512];

    snprintf(why, sizeof why,
             "option columns: no column `%.*s` in the summary, expected target, stage, "
             "verdict or paths of the summary JSON, for instance requests.ok or "
             "latency.ttft.p99",
             (int)size, word);
    return host->fail(host, LENS_E_CONFIG, why);
}

/* "ttft.p99" is short for "latency.ttft.p99", as in an SLO. */
static lens_status
add_column(void *data, const char *word, size_t size)
{
    static const char *const prefixes[] = { "", "latency.", "client.", "throughput." };
    struct choice *c = data;
    char name[128];

    for (size_t i = 0; i < LENGTH(prefixes); i++) {
        struct search search = { .word = name };

        snprintf(name, sizeof name, "%s%.*s", prefixes[i], (int)size, word);
        search.size = strlen(name);
        each_name(compare_name, &search);
        if (search.found) {
            if (append_name(c->columns, name))
                return LENS_OK;
            return c->host->fail(c->host, LENS_E_NOMEM, "out of memory");
        }
    }
    return unknown_column(c->host, word, size);
}

lens_status
summary_columns_choose(struct summary_columns *c, const struct lens_host *host,
                       const char *list)
{
    struct choice choice = { .columns = c, .host = host };

    if (list != NULL)
        return selection_each(list, add_column, &choice);
    each_name(append_name, c);
    return LENS_OK;
}

void
summary_columns_clear(struct summary_columns *c)
{
    for (uint32_t i = 0; i < c->count; i++)
        free(c->names[i]);
    free(c->names);
    *c = (struct summary_columns){ 0 };
}

/* ---- rows ---- */

static const void *
element(const void *array, uint32_t nth, uint32_t stride)
{
    return (const char *)array + (size_t)nth * stride;
}

static double
quantile(const struct lens_metric *m, double q)
{
    for (uint32_t i = 0; i < m->quantile_count; i++) {
        const struct lens_quantile *at = element(m->quantiles, i, m->quantile_size);

        if (fabs(at->q - q) < 1e-9)
            return at->value;
    }
    return NAN;
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
            return quantile(m, stats[i].q);
    return NAN;
}

/* `name` is GROUP.METRIC.STAT. */
static double
metric_value(const struct lens_result *r, const char *name)
{
    const char *metric = strchr(name, '.') + 1;
    const char *stat = strchr(metric, '.');
    const size_t size = stat != NULL ? (size_t)(stat - metric) : 0;

    for (uint32_t i = 0; size > 0 && i < r->metric_count; i++) {
        const struct lens_metric *m = element(r->metrics, i, r->metric_size);

        if (strlen(m->name) == size && memcmp(m->name, metric, size) == 0)
            return stat_of(m, stat + 1);
    }
    return NAN;
}

static double
number_value(const struct lens_result *r, const char *name)
{
    for (uint32_t i = 0; i < r->number_count; i++) {
        const struct lens_number *n = element(r->numbers, i, r->number_size);

        if (strcmp(n->name, name) == 0)
            return n->value;
    }
    return metric_value(r, name);
}

static const char *
name_at(char *const *names, uint32_t count, uint32_t nth)
{
    return nth < count ? names[nth] : "";
}

static void
put_cell(const char *column, const struct lens_result *r, const struct run_names *names,
         struct text *t)
{
    if (strcmp(column, "target") == 0)
        cell_string(t, name_at(names->targets, names->target_count, r->target));
    else if (strcmp(column, "stage") == 0)
        cell_string(t, name_at(names->stages, names->stage_count, r->stage));
    else if (strcmp(column, "verdict") == 0)
        cell_string(t, r->verdict != NULL ? r->verdict : "");
    else
        cell_double(t, number_value(r, column));
}

void
summary_table(const struct summary_columns *c, const struct lens_summary *s,
              const struct run_names *names, struct text *t)
{
    for (uint32_t i = 0; i < c->count; i++) {
        cell_next(t, i);
        cell_string(t, c->names[i]);
    }
    text_add(t, "\n");
    for (uint32_t row = 0; row < s->result_count; row++) {
        for (uint32_t i = 0; i < c->count; i++) {
            cell_next(t, i);
            put_cell(c->names[i], element(s->results, row, s->result_size), names, t);
        }
        text_add(t, "\n");
    }
}
