/* What would be run, for people and, with --json, for programs. */
#include <math.h>
#include <string.h>

#include <json-glib/json-glib.h>

#include "plan-private.h"
#include "secret.h"

enum { LABEL = 12 };

static void
label(FILE *out, const char *what, const char *name)
{
    g_autofree char *text =
        name != NULL ? g_strdup_printf("%s %s", what, name) : g_strdup(what);
    const int size = (int)strlen(text);

    if (size < LABEL)
        fprintf(out, "%-*s", LABEL, text);
    else
        fprintf(out, "%s\n%*s", text, LABEL, "");
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

static char *
key_of(const plan_target *t)
{
    g_autofree char *json = option_values_to_json(t->provider.options, true);
    g_autoptr(JsonNode) root = json_from_string(json, NULL);
    JsonNode *n = root != NULL
                      ? json_object_get_member(json_node_get_object(root), "api_key")
                      : NULL;

    return n != NULL && JSON_NODE_HOLDS_VALUE(n) ? json_node_dup_string(n) : NULL;
}

static void
print_target(const plan_target *t, FILE *out)
{
    g_autofree char *key = key_of(t);

    label(out, "target", t->name);
    fprintf(out, "%s.%s, %s%s, %s\n", t->provider.kind, t->api,
            t->model != NULL ? "model " : "",
            t->model != NULL ? t->model : "the server's only model",
            t->is_mock       ? "built-in mock"
            : t->url != NULL ? t->url
                             : "the provider's own address");
    fprintf(out, "%*skey %s%s, at most %" G_GINT64_FORMAT " output tokens%s\n", LABEL, "",
            key != NULL ? key : "none",
            key == NULL                     ? ""
            : g_str_has_prefix(key, "cmd:") ? " (not run now)"
                                            : " (is there)",
            t->max_tokens, t->stream ? ", streamed" : ", whole answers");
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
print_stage(const plan *p, const plan_stage *s, registry *plugins, FILE *out)
{
    g_autofree char *workload = choice_text(&s->workload);
    g_autofree char *size = size_text(p, s, plugins);
    g_autofree char *warmup = s->warmup_ns >= 0 ? format_duration(s->warmup_ns) : NULL;
    g_autofree char *names = s->targets != NULL ? g_strjoinv(", ", s->targets) : NULL;

    label(out, "stage", s->name);
    fprintf(out, "%s\n%*s%s", workload, LABEL, "", size);
    if (warmup != NULL)
        fprintf(out, ", warm-up %s", warmup);
    else if (s->warmup_requests >= 0)
        fprintf(out, ", warm-up %" G_GINT64_FORMAT " requests", s->warmup_requests);
    fprintf(out, ", %s%s\n", names != NULL ? "with " : "with every target",
            names != NULL ? names : "");
}

static void
print_prompts(const plan_prompts *p, FILE *out)
{
    label(out, "prompts", NULL);
    if (p->file != NULL)
        fprintf(out, "%s, %s\n", p->file, p->seeded ? "drawn by the seed" : "in order");
    else
        fprintf(out, "%s%s\n", p->text != NULL ? "given text" : "built-in text",
                p->same || p->text != NULL ? "" : ", each with a head of its own");
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
print_rest(const plan *p, FILE *out)
{
    for (unsigned i = 0; i < p->slos->len; i++) {
        label(out, "slo", NULL);
        fprintf(out, "%s\n", ((slo *)g_ptr_array_index(p->slos, i))->text);
    }
    for (unsigned i = 0; i < p->exports->len; i++) {
        const plugin_choice *c = g_ptr_array_index(p->exports, i);
        g_autofree char *text = choice_text(c);

        label(out, "export", g_strcmp0(c->name, c->kind) != 0 ? c->name : NULL);
        fprintf(out, "%s\n", text);
    }
    label(out, "run file", NULL);
    fprintf(out, "%s\n", p->out != NULL ? p->out : "lens-YYYYmmdd-HHMMSS.lens");
    label(out, "results", NULL);
    fprintf(out, "%u, one for each stage and target; %u thread%s\n", count_results(p),
            p->threads, p->threads == 1 ? "" : "s");
}

static void
print_people(const plan *p, registry *plugins, FILE *out)
{
    label(out, "plan", NULL);
    fprintf(out, "%s\n", p->source != NULL ? p->source : "by flags");
    label(out, "seed", NULL);
    if (p->seed_given)
        fprintf(out, "%" G_GUINT64_FORMAT "\n", p->seed);
    else
        fputs("random, drawn at the start\n", out);
    print_prompts(&p->prompts, out);
    for (unsigned i = 0; i < p->targets->len; i++)
        print_target(g_ptr_array_index(p->targets, i), out);
    for (unsigned i = 0; i < p->stages->len; i++)
        print_stage(p, g_ptr_array_index(p->stages, i), plugins, out);
    print_rest(p, out);
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
print_json(const plan *p, registry *plugins, FILE *out)
{
    g_autofree char *plain = plan_to_json(p), *hash = plan_hash(p), *text = NULL;
    g_autoptr(JsonNode) root = json_node_alloc();
    g_autoptr(JsonObject) o = json_object_new();

    json_object_set_string_member(o, "schema", "lens.plan/1");
    json_object_set_boolean_member(o, "ok", TRUE);
    json_object_set_string_member(o, "plan_hash", hash);
    json_object_set_int_member(o, "results", count_results(p));
    json_object_set_array_member(o, "estimates", estimates(p, plugins));
    json_object_set_member(o, "plan", json_from_string(plain, NULL));
    json_node_init_object(root, o);
    text = json_to_string(root, TRUE);
    fprintf(out, "%s\n", text);
}

void
plan_print(const plan *p, registry *plugins, FILE *out)
{
    if (p->json)
        print_json(p, plugins, out);
    else
        print_people(p, plugins, out);
}
