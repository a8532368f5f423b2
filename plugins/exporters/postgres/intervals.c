#include "intervals.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <names.h>
#include <write.h>

static const struct {
    const char *name;
    double q; /* -1: none */
} stats[] = { { "count", -1 }, { "mean", -1 },  { "p50", 0.5 }, { "p90", 0.9 },
              { "p95", 0.95 }, { "p99", 0.99 }, { "max", -1 } };
#define STATS (sizeof stats / sizeof stats[0])

static const char *const heads[][2] = {
    { "run_id", "text" },
    { "target", "text" },
    { "stage", "text" },
    { "time", "timestamptz" },
    { "interval_index", "bigint" },
    { "begin_s", "double precision" },
    { "end_s", "double precision" },
    { "provider", "text" },
    { "model", "text" },
    { "verdict", "text" },
    { "errors", "jsonb" },
};
#define HEADS (sizeof heads / sizeof heads[0])

/* Rows of the name table that one interval, target and stage has. */
static int
is_told(const struct lens_name *n)
{
    return strcmp(n->id, "errors") != 0 && strncmp(n->id, "exports.", 8) != 0 &&
           strcmp(n->id, "slo") != 0 && strcmp(n->id, "run") != 0;
}

static int
add_name(struct table *t, const struct lens_name *n)
{
    char name[128];

    if (n->kind != LENS_NAME_HISTOGRAM)
        return table_add(t, n->sql, "double precision", n->id, 0);
    for (size_t i = 0; i < STATS; i++) {
        snprintf(name, sizeof name, "%s_%s", n->sql, stats[i].name);
        if (!table_add(t, name, "double precision", n->id, 0))
            return 0;
    }
    return 1;
}

int
interval_table_make(struct table *t)
{
    for (size_t i = 0; i < HEADS; i++)
        if (!table_add(t, heads[i][0], heads[i][1], "", 0))
            return 0;
    for (uint32_t i = 0; i < lens_name_count; i++)
        if (is_told(&lens_names[i]) && !add_name(t, &lens_names[i]))
            return 0;
    t->key = "run_id, target, stage, time";
    t->time = "time";
    t->whole = 1;
    return 1;
}

/* ---- a row ---- */

static void
put_errors(const struct lens_result *r, struct text *out)
{
    const char *at = (const char *)r->errors;
    char number[32];

    text_add(out, "{");
    for (uint32_t i = 0; i < r->error_count; i++, at += r->error_size) {
        const struct lens_error_count *e =
            (const struct lens_error_count *)(const void *)at;

        snprintf(number, sizeof number, "\":%llu", (unsigned long long)e->count);
        text_add(out, i > 0 ? ",\"" : "\"");
        text_add(out, e->kind);
        text_add(out, number);
    }
    text_add(out, "}");
}

static void
put_name(char *const *names, uint32_t count, uint32_t nth, struct text *out)
{
    row_next(out, 0);
    if (nth < count && names != NULL && names[nth] != NULL)
        row_text(out, names[nth]);
    else
        row_null(out);
}

static void
put_number(double value, struct text *out)
{
    row_next(out, 0);
    row_number(out, value);
}

static void
put_heads(const struct lens_snapshot *s, const struct lens_result *r,
          const struct run_names *n, struct text *out)
{
    struct value time = { .kind = VALUE_NONE };

    row_text(out, n->run_id);
    put_name(n->targets, n->target_count, r->target, out);
    put_name(n->stages, n->stage_count, r->stage, out);
    row_next(out, 0);
    value_set_time(&time, s->unix_ns);
    row_value(out, &time);
    put_number((double)s->index, out);
    put_number((double)s->begin_ns / 1e9, out);
    put_number((double)s->end_ns / 1e9, out);
    put_name(n->providers, n->target_count, r->target, out);
    put_name(n->models, n->target_count, r->target, out);
    row_next(out, 0);
    row_text(out, r->verdict);
    row_next(out, 0);
    put_errors(r, out);
}

static double
stat_of(const struct lens_metric *m, size_t nth)
{
    if (m == NULL)
        return nth == 0 ? 0 : (double)NAN;
    if (stats[nth].q >= 0)
        return lens_metric_quantile(m, stats[nth].q);
    return nth == 0 ? (double)m->count : nth == 1 ? m->mean : m->max;
}

void
interval_row(const struct table *t, const struct lens_snapshot *s,
             const struct lens_result *r, const struct run_names *names, struct text *out)
{
    (void)t;
    put_heads(s, r, names, out);
    for (uint32_t i = 0; i < lens_name_count; i++) {
        const struct lens_name *n = &lens_names[i];

        if (!is_told(n))
            continue;
        if (n->kind != LENS_NAME_HISTOGRAM) {
            put_number(lens_result_number(r, n->id), out);
            continue;
        }
        for (size_t k = 0; k < STATS; k++)
            put_number(stat_of(lens_result_metric(r, n->id), k), out);
    }
    row_end(out);
}
