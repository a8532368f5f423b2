#include <string.h>

#include "error.h"
#include "plan-private.h"

static const struct lens_schema *
schema_of(const plugin *p)
{
    switch (p->kind) {
    case LENS_KIND_OF_PROVIDER:
        return &p->ops.provider.options;
    case LENS_KIND_OF_WORKLOAD:
        return &p->ops.workload.options;
    default:
        return &p->ops.exporter.options;
    }
}

bool
plan_choice_set_kind(plugin_choice *c, registry *plugins, uint32_t kind,
                     const char *kind_name, GError **error)
{
    const plugin *p;
    g_autofree char *owner = NULL;

    if (!plan_refuse_shape(kind_name, error))
        return false;
    p = registry_find(plugins, kind, kind_name, error);
    if (p == NULL)
        return false;
    owner = g_strdup_printf("%s %s", plugin_kind_name(kind), p->name);
    option_values_free(c->options);
    c->options = option_values_new(schema_of(p), owner);
    g_free(c->kind);
    c->kind = g_strdup(p->name);
    g_free(c->name);
    c->name = g_strdup(p->name);
    return true;
}

/* The items of "k=v,k2=v2", escapes kept. */
static char **
split_items(const char *list)
{
    g_autoptr(GPtrArray) items = g_ptr_array_new();
    const char *start = list;

    for (const char *c = list;; c++) {
        if (*c == '\\' && c[1] == ',') {
            c++;
        } else if (*c == ',' || *c == '\0') {
            g_ptr_array_add(items, g_strndup(start, (size_t)(c - start)));
            start = c + 1;
        }
        if (*c == '\0')
            break;
    }
    g_ptr_array_add(items, NULL);
    return (char **)g_ptr_array_free(g_steal_pointer(&items), FALSE);
}

/* `name` is ours, unless the plugin has an option of that name. */
static bool
set_items(plugin_choice *c, const char *list, GError **error)
{
    g_auto(GStrv) items = split_items(list);

    for (unsigned i = 0; items[i] != NULL; i++) {
        if (g_str_has_prefix(items[i], "name=") && items[i][5] != '\0' &&
            !option_values_has(c->options, "name")) {
            g_free(c->name);
            c->name = g_strdup(items[i] + 5);
        } else if (!option_values_set_list(c->options, items[i], error)) {
            return false;
        }
    }
    return true;
}

bool
plan_choice_parse(plugin_choice *c, registry *plugins, uint32_t kind, const char *text,
                  GError **error)
{
    const size_t size = strcspn(text, ":");
    g_autofree char *name = g_strndup(text, size);

    if (!plan_refuse_shape(text, error))
        return false;
    if (size == 0) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "expected NAME or NAME:key=value,key=value");
        return false;
    }
    return plan_choice_set_kind(c, plugins, kind, name, error) &&
           (text[size] == '\0' || text[size + 1] == '\0' ||
            set_items(c, text + size + 1, error));
}

/* ---- targets ---- */

static bool
is_loaded(registry *plugins, const char *name)
{
    const GPtrArray *all = registry_plugins(plugins);

    for (unsigned i = 0; i < all->len; i++) {
        const plugin *p = g_ptr_array_index(all, i);

        if (p->kind == LENS_KIND_OF_PROVIDER && g_str_equal(p->name, name))
            return true;
    }
    return false;
}

/* Puts the preset's values into `t`; its provider is written to `ret_provider`. */
static bool
use_preset(plan_target *t, const char *name, char **ret_provider, char **ret_near,
           GError **error)
{
    GError *cause = NULL;
    g_autoptr(preset) found = preset_find(name, ret_near, &cause);

    if (cause != NULL) {
        g_propagate_error(error, cause);
        return false;
    }
    if (found == NULL)
        return true;
    t->preset_url = g_strdup(found->url);
    t->preset_key =
        found->api_key_env != NULL ? g_strconcat("env:", found->api_key_env, NULL) : NULL;
    t->preset_options = g_strdupv(found->options);
    *ret_provider = g_strdup(found->provider);
    return true;
}

static bool
set_provider_name(plan_target *t, registry *plugins, const char *name, GError **error)
{
    g_autofree char *provider = NULL, *near = NULL;
    g_autoptr(GError) cause = NULL;

    g_clear_pointer(&t->preset_url, g_free);
    g_clear_pointer(&t->preset_key, g_free);
    g_clear_pointer(&t->preset_options, g_strfreev);
    if (is_loaded(plugins, name))
        return plan_choice_set_kind(&t->provider, plugins, LENS_KIND_OF_PROVIDER, name,
                                    error);
    if (!use_preset(t, name, &provider, &near, error))
        return false;
    if (plan_choice_set_kind(&t->provider, plugins, LENS_KIND_OF_PROVIDER,
                             provider != NULL ? provider : name, &cause)) {
        g_free(t->provider.name);
        t->provider.name = g_strdup(name);
        return true;
    }
    if (provider == NULL && near != NULL &&
        strstr(cause->message, "did you mean") == NULL)
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "unknown provider '%s', did you mean '%s'?", name, near);
    else
        g_propagate_error(error, g_steal_pointer(&cause));
    return false;
}

bool
plan_target_set_provider(plan_target *t, registry *plugins, const char *text,
                         GError **error)
{
    const size_t size = strcspn(text, ":");
    g_autofree char *name = g_strndup(text, size);

    if (size == 0 || g_str_has_prefix(text + size, "://")) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "expected the name of a provider, or NAME:key=value,key=value");
        return false;
    }
    if (!set_provider_name(t, plugins, name, error))
        return false;
    return text[size] == '\0' || text[size + 1] == '\0' ||
           set_items(&t->provider, text + size + 1, error);
}

bool
plan_unknown_option(const plan_target *t, const char *name, GError **error)
{
    const struct lens_schema *schema = option_values_schema(t->provider.options);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *list = NULL;
    const char *near;

    plan_key_names(plan_request_keys, names);
    plan_key_names(plan_price_keys, names);
    for (uint32_t i = 0; i < schema->count; i++) {
        const struct lens_option *o =
            (const void *)((const char *)schema->items + (size_t)i * schema->item_size);

        g_ptr_array_add(names, (void *)o->name);
    }
    g_ptr_array_add(names, NULL);
    near = nearest_name(name, (const char *const *)names->pdata);
    list = g_strjoinv(", ", (char **)names->pdata);
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                "provider %s has no option '%s'%s%s%s", t->provider.kind, name,
                near != NULL ? ", did you mean '" : ", it has ",
                near != NULL ? near : list, near != NULL ? "'?" : "");
    return false;
}

bool
plan_target_set_option(plan_target *t, const char *name, const char *text, GError **error)
{
    const plan_key *key = plan_key_find(plan_request_keys, name);

    if (key == NULL)
        key = plan_key_find(plan_price_keys, name);
    if (key != NULL) {
        if (plan_key_set(key, t, text, error))
            return true;
        g_prefix_error(error, "%s: ", name);
        return false;
    }
    if (!option_values_has(t->provider.options, name))
        return plan_unknown_option(t, name, error);
    return option_values_set(t->provider.options, name, text, error);
}

/* A key as part of a query would be stored and shown with the URL. */
static bool
has_key_in_query(const char *url)
{
    g_autoptr(GRegex) form = g_regex_new(
        "[?&](key|api[-_]?key|access_token|token|sig|signature|subscription-key)=",
        G_REGEX_CASELESS, G_REGEX_MATCH_DEFAULT, NULL);

    return g_regex_match(form, url, G_REGEX_MATCH_DEFAULT, NULL);
}

bool
plan_target_set_url(plan_target *t, const char *text, GError **error)
{
    g_autofree char *url =
        plan_is_host_port(text) ? g_strconcat("http://", text, NULL) : g_strdup(text);

    if (!check_url(url, error))
        return false;
    if (has_key_in_query(url)) {
        g_set_error(
            error, LENS_ERROR, LENS_ERROR_USAGE,
            "a key in a URL is refused: name its variable with --api-key-env NAME "
            "or its file with --api-key-file FILE");
        return false;
    }
    g_free(t->given_url);
    t->given_url = g_steal_pointer(&url);
    return true;
}

bool
plan_target_set_key_env(plan_target *t, const char *name, GError **error)
{
    g_autoptr(GRegex) form = g_regex_new("^[A-Za-z_][A-Za-z0-9_]*$", G_REGEX_DEFAULT,
                                         G_REGEX_MATCH_DEFAULT, NULL);

    if (!g_regex_match(form, name, G_REGEX_MATCH_DEFAULT, NULL)) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "expected the name of an environment variable, for instance "
                    "MY_API_KEY, not the key itself");
        return false;
    }
    g_free(t->given_key);
    t->given_key = g_strconcat("env:", name, NULL);
    return true;
}
