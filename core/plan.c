#include "plan.h"

#include <math.h>
#include <string.h>

#include "chrono.h"
#include "plan-private.h"

static void
choice_clear(plugin_choice *c)
{
    g_free(c->kind);
    g_free(c->name);
    g_free(c->where);
    option_values_free(c->options);
}

plugin_choice *
plugin_choice_new(void)
{
    return g_new0(plugin_choice, 1);
}

static void
choice_free(void *data)
{
    choice_clear(data);
    g_free(data);
}

plan_target *
plan_target_new(void)
{
    plan_target *t = g_new0(plan_target, 1);

    t->max_tokens = 128;
    t->min_tokens = t->top_k = t->n = -1;
    t->gpus = 1;
    t->seed = INT64_MIN;
    t->temperature = t->top_p = (double)NAN;
    t->stream = t->reuse = true;
    t->connect_timeout_ns = 10 * NS_PER_S;
    t->first_token_timeout_ns = 120 * NS_PER_S;
    t->idle_timeout_ns = 60 * NS_PER_S;
    t->timeout_ns = 600 * NS_PER_S;
    return t;
}

static void
target_free(void *data)
{
    plan_target *t = data;

    choice_clear(&t->provider);
    g_strfreev(t->stop);
    g_strfreev(t->headers);
    g_strfreev(t->resolve);
    g_free(t->price_model);
    g_free(t->price_multiplier);
    g_free(t->gpu_hour_usd);
    g_free(t->name);
    g_free(t->api);
    g_free(t->model);
    g_free(t->url);
    g_free(t->where);
    g_free(t->given_url);
    g_free(t->given_key);
    g_free(t->preset_url);
    g_free(t->preset_key);
    g_strfreev(t->preset_options);
    g_free(t->extra);
    g_free(t->cacert);
    g_free(t->cert);
    g_free(t->key);
    g_free(t->proxy);
    g_free(t);
}

plan_stage *
plan_stage_new(void)
{
    plan_stage *s = g_new0(plan_stage, 1);

    s->requests = s->duration_ns = -1;
    s->warmup_requests = s->warmup_ns = -1;
    s->drain_ns = 60 * NS_PER_S;
    s->max_in_flight = -1;
    return s;
}

static void
stage_free(void *data)
{
    plan_stage *s = data;

    choice_clear(&s->workload);
    g_strfreev(s->targets);
    g_free(s->name);
    g_free(s->where);
    g_free(s);
}

plan *
plan_new(void)
{
    plan *p = g_new0(plan, 1);

    p->targets = g_ptr_array_new_with_free_func(target_free);
    p->stages = g_ptr_array_new_with_free_func(stage_free);
    p->exports = g_ptr_array_new_with_free_func(choice_free);
    p->slos = g_ptr_array_new_with_free_func((GDestroyNotify)slo_free);
    p->threads = 1;
    p->retry_max_wait_ns = 60 * NS_PER_S;
    p->abort_after = 50;
    p->interval_ns = 10 * NS_PER_S;
    p->export_wait_ns = 30 * NS_PER_S;
    p->preflight = p->deltas = true;
    return p;
}

void
plan_free(plan *p)
{
    if (p == NULL)
        return;
    g_ptr_array_unref(p->targets);
    g_ptr_array_unref(p->stages);
    g_ptr_array_unref(p->exports);
    g_ptr_array_unref(p->slos);
    g_free(p->prompts.text);
    g_free(p->prompts.file);
    g_free(p->prompts.where);
    g_free(p->out);
    g_free(p->dump_schedule);
    g_strfreev(p->pricing);
    g_free(p->max_cost);
    g_free(p->source);
    g_free(p);
}

plan_target *
plan_find_target(const plan *p, const char *name)
{
    for (unsigned i = 0; i < p->targets->len; i++) {
        plan_target *t = g_ptr_array_index(p->targets, i);

        if (g_strcmp0(t->name, name) == 0)
            return t;
    }
    return NULL;
}

bool
plan_stage_has_target(const plan_stage *s, const plan_target *t)
{
    return s->targets == NULL ||
           g_strv_contains((const char *const *)s->targets, t->name);
}
