/* The end of a run: what is left is delivered, then the summary, within the time allowed.
 */
#include "chrono.h"
#include "exporter-private.h"

#define SIGNAL_NS (NS_PER_S / 20) /* for a Ctrl-C while waiting */
#define GRACE_NS (NS_PER_S / 4)   /* for the summary, when no time is left */

static atomic_bool skip_wait;

void
exporters_skip_wait(void)
{
    atomic_store(&skip_wait, true);
}

/* With the lock held. */
static bool
is_still(const exporter *e)
{
    return e->drained || e->over;
}

/* With the lock held. */
static bool
is_done(const exporter *e)
{
    return e->ended || e->over;
}

static bool
await_all(const GPtrArray *exporters, bool (*there)(const exporter *), int64_t until_ns,
          bool may_skip)
{
    for (;;) {
        bool all = true, late;

        pthread_mutex_lock(&exporters_lock);
        for (guint i = 0; i < exporters->len; i++)
            all &= there(exporters->pdata[i]);
        late = chrono_now() >= until_ns || (may_skip && atomic_load(&skip_wait));
        if (!all && !late)
            exporters_await_news(MIN(until_ns, chrono_now() + SIGNAL_NS));
        pthread_mutex_unlock(&exporters_lock);
        if (all || late)
            return all;
        while (g_main_context_iteration(NULL, FALSE))
            ; /* signals come through the main loop */
    }
}

/* Waits for the summaries. Who has got everything else without trouble is let finish, if
 * only for a moment, even when all waiting is to be skipped: a file is written by then.
 */
static void
await_end(const GPtrArray *exporters, int64_t until_ns)
{
    g_autoptr(GPtrArray) fit = g_ptr_array_new();

    await_all(exporters, is_done, until_ns, true);
    pthread_mutex_lock(&exporters_lock);
    for (guint i = 0; i < exporters->len; i++) {
        exporter *e = exporters->pdata[i];

        if (e->drained && e->error == NULL)
            g_ptr_array_add(fit, e);
    }
    pthread_mutex_unlock(&exporters_lock);
    await_all(fit, is_done, chrono_now() + GRACE_NS, false);
}

/* With the lock held: what the thread has not looked at yet is undelivered too. */
static void
count_all(exporter *e)
{
    if (e->recorder != NULL)
        e->of = MAX(e->of, recorder_committed(e->recorder));
}

void
exporter_progress(exporter *e, uint64_t *ret_delivered, uint64_t *ret_of)
{
    pthread_mutex_lock(&exporters_lock);
    count_all(e);
    *ret_delivered = e->samples - MIN(e->refused, e->samples);
    *ret_of = e->of;
    pthread_mutex_unlock(&exporters_lock);
}

static void
complete_all(const GPtrArray *exporters)
{
    pthread_mutex_lock(&exporters_lock);
    for (guint i = 0; i < exporters->len; i++)
        ((exporter *)exporters->pdata[i])->complete = true;
    pthread_cond_broadcast(&exporters_news);
    pthread_mutex_unlock(&exporters_lock);
}

bool
exporter_wait(exporter *e, int64_t wait_ns)
{
    g_autoptr(GPtrArray) one = g_ptr_array_new();

    g_ptr_array_add(one, e);
    complete_all(one);
    return await_all(one, is_still, chrono_now() + wait_ns, true);
}

void
exporter_state(exporter *e, struct export_state *ret)
{
    pthread_mutex_lock(&exporters_lock);
    count_all(e);
    *ret = (struct export_state){
        .kind = g_strdup(e->kind),
        .name = g_strdup(e->name),
        .delivered = e->samples - MIN(e->refused, e->samples),
        .of = e->of,
        .complete = e->ended && e->refused == 0,
        .error = g_strdup(e->error),
    };
    if (ret->error == NULL && e->refused > 0)
        ret->error =
            g_strdup_printf("the receiver refused %" G_GUINT64_FORMAT " samples: %s",
                            e->refused, e->refusal);
    else if (ret->error == NULL && !e->ended && e->complete && !e->drained)
        ret->error = g_strdup("there was no time for the rest");
    pthread_mutex_unlock(&exporters_lock);
}

static void
export_state_free(void *data)
{
    struct export_state *s = data;

    g_free(s->kind);
    g_free(s->name);
    g_free(s->error);
    g_free(s);
}

/* The row of the run: its counts are samples, or intervals where the exporter takes no
 * samples; intervals that are missing beside complete samples are told in words. */
static void
row_state(exporter *e, struct export_state *ret)
{
    uint64_t intervals, of;

    exporter_state(e, ret);
    pthread_mutex_lock(&exporters_lock);
    intervals = e->intervals;
    of = MAX(e->of_intervals, intervals);
    pthread_mutex_unlock(&exporters_lock);
    if (e->ops->snapshot == NULL)
        return;
    if (e->ops->samples == NULL) {
        ret->delivered = intervals;
        ret->of = of;
    } else if (ret->error != NULL && intervals < of && ret->delivered == ret->of) {
        g_autofree char *reason = ret->error;

        ret->error = g_strdup_printf("%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                                     " intervals delivered: %s",
                                     intervals, of, reason);
    }
}

/* Its row among the run's exports, made anew. */
static void
put_state(run_info *info, exporter *e)
{
    struct export_state *fresh = g_new0(struct export_state, 1);

    row_state(e, fresh);
    for (guint i = 0; i < info->exports->len; i++) {
        struct export_state *old = info->exports->pdata[i];

        if (g_strcmp0(old->name, fresh->name) == 0) {
            info->exports->pdata[i] = fresh;
            export_state_free(old);
            return;
        }
    }
    g_ptr_array_add(info->exports, fresh);
}

static void
put_states(run_info *info, const GPtrArray *exporters)
{
    for (guint i = 0; i < exporters->len; i++)
        put_state(info, exporters->pdata[i]);
}

static void
offer_summary(const GPtrArray *exporters, const run_info *info)
{
    for (guint i = 0; i < exporters->len; i++) {
        exporter *e = exporters->pdata[i];
        shown *summary = shown_new(info);

        pthread_mutex_lock(&exporters_lock);
        if (e->summary == NULL)
            e->summary = g_steal_pointer(&summary);
        pthread_cond_broadcast(&exporters_news);
        pthread_mutex_unlock(&exporters_lock);
        shown_free(summary);
    }
}

char *
exporter_tell(exporter *e, const struct export_state *s)
{
    g_autoptr(GString) text = g_string_new(NULL);
    uint64_t intervals, of_intervals;

    pthread_mutex_lock(&exporters_lock);
    intervals = e->intervals;
    of_intervals = MAX(e->of_intervals, intervals);
    pthread_mutex_unlock(&exporters_lock);
    if (e->ops->samples != NULL)
        g_string_append_printf(
            text, "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " samples delivered",
            s->delivered, s->of);
    if (e->ops->snapshot != NULL && (text->len == 0 || intervals < of_intervals))
        g_string_append_printf(
            text, "%s%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " intervals delivered",
            text->len > 0 ? ", " : "", intervals, of_intervals);
    if (text->len == 0)
        g_string_append(text, "nothing delivered");
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/* One message for what stayed behind. */
static void
say_left(exporter *e)
{
    g_autofree char *progress = NULL;
    struct export_state s;

    exporter_state(e, &s);
    progress = exporter_tell(e, &s);
    if (!s.complete && s.delivered + e->refused == s.of && s.of > 0 && e->ended)
        g_warning("export %s: %s: %s", s.name, progress, s.error);
    else if (!s.complete)
        g_warning("export %s: incomplete, %s: %s; the rest is sent by: %s", s.name,
                  progress, s.error != NULL ? s.error : "the summary is missing",
                  e->command);
    g_free(s.kind);
    g_free(s.name);
    g_free(s.error);
}

/* From now on nobody touches the recorder. */
static void
let_go(const GPtrArray *exporters)
{
    pthread_mutex_lock(&exporters_lock);
    for (guint i = 0; i < exporters->len; i++)
        ((exporter *)exporters->pdata[i])->recorder = NULL;
    pthread_mutex_unlock(&exporters_lock);
}

bool
exporters_finish(const GPtrArray *exporters, run_info *info, int64_t wait_ns)
{
    const int64_t until = chrono_now() + wait_ns;
    bool complete = true;

    if (exporters->len == 0)
        return true;
    complete_all(exporters);
    await_all(exporters, is_still, until, true);
    put_states(info, exporters);
    offer_summary(exporters, info);
    await_end(exporters, until);
    put_states(info, exporters);
    let_go(exporters);
    for (guint i = 0; i < exporters->len; i++) {
        struct export_state s;

        exporter_state(exporters->pdata[i], &s);
        complete &= s.complete;
        g_free(s.kind);
        g_free(s.name);
        g_free(s.error);
        say_left(exporters->pdata[i]);
    }
    return complete;
}

void
exporter_finish(exporter *e, int64_t wait_ns, struct export_state *ret)
{
    const int64_t until = chrono_now() + wait_ns;
    g_autoptr(GPtrArray) one = g_ptr_array_new();

    g_ptr_array_add(one, e);
    complete_all(one);
    await_all(one, is_still, until, true);
    offer_summary(one, e->info);
    await_end(one, until);
    let_go(one);
    say_left(e);
    exporter_state(e, ret);
}
