#include "engine.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "chrono.h"
#include "engine-private.h"
#include "error.h"

/* Before a due time, with --spin. */
static const int64_t SPIN_NS = 80 * NS_PER_US;

int64_t
engine_stage_time(const engine *e, int64_t monotonic_ns)
{
    return monotonic_ns - e->run->stage_start_ns;
}

/* ---- timers ---- */

static void
timer_set(struct timer *t, int64_t at_ns)
{
    struct itimerspec when = { 0 };

    if (t->armed_ns == at_ns)
        return;
    t->armed_ns = at_ns;
    if (at_ns != INT64_MAX) {
        /* All zero would disarm the timer instead of firing now. */
        const int64_t at = MAX(at_ns, 1);

        when.it_value.tv_sec = at / NS_PER_S;
        when.it_value.tv_nsec = at % NS_PER_S;
    }
    timerfd_settime(t->item.fd, TFD_TIMER_ABSTIME, &when, NULL);
}

static void
timer_read(struct timer *t)
{
    uint64_t expirations;

    if (read(t->item.fd, &expirations, sizeof expirations) > 0)
        t->armed_ns = INT64_MAX;
}

static void
on_due(poll_item *item, uint32_t events)
{
    struct timer *t = (struct timer *)item;
    const int64_t due_ns = t->armed_ns;

    (void)events;
    timer_read(t);
    if (t->engine->run->plan->spin) {
        const int64_t from_ns = chrono_now();

        while (chrono_now() < due_ns + SPIN_NS)
            ;
        t->engine->spun_ns += chrono_now() - from_ns;
    }
    /* What is due is done after the turn, in one place. */
}

static void
on_heartbeat(poll_item *item, uint32_t events)
{
    struct timer *t = (struct timer *)item;

    (void)events;
    timer_read(t);
    engine_beat(t->engine);
    timer_set(t, chrono_now() + ENGINE_BEAT_NS);
}

static bool
timer_open(engine *e, struct timer *t, void (*work)(poll_item *, uint32_t),
           GError **error)
{
    t->item.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    t->item.work = work;
    t->engine = e;
    t->armed_ns = INT64_MAX;
    if (t->item.fd < 0) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_SYSTEM, "cannot create a timer: %s",
                    g_strerror(errno));
        return false;
    }
    poller_add(e->poller, &t->item, EPOLLIN);
    return true;
}

static void
timer_close(struct timer *t)
{
    if (t->item.work != NULL && t->item.fd >= 0)
        close(t->item.fd);
}

/* ---- the turn ---- */

static void
run_agenda(engine *e)
{
    struct agenda_entry entry;

    while (agenda_take(&e->agenda, chrono_now(), &entry)) {
        if (entry.what == TASK_RETRY) {
            engine_retry(e, entry.data);
        } else if (entry.what == TASK_CREDENTIAL) {
            engine_settle(e, entry.data);
        } else {
            e->held--;
            engine_release(e, entry.data);
        }
    }
}

void
engine_arm(engine *e)
{
    const struct lens_arrival *a = engine_next(e);
    int64_t next_ns = MIN(agenda_next(&e->agenda), e->ask_again_ns);

    if (a != NULL && e->in_flight->len < (uint64_t)e->run->max_in_flight)
        next_ns = MIN(next_ns, MAX(e->run->stage_start_ns + a->at_ns, e->allowed_ns));
    if (e->run->plan->spin && next_ns != INT64_MAX)
        next_ns -= SPIN_NS;
    timer_set(&e->due, next_ns);
    poller_wake_at(e->poller, MIN(transport_deadline(e->transport),
                                  e->after_transport == NULL
                                      ? INT64_MAX
                                      : transport_deadline(e->after_transport)));
}

static bool
is_over(const engine *e)
{
    return (e->finishing || (e->exhausted && engine_next(e) == NULL)) &&
           e->in_flight->len == 0 && e->held == 0 && e->unsent->len == 0 &&
           e->afters->len == 0;
}

static void
run_transports(engine *e)
{
    transport_run(e->transport);
    if (e->after_transport != NULL)
        transport_run(e->after_transport);
}

static void
after_turn(void *data)
{
    engine *e = data;

    if (e->transport == NULL)
        return;
    run_transports(e);
    run_agenda(e);
    engine_pump(e);
    run_transports(e);
    if (e->unsent->len > 0)
        engine_push_unsent(e);
    engine_arm(e);
    if (is_over(e)) {
        g_main_loop_quit(e->loop);
        poller_leave(e->poller);
    }
}

static void *
work(void *data)
{
    engine *e = data;

    g_main_context_push_thread_default(e->context);
    e->beat_ns = e->report_start_ns = e->in_flight_since_ns = chrono_now();
    e->report_cpu_ns = chrono_thread_cpu();
    timer_set(&e->heartbeat, chrono_now() + ENGINE_BEAT_NS);
    after_turn(e);
    if (!is_over(e))
        g_main_loop_run(e->loop);
    engine_close_burst(e);
    engine_report(e);
    atomic_fetch_add(&e->run->finished_workers, 1);
    g_main_context_pop_thread_default(e->context);
    return NULL;
}

/* ---- life ---- */

static bool
open_instances(engine *e, GError **error)
{
    const stage_run *r = e->run;
    const struct lens_workload_args how = {
        .struct_size = sizeof how,
        .seed = r->plan->seed,
        .shard = e->shard,
        .shards = r->workers,
        .requests = r->stage->requests,
        .duration_ns = r->stage->duration_ns,
    };

    e->provider = provider_open(r->provider, r->api, r->target->provider.options,
                                r->plan->seed, error);
    if (e->provider == NULL)
        return false;
    e->workload = workload_open(r->workload, &how, r->stage->workload.options, error);
    return e->workload != NULL;
}

engine *
engine_new(stage_run *run, unsigned shard, GError **error)
{
    engine *e = g_new0(engine, 1);

    e->run = run;
    e->shard = shard;
    e->ask_again_ns = INT64_MAX;
    e->stop_seen_ns = -1;
    e->context = g_main_context_new();
    e->loop = g_main_loop_new(e->context, FALSE);
    e->in_flight = g_ptr_array_new();
    e->idle = g_ptr_array_new();
    e->unsent = g_ptr_array_new();
    e->afters = g_ptr_array_new();
    e->pending = g_array_new(FALSE, FALSE, sizeof(struct lens_arrival));
    e->due.item.fd = e->heartbeat.item.fd = -1;
    e->report = client_report_new();
    e->resources_seen = transport_resource_failures();
    e->poller = poller_new(e->context, after_turn, e, error);
    if (e->poller == NULL || !timer_open(e, &e->due, on_due, error) ||
        !timer_open(e, &e->heartbeat, on_heartbeat, error) || !open_instances(e, error)) {
        engine_free(e);
        return NULL;
    }
    e->transport = transport_new(e->poller, run->target, run->user_clock,
                                 &engine_exchange_events, error);
    if (e->transport == NULL) {
        engine_free(e);
        return NULL;
    }
    e->flights = (flight_context){
        .owner = e,
        .provider = e->provider,
        .poller = e->poller,
        .run_start_ns = run->run_start_ns,
        .record_text = run->plan->record_text,
        .deltas = run->plan->deltas,
        .stream = run->target->stream,
        .lag_kernel = e->report->lag_kernel,
        .lag_user = e->report->lag_user,
    };
    return e;
}

bool
engine_start(engine *e, GError **error)
{
    g_autofree char *name = g_strdup_printf("worker %u", e->shard);

    e->thread = g_thread_try_new(name, work, e, error);
    return e->thread != NULL;
}

static void
free_flights(GPtrArray *flights)
{
    for (unsigned i = 0; i < flights->len; i++)
        flight_free(flights->pdata[i]);
    g_ptr_array_unref(flights);
}

void
engine_free(engine *e)
{
    struct agenda_entry entry;

    if (e == NULL)
        return;
    if (e->thread != NULL)
        g_thread_join(e->thread);
    while (agenda_take(&e->agenda, INT64_MAX, &entry)) {
        if (entry.what == TASK_RELEASE)
            g_free(entry.data);
    }
    agenda_clear(&e->agenda);
    prompt_clear(&e->prompt);
    transport_free(e->transport);
    transport_free(e->after_transport);
    free_flights(e->in_flight);
    free_flights(e->idle);
    g_ptr_array_unref(e->unsent);
    g_ptr_array_unref(e->afters);
    g_array_unref(e->pending);
    instance_close(e->workload);
    instance_close(e->provider);
    client_report_free(e->report);
    timer_close(&e->due);
    timer_close(&e->heartbeat);
    poller_free(e->poller);
    g_main_loop_unref(e->loop);
    g_main_context_unref(e->context);
    g_free(e);
}
