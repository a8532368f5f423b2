#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>

#include "plain-text.h"

static void
makes_foreign_text_harmless(void **state)
{
    static const struct {
        const char *foreign, *plain;
    } cases[] = {
        { "", "" },
        { "plain \xc3\xa9", "plain \xc3\xa9" },
        { "a\tb\nc\rd", "a b c d" },
        { "a\x1b[31mred\x1b[0m", "ared" },
        { "a\x1b]0;title\x07"
          "b",
          "ab" },
        { "a\x7f\x01"
          "b",
          "ab" },
        { "a\xe2\x80\xae"
          "b",
          "ab" },
        { "a\xff"
          "b",
          "a\xef\xbf\xbd"
          "b" },
        { "a\xe2\x82", "a\xef\xbf\xbd\xef\xbf\xbd" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *plain = plain_text(cases[i].foreign, -1);

        assert_string_equal(plain, cases[i].plain);
    }
}

static void
cuts_between_characters(void **state)
{
    static const struct {
        const char *text;
        int limit, cut;
    } cases[] = {
        { "", 4, 0 },
        { "abcd", 4, 4 },
        { "abcde", 4, 4 },
        { "abc\xc3\xa9", 4, 3 },
        { "ab\xc3\xa9", 4, 4 },
        { "a\xe2\x82\xac", 4, 4 },
        { "ab\xe2\x82\xac", 4, 2 },
        { "abc\xe2\x82\xac", 4, 3 },
        { "a\xf0\x9f\x98\x80", 4, 1 },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_int_equal(plain_text_cut(cases[i].text, cases[i].limit), cases[i].cut);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_foreign_text_harmless),
        cmocka_unit_test(cuts_between_characters),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
