#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json.h"

/* Reads in memory of exactly the text's size, so that a sanitizer sees a step too far. */
static int
accepts(const char *text, size_t size)
{
    char *copy = malloc(size + 1);
    struct lens_json j;
    int ok;

    memcpy(copy + 1, text, size);
    lens_json_begin(&j, copy + 1, size);
    ok = lens_json_skip(&j) && lens_json_end(&j);
    free(copy);
    return ok;
}

static void
takes_what_the_standard_allows(void **state)
{
    static const char *const texts[] = {
        "0",
        "-0",
        "10",
        "-1.5",
        "1e5",
        "1E+5",
        "1.0e-05",
        "true",
        "false",
        "null",
        "\"\"",
        "\"a\"",
        " \t\r\n1\r\n",
        "[]",
        "[ ]",
        "{}",
        "{ }",
        "[1,2]",
        "[[],{}]",
        "{\"a\":1,\"a\":2}",
        "{\"\":1}",
        "\xef\xbb\xbf[1]",
        "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"",
        "\"\\u0000\\uD83d\\uDE00\"",
        "\"\\ud800\"",
        "\"\x7f\"",
        "\"\xc2\x80\xdf\xbf\"",
        "\"\xe0\xa0\x80\xed\x9f\xbf\xef\xbf\xbf\"",
        "\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"",
        "1e400",
        "123456789012345678901234567890",
        "\"12345678\"",
        "\"1234567\\n\"",
        "{\"a\" : [ true , null ] , \"b\":{}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (!accepts(texts[i], strlen(texts[i])))
            fail_msg("refused: %s", texts[i]);
}

static void
refuses_all_else(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "\xef\xbb\xbf",
        "01",
        "-01",
        "00",
        "-",
        "+1",
        "- 1",
        "1.",
        ".5",
        "1.e3",
        "1e",
        "1e+",
        "0x10",
        "1a",
        "1 2",
        "NaN",
        "Infinity",
        "-Infinity",
        "True",
        "nul",
        "nulll",
        "truefalse",
        "'a'",
        "\"",
        "\"a",
        "\"a\\",
        "\"\\x\"",
        "\"\\'\"",
        "\"\\0\"",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\ud83d\\u12\"",
        "\"\n\"",
        "\"\t\"",
        "\"\x01\"",
        "\"1234567\x1f\"",
        "\"\xff\"",
        "\"\xc3\"",
        "\"\xc0\xaf\"",
        "\"\xe0\x9f\xbf\"",
        "\"\xed\xa0\x80\"",
        "\"\xf0\x8f\xbf\xbf\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xf5\x80\x80\x80\"",
        "\"\x80\"",
        "\"\xe2\x82",
        "[",
        "]",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1]]",
        "[1}",
        "{",
        "}",
        "{\"a\"",
        "{\"a\":",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{,}",
        "{a:1}",
        "{1:2}",
        "{\"a\" 1}",
        "{\"a\":1 \"b\":2}",
        "{\"a\"::1}",
        "{\"a\":1]",
        "/*c*/1",
        "1//c",
        "{} {}",
        "var x = 1",
        "\x0b"
        "1",
        "\xc2\xa0"
        "1",
        "$",
        "\xef\xbb\xbf\xef\xbb\xbf"
        "1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (accepts(texts[i], strlen(texts[i])))
            fail_msg("taken: %s", texts[i]);
    assert_false(accepts("1\0", 2));
    assert_false(accepts("\"a\0b\"", 5));
}

/* Skipping and walking must agree about what is cut off. */
static void
refuses_every_cut_of_a_text(void **state)
{
    const char *text =
        "{\"a\":[1,-2.5e+3,\"x\\u00e9\xc3\xa9\"],\"b\":{\"c\":null,\"d\":true}}";

    (void)state;
    for (size_t size = 0; size < strlen(text); size++)
        assert_false(accepts(text, size));
    assert_true(accepts(text, strlen(text)));
}

/* What nobody reads may be deep; what is walked is limited. */
static void
depth_is_limited(void **state)
{
    enum { SKIPPED = 16384, WALKED = 256, MOST = SKIPPED + 1 };
    char *text = malloc(2 * (size_t)MOST);
    struct lens_json j;
    int levels = 0;

    (void)state;
    memset(text, '[', MOST);
    memset(text + MOST, ']', MOST);
    assert_true(accepts(text + MOST - SKIPPED, 2 * SKIPPED));
    assert_false(accepts(text, 2 * (size_t)MOST));
    assert_false(accepts(text, MOST));
    text[MOST + WALKED] = '}'; /* closes what is no object */
    assert_false(accepts(text + MOST - 2 * WALKED, 4 * WALKED));
    text[MOST + WALKED] = ']';
    lens_json_begin(&j, text + MOST - 2 * WALKED, 4 * WALKED);
    while (lens_json_array(&j) && lens_json_element(&j))
        levels++;
    assert_int_equal(levels, WALKED);
    assert_true(j.bad);
    free(text);
}

static void
integers_are_exact(void **state)
{
    static const struct {
        const char *text;
        int is;
        int64_t value;
    } cases[] = {
        { "0", 1, 0 },
        { "-0", 1, 0 },
        { "9007199254740993", 1, INT64_C(9007199254740993) },
        { "9223372036854775807", 1, INT64_MAX },
        { "-9223372036854775808", 1, INT64_MIN },
        { "9223372036854775808", 0, 0 },
        { "-9223372036854775809", 0, 0 },
        { "18446744073709551617", 0, 0 },
        { "99999999999999999999", 0, 0 },
        { "10.0", 1, 10 },
        { "507.000", 1, 507 },
        { "1e3", 1, 1000 },
        { "1.5e1", 1, 15 },
        { "15e-1", 0, 0 },
        { "1500e-2", 1, 15 },
        { "0.5", 0, 0 },
        { "0e99999999999999999999", 1, 0 },
        { "1e18", 1, INT64_C(1000000000000000000) },
        { "1e19", 0, 0 },
        { "1e-99999999999999999999", 0, 0 },
        { "922337203685477580.7e1", 1, INT64_MAX },
        { "\"1\"", 0, 0 },
        { "null", 0, 0 },
        { "[1]", 0, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lens_json j;
        int64_t value = 0;

        lens_json_begin(&j, cases[i].text, strlen(cases[i].text));
        if (lens_json_int(&j, &value) != cases[i].is || value != cases[i].value)
            fail_msg("%s read as %lld", cases[i].text, (long long)value);
        assert_true(lens_json_end(&j));
    }
}

static void
doubles_are_rounded_correctly(void **state)
{
    static const char *const texts[] = {
        "0.1",
        "1e23",
        "123456789012345678",
        "2.2250738585072011e-308",
        "4.9e-324",
        "1.7976931348623159e308",
        "1e400",
        "-1e400",
        "1e-400",
        "0.30000000000000004",
        "9007199254740992.99999999999999999999999999999999999999999999999999999999",
        "179769313486231580793e289",
        "6.02214076e23",
        "-0.0",
        "1e22",
        "3e-22",
    };
    char halfway[1200];

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct lens_json j;
        double value = 7;

        lens_json_begin(&j, texts[i], strlen(texts[i]));
        assert_true(lens_json_double(&j, &value));
        assert_true(value == strtod(texts[i], NULL));
        assert_int_equal(signbit(value), signbit(strtod(texts[i], NULL)));
    }
    /* Only the very last of a thousand digits says which way. */
    snprintf(halfway, sizeof halfway, "9007199254740993.%01000d", 1);
    for (int i = 0; i < 2; i++) {
        struct lens_json j;
        double value;

        lens_json_begin(&j, halfway, strlen(halfway));
        assert_true(lens_json_double(&j, &value));
        assert_true(value == (i == 0 ? 9007199254740994.0 : 9007199254740992.0));
        halfway[strlen(halfway) - 1] = '0';
    }
}

static void
strings_are_unescaped(void **state)
{
    static const struct {
        const char *text, *plain;
    } cases[] = {
        { "\"plain\"", "plain" },
        { "\"\\b\\f\\n\\r\\t\\/\\\\\\\"\"", "\b\f\n\r\t/\\\"" },
        { "\"\\u0041\\u00e9\\u20AC\\ud83d\\ude00\"",
          "A\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80" },
        { "\"\\ud83d\"", "\xef\xbf\xbd" },
        { "\"\\ude00x\"", "\xef\xbf\xbdx" },
        { "\"\\ud83d\\u0041\"", "\xef\xbf\xbd"
                                "A" },
        { "\"\\ud83d\\ud83d\\ude00\"", "\xef\xbf\xbd\xf0\x9f\x98\x80" },
        { "\"\\ud83d\\n\"", "\xef\xbf\xbd\n" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lens_json_string s;
        struct lens_json j;
        char out[64];
        size_t size;

        lens_json_begin(&j, cases[i].text, strlen(cases[i].text));
        assert_true(lens_json_string(&j, &s));
        size = lens_json_unescape(&s, out);
        assert_true(size <= s.raw.size);
        assert_int_equal(size, strlen(cases[i].plain));
        assert_memory_equal(out, cases[i].plain, size);
        assert_int_equal(s.escaped, i > 0);
    }
}

/* `null` or a surprising type in place of a container ends its walk, not the one around.
 */
static void
a_walk_over_another_type_is_empty(void **state)
{
    const char *text = "{\"a\":null,\"b\":[1,{\"x\":1},\"s\"],\"c\":{\"d\":5},\"e\":7}";
    struct lens_bytes key;
    struct lens_json j;
    int64_t number = 0;
    int members = 0, elements = 0, inner = 0;

    (void)state;
    lens_json_begin(&j, text, strlen(text));
    for (lens_json_object(&j); lens_json_member(&j, &key); members++) {
        if (lens_json_is(&key, "b")) {
            for (lens_json_array(&j); lens_json_element(&j); elements++)
                for (lens_json_object(&j); lens_json_member(&j, &key); inner++)
                    lens_json_skip(&j);
        } else if (lens_json_is(&key, "e")) {
            assert_true(lens_json_int(&j, &number));
        } else {
            for (lens_json_array(&j); lens_json_element(&j);)
                fail();
        }
    }
    assert_true(lens_json_end(&j));
    assert_int_equal(members, 4);
    assert_int_equal(elements, 3);
    assert_int_equal(inner, 1);
    assert_int_equal(number, 7);
}

static void
errors_stick_and_never_trap(void **state)
{
    struct lens_bytes key;
    struct lens_json j;
    int64_t number = 1;

    (void)state;
    lens_json_begin(&j, "{\"a\" 1}", 7);
    for (int i = 0; i < 1000; i++)
        lens_json_object(&j);
    assert_false(lens_json_member(&j, &key));
    for (int i = 0; i < 1000; i++)
        assert_false(lens_json_element(&j));
    assert_false(lens_json_int(&j, &number));
    assert_int_equal(lens_json_peek(&j), LENS_JSON_NONE);
    assert_false(lens_json_skip(&j));
    assert_false(lens_json_end(&j));
    assert_int_equal(number, 1);
}

static void
finds_by_path(void **state)
{
    const char *text = "{\"a\":[{\"b\":1},{\"b\":2,\"b\":3}],\"\\u0063\":\"x\",\"d\":{}}";
    static const struct {
        const char *path;
        enum lens_json_type type;
        int64_t value;
    } cases[] = {
        { "a.0.b", LENS_JSON_NUMBER, 1 }, { "a.1.b", LENS_JSON_NUMBER, 3 },
        { "c", LENS_JSON_STRING, 0 },     { "d", LENS_JSON_OBJECT, 0 },
        { "", LENS_JSON_OBJECT, 0 },      { "a.2", LENS_JSON_NONE, 0 },
        { "a.b", LENS_JSON_NONE, 0 },     { "d.e", LENS_JSON_NONE, 0 },
        { "c.0", LENS_JSON_NONE, 0 },     { "x", LENS_JSON_NONE, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct lens_json j;
        int64_t value = 0;

        assert_int_equal(lens_json_find(text, strlen(text), cases[i].path, &j),
                         cases[i].type != LENS_JSON_NONE);
        if (cases[i].type == LENS_JSON_NONE)
            continue;
        assert_int_equal(lens_json_peek(&j), cases[i].type);
        lens_json_int(&j, &value);
        assert_int_equal(value, cases[i].value);
    }
    assert_false(lens_json_find("{\"a\":1}x", 8, "a", &(struct lens_json){ 0 }));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_what_the_standard_allows),
        cmocka_unit_test(refuses_all_else),
        cmocka_unit_test(refuses_every_cut_of_a_text),
        cmocka_unit_test(depth_is_limited),
        cmocka_unit_test(integers_are_exact),
        cmocka_unit_test(doubles_are_rounded_correctly),
        cmocka_unit_test(strings_are_unescaped),
        cmocka_unit_test(a_walk_over_another_type_is_empty),
        cmocka_unit_test(errors_stick_and_never_trap),
        cmocka_unit_test(finds_by_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
