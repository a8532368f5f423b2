/* A plan from YAML or JSON. Every message begins with the place of what is wrong. */
#include <string.h>

#include "error.h"
#include "plan-private.h"

/* ---- scalars and lists ---- */

static bool
expect_map(const doc_node *n, const char *what, GError **error)
{
    return doc_kind(n) == DOC_MAP ||
           doc_fail(n, error, "%s: expected keys and values", what);
}

/* The text of a scalar, or an error. */
static const char *
text_of(const doc_node *n, const char *key, GError **error)
{
    const char *text = doc_text(n);

    if (text == NULL)
        doc_fail(n, error,
                 doc_kind(n) == DOC_SCALAR ? "%s has no value" : "%s: expected one value",
                 key);
    return text;
}

/* `names` are the keys that would have been right. */
static bool
unknown_key(const doc_node *key, GPtrArray *names, GError **error)
{
    const char *near, *text = doc_text(key);

    g_ptr_array_add(names, NULL);
    near = nearest_name(text != NULL ? text : "", (const char *const *)names->pdata);
    if (near != NULL)
        return doc_fail(key, error, "unknown key '%s', did you mean '%s'?", text, near);
    g_ptr_array_remove_index(names, names->len - 1);
    g_ptr_array_add(names, NULL);
    {
        g_autofree char *list = g_strjoinv(", ", (char **)names->pdata);

        return doc_fail(key, error, "unknown key '%s', expected one of: %s",
                        text != NULL ? text : "null", list);
    }
}

/* {Name: value} becomes "Name: value". */
static bool
set_headers(const plan_key *key, void *base, const doc_node *n, GError **error)
{
    for (unsigned i = 0; i < doc_count(n); i++) {
        const char *value = text_of(doc_item(n, i), doc_key_text(n, i), error);
        g_autofree char *header =
            value != NULL ? g_strconcat(doc_key_text(n, i), ": ", value, NULL) : NULL;

        if (header == NULL)
            return false;
        if (!plan_key_set(key, base, header, error))
            return doc_locate(doc_item(n, i), key->name, error);
    }
    return true;
}

static bool
set_list(const plan_key *key, void *base, const doc_node *n, GError **error)
{
    for (unsigned i = 0; i < doc_count(n); i++) {
        const char *text = text_of(doc_item(n, i), key->name, error);

        if (text == NULL)
            return false;
        if (!plan_key_set(key, base, text, error))
            return doc_locate(doc_item(n, i), key->name, error);
    }
    return true;
}

static bool
set_key(const plan_key *key, void *base, const doc_node *n, GError **error)
{
    const enum doc_kind kind = doc_kind(n);
    g_autofree char *json = NULL;
    const char *text;

    if (key->store == STORE_LIST && kind == DOC_LIST)
        return set_list(key, base, n, error);
    if (key->check == plan_check_header && kind == DOC_MAP)
        return set_headers(key, base, n, error);
    if (key->type == SCALAR_OBJECT && kind == DOC_MAP)
        text = json = doc_to_json(n);
    else
        text = text_of(n, key->name, error);
    if (text == NULL)
        return false;
    return plan_key_set(key, base, text, error) || doc_locate(n, key->name, error);
}

/* A map that holds nothing but keys of one table. */
static bool
set_keys(const plan_key *keys, void *base, const doc_node *map, const char *what,
         GError **error)
{
    if (!expect_map(map, what, error))
        return false;
    for (unsigned i = 0; i < doc_count(map); i++) {
        const plan_key *key = plan_key_find(keys, doc_key_text(map, i));
        g_autoptr(GPtrArray) names = g_ptr_array_new();

        if (key == NULL) {
            plan_key_names(keys, names);
            return unknown_key(doc_key(map, i), names, error);
        }
        if (!set_key(key, base, doc_item(map, i), error))
            return false;
    }
    return true;
}

/* ---- options of plugins ---- */

static const struct lens_option *
find_option(const option_values *v, const char *name)
{
    const struct lens_schema *schema = option_values_schema(v);

    for (uint32_t i = 0; i < schema->count; i++) {
        const struct lens_option *o =
            (const void *)((const char *)schema->items + (size_t)i * schema->item_size);

        if (g_str_equal(o->name, name))
            return o;
    }
    return NULL;
}

static bool
set_option_text(option_values *v, const char *name, const doc_node *n, const char *text,
                GError **error)
{
    return option_values_set(v, name, text, error) || doc_locate(n, NULL, error);
}

/* Several values of a repeatable option; of another one a list written with `+`. */
static bool
set_option_list(option_values *v, const struct lens_option *o, const doc_node *n,
                GError **error)
{
    g_autoptr(GString) joined = g_string_new(NULL);

    for (unsigned i = 0; i < doc_count(n); i++) {
        const char *text = text_of(doc_item(n, i), o->name, error);

        if (text == NULL)
            return false;
        if ((o->flags & LENS_OPT_REPEATABLE) != 0 &&
            !set_option_text(v, o->name, doc_item(n, i), text, error))
            return false;
        g_string_append_printf(joined, "%s%s", i > 0 ? "+" : "", text);
    }
    if ((o->flags & LENS_OPT_REPEATABLE) != 0)
        return true;
    if (o->type != LENS_OPT_STRING)
        return doc_fail(n, error, "%s takes one value", o->name);
    return set_option_text(v, o->name, n, joined->str, error);
}

static bool
set_option(option_values *v, const doc_node *key, const doc_node *n, GError **error)
{
    const char *name = doc_text(key);
    const struct lens_option *o = name != NULL ? find_option(v, name) : NULL;
    g_autofree char *json = NULL;
    const char *text;

    if (o == NULL) { /* the schema's own words, with the nearest name */
        option_values_set(v, name != NULL ? name : "null", "", error);
        return doc_locate(key, NULL, error);
    }
    if (o->type == LENS_OPT_JSON && doc_kind(n) != DOC_SCALAR)
        text = json = doc_to_json(n);
    else if (doc_kind(n) == DOC_LIST)
        return set_option_list(v, o, n, error);
    else
        text = text_of(n, name, error);
    return text != NULL && set_option_text(v, name, n, text, error);
}

/* "NAME:k=v", or {kind: NAME, name: OF_THIS_USE, option: value}. */
static bool
read_choice(plugin_choice *c, registry *plugins, uint32_t kind, const doc_node *n,
            GError **error)
{
    const doc_node *which = doc_get(n, "kind");
    const char *text;

    if (doc_kind(n) == DOC_SCALAR) {
        text = text_of(n, plugin_kind_name(kind), error);
        if (text == NULL)
            return false;
        if (!plan_choice_parse(c, plugins, kind, text, error))
            return doc_locate(n, NULL, error);
        c->where = doc_place(n);
        return true;
    }
    if (which == NULL)
        return doc_fail(n, error, "expected {kind: NAME, ...} for the %s",
                        plugin_kind_name(kind));
    text = text_of(which, "kind", error);
    if (text == NULL)
        return false;
    if (!plan_choice_set_kind(c, plugins, kind, text, error))
        return doc_locate(which, NULL, error);
    c->where = doc_place(n);
    for (unsigned i = 0; i < doc_count(n); i++) {
        const char *key = doc_key_text(n, i);

        if (doc_item(n, i) == which)
            continue;
        if (g_str_equal(key, "name") && !option_values_has(c->options, "name")) {
            text = text_of(doc_item(n, i), "name", error);
            if (text == NULL)
                return false;
            g_free(c->name);
            c->name = g_strdup(text);
        } else if (!set_option(c->options, doc_key(n, i), doc_item(n, i), error)) {
            return false;
        }
    }
    return true;
}

/* ---- targets ---- */

static bool
read_target_options(plan_target *t, const doc_node *n, GError **error)
{
    if (!expect_map(n, "options", error))
        return false;
    for (unsigned i = 0; i < doc_count(n); i++) {
        const plan_key *key = plan_key_find(plan_request_keys, doc_key_text(n, i));
        const bool good = key != NULL ? set_key(key, t, doc_item(n, i), error)
                                      : set_option(t->provider.options, doc_key(n, i),
                                                   doc_item(n, i), error);

        if (!good)
            return false;
    }
    return true;
}

static bool
read_provider(plan_target *t, registry *plugins, const doc_node *map, GError **error)
{
    const doc_node *n = doc_get(map, "provider");
    const char *text;

    if (n == NULL) {
        if (doc_get(map, "url") == NULL)
            return doc_fail(map, error, "a target needs a provider or a url");
        return plan_target_set_provider(t, plugins, LENS_DEFAULT_PROVIDER, error) ||
               doc_locate(map, NULL, error);
    }
    text = text_of(n, "provider", error);
    return text != NULL && (plan_target_set_provider(t, plugins, text, error) ||
                            doc_locate(n, NULL, error));
}

static bool
read_api_key(plan_target *t, const char *key, const char *text, GError **error)
{
    if (g_str_equal(key, "api_key_env"))
        return plan_target_set_key_env(t, text, error);
    g_free(t->given_key);
    t->given_key = NULL;
    if (g_str_equal(key, "api_key_file")) {
        t->given_key = g_strconcat("file:", text, NULL);
        return true;
    }
    if (!option_values_set(t->provider.options, "api_key", text, error))
        return false;
    option_values_unset(t->provider.options, "api_key");
    t->given_key = g_strdup(text);
    return true;
}

static bool
unknown_target_key(const plan_target *t, const doc_node *key, GError **error)
{
    static const char *const own[] = { "name",    "provider",    "url",
                                       "api_key", "api_key_env", "api_key_file",
                                       "options", "limits" };
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *text = doc_text(key);

    if (text != NULL && (plan_key_find(plan_request_keys, text) != NULL ||
                         option_values_has(t->provider.options, text)))
        return doc_fail(key, error, "'%s' belongs under options: {%s: ...}", text, text);
    if (text != NULL && plan_key_find(plan_limit_keys, text) != NULL)
        return doc_fail(key, error, "'%s' belongs under limits: {%s: ...}", text, text);
    for (size_t i = 0; i < G_N_ELEMENTS(own); i++)
        g_ptr_array_add(names, (void *)own[i]);
    plan_key_names(plan_target_keys, names);
    return unknown_key(key, names, error);
}

static bool
read_target_text(plan_target *t, const char *key, const doc_node *n, GError **error)
{
    const char *text = text_of(n, key, error);
    bool good = true;

    if (text == NULL)
        return false;
    if (g_str_equal(key, "name")) {
        g_free(t->name);
        t->name = g_strdup(text);
    } else if (g_str_equal(key, "url")) {
        good = plan_target_set_url(t, text, error);
    } else {
        good = read_api_key(t, key, text, error);
    }
    return good || doc_locate(n, key, error);
}

static bool
read_target_key(plan_target *t, const doc_node *key, const doc_node *n, GError **error)
{
    static const char *const texts[] = { "name",        "url",          "api_key",
                                         "api_key_env", "api_key_file", NULL };
    const char *name = doc_text(key) != NULL ? doc_text(key) : "";
    const plan_key *known = plan_key_find(plan_target_keys, name);

    if (known != NULL)
        return set_key(known, t, n, error);
    if (g_str_equal(name, "provider"))
        return true; /* read before all others */
    if (g_str_equal(name, "options"))
        return read_target_options(t, n, error);
    if (g_str_equal(name, "limits"))
        return set_keys(plan_limit_keys, t, n, "limits", error);
    if (g_strv_contains(texts, name))
        return read_target_text(t, name, n, error);
    return unknown_target_key(t, key, error);
}

static bool
read_target(plan *p, registry *plugins, const doc_node *n, GError **error)
{
    plan_target *t = plan_target_new();

    g_ptr_array_add(p->targets, t);
    if (!expect_map(n, "a target", error) || !read_provider(t, plugins, n, error))
        return false;
    t->where = doc_place(n);
    for (unsigned i = 0; i < doc_count(n); i++)
        if (!read_target_key(t, doc_key(n, i), doc_item(n, i), error))
            return false;
    return true;
}

/* ---- stages ---- */

/* The targets are known by now: a wrong name is told with its own place. */
static bool
check_target_name(const plan *p, const doc_node *n, const char *text, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *near;

    for (unsigned i = 0; i < p->targets->len; i++) {
        const plan_target *t = g_ptr_array_index(p->targets, i);
        const char *name = t->name != NULL ? t->name : t->provider.name;

        if (g_strcmp0(name, text) == 0)
            return true;
        g_ptr_array_add(names, (void *)name);
    }
    g_ptr_array_add(names, NULL);
    near = nearest_name(text, (const char *const *)names->pdata);
    return doc_fail(n, error, "unknown target '%s'%s%s%s", text,
                    near != NULL ? ", did you mean '" : "", near != NULL ? near : "",
                    near != NULL ? "'?" : "");
}

static bool
add_stage_target(const plan *p, GPtrArray *names, const doc_node *n, GError **error)
{
    const char *text = text_of(n, "targets", error);

    if (text == NULL || !check_target_name(p, n, text, error))
        return false;
    for (unsigned i = 0; i < names->len; i++)
        if (g_str_equal(g_ptr_array_index(names, i), text))
            return doc_fail(n, error, "the target '%s' is named twice", text);
    g_ptr_array_add(names, g_strdup(text));
    return true;
}

static bool
read_stage_targets(const plan *p, plan_stage *s, const doc_node *n, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

    if (doc_kind(n) != DOC_LIST) {
        if (!add_stage_target(p, names, n, error))
            return false;
    } else {
        if (doc_count(n) == 0)
            return doc_fail(n, error, "targets: the list is empty; leave it out for all");
        for (unsigned i = 0; i < doc_count(n); i++)
            if (!add_stage_target(p, names, doc_item(n, i), error))
                return false;
    }
    g_ptr_array_add(names, NULL);
    s->targets = g_strdupv((char **)names->pdata);
    g_ptr_array_remove_index(names, names->len - 1);
    return true;
}

static bool
read_stage_key(plan *p, plan_stage *s, registry *plugins, const doc_node *key,
               const doc_node *n, GError **error)
{
    const char *name = doc_text(key) != NULL ? doc_text(key) : "";
    const plan_key *known = plan_key_find(plan_stage_keys, name);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *text;

    if (known != NULL)
        return set_key(known, s, n, error);
    if (g_str_equal(name, "workload"))
        return read_choice(&s->workload, plugins, LENS_KIND_OF_WORKLOAD, n, error);
    if (g_str_equal(name, "targets"))
        return read_stage_targets(p, s, n, error);
    if (g_str_equal(name, "name")) {
        text = text_of(n, name, error);
        s->name = g_strdup(text);
        return text != NULL;
    }
    g_ptr_array_add(names, (void *)"name");
    g_ptr_array_add(names, (void *)"workload");
    g_ptr_array_add(names, (void *)"targets");
    plan_key_names(plan_stage_keys, names);
    return unknown_key(key, names, error);
}

static bool
read_stage(plan *p, registry *plugins, const doc_node *n, GError **error)
{
    plan_stage *s = plan_stage_new();

    g_ptr_array_add(p->stages, s);
    if (!expect_map(n, "a stage", error))
        return false;
    s->where = doc_place(n);
    for (unsigned i = 0; i < doc_count(n); i++)
        if (!read_stage_key(p, s, plugins, doc_key(n, i), doc_item(n, i), error))
            return false;
    return true;
}

/* ---- exports, SLOs, the whole ---- */

static bool
read_export(plan *p, registry *plugins, const doc_node *n, GError **error)
{
    plugin_choice *c = plugin_choice_new();

    g_ptr_array_add(p->exports, c);
    return read_choice(c, plugins, LENS_KIND_OF_EXPORTER, n, error);
}

static bool
read_slo(plan *p, registry *plugins, const doc_node *n, GError **error)
{
    const char *text = text_of(n, "slo", error);
    slo *s = text != NULL ? slo_parse(text, error) : NULL;

    (void)plugins;
    if (s == NULL)
        return text != NULL ? doc_locate(n, NULL, error) : false;
    g_ptr_array_add(p->slos, s);
    return true;
}

typedef bool (*read_fn)(plan *p, registry *plugins, const doc_node *n, GError **error);

/* A list, or one item without its brackets. */
static bool
read_each(plan *p, registry *plugins, const doc_node *n, bool can_be_empty, read_fn read,
          GError **error)
{
    if (n == NULL)
        return true;
    if (doc_kind(n) != DOC_LIST)
        return read(p, plugins, n, error);
    if (doc_count(n) == 0 && !can_be_empty)
        return doc_fail(n, error, "the list is empty");
    for (unsigned i = 0; i < doc_count(n); i++)
        if (!read(p, plugins, doc_item(n, i), error))
            return false;
    return true;
}

static bool
check_version(const doc_node *n, GError **error)
{
    const char *text;

    if (n == NULL)
        return true;
    text = text_of(n, "lens", error);
    return text != NULL &&
           (g_str_equal(text, "1") ||
            doc_fail(n, error, "this lens reads plans of version 1, this one is of '%s'",
                     text));
}

static bool
read_top_keys(plan *p, const doc_node *root, GError **error)
{
    static const char *const own[] = { "lens",   "targets", "prompts",
                                       "stages", "slo",     "export" };

    for (unsigned i = 0; i < doc_count(root); i++) {
        const char *name = doc_key_text(root, i);
        const plan_key *key = plan_key_find(plan_keys, name);
        g_autoptr(GPtrArray) names = g_ptr_array_new();
        bool known = false;

        for (size_t k = 0; k < G_N_ELEMENTS(own); k++) {
            g_ptr_array_add(names, (void *)own[k]);
            known = known || g_str_equal(own[k], name);
        }
        if (key != NULL && !set_key(key, p, doc_item(root, i), error))
            return false;
        if (key == NULL && !known) {
            plan_key_names(plan_keys, names);
            return unknown_key(doc_key(root, i), names, error);
        }
    }
    return true;
}

bool
plan_read(plan *p, registry *plugins, const doc *d, GError **error)
{
    const doc_node *root = doc_root(d);

    if (!expect_map(root, "a plan", error) ||
        !check_version(doc_get(root, "lens"), error) || !read_top_keys(p, root, error) ||
        !read_each(p, plugins, doc_get(root, "targets"), false, read_target, error) ||
        !read_each(p, plugins, doc_get(root, "stages"), false, read_stage, error) ||
        !read_each(p, plugins, doc_get(root, "export"), true, read_export, error) ||
        !read_each(p, plugins, doc_get(root, "slo"), true, read_slo, error))
        return false;
    return doc_get(root, "prompts") == NULL ||
           set_keys(plan_prompt_keys, &p->prompts, doc_get(root, "prompts"), "prompts",
                    error);
}

bool
plan_parse(const char *text, size_t size, const char *name, registry *plugins, plan *p,
           GError **error)
{
    g_autoptr(doc) d = doc_parse(text, size, name, error);

    return d != NULL && plan_read(p, plugins, d, error);
}
