/* What would be run, for people and, with --json, for programs. */
#include <math.h>
#include <string.h>

#include <json-glib/json-glib.h>

#include "estimate.h"
#include "plan-private.h"
#include "wrap.h"

/* What people read: labels in a column as wide as the longest of them. */
struct row {
    char *label, *text;
};

static void
row_clear(void *data)
{
    struct row *r = data;

    g_free(r->label);
    g_free(r->text);
}

static void add(GArray *rows, const char *what, const char *name, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/* `what` NULL: goes on below the row before. */
static void
add(GArray *rows, const char *what, const char *name, const char *format, ...)
{
    struct row r = { 0 };
    va_list list;

    r.label = what == NULL   ? g_strdup("")
              : name == NULL ? g_strdup(what)
                             : g_strdup_printf("%s %s", what, name);
    va_start(list, format);
    r.text = g_strdup_vprintf(format, list);
    va_end(list);
    g_array_append_val(rows, r);
}

static void
print_rows(const GArray *rows, FILE *out)
{
    enum { WIDEST = 30 };
    int column = 0;

    for (unsigned i = 0; i < rows->len; i++)
        column = MAX(column, (int)strlen(g_array_index(rows, struct row, i).label));
    column = MIN(column, WIDEST) + 2;
    for (unsigned i = 0; i < rows->len; i++) {
        const struct row *r = &g_array_index(rows, struct row, i);

        if ((int)strlen(r->label) > WIDEST)
            fprintf(out, "%s\n%*s", r->label, column, "");
        else
            fprintf(out, "%-*s", column, r->label);
        wrap_print(out, r->text, column);
    }
}

/* "kind k=v,k=v": what was set, without what is usual. */
static char *
choice_text(const plugin_choice *c)
{
    g_autofree char *json = option_values_to_json(c->options, false);
    g_autoptr(JsonNode) root = json_from_string(json, NULL);
    JsonObject *o = root != NULL ? json_node_get_object(root) : NULL;
    GString *text = g_string_new(c->kind);
    g_autoptr(GList) names = o != NULL ? json_object_get_members(o) : NULL;

    for (const GList *l = names; l != NULL; l = l->next) {
        JsonNode *n = json_object_get_member(o, l->data);
        g_autofree char *value =
            JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_STRING
                ? json_node_dup_string(n)
                : json_to_string(n, FALSE);

        g_string_append_printf(text, "%s%s=%s", l == names ? " " : ", ", (char *)l->data,
                               value);
    }
    return g_string_free(text, FALSE);
}

/* The key's source: `api_key`, or the option that stands in for it (`cohere_api_key`). */
static char *
key_of(const plan_target *t)
{
    g_autofree char *json = option_values_to_json(t->provider.options, true);
    g_autoptr(JsonNode) root = json_from_string(json, NULL);
    JsonObject *values = root != NULL ? json_node_get_object(root) : NULL;
    g_autoptr(GList) names = values != NULL ? json_object_get_members(values) : NULL;
    JsonNode *n = values != NULL ? json_object_get_member(values, "api_key") : NULL;

    for (GList *at = names; at != NULL && n == NULL; at = at->next)
        if (g_str_has_suffix(at->data, "_api_key"))
            n = json_object_get_member(values, at->data);
    return n != NULL && JSON_NODE_HOLDS_VALUE(n) ? json_node_dup_string(n) : NULL;
}

static void
add_target(GArray *rows, const plan_target *t)
{
    g_autofree char *key = key_of(t);
    const char *url = t->is_mock       ? "built-in mock"
                      : t->url != NULL ? t->url
                                       : "the provider's own address";
    const char *state = key == NULL                     ? ""
                        : g_str_has_prefix(key, "cmd:") ? " (not run now)"
                                                        : " (is there)";

    add(rows, "target", t->name, "%s.%s, %s%s, %s", t->provider.kind, t->api,
        t->model != NULL ? "model " : "",
        t->model != NULL ? t->model : "the server's only model", url);
    add(rows, NULL, NULL, "key %s%s, at most %" G_GINT64_FORMAT " output tokens, %s",
        key != NULL ? key : "none", state, t->max_tokens,
        t->stream ? "streamed" : "whole answers");
}

/* "1000 requests", "60s", "about 300 requests in 60s". */
static char *
size_text(const plan *p, const plan_stage *s, registry *plugins)
{
    GString *text = g_string_new(NULL);
    struct lens_estimate total;
    g_autofree char *duration =
        s->duration_ns >= 0 ? format_duration(s->duration_ns) : NULL;

    if (s->requests >= 0)
        g_string_append_printf(text, "%" G_GINT64_FORMAT " requests%s%s", s->requests,
                               duration != NULL ? " or " : "",
                               duration != NULL ? duration : "");
    else
        g_string_append(text, duration);
    if (!plan_estimate(p, s, plugins, &total, NULL))
        return g_string_free(text, FALSE);
    if (s->requests < 0 && total.arrivals >= 0)
        g_string_append_printf(text, ", about %" G_GINT64_FORMAT " requests",
                               total.arrivals);
    if (s->duration_ns < 0 && total.duration_ns > 0) {
        g_autofree char *about = format_duration(total.duration_ns);

        g_string_append_printf(text, " in about %s", about);
    }
    return g_string_free(text, FALSE);
}

static void
add_stage(GArray *rows, const plan *p, const plan_stage *s, registry *plugins)
{
    g_autofree char *workload = choice_text(&s->workload);
    g_autofree char *size = size_text(p, s, plugins);
    g_autofree char *warmup = NULL;
    g_autofree char *names = s->targets != NULL ? g_strjoinv(", ", s->targets) : NULL;

    if (s->warmup_ns >= 0)
        warmup = format_duration(s->warmup_ns);
    else if (s->warmup_requests >= 0)
        warmup = g_strdup_printf("%" G_GINT64_FORMAT " requests", s->warmup_requests);
    add(rows, "stage", s->name, "%s", workload);
    add(rows, NULL, NULL, "%s%s%s, with %s", size, warmup != NULL ? ", warm-up " : "",
        warmup != NULL ? warmup : "", names != NULL ? names : "every target");
}

static void
add_prompts(GArray *rows, const plan_prompts *p)
{
    if (p->file != NULL)
        add(rows, "prompts", NULL, "%s, %s", p->file,
            p->seeded ? "drawn by the seed" : "in order");
    else
        add(rows, "prompts", NULL, "%s%s",
            p->text != NULL ? "given text" : "built-in text",
            p->same ? ", always the same" : ", each with a head of its own");
}

static unsigned
count_results(const plan *p)
{
    unsigned count = 0;

    for (unsigned s = 0; s < p->stages->len; s++)
        for (unsigned t = 0; t < p->targets->len; t++)
            count += plan_stage_has_target(g_ptr_array_index(p->stages, s),
                                           g_ptr_array_index(p->targets, t));
    return count;
}

static void
add_costs(GArray *rows, const plan *p, const price_book *b, const GArray *costs)
{
    for (unsigned i = 0; i < p->targets->len; i++) {
        const plan_target *t = g_ptr_array_index(p->targets, i);
        g_autofree char *text = estimate_text(&g_array_index(costs, estimate, i), b);

        if (!t->is_mock)
            add(rows, "cost", t->name, "%s", text);
    }
    if (p->max_cost != NULL)
        add(rows, "max cost", NULL, "%s USD", p->max_cost);
}

static void
add_rest(GArray *rows, const plan *p)
{
    for (unsigned i = 0; i < p->slos->len; i++)
        add(rows, "slo", NULL, "%s", ((slo *)g_ptr_array_index(p->slos, i))->text);
    for (unsigned i = 0; i < p->exports->len; i++) {
        const plugin_choice *c = g_ptr_array_index(p->exports, i);
        g_autofree char *text = choice_text(c);

        add(rows, "export", g_strcmp0(c->name, c->kind) != 0 ? c->name : NULL, "%s",
            text);
    }
    add(rows, "run file", NULL, "%s",
        p->out != NULL ? p->out : "lens-YYYYmmdd-HHMMSS.lens");
    add(rows, "results", NULL, "%u, one for each stage and target; %u thread%s",
        count_results(p), p->threads, p->threads == 1 ? "" : "s");
}

static void
print_people(const plan *p, registry *plugins, const price_book *b, const GArray *costs,
             FILE *out)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct row));

    g_array_set_clear_func(rows, row_clear);
    add(rows, "plan", NULL, "%s", p->source != NULL ? p->source : "by flags");
    if (p->seed_given)
        add(rows, "seed", NULL, "%" G_GUINT64_FORMAT, p->seed);
    else
        add(rows, "seed", NULL, "random, drawn at the start");
    add_prompts(rows, &p->prompts);
    for (unsigned i = 0; i < p->targets->len; i++)
        add_target(rows, g_ptr_array_index(p->targets, i));
    for (unsigned i = 0; i < p->stages->len; i++)
        add_stage(rows, p, g_ptr_array_index(p->stages, i), plugins);
    add_costs(rows, p, b, costs);
    add_rest(rows, p);
    print_rows(rows, out);
}

static JsonArray *
estimates(const plan *p, registry *plugins)
{
    JsonArray *array = json_array_new();

    for (unsigned i = 0; i < p->stages->len; i++) {
        const plan_stage *s = g_ptr_array_index(p->stages, i);
        JsonObject *o = json_object_new();
        struct lens_estimate total;

        if (!plan_estimate(p, s, plugins, &total, NULL))
            total.arrivals = total.duration_ns = -1;
        json_object_set_string_member(o, "stage", s->name);
        if (total.arrivals >= 0)
            json_object_set_int_member(o, "requests", total.arrivals);
        else
            json_object_set_null_member(o, "requests");
        if (total.duration_ns >= 0)
            json_object_set_double_member(o, "duration_s",
                                          (double)total.duration_ns / 1e9);
        else
            json_object_set_null_member(o, "duration_s");
        json_array_add_object_element(array, o);
    }
    return array;
}

static void
set_text(JsonObject *o, const char *name, const char *text)
{
    if (text != NULL)
        json_object_set_string_member(o, name, text);
    else
        json_object_set_null_member(o, name);
}

static JsonArray *
costs_to_array(const plan *p, const price_book *b, const GArray *costs)
{
    JsonArray *array = json_array_new();

    for (unsigned i = 0; i < costs->len; i++) {
        const estimate *e = &g_array_index(costs, estimate, i);
        const price_row *row = e->match.row;
        g_autofree char *usd = e->why == NULL ? money_amount_text(e->usd) : NULL;
        JsonObject *o = json_object_new();

        set_text(o, "target", ((plan_target *)g_ptr_array_index(p->targets, i))->name);
        if (e->requests >= 0)
            json_object_set_int_member(o, "requests", e->requests);
        else
            json_object_set_null_member(o, "requests");
        json_object_set_int_member(o, "input_tokens_per_request", e->input_tokens);
        set_text(o, "input_tokens_by", e->by);
        json_object_set_int_member(o, "max_output_tokens_per_request", e->output_tokens);
        set_text(o, e->requests >= 0 ? "usd" : "usd_per_request", usd);
        set_text(o, "why", e->why);
        set_text(o, "price_model", row != NULL ? row->model : NULL);
        set_text(o, "price_provider",
                 row != NULL ? price_provider_name(b, row->provider) : NULL);
        set_text(o, "price_date", row != NULL ? e->match.table->date : NULL);
        json_array_add_object_element(array, o);
    }
    return array;
}

static void
print_json(const plan *p, registry *plugins, const price_book *b, const GArray *costs,
           FILE *out)
{
    g_autofree char *plain = plan_to_json(p), *hash = plan_hash(p), *text = NULL;
    g_autoptr(JsonNode) root = json_node_alloc();
    g_autoptr(JsonObject) o = json_object_new();

    json_object_set_string_member(o, "schema", "lens.plan/1");
    json_object_set_boolean_member(o, "ok", TRUE);
    json_object_set_string_member(o, "plan_hash", hash);
    json_object_set_int_member(o, "results", count_results(p));
    json_object_set_array_member(o, "estimates", estimates(p, plugins));
    json_object_set_array_member(o, "costs", costs_to_array(p, b, costs));
    json_object_set_member(o, "plan", json_from_string(plain, NULL));
    json_node_init_object(root, o);
    text = json_to_string(root, TRUE);
    fprintf(out, "%s\n", text);
}

bool
plan_print(const plan *p, registry *plugins, FILE *out, GError **error)
{
    g_autoptr(price_book) b = price_book_load((const char *const *)p->pricing, error);
    g_autoptr(GArray) costs = NULL;

    if (b == NULL)
        return false;
    costs = estimates_of_plan(p, plugins, b, error);
    if (costs == NULL)
        return false;
    if (p->json)
        print_json(p, plugins, b, costs, out);
    else
        print_people(p, plugins, b, costs, out);
    return true;
}
