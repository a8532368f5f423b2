/* Targets: which URL and which key they get, and whether that can work. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <json-glib/json-glib.h>

#include "error.h"
#include "host.h"
#include "plan-private.h"
#include "secret.h"

/* ---- secrets ---- */

static const struct lens_option *
option_of(const struct lens_schema *schema, uint32_t nth)
{
    return (const void *)((const char *)schema->items + (size_t)nth * schema->item_size);
}

/* A key that is usual for a provider's own URL must not reach another one. */
static void
ignore_secret_variables(option_values *v)
{
    const struct lens_schema *schema = option_values_schema(v);

    for (uint32_t i = 0; i < schema->count; i++)
        if (option_of(schema, i)->type == LENS_OPT_SECRET)
            option_values_ignore_variable(v, option_of(schema, i)->name);
}

static const struct lens_option *
find_option(const option_values *v, const char *name)
{
    const struct lens_schema *schema = option_values_schema(v);

    for (uint32_t i = 0; i < schema->count; i++)
        if (g_str_equal(option_of(schema, i)->name, name))
            return option_of(schema, i);
    return NULL;
}

/* "env:NAME" of a secret that is set; its value is not what is wanted here. */
static char *
spec_of(const option_values *v, const char *name)
{
    g_autofree char *json = option_values_to_json(v, true);
    g_autoptr(JsonNode) root = json_from_string(json, NULL);
    JsonNode *member =
        root != NULL ? json_object_get_member(json_node_get_object(root), name) : NULL;

    if (member != NULL && JSON_NODE_HOLDS_ARRAY(member))
        member = json_array_get_element(json_node_get_array(member), 0);
    return g_strdup(member != NULL ? json_node_get_string(member) : "");
}

/* What is named must be there, even when nothing will be sent; commands are not run. */
static bool
check_presence(const plugin_choice *c, GError **error)
{
    const option_values *v = c->options;
    const struct lens_schema *schema = option_values_schema(v);

    for (uint32_t i = 0; i < schema->count; i++) {
        const struct lens_option *o = option_of(schema, i);
        g_autofree char *spec = NULL;
        char *value;

        if (o->type != LENS_OPT_SECRET || option_values_count(v, o->name) == 0)
            continue;
        spec = spec_of(v, o->name);
        value = secret_resolve(spec, false, error);
        if (value == NULL) {
            g_prefix_error(error, "%s: option %s: ", c->name, o->name);
            return false;
        }
        secret_free(value);
    }
    return true;
}

bool
plan_finish_choice(plugin_choice *c, bool resolve, GError **error)
{
    return option_values_finish(c->options, resolve, error) &&
           (resolve || check_presence(c, error));
}

/* ---- targets ---- */

/* Options that a preset brings, unless they were given. */
static bool
put_preset_options(plan_target *t, GError **error)
{
    option_values *v = t->provider.options;

    for (char **o = t->preset_options; o != NULL && *o != NULL; o += 2)
        if (!option_values_is_set(v, o[0]) && !option_values_set(v, o[0], o[1], error))
            return false;
    return true;
}

static bool
put_url(plan_target *t, GError **error)
{
    option_values *v = t->provider.options;

    if (t->given_url != NULL) {
        option_values_unset(v, "url");
        return option_values_set(v, "url", t->given_url, error);
    }
    if (t->preset_url != NULL && !option_values_is_set(v, "url"))
        return option_values_set(v, "url", t->preset_url, error);
    return true;
}

/* A usual variable goes to the provider's own URL, or to that of its
 * URL variable; a URL that the user gave gets no key unasked. */
static bool
put_key(plan_target *t, bool url_by_user, GError **error)
{
    option_values *v = t->provider.options;

    if (t->given_key != NULL) {
        option_values_unset(v, "api_key");
        return option_values_set(v, "api_key", t->given_key, error);
    }
    if (option_values_is_set(v, "api_key"))
        return true;
    if (!url_by_user && t->preset_key != NULL)
        return option_values_set(v, "api_key", t->preset_key, error);
    if (url_by_user || t->preset_url != NULL || t->is_mock)
        ignore_secret_variables(v);
    return true;
}

/* Whether there is a way in without `api_key`: a token, or what tokens are fetched by. */
static bool
has_other_credential(const option_values *v)
{
    static const char *const sources[] = { "credentials_file", "profile", "project" };
    const struct lens_schema *schema = option_values_schema(v);

    for (uint32_t i = 0; i < schema->count; i++)
        if (option_of(schema, i)->type == LENS_OPT_SECRET &&
            option_values_count(v, option_of(schema, i)->name) > 0)
            return true;
    for (unsigned i = 0; i < G_N_ELEMENTS(sources); i++)
        if (option_values_has(v, sources[i]) && option_values_count(v, sources[i]) > 0)
            return true;
    return false;
}

/* The provider's own URL without the key that it is known to want. */
static bool
check_own_key(const plan_target *t, bool url_by_user, GError **error)
{
    const option_values *v = t->provider.options;
    const struct lens_option *key = find_option(v, "api_key");
    const struct lens_option *url = find_option(v, "url");

    if (url_by_user || t->preset_url != NULL || key == NULL || key->variable == NULL ||
        has_other_credential(v) || url == NULL || url->fallback == NULL ||
        g_strcmp0(option_values_string(v, "url", 0), url->fallback) != 0)
        return true;
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                "provider %s needs a key: set the environment variable %s, or name "
                "another one with --api-key-env NAME or a file with --api-key-file FILE",
                t->provider.kind, key->variable);
    return false;
}

static const struct lens_api *
find_api(const plan_target *t, registry *plugins, GError **error)
{
    const plugin *p =
        registry_find(plugins, LENS_KIND_OF_PROVIDER, t->provider.kind, error);
    const int api = p != NULL ? provider_api(p, t->api, error) : -1;

    if (api < 0)
        return NULL;
    return (const void *)((const char *)p->ops.provider.apis +
                          (size_t)api * p->ops.provider.api_size);
}

const char *
plan_api_name(const plan_target *t, registry *plugins, GError **error)
{
    const struct lens_api *found = find_api(t, plugins, error);

    return found != NULL ? found->name : NULL;
}

static bool
finish_target(plan_target *t, bool resolve, GError **error)
{
    const bool by_user =
        t->given_url != NULL || option_values_is_set(t->provider.options, "url");

    if (!put_preset_options(t, error) || !put_url(t, error) ||
        !put_key(t, by_user, error))
        return false;
    if (t->is_mock)
        return true; /* its URL is not known before it runs */
    if (!plan_finish_choice(&t->provider, resolve, error) ||
        !check_own_key(t, by_user, error))
        return false;
    g_free(t->url);
    t->url = g_strdup(option_values_string(t->provider.options, "url", 0));
    return true;
}

/* Whether a secret is the output of a command. */
static bool
needs_command(const option_values *v)
{
    const struct lens_schema *schema = option_values_schema(v);

    for (uint32_t i = 0; i < schema->count; i++) {
        const struct lens_option *o = option_of(schema, i);
        g_autofree char *spec = NULL;

        if (o->type != LENS_OPT_SECRET || option_values_count(v, o->name) == 0)
            continue;
        spec = spec_of(v, o->name);
        if (g_str_has_prefix(spec, "cmd:"))
            return true;
    }
    return false;
}

/* Options that do not go together are known to the provider alone: it is opened, which
 * sends nothing. Commands are not run for that. */
static bool
try_provider(const plan_target *t, registry *plugins, bool resolve, GError **error)
{
    const plugin *p =
        registry_find(plugins, LENS_KIND_OF_PROVIDER, t->provider.kind, error);
    const int api = p != NULL ? provider_api(p, t->api, error) : -1;
    g_autoptr(instance) opened = NULL;

    if (api < 0)
        return false;
    if (t->is_mock || (!resolve && needs_command(t->provider.options)))
        return true;
    if (!option_values_resolve(t->provider.options, error))
        return false;
    opened = provider_open(p, (unsigned)api, t->provider.options, 0, error);
    return opened != NULL;
}

bool
plan_check_file(const char *path, const char *what, GError **error)
{
    if (path == NULL || access(path, R_OK) == 0)
        return true;
    g_set_error(error, LENS_ERROR, LENS_ERROR_FILE, "%s: cannot read %s: %s", what, path,
                g_strerror(errno));
    return false;
}

bool
plan_check_target(plan_target *t, registry *plugins, bool resolve, GError **error)
{
    const struct lens_api *api;

    if (t->name == NULL)
        t->name = g_strdup(t->is_mock ? "mock" : t->provider.name);
    api = find_api(t, plugins, error);
    if (api == NULL)
        return plan_locate(t->where, error);
    if (t->api == NULL)
        t->api = g_strdup(api->name);
    if (api->flags & LENS_API_NO_STREAM)
        t->stream = false;
    if (t->min_tokens > t->max_tokens)
        return plan_fail(t->where, error,
                         "min_tokens %" G_GINT64_FORMAT
                         " is more than max_tokens %" G_GINT64_FORMAT,
                         t->min_tokens, t->max_tokens);
    if (t->key != NULL && t->cert == NULL)
        return plan_fail(t->where, error, "key is of no use without cert");
    if (t->gpus != 1 && t->gpu_hour_usd == NULL)
        return plan_fail(t->where, error, "gpus is of no use without gpu_hour_usd");
    if (!plan_check_file(t->cacert, "cacert", error) ||
        !plan_check_file(t->cert, "cert", error) ||
        !plan_check_file(t->key, "key", error) || !finish_target(t, resolve, error) ||
        !try_provider(t, plugins, resolve, error))
        return plan_locate(t->where, error);
    return true;
}

bool
plan_set_mock_url(plan *p, const char *url, GError **error)
{
    for (unsigned i = 0; i < p->targets->len; i++) {
        plan_target *t = g_ptr_array_index(p->targets, i);

        if (!t->is_mock)
            continue;
        if (!option_values_set(t->provider.options, "url", url, error) ||
            !option_values_finish(t->provider.options, true, error))
            return false;
        g_free(t->url);
        t->url = g_strdup(url);
    }
    return true;
}
