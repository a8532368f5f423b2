/* A plan as JSON, in the form that plan_parse reads: a run can be repeated from its run
 * file. */
#include <math.h>
#include <string.h>

#include <json-glib/json-glib.h>

#include "plan-private.h"
#include "secret.h"

static void
set_text(JsonObject *o, const char *name, const char *text)
{
    g_autofree char *clean = text != NULL ? secret_redact(text, -1) : NULL;

    if (clean != NULL)
        json_object_set_string_member(o, name, clean);
}

/* Exact: a rounded one would not give the same plan again. */
static void
set_duration(JsonObject *o, const char *name, int64_t ns)
{
    g_autofree char *text = format_duration(ns);
    int64_t back = -1;

    if (parse_duration(text, &back, NULL) && back == ns)
        json_object_set_string_member(o, name, text);
    else {
        g_autofree char *exact = g_strdup_printf("%" G_GINT64_FORMAT "ns", ns);

        json_object_set_string_member(o, name, exact);
    }
}

static void
set_list(JsonObject *o, const char *name, char *const *list)
{
    JsonArray *array;

    if (list == NULL)
        return;
    array = json_array_new();
    for (; *list != NULL; list++) {
        g_autofree char *clean = secret_redact(*list, -1);

        json_array_add_string_element(array, clean);
    }
    json_object_set_array_member(o, name, array);
}

static void
set_int64(JsonObject *o, const plan_key *key, int64_t value)
{
    if (key->type == SCALAR_INT_OR_OFF && value < 0)
        json_object_set_string_member(o, key->name, "off");
    else if (value == INT64_MIN || (value == -1 && key->range != NULL))
        return; /* unset */
    else if (key->type == SCALAR_DURATION)
        set_duration(o, key->name, value);
    else
        json_object_set_int_member(o, key->name, value);
}

static void
set_warmup(JsonObject *o, const plan_stage *s)
{
    if (s->warmup_ns >= 0)
        set_duration(o, "warmup", s->warmup_ns);
    else if (s->warmup_requests >= 0)
        json_object_set_int_member(o, "warmup", s->warmup_requests);
}

static void
set_string(JsonObject *o, const plan_key *key, const char *text)
{
    JsonNode *node;

    if (text != NULL && key->type == SCALAR_OBJECT &&
        (node = json_from_string(text, NULL)) != NULL)
        json_object_set_member(o, key->name, node);
    else
        set_text(o, key->name, text);
}

static void
set_seed(JsonObject *o, uint64_t seed)
{
    g_autofree char *text = g_strdup_printf("%" G_GUINT64_FORMAT, seed);

    json_object_set_string_member(o, "seed", text); /* 64 bits do not fit a double */
}

static void
set_key(JsonObject *o, const plan_key *key, const void *base)
{
    static const char *const versions[] = { "auto", "1.1", "2" };
    const void *at = (const char *)base + key->offset;

    switch (key->store) {
    case STORE_INT64:
        set_int64(o, key, *(const int64_t *)at);
        break;
    case STORE_UNSIGNED:
        json_object_set_int_member(o, key->name, *(const unsigned *)at);
        break;
    case STORE_DOUBLE:
        if (!isnan(*(const double *)at) && (key->offset != offsetof(plan_target, rpm) &&
                                            key->offset != offsetof(plan_target, tpm)))
            json_object_set_double_member(o, key->name, *(const double *)at);
        else if (*(const double *)at > 0)
            json_object_set_double_member(o, key->name, *(const double *)at);
        break;
    case STORE_BOOL:
        json_object_set_boolean_member(o, key->name, *(const bool *)at);
        break;
    case STORE_STRING:
        set_string(o, key, *(char *const *)at);
        break;
    case STORE_LIST:
        set_list(o, key->name, *(char **const *)at);
        break;
    case STORE_HTTP:
        json_object_set_string_member(o, key->name,
                                      versions[*(const enum http_choice *)at]);
        break;
    case STORE_SEED:
        set_seed(o, ((const plan *)base)->seed);
        break;
    case STORE_WARMUP:
        set_warmup(o, base);
        break;
    case STORE_SEEDED:
        json_object_set_string_member(o, key->name,
                                      *(const bool *)at ? "seeded" : "in_order");
        break;
    }
}

static void
set_keys(JsonObject *o, const plan_key *keys, const void *base)
{
    for (; keys->name != NULL; keys++)
        if (strcmp(keys->name, "gap_timeout") != 0) /* another word for idle_timeout */
            set_key(o, keys, base);
}

static JsonObject *
options_of(const option_values *v)
{
    g_autofree char *text = option_values_to_json(v, true);
    g_autoptr(JsonNode) root = json_from_string(text, NULL);

    return root != NULL ? json_node_dup_object(root) : json_object_new();
}

static JsonObject *
choice_to_object(const plugin_choice *c)
{
    JsonObject *o = options_of(c->options);

    json_object_set_string_member(o, "kind", c->kind);
    if (g_strcmp0(c->kind, c->name) != 0 && !json_object_has_member(o, "name"))
        json_object_set_string_member(o, "name", c->name);
    return o;
}

/* What is asked of the model, wherever it runs. */
static JsonObject *
request_to_object(const plan_target *t)
{
    JsonObject *o = json_object_new();

    set_keys(o, plan_request_keys, t);
    return o;
}

static JsonObject *
target_to_object(const plan_target *t)
{
    JsonObject *o = json_object_new();
    JsonObject *options = options_of(t->provider.options);
    JsonObject *limits = json_object_new();

    set_text(o, "name", t->name);
    set_text(o, "provider", t->provider.kind);
    set_keys(o, plan_target_keys, t);
    set_keys(o, plan_price_keys, t);
    set_keys(options, plan_request_keys, t);
    set_keys(limits, plan_limit_keys, t);
    json_object_set_object_member(o, "options", options);
    json_object_set_object_member(o, "limits", limits);
    return o;
}

static JsonObject *
stage_to_object(const plan_stage *s)
{
    JsonObject *o = json_object_new();

    set_text(o, "name", s->name);
    json_object_set_object_member(o, "workload", choice_to_object(&s->workload));
    set_keys(o, plan_stage_keys, s);
    set_list(o, "targets", s->targets);
    return o;
}

static JsonObject *
prompts_to_object(const plan_prompts *p)
{
    JsonObject *o = json_object_new();

    set_keys(o, plan_prompt_keys, p);
    return o;
}

static char *
to_text(JsonObject *o)
{
    g_autoptr(JsonNode) root = json_node_init_object(json_node_alloc(), o);
    char *text = json_to_string(root, FALSE);

    json_object_unref(o);
    return text;
}

char *
plan_to_json(const plan *p)
{
    JsonObject *o = json_object_new();
    JsonArray *targets = json_array_new(), *stages = json_array_new();
    JsonArray *exports = json_array_new(), *slos = json_array_new();

    json_object_set_int_member(o, "lens", 1);
    set_keys(o, plan_keys, p);
    for (unsigned i = 0; i < p->targets->len; i++)
        json_array_add_object_element(targets,
                                      target_to_object(g_ptr_array_index(p->targets, i)));
    for (unsigned i = 0; i < p->stages->len; i++)
        json_array_add_object_element(stages,
                                      stage_to_object(g_ptr_array_index(p->stages, i)));
    for (unsigned i = 0; i < p->exports->len; i++)
        json_array_add_object_element(exports,
                                      choice_to_object(g_ptr_array_index(p->exports, i)));
    for (unsigned i = 0; i < p->slos->len; i++)
        json_array_add_string_element(slos, ((slo *)g_ptr_array_index(p->slos, i))->text);
    json_object_set_array_member(o, "targets", targets);
    json_object_set_object_member(o, "prompts", prompts_to_object(&p->prompts));
    json_object_set_array_member(o, "stages", stages);
    json_object_set_array_member(o, "slo", slos);
    json_object_set_array_member(o, "export", exports);
    return to_text(o);
}

/* ---- what two runs must share to be compared ---- */

static int
compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The requests of all targets, each form once: their number and order say nothing. */
static void
hash_requests(const plan *p, GChecksum *sum)
{
    g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);

    for (unsigned i = 0; i < p->targets->len; i++)
        g_ptr_array_add(texts,
                        to_text(request_to_object(g_ptr_array_index(p->targets, i))));
    g_ptr_array_sort(texts, compare_texts);
    for (unsigned i = 0; i < texts->len; i++) {
        const char *text = g_ptr_array_index(texts, i);

        if (i == 0 || strcmp(text, g_ptr_array_index(texts, i - 1)) != 0)
            g_checksum_update(sum, (const guchar *)text, (gssize)strlen(text) + 1);
    }
}

/* Prompts count by what they say, not by the name of their file. */
static void
hash_prompts(const plan *p, GChecksum *sum)
{
    JsonObject *o = prompts_to_object(&p->prompts);
    g_autofree char *content = NULL, *text = NULL;
    size_t size = 0;

    json_object_remove_member(o, "file");
    text = to_text(o);
    g_checksum_update(sum, (const guchar *)text, (gssize)strlen(text) + 1);
    if (p->prompts.file != NULL &&
        g_file_get_contents(p->prompts.file, &content, &size, NULL))
        g_checksum_update(sum, (const guchar *)content, (gssize)size);
}

char *
plan_hash(const plan *p)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);

    for (unsigned i = 0; i < p->stages->len; i++) {
        JsonObject *o = stage_to_object(g_ptr_array_index(p->stages, i));
        g_autofree char *text = NULL;

        json_object_remove_member(o, "name");
        json_object_remove_member(o, "targets");
        json_object_remove_member(json_object_get_object_member(o, "workload"), "name");
        text = to_text(o);
        g_checksum_update(sum, (const guchar *)text, (gssize)strlen(text) + 1);
    }
    hash_requests(p, sum);
    hash_prompts(p, sum);
    return g_strdup(g_checksum_get_string(sum));
}
