/* Defaults that depend on other keys, and what one key alone cannot show. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <json-glib/json-glib.h>

#include "error.h"
#include "host.h"
#include "plan-private.h"
#include "secret.h"

static bool fail(const char *where, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* "plan.yaml:7:5: ..." when it came from a file. */
static bool
fail(const char *where, GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list list;

    va_start(list, format);
    text = g_strdup_vprintf(format, list);
    va_end(list);
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "%s%s%s", where != NULL ? where : "",
                where != NULL ? ": " : "", text);
    return false;
}

static bool
locate(const char *where, GError **error)
{
    if (where != NULL)
        g_prefix_error(error, "%s: ", where);
    return false;
}

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
check_presence(const option_values *v, GError **error)
{
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
            g_prefix_error(error, "%s: ", o->name);
            return false;
        }
        secret_free(value);
    }
    return true;
}

static bool
finish(option_values *v, bool resolve, GError **error)
{
    return option_values_finish(v, resolve, error) &&
           (resolve || check_presence(v, error));
}

/* ---- targets ---- */

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

/* Contract section 2: a usual variable goes to the provider's own URL, or to that of its
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

/* The provider's own URL without the key that it is known to want. */
static bool
check_own_key(const plan_target *t, bool url_by_user, GError **error)
{
    const option_values *v = t->provider.options;
    const struct lens_option *key = find_option(v, "api_key");
    const struct lens_option *url = find_option(v, "url");

    if (url_by_user || t->preset_url != NULL || key == NULL || key->variable == NULL ||
        option_values_count(v, "api_key") > 0 || url == NULL || url->fallback == NULL ||
        g_strcmp0(option_values_string(v, "url", 0), url->fallback) != 0)
        return true;
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                "provider %s needs a key: set the environment variable %s, or name "
                "another one with --api-key-env NAME or a file with --api-key-file FILE",
                t->provider.kind, key->variable);
    return false;
}

const char *
plan_api_name(const plan_target *t, registry *plugins, GError **error)
{
    const plugin *p =
        registry_find(plugins, LENS_KIND_OF_PROVIDER, t->provider.kind, error);
    const int api = p != NULL ? provider_api(p, t->api, error) : -1;
    const struct lens_api *found;

    if (api < 0)
        return NULL;
    found = (const void *)((const char *)p->ops.provider.apis +
                           (size_t)api * p->ops.provider.api_size);
    return found->name;
}

static bool
finish_target(plan_target *t, bool resolve, GError **error)
{
    const bool by_user =
        t->given_url != NULL || option_values_is_set(t->provider.options, "url");

    if (!put_url(t, error) || !put_key(t, by_user, error))
        return false;
    if (t->is_mock)
        return true; /* its URL is not known before it runs */
    if (!finish(t->provider.options, resolve, error) || !check_own_key(t, by_user, error))
        return false;
    g_free(t->url);
    t->url = g_strdup(option_values_string(t->provider.options, "url", 0));
    return true;
}

static bool
check_file(const char *path, const char *what, GError **error)
{
    if (path == NULL || access(path, R_OK) == 0)
        return true;
    g_set_error(error, LENS_ERROR, LENS_ERROR_FILE, "%s: cannot read %s: %s", what, path,
                g_strerror(errno));
    return false;
}

static bool
check_target(plan_target *t, registry *plugins, bool resolve, GError **error)
{
    const char *api;

    if (t->name == NULL)
        t->name = g_strdup(t->is_mock ? "mock" : t->provider.name);
    api = plan_api_name(t, plugins, error);
    if (api == NULL)
        return locate(t->where, error);
    if (t->api == NULL)
        t->api = g_strdup(api);
    if (t->min_tokens > t->max_tokens)
        return fail(t->where, error,
                    "min_tokens %" G_GINT64_FORMAT
                    " is more than max_tokens %" G_GINT64_FORMAT,
                    t->min_tokens, t->max_tokens);
    if (t->key != NULL && t->cert == NULL)
        return fail(t->where, error, "key is of no use without cert");
    if (!check_file(t->cacert, "cacert", error) || !check_file(t->cert, "cert", error) ||
        !check_file(t->key, "key", error) || !finish_target(t, resolve, error))
        return locate(t->where, error);
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

/* ---- stages ---- */

bool
plan_estimate(const plan *p, const plan_stage *s, registry *plugins,
              struct lens_estimate *ret, GError **error)
{
    const struct lens_workload_args how = { .struct_size = sizeof how,
                                            .seed = p->seed,
                                            .shards = 1,
                                            .requests = s->requests,
                                            .duration_ns = s->duration_ns };
    const plugin *w =
        registry_find(plugins, LENS_KIND_OF_WORKLOAD, s->workload.kind, error);
    g_autoptr(instance) i = NULL;

    memset(ret, 0, sizeof *ret);
    ret->struct_size = sizeof *ret;
    ret->arrivals = ret->input_tokens = ret->output_tokens = ret->duration_ns = -1;
    if (w == NULL || (i = workload_open(w, &how, s->workload.options, error)) == NULL)
        return false;
    if (w->ops.workload.estimate != NULL)
        w->ops.workload.estimate(i->self, ret);
    return true;
}

/* Contract section 2: 100 requests, unless the workload ends by itself. */
static bool
put_stop(const plan *p, plan_stage *s, registry *plugins, GError **error)
{
    struct lens_estimate total;

    if (!plan_estimate(p, s, plugins, &total, error))
        return false;
    if (s->requests < 0 && s->duration_ns < 0)
        s->requests = total.arrivals > 0 ? total.arrivals : 100;
    return true;
}

static bool
check_stage(const plan *p, plan_stage *s, registry *plugins, bool resolve, GError **error)
{
    if (s->name == NULL)
        s->name = g_strdup(s->workload.name);
    if (!finish(s->workload.options, resolve, error) || !put_stop(p, s, plugins, error))
        return locate(s->where, error);
    if (s->warmup_requests >= 0 && s->requests >= 0 && s->warmup_requests >= s->requests)
        return fail(s->where, error,
                    "warmup takes all %" G_GINT64_FORMAT " requests, none would be "
                    "measured",
                    s->requests);
    if (s->warmup_ns >= 0 && s->duration_ns >= 0 && s->warmup_ns >= s->duration_ns)
        return fail(s->where, error,
                    "warmup takes the whole duration, nothing would be "
                    "measured");
    return true;
}

/* ---- the whole ---- */

/* Each name once; `where` of the second is told. */
static bool
check_name(GHashTable *seen, const char *what, const char *name, const char *where,
           GError **error)
{
    if (name[0] == '\0')
        return fail(where, error, "the name of a %s is empty", what);
    if (g_hash_table_add(seen, (void *)name))
        return true;
    return fail(where, error, "two %ss are called '%s', give each a name of its own",
                what, name);
}

static bool
check_names(const plan *p, GError **error)
{
    g_autoptr(GHashTable) targets = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) stages = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) exports = g_hash_table_new(g_str_hash, g_str_equal);

    for (unsigned i = 0; i < p->targets->len; i++) {
        const plan_target *t = g_ptr_array_index(p->targets, i);

        if (!check_name(targets, "target", t->name, t->where, error))
            return false;
    }
    for (unsigned i = 0; i < p->stages->len; i++) {
        const plan_stage *s = g_ptr_array_index(p->stages, i);

        if (!check_name(stages, "stage", s->name, s->where, error))
            return false;
    }
    for (unsigned i = 0; i < p->exports->len; i++) {
        const plugin_choice *c = g_ptr_array_index(p->exports, i);

        if (!check_name(exports, "export", c->name, c->where, error))
            return false;
    }
    return true;
}

static bool
check_stage_targets(const plan *p, const plan_stage *s, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *near;

    for (unsigned i = 0; i < p->targets->len; i++)
        g_ptr_array_add(names, ((plan_target *)g_ptr_array_index(p->targets, i))->name);
    g_ptr_array_add(names, NULL);
    for (unsigned i = 0; s->targets != NULL && s->targets[i] != NULL; i++) {
        if (plan_find_target(p, s->targets[i]) != NULL)
            continue;
        near = nearest_name(s->targets[i], (const char *const *)names->pdata);
        return fail(s->where, error,
                    "stage '%s' names the target '%s', which does not "
                    "exist%s%s%s",
                    s->name, s->targets[i], near != NULL ? ", did you mean '" : "",
                    near != NULL ? near : "", near != NULL ? "'?" : "");
    }
    return true;
}

static bool
check_prompts(const plan *p, GError **error)
{
    if (p->prompts.text != NULL && p->prompts.file != NULL)
        return fail(NULL, error, "a prompt and a file of prompts are given, choose one");
    return check_file(p->prompts.file, "prompts", error);
}

static bool
put_seed(plan *p, GError **error)
{
    if (p->seed_given)
        return true;
    if (getentropy(&p->seed, sizeof p->seed) == 0)
        return true;
    return fail(NULL, error, "cannot draw a seed: %s", g_strerror(errno));
}

bool
plan_check(plan *p, registry *plugins, bool resolve, GError **error)
{
    if (!put_seed(p, error))
        return false;
    for (unsigned i = 0; i < p->targets->len; i++)
        if (!check_target(g_ptr_array_index(p->targets, i), plugins, resolve, error))
            return false;
    for (unsigned i = 0; i < p->stages->len; i++)
        if (!check_stage(p, g_ptr_array_index(p->stages, i), plugins, resolve, error) ||
            !check_stage_targets(p, g_ptr_array_index(p->stages, i), error))
            return false;
    for (unsigned i = 0; i < p->exports->len; i++) {
        const plugin_choice *c = g_ptr_array_index(p->exports, i);

        if (!finish(c->options, resolve, error))
            return locate(c->where, error);
    }
    return check_names(p, error) && check_prompts(p, error);
}
