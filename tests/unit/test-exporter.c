/* The delivery of a run file to an exporter that answers as it is told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "chrono.h"
#include "exporter.h"
#include "plan-private.h"
#include "secret.h"

#define RUN_START INT64_C(1800000000000000000)

struct place {
    char *folder, *path, *log;
    registry *plugins;
    GString *said; /* by g_warning and g_message */
};

static GMutex said_lock;
static GString *said;

static GLogWriterOutput
listen(GLogLevelFlags level, const GLogField *fields, gsize count, void *data)
{
    (void)data;
    g_mutex_lock(&said_lock);
    for (gsize i = 0; i < count && (level & G_LOG_LEVEL_DEBUG) == 0; i++)
        if (g_str_equal(fields[i].key, "MESSAGE") && said != NULL)
            g_string_append_printf(said, "%s\n", (const char *)fields[i].value);
    g_mutex_unlock(&said_lock);
    return G_LOG_WRITER_HANDLED;
}

static int
make_place(void **state)
{
    struct place *p = g_new0(struct place, 1);
    g_autoptr(GError) error = NULL;

    p->folder = g_dir_make_tmp("test-exporter-XXXXXX", NULL);
    p->path = g_build_filename(p->folder, "run.lens", NULL);
    p->log = g_build_filename(p->folder, "log", NULL);
    p->plugins = registry_new(NULL, true);
    if (!registry_load_file(p->plugins, SCRIPTED, &error))
        fail_msg("%s", error->message);
    g_mutex_lock(&said_lock);
    said = g_string_new(NULL);
    g_mutex_unlock(&said_lock);
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
    g_rmdir(p->folder);
    registry_free(p->plugins);
    g_mutex_lock(&said_lock);
    g_string_free(said, TRUE);
    said = NULL;
    g_mutex_unlock(&said_lock);
    g_free(p->folder);
    g_free(p->path);
    g_free(p->log);
    g_free(p);
    return 0;
}

static void
assert_said(const char *words)
{
    g_mutex_lock(&said_lock);
    if (strstr(said->str, words) == NULL)
        fail_msg("not said: %s\nbut:\n%s", words, said->str);
    g_mutex_unlock(&said_lock);
}

static void
assert_not_said(const char *words)
{
    g_mutex_lock(&said_lock);
    if (strstr(said->str, words) != NULL)
        fail_msg("said:\n%s", said->str);
    g_mutex_unlock(&said_lock);
}

/* ---- a run of 10 samples, each with 3 tokens, and 2 intervals ---- */

static sample *
make_sample(uint64_t id)
{
    sample *s = sample_new(1);
    attempt *a = &s->attempts[0];

    s->id = id;
    s->index = id - 1;
    s->outcome = id == 4 ? LENS_OUTCOME_FAILED : LENS_OUTCOME_OK;
    s->phase = LENS_PART_MEASURED;
    s->due_ns = (int64_t)id * NS_PER_MS;
    s->start_unix_ns = RUN_START + s->due_ns;
    a->start_ns = a->departure_ns = s->due_ns + 1000;
    a->departure_clock = a->first_clock = LENS_CLOCK_KERNEL;
    a->streamed = true;
    for (int i = 0; i < 3; i++)
        timeline_add(&a->messages_log, a->start_ns + (i + 1) * NS_PER_MS, LENS_MSG_TEXT,
                     LENS_CLOCK_KERNEL, 1, false);
    a->first_output_ns = a->first_text_ns = a->start_ns + NS_PER_MS;
    a->second_output_ns = a->start_ns + 2 * NS_PER_MS;
    a->last_output_ns = a->terminal_ns = a->end_ns = a->start_ns + 3 * NS_PER_MS;
    a->messages = a->output_messages = a->kernel_stamps = 3;
    a->usage[LENS_USAGE_INPUT] = 100;
    a->usage[LENS_USAGE_OUTPUT] = 3;
    if (id == 4) {
        a->error_kind = LENS_KIND_RATE_LIMIT;
        a->error_class = LENS_CLASS_HTTP_ERROR;
        a->error_where = WHERE_HTTP;
    }
    return s;
}

static run_info *
make_info(const char *path)
{
    run_info *info = run_info_new();

    info->id = g_strdup("the-run");
    info->version = g_strdup("1");
    info->start_unix_ns = RUN_START;
    info->run_file = g_strdup(path);
    return info;
}

static result *
make_result(const run_info *info)
{
    result *r = result_new(info->slos);

    r->target_name = g_strdup("a");
    r->stage_name = g_strdup("low");
    r->start_ns = 0;
    r->tally->window_start_ns = 0;
    return r;
}

static void
put_interval(runfile *f, uint64_t nth, uint64_t from, uint64_t to)
{
    g_autoptr(tally) t = tally_new(NULL);

    t->window_start_ns = (int64_t)from * NS_PER_MS;
    t->window_end_ns = (int64_t)to * NS_PER_MS;
    for (uint64_t id = from; id < to; id++) {
        sample *s = make_sample(id);

        tally_add_sample(t, s, NULL);
        sample_free(s);
    }
    assert_true(runfile_put_interval(f, 0, 0, nth, t->window_start_ns, t->window_end_ns,
                                     RUN_START + t->window_end_ns, t, NULL));
}

static void
write_run(const char *path)
{
    g_autoptr(run_info) info = make_info(path);
    runfile *f = runfile_create(path, false, NULL);
    result *r = make_result(info);

    g_ptr_array_add(info->results, r);
    assert_true(runfile_begin(f, NULL));
    assert_true(runfile_put_run(f, info, true, NULL));
    for (uint64_t id = 1; id <= 10; id++) {
        sample *s = make_sample(id);

        tally_add_sample(r->tally, s, NULL);
        assert_true(runfile_put_sample(f, s, true, NULL, NULL));
        sample_free(s);
    }
    put_interval(f, 1, 1, 6);
    put_interval(f, 2, 6, 11);
    r->end_ns = 20 * NS_PER_MS;
    assert_true(runfile_put_result(f, r, 0, true, HISTOGRAMS_NEEDED, NULL));
    info->duration_ns = 20 * NS_PER_MS;
    assert_true(runfile_put_end(f, info, NULL));
    assert_true(runfile_commit(f, NULL));
    runfile_close(f);
}

static plugin_choice *
choose(const struct place *p, const char *script)
{
    plugin_choice *c = plugin_choice_new();
    g_autoptr(GError) error = NULL;
    g_autofree char *text = g_strdup_printf("scripted:log=%s%s%s", p->log,
                                            script[0] != '\0' ? "," : "", script);

    if (!plan_choice_parse(c, p->plugins, LENS_KIND_OF_EXPORTER, text, &error) ||
        !option_values_finish(c->options, true, &error))
        fail_msg("%s", error->message);
    return c;
}

static void
choice_free(plugin_choice *c)
{
    g_free(c->kind);
    g_free(c->name);
    option_values_free(c->options);
    g_free(c);
}

/* Sends the run file, as lens export does. */
static bool
send_run(const struct place *p, const char *script, bool again, int64_t wait_ns)
{
    plugin_choice *choice = choose(p, script);
    g_autoptr(runfile) f = runfile_open(p->path, false, NULL);
    g_autoptr(run_info) info = runfile_load(f, NULL);
    g_autoptr(GPtrArray) exporters =
        g_ptr_array_new_with_free_func((GDestroyNotify)exporter_free);
    g_autoptr(GError) error = NULL;
    exporter *e = exporter_start(choice, p->plugins, p->path, NULL, info, again, &error);
    bool complete;

    if (e == NULL)
        fail_msg("%s", error->message);
    g_ptr_array_add(exporters, e);
    complete = exporters_finish(exporters, info, wait_ns);
    assert_int_equal(info->exports->len, 1);
    assert_int_equal(((struct export_state *)info->exports->pdata[0])->complete,
                     complete);
    g_ptr_array_set_size(exporters, 0);
    choice_free(choice);
    return complete;
}

static void
assert_log(const struct place *p, const char *expected)
{
    g_autofree char *got = NULL;

    assert_true(g_file_get_contents(p->log, &got, NULL, NULL));
    assert_string_equal(got, expected);
    g_unlink(p->log);
}

#define TAIL                                \
    "snapshot 0 requests 5/5 gaps 8/8\n"    \
    "snapshot 1 requests 5/10 gaps 10/18\n" \
    "end json total 10 ok 9 rate_limit 1 SUSPECT\n"

/* ---- the tests ---- */

static void
all_is_delivered_in_order(void **state)
{
    const struct place *p = *state;

    write_run(p->path);
    assert_true(send_run(p, "", false, 10 * NS_PER_S));
    assert_log(p, "begin the-run 0 a/low\nsamples 1-10 ok\n" TAIL);
}

static void
what_was_delivered_is_not_sent_twice(void **state)
{
    const struct place *p = *state;

    write_run(p->path);
    assert_true(send_run(p, "", false, 10 * NS_PER_S));
    g_unlink(p->log);
    assert_true(send_run(p, "", false, 10 * NS_PER_S));
    assert_log(p,
               "begin the-run 10 a/low\nend json total 10 ok 9 rate_limit 1 SUSPECT\n");
    assert_true(send_run(p, "", true, 10 * NS_PER_S));
    assert_log(p, "begin the-run 0 a/low\nsamples 1-10 ok\n" TAIL);
}

static void
what_is_put_off_comes_later(void **state)
{
    const struct place *p = *state;

    write_run(p->path);
    assert_true(send_run(p, "later=2,end_later=1", false, 10 * NS_PER_S));
    assert_log(p, "begin the-run 0 a/low\nsamples 1-10 later\nsamples 6-10 later\n"
                  "samples 8-10 ok\nsnapshot 0 requests 5/5 gaps 8/8\n"
                  "snapshot 1 requests 5/10 gaps 10/18\nend later\n"
                  "end json total 10 ok 9 rate_limit 1 SUSPECT\n");
    assert_not_said("incomplete");
}

static void
big_batches_are_split(void **state)
{
    const struct place *p = *state;

    write_run(p->path);
    assert_true(send_run(p, "most=3", false, 10 * NS_PER_S));
    assert_log(
        p, "begin the-run 0 a/low\nsamples 1-10 split\nsamples 1-5 split\n"
           "samples 1-2 ok\nsamples 3-6 split\nsamples 3-4 ok\nsamples 5-8 split\n"
           "samples 5-6 ok\nsamples 7-10 split\nsamples 7-8 ok\nsamples 9-10 ok\n" TAIL);
}

/* A sample that no batch can hold is left out, and counted. */
static void
a_sample_that_cannot_be_split_is_refused(void **state)
{
    const struct place *p = *state;

    write_run(p->path);
    assert_false(send_run(p, "poison=3", false, 10 * NS_PER_S));
    assert_log(p,
               "begin the-run 0 a/low\nsamples 1-10 split\nsamples 1-5 split\n"
               "samples 1-2 ok\nsamples 3-6 split\nsamples 3-4 split\nsamples 3-3 split\n"
               "samples 4-4 ok\nsamples 5-6 ok\nsamples 7-10 ok\n" TAIL);
    assert_said("9 of 10 samples delivered: the receiver refused 1 samples");
}

static void
a_refused_sample_holds_up_nobody(void **state)
{
    const struct place *p = *state;

    write_run(p->path);
    assert_false(send_run(p, "refuse=7", false, 10 * NS_PER_S));
    assert_log(p, "begin the-run 0 a/low\nsamples 1-10 ok\n" TAIL);
    assert_said("9 of 10 samples delivered");
}

static void
who_gives_up_can_be_sent_the_rest(void **state)
{
    const struct place *p = *state;
    g_autofree char *command = g_strdup_printf(
        "lens export %s --to scripted:log=%s,die_after=4,secret=env:TOKEN\n", p->path,
        p->log);

    write_run(p->path);
    g_setenv("TOKEN", "hunter2secret", TRUE);
    assert_false(send_run(p, "die_after=4,secret=env:TOKEN", false, 10 * NS_PER_S));
    assert_log(p, "begin the-run 0 a/low\nsamples 1-10 die\n");
    assert_said("gave up: token ");
    assert_not_said("hunter2secret");
    assert_said("4 of 10 samples delivered");
    assert_said(command);
    assert_true(send_run(p, "", false, 10 * NS_PER_S));
    assert_log(p, "begin the-run 4 a/low\nsamples 5-10 ok\n" TAIL);
}

static void
a_receiver_that_is_down_is_tried_again(void **state)
{
    const struct place *p = *state;

    write_run(p->path);
    assert_true(send_run(p, "down=1", false, 10 * NS_PER_S));
    assert_log(p, "down\nbegin the-run 0 a/low\nsamples 1-10 ok\n" TAIL);
    assert_said("connection refused");
}

static void
a_receiver_that_stays_down_ends_the_wait(void **state)
{
    const struct place *p = *state;

    write_run(p->path);
    assert_false(send_run(p, "down=1000000", false, NS_PER_S / 5));
    assert_said("0 of 10 samples delivered");
    assert_said("connection refused; the rest is sent by: lens export ");
    g_unlink(p->log);
    assert_true(send_run(p, "", false, 10 * NS_PER_S));
    assert_log(p, "begin the-run 0 a/low\nsamples 1-10 ok\n" TAIL);
}

static void
a_read_only_run_file_keeps_no_cursor(void **state)
{
    const struct place *p = *state;

    if (geteuid() == 0)
        skip(); /* root may write everything */
    write_run(p->path);
    g_chmod(p->path, 0444);
    assert_true(send_run(p, "", false, 10 * NS_PER_S));
    assert_said("read-only");
    g_unlink(p->log);
    assert_true(send_run(p, "", false, 10 * NS_PER_S));
    assert_log(p, "begin the-run 0 a/low\nsamples 1-10 ok\n" TAIL);
}

/* ---- while the run goes on ---- */

static bool
run_with(const struct place *p, const char *script, int64_t wait_ns)
{
    plugin_choice *choice = choose(p, script);
    run_info *info = make_info(p->path);
    recorder *r;
    g_autoptr(GPtrArray) exporters =
        g_ptr_array_new_with_free_func((GDestroyNotify)exporter_free);
    result *res = make_result(info);
    bool complete;

    info->plan_json =
        g_strdup("{\"targets\":[{\"name\":\"a\"}],\"stages\":[{\"name\":\"low\"}]}");
    r = recorder_new(runfile_create(p->path, false, NULL), info, 1, 0, true,
                     chrono_now());
    g_ptr_array_add(exporters,
                    exporter_start(choice, p->plugins, p->path, r, info, false, NULL));
    assert_non_null(exporters->pdata[0]);
    recorder_begin_result(r, res);
    for (uint64_t id = 1; id <= 10; id++)
        assert_true(recorder_push(r, 0, make_sample(id)));
    recorder_end_result(r);
    recorder_end_run(r);
    run_info_judge(info);
    complete = exporters_finish(exporters, info, wait_ns);
    recorder_end_run(r);
    assert_true(recorder_close(r, NULL));
    g_ptr_array_set_size(exporters, 0);
    run_info_free(info);
    choice_free(choice);
    return complete;
}

static void
a_run_delivers_as_it_goes(void **state)
{
    const struct place *p = *state;
    g_autofree char *log = NULL;

    assert_true(run_with(p, "later=1,hang=1ms", 10 * NS_PER_S));
    assert_true(g_file_get_contents(p->log, &log, NULL, NULL));
    assert_true(g_str_has_prefix(log, "begin the-run 0 a/low\nsamples 1-"));
    assert_non_null(strstr(log, "-10 ok\n"));
    assert_true(g_str_has_suffix(log, "end json total 10 ok 9 rate_limit 1 SUSPECT\n"));
}

static void
a_dead_receiver_does_not_hold_up_the_run(void **state)
{
    const struct place *p = *state;

    assert_false(run_with(p, "down=1000000", NS_PER_S / 10));
    assert_said("0 of 10 samples delivered");
    assert_said("the rest is sent by: lens export ");
    g_unlink(p->log);
    assert_true(send_run(p, "", false, 10 * NS_PER_S));
    {
        g_autofree char *log = NULL;

        assert_true(g_file_get_contents(p->log, &log, NULL, NULL));
        assert_true(g_str_has_prefix(log, "begin the-run 0 a/low\nsamples 1-10 ok\n"));
    }
}

static void
a_run_stores_its_cursor(void **state)
{
    const struct place *p = *state;

    assert_false(run_with(p, "die_after=4", 10 * NS_PER_S));
    g_unlink(p->log);
    assert_true(send_run(p, "", false, 10 * NS_PER_S));
    {
        g_autofree char *log = NULL;

        assert_true(g_file_get_contents(p->log, &log, NULL, NULL));
        assert_true(g_str_has_prefix(log, "begin the-run 4 a/low\nsamples 5-10 ok\n"));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_place, remove_place)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_is_delivered_in_order),
        TEST(what_was_delivered_is_not_sent_twice),
        TEST(what_is_put_off_comes_later),
        TEST(big_batches_are_split),
        TEST(a_sample_that_cannot_be_split_is_refused),
        TEST(a_refused_sample_holds_up_nobody),
        TEST(who_gives_up_can_be_sent_the_rest),
        TEST(a_receiver_that_is_down_is_tried_again),
        TEST(a_receiver_that_stays_down_ends_the_wait),
        TEST(a_read_only_run_file_keeps_no_cursor),
        TEST(a_run_delivers_as_it_goes),
        TEST(a_dead_receiver_does_not_hold_up_the_run),
        TEST(a_run_stores_its_cursor),
    };

    g_log_set_writer_func(listen, NULL, NULL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
