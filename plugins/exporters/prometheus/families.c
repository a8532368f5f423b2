/* Series by family, in the order of the table. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "state.h"

static struct point *
add(struct family *f, const struct series *series, double value)
{
    if (f->count == f->room) {
        const uint32_t room = f->room * 2 + 64;
        struct point *grown = realloc(f->points, room * sizeof *grown);

        if (grown == NULL) {
            f->failed = 1;
            return NULL;
        }
        f->points = grown;
        f->room = room;
    }
    f->points[f->count] = (struct point){ .series = series, .value = value };
    return &f->points[f->count++];
}

static void
label(struct point *p, const char *name, const char *value)
{
    if (p != NULL && value != NULL && *value != '\0')
        p->labels[p->label_count++] = (struct label){ name, value };
}

static void
add_errors(struct family *f, const struct series *e)
{
    for (uint32_t i = 0; i < e->error_count; i++) {
        struct point *p = add(f, e, e->errors[i].count);

        label(p, "error", e->errors[i].kind);
        label(p, "where", e->errors[i].where);
    }
}

static void
add_slos(struct family *f, const struct series *e)
{
    for (uint32_t i = 0; i < e->slo_count; i++)
        label(add(f, e, e->slos[i].met), "slo", e->slos[i].expr);
}

static void
add_exports(struct family *f, const struct state *s, const char *what)
{
    for (uint32_t i = 0; i < s->export_count; i++) {
        const struct export_total *e = &s->exports[i];

        label(add(f, NULL,
                  strcmp(what, "delivered") == 0 ? e->delivered
                  : strcmp(what, "refused") == 0 ? e->refused
                                                 : e->failures),
              "exporter", e->name);
    }
}

static void
add_run(struct family *f, const struct state *s)
{
    struct point *p = add(f, NULL, 1);

    for (uint32_t i = 0; i < s->run_label_count; i++)
        label(p, s->run_labels[i].name, s->run_labels[i].value);
}

static void
add_row(struct family *f, const struct lens_name *row, const struct series *e)
{
    const uint32_t nth = (uint32_t)(row - lens_names);

    if (row->kind == LENS_NAME_HISTOGRAM) {
        const struct distribution *d = &e->distributions[nth];
        struct point *p =
            d->classic != NULL && d->count > 0 ? add(f, e, (double)NAN) : NULL;

        if (p != NULL)
            p->distribution = d;
    } else if (strcmp(row->id, "errors") == 0) {
        add_errors(f, e);
    } else if (strcmp(row->id, "slo") == 0) {
        add_slos(f, e);
    } else if (isfinite(e->numbers[nth])) {
        label(add(f, e, e->numbers[nth]), row->label, row->label_value);
    }
}

/* Of one row of the table. */
static void
collect(struct family *f, const struct state *s, const struct series *of,
        const struct lens_name *row)
{
    if (strncmp(row->id, "exports.", 8) == 0) {
        if (of == NULL)
            add_exports(f, s, row->id + 8);
    } else if (strcmp(row->id, "run") == 0) {
        if (of == NULL)
            add_run(f, s);
    } else if (of != NULL) {
        add_row(f, row, of);
    } else {
        for (uint32_t i = 0; i < s->series_count; i++)
            add_row(f, row, s->series[i]);
    }
}

int
families_each(const struct state *s, const struct series *of, family_fn fn, void *data)
{
    struct family f = { 0 };

    for (uint32_t i = 0; i < lens_name_count && !f.failed; i++) {
        const struct lens_name *row = &lens_names[i];

        if (f.name == NULL || strcmp(f.name->prometheus, row->prometheus) != 0) {
            if (f.count > 0)
                fn(&f, data);
            f.name = row;
            f.count = 0;
        }
        collect(&f, s, of, row);
    }
    if (f.count > 0 && !f.failed)
        fn(&f, data);
    free(f.points);
    return !f.failed;
}
