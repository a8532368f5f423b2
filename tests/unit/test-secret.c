#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <unistd.h>

#include "error.h"
#include "secret.h"

static char *
temporary_file(const char *content, gssize size)
{
    char *path = NULL;
    const int fd = g_file_open_tmp("lens-secret-XXXXXX", &path, NULL);

    assert_true(fd >= 0);
    close(fd);
    assert_true(g_file_set_contents(path, content, size, NULL));
    return path;
}

static void
refuses(const char *spec, const char *must_say, const char *must_not_say)
{
    g_autoptr(GError) error = NULL;

    assert_null(secret_resolve(spec, true, &error));
    assert_non_null(error);
    assert_int_equal(error->code, LENS_ERROR_USAGE);
    if (strstr(error->message, must_say) == NULL)
        fail_msg("`%s` does not say `%s`", error->message, must_say);
    if (must_not_say != NULL)
        assert_null(strstr(error->message, must_not_say));
}

static void
a_literal_is_refused_and_never_repeated(void **state)
{
    (void)state;
    refuses("sk-literal-1234", "env:VAR", "1234");
    refuses("", "env:VAR", NULL);
    refuses("env:sk-literal-1234", "name of an environment variable", "1234");
    refuses("env:", "name of an environment variable", NULL);
    refuses("file:", "path of a file", NULL);
    refuses("cmd:", "command", NULL);
    refuses("cmd:echo 'open", "command", "open");
    refuses("ENV:X", "env:VAR", NULL);
}

static void
an_environment_variable_is_read(void **state)
{
    g_autoptr(GError) error = NULL;
    char *value;

    (void)state;
    g_setenv("LENS_TEST_SECRET", "value-of-it", TRUE);
    value = secret_resolve("env:LENS_TEST_SECRET", false, &error);
    assert_null(error);
    assert_string_equal(value, "value-of-it");
    secret_free(value);
    g_unsetenv("LENS_TEST_SECRET");
    refuses("env:LENS_TEST_SECRET", "LENS_TEST_SECRET is not set", NULL);
    g_setenv("LENS_TEST_SECRET", "", TRUE);
    refuses("env:LENS_TEST_SECRET", "LENS_TEST_SECRET is empty", NULL);
}

static void
a_file_loses_one_line_end(void **state)
{
    static const struct {
        const char *content, *value;
    } cases[] = { { "abcd", "abcd" },
                  { "abcd\n", "abcd" },
                  { "abcd\r\n", "abcd" },
                  { "abcd\n\n", "abcd\n" },
                  { " abcd ", " abcd " } };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = temporary_file(cases[i].content, -1);
        g_autofree char *spec = g_strconcat("file:", path, NULL);
        char *value = secret_resolve(spec, false, NULL);

        assert_string_equal(value, cases[i].value);
        secret_free(value);
        g_unlink(path);
    }
}

static void
a_file_that_cannot_be_a_secret_is_refused(void **state)
{
    g_autofree char *big = g_strnfill(100000, 'x');
    const struct {
        const char *content;
        gssize size;
        const char *why;
    } cases[] = { { "", 0, "is empty" },
                  { "\n", 1, "is empty" },
                  { "a\0b", 3, "NUL" },
                  { big, 100000, "longer than 64 KiB" } };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = temporary_file(cases[i].content, cases[i].size);
        g_autofree char *spec = g_strconcat("file:", path, NULL);

        refuses(spec, cases[i].why, NULL);
        g_unlink(path);
    }
    refuses("file:/nowhere/at/all", "/nowhere/at/all", NULL);
    refuses("file:/dev/zero", "longer than 64 KiB", NULL);
}

static void
a_command_gives_its_output_without_a_shell(void **state)
{
    g_autoptr(GError) error = NULL;
    char *value;

    (void)state;
    value = secret_resolve("cmd:printf '%s\\n' 'a b;$HOME'", true, &error);
    assert_null(error);
    assert_string_equal(value, "a b;$HOME");
    secret_free(value);
    value = secret_resolve("cmd:false", false, &error);
    assert_null(error);
    assert_string_equal(value, "");
    secret_free(value);
    refuses("cmd:false", "command false", NULL);
    refuses("cmd:/nowhere/program x", "/nowhere/program", NULL);
    refuses("cmd:true", "is empty", NULL);
}

static void
every_spelling_of_a_value_is_redacted(void **state)
{
    const char *key = "sk-a/b+c\"d";
    g_autofree char *base64 = g_base64_encode((const guchar *)key, strlen(key));
    g_autofree char *basic = g_base64_encode((const guchar *)"user:sk-a/b+c\"d", 15);
    g_autofree char *other = g_base64_encode((const guchar *)"xy:sk-a/b+c\"d:tail", 18);
    const char *spellings[] = { key,
                                "sk-a/b+c\\\"d",
                                "sk-a\\/b+c\\\"d",
                                "sk-a%2Fb%2Bc%22d",
                                "sk-a%2fb%2bc%22d",
                                base64,
                                "\033[1msk-a/\033[0mb+c\"d",
                                "sk-a\xe2\x80\x8b/b+c\"d" };

    (void)state;
    secret_register(key);
    for (size_t i = 0; i < G_N_ELEMENTS(spellings); i++) {
        g_autofree char *text = g_strconcat("<", spellings[i], ">", NULL);
        g_autofree char *shown = secret_redact(text, -1);

        assert_string_equal(shown, "<[redacted]>");
    }
    /* Inside a longer encoded text the middle is gone: at most a few characters of the
     * edges, mixed with the neighbours, are left. */
    g_autofree char *shown_basic = secret_redact(basic, -1);
    g_autofree char *shown_other = secret_redact(other, -1);

    assert_non_null(strstr(shown_basic, "[redacted]"));
    assert_non_null(strstr(shown_other, "[redacted]"));
}

static void
the_key_behind_a_scheme_or_in_a_list_is_known_too(void **state)
{
    g_autofree char *one = NULL, *two = NULL, *three = NULL;

    (void)state;
    secret_register("Bearer token-behind-scheme");
    one = secret_redact("got token-behind-scheme", -1);
    assert_string_equal(one, "got [redacted]");
    secret_register("x-key=value-in-list,Authorization=Bearer%20second-in-list");
    two = secret_redact("value-in-list", -1);
    assert_string_equal(two, "[redacted]");
    three = secret_redact("second-in-list", -1);
    assert_string_equal(three, "[redacted]");
}

static void
short_values_are_left_alone(void **state)
{
    g_autofree char *shown = NULL;

    (void)state;
    secret_register("xyz");
    secret_register("");
    secret_register(NULL);
    shown = secret_redact("xyzzy", -1);
    assert_string_equal(shown, "xyzzy");
}

static void
foreign_text_becomes_plain(void **state)
{
    static const struct {
        const char *text;
        gssize size;
        const char *plain;
    } cases[] = {
        { "plain \xc3\xa9 \xf0\x9f\x98\x80", -1, "plain \xc3\xa9 \xf0\x9f\x98\x80" },
        { "a\nb\tc\rd", -1, "a b c d" },
        { "\033[31mred\033[0m", -1, "red" },
        { "\033]0;title\atext", -1, "text" },
        { "\033]8;;http://x\033\\link", -1, "link" },
        { "\033]no end", -1, "no end" },
        { "\033Pq#0\033\\x", -1, "x" },
        { "\033(Bx\033=y\033cz", -1, "xyz" },
        { "\033", -1, "" },
        { "\033[", -1, "" },
        { "\xc2\x9b"
          "31mred",
          -1, "red" },
        { "a\xc2\x85z", -1, "a z" },
        { "a\x01\x7f\xc2\x80z", -1, "az" },
        { "a\0b", 3, "ab" },
        { "x\xff\xc3", -1, "x\xef\xbf\xbd\xef\xbf\xbd" },
        { "\xed\xa0\x80", -1, "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" },
        { "a\xe2\x80\xae"
          "b\xe2\x81\xa6"
          "c\xd8\x9c",
          -1, "abc" },
        { "\xef\xbb\xbfx", -1, "x" },
        { "a\xe2\x80\xa8z", -1, "a z" },
        { "", -1, "" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *shown = secret_redact(cases[i].text, cases[i].size);

        assert_string_equal(shown, cases[i].plain);
        assert_true(g_utf8_validate(shown, -1, NULL));
    }
    assert_null(secret_redact(NULL, -1));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_literal_is_refused_and_never_repeated),
        cmocka_unit_test(an_environment_variable_is_read),
        cmocka_unit_test(a_file_loses_one_line_end),
        cmocka_unit_test(a_file_that_cannot_be_a_secret_is_refused),
        cmocka_unit_test(a_command_gives_its_output_without_a_shell),
        cmocka_unit_test(short_values_are_left_alone),
        cmocka_unit_test(foreign_text_becomes_plain),
        cmocka_unit_test(every_spelling_of_a_value_is_redacted),
        cmocka_unit_test(the_key_behind_a_scheme_or_in_a_list_is_known_too),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
