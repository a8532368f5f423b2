#include "payload.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TYPE_COUNT = 1, TYPE_GAUGE = 3 };

/* ---- what series share ---- */

void
origin_clear(struct origin *o)
{
    free(o->host_name);
    o->host_name = NULL;
    run_names_clear(&o->names);
}

lens_status
origin_take(struct origin *o, const struct lens_run *run)
{
    origin_clear(o);
    o->host_name = strdup(run->host_name != NULL ? run->host_name : "");
    return o->host_name != NULL ? run_names_take(&o->names, run) : LENS_E_NOMEM;
}

struct body {
    struct lens_writer w;
    const struct origin *origin;
    uint32_t series;
};

static void
write_text(struct lens_writer *w, const char *text)
{
    lens_write_string(w, text, strlen(text));
}

static void
add_tag(struct lens_writer *w, const char *key, const char *value, const char **comma)
{
    char tag[512];

    if (value == NULL || value[0] == '\0')
        return;
    snprintf(tag, sizeof tag, "%s%s%s", key, key[0] != '\0' ? ":" : "", value);
    lens_write(w, *comma);
    write_text(w, tag);
    *comma = ",";
}

static void
write_tags(struct body *b, uint32_t target, uint32_t stage, const char *key,
           const char *value)
{
    const struct origin *o = b->origin;
    const char *comma = "";

    lens_write(&b->w, "\"tags\":[");
    if (target < o->names.target_count) {
        add_tag(&b->w, "target", o->names.targets[target], &comma);
        add_tag(&b->w, "model", o->names.models[target], &comma);
        add_tag(&b->w, "provider", o->names.providers[target], &comma);
    }
    if (stage < o->names.stage_count)
        add_tag(&b->w, "stage", o->names.stages[stage], &comma);
    for (uint32_t i = 0; i < o->tag_count; i++)
        add_tag(&b->w, "", o->tags[i], &comma);
    if (key != NULL)
        add_tag(&b->w, key, value, &comma);
    lens_write(&b->w, "]");
}

static void
begin_body(struct body *b, const struct origin *o, struct text *out)
{
    text_rewind(out);
    b->origin = o;
    b->series = 0;
    lens_write_begin(&b->w, out, text_put);
    lens_write(&b->w, "{\"series\":[");
}

static uint32_t
end_body(struct body *b, struct text *out)
{
    lens_write(&b->w, "]}");
    if (lens_write_end(&b->w) != LENS_OK)
        out->failed = 1;
    return b->series;
}

static void
begin_series(struct body *b, const char *name)
{
    if (b->series++ > 0)
        lens_write(&b->w, ",");
    lens_write(&b->w, "{\"metric\":");
    write_text(&b->w, name);
    lens_write(&b->w, ",");
}

/* ---- intervals ---- */

struct moment {
    int64_t time_s, interval_s;
};

static void
add_value(struct body *b, const struct lens_result *r, const struct moment *at,
          const char *name, const struct lens_name *row, double value, const char *key,
          const char *tag)
{
    if (!isfinite(value))
        return;
    begin_series(b, name);
    lens_write(&b->w, row->kind == LENS_NAME_COUNTER ? "\"type\":1,\"interval\":"
                                                     : "\"type\":3,\"interval\":");
    lens_write_int(&b->w, at->interval_s);
    lens_write(&b->w, ",\"points\":[{\"timestamp\":");
    lens_write_int(&b->w, at->time_s);
    lens_write(&b->w, ",\"value\":");
    lens_write_double(&b->w, value);
    lens_write(&b->w, "}],\"resources\":[{\"type\":\"host\",\"name\":");
    write_text(&b->w, b->origin->host_name);
    lens_write(&b->w, "}],");
    write_tags(b, r->target, r->stage, key, tag);
    lens_write(&b->w, "}");
}

static void
add_errors(struct body *b, const struct lens_result *r, const struct moment *at)
{
    const struct lens_name *row = lens_name_find("errors");
    const char *one = (const char *)r->errors;

    for (uint32_t i = 0; i < r->error_count; i++, one += r->error_size) {
        const struct lens_error_count *e =
            (const struct lens_error_count *)(const void *)one;

        add_value(b, r, at, row->statsd, row, (double)e->count, "error", e->kind);
    }
}

/* Percentiles of the interval, for those who do not pay for distributions. */
static void
add_quantiles(struct body *b, const struct lens_result *r, const struct moment *at,
              const struct lens_name *row)
{
    static const struct {
        double q;
        const char *name;
    } quantiles[] = { { 0.5, "p50" }, { 0.9, "p90" }, { 0.95, "p95" }, { 0.99, "p99" } };
    const struct lens_metric *m = lens_result_metric(r, row->id);
    char name[128];

    for (size_t i = 0; m != NULL && i < sizeof quantiles / sizeof quantiles[0]; i++) {
        snprintf(name, sizeof name, "%s.%s", row->statsd, quantiles[i].name);
        add_value(b, r, at, name, row, lens_metric_quantile(m, quantiles[i].q), NULL,
                  NULL);
    }
}

static void
add_result(struct body *b, const struct lens_result *r, const struct moment *at)
{
    for (uint32_t i = 0; i < lens_name_count; i++) {
        const struct lens_name *row = &lens_names[i];

        if (row->kind == LENS_NAME_HISTOGRAM)
            add_quantiles(b, r, at, row);
        else
            add_value(b, r, at, row->statsd, row, lens_result_number(r, row->id), NULL,
                      NULL);
    }
    add_errors(b, r, at);
}

uint32_t
payload_snapshot(const struct origin *o, const struct lens_snapshot *s, struct text *out)
{
    const int64_t seconds = (s->end_ns - s->begin_ns + 500000000) / 1000000000;
    /* Datadog keeps one point a second. Begins are an interval apart, the end of the
     * last one need not be. */
    const struct moment at = { (o->names.start_unix_ns + s->begin_ns) / 1000000000,
                               seconds > 0 ? seconds : 1 };
    const char *result = (const char *)s->interval;
    struct body b;

    begin_body(&b, o, out);
    for (uint32_t i = 0; i < s->result_count; i++, result += s->result_size)
        add_result(&b, (const struct lens_result *)(const void *)result, &at);
    return end_body(&b, out);
}

/* ---- samples ---- */

uint32_t
distributions_find(struct distribution ret[MOST_DISTRIBUTIONS])
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < lens_name_count; i++)
        for (uint32_t k = 0; k < sample_field_count && count < MOST_DISTRIBUTIONS; k++)
            if (lens_names[i].kind == LENS_NAME_HISTOGRAM &&
                strcmp(field_column(&sample_fields[k]), lens_names[i].sql) == 0)
                ret[count++] = (struct distribution){ &sample_fields[k], &lens_names[i] };
    return count;
}

static int64_t
second_of(const struct origin *o, const struct lens_sample *s)
{
    const int64_t at = s->end_ns >= 0 ? s->end_ns : s->due_ns;

    return (o->names.start_unix_ns + (at > 0 ? at : 0)) / 1000000000;
}

static int
is_told(const struct lens_sample *s)
{
    return s->phase == LENS_PART_MEASURED && s->outcome == LENS_OUTCOME_OK;
}

static int
same_series(const struct lens_sample *a, const struct lens_sample *b)
{
    return a->target == b->target && a->stage == b->stage;
}

/* Whether a sample before `nth` is of the same series: it was told with that one. */
static int
told_before(const struct lens_sample *const *batch, uint64_t nth)
{
    for (uint64_t i = 0; i < nth; i++)
        if (is_told(batch[i]) && same_series(batch[i], batch[nth]))
            return 1;
    return 0;
}

/* Points of one series from `nth` on, those of one second together. */
static uint32_t
write_points(struct body *b, const struct distribution *d,
             const struct lens_sample *const *batch, uint64_t nth, uint64_t count)
{
    int64_t open = -1;
    uint32_t values = 0;
    struct value v;

    for (uint64_t i = nth; i < count; i++) {
        if (!is_told(batch[i]) || !same_series(batch[i], batch[nth]))
            continue;
        field_read(d->field, batch[i], &b->origin->names, &v);
        if (v.kind == VALUE_INT)
            v.number = (double)v.integer;
        else if (v.kind != VALUE_DOUBLE)
            continue;
        if (second_of(b->origin, batch[i]) != open) {
            lens_write(&b->w, open >= 0 ? "]],[" : "[");
            open = second_of(b->origin, batch[i]);
            lens_write_int(&b->w, open);
            lens_write(&b->w, ",[");
        } else {
            lens_write(&b->w, ",");
        }
        lens_write_double(&b->w, v.number);
        values++;
    }
    if (values > 0)
        lens_write(&b->w, "]]");
    return values;
}

static int
has_value(const struct body *b, const struct distribution *d,
          const struct lens_sample *const *batch, uint64_t nth, uint64_t count)
{
    struct value v;

    for (uint64_t i = nth; i < count; i++) {
        if (!is_told(batch[i]) || !same_series(batch[i], batch[nth]))
            continue;
        field_read(d->field, batch[i], &b->origin->names, &v);
        if (v.kind == VALUE_INT || v.kind == VALUE_DOUBLE)
            return 1;
    }
    return 0;
}

uint32_t
payload_samples(const struct origin *o, const struct distribution *list,
                uint32_t list_count, const struct lens_sample *const *batch,
                uint64_t count, struct text *out)
{
    struct body b;

    begin_body(&b, o, out);
    for (uint64_t i = 0; i < count; i++) {
        if (!is_told(batch[i]) || told_before(batch, i))
            continue;
        for (uint32_t k = 0; k < list_count; k++) {
            if (!has_value(&b, &list[k], batch, i, count))
                continue;
            begin_series(&b, list[k].name->statsd);
            lens_write(&b.w, "\"points\":[");
            write_points(&b, &list[k], batch, i, count);
            lens_write(&b.w, "],\"host\":");
            write_text(&b.w, o->host_name);
            lens_write(&b.w, ",");
            write_tags(&b, batch[i]->target, batch[i]->stage, NULL, NULL);
            lens_write(&b.w, "}");
        }
    }
    return end_body(&b, out);
}
