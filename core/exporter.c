#include "exporter.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "chrono.h"
#include "error.h"
#include "exporter-http.h"
#include "exporter-listen.h"
#include "exporter-private.h"
#include "machine.h"
#include "slo.h"
#include "trace.h"

#define LOOK_NS (NS_PER_S / 5)      /* for what was added to the run file */
#define LAST_CALL_NS (2 * NS_PER_S) /* for a plugin to come back before it is left */

pthread_mutex_t exporters_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t exporters_news = PTHREAD_COND_INITIALIZER;

GPtrArray *
exporters_all(void)
{
    static GPtrArray *all;

    if (all == NULL)
        all = g_ptr_array_new();
    return all;
}

void
exporters_await_news(int64_t until_ns)
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
        exporters_await_news(until);
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

    machine_step_back(); /* a worker that is late would measure it */
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

static GPtrArray *
copy_slos(const GPtrArray *slos)
{
    GPtrArray *copy = g_ptr_array_new_with_free_func((GDestroyNotify)slo_free);

    for (guint i = 0; i < slos->len; i++) {
        slo *s = slo_parse(((const slo *)slos->pdata[i])->text, NULL);

        if (s != NULL)
            g_ptr_array_add(copy, s);
    }
    return copy;
}

static void
destroy(exporter *e)
{
    pthread_mutex_lock(&exporters_lock);
    g_ptr_array_remove(exporters_all(), e);
    pthread_mutex_unlock(&exporters_lock);
    g_ptr_array_unref(e->slos);
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
    g_free(e->refusal);
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
    host_set_listen(exporter_listen, exporter_listen_free);
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
    e->slos = copy_slos(info->slos);
    e->batch = batch_new(trace_seed(info->id != NULL ? info->id : ""));
    e->limit = e->most = BATCH_MOST;
    e->recorder = r;
    e->live = r != NULL;
    e->again = again;
    pthread_mutex_lock(&exporters_lock);
    g_ptr_array_add(exporters_all(), e);
    pthread_mutex_unlock(&exporters_lock);
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
        exporters_await_news(until);
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
