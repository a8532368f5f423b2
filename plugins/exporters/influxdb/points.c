#include "points.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Of a sample, unless `fields` names others. */
static const char *const usual_fields[] = {
    "id",
    "attempts",
    "ttft_ms",
    "ttft_text_ms",
    "ttft_from_due_ms",
    "ttst_ms",
    "tpot_ms",
    "e2e_ms",
    "e2e_from_due_ms",
    "ttfb_ms",
    "connect_ms",
    "tls_ms",
    "network_ms",
    "server_ms",
    "output_tokens_per_s_per_request",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost_usd",
    "http_status",
    "output_messages",
    "finish",
    "error_detail",
};

static lens_status
choose_fields(struct points *p, const struct lens_host *host)
{
    const int32_t count = host->opt_count(host, "fields");

    for (int32_t i = 0; i < count; i++) {
        const char *name = host->opt_string(host, "fields", (uint32_t)i);
        const struct field *field = find_field(name);

        if (field == NULL)
            return refuse_option(host, "fields", name,
                                 "no such field; docs/exporters.md lists them by their "
                                 "CSV name");
        if (p->field_count == MOST_FIELDS)
            return refuse_option(host, "fields", name, "too many fields");
        p->fields[p->field_count++] = field;
    }
    for (size_t i = 0; count == 0 && i < sizeof usual_fields / sizeof *usual_fields;
         i++) {
        const struct field *field = find_field(usual_fields[i]);

        if (field != NULL)
            p->fields[p->field_count++] = field;
    }
    return LENS_OK;
}

lens_status
points_open(struct points *p, const struct lens_host *host)
{
    lens_status status = tags_open(&p->tags, host);

    p->prefix = host->opt_string(host, "prefix", 0);
    if (p->prefix == NULL)
        p->prefix = "";
    if (status == LENS_OK && *p->prefix != '\0' && line_bad_key(p->prefix) != NULL)
        return refuse_option(host, "prefix", p->prefix, line_bad_key(p->prefix));
    return status == LENS_OK ? choose_fields(p, host) : status;
}

void
points_close(struct points *p)
{
    tags_close(&p->tags);
    run_facts_clear(&p->facts);
}

lens_status
points_begin(struct points *p, const struct lens_run *run)
{
    return run_facts_take(&p->facts, run);
}

static void
begin(const struct points *p, const char *measurement, struct lines *to)
{
    char name[256];

    snprintf(name, sizeof name, "%s%s", p->prefix, measurement);
    line_begin(to, name);
}

void
points_run(const struct points *p, const struct lens_run *run, struct lines *to)
{
    begin(p, "run", to);
    tags_write(&p->tags, POINT_RUN, &p->facts, 0, 0, NULL, to);
    line_string(to, "id", run->id);
    line_string(to, "version", run->version);
    line_string(to, "seed", run->seed);
    line_string(to, "plan_hash", run->plan_hash);
    line_int(to, "targets", run->target_count);
    line_int(to, "stages", run->stage_count);
    line_end(to, run->start_unix_ns);
}

/* ---- samples ---- */

void
points_sample(const struct points *p, const struct lens_sample *s, struct lines *to)
{
    struct value v;

    begin(p, "sample", to);
    tags_write(&p->tags, POINT_SAMPLE, &p->facts, s->target, s->stage, s, to);
    line_string(to, "run", p->facts.id);
    for (uint32_t i = 0; i < p->field_count; i++) {
        const char *name = field_column(p->fields[i]);

        field_read(p->fields[i], s, &p->facts.names, &v);
        if (v.kind == VALUE_INT)
            line_int(to, name, v.integer);
        else if (v.kind == VALUE_DOUBLE)
            line_float(to, name, v.number);
        else if (v.kind == VALUE_BOOL)
            line_bool(to, name, v.integer != 0);
        else if (v.kind == VALUE_STRING || v.kind == VALUE_JSON)
            line_string(to, name, v.string);
    }
    line_end(to, s->unix_ns);
}

/* ---- intervals and results ---- */

static void
write_stat(const struct lens_metric *m, const char *stat, double value, struct lines *to)
{
    const char *unit = m->unit != NULL && strcmp(m->unit, "ms") == 0 ? "_ms" : "";
    char name[128];

    snprintf(name, sizeof name, "%s_%s%s", m->name, stat, unit);
    line_float(to, name, value);
}

static void
write_metric(const struct lens_metric *m, struct lines *to)
{
    char name[128];

    if (m->count == 0)
        return;
    snprintf(name, sizeof name, "%s_count", m->name);
    line_int(to, name, (int64_t)m->count);
    write_stat(m, "min", m->min, to);
    write_stat(m, "mean", m->mean, to);
    write_stat(m, "stddev", m->stddev, to);
    for (uint32_t i = 0; i < m->quantile_count; i++) {
        const struct lens_quantile *q =
            (const void *)((const char *)m->quantiles + (size_t)i * m->quantile_size);
        char stat[32];

        snprintf(stat, sizeof stat, "p%.10g", q->q * 100);
        if (strchr(stat, '.') != NULL)
            *strchr(stat, '.') = '_';
        write_stat(m, stat, q->value, to);
    }
    write_stat(m, "max", m->max, to);
}

/* Counts are integers and stay integers: a field has one type for ever. */
static int
is_count(const char *unit)
{
    static const char *const units[] = { "requests", "tokens", "messages", "B" };

    for (size_t i = 0; unit != NULL && i < sizeof units / sizeof units[0]; i++)
        if (strcmp(unit, units[i]) == 0)
            return 1;
    return 0;
}

/* "requests.ok" is the field requests_ok; errors have points of their own. */
static void
write_number(const struct lens_number *n, struct lines *to)
{
    char name[160];

    if (!isfinite(n->value) || strncmp(n->name, "requests.errors.", 16) == 0)
        return;
    snprintf(name, sizeof name, "%s", n->name);
    for (char *dot = name; (dot = strchr(dot, '.')) != NULL;)
        *dot = '_';
    if (is_count(n->unit) && fabs(n->value) < 9e18)
        line_int(to, name, (int64_t)n->value);
    else
        line_float(to, name, n->value);
}

static void
write_error(const struct points *p, const struct lens_result *r,
            const struct lens_error_count *e, int64_t unix_ns, struct lines *to)
{
    begin(p, "error", to);
    line_tag(to, "error", e->kind);
    tags_write(&p->tags, POINT_RESULT, &p->facts, r->target, r->stage, NULL, to);
    line_int(to, "requests", (int64_t)e->count);
    line_string(to, "where", e->where);
    line_string(to, "example", e->example);
    line_end(to, unix_ns);
}

void
points_result(const struct points *p, const char *measurement,
              const struct lens_result *r, double seconds, int64_t unix_ns,
              struct lines *to)
{
    begin(p, measurement, to);
    tags_write(&p->tags, POINT_RESULT, &p->facts, r->target, r->stage, NULL, to);
    line_float(to, "seconds", seconds);
    line_string(to, "verdict", r->verdict);
    for (uint32_t i = 0; i < r->number_count; i++)
        write_number(
            (const void *)((const char *)r->numbers + (size_t)i * r->number_size), to);
    for (uint32_t i = 0; i < r->metric_count; i++)
        write_metric(
            (const void *)((const char *)r->metrics + (size_t)i * r->metric_size), to);
    line_end(to, unix_ns);
    for (uint32_t i = 0; i < r->error_count; i++)
        write_error(p, r,
                    (const void *)((const char *)r->errors + (size_t)i * r->error_size),
                    unix_ns, to);
}
