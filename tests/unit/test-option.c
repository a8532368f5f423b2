#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

#include "error.h"
#include "option.h"

static const struct lens_option items[] = {
    { "url", LENS_OPT_URL, 0, "https://api.example/v1", NULL, NULL, "LENS_TEST_URL",
      "base URL" },
    { "api_key", LENS_OPT_SECRET, 0, NULL, NULL, NULL, "LENS_TEST_KEY", "the key" },
    { "rate", LENS_OPT_DOUBLE, 0, "1", "0.5..1000", "req/s", NULL, "arrivals" },
    { "count", LENS_OPT_INT, 0, NULL, "1..", NULL, NULL, "how many" },
    { "wait", LENS_OPT_DURATION, 0, "10s", "1ms..1h", NULL, NULL, "how long" },
    { "limit", LENS_OPT_SIZE, 0, NULL, "..1MiB", NULL, NULL, "how much" },
    { "what", LENS_OPT_CHOICE, 0, "samples", "samples|summary", NULL, NULL, "which" },
    { "strict", LENS_OPT_BOOL, 0, NULL, NULL, NULL, NULL, "whether" },
    { "extra", LENS_OPT_JSON, 0, NULL, NULL, NULL, NULL, "members" },
    { "path", LENS_OPT_PATH, 0, NULL, NULL, NULL, NULL, "where" },
    { "tag", LENS_OPT_STRING, LENS_OPT_REPEATABLE, NULL, NULL, NULL, NULL, "tags" },
};
static const struct lens_schema schema = LENS_SCHEMA(items);

static const struct lens_option needed_items[] = {
    { "path", LENS_OPT_PATH, LENS_OPT_REQUIRED, NULL, NULL, NULL, "LENS_TEST_PATH",
      "where" },
};
static const struct lens_schema needed = LENS_SCHEMA(needed_items);

static int
no_environment(void **state)
{
    (void)state;
    g_unsetenv("LENS_TEST_URL");
    g_unsetenv("LENS_TEST_KEY");
    g_unsetenv("LENS_TEST_PATH");
    return 0;
}

static option_values *
fresh(void)
{
    return option_values_new(&schema, "provider test");
}

static void
assert_says(GError *error, const char *part)
{
    assert_non_null(error);
    if (strstr(error->message, part) == NULL)
        fail_msg("`%s` does not say `%s`", error->message, part);
}

typedef bool (*integer_parser)(const char *, int64_t *, GError **);

struct integer_case {
    const char *text;
    int64_t value; /* -1: refused */
};

static void
check_integers(integer_parser parse, const struct integer_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        g_autoptr(GError) error = NULL;
        int64_t value = -7;
        const bool good = parse(cases[i].text, &value, &error);

        if (cases[i].value == -1) {
            if (good)
                fail_msg("`%s` was taken", cases[i].text);
            assert_int_equal(value, -7);
            assert_int_equal(error->code, LENS_ERROR_USAGE);
        } else if (!good || value != cases[i].value) {
            fail_msg("`%s` gives %" G_GINT64_FORMAT " (%s)", cases[i].text, value,
                     error == NULL ? "ok" : error->message);
        }
    }
}

static void
durations(void **state)
{
    static const struct integer_case cases[] = {
        { "250ms", 250000000 },
        { "10s", INT64_C(10000000000) },
        { "5m", INT64_C(300000000000) },
        { "1h", INT64_C(3600000000000) },
        { "1.5s", 1500000000 },
        { "0.1s", 100000000 },
        { "0.0000000014s", 1 },
        { "0.0000000015s", 2 },
        { "7us", 7000 },
        { "7\xc2\xb5s", 7000 },
        { "7ns", 7 },
        { "0", 0 },
        { "0s", 0 },
        { "9223372036854775807ns", INT64_MAX },
        { "9223372036854775808ns", -1 },
        { "2562048h", -1 },
        { "99999999999999999999999999999999999999999999h", -1 },
        { "10", -1 },
        { "1.5", -1 },
        { "", -1 },
        { "s", -1 },
        { "-1s", -1 },
        { "+1s", -1 },
        { " 1s", -1 },
        { "1 s", -1 },
        { "1s ", -1 },
        { "1.s", -1 },
        { ".5s", -1 },
        { "1e3s", -1 },
        { "1S", -1 },
        { "1sec", -1 },
        { "1h30m", -1 },
        { "nan", -1 },
        { "inf", -1 },
    };
    g_autoptr(GError) error = NULL;
    int64_t ns;

    (void)state;
    check_integers(parse_duration, cases, G_N_ELEMENTS(cases));
    assert_false(parse_duration("10", &ns, &error));
    assert_says(error, "10s");
}

static void
sizes(void **state)
{
    static const struct integer_case cases[] = {
        { "64KiB", 65536 }, { "10MiB", 10485760 },   { "1GiB", 1073741824 },
        { "10kB", 10000 },  { "1.5MB", 1500000 },    { "0.5KiB", 512 },
        { "4096", 4096 },   { "4096B", 4096 },       { "0", 0 },
        { "10K", -1 },      { "10KB", -1 },          { "-1", -1 },
        { "", -1 },         { "9999999999GiB", -1 },
    };

    (void)state;
    check_integers(parse_size, cases, G_N_ELEMENTS(cases));
}

static void
whole_numbers(void **state)
{
    static const struct integer_case cases[] = {
        { "0", 0 },     { "42", 42 },
        { "-3", -3 },   { "9223372036854775807", INT64_MAX },
        { "007", 7 },   { "", -1 },
        { "-", -1 },    { "9223372036854775808", -1 },
        { "1.0", -1 },  { "1e3", -1 },
        { "0x10", -1 }, { "+1", -1 },
        { " 1", -1 },   { "1 ", -1 },
        { "one", -1 },  { "--1", -1 },
    };

    (void)state;
    check_integers(parse_int, cases, G_N_ELEMENTS(cases));
}

static void
numbers(void **state)
{
    static const struct {
        const char *text;
        double value;
        bool good;
    } cases[] = {
        { "0", 0, true },         { "1.5", 1.5, true },  { "-2e3", -2000, true },
        { ".5", 0.5, true },      { "1e-400", 0, true }, { "", 0, false },
        { "inf", 0, false },      { "nan", 0, false },   { "0x1p3", 0, false },
        { "1e999", 0, false },    { "1,5", 0, false },   { " 1", 0, false },
        { "1 ", 0, false },       { "-", 0, false },     { "1.2.3", 0, false },
        { "infinity", 0, false }, { "+1", 0, false },    { ".", 0, false },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        double value = -7;
        const bool good = parse_double(cases[i].text, &value, NULL);

        if (good != cases[i].good)
            fail_msg("`%s`", cases[i].text);
        assert_true(value == (good ? cases[i].value : -7));
    }
}

static void
durations_for_show(void **state)
{
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {
        { 0, "0s" },
        { 250000000, "250ms" },
        { 1500000000, "1.5s" },
        { INT64_C(60000000000), "1m" },
        { INT64_C(90000000000), "90s" },
        { INT64_C(7200000000000), "2h" },
        { 1234567, "1.235ms" },
        { 999, "999ns" },
        { -1500000, "-1.5ms" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = format_duration(cases[i].ns);

        assert_string_equal(text, cases[i].text);
    }
}

static void
urls(void **state)
{
    static const struct {
        const char *text, *why; /* NULL: good */
    } cases[] = {
        { "http://127.0.0.1:8000", NULL },
        { "https://api.example/v1?x=1", NULL },
        { "HTTPS://API.example", NULL },
        { "http://[::1]:8000/v1", NULL },
        { "http://host/path@here", NULL },
        { "127.0.0.1:8000", "http://" },
        { "ftp://host", "http://" },
        { "file:///etc/passwd", "http://" },
        { "http://", "https://host:port/path" },
        { "http:///path", "https://host:port/path" },
        { "http://host:99999", "https://host:port/path" },
        { "http://host:0", "https://host:port/path" },
        { "http://ho st/", "no spaces" },
        { "http://host/\n", "no spaces" },
        { "http://host/#part", "fragment" },
        { "http://user:pass-word@host/", "as env:VAR" },
        { "http://pass-word@host", "as env:VAR" },
        { "user:pass-word@host", "as env:VAR" },
        { "", "http://" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        const bool good = check_url(cases[i].text, &error);

        if (good != (cases[i].why == NULL))
            fail_msg("`%s`", cases[i].text);
        if (!good) {
            assert_says(error, cases[i].why);
            assert_null(strstr(error->message, "pass-word"));
        }
    }
}

static void
json_values(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {
        { "{}", true },
        { "{\"a\":[1,2,null]}", true },
        { "1", true },
        { "\"text\"", true },
        { " [1] ", true },
        { "true", true },
        { "", false },
        { " ", false },
        { "{", false },
        { "{\"a\":1} x", false },
        { "[1,]", false },
        { "{a:1}", false },
        { "var a = {}", false },
        { "nan", false },
        { "1 2", false },
        { "{'a':1}", false },
        { "/* c */ 1", false },
        { "01", false },
        { "-0.5e+10", true },
        { "-", false },
        { "1.", false },
        { "1e", false },
        { "\"\\u12g4\"", false },
        { "\"\\u1234\\n\"", true },
        { "\"\\x\"", false },
        { "\"", false },
        { "]", false },
        { "[1", false },
        { "{\"a\"}", false },
        { "[1 2]", false },
        { "\"\xff\"", false },
        { "+1", false },
        { "\"\n\"", false },
        { "{\"a\":1,}", false },
    };
    g_autofree char *nested =
        g_strconcat("[[", "{\"a\":[{}, [], {\"b\":{}}]}", "]]", NULL);
    g_autofree char *deep = g_strnfill(100000, '[');

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        if (check_json(cases[i].text, NULL) != cases[i].good)
            fail_msg("`%s`", cases[i].text);
    assert_false(check_json(deep, NULL));
    assert_true(check_json(nested, NULL));
}

static void
nearest(void **state)
{
    static const char *const names[] = { "openai", "compat", "anthropic",
                                         "csv",    "json",   NULL };
    static const struct {
        const char *word, *name;
    } cases[] = {
        { "opnai", "openai" },   { "oepnai", "openai" }, { "OpenAI", "openai" },
        { "compatt", "compat" }, { "jsno", "json" },     { "csv", "csv" },
        { "xyzzy", NULL },       { "", NULL },           { "q", NULL },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *name = nearest_name(cases[i].word, names);

        if (g_strcmp0(name, cases[i].name) != 0)
            fail_msg("`%s` is near `%s`", cases[i].word, name == NULL ? "(none)" : name);
    }
    assert_null(nearest_name("x", (const char *const[]){ NULL }));
}

static void
values_are_typed_and_ranged(void **state)
{
    static const struct {
        const char *name, *text, *why; /* NULL: good */
    } cases[] = {
        { "rate", "0.5", NULL },
        { "rate", "1000", NULL },
        { "rate", "0.4", "0.5..1000" },
        { "rate", "1001", "0.5..1000" },
        { "rate", "fast", "number" },
        { "count", "1", NULL },
        { "count", "0", "1.." },
        { "count", "9223372036854775807", NULL },
        { "wait", "1h", NULL },
        { "wait", "2h", "1ms..1h" },
        { "wait", "0", "1ms..1h" },
        { "limit", "1MiB", NULL },
        { "limit", "2MiB", "..1MiB" },
        { "what", "summary", NULL },
        { "what", "sumary", "did you mean `summary`" },
        { "what", "", "one of samples, summary" },
        { "strict", "true", NULL },
        { "strict", "yes", "true or false" },
        { "extra", "{\"a\":1}", NULL },
        { "extra", "{", "JSON" },
        { "path", "", "file name" },
        { "tag", "", NULL },
        { "tag", "postgresql://user:pass@host/db", "env:VAR" },
        { "tag", "postgresql://user@host/db", NULL },
        { "api_key", "sk-1234", "env:VAR" },
        { "api_key", "env:ANY", NULL },
        { "tags", "x", "did you mean `tag`" },
        { "nothing_like_it", "x", "it has url, api_key" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(option_values) v = fresh();
        g_autoptr(GError) error = NULL;
        const bool good = option_values_set(v, cases[i].name, cases[i].text, &error);

        if (good != (cases[i].why == NULL))
            fail_msg("%s=%s: %s", cases[i].name, cases[i].text,
                     good ? "was taken" : error->message);
        if (!good) {
            assert_says(error, cases[i].why);
            assert_says(error, "provider test");
            assert_null(strstr(error->message, "sk-1234"));
        }
    }
}

static void
a_list_is_cut_at_commas(void **state)
{
    g_autoptr(option_values) v = fresh();
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_true(option_values_set_list(v, "", &error));
    assert_true(option_values_set_list(
        v, "rate=2, tag=a\\,b,tag=c=d,tag=e\\f,path=/tmp/x,wait=1.5s", &error));
    assert_true(option_values_finish(v, true, &error));
    assert_true(option_values_double(v, "rate") == 2);
    assert_int_equal(option_values_count(v, "tag"), 3);
    assert_string_equal(option_values_string(v, "tag", 0), "a,b");
    assert_string_equal(option_values_string(v, "tag", 1), "c=d");
    assert_string_equal(option_values_string(v, "tag", 2), "e\\f");
    assert_null(option_values_string(v, "tag", 3));
    assert_int_equal(option_values_int(v, "wait"), 1500000000);
}

static void
a_broken_list_is_refused(void **state)
{
    static const struct {
        const char *list, *why;
    } cases[] = {
        { "rate", "no `=`" },           { "rate=1,", "no `=`" },
        { ",rate=1", "no `=`" },        { "=1", "no key" },
        { "rate=1,sk-1234", "no `=`" }, { "rte=1", "did you mean `rate`" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(option_values) v = fresh();
        g_autoptr(GError) error = NULL;

        assert_false(option_values_set_list(v, cases[i].list, &error));
        assert_says(error, cases[i].why);
        assert_null(strstr(error->message, "sk-1234"));
    }
}

static void
the_user_beats_the_variable_beats_the_fallback(void **state)
{
    g_autoptr(option_values) plain = fresh(), variable = fresh(), user = fresh();

    (void)state;
    assert_true(option_values_finish(plain, true, NULL));
    assert_string_equal(option_values_string(plain, "url", 0), "https://api.example/v1");
    assert_null(option_values_string(plain, "api_key", 0));
    assert_int_equal(option_values_count(plain, "count"), 0);

    g_setenv("LENS_TEST_URL", "http://from.env", TRUE);
    assert_true(option_values_finish(variable, true, NULL));
    assert_string_equal(option_values_string(variable, "url", 0), "http://from.env");
    assert_false(option_values_is_set(variable, "url"));

    assert_true(option_values_set(user, "url", "http://from.user", NULL));
    assert_true(option_values_set(user, "url", "http://from.user/2", NULL));
    assert_true(option_values_finish(user, true, NULL));
    assert_string_equal(option_values_string(user, "url", 0), "http://from.user/2");
    assert_int_equal(option_values_count(user, "url"), 1);
    assert_true(option_values_is_set(user, "url"));
}

static void
a_bad_variable_is_named(void **state)
{
    g_autoptr(option_values) v = fresh();
    g_autoptr(GError) error = NULL;

    (void)state;
    g_setenv("LENS_TEST_URL", "http://user:word@host", TRUE);
    assert_false(option_values_finish(v, true, &error));
    assert_says(error, "environment variable LENS_TEST_URL");
}

static void
what_is_required_must_be_there(void **state)
{
    g_autoptr(option_values) v = option_values_new(&needed, "exporter test");
    g_autoptr(option_values) w = option_values_new(&needed, "exporter test");
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_false(option_values_finish(v, true, &error));
    assert_says(error, "path is required");
    assert_says(error, "LENS_TEST_PATH");
    g_setenv("LENS_TEST_PATH", "x.csv", TRUE);
    assert_true(option_values_finish(w, true, NULL));
    assert_string_equal(option_values_string(w, "path", 0), "x.csv");
}

static void
a_secret_comes_from_its_variable_unless_forbidden(void **state)
{
    g_autoptr(option_values) read = fresh(), ignored = fresh(), missing = fresh();
    g_autoptr(option_values) dry = fresh();
    g_autoptr(GError) error = NULL;

    (void)state;
    g_setenv("LENS_TEST_KEY", "sk-from-variable", TRUE);
    assert_true(option_values_finish(read, true, NULL));
    assert_string_equal(option_values_string(read, "api_key", 0), "sk-from-variable");
    option_values_ignore_variable(ignored, "api_key");
    assert_true(option_values_finish(ignored, true, NULL));
    assert_null(option_values_string(ignored, "api_key", 0));

    assert_true(option_values_set(missing, "api_key", "env:LENS_TEST_NOT_THERE", NULL));
    assert_false(option_values_finish(missing, true, &error));
    assert_says(error, "LENS_TEST_NOT_THERE is not set");
    assert_true(option_values_set(dry, "api_key", "env:LENS_TEST_NOT_THERE", NULL));
    assert_true(option_values_finish(dry, false, NULL));
    assert_string_equal(option_values_string(dry, "api_key", 0), "");
}

static void
json_holds_values_but_no_secret(void **state)
{
    g_autoptr(option_values) v = fresh();
    g_autoptr(option_values) copy = NULL;
    g_autofree char *given = NULL, *all = NULL, *copied = NULL;

    (void)state;
    g_setenv("LENS_TEST_KEY", "sk-from-variable", TRUE);
    assert_true(option_values_set(v, "rate", "0.1e1", NULL));
    assert_true(option_values_set(v, "count", "7", NULL));
    assert_true(option_values_set(v, "strict", "false", NULL));
    assert_true(option_values_set(v, "extra", "{\"a\": [1, 0.5]}", NULL));
    assert_true(option_values_set(v, "tag", "a\"b", NULL));
    assert_true(option_values_set(v, "api_key", "cmd:echo sk-from-command", NULL));
    assert_true(option_values_finish(v, true, NULL));
    given = option_values_to_json(v, false);
    assert_string_equal(given,
                        "{\"api_key\":\"cmd:echo [redacted]\",\"rate\":1,\"count\":7,"
                        "\"strict\":false,\"extra\":{\"a\":[1,0.5]},"
                        "\"tag\":[\"a\\\"b\"]}");
    all = option_values_to_json(v, true);
    assert_non_null(strstr(all, "\"wait\":\"10s\""));
    assert_null(strstr(all, "sk-from"));
    copy = option_values_copy(v);
    copied = option_values_to_json(copy, true);
    assert_string_equal(copied, all);
    assert_string_equal(option_values_string(copy, "api_key", 0), "sk-from-command");
}

/* Elements of a newer plugin are longer, and are walked by their own size. */
static void
longer_elements_are_walked_by_their_size(void **state)
{
    static const struct {
        struct lens_option option;
        const char *newer;
    } longer[] = {
        { { "one", LENS_OPT_INT, 0, "1", NULL, NULL, NULL, "first" }, "x" },
        { { "two", LENS_OPT_INT, 0, "2", NULL, NULL, NULL, "second" }, "y" },
    };
    const struct lens_schema s = { &longer[0].option, 2, sizeof longer[0] };
    g_autoptr(option_values) v = option_values_new(&s, "provider test");

    (void)state;
    assert_true(option_schema_check(&s, NULL));
    assert_true(option_values_finish(v, true, NULL));
    assert_int_equal(option_values_int(v, "one"), 1);
    assert_int_equal(option_values_int(v, "two"), 2);
}

static void
an_unsound_schema_is_refused(void **state)
{
    static const struct {
        struct lens_option option;
        const char *why;
    } cases[] = {
        { { "Upper", LENS_OPT_INT, 0, NULL, NULL, NULL, NULL, "x" }, "malformed" },
        { { NULL, LENS_OPT_INT, 0, NULL, NULL, NULL, NULL, "x" }, "NULL" },
        { { "with-dash", LENS_OPT_INT, 0, NULL, NULL, NULL, NULL, "x" }, "malformed" },
        { { "a", 0, 0, NULL, NULL, NULL, NULL, "x" }, "type is 0" },
        { { "a", 99, 0, NULL, NULL, NULL, NULL, "x" }, "type is 99" },
        { { "a", LENS_OPT_INT, 0, NULL, NULL, NULL, NULL, NULL }, "help is missing" },
        { { "a", LENS_OPT_INT, 0, "x", NULL, NULL, NULL, "x" }, "fallback" },
        { { "a", LENS_OPT_INT, 0, "9", "1..5", NULL, NULL, "x" }, "fallback" },
        { { "a", LENS_OPT_INT, 0, NULL, "one", NULL, NULL, "x" }, "MIN..MAX" },
        { { "a", LENS_OPT_INT, 0, NULL, "1..x", NULL, NULL, "x" }, "`x` is not" },
        { { "a", LENS_OPT_CHOICE, 0, NULL, NULL, NULL, NULL, "x" }, "needs choices" },
        { { "a", LENS_OPT_SECRET, 0, "sk-1234", NULL, NULL, NULL, "x" }, "fallback" },
    };
    const struct lens_schema no_items = { NULL, 1, sizeof(struct lens_option) };
    const struct lens_schema too_many = { items, 1u << 30, sizeof(struct lens_option) };
    const struct lens_schema too_short = { items, 1, 8 };
    const struct lens_option twice[] = { items[2], items[2] };
    const struct lens_schema doubled = LENS_SCHEMA(twice);

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const struct lens_schema s = { &cases[i].option, 1, sizeof(struct lens_option) };
        g_autoptr(GError) error = NULL;

        assert_false(option_schema_check(&s, &error));
        assert_says(error, cases[i].why);
    }
    assert_true(option_schema_check(&schema, NULL));
    assert_false(option_schema_check(&no_items, NULL));
    assert_false(option_schema_check(&too_many, NULL));
    assert_false(option_schema_check(&too_short, NULL));
    assert_false(option_schema_check(&doubled, NULL));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),
        cmocka_unit_test(sizes),
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(numbers),
        cmocka_unit_test(durations_for_show),
        cmocka_unit_test(urls),
        cmocka_unit_test(json_values),
        cmocka_unit_test(nearest),
        cmocka_unit_test_setup(values_are_typed_and_ranged, no_environment),
        cmocka_unit_test_setup(a_list_is_cut_at_commas, no_environment),
        cmocka_unit_test_setup(a_broken_list_is_refused, no_environment),
        cmocka_unit_test_setup(the_user_beats_the_variable_beats_the_fallback,
                               no_environment),
        cmocka_unit_test_setup(a_bad_variable_is_named, no_environment),
        cmocka_unit_test_setup(what_is_required_must_be_there, no_environment),
        cmocka_unit_test_setup(a_secret_comes_from_its_variable_unless_forbidden,
                               no_environment),
        cmocka_unit_test_setup(json_holds_values_but_no_secret, no_environment),
        cmocka_unit_test_setup(longer_elements_are_walked_by_their_size, no_environment),
        cmocka_unit_test(an_unsound_schema_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
