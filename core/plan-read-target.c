/* Reading the targets of a plan file. */
#include <string.h>

#include "error.h"
#include "plan-read.h"

/* ---- targets ---- */

static bool
read_target_options(plan_target *t, const doc_node *n, GError **error)
{
    if (!plan_read_expect_map(n, "options", error))
        return false;
    for (unsigned i = 0; i < doc_count(n); i++) {
        const plan_key *key = plan_key_find(plan_request_keys, doc_key_text(n, i));
        const char *name = doc_key_text(n, i);
        bool good;

        if (key == NULL)
            key = plan_key_find(plan_price_keys, name);
        if (key != NULL)
            good = plan_read_key(key, t, doc_item(n, i), error);
        else if (!option_values_has(t->provider.options, name))
            good = plan_unknown_option(t, name, error) ||
                   doc_locate(doc_key(n, i), NULL, error);
        else
            good = plan_read_option(t->provider.options, doc_key(n, i), doc_item(n, i),
                                    error);
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
    text = plan_read_text(n, "provider", error);
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
    plan_key_names(plan_price_keys, names);
    return plan_read_unknown_key(key, names, error);
}

static bool
read_target_text(plan_target *t, const char *key, const doc_node *n, GError **error)
{
    const char *text = plan_read_text(n, key, error);
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

    if (known == NULL)
        known = plan_key_find(plan_price_keys, name);
    if (known != NULL)
        return plan_read_key(known, t, n, error);
    if (g_str_equal(name, "provider"))
        return true; /* read before all others */
    if (g_str_equal(name, "options"))
        return read_target_options(t, n, error);
    if (g_str_equal(name, "limits"))
        return plan_read_keys(plan_limit_keys, t, n, "limits", error);
    if (g_strv_contains(texts, name))
        return read_target_text(t, name, n, error);
    return unknown_target_key(t, key, error);
}

bool
plan_read_target(plan *p, registry *plugins, const doc_node *n, GError **error)
{
    plan_target *t = plan_target_new();

    g_ptr_array_add(p->targets, t);
    if (!plan_read_expect_map(n, "a target", error) ||
        !read_provider(t, plugins, n, error))
        return false;
    t->where = doc_place(n);
    for (unsigned i = 0; i < doc_count(n); i++)
        if (!read_target_key(t, doc_key(n, i), doc_item(n, i), error))
            return false;
    return true;
}
