/* A plan from the command line: its plan file or URL, then the flags over it. */
#include <string.h>

#include "doc.h"
#include "error.h"
#include "flags.h"
#include "plain-text.h"
#include "plan-private.h"
#include "side-call.h"

/* What the one positional argument is. */
enum source { SOURCE_NONE, SOURCE_FILE, SOURCE_URL };

static bool
has_plan_suffix(const char *text)
{
    return g_str_has_suffix(text, ".yaml") || g_str_has_suffix(text, ".yml") ||
           g_str_has_suffix(text, ".json");
}

static bool
find_source(const char *text, enum source *ret, GError **error)
{
    *ret = SOURCE_NONE;
    if (text == NULL)
        return true;
    if (!plan_refuse_shape(text, error))
        return false;
    if (strstr(text, "://") != NULL || plan_is_host_port(text)) {
        *ret = SOURCE_URL;
    } else if (has_plan_suffix(text) || g_file_test(text, G_FILE_TEST_EXISTS)) {
        *ret = SOURCE_FILE;
    } else {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "'%.*s' is neither a plan file (.yaml, .yml, .json) nor a URL "
                    "(http://HOST:PORT); a provider is named with --provider",
                    plain_text_cut(text, 80), text);
        return false;
    }
    return true;
}

static bool
load_file(plan *p, registry *plugins, const char *path, GError **error)
{
    g_autoptr(doc) d = doc_read_file(path, error);

    if (d == NULL || !plan_read(p, plugins, d, error))
        return false;
    p->source = g_strdup(path);
    return true;
}

/* ---- flags over keys ---- */

static bool
apply_keys(const args *a, const plan_key *keys, void *base, GError **error)
{
    for (const plan_key *k = keys; k->name != NULL; k++) {
        if (k->flag == NULL || !args_is_set(a, k->flag))
            continue;
        plan_key_clear(k, base);
        for (unsigned i = 0; i < args_count(a, k->flag); i++) {
            const char *text = k->type == SCALAR_SWITCH ? (k->inverse ? "false" : "true")
                                                        : args_string(a, k->flag, i);

            if (i > 0 && k->store != STORE_LIST)
                break;
            if (!plan_key_set(k, base, text, error)) {
                g_prefix_error(error, "--%s: ", k->flag);
                return false;
            }
        }
    }
    return true;
}

/* Prefixes an error with the flag it belongs to. */
static bool
by_flag(bool good, const char *name, GError **error)
{
    if (!good)
        g_prefix_error(error, "--%s: ", name);
    return good;
}

/* ---- targets ---- */

static bool
apply_key(const args *a, plan_target *t, GError **error)
{
    const char *variable = args_string(a, "api-key-env", 0);
    const char *file = args_string(a, "api-key-file", 0);

    if (variable != NULL && file != NULL) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "--api-key-env and --api-key-file both name the key, give one");
        return false;
    }
    if (variable != NULL)
        return by_flag(plan_target_set_key_env(t, variable, error), "api-key-env", error);
    if (file != NULL) {
        g_free(t->given_key);
        t->given_key = g_strconcat("file:", file, NULL);
    }
    return true;
}

static bool
apply_target(const args *a, registry *plugins, const char *url, plan_target *t,
             GError **error)
{
    const char *provider = args_string(a, "provider", 0);

    if (provider != NULL &&
        !by_flag(plan_target_set_provider(t, plugins, provider, error), "provider",
                 error))
        return false;
    if (t->provider.kind == NULL &&
        !plan_choice_set_kind(&t->provider, plugins, LENS_KIND_OF_PROVIDER,
                              LENS_DEFAULT_PROVIDER, error))
        return false;
    if (url != NULL && !plan_target_set_url(t, url, error))
        return false;
    return apply_key(a, t, error) && apply_keys(a, plan_target_keys, t, error) &&
           apply_keys(a, plan_request_keys, t, error) &&
           apply_keys(a, plan_limit_keys, t, error);
}

static bool
apply_targets(const args *a, plan *p, registry *plugins, const char *url, GError **error)
{
    if (p->targets->len == 0) {
        plan_target *t = plan_target_new();

        t->is_mock = p->source == NULL && url == NULL && !args_is_set(a, "provider") &&
                     !args_is_set(a, "model");
        if (!t->is_mock && url == NULL && !args_is_set(a, "provider")) {
            g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                        "%s no target: give a URL (http://HOST:PORT), or --provider NAME",
                        p->source != NULL ? "the plan has" : "--model alone is");
            g_ptr_array_add(p->targets, t);
            return false;
        }
        g_ptr_array_add(p->targets, t);
    }
    for (unsigned i = 0; i < p->targets->len; i++)
        if (!apply_target(a, plugins, url, g_ptr_array_index(p->targets, i), error))
            return false;
    return true;
}

/* ---- stages ---- */

/* The workload that -c or --rate alone stand for. */
static const char *
implied_workload(const args *a)
{
    return args_is_set(a, "rate") ? LENS_DEFAULT_RATE_WORKLOAD : LENS_DEFAULT_WORKLOAD;
}

static bool
set_workload(const args *a, registry *plugins, plan_stage *s, GError **error)
{
    const char *given = args_string(a, "workload", 0);

    if (given != NULL)
        return by_flag(
            plan_choice_parse(&s->workload, plugins, LENS_KIND_OF_WORKLOAD, given, error),
            "workload", error);
    if (s->workload.kind != NULL)
        return true;
    if (args_is_set(a, "rate") && args_is_set(a, "concurrency")) {
        g_set_error(
            error, LENS_ERROR, LENS_ERROR_USAGE,
            "--concurrency and --rate are two different loads: choose one, or cap "
            "an open load with --max-in-flight");
        return false;
    }
    return plan_choice_set_kind(&s->workload, plugins, LENS_KIND_OF_WORKLOAD,
                                implied_workload(a), error);
}

/* Gives `flag` to all stages whose workload has an option of that name. */
static bool
feed_workloads(const args *a, const plan *p, const char *name, GError **error)
{
    const char *text = args_string(a, name, 0);
    const char *kind = "";
    bool taken = false;

    if (text == NULL)
        return true;
    for (unsigned i = 0; i < p->stages->len; i++) {
        const plan_stage *s = g_ptr_array_index(p->stages, i);

        kind = s->workload.kind;
        if (!option_values_has(s->workload.options, name))
            continue;
        taken = true;
        if (!option_values_set(s->workload.options, name, text, error))
            return by_flag(false, name, error);
    }
    if (!taken)
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "--%s: the workload '%s' has no option of that name; 'lens plugin "
                    "info %s' shows what it has",
                    name, kind, kind);
    return taken;
}

static bool
apply_stages(const args *a, plan *p, registry *plugins, GError **error)
{
    if (p->stages->len == 0)
        g_ptr_array_add(p->stages, plan_stage_new());
    for (unsigned i = 0; i < p->stages->len; i++) {
        plan_stage *s = g_ptr_array_index(p->stages, i);

        if (!set_workload(a, plugins, s, error) ||
            !apply_keys(a, plan_stage_keys, s, error))
            return false;
    }
    return feed_workloads(a, p, "concurrency", error) &&
           feed_workloads(a, p, "rate", error);
}

/* ---- prompts, exports, SLOs, --set ---- */

/* One of --prompt and --prompts takes the place of whatever the plan says. */
static bool
apply_prompts(const args *a, plan *p, GError **error)
{
    if (args_is_set(a, "prompt") || args_is_set(a, "prompts"))
        g_clear_pointer(&p->prompts.where, g_free);
    if (args_is_set(a, "prompt"))
        g_clear_pointer(&p->prompts.file, g_free);
    if (args_is_set(a, "prompts"))
        g_clear_pointer(&p->prompts.text, g_free);
    return apply_keys(a, plan_prompt_keys, &p->prompts, error);
}

static bool
apply_exports(const args *a, plan *p, registry *plugins, GError **error)
{
    const unsigned count = args_count(a, "export");

    if (count > 0)
        g_ptr_array_set_size(p->exports, 0);
    for (unsigned i = 0; i < count; i++) {
        plugin_choice *c = plugin_choice_new();

        g_ptr_array_add(p->exports, c);
        if (!plan_choice_parse(c, plugins, LENS_KIND_OF_EXPORTER,
                               args_string(a, "export", i), error))
            return by_flag(false, "export", error);
    }
    return true;
}

static bool
apply_slos(const args *a, plan *p, GError **error)
{
    const unsigned count = args_count(a, "slo");

    if (count > 0)
        g_ptr_array_set_size(p->slos, 0);
    for (unsigned i = 0; i < count; i++) {
        slo *s = slo_parse(args_string(a, "slo", i), error);

        if (s == NULL)
            return by_flag(false, "slo", error);
        g_ptr_array_add(p->slos, s);
    }
    return true;
}

static bool
set_of_providers(plan *p, const char *key, const char *value, GError **error)
{
    for (unsigned i = 0; i < p->targets->len; i++)
        if (!plan_target_set_option(g_ptr_array_index(p->targets, i), key, value, error))
            return false;
    return true;
}

static bool
set_of_workloads(plan *p, const char *key, const char *value, GError **error)
{
    for (unsigned i = 0; i < p->stages->len; i++) {
        plan_stage *s = g_ptr_array_index(p->stages, i);

        if (!option_values_set(s->workload.options, key, value, error))
            return false;
    }
    return true;
}

bool
plan_set_export(const GPtrArray *exports, const char *rest, const char *value,
                GError **error)
{
    const char *dot = strrchr(rest, '.');
    g_autofree char *name = g_strndup(rest, dot != NULL ? (size_t)(dot - rest) : 0);

    for (unsigned i = 0; dot != NULL && i < exports->len; i++) {
        plugin_choice *c = g_ptr_array_index(exports, i);

        if (g_str_equal(c->name, name))
            return option_values_set(c->options, dot + 1, value, error);
    }
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                "no export is called '%s' (form: export.NAME.KEY=VALUE)", name);
    return false;
}

/* The value is taken as it is, so JSON needs no escaping. */
static bool
set_one(plan *p, const char *text, GError **error)
{
    const char *equals = strchr(text, '=');
    g_autofree char *path = g_strndup(text, equals != NULL ? (size_t)(equals - text) : 0);

    if (equals != NULL && g_str_has_prefix(path, "provider.") && path[9] != '\0')
        return set_of_providers(p, path + 9, equals + 1, error);
    if (equals != NULL && g_str_has_prefix(path, "workload.") && path[9] != '\0')
        return set_of_workloads(p, path + 9, equals + 1, error);
    if (equals != NULL && g_str_has_prefix(path, "export.") && path[7] != '\0')
        return plan_set_export(p->exports, path + 7, equals + 1, error);
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                "expected provider.KEY=VALUE, workload.KEY=VALUE or "
                "export.NAME.KEY=VALUE");
    return false;
}

static bool
apply_sets(const args *a, plan *p, GError **error)
{
    for (unsigned i = 0; i < args_count(a, "set"); i++)
        if (!set_one(p, args_string(a, "set", i), error))
            return by_flag(false, "set", error);
    return true;
}

/* ---- the whole ---- */

static void
apply_switches(const args *a, plan *p)
{
    p->force = args_bool(a, "force");
    p->json = args_bool(a, "json");
    p->quiet = args_bool(a, "quiet");
    p->verbose = args_count(a, "verbose");
    p->user_clock = args_int(a, "clock") == 1;
    p->dry_run = args_bool(a, "dry-run") || args_command_bit(a) == ON_VALIDATE;
    p->online = args_bool(a, "online") ||
                (args_command_bit(a) == ON_VALIDATE && args_bool(a, "test-request"));
    p->dump_schedule = g_strdup(args_string(a, "dump-schedule", 0));
}

/* The URL is given once, bare or by its flag. */
static bool
find_url(const args *a, enum source source, const char **ret, GError **error)
{
    const char *by_flag_text = args_string(a, "url", 0);

    *ret = source == SOURCE_URL ? args_positional(a, 0) : by_flag_text;
    if (source == SOURCE_URL && by_flag_text != NULL) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "the URL is given twice, bare and by --url");
        return false;
    }
    return true;
}

plan *
plan_from_args(const args *a, GError **error)
{
    g_autoptr(plan) p = plan_new();
    registry *plugins = args_plugins(a);
    enum source source;
    const char *url;

    if (!find_source(args_positional(a, 0), &source, error) ||
        !find_url(a, source, &url, error))
        return NULL;
    apply_switches(a, p);
    if (source == SOURCE_FILE && !load_file(p, plugins, args_positional(a, 0), error))
        return NULL;
    if (!apply_targets(a, p, plugins, url, error) ||
        !apply_stages(a, p, plugins, error) || !apply_exports(a, p, plugins, error) ||
        !apply_slos(a, p, error) || !apply_prompts(a, p, error) ||
        !apply_keys(a, plan_keys, p, error) || !apply_sets(a, p, error) ||
        !plan_check(p, plugins, (!p->dry_run || p->online) && p->dump_schedule == NULL,
                    error))
        return NULL;
    side_call_settle_urls(p, plugins);
    return g_steal_pointer(&p);
}
