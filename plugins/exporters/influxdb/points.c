#include "points.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "../common/near.h"
#include "../common/words.h"
#include "names.h"

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

struct choice {
    struct points *points;
    const struct lens_host *host;
};

static void
add_field(struct points *p, const struct field *field)
{
    struct point_field *f = &p->fields[p->field_count++];
    const char *column = field_column(field);
    const size_t size = strlen(column);
    const struct lens_name *name;

    *f = (struct point_field){ .field = field, .key = column, .number_key = column };
    if (strcmp(column, "cost_usd") == 0)
        f->number_key = "cost";
    if (size <= 3 || strcmp(column + size - 3, "_ms") != 0)
        return;
    snprintf(f->time_key, sizeof f->time_key, "%.*s", (int)(size - 3), column);
    name = lens_name_find(f->time_key);
    if (name != NULL)
        snprintf(f->time_key, sizeof f->time_key, "%s", name->influx);
    f->is_time = 1;
}

static lens_status
choose(void *data, const char *name)
{
    const struct choice *c = data;
    struct points *p = c->points;
    const struct field *field = find_field(name);

    if (field == NULL) {
        const char *near = field_near(name);
        char why[160] = "no such field, expected columns of docs/exporters/csv.md, for "
                        "instance ttft+e2e";

        if (near != NULL)
            snprintf(why, sizeof why, "no such field; did you mean `%s`?", near);
        return refuse_option(c->host, "fields", name, why);
    }
    if (p->field_count == MOST_FIELDS)
        return refuse_option(c->host, "fields", name, "too many fields");
    add_field(p, field);
    return LENS_OK;
}

static lens_status
choose_fields(struct points *p, const struct lens_host *host)
{
    struct choice choice = { p, host };

    if (host->opt_count(host, "fields") > 0)
        return words_each(host, "fields", choose, &choice);
    for (size_t i = 0; i < sizeof usual_fields / sizeof *usual_fields; i++) {
        const struct field *field = find_field(usual_fields[i]);

        if (field != NULL)
            add_field(p, field);
    }
    return LENS_OK;
}

/* One name is a tag or a field of a measurement, never both. */
static void
leave_out_tags(struct points *p)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < p->field_count; i++)
        if (!tags_have(&p->tags, POINT_SAMPLE, field_column(p->fields[i].field)))
            p->fields[kept++] = p->fields[i];
    p->field_count = kept;
    p->run_field = !tags_have(&p->tags, POINT_SAMPLE, "run");
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
    if (status == LENS_OK)
        status = choose_fields(p, host);
    leave_out_tags(p);
    return status;
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

static void
write_value(const struct point_field *f, const struct value *v, struct lines *to)
{
    switch (v->kind) {
    case VALUE_INT:
        line_int(to, f->key, v->integer);
        break;
    case VALUE_BOOL:
        line_bool(to, f->key, v->integer != 0);
        break;
    case VALUE_STRING:
    case VALUE_JSON:
        line_string(to, f->key, v->string);
        break;
    case VALUE_DOUBLE:
        if (f->is_time)
            line_seconds(to, f->time_key, llround(v->number * 1e6));
        else
            line_float(to, f->number_key, v->number);
        break;
    case VALUE_NONE:
        break;
    }
}

void
points_sample(const struct points *p, const struct lens_sample *s, struct lines *to)
{
    struct value v;

    begin(p, "sample", to);
    tags_write(&p->tags, POINT_SAMPLE, &p->facts, s->target, s->stage, s, to);
    if (p->run_field)
        line_string(to, "run", p->facts.id);
    for (uint32_t i = 0; i < p->field_count; i++) {
        field_read(p->fields[i].field, s, &p->facts.names, &v);
        write_value(&p->fields[i], &v, to);
    }
    line_end(to, s->unix_ns);
}

/* ---- intervals and results ---- */

static void
write_stat(const struct lens_name *name, const char *stat, double value, struct lines *to)
{
    char field[128];

    snprintf(field, sizeof field, "%s_%s", name->influx, stat);
    line_float(to, field, value * name->scale);
}

static void
write_metric(const struct lens_name *name, const struct lens_metric *m, struct lines *to)
{
    char field[128];

    snprintf(field, sizeof field, "%s_count", name->influx);
    line_int(to, field, (int64_t)m->count);
    if (m->count == 0)
        return;
    write_stat(name, "min", m->min, to);
    write_stat(name, "mean", m->mean, to);
    write_stat(name, "stddev", m->stddev, to);
    for (uint32_t i = 0; i < m->quantile_count; i++) {
        const struct lens_quantile *q =
            (const void *)((const char *)m->quantiles + (size_t)i * m->quantile_size);
        char stat[32];

        snprintf(stat, sizeof stat, "p%.10g", q->q * 100);
        if (strchr(stat, '.') != NULL)
            *strchr(stat, '.') = '_';
        write_stat(name, stat, q->value, to);
    }
    write_stat(name, "max", m->max, to);
}

/* Counts are integers and stay integers: a field has one type for ever. */
static void
write_number(const struct lens_name *name, double value, struct lines *to)
{
    const int counts = name->kind == LENS_NAME_COUNTER && name->base_unit[0] == '{' &&
                       strcmp(name->base_unit, "{USD}") != 0;

    if (counts && fabs(value) < 9e18)
        line_int(to, name->influx, (int64_t)value);
    else if (!counts)
        line_float(to, name->influx, value * name->scale);
}

static void
write_numbers(const struct lens_result *r, struct lines *to)
{
    for (uint32_t i = 0; i < lens_name_count; i++) {
        const struct lens_name *name = &lens_names[i];
        const struct lens_metric *m;

        if (name->kind != LENS_NAME_HISTOGRAM) {
            write_number(name, lens_result_number(r, name->id), to);
            continue;
        }
        m = lens_result_metric(r, name->id);
        if (m != NULL)
            write_metric(name, m, to);
    }
}

static void
write_error(const struct points *p, const struct lens_result *r,
            const struct lens_error_count *e, int64_t unix_ns, struct lines *to)
{
    begin(p, "error", to);
    line_tag(to, "error", e->kind);
    line_tag(to, "where", e->where);
    tags_write(&p->tags, POINT_RESULT, &p->facts, r->target, r->stage, NULL, to);
    line_int(to, lens_name_find("errors")->influx, (int64_t)e->count);
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
    write_numbers(r, to);
    line_end(to, unix_ns);
    for (uint32_t i = 0; i < r->error_count; i++)
        write_error(p, r,
                    (const void *)((const char *)r->errors + (size_t)i * r->error_size),
                    unix_ns, to);
}

void
points_export(const struct points *p, const struct lens_export_info *e, int64_t unix_ns,
              struct lines *to)
{
    begin(p, "export", to);
    line_tag(to, "exporter", e->name);
    tags_write(&p->tags, POINT_RUN, &p->facts, 0, 0, NULL, to);
    line_int(to, lens_name_find("exports.delivered")->influx, (int64_t)e->delivered);
    line_int(to, lens_name_find("exports.refused")->influx, (int64_t)e->refused);
    line_int(to, lens_name_find("exports.failures")->influx, (int64_t)e->failures);
    line_end(to, unix_ns);
}
