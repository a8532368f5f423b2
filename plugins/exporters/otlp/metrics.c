#include "metrics.h"

#include <math.h>
#include <string.h>

#include <names.h>

#include "points.h"

enum { TEMPORALITY_DELTA = 1, TEMPORALITY_CUMULATIVE = 2 };

struct builder {
    const struct lens_host *host;
    const struct origin *origin;
    const struct settings *settings;
    const struct lens_snapshot *snapshot;
    struct exponential *scratch;
    struct tree *tree;
    struct node *scope;
    struct moment rising, now; /* of counters and histograms; of gauges */
    /* The metric that rows are being added to. */
    const char *open_name;
    struct node *open_data;
};

/* What a point is about, beside the attributes of its target. */
struct about {
    const struct builder *b;
    const struct lens_result *result; /* NULL: none */
    const char *keys[3], *values[3];
};

static void
add_about(void *data, struct tree *t, struct node *point, const struct otlp_field *f)
{
    const struct about *a = data;

    if (a->result != NULL)
        origin_attributes(a->b->origin, a->result->target, a->result->stage, t, point, f);
    for (size_t i = 0; i < 3 && a->keys[i] != NULL; i++)
        attribute_string(t, point, f, a->keys[i], a->values[i]);
}

static const char *
label_key(const struct builder *b, const char *label)
{
    const struct lens_label_name *l = lens_label_find(label);

    if (l == NULL)
        return label;
    return b->settings->next_names ? l->otlp_next : l->otlp;
}

static const char *
name_of(const struct builder *b, const struct lens_name *row)
{
    return b->settings->next_names ? row->otlp_next : row->otlp;
}

/* ---- a metric ---- */

/* Rows of one name are one metric; they stand together in the table. */
static struct node *
metric_for(struct builder *b, const char *name, const struct lens_name *row)
{
    const struct otlp_field *kind = row->kind == LENS_NAME_GAUGE     ? OTLP(METRIC_GAUGE)
                                    : row->kind == LENS_NAME_COUNTER ? OTLP(METRIC_SUM)
                                    : b->settings->explicit_buckets
                                        ? OTLP(METRIC_HISTOGRAM)
                                        : OTLP(METRIC_EXPONENTIAL);
    struct node *metric;

    if (b->open_name != NULL && strcmp(b->open_name, name) == 0)
        return b->open_data;
    metric = tree_message(b->tree, b->scope, OTLP(SCOPE_METRICS));
    tree_string(b->tree, metric, OTLP(METRIC_NAME), name);
    tree_string(b->tree, metric, OTLP(METRIC_DESCRIPTION), row->help);
    tree_string(b->tree, metric, OTLP(METRIC_UNIT), row->base_unit);
    b->open_name = name;
    b->open_data = tree_message(b->tree, metric, kind);
    return b->open_data;
}

/* What follows the points of a metric; no point may come after it. */
static void
close_metric(struct builder *b, const struct lens_name *row)
{
    if (b->open_name == NULL)
        return;
    if (row->kind != LENS_NAME_GAUGE)
        tree_integer(b->tree, b->open_data, OTLP(TEMPORALITY),
                     b->settings->delta ? TEMPORALITY_DELTA : TEMPORALITY_CUMULATIVE);
    if (row->kind == LENS_NAME_COUNTER)
        tree_integer(b->tree, b->open_data, OTLP(MONOTONIC), 1);
    b->open_name = NULL;
    b->open_data = NULL;
}

/* ---- results of the snapshot ---- */

static const struct lens_result *
result_at(const struct builder *b, uint32_t nth, int totals)
{
    const char *first =
        (const char *)(totals ? b->snapshot->total : b->snapshot->interval);

    return (const struct lens_result *)(const void *)(first +
                                                      (size_t)nth *
                                                          b->snapshot->result_size);
}

/* Where a value is taken from: gauges tell of the interval. */
static const struct lens_result *
source_of(const struct builder *b, const struct lens_name *row, uint32_t nth)
{
    return result_at(b, nth, row->kind != LENS_NAME_GAUGE && !b->settings->delta);
}

/* ---- rows ---- */

static void
add_number(struct builder *b, const struct lens_name *row, const char *name,
           const struct about *about, double value)
{
    const int rising = row->kind == LENS_NAME_COUNTER;
    struct node *data, *point;

    if (!isfinite(value))
        return;
    data = metric_for(b, name, row);
    point = point_number(b->tree, data, rising ? &b->rising : &b->now, value * row->scale,
                         rising && row->base_unit[0] == '{' &&
                             strcmp(row->base_unit, "{USD}") != 0);
    add_about((void *)about, b->tree, point, OTLP(NUMBER_ATTRIBUTES));
}

static void
add_metric(struct builder *b, const struct lens_name *row, const char *name,
           struct about *about, const struct lens_metric *m)
{
    if (m == NULL || m->count == 0 || m->histogram == NULL)
        return;
    if (b->settings->explicit_buckets)
        point_explicit(b->host, m, row, &b->rising, add_about, about, b->tree,
                       metric_for(b, name, row));
    else
        point_exponential(b->host, m, row, &b->rising, b->scratch, add_about, about,
                          b->tree, metric_for(b, name, row));
}

/* Input and output of gen_ai.client.token.usage are told apart by a label there. */
static void
label_tokens(const struct lens_name *row, const char *name, struct about *about)
{
    if (strcmp(name, "gen_ai.client.token.usage") != 0)
        return;
    about->keys[0] = "gen_ai.token.type";
    about->values[0] = strncmp(row->id, "input", 5) == 0 ? "input" : "output";
}

static void
add_row(struct builder *b, const struct lens_name *row, const char *name, int labelled)
{
    for (uint32_t i = 0; i < b->snapshot->result_count; i++) {
        const struct lens_result *r = source_of(b, row, i);
        struct about about = { .b = b, .result = r };

        if (labelled && row->label != NULL && row->label_value != NULL) {
            about.keys[0] = label_key(b, row->label);
            about.values[0] = row->label_value;
        }
        label_tokens(row, name, &about);
        if (row->kind == LENS_NAME_HISTOGRAM)
            add_metric(b, row, name, &about, lens_result_metric(r, row->id));
        else
            add_number(b, row, name, &about, lens_result_number(r, row->id));
    }
}

static const struct lens_error_count *
error_at(const struct lens_result *r, uint32_t nth)
{
    return (const struct lens_error_count *)(const void *)((const char *)r->errors +
                                                           (size_t)nth * r->error_size);
}

static void
about_error(struct about *about, const struct lens_error_count *e)
{
    about->keys[0] = "error.type";
    about->values[0] = e->kind;
    about->keys[1] = label_key(about->b, "where");
    about->values[1] = e->where;
}

static void
add_errors(struct builder *b, const struct lens_name *row, int durations)
{
    for (uint32_t i = 0; i < b->snapshot->result_count; i++) {
        const struct lens_result *r = source_of(b, row, i);

        for (uint32_t k = 0; k < r->error_count; k++) {
            const struct lens_error_count *e = error_at(r, k);
            struct about about = { .b = b, .result = r };

            about_error(&about, e);
            if (durations) {
                about.keys[1] = NULL; /* not an attribute of the convention */
                add_metric(b, row, name_of(b, row), &about, e->duration);
            } else {
                add_number(b, row, name_of(b, row), &about, (double)e->count);
            }
        }
    }
}

/* How far exporters have come is known for the run as a whole. */
static void
add_exports(struct builder *b, const struct lens_name *row)
{
    const char *at = (const char *)b->snapshot->exports;

    if (b->settings->delta)
        return;
    for (uint32_t i = 0; i < b->snapshot->export_count;
         i++, at += b->snapshot->export_size) {
        const struct lens_export_info *e =
            (const struct lens_export_info *)(const void *)at;
        struct about about = { .b = b,
                               .keys = { label_key(b, "exporter") },
                               .values = { e->name } };
        const char *what = strchr(row->id, '.') + 1;

        add_number(b, row, name_of(b, row), &about,
                   (double)(what[0] == 'd'   ? e->delivered
                            : what[0] == 'r' ? e->refused
                                             : e->failures));
    }
}

static void
add_slos(struct builder *b, const struct lens_name *row)
{
    for (uint32_t i = 0; i < b->snapshot->result_count; i++) {
        const struct lens_result *r = result_at(b, i, 1);
        const char *at = (const char *)r->slos;

        for (uint32_t k = 0; k < r->slo_count; k++, at += r->slo_size) {
            const struct lens_slo_state *slo =
                (const struct lens_slo_state *)(const void *)at;
            struct about about = { .b = b,
                                   .result = r,
                                   .keys = { label_key(b, row->label) },
                                   .values = { slo->expr } };

            add_number(b, row, name_of(b, row), &about, slo->met != 0);
        }
    }
}

static void
add_any_row(struct builder *b, const struct lens_name *row)
{
    if (strcmp(row->id, "errors") == 0)
        add_errors(b, row, 0);
    else if (strncmp(row->id, "exports.", 8) == 0)
        add_exports(b, row);
    else if (strcmp(row->id, "slo") == 0)
        add_slos(b, row);
    else if (strcmp(row->id, "run") != 0) /* the resource says it */
        add_row(b, row, name_of(b, row), 1);
    if (strcmp(row->id, "duration") == 0)
        add_errors(b, row, 1);
}

static int
same_metric(const struct builder *b, uint32_t row)
{
    return row + 1 < lens_name_count &&
           strcmp(name_of(b, &lens_names[row]), name_of(b, &lens_names[row + 1])) == 0;
}

static void
add_rows(struct builder *b)
{
    for (uint32_t i = 0; i < lens_name_count; i++) {
        add_any_row(b, &lens_names[i]);
        if (!same_metric(b, i))
            close_metric(b, &lens_names[i]);
    }
    for (uint32_t i = 0; b->settings->next_names && i < lens_name_count; i++)
        if (lens_names[i].otlp_also != NULL) {
            add_row(b, &lens_names[i], lens_names[i].otlp_also, 0);
            close_metric(b, &lens_names[i]);
        }
}

struct node *
metrics_build(const struct lens_host *host, const struct origin *o,
              const struct settings *s, const struct lens_snapshot *snapshot,
              struct exponential *scratch, struct tree *t)
{
    struct node *root = tree_begin(t);
    struct node *resource = tree_message(t, root, OTLP(REQUEST_METRICS));
    struct builder b = {
        .host = host,
        .origin = o,
        .settings = s,
        .snapshot = snapshot,
        .scratch = scratch,
        .tree = t,
        .now = { 0, (uint64_t)snapshot->unix_ns },
    };
    const int64_t length = snapshot->end_ns - snapshot->begin_ns;

    b.rising.time = b.now.time;
    b.rising.start = (uint64_t)(s->delta ? snapshot->unix_ns - length : o->start_unix_ns);
    origin_resource(o, t, resource);
    b.scope = tree_message(t, resource, OTLP(RESOURCE_SCOPE_METRICS));
    origin_scope(o, t, b.scope);
    add_rows(&b);
    tree_string(t, b.scope, OTLP(SCHEMA_URL),
                s->next_names ? "https://opentelemetry.io/schemas/gen-ai-dev"
                              : "https://opentelemetry.io/schemas/1.41.0");
    return root;
}
