/* Defaults that depend on other keys, and what one key alone cannot show. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "error.h"
#include "host.h"
#include "plan-private.h"
#include "prompts.h"

/* "plan.yaml:7:5: ..." when it came from a file. */
bool
plan_fail(const char *where, GError **error, const char *format, ...)
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

bool
plan_locate(const char *where, GError **error)
{
    if (where != NULL)
        g_prefix_error(error, "%s: ", where);
    return false;
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

/* 100 requests, unless the workload ends by itself. */
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
    if (s->workload.kind == NULL &&
        !plan_choice_set_kind(&s->workload, plugins, LENS_KIND_OF_WORKLOAD,
                              LENS_DEFAULT_WORKLOAD, error))
        return plan_locate(s->where, error);
    if (s->name == NULL)
        s->name = g_strdup(s->workload.name);
    if (!plan_finish_choice(&s->workload, resolve, error) ||
        !put_stop(p, s, plugins, error))
        return plan_locate(s->where, error);
    return true;
}

/* ---- the whole ---- */

/* Each name once; `where` of the second is told. */
static bool
check_name(GHashTable *seen, const char *what, const char *name, const char *where,
           GError **error)
{
    if (name[0] == '\0')
        return plan_fail(where, error, "the name of a %s is empty", what);
    if (g_hash_table_add(seen, (void *)name))
        return true;
    return plan_fail(where, error, "two %ss are called '%s', give each a name of its own",
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
        return plan_fail(s->where, error,
                         "stage '%s' names the target '%s', which does not "
                         "exist%s%s%s",
                         s->name, s->targets[i], near != NULL ? ", did you mean '" : "",
                         near != NULL ? near : "", near != NULL ? "'?" : "");
    }
    return true;
}

/* In a dry run the prompts are read too, as the run would. */
static bool
check_prompts(const plan *p, bool resolve, GError **error)
{
    g_autoptr(prompts) all = NULL;

    if (p->prompts.text != NULL && p->prompts.file != NULL)
        return plan_fail(p->prompts.where, error,
                         "a prompt and a file of prompts are given, choose one");
    if (!plan_check_file(p->prompts.file, "prompts", error))
        return plan_locate(p->prompts.where, error);
    if (p->prompts.file != NULL && !resolve)
        all = prompts_new(&p->prompts, p->seed, error);
    return p->prompts.file == NULL || resolve || all != NULL;
}

static bool
put_seed(plan *p, GError **error)
{
    if (p->seed_given)
        return true;
    if (getentropy(&p->seed, sizeof p->seed) == 0)
        return true;
    return plan_fail(NULL, error, "cannot draw a seed: %s", g_strerror(errno));
}

bool
plan_check(plan *p, registry *plugins, bool resolve, GError **error)
{
    if (!put_seed(p, error))
        return false;
    if (p->targets->len == 0)
        return plan_fail(p->source, error, "the plan has no target");
    if (p->stages->len == 0)
        g_ptr_array_add(p->stages, plan_stage_new());
    for (unsigned i = 0; i < p->targets->len; i++)
        if (!plan_check_target(g_ptr_array_index(p->targets, i), plugins, resolve, error))
            return false;
    for (unsigned i = 0; i < p->stages->len; i++)
        if (!check_stage(p, g_ptr_array_index(p->stages, i), plugins, resolve, error) ||
            !check_stage_targets(p, g_ptr_array_index(p->stages, i), error))
            return false;
    for (unsigned i = 0; i < p->exports->len; i++) {
        plugin_choice *c = g_ptr_array_index(p->exports, i);

        if (!plan_finish_choice(c, resolve, error))
            return plan_locate(c->where, error);
    }
    return check_names(p, error) && check_prompts(p, resolve, error);
}
