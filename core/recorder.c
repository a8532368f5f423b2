#include "recorder.h"

#include <string.h>

#include "chrono.h"
#include "error.h"
#include "recorder-private.h"
#include "trace.h"

void
delivery_free(void *delivery)
{
    struct delivery *d = delivery;

    g_free(d->exporter);
    g_free(d->last_error);
    g_free(d);
}

struct delivery *
delivery_copy(const struct delivery *d)
{
    struct delivery *copy = g_memdup2(d, sizeof *d);

    copy->exporter = g_strdup(d->exporter);
    copy->last_error = g_strdup(d->last_error);
    return copy;
}

struct delivery *
delivery_find(const GPtrArray *deliveries, const char *exporter)
{
    for (guint i = 0; i < deliveries->len; i++) {
        struct delivery *d = deliveries->pdata[i];

        if (g_str_equal(d->exporter, exporter))
            return d;
    }
    return NULL;
}

/* The first rows: a file that cannot take them is tried again by the thread. */
static void
save_run(recorder *r)
{
    g_autoptr(GError) error = NULL;

    r->run_unsaved = !runfile_begin(r->file, &error) ||
                     !runfile_put_run(r->file, r->info, r->deltas, &error) ||
                     !runfile_commit(r->file, &error);
    if (r->run_unsaved)
        runfile_rollback(r->file);
}

static void
init_signals(recorder *r)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&r->wake, &attributes);
    pthread_cond_init(&r->done, &attributes);
    pthread_condattr_destroy(&attributes);
}

recorder *
recorder_new(runfile *f, run_info *info, unsigned workers, int64_t interval_ns,
             bool deltas, int64_t run_start_ns)
{
    recorder *r = g_new0(recorder, 1);

    r->file = f;
    r->info = info;
    r->deltas = deltas;
    r->run_start_ns = run_start_ns;
    r->start_unix_ns = info->start_unix_ns;
    r->trace_seed = trace_seed(info->id != NULL ? info->id : "");
    r->interval_ns = interval_ns > 0 ? interval_ns : INT64_MAX;
    r->workers = workers;
    r->rings = g_new0(ring *, workers);
    for (unsigned w = 0; w < workers; w++)
        r->rings[w] = ring_new(RECORDER_RING);
    r->flows = g_aligned_alloc0(workers, sizeof *r->flows, _Alignof(struct flow));
    r->interval = tally_new(info->slos);
    r->deliveries = g_ptr_array_new_with_free_func(delivery_free);
    live_begin(r);
    r->live = r->next_live;
    init_signals(r);
    save_run(r);
    if (pthread_create(&r->thread, NULL, recorder_thread, r) != 0)
        g_error("cannot start the recorder's thread");
    return r;
}

bool
recorder_push(recorder *r, unsigned worker, sample *s)
{
    return ring_push(r->rings[worker], s);
}

bool
recorder_push_client(recorder *r, unsigned worker, client_report *c)
{
    return ring_push(r->rings[worker], (char *)c + 1);
}

void
recorder_in_flight(recorder *r, unsigned worker, unsigned count, int64_t now_ns)
{
    struct flow *f = &r->flows[worker];
    const int64_t since_ns = atomic_load_explicit(&f->since_ns, memory_order_relaxed);
    const unsigned before = atomic_load_explicit(&f->count, memory_order_relaxed);
    const int64_t area_ns = atomic_load_explicit(&f->area_ns, memory_order_relaxed);

    atomic_store_explicit(&f->area_ns, area_ns + before * (now_ns - since_ns),
                          memory_order_relaxed);
    atomic_store_explicit(&f->since_ns, now_ns, memory_order_relaxed);
    atomic_store_explicit(&f->count, count, memory_order_relaxed);
    if (count > atomic_load_explicit(&f->most, memory_order_relaxed))
        atomic_store_explicit(&f->most, count, memory_order_relaxed);
}

/* With the lock held: has the thread do it, waits until it is done. */
static void
await(recorder *r, const struct order *order)
{
    const uint64_t ticket = ++r->asked;

    r->order = *order;
    pthread_cond_signal(&r->wake);
    while (r->answered < ticket)
        pthread_cond_wait(&r->done, &r->lock);
}

void
recorder_begin_result(recorder *r, result *res)
{
    struct order order = { .begin_result = true, .result = res };
    guint nth;

    recorder_end_result(r);
    pthread_mutex_lock(&r->lock);
    if (!g_ptr_array_find(r->info->results, res, &nth)) {
        nth = r->info->results->len;
        g_ptr_array_add(r->info->results, res);
    }
    order.nth = nth;
    order.shadow = *res;
    r->window_start_ns = res->tally->window_start_ns;
    r->window_end_ns = res->tally->window_end_ns;
    r->current = res;
    await(r, &order);
    pthread_mutex_unlock(&r->lock);
}

void
recorder_set_window(recorder *r, int64_t start_ns, int64_t end_ns)
{
    pthread_mutex_lock(&r->lock);
    r->window_start_ns = start_ns;
    r->window_end_ns = end_ns;
    pthread_mutex_unlock(&r->lock);
}

void
recorder_end_result(recorder *r)
{
    struct order order = { .end_result = true };

    pthread_mutex_lock(&r->lock);
    if (r->current != NULL) {
        if (r->current->end_ns < 0)
            r->current->end_ns = chrono_now() - r->run_start_ns;
        order.shadow = *r->current;
        r->current = NULL;
        await(r, &order);
    }
    pthread_mutex_unlock(&r->lock);
}

void
recorder_live(recorder *r, struct live *ret_live)
{
    atomic_store(&r->live_wanted, true);
    pthread_mutex_lock(&r->lock);
    *ret_live = r->live;
    pthread_mutex_unlock(&r->lock);
}

void
recorder_put_delivery(recorder *r, const char *exporter, uint64_t samples,
                      uint64_t intervals, uint64_t refused, const char *last_error)
{
    struct delivery *d;

    pthread_mutex_lock(&r->lock);
    d = delivery_find(r->deliveries, exporter);
    if (d == NULL) {
        d = g_new0(struct delivery, 1);
        d->exporter = g_strdup(exporter);
        g_ptr_array_add(r->deliveries, d);
    }
    d->samples = samples;
    d->intervals = intervals;
    d->refused = refused;
    g_free(d->last_error);
    d->last_error = g_strdup(last_error);
    d->version++;
    pthread_mutex_unlock(&r->lock);
}

uint64_t
recorder_committed(const recorder *r)
{
    return atomic_load(&r->committed);
}

uint64_t
recorder_committed_intervals(const recorder *r)
{
    return atomic_load(&r->committed_intervals);
}

uint64_t
recorder_lost(const recorder *r, const char **ret_reason)
{
    recorder *unlocked = (recorder *)r;

    if (ret_reason != NULL) {
        pthread_mutex_lock(&unlocked->lock);
        *ret_reason = r->lost_reason;
        pthread_mutex_unlock(&unlocked->lock);
    }
    return atomic_load(&r->lost);
}

void
recorder_end_run(recorder *r)
{
    if (r->info->duration_ns <= 0)
        r->info->duration_ns = chrono_now() - r->run_start_ns;
    pthread_mutex_lock(&r->lock);
    await(r, &(struct order){ .end_run = true });
    pthread_mutex_unlock(&r->lock);
}

static void
recorder_free(recorder *r)
{
    for (unsigned w = 0; w < r->workers; w++)
        ring_free(r->rings[w]);
    g_free(r->rings);
    g_aligned_free(r->flows);
    tally_free(r->interval);
    g_ptr_array_unref(r->deliveries);
    g_free(r->lost_reason);
    pthread_cond_destroy(&r->wake);
    pthread_cond_destroy(&r->done);
    pthread_mutex_destroy(&r->lock);
    runfile_close(r->file);
    g_free(r);
}

bool
recorder_close(recorder *r, GError **error)
{
    uint64_t lost;
    bool complete;

    recorder_end_result(r);
    recorder_end_run(r);
    pthread_mutex_lock(&r->lock);
    await(r, &(struct order){ .stop = true });
    pthread_mutex_unlock(&r->lock);
    pthread_join(r->thread, NULL);
    lost = atomic_load(&r->lost);
    complete = lost == 0 && r->end_saved;
    if (!complete)
        g_set_error(error, LENS_ERROR, LENS_ERROR_FILE,
                    "%s: %" G_GUINT64_FORMAT
                    " samples are missing in the run file; the summary counts them",
                    r->lost_reason != NULL ? r->lost_reason : "the end was not written",
                    lost);
    recorder_free(r);
    return complete;
}
