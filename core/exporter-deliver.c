/* One step of an exporter's thread: begin, a batch of samples, an interval, or the
 * summary. */
#include <string.h>

#include "chrono.h"
#include "exporter-http.h"
#include "exporter-private.h"

void
exporter_close_file(exporter *e)
{
    g_clear_pointer(&e->file, runfile_close);
}

/* ---- the cursor ---- */

static void
save_in_file(exporter *e)
{
    g_autoptr(GError) error = NULL;

    if (!runfile_writable(e->file))
        return;
    if (!runfile_begin(e->file, &error) ||
        !runfile_put_delivery(e->file, e->name, e->samples, e->intervals, e->refused,
                              e->error, &error) ||
        !runfile_commit(e->file, &error)) {
        runfile_rollback(e->file);
        g_debug("export %s: cursor not saved: %s", e->name, error->message);
    }
}

static void
save_cursor(exporter *e)
{
    pthread_mutex_lock(&exporters_lock);
    if (e->recorder != NULL)
        recorder_put_delivery(e->recorder, e->name, e->samples, e->intervals, e->refused,
                              e->error);
    pthread_cond_broadcast(&exporters_news);
    pthread_mutex_unlock(&exporters_lock);
    if (!e->live)
        save_in_file(e);
}

static bool
load_cursor(exporter *e, GError **error)
{
    uint64_t samples = 0, intervals = 0, refused = 0;

    e->file = runfile_open(e->path, !e->live, error);
    if (e->file == NULL)
        return false;
    runfile_read_shown(e->file, (e->ops->flags & LENS_EXPORT_NO_MARKS) == 0);
    if (!e->live && !runfile_writable(e->file))
        g_message("export %s: %s is read-only: how far it came is not remembered",
                  e->name, e->path);
    if (!e->again &&
        !runfile_get_delivery(e->file, e->name, &samples, &intervals, &refused, error))
        return false;
    pthread_mutex_lock(&exporters_lock);
    e->samples = samples;
    e->intervals = intervals;
    e->refused = refused;
    pthread_mutex_unlock(&exporters_lock);
    if (e->again) /* whatever comes of it, the next export goes on from here */
        save_cursor(e);
    return true;
}

/* How much there is to deliver now. */
static void
look(exporter *e)
{
    uint64_t samples = 0, intervals = 0;

    if (!e->live) {
        samples = runfile_sample_count(e->file);
        intervals = runfile_interval_count(e->file);
    }
    pthread_mutex_lock(&exporters_lock);
    if (e->recorder != NULL) {
        samples = recorder_committed(e->recorder);
        intervals = recorder_committed_intervals(e->recorder);
    }
    e->of = MAX(e->of, samples);
    e->of_intervals = MAX(e->of_intervals, intervals);
    pthread_mutex_unlock(&exporters_lock);
}

/* ---- the steps ---- */

static lens_status
call_begin(exporter *e, char **ret_why)
{
    lens_status status;

    instance_lock(e->instance);
    status = e->ops->begin(e->instance->self, run_shown_get(e->run), e->samples);
    g_free(*ret_why);
    *ret_why = instance_failure(e->instance);
    instance_unlock(e->instance);
    return status;
}

static enum step
begin(exporter *e)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *why = NULL;
    lens_status status;

    if (e->file == NULL && !load_cursor(e, &error))
        return exporter_give_up(e, error->message);
    if (e->samples == 0) /* nobody can tell a file of intervals from a new one */
        e->intervals = 0;
    look(e); /* so that it can be told what a receiver that is down has missed */
    status = call_begin(e, &why);
    if (status == LENS_E_UNSUPPORTED && e->samples > 0) {
        g_message("export %s: what was delivered before is not there: from the start",
                  e->name);
        pthread_mutex_lock(&exporters_lock);
        e->samples = e->intervals = e->refused = 0;
        pthread_mutex_unlock(&exporters_lock);
        status = call_begin(e, &why);
    }
    if (status == LENS_E_IO)
        return exporter_later(e, exporter_http_retry_after(e->instance), why, false);
    if (status < 0)
        return exporter_give_up(e, why);
    e->begun = true;
    e->failures = 0;
    exporter_set_error(e, NULL);
    return STEP_WORKED;
}

static void
advance(exporter *e, uint64_t rank, uint64_t refused)
{
    pthread_mutex_lock(&exporters_lock);
    e->samples = rank;
    e->refused += refused;
    pthread_mutex_unlock(&exporters_lock);
}

static enum step
deliver_samples(exporter *e)
{
    struct lens_delivery d = { .struct_size = sizeof d };
    g_autoptr(GError) error = NULL;
    struct outcome o;
    lens_status status;
    uint64_t count;

    if (!batch_read(e->batch, e->file, e->samples, e->limit, &error))
        return exporter_later(e, 0, error->message, false);
    count = batch_count(e->batch);
    if (count == 0) { /* fewer than were counted */
        advance(e, e->of, 0);
        return STEP_WORKED;
    }
    instance_lock(e->instance);
    status = e->ops->samples(e->instance->self, batch_samples(e->batch), count, &d);
    o = exporter_judge(e, status, &d, count);
    instance_unlock(e->instance);
    if (o.done > 0)
        advance(e, batch_rank(e->batch, o.done), o.refused);
    save_cursor(e);
    return o.step;
}

static enum step
deliver_interval(exporter *e)
{
    const enum step step = exporter_deliver_interval(e);

    save_cursor(e);
    return step;
}

static enum step
deliver_summary(exporter *e)
{
    const struct lens_summary summary = {
        .struct_size = sizeof summary,
        .json = shown_json(e->summary),
        .json_size = strlen(shown_json(e->summary)),
        .results = shown_results(e->summary),
        .result_count = shown_count(e->summary),
        .result_size = sizeof(struct lens_result),
    };
    struct lens_delivery d = { .struct_size = sizeof d };
    struct outcome o;

    instance_lock(e->instance);
    o = exporter_judge(e, e->ops->end(e->instance->self, &summary, &d), &d, 1);
    instance_unlock(e->instance);
    if (o.step == STEP_WORKED && o.refused > 0)
        return exporter_give_up(e, "the receiver refused the summary");
    if (o.step != STEP_WORKED)
        return o.step;
    save_cursor(e);
    pthread_mutex_lock(&exporters_lock);
    e->ended = true;
    pthread_cond_broadcast(&exporters_news);
    pthread_mutex_unlock(&exporters_lock);
    return STEP_OVER;
}

enum step
exporter_step(exporter *e)
{
    bool complete, samples, intervals, summary;

    if (chrono_now() < e->retry_ns)
        return STEP_LATER;
    if (!e->begun)
        return begin(e);
    pthread_mutex_lock(&exporters_lock);
    complete =
        e->complete; /* as it was before the look: what comes between is not missed */
    pthread_mutex_unlock(&exporters_lock);
    look(e);
    pthread_mutex_lock(&exporters_lock);
    if (e->ops->samples == NULL)
        e->samples = e->of;
    if (e->ops->snapshot == NULL)
        e->intervals = e->of_intervals;
    samples = e->samples < e->of;
    intervals = e->intervals < e->of_intervals;
    if (complete && !samples && !intervals && !e->drained) {
        e->drained = true;
        pthread_cond_broadcast(&exporters_news);
    }
    summary = e->drained && e->summary != NULL;
    pthread_mutex_unlock(&exporters_lock);
    if (samples)
        return deliver_samples(e);
    if (intervals)
        return deliver_interval(e);
    return summary ? deliver_summary(e) : STEP_IDLE;
}
