#include "exporter-result.h"

#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "metric.h"
#include "slo.h"

static const struct {
    const char *name;
    double q;
} quantiles[] = {
    { "p50", 0.5 },  { "p75", 0.75 }, { "p90", 0.9 },
    { "p95", 0.95 }, { "p99", 0.99 }, { "p99_9", 0.999 },
};

struct shown {
    char *json;
    GArray *results;       /* struct lens_result */
    GPtrArray *arrays;     /* GArray, of all results */
    GPtrArray *encoded;    /* GBytes */
    GPtrArray *histograms; /* copies; what is shown is `owned`'s otherwise */
    run_info *owned;       /* NULL: the caller's */
    GStringChunk *names;
};

/* ---- numbers: the numeric leaves of the summary ---- */

struct walk {
    shown *shown;
    GArray *numbers; /* struct lens_number */
    GString *path;
};

/* Says as much of the unit as the name does. */
static const char *
unit_of(const char *path)
{
    static const struct {
        const char *start, *end, *unit;
    } rules[] = {
        { "requests.", "", "requests" },
        { "tokens.unknown_requests", "", "requests" },
        { "cost.unknown_requests", "", "requests" },
        { "cost.", "", "USD" },
        { "tokens.", "", "tokens" },
        { "", "requests_per_s", "req/s" },
        { "", "tokens_per_s", "tok/s" },
        { "", "_bytes", "B" },
        { "", "_s", "s" },
        { "", "ratio", "ratio" },
        { "", "share", "ratio" },
        { "", "merged", "ratio" },
        { "client.clock.", "", "messages" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
        if (g_str_has_prefix(path, rules[i].start) &&
            g_str_has_suffix(path, rules[i].end))
            return rules[i].unit;
    return "";
}

static void
add_number(struct walk *w, const char *path, double value)
{
    const struct lens_number number = {
        .name = g_string_chunk_insert(w->shown->names, path),
        .unit = unit_of(path),
        .value = value,
    };

    g_array_append_val(w->numbers, number);
}

static void walk_object(struct walk *w, JsonObject *object);

static void
walk_node(struct walk *w, JsonNode *node)
{
    const GType type = json_node_get_value_type(node);

    if (JSON_NODE_HOLDS_OBJECT(node)) {
        walk_object(w, json_node_get_object(node));
    } else if (type == G_TYPE_INT64 || type == G_TYPE_DOUBLE) {
        add_number(w, w->path->str, json_node_get_double(node));
    }
}

/* What is a number in one result and null in another is told as unknown; a null that is
 * always text or a list otherwise is not a number at all. */
static bool
is_text(const char *name)
{
    static const char *const names[] = { "api",     "model", "name",  "url",
                                         "example", "where", "value", NULL };

    return g_strv_contains(names, name);
}

static void
walk_object(struct walk *w, JsonObject *object)
{
    const gsize size = w->path->len;
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;

    if (size > 0 && json_object_has_member(object, "p50"))
        return; /* a distribution: told as a metric */
    json_object_iter_init(&iter, object);
    while (json_object_iter_next(&iter, &name, &node)) {
        if (size == 0 && (strcmp(name, "workload") == 0 || strcmp(name, "verdict") == 0 ||
                          strcmp(name, "cost") == 0))
            continue; /* costs are text there, so that nothing is lost: add_costs */
        g_string_append_printf(w->path, "%s%s", size > 0 ? "." : "", name);
        if (!JSON_NODE_HOLDS_NULL(node))
            walk_node(w, node);
        else if (!is_text(name))
            add_number(w, w->path->str, NAN);
        g_string_truncate(w->path, size);
    }
}

/* The summary names only the kinds that occurred. */
static void
add_absent_errors(struct walk *w)
{
    for (uint32_t kind = 1; kind < ERROR_KINDS; kind++) {
        g_autofree char *path =
            g_strdup_printf("requests.errors.%s.count", error_kind_name(kind));
        bool found = false;

        for (guint i = 0; i < w->numbers->len && !found; i++)
            found =
                g_str_equal(g_array_index(w->numbers, struct lens_number, i).name, path);
        if (!found)
            add_number(w, path, 0);
    }
}

/* ---- costs ---- */

static void
add_cost(struct walk *w, const char *name, bool known, money_amount amount)
{
    g_autofree char *path = g_strconcat("cost.", name, NULL);

    add_number(w, path, known ? (double)amount / 1e12 : NAN);
}

static void
add_cost_per(struct walk *w, const char *name, char *text)
{
    g_autofree char *path = g_strconcat("cost.", name, NULL);

    add_number(w, path, text != NULL ? g_ascii_strtod(text, NULL) : NAN);
    g_free(text);
}

/* By the types of the name table, where both writes to the cache are one. */
static void
add_costs(struct walk *w, const result *r)
{
    const struct cost_view v = cost_of_result(r);
    const money_amount written =
        v.by[LENS_COST_CACHE_WRITE_5M] + v.by[LENS_COST_CACHE_WRITE_1H];

    add_cost(w, "total", v.known, v.total);
    add_cost(w, "input_uncached", v.known, v.by[LENS_COST_INPUT_UNCACHED]);
    add_cost(w, "cache_read", v.known, v.by[LENS_COST_CACHE_READ]);
    add_cost(w, "cache_write", v.known, written);
    add_cost(w, "output_visible", v.known, v.by[LENS_COST_OUTPUT_VISIBLE]);
    add_cost(w, "reasoning", v.known, v.by[LENS_COST_REASONING]);
    add_cost(w, "request", v.known, v.by[LENS_COST_REQUEST]);
    add_cost(w, "cache_saving", v.known, v.cache_saving);
    add_cost(w, "reported", v.reported_known, v.reported);
    add_cost_per(w, "per_request", cost_per(&v, 1, v.known_requests));
    add_cost_per(w, "per_1k_output",
                 cost_per(&v, 1000, (uint64_t)MAX(v.output_tokens, 0)));
    add_cost_per(w, "per_goodput_request", v.judged ? cost_per(&v, 1, v.good) : NULL);
    add_number(w, "cost.unknown_requests", (double)v.unknown_requests);
}

/* ---- metrics ---- */

static GArray *
new_array(shown *s, guint size)
{
    GArray *array = g_array_new(FALSE, TRUE, size);

    g_ptr_array_add(s->arrays, array);
    return array;
}

static const struct lens_histogram *
show_histogram(shown *s, const histogram *h)
{
    histogram *copy;

    if (s->owned != NULL)
        return (const struct lens_histogram *)h;
    copy = histogram_new();
    histogram_add(copy, h);
    g_ptr_array_add(s->histograms, copy);
    return (const struct lens_histogram *)copy;
}

static struct lens_metric
metric_of(shown *s, const tally *t, enum metric m)
{
    const struct metric_info *info = metric_get(m);
    const histogram *h = t->hist[m];
    GArray *values = new_array(s, sizeof(struct lens_quantile));
    struct lens_metric to = {
        .name = info->id,
        .unit = info->unit,
        .count = h != NULL ? histogram_count(h) : 0,
        .min = tally_stat(t, m, "min"),
        .max = tally_stat(t, m, "max"),
        .mean = tally_stat(t, m, "mean"),
        .stddev = tally_stat(t, m, "stddev"),
        .sum = h != NULL ? histogram_sum(h) / info->scale : 0,
        .scale = 1 / info->scale,
    };

    for (size_t i = 0; i < G_N_ELEMENTS(quantiles); i++) {
        const struct lens_quantile q = { quantiles[i].q,
                                         tally_stat(t, m, quantiles[i].name) };

        g_array_append_val(values, q);
    }
    to.quantiles = (const struct lens_quantile *)(const void *)values->data;
    to.quantile_count = values->len;
    to.quantile_size = sizeof(struct lens_quantile);
    if (to.count > 0) {
        GBytes *bytes = histogram_encode(h);

        g_ptr_array_add(s->encoded, bytes);
        to.hdr_v2.data = g_bytes_get_data(bytes, &to.hdr_v2.size);
        to.histogram = show_histogram(s, h);
    }
    return to;
}

/* ---- numbers that the summary does not have ---- */

/* What of the requests got no answer at all. */
static uint64_t
unanswered(const tally *t)
{
    return t->errors[LENS_KIND_DNS].count + t->errors[LENS_KIND_CONNECT].count +
           t->errors[LENS_KIND_TLS].count + t->errors[LENS_KIND_NETWORK].count +
           t->errors[LENS_KIND_TIMEOUT].count;
}

/* `whole` without its parts; parts that nobody told are 0. */
static double
rest_of(const tally *t, unsigned whole, unsigned part, unsigned other)
{
    if (!t->tokens_known[whole])
        return NAN;
    return (double)MAX(t->tokens[whole] - t->tokens[part] - t->tokens[other], 0);
}

static void
add_more_numbers(struct walk *w, const tally *t)
{
    const double seconds = (double)t->in_flight_wall_ns / 1e9;
    const bool heard = t->ok > 0 || t->failed > unanswered(t);

    add_number(
        w, "tokens.input_uncached",
        rest_of(t, LENS_USAGE_INPUT, LENS_USAGE_CACHE_READ, LENS_USAGE_CACHE_WRITE));
    add_number(w, "tokens.output_visible",
               rest_of(t, LENS_USAGE_OUTPUT, LENS_USAGE_REASONING, 0));
    add_number(w, "client.in_flight", seconds > 0 ? t->in_flight_time / seconds : NAN);
    add_number(w, "target.up", heard ? 1 : t->failed > 0 ? 0 : NAN);
}

/* ---- errors and SLOs ---- */

static struct lens_metric *
duration_of(shown *s, const histogram *h)
{
    const double ms = 1e6;
    GArray *one = new_array(s, sizeof(struct lens_metric));
    struct lens_metric to = { .name = "duration", .unit = "ms", .scale = 1 / ms };

    to.count = histogram_count(h);
    to.min = (double)histogram_min(h) / ms;
    to.max = (double)histogram_max(h) / ms;
    to.mean = histogram_mean(h) / ms;
    to.stddev = histogram_stddev(h) / ms;
    to.sum = histogram_sum(h) / ms;
    to.quantile_size = sizeof(struct lens_quantile);
    to.histogram = show_histogram(s, h);
    g_array_append_val(one, to);
    return &g_array_index(one, struct lens_metric, 0);
}

static void
show_errors(shown *s, const tally *t, struct lens_result *to)
{
    GArray *errors = new_array(s, sizeof(struct lens_error_count));

    for (uint32_t kind = 1; kind < ERROR_KINDS; kind++) {
        const struct error_tally *e = &t->errors[kind];
        const struct lens_error_count one = {
            .kind = error_kind_name(kind),
            .where = where_name(e->where),
            .example = e->example != NULL
                           ? g_string_chunk_insert_const(s->names, e->example)
                           : NULL,
            .count = e->count,
            .duration = e->duration != NULL && histogram_count(e->duration) > 0
                            ? duration_of(s, e->duration)
                            : NULL,
        };

        if (e->count > 0)
            g_array_append_val(errors, one);
    }
    to->errors = (const struct lens_error_count *)(const void *)errors->data;
    to->error_count = errors->len;
    to->error_size = sizeof(struct lens_error_count);
}

static void
show_slos(shown *s, const result *r, const GPtrArray *slos, struct lens_result *to)
{
    GArray *states = new_array(s, sizeof(struct lens_slo_state));

    for (guint i = 0; i < slos->len; i++) {
        const slo *from = slos->pdata[i];
        const double value =
            from->per_request ? NAN : result_value(r, from->metric, from->stat);
        const struct lens_slo_state state = {
            .expr = g_string_chunk_insert_const(s->names, from->text),
            .unit = g_intern_string(from->unit),
            .value = value,
            .met = slo_met(from, value),
        };

        if (!from->per_request)
            g_array_append_val(states, state);
    }
    to->slos = (const struct lens_slo_state *)(const void *)states->data;
    to->slo_count = states->len;
    to->slo_size = sizeof(struct lens_slo_state);
}

/* ---- results ---- */

static void
add_result(shown *s, const result *r, const GPtrArray *slos, JsonObject *told)
{
    GArray *metrics = new_array(s, sizeof(struct lens_metric));
    GArray *numbers = new_array(s, sizeof(struct lens_number));
    g_autoptr(GString) path = g_string_new(NULL);
    struct walk w = { .shown = s, .numbers = numbers, .path = path };
    struct lens_result to = { .target = r->target, .stage = r->stage };

    for (unsigned m = 0; m < METRIC_COUNT; m++) {
        const struct lens_metric metric = metric_of(s, r->tally, (enum metric)m);

        g_array_append_val(metrics, metric);
    }
    if (told != NULL)
        walk_object(&w, told);
    add_absent_errors(&w);
    add_more_numbers(&w, r->tally);
    add_costs(&w, r);
    show_errors(s, r->tally, &to);
    show_slos(s, r, slos, &to);
    to.metrics = (const struct lens_metric *)(const void *)metrics->data;
    to.metric_count = metrics->len;
    to.metric_size = sizeof(struct lens_metric);
    to.numbers = (const struct lens_number *)(const void *)numbers->data;
    to.number_count = numbers->len;
    to.number_size = sizeof(struct lens_number);
    to.verdict = verdict_name(r->verdict != NULL ? r->verdict->state : VERDICT_VALID);
    g_array_append_val(s->results, to);
}

static shown *
show(const run_info *r, run_info *owned)
{
    shown *s = g_new0(shown, 1);
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    JsonArray *told = NULL;

    s->json = summary_json(r);
    s->results = g_array_new(FALSE, FALSE, sizeof(struct lens_result));
    s->arrays = g_ptr_array_new_with_free_func((GDestroyNotify)g_array_unref);
    s->encoded = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    s->histograms = g_ptr_array_new_with_free_func((GDestroyNotify)histogram_free);
    s->owned = owned;
    s->names = g_string_chunk_new(1024);
    if (json_parser_load_from_data(parser, s->json, -1, NULL))
        told = json_object_get_array_member(
            json_node_get_object(json_parser_get_root(parser)), "results");
    for (guint i = 0; i < r->results->len; i++)
        add_result(s, r->results->pdata[i], r->slos,
                   told != NULL && i < json_array_get_length(told)
                       ? json_array_get_object_element(told, i)
                       : NULL);
    return s;
}

shown *
shown_new(const run_info *r)
{
    return show(r, NULL);
}

shown *
shown_take(run_info *r)
{
    return show(r, r);
}

void
shown_free(shown *s)
{
    if (s == NULL)
        return;
    g_free(s->json);
    g_array_unref(s->results);
    g_ptr_array_unref(s->arrays);
    g_ptr_array_unref(s->encoded);
    g_ptr_array_unref(s->histograms);
    run_info_free(s->owned);
    g_string_chunk_free(s->names);
    g_free(s);
}

const struct lens_result *
shown_results(const shown *s)
{
    return (const struct lens_result *)(const void *)s->results->data;
}

uint32_t
shown_count(const shown *s)
{
    return s->results->len;
}

const char *
shown_json(const shown *s)
{
    return s->json;
}
