/* A run of 10^6 requests with an exporter that nobody listens to takes no more memory
 * than one of 10^5. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <unistd.h>

#include "chrono.h"
#include "exporter.h"
#include "plan-private.h"
#include "recorder.h"

#ifndef __has_feature
#define __has_feature(name) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define REQUESTS 50000 /* their memory is not ours to judge */
#define SLACK_MB 1e9
#else
#define REQUESTS 1000000
#define SLACK_MB 8.0
#endif
/* Pushed, but not yet taken. */
#define AHEAD 8192

static double
memory_mb(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "re");

    assert_non_null(file);
    assert_int_equal(fscanf(file, "%*d %ld", &pages), 1);
    fclose(file);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

static sample *
make_sample(uint64_t id)
{
    sample *s = sample_new(1);
    attempt *a = &s->attempts[0];
    const int64_t start = (int64_t)id * 10 * NS_PER_US;
    const int64_t first = start + NS_PER_MS + (int64_t)(id * 7919 % 1000) * NS_PER_US;

    s->id = id;
    s->outcome = LENS_OUTCOME_OK;
    s->phase = LENS_PART_MEASURED;
    s->due_ns = start;
    a->start_ns = a->departure_ns = start;
    a->streamed = true;
    a->first_output_ns = a->last_output_ns = first;
    a->terminal_ns = a->end_ns = first;
    a->output_messages = 1;
    timeline_add(&a->messages_log, first, LENS_MSG_TEXT, LENS_CLOCK_KERNEL, 1, false);
    return s;
}

static void
push_up_to(recorder *r, uint64_t from, uint64_t to)
{
    for (uint64_t id = from; id <= to; id++) {
        struct live numbers;

        while (!recorder_push(r, 0, make_sample(id)))
            fail_msg("the ring is full");
        if (id % AHEAD != 0)
            continue;
        do {
            recorder_live(r, &numbers);
            g_usleep(500);
        } while (numbers.done < id);
    }
}

static GLogWriterOutput
keep_quiet(GLogLevelFlags level, const GLogField *fields, gsize count, void *data)
{
    (void)level, (void)fields, (void)count, (void)data;
    return G_LOG_WRITER_HANDLED;
}

/* Port 9 of loopback: nobody. */
static exporter *
start_dead(plan *p, registry *plugins, const char *path, recorder *r,
           const run_info *info)
{
    plugin_choice *choice = plugin_choice_new();
    g_autoptr(GError) error = NULL;
    exporter *e;

    g_ptr_array_add(p->exports, choice);
    assert_true(registry_load_file(plugins, PLUGINS "/influxdb.so", &error));
    assert_true(plan_choice_parse(choice, plugins, LENS_KIND_OF_EXPORTER,
                                  "influxdb:url=http://127.0.0.1:9,api=v2,points=both",
                                  &error));
    e = exporter_start(choice, plugins, path, r, info, false, &error);
    assert_non_null(e);
    return e;
}

static void
memory_stays_flat_whoever_does_not_listen(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("test-recorder-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "run.lens", NULL);
    g_autoptr(run_info) info = run_info_new();
    result *res = result_new(info->slos);
    recorder *r = recorder_new(runfile_create(path, false, NULL), info, 1, NS_PER_S, true,
                               chrono_now());
    registry *plugins = registry_new_empty(true);
    plan *p = plan_new();
    g_autoptr(GPtrArray) exporters = g_ptr_array_new();
    double early, late;
    exporter *e;

    (void)state;
    res->target_name = g_strdup("a");
    res->stage_name = g_strdup("b");
    recorder_begin_result(r, res);
    e = start_dead(p, plugins, path, r, info);
    g_ptr_array_add(exporters, e);
    push_up_to(r, 1, REQUESTS / 10);
    early = memory_mb();
    push_up_to(r, REQUESTS / 10 + 1, REQUESTS);
    late = memory_mb();
    recorder_end_result(r);
    assert_int_equal(recorder_committed(r), REQUESTS);
    recorder_end_run(r);
    run_info_judge(info);
    assert_false(exporters_finish(exporters, info, 0));
    assert_int_equal(((struct export_state *)info->exports->pdata[0])->delivered, 0);
    assert_int_equal(((struct export_state *)info->exports->pdata[0])->of, REQUESTS);
    exporter_free(e);
    assert_true(recorder_close(r, NULL));
    plan_free(p);
    registry_free(plugins);
    g_unlink(path);
    g_rmdir(folder);
    if (late > early + SLACK_MB)
        fail_msg("%.1f MB after a tenth, %.1f MB at the end", early, late);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_stays_flat_whoever_does_not_listen),
    };

    g_log_set_writer_func(keep_quiet, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
