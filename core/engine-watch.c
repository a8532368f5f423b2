#include <string.h>

#include "chrono.h"
#include "engine-private.h"

/* After its terminal message an answer may take this long to end in order. */
static const int64_t TAIL_NS = NS_PER_S;
/* After Ctrl-C what is in flight may take this long. */
static const int64_t GRACE_NS = 5 * NS_PER_S;
static const int64_t REPORT_NS = NS_PER_S;

/* ---- timeouts ---- */

static void
time_out(engine *e, flight *f, const char *phase, int64_t limit_ns)
{
    g_autofree char *limit = format_duration(limit_ns);
    g_autofree char *detail = g_strdup_printf("%s within %s", phase, limit);

    engine_stop_flight(e, f, LENS_KIND_TIMEOUT, LENS_OUTCOME_FAILED, detail);
}

static void
check_flight(engine *e, flight *f, int64_t now_ns)
{
    const plan_target *t = e->run->target;
    const exchange *x = f->exchange;
    int64_t start_ns;

    if (x == NULL)
        return; /* waits for its retry */
    start_ns = f->follows > 0 ? f->first_start_ns : x->start_ns;
    if (f->terminal) {
        if (now_ns - f->terminal_ns > TAIL_NS)
            engine_stop_flight(e, f, LENS_KIND_NETWORK, LENS_OUTCOME_FAILED,
                               "the answer did not end after its last message");
    } else if (t->timeout_ns > 0 && now_ns - start_ns > t->timeout_ns) {
        time_out(e, f, "total: the request did not end", t->timeout_ns);
    } else if (t->stream && !f->output && t->first_token_timeout_ns > 0 &&
               now_ns - start_ns > t->first_token_timeout_ns) {
        time_out(e, f, "first: no output", t->first_token_timeout_ns);
    } else if (f->output && t->idle_timeout_ns > 0 &&
               now_ns - f->last_output_ns > t->idle_timeout_ns) {
        time_out(e, f, "gap: no further output", t->idle_timeout_ns);
    }
}

static int64_t
sweep_period(const plan_target *t)
{
    int64_t least_ns = NS_PER_S;
    const int64_t limits[] = { t->timeout_ns, t->first_token_timeout_ns,
                               t->idle_timeout_ns };

    for (unsigned i = 0; i < G_N_ELEMENTS(limits); i++)
        least_ns = limits[i] > 0 ? MIN(least_ns, limits[i]) : least_ns;
    return least_ns / 10;
}

/* Backwards: stopping a flight puts the last one into its place. */
static void
sweep(engine *e, int64_t now_ns)
{
    if (now_ns - e->swept_ns < sweep_period(e->run->target))
        return;
    e->swept_ns = now_ns;
    for (unsigned i = e->in_flight->len; i-- > 0;) {
        if (i < e->in_flight->len)
            check_flight(e, e->in_flight->pdata[i], now_ns);
    }
}

/* ---- stops ---- */

static bool
waits_for_retry(const flight *f)
{
    return f->exchange == NULL;
}

static void
drop_agenda(engine *e)
{
    struct agenda_entry entry;

    while (agenda_take(&e->agenda, INT64_MAX, &entry)) {
        if (entry.what == TASK_RELEASE) {
            e->held--;
            engine_release(e, entry.data);
        }
    }
}

static void
stop_all(engine *e, uint32_t outcome, const char *detail)
{
    for (unsigned i = e->in_flight->len; i-- > 0;) {
        flight *f = e->in_flight->pdata[i];

        if (waits_for_retry(f))
            engine_finish(e, f, LENS_OUTCOME_FAILED);
        else
            engine_stop_flight(e, f, LENS_KIND_CANCELLED, outcome, detail);
    }
}

/* A retry that has not begun would keep a stopped run waiting: its last failure stands.
 */
static void
stop_starting(engine *e)
{
    e->finishing = true;
    engine_drop_all(e);
    e->ask_again_ns = INT64_MAX;
    drop_agenda(e);
    for (unsigned i = e->in_flight->len; i-- > 0;) {
        if (waits_for_retry(e->in_flight->pdata[i]))
            engine_finish(e, e->in_flight->pdata[i], LENS_OUTCOME_FAILED);
    }
}

static void
heed_stop(engine *e, int64_t now_ns)
{
    const int stop = atomic_load(&e->run->stop);

    if (stop == STOP_NOT)
        return;
    if (e->stop_seen_ns < 0) {
        e->stop_seen_ns = now_ns;
        stop_starting(e);
    }
    if (stop == STOP_NOW)
        stop_all(e, LENS_OUTCOME_CANCEL,
                 atomic_load(&e->run->aborted) ? "the run was given up" : "interrupted");
    else if (now_ns - e->stop_seen_ns > GRACE_NS)
        stop_all(e, LENS_OUTCOME_CANCEL, "interrupted; did not finish in 5s");
}

static bool
is_measured(const flight *f)
{
    return f->sample->phase == LENS_PART_MEASURED;
}

/* With a duration: once the window is over and nothing starts any more, wait for what was
 * measured, at most --drain; what only kept the load up is no longer needed. */
static void
heed_drain(engine *e, int64_t now_ns)
{
    const stage_run *r = e->run;
    const int64_t over_ns = engine_stage_time(e, now_ns) - atomic_load(&r->window_end_ns);
    const bool late = over_ns > r->stage->drain_ns;

    if (r->stage->duration_ns < 0 || over_ns < 0 || !e->exhausted)
        return;
    for (unsigned i = e->in_flight->len; i-- > 0;) {
        flight *f = e->in_flight->pdata[i];

        if (is_measured(f) && !late)
            continue;
        if (waits_for_retry(f))
            continue;
        engine_stop_flight(e, f, LENS_KIND_CANCELLED,
                           is_measured(f) ? LENS_OUTCOME_CENSOR : LENS_OUTCOME_CANCEL,
                           is_measured(f) ? "did not end within --drain"
                                          : "load of the cool-down, no longer needed");
    }
    if (late && e->agenda.count > 0)
        stop_starting(e);
}

/* ---- own figures ---- */

void
engine_count_in_flight(engine *e, int change)
{
    const int64_t now_ns = chrono_now();
    const unsigned before =
        e->in_flight->len - (change > 0 ? 1 : 0) + (change < 0 ? 1 : 0);

    e->report->in_flight_time +=
        (double)before * (double)(now_ns - e->in_flight_since_ns) / (double)NS_PER_S;
    e->in_flight_since_ns = now_ns;
    recorder_in_flight(e->run->recorder, e->shard, (unsigned)((int)before + change),
                       now_ns);
    if (change > 0) {
        const unsigned all = atomic_fetch_add(&e->run->in_flight, 1) + 1;

        e->report->in_flight_max = MAX(e->report->in_flight_max, all);
    } else if (change < 0) {
        atomic_fetch_sub(&e->run->in_flight, 1);
    }
}

/* As long as measured requests are under way, late reactions matter. */
static bool
is_measuring(const engine *e, int64_t now_ns)
{
    const stage_run *r = e->run;
    const int64_t at_ns = engine_stage_time(e, now_ns);

    return at_ns >= atomic_load(&r->window_start_ns) &&
           (at_ns < atomic_load(&r->window_end_ns) || atomic_load(&r->measured_open) > 0);
}

void
engine_report(engine *e)
{
    const int64_t now_ns = chrono_now(), cpu_ns = chrono_thread_cpu();
    const uint64_t resources = transport_resource_failures();
    client_report *r = e->report;
    bool measuring;

    engine_count_in_flight(e, 0);
    r->worker = e->shard;
    r->wall_ns = now_ns - e->report_start_ns;
    r->cpu_ns = cpu_ns - e->report_cpu_ns - e->spun_ns;
    e->spun_ns = 0;
    r->clock_step_ns = transport_take_clock_step(e->transport);
    r->resources = e->shard == 0 ? resources - e->resources_seen : 0;
    measuring = is_measuring(e, now_ns);
    r->measured = measuring || e->measuring;
    e->measuring = measuring;
    e->resources_seen = resources;
    e->report_start_ns = now_ns;
    e->report_cpu_ns = cpu_ns;
    e->report = client_report_new();
    e->flights.lag_kernel = e->report->lag_kernel;
    e->flights.lag_user = e->report->lag_user;
    recorder_push_client(e->run->recorder, e->shard, r);
}

void
engine_beat(engine *e)
{
    const int64_t now_ns = chrono_now();

    e->report->stall_ns = MAX(e->report->stall_ns, now_ns - e->beat_ns - ENGINE_BEAT_NS);
    e->beat_ns = now_ns;
    sweep(e, now_ns);
    engine_sweep_afters(e, now_ns, atomic_load(&e->run->stop) == STOP_NOW);
    heed_stop(e, now_ns);
    heed_drain(e, now_ns);
    if (now_ns - e->report_start_ns >= REPORT_NS)
        engine_report(e);
}
