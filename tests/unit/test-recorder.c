#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chrono.h"
#include "recorder.h"
#include "slo.h"

struct place {
    char *folder, *path;
};

static int
make_place(void **state)
{
    struct place *p = g_new0(struct place, 1);

    p->folder = g_dir_make_tmp("test-recorder-XXXXXX", NULL);
    p->path = g_build_filename(p->folder, "run.lens", NULL);
    *state = p;
    return 0;
}

static int
remove_place(void **state)
{
    static const char *const suffixes[] = { "", "-wal", "-shm" };
    struct place *p = *state;

    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *path = g_strconcat(p->path, suffixes[i], NULL);

        g_unlink(path);
    }
    assert_int_equal(g_rmdir(p->folder), 0);
    g_free(p->folder);
    g_free(p->path);
    g_free(p);
    return 0;
}

/* An answer of `tokens` messages; no two samples are alike. */
static sample *
make_sample(uint64_t id, unsigned tokens)
{
    sample *s = sample_new(1);
    attempt *a = &s->attempts[0];
    int64_t at = (int64_t)id * NS_PER_MS;

    s->id = id;
    s->index = id - 1;
    s->outcome = id % 10 == 0 ? LENS_OUTCOME_FAILED : LENS_OUTCOME_OK;
    s->phase = id <= 3 ? LENS_PART_WARMUP : LENS_PART_MEASURED;
    s->due_ns = at;
    s->start_unix_ns = INT64_C(1800000000000000000); /* all at the same moment */
    a->start_ns = at + 1000;
    a->departure_first_ns = a->departure_ns = at + 21000;
    a->departure_clock = a->first_clock = LENS_CLOCK_KERNEL;
    a->streamed = true;
    a->http_status = 200;
    at += 5 * NS_PER_MS + (int64_t)(id * 7919 % 100000);
    for (unsigned i = 0; i < tokens; i++, at += 123456 + (int64_t)(id * i % 1000)) {
        timeline_add(&a->messages_log, at, LENS_MSG_TEXT, LENS_CLOCK_KERNEL, 1, false);
        if (i == 0)
            a->first_byte_ns = a->first_message_ns = a->first_output_ns =
                a->first_text_ns = at;
        if (i == 1)
            a->second_output_ns = at;
        a->last_output_ns = at;
    }
    a->messages = a->output_messages = a->kernel_stamps = tokens;
    a->terminal_ns = a->end_ns = at;
    a->usage[LENS_USAGE_INPUT] = 100;
    a->usage[LENS_USAGE_OUTPUT] = tokens;
    if (s->outcome == LENS_OUTCOME_FAILED) {
        a->error_kind = LENS_KIND_SERVER;
        a->error_where = WHERE_STREAM;
        a->error_detail = g_strdup("out of order");
    }
    return s;
}

static client_report *
make_report(int64_t stall_ns)
{
    client_report *c = client_report_new();

    c->measured = true;
    c->stall_ns = stall_ns;
    c->cpu_ns = 40;
    c->wall_ns = 100;
    histogram_record(c->lag_kernel, 54321);
    return c;
}

static result *
make_result(const run_info *info, uint32_t stage)
{
    result *r = result_new(info->slos);

    r->stage = stage;
    r->target_name = g_strdup("a");
    r->stage_name = g_strdup_printf("stage %u", stage);
    r->start_ns = 0;
    r->tally->window_start_ns = 4 * NS_PER_MS;
    return r;
}

static run_info *
make_run(void)
{
    run_info *info = run_info_new();

    info->id = g_strdup("r");
    info->start_unix_ns = INT64_C(1800000000000000000);
    g_ptr_array_add(info->slos, slo_parse("ttft<5.05ms", NULL));
    return info;
}

static recorder *
start(const char *path, run_info *info, unsigned workers, bool deltas)
{
    g_autoptr(GError) error = NULL;
    runfile *f = runfile_create(path, false, &error);

    if (f == NULL)
        fail_msg("%s", error->message);
    return recorder_new(f, info, workers, NS_PER_MS, deltas, chrono_now());
}

static void
push(recorder *r, unsigned worker, sample *s)
{
    while (!recorder_push(r, worker, s))
        sched_yield();
}

static void
assert_same_histogram(const char *what, const histogram *a, const histogram *b)
{
    static const double q[] = { 0.5, 0.9, 0.99, 1 };
    const bool empty_a = a == NULL || histogram_count(a) == 0;
    const bool empty_b = b == NULL || histogram_count(b) == 0;

    if (empty_a != empty_b)
        fail_msg("%s: one is empty", what);
    if (empty_a)
        return;
    if (histogram_count(a) != histogram_count(b) ||
        histogram_min(a) != histogram_min(b) || histogram_max(a) != histogram_max(b) ||
        histogram_mean(a) != histogram_mean(b) ||
        histogram_stddev(a) != histogram_stddev(b))
        fail_msg("%s: moments differ", what);
    for (size_t i = 0; i < G_N_ELEMENTS(q); i++)
        if (histogram_quantile(a, q[i]) != histogram_quantile(b, q[i]))
            fail_msg("%s: quantile %g differs", what, q[i]);
}

static void
assert_same_tally(const tally *a, const tally *b)
{
    for (unsigned m = 0; m < METRIC_COUNT; m++)
        assert_same_histogram(metric_get(m)->id, a->hist[m], b->hist[m]);
    assert_same_histogram("lag_kernel", a->lag_kernel, b->lag_kernel);
    assert_int_equal(a->total, b->total);
    assert_int_equal(a->ok, b->ok);
    assert_int_equal(a->failed, b->failed);
    assert_int_equal(a->warmup, b->warmup);
    assert_int_equal(a->judged, b->judged);
    assert_int_equal(a->good, b->good);
    assert_true(a->window_requests == b->window_requests);
    assert_true(a->window_output_tokens == b->window_output_tokens);
    assert_int_equal(a->stamps_kernel, b->stamps_kernel);
    assert_int_equal(a->messages_output, b->messages_output);
    assert_int_equal(a->messages_shared, b->messages_shared);
    assert_int_equal(a->errors[LENS_KIND_SERVER].count,
                     b->errors[LENS_KIND_SERVER].count);
    assert_int_equal(a->stall_ns, b->stall_ns);
    assert_int_equal(a->cpu_ns_max_share_ppm, b->cpu_ns_max_share_ppm);
    assert_int_equal(a->deltas_missing, b->deltas_missing);
    assert_int_equal(a->lost, b->lost);
}

static run_info *
load(const char *path)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(runfile) f = runfile_open(path, false, &error);
    run_info *info = f != NULL ? runfile_load(f, &error) : NULL;

    if (info == NULL)
        fail_msg("%s", error->message);
    return info;
}

static void
record_two_results(const struct place *p, bool deltas)
{
    g_autoptr(run_info) live = make_run();
    g_autoptr(run_info) loaded = NULL;
    g_autoptr(GError) error = NULL;
    recorder *r = start(p->path, live, 1, deltas);

    for (uint32_t stage = 0; stage < 2; stage++) {
        recorder_begin_result(r, make_result(live, stage));
        for (uint64_t id = 1; id <= 50; id++) {
            sample *s = make_sample(id + stage * 50, 20);

            s->stage = stage;
            push(r, 0, s);
        }
        assert_true(recorder_push_client(r, 0, make_report(777 + stage)));
        recorder_end_result(r);
        assert_int_equal(recorder_committed(r), 50 * (stage + 1));
    }
    assert_int_equal(recorder_lost(r, NULL), 0);
    assert_true(recorder_close(r, &error));
    run_info_judge(live);

    loaded = load(p->path);
    assert_false(loaded->interrupted);
    assert_int_equal(loaded->results->len, 2);
    for (uint32_t stage = 0; stage < 2; stage++) {
        const result *a = live->results->pdata[stage], *b = loaded->results->pdata[stage];

        assert_same_tally(a->tally, b->tally);
        assert_int_equal(a->end_ns, b->end_ns);
        assert_int_equal(a->verdict->state, b->verdict->state);
        assert_true(histogram_count(b->tally->hist[METRIC_ITL]) > 500);
    }
    assert_int_equal(((result *)live->results->pdata[0])->tally->warmup, 3);
}

static void
the_file_tells_the_numbers_of_the_run(void **state)
{
    record_two_results(*state, true);
}

static void
dropped_timelines_leave_their_statistics(void **state)
{
    const struct place *p = *state;
    sqlite3 *db;
    sqlite3_stmt *query;

    record_two_results(p, false);
    sqlite3_open(p->path, &db);
    sqlite3_prepare_v2(db, "SELECT count(timeline), count(*) FROM sample", -1, &query,
                       NULL);
    assert_int_equal(sqlite3_step(query), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(query, 0), 0);
    assert_int_equal(sqlite3_column_int(query, 1), 100);
    sqlite3_finalize(query);
    sqlite3_close(db);
}

#define PER_WORKER 3000

struct work {
    recorder *r;
    unsigned worker;
};

static void *
work(void *data)
{
    const struct work *w = data;

    for (uint64_t i = 1; i <= PER_WORKER; i++)
        push(w->r, w->worker, make_sample(w->worker * PER_WORKER + i, 3));
    return NULL;
}

struct sums {
    uint64_t samples, intervals;
    int64_t last_end_ns, last_unix_ns;
};

static bool
add_interval(uint32_t target, uint32_t stage, uint64_t nth, int64_t begin_ns,
             int64_t end_ns, int64_t unix_ns, const tally *t, void *data)
{
    struct sums *sums = data;

    (void)target;
    (void)stage;
    assert_int_equal(nth, ++sums->intervals);
    assert_true(begin_ns >= sums->last_end_ns);
    assert_true(end_ns >= begin_ns);
    assert_true(unix_ns > sums->last_unix_ns);
    sums->last_end_ns = end_ns;
    sums->last_unix_ns = unix_ns;
    sums->samples += t->total + t->warmup;
    return true;
}

static void
counts_every_sample_of_every_worker_once(void **state)
{
    const struct place *p = *state;
    g_autoptr(run_info) live = make_run();
    recorder *r = start(p->path, live, 2, true);
    struct work works[2] = { { r, 0 }, { r, 1 } };
    pthread_t threads[2];
    struct sums sums = { 0 };
    struct live numbers;
    runfile *f;

    recorder_begin_result(r, make_result(live, 0));
    for (int i = 0; i < 2; i++)
        pthread_create(&threads[i], NULL, work, &works[i]);
    recorder_live(r, &numbers); /* while they work */
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    recorder_end_result(r);
    recorder_live(r, &numbers);
    assert_int_equal(numbers.done, 2 * PER_WORKER);
    assert_int_equal(numbers.failed, 2 * PER_WORKER / 10);
    assert_int_equal(numbers.errors[LENS_KIND_SERVER], 2 * PER_WORKER / 10);
    assert_true(numbers.requests_per_s > 0);
    assert_int_equal(recorder_committed(r), 2 * PER_WORKER);
    assert_true(recorder_close(r, NULL));

    f = runfile_open(p->path, false, NULL);
    assert_true(runfile_each_interval(f, 0, add_interval, &sums, NULL));
    assert_int_equal(sums.samples, 2 * PER_WORKER);
    runfile_close(f);
}

static void
moments_are_unique_though_all_started_at_once(void **state)
{
    const struct place *p = *state;
    g_autoptr(run_info) live = make_run();
    recorder *r = start(p->path, live, 1, true);
    sqlite3 *db;
    sqlite3_stmt *query;

    recorder_begin_result(r, make_result(live, 0));
    for (uint64_t id = 1; id <= 5000; id++)
        push(r, 0, make_sample(id, 1));
    recorder_end_result(r);
    assert_true(recorder_close(r, NULL));
    sqlite3_open(p->path, &db);
    sqlite3_prepare_v2(db,
                       "SELECT count(DISTINCT unix_ns), "
                       "max(abs(unix_ns - 1800000000000000000)) FROM sample",
                       -1, &query, NULL);
    assert_int_equal(sqlite3_step(query), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(query, 0), 5000);
    assert_true(sqlite3_column_int64(query, 1) < 66000);
    sqlite3_finalize(query);
    sqlite3_close(db);
}

static void
cursors_are_written_with_the_run(void **state)
{
    const struct place *p = *state;
    g_autoptr(run_info) live = make_run();
    recorder *r = start(p->path, live, 1, true);
    uint64_t samples = 0, intervals = 0, refused = 0;
    runfile *f;

    recorder_begin_result(r, make_result(live, 0));
    push(r, 0, make_sample(1, 1));
    recorder_put_delivery(r, "csv", 1, 1, 0, NULL);
    recorder_end_result(r);
    recorder_end_run(r);
    recorder_put_delivery(r, "csv", 41, 2, 1, "the last word");
    assert_true(recorder_close(r, NULL));
    f = runfile_open(p->path, false, NULL);
    assert_true(runfile_get_delivery(f, "csv", &samples, &intervals, &refused, NULL));
    assert_int_equal(samples, 41);
    assert_int_equal(intervals, 2);
    assert_int_equal(refused, 1);
    runfile_close(f);
}

static void
limit_files(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = MIN(bytes, limit.rlim_max);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
a_full_disk_costs_samples_but_not_the_summary(void **state)
{
    const struct place *p = *state;
    g_autoptr(run_info) live = make_run();
    g_autoptr(run_info) loaded = NULL;
    g_autoptr(GError) error = NULL;
    recorder *r = start(p->path, live, 1, true);
    const char *reason = NULL;
    const result *first, *second;

    signal(SIGXFSZ, SIG_IGN);
    recorder_begin_result(r, make_result(live, 0));
    limit_files(1);
    for (uint64_t id = 1; id <= 5000; id++)
        push(r, 0, make_sample(id, 5));
    recorder_end_result(r);
    limit_files(RLIM_INFINITY);
    assert_int_equal(recorder_committed(r), 0);
    assert_int_equal(recorder_lost(r, &reason), 5000);
    assert_non_null(reason);

    recorder_begin_result(r, make_result(live, 1)); /* there is room again */
    for (uint64_t id = 5001; id <= 5100; id++) {
        sample *s = make_sample(id, 5);

        s->stage = 1;
        push(r, 0, s);
    }
    recorder_end_result(r);
    assert_int_equal(recorder_committed(r), 100);
    assert_int_equal(recorder_lost(r, NULL), 5000);
    assert_false(recorder_close(r, &error));
    assert_non_null(strstr(error->message, "5000 samples are missing"));

    run_info_judge(live);
    first = live->results->pdata[0];
    assert_int_equal(first->tally->total + first->tally->warmup, 5000);
    assert_int_equal(first->tally->lost, 5000);
    assert_int_equal(first->verdict->state, VERDICT_INVALID);
    loaded = load(p->path);
    second = loaded->results->pdata[loaded->results->len - 1];
    assert_string_equal(second->stage_name, "stage 1");
    assert_int_equal(second->tally->total, 100);
}

/* The child records until it is killed; says on `out` when a part is on disk. */
static void
record_until_killed(const char *path, int out)
{
    run_info *info = make_run();
    recorder *r = start(path, info, 1, true);

    recorder_begin_result(r, make_result(info, 0));
    recorder_push_client(r, 0, make_report(4711));
    for (uint64_t id = 1; id <= 100; id++)
        push(r, 0, make_sample(id, 3));
    while (recorder_committed(r) < 100)
        g_usleep(1000);
    if (write(out, "x", 1) != 1)
        _exit(1);
    for (uint64_t id = 101;; id++) {
        push(r, 0, make_sample(id, 3));
        g_usleep(1000);
    }
}

static void
kill_9_loses_only_what_was_not_committed(void **state)
{
    const struct place *p = *state;
    g_autoptr(run_info) info = NULL;
    const result *r;
    int ends[2], status;
    char byte;
    pid_t child;

    assert_int_equal(pipe(ends), 0);
    child = fork();
    if (child == 0)
        record_until_killed(p->path, ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    info = load(p->path); /* while it is being written */
    assert_int_equal(info->results->len, 1);
    g_clear_pointer(&info, run_info_free);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    close(ends[0]);
    close(ends[1]);

    info = load(p->path);
    assert_true(info->interrupted);
    r = info->results->pdata[0];
    assert_true(r->tally->total + r->tally->warmup >= 100);
    assert_int_equal(r->tally->stall_ns, 4711);
    assert_int_equal(histogram_max(r->tally->lag_kernel), 54321);
    assert_int_equal(r->judge.ended, ENDED_INTERRUPTED);
    assert_int_not_equal(info->verdict->state, VERDICT_VALID);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, make_place, remove_place)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(kill_9_loses_only_what_was_not_committed), /* forks: before any thread */
        TEST(the_file_tells_the_numbers_of_the_run),
        TEST(dropped_timelines_leave_their_statistics),
        TEST(counts_every_sample_of_every_worker_once),
        TEST(moments_are_unique_though_all_started_at_once),
        TEST(cursors_are_written_with_the_run),
        TEST(a_full_disk_costs_samples_but_not_the_summary),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
