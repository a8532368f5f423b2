/* Transactions of the recorder, and what becomes of them when the disk is full. */
#include <string.h>

#include "chrono.h"
#include "machine.h"
#include "recorder-private.h"

#define COMMIT_EVERY_NS (NS_PER_S / 2)
#define HISTOGRAMS_EVERY_NS NS_PER_S
#define RETRY_AFTER_NS NS_PER_S

/* Messages of the run file begin with its name, which everyone who tells them says too.
 */
static char *
without_path(const recorder *r, const char *message)
{
    g_autofree char *prefix = g_strconcat(runfile_path(r->file), ": ", NULL);

    return g_strdup(message + (g_str_has_prefix(message, prefix) ? strlen(prefix) : 0));
}

/* The transaction is gone: count its samples, wait a while. */
static void
give_up(recorder *r, uint64_t more, GError *error)
{
    const uint64_t lost = r->pending + more;

    runfile_rollback(r->file);
    r->in_transaction = false;
    r->retry_ns = chrono_now() + RETRY_AFTER_NS;
    r->pending = 0;
    r->rank = atomic_load(&r->committed);
    r->intervals = atomic_load(&r->committed_intervals);
    atomic_fetch_add(&r->lost, lost);
    if (r->result != NULL)
        r->result->tally->lost += lost;
    pthread_mutex_lock(&r->lock);
    if (r->lost_reason == NULL)
        r->lost_reason = without_path(r, error->message);
    pthread_mutex_unlock(&r->lock);
    g_error_free(error);
}

/* false: the file cannot be written now. */
static bool
ready(recorder *r)
{
    GError *error = NULL;

    if (r->in_transaction)
        return true;
    if (r->retry_ns != 0 && chrono_now() < r->retry_ns)
        return false;
    r->retry_ns = 0;
    if (!runfile_begin(r->file, &error)) {
        give_up(r, 0, error);
        return false;
    }
    r->in_transaction = true;
    return true;
}

void
recorder_write_sample(recorder *r, const sample *s)
{
    GError *error = NULL;

    if (!ready(r)) {
        atomic_fetch_add(&r->lost, 1);
        r->result->tally->lost++;
        return;
    }
    if (!runfile_put_sample(r->file, s, r->deltas, &r->rank, &error)) {
        give_up(r, 1, error);
        return;
    }
    r->pending++;
}

/* Workers go on meanwhile: an average may be off by the change of a moment. */
static void
add_flow(recorder *r, int64_t now_ns)
{
    int64_t area_ns = 0;
    unsigned most = 0;

    for (unsigned w = 0; w < r->workers; w++) {
        struct flow *f = &r->flows[w];
        const unsigned count = atomic_load_explicit(&f->count, memory_order_relaxed);

        area_ns +=
            atomic_load_explicit(&f->area_ns, memory_order_relaxed) +
            count * (now_ns - atomic_load_explicit(&f->since_ns, memory_order_relaxed));
        most += atomic_exchange_explicit(&f->most, count, memory_order_relaxed);
    }
    r->interval->in_flight_time = (double)(area_ns - r->flow_area_ns) / 1e9;
    r->interval->in_flight_wall_ns =
        now_ns - (r->flow_ns > 0 ? r->flow_ns : r->run_start_ns + r->interval_begin_ns);
    r->interval->in_flight_max = most;
    r->flow_area_ns = area_ns;
    r->flow_ns = now_ns;
}

void
recorder_write_interval(recorder *r, int64_t now_ns)
{
    const int64_t begin_ns = r->interval_begin_ns;
    const int64_t end_ns = now_ns - r->run_start_ns;
    GError *error = NULL;

    if (!ready(r))
        return; /* the next interval will hold this one too */
    add_flow(r, now_ns);
    r->last_unix_ns = MAX(r->start_unix_ns + end_ns, r->last_unix_ns + 1);
    if (!runfile_put_interval(r->file, r->shadow.target, r->shadow.stage,
                              r->intervals + 1, begin_ns, end_ns, r->last_unix_ns,
                              r->interval, &error)) {
        give_up(r, 0, error);
        return;
    }
    r->intervals++;
    r->interval_begin_ns = end_ns;
    tally_reset(r->interval);
}

/* Written from copies, so that nobody waits for the disk on the lock. */
static bool
put_deliveries(recorder *r, GPtrArray *copies, GError **error)
{
    pthread_mutex_lock(&r->lock);
    for (guint i = 0; i < r->deliveries->len; i++) {
        const struct delivery *d = r->deliveries->pdata[i];

        if (d->written != d->version)
            g_ptr_array_add(copies, delivery_copy(d));
    }
    pthread_mutex_unlock(&r->lock);
    for (guint i = 0; i < copies->len; i++) {
        const struct delivery *d = copies->pdata[i];

        if (!runfile_put_delivery(r->file, d->exporter, d->samples, d->intervals,
                                  d->refused, d->last_error, error))
            return false;
    }
    return true;
}

static void
deliveries_written(recorder *r, const GPtrArray *copies)
{
    pthread_mutex_lock(&r->lock);
    for (guint i = 0; i < copies->len; i++) {
        const struct delivery *copy = copies->pdata[i];

        delivery_find(r->deliveries, copy->exporter)->written = copy->version;
    }
    pthread_mutex_unlock(&r->lock);
}

static bool
put_result(recorder *r, int64_t now_ns, bool final, GError **error)
{
    enum histogram_choice choice = HISTOGRAMS_NONE;

    if (r->result == NULL)
        return true;
    r->result->tally->max_rss_bytes =
        MAX(r->result->tally->max_rss_bytes, machine_max_rss());
    if (final) {
        choice = HISTOGRAMS_EVERY;
        r->result->tally->concurrency = tally_concurrency(r->result->tally);
    } else if (r->histograms_changed && now_ns >= r->histograms_due_ns) {
        choice = HISTOGRAMS_NEEDED;
        r->histograms_changed = false;
        r->histograms_due_ns = now_ns + HISTOGRAMS_EVERY_NS;
    }
    return runfile_put_result(r->file, &r->shadow, r->nth, r->deltas, choice, error);
}

static bool
put_all(recorder *r, int64_t now_ns, bool final, bool end, GPtrArray *copies,
        GError **error)
{
    if (r->run_unsaved && !runfile_put_run(r->file, r->info, r->deltas, error))
        return false;
    return runfile_put_pulse(r->file, now_ns - r->run_start_ns, error) &&
           put_result(r, now_ns, final, error) && put_deliveries(r, copies, error) &&
           (!end || runfile_put_end(r->file, r->info, error)) &&
           runfile_commit(r->file, error);
}

void
recorder_commit(recorder *r, int64_t now_ns, bool final, bool end)
{
    g_autoptr(GPtrArray) copies = g_ptr_array_new_with_free_func(delivery_free);
    GError *error = NULL;

    r->commit_due_ns = now_ns + COMMIT_EVERY_NS;
    if (final || end)
        r->retry_ns = 0; /* the last chance */
    if (!ready(r))
        return;
    if (!put_all(r, now_ns, final, end, copies, &error)) {
        give_up(r, 0, error);
        return;
    }
    r->in_transaction = false;
    r->run_unsaved = false;
    r->end_saved = end;
    r->pending = 0;
    atomic_store(&r->committed, r->rank);
    atomic_store(&r->committed_intervals, r->intervals);
    deliveries_written(r, copies);
    runfile_tidy(r->file);
}
