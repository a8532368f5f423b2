#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "write.h"

struct sheet {
    char text[8192];
    size_t used;
    int calls, budget; /* calls that may still succeed; -1: all */
};

static lens_status
put(void *to, const void *data, size_t size)
{
    struct sheet *s = to;

    s->calls++;
    if (s->budget == 0)
        return LENS_E_NOMEM;
    s->budget -= s->budget > 0;
    assert_true(s->used + size < sizeof s->text);
    memcpy(s->text + s->used, data, size);
    s->used += size;
    return LENS_OK;
}

static void
strings_become_json(void **state)
{
    static const struct {
        const char *plain, *json;
    } cases[] = {
        { "", "\"\"" },
        { "plain", "\"plain\"" },
        { "\"\\/\b\f\n\r\t", "\"\\\"\\\\/\\b\\f\\n\\r\\t\"" },
        { "\x01\x1f\x7f", "\"\\u0001\\u001f\\u007f\"" },
        { "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
          "\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"" },
        { "a\xff"
          "b",
          "\"a\xef\xbf\xbd"
          "b\"" },
        { "\xc3", "\"\xef\xbf\xbd\"" },
        { "\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sheet s = { .budget = -1 };
        struct lens_writer w;

        lens_write_begin(&w, &s, put);
        lens_write_string(&w, cases[i].plain, strlen(cases[i].plain));
        assert_int_equal(lens_write_end(&w), LENS_OK);
        assert_string_equal(s.text, cases[i].json);
    }
}

static void
numbers_read_back(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        { 0, "0" },
        { 0.7, "0.7" },
        { 1e300, "1e+300" },
        { -1.5, "-1.5" },
        { NAN, "null" },
        { INFINITY, "null" },
        { 0.1 + 0.2, "0.30000000000000004" },
        { 5e-324, "4.94065645841247e-324" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct sheet s = { .budget = -1 };
        struct lens_writer w;

        lens_write_begin(&w, &s, put);
        lens_write_double(&w, cases[i].value);
        assert_int_equal(lens_write_end(&w), LENS_OK);
        assert_string_equal(s.text, cases[i].text);
    }
}

static void
integers_of_all_sizes(void **state)
{
    struct sheet s = { .budget = -1 };
    struct lens_writer w;

    (void)state;
    lens_write_begin(&w, &s, put);
    lens_write_int(&w, INT64_MIN);
    lens_write(&w, " ");
    lens_write_int(&w, INT64_MAX);
    lens_write(&w, " ");
    lens_write_int(&w, 0);
    assert_int_equal(lens_write_end(&w), LENS_OK);
    assert_string_equal(s.text, "-9223372036854775808 9223372036854775807 0");
}

static void
nothing_is_an_empty_string(void **state)
{
    struct sheet s = { .budget = -1 };
    struct lens_writer w;

    (void)state;
    lens_write_begin(&w, &s, put);
    lens_write_string(&w, NULL, 0);
    lens_write_bytes(&w, NULL, 0);
    assert_int_equal(lens_write_end(&w), LENS_OK);
    assert_string_equal(s.text, "\"\"");
}

static void
a_prompt_joins_all_text_parts(void **state)
{
    const struct lens_part parts[] = {
        { .kind = LENS_PART_TEXT, .data = { "a \"b\"", 5 } },
        { .kind = LENS_PART_IMAGE, .data = { "no", 2 } },
        { .kind = LENS_PART_TEXT, .data = { "c", 1 } },
    };
    const struct lens_turn turns[] = {
        { LENS_ROLE_SYSTEM, 0, parts, 3, sizeof parts[0] },
        { LENS_ROLE_USER, 0, parts + 2, 1, sizeof parts[0] },
    };
    struct lens_ask ask = { .turns = turns,
                            .turn_count = 2,
                            .turn_size = sizeof turns[0] };
    struct sheet s = { .budget = -1 };
    struct lens_writer w;

    (void)state;
    lens_write_begin(&w, &s, put);
    lens_write_prompt(&w, &ask);
    ask.turn_count = 0;
    lens_write_prompt(&w, &ask);
    assert_int_equal(lens_write_end(&w), LENS_OK);
    assert_string_equal(s.text, "\"a \\\"b\\\"\\nc\\nc\"\"\"");
}

/* Small pieces go out together, big ones as they are, all of them in order. */
static void
pieces_are_joined(void **state)
{
    struct sheet s = { .budget = -1 };
    struct lens_writer w;
    char big[3000];

    (void)state;
    memset(big, 'b', sizeof big);
    lens_write_begin(&w, &s, put);
    for (int i = 0; i < 100; i++)
        lens_write(&w, "a");
    assert_int_equal(s.calls, 0);
    lens_write_bytes(&w, big, sizeof big);
    lens_write(&w, "c");
    assert_int_equal(s.calls, 2);
    assert_int_equal(lens_write_end(&w), LENS_OK);
    assert_int_equal(s.calls, 3);
    assert_int_equal(s.used, 3101);
    assert_int_equal(s.text[99], 'a');
    assert_int_equal(s.text[100], 'b');
    assert_int_equal(s.text[3100], 'c');
}

static void
the_first_failure_is_told(void **state)
{
    struct sheet s = { .budget = 1 };
    struct lens_writer w;
    char big[2000] = { 0 };

    (void)state;
    lens_write_begin(&w, &s, put);
    for (int i = 0; i < 4; i++)
        lens_write_bytes(&w, big, sizeof big);
    lens_write(&w, "rest");
    assert_int_equal(lens_write_end(&w), LENS_E_NOMEM);
    assert_int_equal(s.calls, 2);
    assert_int_equal(s.used, sizeof big);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_become_json),
        cmocka_unit_test(numbers_read_back),
        cmocka_unit_test(integers_of_all_sizes),
        cmocka_unit_test(pieces_are_joined),
        cmocka_unit_test(the_first_failure_is_told),
        cmocka_unit_test(nothing_is_an_empty_string),
        cmocka_unit_test(a_prompt_joins_all_text_parts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
