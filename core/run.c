#include "run.h"

#include <glib-unix.h>
#include <glib/gstdio.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "chrono.h"
#include "run-private.h"
#include "secret.h"

static gboolean
on_interrupt(void *data)
{
    run *r = data;

    if (r->signal == 0)
        r->signal = SIGINT;
    if (++r->signals >= 2)
        exporters_skip_wait();
    return G_SOURCE_CONTINUE;
}

static gboolean
on_terminate(void *data)
{
    run *r = data;

    if (r->signal == 0)
        r->signal = SIGTERM;
    if (++r->signals >= 2)
        exporters_skip_wait();
    return G_SOURCE_CONTINUE;
}

/* Before the load there is nothing to save, and calls that block. */
static void
on_early_signal(int number)
{
    _exit(128 + number);
}

static bool
run_stages(run *r, GError **error)
{
    for (unsigned s = 0; s < r->plan->stages->len; s++) {
        for (unsigned t = 0; t < r->plan->targets->len; t++) {
            if (!plan_stage_has_target(r->plan->stages->pdata[s],
                                       r->plan->targets->pdata[t]))
                continue;
            if (r->signal != 0 || r->aborted || r->cost_reached)
                return true;
            if (!run_stage(r, s, t, error))
                return false;
        }
    }
    return true;
}

static void
say_lost(run *r)
{
    const char *reason = NULL;
    const uint64_t lost = recorder_lost(r->recorder, &reason);

    if (lost > 0)
        fprintf(stderr,
                "lens: %" G_GUINT64_FORMAT
                " samples could not be written to %s: %s; the summary "
                "holds them all\n",
                lost, r->path, reason);
}

static void
show(run *r)
{
    live_view_clear(r->view);
    if (r->plan->json) {
        g_autofree char *json = summary_json(r->info);

        puts(json);
    } else {
        report_print(r->info, stdout);
    }
    fflush(stdout);
}

/* The limit let nothing succeed, and nothing failed. */
static bool
stopped_by_cost(const run *r)
{
    uint64_t failed = 0;

    for (guint i = 0; i < r->info->results->len; i++)
        failed += ((const result *)r->info->results->pdata[i])->tally->failed;
    return r->cost_reached && failed == 0;
}

static enum exit_code
judge(const run *r, bool exports_complete)
{
    if (r->signal == SIGINT)
        return EXIT_SIGINT;
    if (r->signal == SIGTERM)
        return EXIT_SIGTERM;
    if ((!r->succeeded && !stopped_by_cost(r)) || r->aborted)
        return EXIT_NOTHING;
    if (r->plan->strict && r->info->verdict->state == VERDICT_INVALID)
        return EXIT_INVALID;
    if (!run_info_slos_met(r->info))
        return EXIT_SLO;
    return r->plan->strict && !exports_complete ? EXIT_EXPORT : EXIT_OK;
}

static enum exit_code
fail(run *r, GError *error)
{
    g_autofree char *text = secret_redact(error->message, -1);
    const enum exit_code code = lens_error_exit(error);

    live_view_clear(r->view);
    fprintf(stderr, "lens: %s\n", text);
    g_error_free(error);
    return code;
}

static void
run_clear(run *r)
{
    g_ptr_array_unref(r->exporters);
    g_ptr_array_unref(r->credentials);
    live_view_free(r->view);
    prompts_free(r->prompts);
    if (r->costings != NULL)
        g_ptr_array_unref(r->costings);
    price_book_free(r->prices);
    mock_free(r->mock);
    run_info_free(r->info);
    g_free(r->path);
}

static void
free_exporter(void *data)
{
    exporter_free(data);
}

static void
free_credential(void *data)
{
    credential_free(data);
}

/* From the first request to the saved file. */
static enum exit_code
carry_out(run *r)
{
    GError *error = NULL, *lost = NULL;
    const bool fine = run_stages(r, &error);
    bool complete;

    r->info->duration_ns = chrono_now() - r->start_ns;
    r->info->interrupted = r->signal != 0;
    run_info_judge(r->info);
    recorder_end_run(r->recorder);
    live_view_clear(r->view);
    complete = exporters_finish(r->exporters, r->info,
                                r->signals >= 2 ? 0 : r->plan->export_wait_ns);
    run_info_judge(r->info);
    if (r->exporters->len > 0)
        recorder_end_run(r->recorder);
    say_lost(r);
    if (!recorder_close(g_steal_pointer(&r->recorder), &lost)) {
        fprintf(stderr, "lens: %s: %s\n", r->path, lost->message);
        g_clear_error(&lost);
    }
    if (r->info->results->len > 0)
        show(r);
    return fine ? judge(r, complete) : fail(r, error);
}

enum exit_code
run_plan(plan *p, registry *plugins)
{
    run r = { .plan = p, .plugins = plugins };
    GError *error = NULL;
    enum exit_code code;

    /* Giving memory back and taking it again for every burst of answers costs system
     * calls. */
    mallopt(M_TRIM_THRESHOLD, 16 * 1024 * 1024);
    r.info = run_info_new();
    r.exporters = g_ptr_array_new_with_free_func(free_exporter);
    r.credentials = g_ptr_array_new_with_free_func(free_credential);
    r.view = live_view_new(p->quiet);
    signal(SIGINT, on_early_signal);
    signal(SIGTERM, on_early_signal);
    if (run_prepare(&r, &error)) {
        const unsigned interrupt = g_unix_signal_add(SIGINT, on_interrupt, &r);
        const unsigned terminate = g_unix_signal_add(SIGTERM, on_terminate, &r);

        if (!p->seed_given && !p->quiet)
            fprintf(stderr, "lens: seed %" G_GUINT64_FORMAT "\n", p->seed);
        code = carry_out(&r);
        g_source_remove(interrupt);
        g_source_remove(terminate);
    } else {
        code = fail(&r, error);
        g_ptr_array_set_size(r.exporters, 0); /* they read what the recorder counts */
        if (r.recorder != NULL) {
            recorder_close(r.recorder, NULL);
            g_unlink(r.path); /* nothing was measured */
        }
    }
    run_clear(&r);
    return code;
}
