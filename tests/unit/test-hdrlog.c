/* The log as built by log.c; tests/peers reads it with a library of others. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

#include "../../plugins/exporters/hdrlog/log.h"

#define START INT64_C(1700000000123000000)
#define SECOND INT64_C(1000000000)

static lens_status
complain(const struct lens_host *host, lens_status why, const char *text)
{
    (void)host, (void)text;
    return why;
}

static const struct lens_host host = { .struct_size = sizeof host, .fail = complain };

static void
lines_are_those_of_version_1_3(void **state)
{
    const struct lens_bytes blob = { "\x1c\x84\x93\x14", 4 };
    struct text t = { 0 };

    (void)state;
    log_head(&t, START);
    log_line(&t, "ttft", 10 * SECOND, 20 * SECOND + 7000000, 303.4971, &blob);
    text_put(&t, "", 1);
    assert_string_equal(t.data, "#[Histogram log format version 1.3]\n"
                                "#[StartTime: 1700000000.123 (seconds since epoch), "
                                "Tue Nov 14 22:13:20 UTC 2023]\n"
                                "#[BaseTime: 1700000000.123 (seconds since epoch)]\n"
                                "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
                                "\"Interval_Compressed_Histogram\"\n"
                                "Tag=ttft,10.000,10.007,303.497,HISTFA==\n");
    text_clear(&t);
}

/* One interval of two lines. */
static void
add_interval(struct text *t, int nth)
{
    const struct lens_bytes blob = { "abcdef", 6 };

    log_line(t, "a/low/ttft", nth * SECOND, (nth + 1) * SECOND, 1, &blob);
    log_line(t, "a/low/itl", nth * SECOND, (nth + 1) * SECOND, 1, &blob);
}

/* Wherever the file was cut, behind `delivered` intervals, it becomes the same file. */
static void
a_torn_log_goes_on_behind_what_was_delivered(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("test-hdrlog-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "x.hlog", NULL);
    struct text head = { 0 }, whole = { 0 };
    size_t ends[5];

    (void)state;
    log_head(&head, START);
    text_put(&whole, head.data, head.size);
    for (int i = 0; i < 5; i++) {
        ends[i] = whole.size; /* of the intervals before this one */
        add_interval(&whole, i);
    }
    for (int delivered = 0; delivered < 5; delivered++)
        for (size_t cut = ends[delivered]; cut <= whole.size; cut++) {
            struct lens_delivery d = { .struct_size = sizeof d };
            struct output o = { 0 };
            struct text rest = { 0 };
            g_autofree char *again = NULL;
            gsize size;

            assert_true(g_file_set_contents(path, whole.data, (gssize)cut, NULL));
            assert_int_equal(output_open(&o, &host, path), LENS_OK);
            assert_int_equal(log_go_on(&o, &head), LENS_OK);
            assert_int_equal(log_cut(&o, delivered * SECOND), 0);
            for (int i = delivered; i < 5; i++)
                add_interval(&rest, i);
            assert_int_equal(output_append(&o, &rest, 1, &d), LENS_OK);
            output_close(&o);
            text_clear(&rest);
            assert_true(g_file_get_contents(path, &again, &size, NULL));
            assert_int_equal(size, whole.size);
            assert_memory_equal(again, whole.data, size);
        }
    text_clear(&head);
    text_clear(&whole);
    g_unlink(path);
    g_rmdir(folder);
}

static void
a_log_of_another_run_is_not_gone_on_with(void **state)
{
    g_autofree char *folder = g_dir_make_tmp("test-hdrlog-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "x.hlog", NULL);
    struct text head = { 0 }, other = { 0 };
    struct output o = { 0 };

    (void)state;
    log_head(&head, START);
    log_head(&other, START + SECOND);
    assert_true(g_file_set_contents(path, other.data, (gssize)other.size, NULL));
    assert_int_equal(output_open(&o, &host, path), LENS_OK);
    assert_int_equal(log_go_on(&o, &head), LENS_E_UNSUPPORTED);
    output_close(&o);
    assert_true(g_file_set_contents(path, "", 0, NULL));
    assert_int_equal(output_open(&o, &host, path), LENS_OK);
    assert_int_equal(log_go_on(&o, &head), LENS_E_UNSUPPORTED);
    output_close(&o);
    text_clear(&head);
    text_clear(&other);
    g_unlink(path);
    g_rmdir(folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_those_of_version_1_3),
        cmocka_unit_test(a_torn_log_goes_on_behind_what_was_delivered),
        cmocka_unit_test(a_log_of_another_run_is_not_gone_on_with),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
