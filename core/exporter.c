#include "exporter.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "chrono.h"
#include "error.h"
#include "exporter-http.h"
#include "exporter-private.h"

#define LOOK_NS (NS_PER_S / 5)      /* for what was added to the run file */
#define SIGNAL_NS (NS_PER_S / 20)   /* for a Ctrl-C while waiting */
#define LAST_CALL_NS (2 * NS_PER_S) /* for a plugin to come back before it is left */

pthread_mutex_t exporters_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t exporters_news = PTHREAD_COND_INITIALIZER;
static atomic_bool skip_wait;

void
exporters_skip_wait(void)
{
    atomic_store(&skip_wait, true);
}

/* With the lock held: until something changed or `until_ns`. */
static void
await_news(int64_t until_ns)
{
    const struct timespec at = { .tv_sec = until_ns / NS_PER_S,
                                 .tv_nsec = until_ns % NS_PER_S };

    pthread_cond_clockwait(&exporters_news, &exporters_lock, CLOCK_MONOTONIC, &at);
}

/* ---- the thread ---- */

/* At the end of the run a pause of our own is cut short for one more try. */
static bool
hurry(exporter *e)
{
    if (!e->complete || e->asked_to_wait || e->hurried)
        return false;
    e->hurried = true;
    e->retry_ns = 0;
    return true;
}

static void
rest(exporter *e, enum step step)
{
    const int64_t until = step == STEP_LATER ? e->retry_ns : chrono_now() + LOOK_NS;

    pthread_mutex_lock(&exporters_lock);
    while (!atomic_load(&e->stop) && chrono_now() < until) {
        if (step == STEP_LATER && hurry(e))
            break;
        await_news(until);
        if (step == STEP_IDLE)
            break;
    }
    pthread_mutex_unlock(&exporters_lock);
}

static void *
exporter_thread(void *data)
{
    exporter *e = data;
    enum step step = STEP_WORKED;

    exporter_http_watch(&e->stop);
    while (step != STEP_OVER && !atomic_load(&e->stop)) {
        step = exporter_step(e);
        if (step == STEP_IDLE || step == STEP_LATER)
            rest(e, step);
    }
    exporter_close_file(e);
    pthread_mutex_lock(&exporters_lock);
    e->over = true;
    pthread_cond_broadcast(&exporters_news);
    pthread_mutex_unlock(&exporters_lock);
    return NULL;
}

/* Signals are the main thread's; a broken pipe is an error of a write, not the end. */
static bool
start_thread(exporter *e, GError **error)
{
    sigset_t all, before;
    int failed;

    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    failed = pthread_create(&e->thread, NULL, exporter_thread, e);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed != 0) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_SYSTEM,
                    "exporter %s: cannot start a thread: %s", e->name,
                    g_strerror(failed));
        return false;
    }
    return true;
}

/* ---- life ---- */

static void
destroy(exporter *e)
{
    instance_close(e->instance);
    run_shown_free(e->run);
    shown_free(e->summary);
    batch_free(e->batch);
    totals_free(e->totals);
    exporter_close_file(e);
    g_free(e->kind);
    g_free(e->name);
    g_free(e->command);
    g_free(e->path);
    g_free(e->error);
    g_free(e);
}

static instance *
open_plugin(const plugin_choice *choice, registry *plugins, uint64_t seed, GError **error)
{
    const plugin *p = registry_find(plugins, LENS_KIND_OF_EXPORTER, choice->kind, error);

    if (p == NULL)
        return NULL;
    if (!option_values_finished(choice->options) &&
        !option_values_finish(choice->options, true, error))
        return NULL;
    host_set_http(exporter_http, exporter_http_free);
    return exporter_open(p, choice->options, seed, error);
}

exporter *
exporter_start(const plugin_choice *choice, registry *plugins, const char *path,
               recorder *r, const run_info *info, bool again, GError **error)
{
    instance *opened = open_plugin(choice, plugins, info->seed, error);
    exporter *e;

    if (opened == NULL)
        return NULL;
    e = g_new0(exporter, 1);
    e->instance = opened;
    e->ops = &opened->plugin->ops.exporter;
    e->kind = g_strdup(choice->kind);
    e->name = g_strdup(choice->name != NULL ? choice->name : choice->kind);
    e->path = g_strdup(path);
    e->command = exporter_command(path, choice);
    e->info = info;
    e->run = run_shown_new(info, path);
    e->batch = batch_new();
    e->limit = BATCH_MOST;
    e->recorder = r;
    e->live = r != NULL;
    e->again = again;
    if (!start_thread(e, error)) {
        destroy(e);
        return NULL;
    }
    return e;
}

void
exporter_free(exporter *e)
{
    const int64_t until = chrono_now() + LAST_CALL_NS;
    bool over;

    if (e == NULL)
        return;
    pthread_mutex_lock(&exporters_lock);
    e->recorder = NULL;
    atomic_store(&e->stop, true);
    pthread_cond_broadcast(&exporters_news);
    while (!e->over && chrono_now() < until)
        await_news(until);
    over = e->over;
    pthread_mutex_unlock(&exporters_lock);
    if (!over) { /* a call of the plugin hangs: all it may touch stays */
        g_debug("export %s: left behind in a call that does not come back", e->name);
        pthread_detach(e->thread);
        return;
    }
    pthread_join(e->thread, NULL);
    destroy(e);
}

/* ---- the end ---- */

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
await_all(const GPtrArray *exporters, bool (*there)(const exporter *), int64_t until_ns)
{
    bool all = false;

    for (;;) {
        pthread_mutex_lock(&exporters_lock);
        all = true;
        for (guint i = 0; i < exporters->len; i++)
            all &= there(exporters->pdata[i]);
        if (!all && chrono_now() < until_ns && !atomic_load(&skip_wait))
            await_news(MIN(until_ns, chrono_now() + SIGNAL_NS));
        pthread_mutex_unlock(&exporters_lock);
        if (all || chrono_now() >= until_ns || atomic_load(&skip_wait))
            return all;
        while (g_main_context_iteration(NULL, FALSE))
            ; /* signals come through the main loop */
    }
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
    return await_all(one, is_still, chrono_now() + wait_ns);
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
        ret->error = g_strdup_printf("the receiver refused %" G_GUINT64_FORMAT " samples",
                                     e->refused);
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

/* Its row among the run's exports, made anew. */
static void
put_state(run_info *info, exporter *e)
{
    struct export_state *fresh = g_new0(struct export_state, 1);

    exporter_state(e, fresh);
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

/* One message for what stayed behind. */
static void
say_left(exporter *e)
{
    struct export_state s;

    exporter_state(e, &s);
    if (!s.complete && s.delivered + e->refused == s.of && s.of > 0 && e->ended)
        g_warning("export %s: %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                  " samples delivered: %s",
                  s.name, s.delivered, s.of, s.error);
    else if (!s.complete)
        g_warning("export %s: incomplete, %" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT
                  " samples delivered: %s; the rest is sent by: %s",
                  s.name, s.delivered, s.of,
                  s.error != NULL ? s.error : "the summary is missing", e->command);
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
    await_all(exporters, is_still, until);
    put_states(info, exporters);
    offer_summary(exporters, info);
    await_all(exporters, is_done, until);
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
    await_all(one, is_still, until);
    offer_summary(one, e->info);
    await_all(one, is_done, until);
    let_go(one);
    say_left(e);
    exporter_state(e, ret);
}
