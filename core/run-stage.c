#include <glib-unix.h>
#include <math.h>

#include "chrono.h"
#include "engine.h"
#include "host.h"
#include "run-private.h"
#include "trace.h"

enum { VIEW_MS = 100 };

/* One stage against one target, with its workers. */
struct staging {
    run *run;
    stage_run stage;
    result *result;
    GPtrArray *engines;
    GMainLoop *loop;
};

static void
free_engines(void *data)
{
    engine_free(data);
}

static bool
find_plugins(struct staging *s, GError **error)
{
    stage_run *st = &s->stage;
    registry *plugins = s->run->plugins;
    int api;

    st->provider =
        registry_find(plugins, LENS_KIND_OF_PROVIDER, st->target->provider.kind, error);
    if (st->provider == NULL)
        return false;
    st->workload =
        registry_find(plugins, LENS_KIND_OF_WORKLOAD, st->stage->workload.kind, error);
    if (st->workload == NULL)
        return false;
    api = provider_api(st->provider, st->target->api, error);
    if (api < 0)
        return false;
    st->api = (unsigned)api;
    st->task = st->provider->ops.provider.apis[api].task;
    st->open_loop = (st->workload->ops.workload.flags & LENS_WORKLOAD_OPEN) != 0;
    st->workers = (st->workload->ops.workload.flags & LENS_WORKLOAD_ONE_SHARD) != 0
                      ? 1
                      : s->run->plan->threads;
    return true;
}

static void
set_window(struct staging *s)
{
    stage_run *st = &s->stage;
    const plan_stage *p = st->stage;
    const int64_t shift_ns = st->stage_start_ns - st->run_start_ns;
    int64_t start_ns = INT64_MAX, end_ns = INT64_MAX;

    if (p->warmup_requests <= 0) {
        start_ns = MAX(p->warmup_ns, 0);
        if (p->duration_ns >= 0)
            end_ns = start_ns + p->duration_ns;
    }
    atomic_store(&st->window_start_ns, start_ns);
    atomic_store(&st->window_end_ns, end_ns);
    recorder_set_window(s->run->recorder,
                        start_ns == INT64_MAX ? INT64_MAX : start_ns + shift_ns,
                        end_ns == INT64_MAX ? INT64_MAX : end_ns + shift_ns);
}

static void
describe_price(const struct staging *s, result *r)
{
    const plan_target *t = s->stage.target;
    const price_match m =
        costing_find(s->stage.spending.costing, NULL, s->stage.spending.day);

    r->price_provider = g_strdup(run_price_provider(s->run, t));
    r->price_model = g_strdup(t->price_model);
    r->price_multiplier = g_strdup(t->price_multiplier);
    r->gpu_hour_usd = g_strdup(t->gpu_hour_usd);
    r->gpus = t->gpus;
    r->price_date = m.row != NULL ? g_strdup(m.table->date) : NULL;
}

static void
describe_result(struct staging *s)
{
    const stage_run *st = &s->stage;
    const option_values *v = st->stage->workload.options;
    result *r = s->result;

    r->target = st->target_index;
    r->stage = st->stage_index;
    r->target_name = g_strdup(st->target->name);
    r->stage_name = g_strdup(st->stage->name);
    r->provider = g_strdup(st->target->provider.kind);
    r->api = g_strdup(st->provider->ops.provider.apis[st->api].name);
    r->model = g_strdup(st->target->model);
    r->url = g_strdup(st->target->url);
    r->workload = g_strdup(st->stage->workload.kind);
    r->workload_options = option_values_to_json(v, true);
    r->requests = st->stage->requests;
    r->duration_ns = st->stage->duration_ns;
    r->start_ns = st->stage_start_ns - st->run_start_ns;
    r->end_ns = -1;
    describe_price(s, r);
    r->judge.open_loop = st->open_loop;
    r->judge.asked = NAN;
    if (!st->open_loop && option_values_has(v, "concurrency"))
        r->judge.asked = (double)option_values_int(v, "concurrency");
    else if (st->open_loop && option_values_has(v, "rate"))
        r->judge.asked = option_values_double(v, "rate");
    r->judge.realised = NAN;
}

/* ---- while it runs ---- */

static double
progress(const struct staging *s, int64_t now_ns, int64_t *ret_remaining_ns)
{
    const stage_run *st = &s->stage;
    const plan_stage *p = st->stage;
    const int64_t elapsed_ns = now_ns - st->stage_start_ns;
    double share = NAN;

    *ret_remaining_ns = -1;
    if (p->requests > 0) {
        const uint64_t done = atomic_load(&st->drawn) - atomic_load(&st->in_flight);

        share = (double)done / (double)(p->requests + MAX(p->warmup_requests, 0));
    }
    if (p->duration_ns > 0) {
        const double by_time =
            (double)elapsed_ns / (double)(p->duration_ns + MAX(p->warmup_ns, 0));

        share = isnan(share) ? by_time : MAX(share, by_time);
    }
    share = MIN(share, 1.0);
    if (share > 0.02)
        *ret_remaining_ns = (int64_t)((double)elapsed_ns * (1 - share) / share);
    return share;
}

static const char *
note(const struct staging *s, int64_t now_ns)
{
    const stage_run *st = &s->stage;
    const int64_t at_ns = now_ns - st->stage_start_ns;

    if (atomic_load(&st->stop) != STOP_NOT)
        return "stopping";
    if (at_ns < atomic_load(&st->window_start_ns))
        return "warm-up";
    return at_ns > atomic_load(&st->window_end_ns) ? "draining" : NULL;
}

static void
show(struct staging *s)
{
    const int64_t now_ns = chrono_now();
    struct live_state state = {
        .target = s->result->target_name,
        .stage = s->result->stage_name,
        .note = note(s, now_ns),
        .in_flight = atomic_load(&s->stage.in_flight),
        .elapsed_ns = now_ns - s->stage.stage_start_ns,
    };

    state.progress = progress(s, now_ns, &state.remaining_ns);
    recorder_live(s->run->recorder, &state.numbers);
    live_view_update(s->run->view, &state);
}

static gboolean
on_tick(void *data)
{
    struct staging *s = data;

    if (s->run->signals >= 2)
        atomic_store(&s->stage.stop, STOP_NOW);
    else if (s->run->signals == 1 && atomic_load(&s->stage.stop) == STOP_NOT)
        atomic_store(&s->stage.stop, STOP_STARTING);
    show(s);
    if (atomic_load(&s->stage.finished_workers) == s->stage.workers)
        g_main_loop_quit(s->loop);
    return G_SOURCE_CONTINUE;
}

static bool
start_workers(struct staging *s, GError **error)
{
    for (unsigned w = 0; w < s->stage.workers; w++) {
        engine *e = engine_new(&s->stage, w, error);

        if (e == NULL)
            return false;
        g_ptr_array_add(s->engines, e);
    }
    s->stage.stage_start_ns = chrono_now();
    describe_result(s);
    recorder_begin_result(s->run->recorder, s->result);
    set_window(s);
    for (unsigned w = 0; w < s->stage.workers; w++) {
        if (!engine_start(s->engines->pdata[w], error)) {
            atomic_store(&s->stage.stop, STOP_NOW);
            return false;
        }
    }
    return true;
}

static void
wait_for_workers(struct staging *s)
{
    /* Short stages should not wait for the view's next tick. */
    const unsigned source = g_timeout_add(VIEW_MS / 5, on_tick, s);

    g_main_loop_run(s->loop);
    g_source_remove(source);
}

static void
close_result(struct staging *s)
{
    run *r = s->run;

    s->result->end_ns = chrono_now() - s->stage.run_start_ns;
    if (atomic_load(&s->stage.aborted)) {
        s->result->judge.ended = ENDED_ABORTED;
        r->aborted = true;
    } else if (r->plan->max_cost != NULL && atomic_load(&r->budget.reached)) {
        s->result->judge.ended = ENDED_COST;
        s->result->judge.asked = NAN; /* the limit thinned the load out at the end */
        r->cost_reached = true;
    } else if (r->signal != 0) {
        s->result->judge.ended = ENDED_INTERRUPTED;
    }
    recorder_end_result(r->recorder);
    r->succeeded |= s->result->tally->ok > 0;
}

bool
run_stage(run *r, unsigned stage, unsigned target, GError **error)
{
    struct staging s = { .run = r };
    stage_run *st = &s.stage;
    bool fine;

    st->plan = r->plan;
    st->target = r->plan->targets->pdata[target];
    st->stage = r->plan->stages->pdata[stage];
    st->credential = r->credentials->pdata[target];
    st->target_index = target;
    st->stage_index = stage;
    st->prompts = r->prompts;
    st->recorder = r->recorder;
    st->user_clock = r->plan->user_clock;
    st->run_start_ns = r->start_ns;
    st->trace_seed = trace_seed(r->info->id);
    atomic_store(&st->next_id, 1 + r->info->results->len * (1ull << 40));
    if (!find_plugins(&s, error))
        return false;
    st->max_in_flight =
        st->stage->max_in_flight > 0 ? st->stage->max_in_flight : r->file_limit;
    st->max_in_flight = MAX(1, st->max_in_flight / st->workers);
    run_spending(r, target, &st->spending);
    st->bucket = bucket_new(st->target->rpm, st->target->tpm, chrono_now());
    s.result = result_new(r->info->slos);
    s.engines = g_ptr_array_new_with_free_func(free_engines);
    s.loop = g_main_loop_new(NULL, FALSE);
    g_info("stage %s with target %s: %u workers", st->stage->name, st->target->name,
           st->workers);
    fine = start_workers(&s, error);
    if (fine) {
        wait_for_workers(&s);
        g_ptr_array_set_size(s.engines, 0); /* joins */
        close_result(&s);
    } else if (s.result->target_name == NULL) {
        result_free(s.result);
    }
    g_ptr_array_unref(s.engines);
    g_main_loop_unref(s.loop);
    bucket_free(st->bucket);
    return fine;
}
