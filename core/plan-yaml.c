/* A plan from YAML or JSON. Every message begins with the place of what is wrong. */
#include <string.h>

#include "error.h"
#include "plan-read.h"

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
    const char *text = plan_read_text(n, "targets", error);

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
        return plan_read_key(known, s, n, error);
    if (g_str_equal(name, "workload"))
        return plan_read_choice(&s->workload, plugins, LENS_KIND_OF_WORKLOAD, n, error);
    if (g_str_equal(name, "targets"))
        return read_stage_targets(p, s, n, error);
    if (g_str_equal(name, "name")) {
        text = plan_read_text(n, name, error);
        s->name = g_strdup(text);
        return text != NULL;
    }
    g_ptr_array_add(names, (void *)"name");
    g_ptr_array_add(names, (void *)"workload");
    g_ptr_array_add(names, (void *)"targets");
    plan_key_names(plan_stage_keys, names);
    return plan_read_unknown_key(key, names, error);
}

static bool
read_stage(plan *p, registry *plugins, const doc_node *n, GError **error)
{
    plan_stage *s = plan_stage_new();

    g_ptr_array_add(p->stages, s);
    if (!plan_read_expect_map(n, "a stage", error))
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
    return plan_read_choice(c, plugins, LENS_KIND_OF_EXPORTER, n, error);
}

static bool
read_slo(plan *p, registry *plugins, const doc_node *n, GError **error)
{
    const char *text = plan_read_text(n, "slo", error);
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
    text = plan_read_text(n, "lens", error);
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
        if (key != NULL && !plan_read_key(key, p, doc_item(root, i), error))
            return false;
        if (key == NULL && !known) {
            plan_key_names(plan_keys, names);
            return plan_read_unknown_key(doc_key(root, i), names, error);
        }
    }
    return true;
}

bool
plan_read(plan *p, registry *plugins, const doc *d, GError **error)
{
    const doc_node *root = doc_root(d), *prompts = doc_get(root, "prompts");

    if (!plan_read_expect_map(root, "a plan", error) ||
        !check_version(doc_get(root, "lens"), error) || !read_top_keys(p, root, error) ||
        !read_each(p, plugins, doc_get(root, "targets"), false, plan_read_target,
                   error) ||
        !read_each(p, plugins, doc_get(root, "stages"), false, read_stage, error) ||
        !read_each(p, plugins, doc_get(root, "export"), true, read_export, error) ||
        !read_each(p, plugins, doc_get(root, "slo"), true, read_slo, error))
        return false;
    if (prompts == NULL)
        return true;
    p->prompts.where = doc_place(prompts);
    return plan_read_keys(plan_prompt_keys, &p->prompts, prompts, "prompts", error);
}

bool
plan_parse(const char *text, size_t size, const char *name, registry *plugins, plan *p,
           GError **error)
{
    g_autoptr(doc) d = doc_parse(text, size, name, error);

    return d != NULL && plan_read(p, plugins, d, error);
}
