#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <math.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"
#include "runfile.h"
#include "slo.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(sample, sample_free)

struct place {
    char *folder, *path;
};

static int
make_place(void **state)
{
    struct place *p = g_new0(struct place, 1);

    p->folder = g_dir_make_tmp("test-runfile-XXXXXX", NULL);
    p->path = g_build_filename(p->folder, "run.lens", NULL);
    *state = p;
    return 0;
}

static int
remove_place(void **state)
{
    struct place *p = *state;
    GDir *folder = g_dir_open(p->folder, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(folder)) != NULL) {
        g_autofree char *path = g_build_filename(p->folder, name, NULL);

        g_unlink(path);
    }
    g_dir_close(folder);
    assert_int_equal(g_rmdir(p->folder), 0);
    g_free(p->folder);
    g_free(p->path);
    g_free(p);
    return 0;
}

static runfile *
create(const char *path)
{
    g_autoptr(GError) error = NULL;
    runfile *f = runfile_create(path, false, &error);

    if (error != NULL)
        fail_msg("%s", error->message);
    return f;
}

static runfile *
reopen(const char *path)
{
    g_autoptr(GError) error = NULL;
    runfile *f = runfile_open(path, false, &error);

    if (error != NULL)
        fail_msg("%s", error->message);
    return f;
}

static bool
exists(const struct place *p, const char *suffix)
{
    g_autofree char *path = g_strconcat(p->path, suffix, NULL);

    return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* A sample in which no two numbers are alike. */
static sample *
full_sample(uint64_t id)
{
    sample *s = sample_new(3);

    s->id = id;
    s->index = id + 100;
    s->session = 5;
    s->turn = 6;
    s->item = UINT64_MAX;
    s->prompt_id = UINT64_C(0xfedcba9876543210);
    s->target = 1;
    s->stage = 2;
    s->worker = 3;
    s->outcome = LENS_OUTCOME_OK;
    s->phase = LENS_PART_MEASURED;
    s->due_ns = 1000000 * (int64_t)id;
    s->start_unix_ns = INT64_C(1800000000000000000) + (int64_t)id;
    s->asked_output_tokens = 77;
    s->bucket_wait_ns = 4242;
    s->text = g_strdup("the answer");
    s->trace_id[15] = 9; /* ids may begin with zeroes */
    s->span_id[7] = 5;
    for (uint32_t nth = 0; nth < 3; nth++) {
        attempt *a = &s->attempts[nth];
        const int64_t at = s->due_ns + 100000 * nth;

        a->start_ns = at + 1;
        a->departure_ns = at + 2;
        a->http_status = nth == 2 ? 200 : 429;
        a->error_kind = nth == 2 ? 0 : LENS_KIND_RATE_LIMIT;
        a->error_detail = nth == 2 ? NULL : g_strdup_printf("slow down %u", nth);
        a->retry_after_ns = nth == 2 ? -1 : 7000 + (int)nth;
        a->usage[LENS_USAGE_INPUT] = 10 + nth;
        a->usage[LENS_USAGE_OUTPUT] = nth == 2 ? 2 : -1;
        a->cost_reported_usd = nth == 2 ? 0.125 : NAN;
    }
    timeline_add(&s->attempts[2].messages_log, s->due_ns + 5000, LENS_MSG_TEXT,
                 LENS_CLOCK_KERNEL, 1, false);
    s->attempts[2].messages = 1;
    return s;
}

struct reading {
    unsigned count;
    const sample *expected;
};

static void
assert_same_attempt(const attempt *got, const attempt *want)
{
    assert_int_equal(got->start_ns, want->start_ns);
    assert_int_equal(got->dns_ns, want->dns_ns);
    assert_int_equal(got->departure_ns, want->departure_ns);
    assert_int_equal(got->first_output_ns, want->first_output_ns);
    assert_int_equal(got->http_status, want->http_status);
    assert_int_equal(got->error_kind, want->error_kind);
    assert_int_equal(got->retry_after_ns, want->retry_after_ns);
    assert_int_equal(g_strcmp0(got->error_detail, want->error_detail), 0);
    assert_memory_equal(got->usage + 1, want->usage + 1, 8 * sizeof *want->usage);
    assert_int_equal(isnan(got->cost_reported_usd), isnan(want->cost_reported_usd));
    if (!isnan(want->cost_reported_usd))
        assert_true(got->cost_reported_usd == want->cost_reported_usd);
    assert_int_equal(got->messages_log.size, want->messages_log.size);
    if (want->messages_log.size > 0)
        assert_memory_equal(got->messages_log.data, want->messages_log.data,
                            want->messages_log.size);
}

static bool
compare(const sample *s, uint64_t rank, void *data)
{
    struct reading *r = data;
    const sample *want = r->expected;

    assert_int_equal(rank, ++r->count);
    assert_int_equal(s->id, want->id);
    assert_int_equal(s->index, want->index);
    assert_int_equal(s->session, want->session);
    assert_true(s->item == want->item);
    assert_true(s->prompt_id == want->prompt_id);
    assert_int_equal(s->target, want->target);
    assert_int_equal(s->stage, want->stage);
    assert_int_equal(s->worker, want->worker);
    assert_int_equal(s->outcome, want->outcome);
    assert_int_equal(s->due_ns, want->due_ns);
    assert_int_equal(s->start_unix_ns, want->start_unix_ns);
    assert_int_equal(s->asked_output_tokens, want->asked_output_tokens);
    assert_int_equal(s->bucket_wait_ns, want->bucket_wait_ns);
    assert_string_equal(s->text, want->text);
    assert_null(s->prompt);
    assert_memory_equal(s->trace_id, want->trace_id, sizeof want->trace_id);
    assert_memory_equal(s->span_id, want->span_id, sizeof want->span_id);
    assert_int_equal(s->attempt_count, want->attempt_count);
    for (uint32_t i = 0; i < s->attempt_count; i++)
        assert_same_attempt(&s->attempts[i], &want->attempts[i]);
    return true;
}

static void
a_sample_comes_back_as_it_was_put(void **state)
{
    const struct place *p = *state;
    sample *s = full_sample(1);
    struct reading reading = { .expected = s };
    runfile *f = create(p->path);

    assert_true(runfile_begin(f, NULL));
    assert_true(runfile_put_sample(f, s, true, NULL, NULL));
    assert_true(runfile_commit(f, NULL));
    runfile_close(f);
    f = reopen(p->path);
    assert_int_equal(runfile_sample_count(f), 1);
    assert_true(runfile_each_sample(f, 0, UINT64_MAX, compare, &reading, NULL));
    assert_int_equal(reading.count, 1);
    runfile_close(f);
    sample_free(s);
}

static bool
note_rank(const sample *s, uint64_t rank, void *data)
{
    (void)s;
    g_array_append_val((GArray *)data, rank);
    return ((GArray *)data)->len < 5;
}

static void
a_cursor_reads_on_where_it_stopped(void **state)
{
    const struct place *p = *state;
    runfile *f = create(p->path);
    g_autoptr(GArray) ranks = g_array_new(false, false, sizeof(uint64_t));
    uint64_t rank;

    assert_true(runfile_begin(f, NULL));
    for (uint64_t id = 1; id <= 10; id++) {
        sample *s = sample_new(1);

        s->id = 1000 - id;
        assert_true(runfile_put_sample(f, s, true, &rank, NULL));
        assert_int_equal(rank, id);
        sample_free(s);
    }
    assert_true(runfile_commit(f, NULL));
    assert_true(runfile_each_sample(f, 3, 2, note_rank, ranks, NULL));
    assert_int_equal(ranks->len, 2);
    assert_int_equal(g_array_index(ranks, uint64_t, 0), 4);
    assert_true(runfile_each_sample(f, 5, UINT64_MAX, note_rank, ranks, NULL));
    assert_int_equal(ranks->len, 5); /* fn stopped it */
    assert_int_equal(g_array_index(ranks, uint64_t, 4), 8);
    runfile_close(f);
}

static void
fill_run(run_info *info)
{
    info->id = g_strdup("the-id");
    info->version = g_strdup("9.8.7");
    info->plan_json = g_strdup("{\"seed\":\"7\"}");
    info->seed = UINT64_C(18446744073709551557);
    info->start_unix_ns = 1234567890;
    info->host_cores = 2;
    info->is_mock = true;
    g_ptr_array_add(info->slos, slo_parse("ttft.p99<500ms", NULL));
}

static result *
some_result(const run_info *info)
{
    result *r = result_new(info->slos);

    r->target = 1;
    r->stage = 2;
    r->target_name = g_strdup("a");
    r->stage_name = g_strdup("low");
    r->workload = g_strdup("closed");
    r->workload_options = g_strdup("{\"concurrency\":4}");
    r->start_ns = 5;
    r->end_ns = 50000000;
    r->requests = 3;
    r->judge.asked = 4;
    r->tally->window_start_ns = 0;
    r->tally->stall_ns = 12345678;
    r->tally->resources = 1;
    histogram_record(r->tally->lag_kernel, 1234567);
    r->tally->hist[METRIC_LAG] = histogram_new();
    histogram_record(r->tally->hist[METRIC_LAG], 1234567);
    return r;
}

static run_info *
write_run(const char *path, bool end)
{
    run_info *info = run_info_new();
    runfile *f = create(path);
    result *r;

    fill_run(info);
    r = some_result(info);
    g_ptr_array_add(info->results, r);
    assert_true(runfile_begin(f, NULL));
    assert_true(runfile_put_run(f, info, true, NULL));
    for (uint64_t id = 1; id <= 3; id++) {
        sample *s = full_sample(id);

        tally_add_sample(r->tally, s, info->slos);
        assert_true(runfile_put_sample(f, s, true, NULL, NULL));
        sample_free(s);
    }
    assert_true(runfile_put_result(f, r, 0, true, HISTOGRAMS_NEEDED, NULL));
    assert_true(runfile_put_pulse(f, 44000000, NULL));
    info->duration_ns = 60000000;
    if (end)
        assert_true(runfile_put_end(f, info, NULL));
    assert_true(runfile_commit(f, NULL));
    runfile_close(f);
    return info;
}

static void
a_loaded_run_is_the_run_that_was_written(void **state)
{
    const struct place *p = *state;
    g_autoptr(run_info) wrote = write_run(p->path, true);
    g_autoptr(runfile) f = reopen(p->path);
    g_autoptr(run_info) read = runfile_load(f, NULL);
    const result *got, *want = wrote->results->pdata[0];

    assert_non_null(read);
    assert_true(runfile_has_end(f));
    assert_string_equal(read->id, "the-id");
    assert_true(read->seed == wrote->seed);
    assert_int_equal(read->duration_ns, 60000000);
    assert_false(read->interrupted);
    assert_true(read->is_mock);
    assert_int_equal(read->slos->len, 1);
    assert_string_equal(read->run_file, p->path);
    assert_int_equal(read->results->len, 1);
    got = read->results->pdata[0];
    assert_string_equal(got->workload_options, want->workload_options);
    assert_null(got->model);
    assert_int_equal(got->requests, 3);
    assert_int_equal(got->duration_ns, -1);
    assert_true(got->judge.asked == 4);
    assert_int_equal(got->tally->total, 3);
    assert_int_equal(got->tally->retries, 6);
    assert_int_equal(got->tally->tokens[LENS_USAGE_INPUT], 99);
    assert_int_equal(got->tally->stall_ns, 12345678);
    assert_int_equal(got->tally->resources, 1);
    assert_int_equal(histogram_max(got->tally->lag_kernel), 1234567);
    assert_int_equal(histogram_max(got->tally->hist[METRIC_LAG]), 1234567);
    assert_non_null(got->verdict);
}

static void
a_run_without_an_end_counts_as_interrupted(void **state)
{
    const struct place *p = *state;
    g_autoptr(runfile) f = NULL;
    g_autoptr(run_info) read = NULL;

    run_info_free(write_run(p->path, false));
    f = reopen(p->path);
    read = runfile_load(f, NULL);
    assert_non_null(read);
    assert_false(runfile_has_end(f));
    assert_true(read->interrupted);
    assert_int_equal(read->duration_ns, 44000000);
    assert_int_equal(((result *)read->results->pdata[0])->tally->total, 3);
}

static void
an_existing_file_stays_unless_forced(void **state)
{
    const struct place *p = *state;
    g_autoptr(GError) error = NULL;
    g_autoptr(runfile) f = NULL;
    g_autofree char *log = g_strconcat(p->path, "-wal", NULL);

    run_info_free(write_run(p->path, true));
    assert_null(runfile_create(p->path, false, &error));
    assert_true(g_error_matches(error, LENS_ERROR, LENS_ERROR_FILE));
    assert_non_null(strstr(error->message, "--force"));
    assert_non_null(strstr(error->message, p->path));
    f = reopen(p->path);
    assert_int_equal(runfile_sample_count(f), 3);
    g_clear_pointer(&f, runfile_close);

    assert_true(g_file_set_contents(log, "left behind", -1, NULL));
    f = runfile_create(p->path, true, NULL);
    assert_non_null(f);
    assert_int_equal(runfile_sample_count(f), 0);
    assert_true(runfile_writable(f));
}

static void
a_closed_file_stands_alone(void **state)
{
    const struct place *p = *state;

    run_info_free(write_run(p->path, true));
    assert_false(exists(p, "-wal"));
    assert_false(exists(p, "-shm"));
    runfile_close(reopen(p->path));
    assert_false(exists(p, "-wal"));
    assert_false(exists(p, "-shm"));
}

static void
creating_says_why_it_cannot(void **state)
{
    const struct place *p = *state;
    static const struct {
        const char *path, *why;
    } cases[] = {
        { "/nowhere/at/all.lens", "No such file or directory" },
        { "/proc/run.lens", "/proc/run.lens" },
        { "/", "exists already" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        assert_null(runfile_create(cases[i].path, false, &error));
        assert_non_null(error);
        if (strstr(error->message, cases[i].why) == NULL)
            fail_msg("%s", error->message);
    }
    assert_null(runfile_create(p->folder, true, NULL));
    assert_true(g_file_test(p->folder, G_FILE_TEST_IS_DIR));
}

static void
change(const char *path, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void
assert_refused(const char *path, const char *why)
{
    g_autoptr(GError) error = NULL;

    assert_null(runfile_open(path, false, &error));
    assert_true(g_error_matches(error, LENS_ERROR, LENS_ERROR_FILE));
    if (strstr(error->message, why) == NULL || strstr(error->message, path) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error->message, why);
}

static void
opening_says_what_is_wrong_with_the_file(void **state)
{
    const struct place *p = *state;
    g_autofree char *text = g_build_filename(p->folder, "text.lens", NULL);
    g_autofree char *other = g_build_filename(p->folder, "other.lens", NULL);
    g_autofree char *empty = g_build_filename(p->folder, "empty.lens", NULL);
    g_autofree char *missing = g_build_filename(p->folder, "missing.lens", NULL);
    g_autofree char *content = g_strnfill(5000, 'x');

    g_file_set_contents(text, content, -1, NULL);
    g_file_set_contents(empty, "", 0, NULL);
    change(other, "CREATE TABLE t (a); PRAGMA application_id = 77");
    run_info_free(write_run(p->path, true));
    change(p->path, "PRAGMA user_version = 99");

    assert_refused(missing, "No such file");
    assert_refused(p->folder, "directory");
    assert_refused(text, "not a lens run file");
    assert_refused(empty, "not a lens run file");
    assert_refused(other, "not a lens run file");
    assert_refused(p->path, "version 99, this lens reads versions 1 to 1");
}

static void
a_damaged_row_is_an_error(void **state)
{
    const struct place *p = *state;
    g_autoptr(runfile) f = NULL;
    g_autoptr(GError) error = NULL;

    run_info_free(write_run(p->path, true));
    change(p->path, "UPDATE sample SET attempts = 4000000000 WHERE rank = 2");
    f = reopen(p->path);
    assert_null(runfile_load(f, &error));
    assert_non_null(strstr(error->message, "damaged: sample 2"));
}

static void
a_rollback_leaves_the_rest_in_order(void **state)
{
    const struct place *p = *state;
    g_autoptr(runfile) f = create(p->path);
    g_autoptr(sample) s = sample_new(1);
    uint64_t rank = 0;

    assert_true(runfile_begin(f, NULL));
    assert_true(runfile_put_sample(f, s, true, &rank, NULL));
    assert_true(runfile_commit(f, NULL));
    assert_true(runfile_begin(f, NULL));
    assert_true(runfile_put_sample(f, s, true, &rank, NULL));
    assert_int_equal(rank, 2);
    runfile_rollback(f);
    assert_true(runfile_begin(f, NULL));
    assert_true(runfile_put_sample(f, s, true, &rank, NULL));
    assert_int_equal(rank, 2);
    assert_true(runfile_commit(f, NULL));
    assert_int_equal(runfile_sample_count(f), 2);
}

/* A writer that dies with its transaction open. */
static void
write_and_die(const char *path)
{
    const pid_t writer = fork();
    int status;

    if (writer == 0) {
        runfile *f = runfile_create(path, false, NULL);
        run_info *info = run_info_new();
        sample *s = full_sample(1);

        fill_run(info);
        runfile_begin(f, NULL);
        runfile_put_run(f, info, true, NULL);
        runfile_put_sample(f, s, true, NULL, NULL);
        runfile_put_pulse(f, 5, NULL);
        runfile_commit(f, NULL);
        runfile_begin(f, NULL);
        runfile_put_sample(f, s, true, NULL, NULL);
        _exit(0);
    }
    assert_int_equal(waitpid(writer, &status, 0), writer);
    assert_int_equal(status, 0);
}

static void
a_killed_writer_leaves_what_it_committed(void **state)
{
    const struct place *p = *state;
    g_autoptr(runfile) f = NULL;
    g_autoptr(run_info) info = NULL;

    write_and_die(p->path);
    assert_true(exists(p, "-wal"));
    f = reopen(p->path);
    assert_int_equal(runfile_sample_count(f), 1);
    info = runfile_load(f, NULL);
    assert_non_null(info);
    assert_true(info->interrupted);
}

/* Rights do not stop root, so the folder is opened by a child without root's. */
static int
open_as_nobody(const char *path)
{
    const pid_t reader = fork();
    int status;

    if (reader == 0) {
        runfile *f;

        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0))
            _exit(70);
        f = runfile_open(path, true, NULL);
        if (f == NULL)
            _exit(71);
        if (runfile_writable(f))
            _exit(72);
        status = (int)runfile_sample_count(f);
        runfile_close(f);
        _exit(status);
    }
    assert_int_equal(waitpid(reader, &status, 0), reader);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void
a_read_only_folder_is_no_obstacle(void **state)
{
    const struct place *p = *state;
    g_autofree char *index = g_strconcat(p->path, "-shm", NULL);
    g_autofree char *killed = g_build_filename(p->folder, "killed.lens", NULL);

    run_info_free(write_run(p->path, true));
    write_and_die(killed);
    g_free(index);
    index = g_strconcat(killed, "-shm", NULL);
    assert_int_equal(g_chmod(p->path, 0444), 0);
    assert_int_equal(g_chmod(p->folder, 0555), 0);
    assert_int_equal(open_as_nobody(p->path), 3);
    assert_int_equal(open_as_nobody(killed), 1);
    assert_int_equal(g_chmod(p->folder, 0755), 0);
    g_unlink(index); /* then the log's index must be made somewhere else */
    assert_int_equal(g_chmod(p->folder, 0555), 0);
    assert_int_equal(open_as_nobody(killed), 1);
    assert_int_equal(g_chmod(p->folder, 0755), 0);
}

static void
a_full_disk_is_said_and_survived(void **state)
{
    const struct place *p = *state;
    g_autoptr(runfile) f = create(p->path);
    g_autoptr(sample) s = full_sample(1);
    g_autoptr(GError) error = NULL;

    runfile_limit_pages(f, 1);
    assert_true(runfile_begin(f, NULL));
    while (error == NULL)
        runfile_put_sample(f, s, true, NULL, &error);
    assert_non_null(strstr(error->message, g_strerror(ENOSPC)));
    runfile_rollback(f);
    assert_int_equal(runfile_sample_count(f), 0);
    runfile_limit_pages(f, 0);
    assert_true(runfile_begin(f, NULL));
    assert_true(runfile_put_sample(f, s, true, NULL, NULL));
    assert_true(runfile_commit(f, NULL));
    assert_int_equal(runfile_sample_count(f), 1);
}

static bool
check_interval(uint32_t target, uint32_t stage, uint64_t nth, int64_t begin_ns,
               int64_t end_ns, int64_t unix_ns, const tally *t, void *data)
{
    unsigned *count = data;

    (*count)++;
    assert_int_equal(target, 1);
    assert_int_equal(stage, 2);
    assert_int_equal(nth, 7);
    assert_int_equal(begin_ns, 100);
    assert_int_equal(end_ns, 900);
    assert_int_equal(unix_ns, 12345);
    assert_int_equal(t->window_start_ns, 300); /* the window's, not the interval's */
    assert_int_equal(t->window_end_ns, 900);
    assert_int_equal(t->total, 11);
    assert_int_equal(t->errors[LENS_KIND_SERVER].count, 2);
    assert_string_equal(t->errors[LENS_KIND_SERVER].example, "boom");
    assert_int_equal(t->tokens[LENS_USAGE_OUTPUT], 640);
    assert_true(t->tokens_known[LENS_USAGE_OUTPUT]);
    assert_false(t->tokens_known[LENS_USAGE_INPUT]);
    assert_int_equal(histogram_count(t->hist[METRIC_TTFT]), 2);
    assert_int_equal(histogram_min(t->hist[METRIC_TTFT]), 123456789);
    assert_true(histogram_sum(t->hist[METRIC_TTFT]) == 123456789.0 + 7e12);
    assert_int_equal(histogram_overflow(t->hist[METRIC_TTFT]), 1);
    return true;
}

static void
an_interval_comes_back_with_its_histograms(void **state)
{
    const struct place *p = *state;
    g_autoptr(runfile) f = create(p->path);
    g_autoptr(run_info) info = run_info_new();
    g_autoptr(tally) t = tally_new(NULL);
    result *r = some_result(info);
    unsigned count = 0;

    g_ptr_array_add(info->results, r);
    r->tally->window_start_ns = 300;
    t->total = 11;
    t->errors[LENS_KIND_SERVER].count = 2;
    t->errors[LENS_KIND_SERVER].example = g_strdup("boom");
    t->tokens[LENS_USAGE_OUTPUT] = 640;
    t->tokens_known[LENS_USAGE_OUTPUT] = true;
    t->hist[METRIC_TTFT] = histogram_new();
    histogram_record(t->hist[METRIC_TTFT], 123456789);
    histogram_record(t->hist[METRIC_TTFT], INT64_C(7000000000000));
    assert_true(runfile_begin(f, NULL));
    assert_true(runfile_put_result(f, r, 0, true, HISTOGRAMS_NONE, NULL));
    assert_true(runfile_put_interval(f, 1, 2, 7, 100, 900, 12345, t, NULL));
    assert_true(runfile_commit(f, NULL));
    assert_int_equal(runfile_interval_count(f), 7);
    assert_true(runfile_each_interval(f, 6, check_interval, &count, NULL));
    assert_int_equal(count, 1);
    assert_true(runfile_each_interval(f, 7, check_interval, &count, NULL));
    assert_int_equal(count, 1);
}

static void
a_cursor_of_an_exporter_is_kept(void **state)
{
    const struct place *p = *state;
    g_autoptr(runfile) f = create(p->path);
    uint64_t samples = 9, intervals = 9, refused = 9;

    assert_true(runfile_get_delivery(f, "csv", &samples, &intervals, &refused, NULL));
    assert_int_equal(samples + intervals + refused, 0);
    assert_true(runfile_put_delivery(f, "csv", 10, 2, 1, NULL, NULL));
    assert_true(runfile_put_delivery(f, "csv", 20, 3, 1, "gone", NULL));
    assert_true(runfile_get_delivery(f, "csv", &samples, &intervals, &refused, NULL));
    assert_int_equal(samples, 20);
    assert_int_equal(intervals, 3);
    assert_int_equal(refused, 1);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, make_place, remove_place)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_sample_comes_back_as_it_was_put),
        TEST(a_cursor_reads_on_where_it_stopped),
        TEST(a_loaded_run_is_the_run_that_was_written),
        TEST(a_run_without_an_end_counts_as_interrupted),
        TEST(an_existing_file_stays_unless_forced),
        TEST(a_closed_file_stands_alone),
        TEST(creating_says_why_it_cannot),
        TEST(opening_says_what_is_wrong_with_the_file),
        TEST(a_damaged_row_is_an_error),
        TEST(a_rollback_leaves_the_rest_in_order),
        TEST(a_killed_writer_leaves_what_it_committed),
        TEST(a_read_only_folder_is_no_obstacle),
        TEST(a_full_disk_is_said_and_survived),
        TEST(an_interval_comes_back_with_its_histograms),
        TEST(a_cursor_of_an_exporter_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
