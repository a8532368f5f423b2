/* What it costs the recorder's thread to count and store a sample, and whether memory
 * stays flat. Prints; judges nothing.
 *
 *   bench-recorder [SAMPLES [MESSAGES [SAMPLES-PER-SECOND [FILE-TO-KEEP]]]] */
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "chrono.h"
#include "recorder.h"

static sample *
make_sample(uint64_t id, int messages)
{
    sample *s = sample_new(1);
    attempt *a = &s->attempts[0];
    const int64_t start = (int64_t)id * 28 * NS_PER_US;
    int64_t at = start + 200 * NS_PER_US + (int64_t)(id * 7919 % 100000);

    s->id = id;
    s->index = id - 1;
    s->outcome = LENS_OUTCOME_OK;
    s->phase = LENS_PART_MEASURED;
    s->due_ns = start;
    s->start_unix_ns = INT64_C(1800000000) * NS_PER_S + start;
    s->asked_output_tokens = 128;
    a->start_ns = start + 3000;
    a->departure_first_ns = a->departure_ns = start + 21000;
    a->departure_clock = a->first_clock = LENS_CLOCK_KERNEL;
    a->first_byte_ns = a->first_message_ns = a->first_output_ns = a->first_text_ns = at;
    a->streamed = a->reused = true;
    a->http_version = 11;
    a->http_status = 200;
    a->rtt_ns = 30000;
    a->bytes_sent = 812;
    a->bytes_received = 1400;
    timeline_add(&a->messages_log, at, LENS_MSG_ROLE, LENS_CLOCK_KERNEL, -1, false);
    for (int i = 0; i < messages; i++, at += 20 * NS_PER_MS + i % 97 * 1000) {
        timeline_add(&a->messages_log, at, LENS_MSG_TEXT, LENS_CLOCK_KERNEL, 1, i == 0);
        if (i == 1)
            a->second_output_ns = at;
        a->last_output_ns = at;
    }
    a->output_messages = a->kernel_stamps = (uint32_t)messages;
    a->messages = a->output_messages + 3;
    a->terminal_ns = a->end_ns = a->last_output_ns + 1000;
    a->usage[LENS_USAGE_INPUT] = 140;
    a->usage[LENS_USAGE_OUTPUT] = messages;
    a->usage[LENS_USAGE_CACHE_READ] = 0;
    a->finish = g_strdup("stop");
    a->server_id = g_strdup_printf("chatcmpl-%016" G_GINT64_MODIFIER "x", id);
    a->served_model = g_strdup("mock-model");
    return s;
}

static double
rss_mb(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    return (double)usage.ru_maxrss / 1024;
}

static int64_t
process_cpu(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * NS_PER_S +
           (u.ru_utime.tv_usec + u.ru_stime.tv_usec) * NS_PER_US;
}

static void
wait_until(int64_t ns)
{
    const int64_t rest_us = (ns - chrono_now()) / NS_PER_US;

    if (rest_us > 0)
        g_usleep((gulong)rest_us);
}

static result *
make_result(const run_info *info)
{
    result *res = result_new(info->slos);

    res->target_name = g_strdup("a");
    res->stage_name = g_strdup("b");
    res->start_ns = 0;
    res->end_ns = -1;
    res->tally->window_start_ns = 0;
    res->tally->window_end_ns = INT64_MAX;
    return res;
}

int
main(int argc, char **argv)
{
    const uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
    const int messages = argc > 2 ? atoi(argv[2]) : 1;
    g_autofree char *folder = g_dir_make_tmp("bench-recorder-XXXXXX", NULL);
    g_autofree char *path =
        argc > 4 ? g_strdup(argv[4]) : g_build_filename(folder, "bench.lens", NULL);
    g_autoptr(run_info) info = run_info_new();
    g_autoptr(GError) error = NULL;
    runfile *f = runfile_create(path, false, &error);
    recorder *r;
    const double rate = argc > 3 ? atof(argv[3]) : 35000;
    int64_t worker_cpu, all_cpu;
    const int64_t begin = chrono_now();
    double early_mb = 0;
    GStatBuf st;

    if (f == NULL)
        g_error("%s", error->message);
    info->id = g_strdup("0190f0a0-0000-7000-8000-000000000000");
    info->start_unix_ns = INT64_C(1800000000) * NS_PER_S;
    r = recorder_new(f, info, 1, 10 * NS_PER_S, true, begin);
    recorder_begin_result(r, make_result(info));
    worker_cpu = chrono_thread_cpu();
    all_cpu = process_cpu();
    for (uint64_t id = 1; id <= count; id++) {
        sample *s = make_sample(id, messages);

        while (!recorder_push(r, 0, s))
            g_usleep(1000);
        if (id % 32 == 0)
            wait_until(begin + (int64_t)((double)id / rate * 1e9));
        if (id == count / 4)
            early_mb = rss_mb();
    }
    recorder_end_result(r);
    worker_cpu = chrono_thread_cpu() - worker_cpu;
    all_cpu = process_cpu() - all_cpu;
    if (!recorder_close(r, &error))
        g_error("%s", error->message);
    g_stat(path, &st);
    printf(
        "recorder: %" G_GUINT64_FORMAT " samples of %d messages: %.2f us CPU each in the "
        "recorder (goal: 4), %.0f/s, %.0f bytes each, RSS %.0f MB at a quarter, %.0f MB "
        "at the end\n",
        count, messages, (double)(all_cpu - worker_cpu) / 1e3 / (double)count,
        (double)count * 1e9 / (double)(chrono_now() - begin),
        (double)st.st_size / (double)count, early_mb, rss_mb());
    if (argc <= 4)
        g_unlink(path);
    g_rmdir(folder);
    return 0;
}
