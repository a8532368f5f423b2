/* Recorded answers of tests/wire through the decoders of the plugins that were built. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "decode.h"

static registry *plugins;
static GPtrArray *cases; /* decode_case */

static decode_result *
run(const decode_case *c)
{
    g_autoptr(GError) error = NULL;
    decode_result *r = decode_run(c, plugins, &error);

    if (r == NULL)
        fail_msg("%s: %s", c->id, error->message);
    return r;
}

/* All that must not depend on the reads: everything but the number of the read. */
static char *
what_was_found(decode_result *r)
{
    const struct decode_place first = r->first, first_text = r->first_text;
    GString *text = g_string_new(NULL);
    g_autofree char *json = NULL;

    r->first.chunk = MIN(r->first.chunk, 0);
    r->first_text.chunk = MIN(r->first_text.chunk, 0);
    json = decode_result_json(r, NULL);
    r->first = first;
    r->first_text = first_text;
    g_string_append(text, json);
    for (unsigned i = 0; i < r->classes->len; i++)
        g_string_append_printf(text, " %x", g_array_index(r->classes, uint32_t, i));
    return g_string_free(text, FALSE);
}

static void
assert_same(const decode_case *c, size_t at, const char *want, decode_result *r)
{
    g_autofree char *got = what_was_found(r);

    if (strcmp(want, got) != 0)
        fail_msg("%s, cut at %zu:\n  whole: %s\n  cut:   %s", c->id, at, want, got);
}

/* An event counts from the read that brings its last byte (docs/streams.md C6). What is
 * not terminated counts from the end of the body. */
static void
assert_read(const decode_case *c, size_t at, const struct decode_place *p,
            const decode_result *r, int64_t want)
{
    for (unsigned i = 0; i < r->warnings->len; i++)
        if (g_array_index(r->warnings, uint32_t, i) == LENS_WARN_UNTERMINATED_EVENT)
            return;
    if (p->chunk >= 0 && p->chunk != want)
        fail_msg("%s, cut at %zu: read %d, expected %d", c->id, at, (int)p->chunk,
                 (int)want);
}

static void
every_case_gives_what_it_expects(void **state)
{
    (void)state;
    assert_int_not_equal(cases->len, 0);
    for (unsigned i = 0; i < cases->len; i++) {
        const decode_case *c = cases->pdata[i];
        g_autoptr(decode_result) r = run(c);
        g_autofree char *difference = NULL;

        assert_non_null(c->expect);
        difference = decode_result_differs(r, c->expect);
        if (difference != NULL)
            fail_msg("%s: %s", c->id, difference);
    }
}

static void
two_reads_give_the_same_wherever_they_meet(void **state)
{
    (void)state;
    for (unsigned i = 0; i < cases->len; i++) {
        decode_case *c = cases->pdata[i];
        g_autoptr(decode_result) whole = NULL;
        g_autofree char *want = NULL;

        decode_case_split(c, c->body->len);
        whole = run(c);
        want = what_was_found(whole);
        for (size_t at = 0; at <= c->body->len; at++) {
            g_autoptr(decode_result) r = NULL;

            decode_case_split(c, at);
            r = run(c);
            assert_same(c, at, want, r);
            assert_read(c, at, &r->first, r, r->first.end <= at ? 0 : 1);
            assert_read(c, at, &r->first_text, r, r->first_text.end <= at ? 0 : 1);
        }
    }
}

static void
single_bytes_give_the_same(void **state)
{
    static const size_t sizes[] = { 1, 2, 3, 7, 64 };

    (void)state;
    for (unsigned i = 0; i < cases->len; i++) {
        decode_case *c = cases->pdata[i];
        g_autoptr(decode_result) whole = NULL;
        g_autofree char *want = NULL;

        decode_case_split(c, c->body->len);
        whole = run(c);
        want = what_was_found(whole);
        for (unsigned k = 0; k < G_N_ELEMENTS(sizes); k++) {
            g_autoptr(decode_result) r = NULL;

            decode_case_every(c, sizes[k]);
            r = run(c);
            assert_same(c, sizes[k], want, r);
            assert_read(c, sizes[k], &r->first, r,
                        ((int64_t)r->first.end - 1) / (int64_t)sizes[k]);
        }
    }
}

/* A body that breaks off anywhere must neither crash nor look like a good one. */
static void
a_body_that_breaks_off_is_never_complete_without_its_end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < cases->len; i++) {
        decode_case *c = cases->pdata[i];
        const unsigned size = c->body->len;

        for (unsigned left = 0; left < size; left += 5) {
            g_autoptr(decode_result) r = NULL;

            c->body->len = left;
            decode_case_split(c, left);
            r = run(c);
            if (left == 0 && c->status == 200)
                assert_int_equal(r->error_class, LENS_CLASS_TRUNCATED);
        }
        c->body->len = size;
    }
}

static void
load(const char *path)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) more = NULL;
    size_t size;

    if (!g_file_get_contents(path, &text, &size, &error) ||
        (more = decode_cases_parse(text, size, path, &error)) == NULL)
        g_error("%s", error->message);
    g_ptr_array_extend_and_steal(cases, g_steal_pointer(&more));
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_gives_what_it_expects),
        cmocka_unit_test(two_reads_give_the_same_wherever_they_meet),
        cmocka_unit_test(single_bytes_give_the_same),
        cmocka_unit_test(a_body_that_breaks_off_is_never_complete_without_its_end),
    };
    int failed;

    cases = g_ptr_array_new_with_free_func((GDestroyNotify)decode_case_free);
    for (int i = 1; i < argc; i++)
        load(argv[i]);
    plugins = registry_new((const char *[]){ PLUGINS, NULL }, false);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    registry_free(plugins);
    g_ptr_array_unref(cases);
    return failed;
}
