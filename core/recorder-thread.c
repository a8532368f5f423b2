/* The recorder's thread: drain the rings, count, write, rest. */
#include <string.h>

#include "chrono.h"
#include "recorder-private.h"
#include "trace.h"

#define BATCH 512
#define REST_NS (5 * NS_PER_MS)

/* A report travels as a pointer with the lowest bit set. */
static client_report *
as_report(void *item)
{
    const uintptr_t bits = (uintptr_t)item;

    return (bits & 1) != 0 ? (client_report *)(bits - 1) : NULL;
}

static void
take_sample(recorder *r, sample *s)
{
    s->start_unix_ns = runfile_unique_ns(s->start_unix_ns, s->id);
    trace_ids(r->trace_seed, s->id, s->trace_id, s->span_id);
    tally_add_sample(r->result->tally, s, r->info->slos);
    tally_add_sample(r->interval, s, r->info->slos);
    r->histograms_changed |= !r->deltas;
    live_add(r, s);
    recorder_write_sample(r, s);
    sample_free(s);
}

static void
take_report(recorder *r, client_report *c)
{
    tally_add_client(r->result->tally, c);
    tally_add_client(r->interval, c);
    r->histograms_changed = true;
    client_report_free(c);
}

/* After items were popped, so that a window set before a push is seen with it. */
static void
look_at_window(recorder *r)
{
    pthread_mutex_lock(&r->lock);
    if (r->result != NULL) {
        r->result->tally->window_start_ns = r->window_start_ns;
        r->result->tally->window_end_ns = r->window_end_ns;
        r->interval->window_start_ns = r->window_start_ns;
        r->interval->window_end_ns = r->window_end_ns;
    }
    pthread_mutex_unlock(&r->lock);
}

static void
take_items(recorder *r, void **items, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        client_report *c = as_report(items[i]);

        if (r->result == NULL) { /* pushed outside a result */
            if (c != NULL)
                client_report_free(c);
            else
                sample_free(items[i]);
        } else if (c != NULL)
            take_report(r, c);
        else
            take_sample(r, items[i]);
    }
}

/* One batch of each ring; gives how many items there were. */
static size_t
drain(recorder *r)
{
    void *items[BATCH];
    size_t total = 0;

    for (unsigned w = 0; w < r->workers; w++) {
        const size_t count = ring_pop(r->rings[w], items, BATCH);

        if (count == 0)
            continue;
        look_at_window(r);
        take_items(r, items, count);
        total += count;
    }
    return total;
}

static void
keep_time(recorder *r, int64_t now_ns)
{
    if (r->result != NULL &&
        now_ns - r->run_start_ns - r->interval_begin_ns >= r->interval_ns)
        recorder_write_interval(r, now_ns);
    if (now_ns >= r->commit_due_ns && r->result != NULL)
        recorder_commit(r, now_ns, false, false);
}

/* The number of an order that waits; 0: none. */
static uint64_t
look_at_orders(recorder *r, struct order *ret)
{
    uint64_t ticket = 0;

    pthread_mutex_lock(&r->lock);
    if (r->asked != r->answered) {
        ticket = r->asked;
        *ret = r->order;
    }
    pthread_mutex_unlock(&r->lock);
    return ticket;
}

static void
begin_result(recorder *r, const struct order *o)
{
    r->result = o->result;
    r->shadow = o->shadow;
    r->nth = o->nth;
    tally_reset(r->interval);
    r->interval_begin_ns = chrono_now() - r->run_start_ns;
    r->commit_due_ns = r->histograms_due_ns = 0;
    r->retry_ns = 0; /* worth a try again */
    live_begin(r);
    look_at_window(r);
}

static void
end_result(recorder *r, const struct order *o)
{
    while (drain(r) > 0)
        ;
    look_at_window(r);
    r->shadow = o->shadow;
    recorder_write_interval(r, chrono_now());
    live_publish(r, chrono_now());
    recorder_commit(r, chrono_now(), true, false);
    r->result = NULL;
}

static void
carry_out(recorder *r, const struct order *o, uint64_t ticket)
{
    if (o->begin_result)
        begin_result(r, o);
    if (o->end_result)
        end_result(r, o);
    if (o->end_run)
        recorder_commit(r, chrono_now(), false, true);
    pthread_mutex_lock(&r->lock);
    r->answered = ticket;
    pthread_cond_broadcast(&r->done);
    pthread_mutex_unlock(&r->lock);
}

static void
rest(recorder *r)
{
    const int64_t until_ns = chrono_now() + REST_NS;
    const struct timespec until = { .tv_sec = until_ns / NS_PER_S,
                                    .tv_nsec = until_ns % NS_PER_S };

    pthread_mutex_lock(&r->lock);
    if (r->asked == r->answered)
        pthread_cond_timedwait(&r->wake, &r->lock, &until);
    pthread_mutex_unlock(&r->lock);
}

/* Others of the core come first: the worker's reaction is what is measured. */
static void
step_back(void)
{
    const struct sched_param none = { 0 };

    pthread_setname_np(pthread_self(), "recorder");
    pthread_setschedparam(pthread_self(), SCHED_BATCH, &none);
}

void *
recorder_thread(void *data)
{
    recorder *r = data;

    step_back();
    for (;;) {
        struct order o;
        const uint64_t ticket = look_at_orders(r, &o);
        size_t count;

        if (ticket != 0) {
            carry_out(r, &o, ticket);
            if (o.stop)
                return NULL;
        }
        count = drain(r);
        keep_time(r, chrono_now());
        if (count > 0 || atomic_load(&r->live_wanted))
            live_publish(r, chrono_now());
        if (count < BATCH)
            rest(r);
    }
}
