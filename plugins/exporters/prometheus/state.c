#include "state.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bounds.h"
#include "exposition.h"

static const void *
element(const void *array, uint32_t nth, uint32_t stride)
{
    return (const char *)array + (size_t)nth * stride;
}

/* Never NULL unless there is no memory. */
static char *
copy(const char *text)
{
    return strdup(text != NULL ? text : "");
}

lens_status
state_open(struct state *s, const struct lens_host *host)
{
    return bounds_open(s, host);
}

static void
series_free(struct series *e)
{
    if (e == NULL)
        return;
    for (uint32_t i = 0; e->distributions != NULL && i < lens_name_count; i++) {
        free(e->distributions[i].classic);
        exponential_clear(&e->distributions[i].native);
    }
    for (uint32_t i = 0; i < e->error_count; i++) {
        free(e->errors[i].kind);
        free(e->errors[i].where);
    }
    for (uint32_t i = 0; i < e->slo_count; i++)
        free(e->slos[i].expr);
    free(e->distributions);
    free(e->numbers);
    free(e->text);
    free(e);
}

static void
forget_run(struct state *s)
{
    for (uint32_t i = 0; i < s->series_count; i++)
        series_free(s->series[i]);
    for (uint32_t i = 0; i < s->export_count; i++)
        free(s->exports[i].name);
    for (uint32_t i = 0; i < s->target_count; i++) {
        free(s->targets[i].name);
        free(s->targets[i].model);
    }
    for (uint32_t i = 0; i < s->stage_count; i++)
        free(s->stages[i]);
    for (uint32_t i = 0; i < s->run_label_count; i++)
        free((char *)s->run_labels[i].value);
    free(s->series);
    free(s->exports);
    free(s->targets);
    free(s->stages);
    s->series = NULL;
    s->exports = NULL;
    s->targets = NULL;
    s->stages = NULL;
    s->series_count = s->export_count = s->target_count = s->stage_count = 0;
    s->run_label_count = 0;
}

void
state_close(struct state *s)
{
    forget_run(s);
}

static void
add_run_label(struct state *s, const char *name, const char *value)
{
    if (value != NULL && *value != '\0')
        s->run_labels[s->run_label_count++] = (struct label){ name, copy(value) };
}

lens_status
state_begin(struct state *s, const struct lens_run *run)
{
    forget_run(s);
    s->start_unix_ns = run->start_unix_ns;
    s->targets = calloc((size_t)run->target_count + 1, sizeof *s->targets);
    s->stages = calloc((size_t)run->stage_count + 1, sizeof *s->stages);
    if (s->targets == NULL || s->stages == NULL)
        return LENS_E_NOMEM;
    for (; s->target_count < run->target_count; s->target_count++) {
        const struct lens_target_info *from =
            element(run->targets, s->target_count, run->target_size);

        s->targets[s->target_count].name = copy(from->name);
        s->targets[s->target_count].model = copy(from->model);
    }
    for (; s->stage_count < run->stage_count; s->stage_count++) {
        const struct lens_stage_info *from =
            element(run->stages, s->stage_count, run->stage_size);

        s->stages[s->stage_count] = copy(from->name);
    }
    add_run_label(s, "host", run->host_name);
    add_run_label(s, "run_id", run->id);
    add_run_label(s, "seed", run->seed);
    add_run_label(s, "version", run->version);
    s->version++;
    return LENS_OK;
}

/* ---- series ---- */

static void
name_series(const struct state *s, struct series *e)
{
    const struct label all[] = {
        { "model", e->target < s->target_count ? s->targets[e->target].model : NULL },
        { "stage", e->stage < s->stage_count ? s->stages[e->stage] : NULL },
        { "target", e->target < s->target_count ? s->targets[e->target].name : NULL },
    };

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i].value != NULL && *all[i].value != '\0')
            e->labels[e->label_count++] = all[i];
    e->text = exposition_labels(e->labels, e->label_count);
}

static struct series *
new_series(struct state *s, uint32_t target, uint32_t stage)
{
    struct series *e = calloc(1, sizeof *e);
    struct series **grown;

    if (e == NULL)
        return NULL;
    e->target = target;
    e->stage = stage;
    name_series(s, e);
    e->numbers = malloc(lens_name_count * sizeof *e->numbers);
    e->distributions = calloc(lens_name_count, sizeof *e->distributions);
    grown = realloc(s->series, (s->series_count + 1) * sizeof *s->series);
    if (grown != NULL)
        s->series = grown;
    if (grown == NULL || e->text == NULL || e->numbers == NULL ||
        e->distributions == NULL) {
        series_free(e);
        return NULL;
    }
    for (uint32_t i = 0; i < lens_name_count; i++)
        e->numbers[i] = (double)NAN;
    s->series[s->series_count++] = e;
    return e;
}

static struct series *
find_series(struct state *s, uint32_t target, uint32_t stage)
{
    for (uint32_t i = 0; i < s->series_count; i++)
        if (s->series[i]->target == target && s->series[i]->stage == stage)
            return s->series[i];
    return new_series(s, target, stage);
}

/* ---- what a result tells ---- */

/* Ranges are counted by their middle, as percentiles are told. */
static int
fill(struct distribution *d, const struct lens_host *host, const struct lens_metric *m,
     double scale)
{
    struct lens_bucket range;
    uint64_t cursor = 0;
    uint32_t bound = 0;
    uint64_t sum = 0;
    int ok = 1;

    while (host->histogram_next(host, m->histogram, &cursor, &range) && ok) {
        const double middle =
            ((double)range.low + (double)(range.high - range.low) / 2) * scale;

        for (; bound < d->bounds->count && middle > d->bounds->values[bound]; bound++)
            d->classic[bound] = sum;
        sum += range.count;
        ok = exponential_add(&d->native, range.low == 0 ? 0 : middle, range.count);
    }
    for (; bound < d->bounds->count; bound++)
        d->classic[bound] = sum;
    return ok;
}

static int
take_metric(const struct state *s, struct distribution *d, const struct lens_host *host,
            const struct lens_name *name, const struct lens_metric *m)
{
    if (d->classic == NULL) {
        d->bounds = bounds_of(s, name);
        d->classic = calloc(d->bounds->count + 1, sizeof *d->classic);
        exponential_init(&d->native, 0);
    }
    exponential_reset(&d->native);
    if (d->classic == NULL)
        return 0;
    d->count = m->count;
    d->sum = m->sum * name->scale;
    if (m->histogram == NULL || m->count == 0)
        return 1;
    return fill(d, host, m, m->scale * name->scale);
}

static void
take_error(struct series *e, const struct lens_error_count *from)
{
    const char *where = from->where != NULL ? from->where : "";
    uint32_t at = 0;

    while (at < e->error_count && (strcmp(e->errors[at].kind, from->kind) != 0 ||
                                   strcmp(e->errors[at].where, where) != 0))
        at++;
    if (at == MOST_ERRORS)
        return;
    if (at == e->error_count) {
        struct error_total fresh = { copy(from->kind), copy(where), 0 };

        if (fresh.kind == NULL || fresh.where == NULL) {
            free(fresh.kind);
            free(fresh.where);
            return;
        }
        e->errors[e->error_count++] = fresh;
    }
    e->errors[at].count = (double)from->count;
}

static void
take_slo(struct series *e, uint32_t nth, const struct lens_slo_state *from)
{
    if (nth >= MOST_SLOS || nth > e->slo_count)
        return;
    if (nth == e->slo_count) {
        e->slos[nth].expr = copy(from->expr);
        if (e->slos[nth].expr == NULL)
            return;
        e->slo_count++;
    }
    e->slos[nth].met = from->met ? 1 : 0;
}

struct series *
state_take(struct state *s, const struct lens_host *host, const struct lens_result *r,
           int64_t unix_ns)
{
    struct series *e = find_series(s, r->target, r->stage);
    int ok = e != NULL;

    for (uint32_t i = 0; ok && i < lens_name_count; i++) {
        const struct lens_name *name = &lens_names[i];
        const struct lens_metric *m;

        if (name->kind != LENS_NAME_HISTOGRAM) {
            e->numbers[i] = lens_result_number(r, name->id) * name->scale;
            continue;
        }
        m = lens_result_metric(r, name->id);
        if (m != NULL)
            ok = take_metric(s, &e->distributions[i], host, name, m);
    }
    for (uint32_t i = 0; ok && i < r->error_count; i++)
        take_error(e, element(r->errors, i, r->error_size));
    for (uint32_t i = 0; ok && i < r->slo_count; i++)
        take_slo(e, i, element(r->slos, i, r->slo_size));
    if (ok && unix_ns / 1000000 > e->time_ms)
        e->time_ms = unix_ns / 1000000;
    s->failed |= !ok;
    s->version++;
    return ok ? e : NULL;
}

void
state_take_exports(struct state *s, const struct lens_snapshot *snapshot)
{
    for (uint32_t i = 0; i < snapshot->export_count; i++) {
        const struct lens_export_info *from =
            element(snapshot->exports, i, snapshot->export_size);
        uint32_t at = 0;

        while (at < s->export_count && strcmp(s->exports[at].name, from->name) != 0)
            at++;
        if (at == s->export_count) {
            struct export_total *grown =
                realloc(s->exports, (at + 1) * sizeof *s->exports);
            char *name = copy(from->name);

            if (grown != NULL)
                s->exports = grown;
            if (grown == NULL || name == NULL) {
                free(name);
                return;
            }
            s->exports[s->export_count++] = (struct export_total){ .name = name };
        }
        s->exports[at].delivered = (double)from->delivered;
        s->exports[at].refused = (double)from->refused;
        s->exports[at].failures = (double)from->failures;
    }
}
