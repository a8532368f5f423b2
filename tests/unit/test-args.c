#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "args.h"
#include "error.h"
#include "flags.h"
#include "help.h"

/* Parses "run -c 4": words are split at spaces. */
static args *
parse(const char *line, GError **error)
{
    g_autofree char *whole = g_strconcat("lens ", line, NULL);
    g_auto(GStrv) words = g_strsplit(whole, " ", -1);
    const int count = *line != '\0' ? (int)g_strv_length(words) : 1;

    return args_parse(count, words, error);
}

static args *
parse_good(const char *line)
{
    g_autoptr(GError) error = NULL;
    args *a = parse(line, &error);

    if (a == NULL)
        fail_msg("'%s': %s", line, error->message);
    return a;
}

static void
values_are_typed(void **state)
{
    g_autoptr(args) a = parse_good("run http://h:1 -c 4 --rate=2.5 -n10 -d 1m --timeout "
                                   "250ms --seed 18446744073709551615 --stop a --stop b");

    (void)state;
    assert_string_equal(args_command(a), "run");
    assert_int_equal(args_command_bit(a), ON_RUN);
    assert_int_equal(args_int(a, "concurrency"), 4);
    assert_true(args_double(a, "rate") == 2.5);
    assert_int_equal(args_int(a, "requests"), 10);
    assert_int_equal(args_duration(a, "duration"), INT64_C(60000000000));
    assert_int_equal(args_duration(a, "timeout"), 250000000);
    assert_true(args_unsigned(a, "seed", 0) == UINT64_MAX);
    assert_int_equal(args_count(a, "stop"), 2);
    assert_string_equal(args_string(a, "stop", 0), "a");
    assert_string_equal(args_string(a, "stop", 1), "b");
    assert_null(args_string(a, "stop", 2));
    assert_int_equal(args_positional_count(a), 1);
    assert_string_equal(args_positional(a, 0), "http://h:1");
    assert_null(args_positional(a, 1));
}

static void
unset_flags_have_the_default_of_the_table(void **state)
{
    g_autoptr(args) a = parse_good("run");

    (void)state;
    assert_int_equal(args_int(a, "max-tokens"), 128);
    assert_int_equal(args_duration(a, "connect-timeout"), INT64_C(10000000000));
    assert_int_equal(args_int(a, "requests"), -1);
    assert_true(isnan(args_double(a, "rate")));
    assert_true(args_unsigned(a, "seed", 7) == 7);
    assert_null(args_string(a, "model", 0));
    assert_false(args_bool(a, "strict"));
}

static void
spellings_are_equal(void **state)
{
    static const char *const lines[] = {
        "run -c 4",
        "run -c4",
        "run -c=4",
        "run --concurrency 4",
        "run --concurrency=4",
        "run -vc4",
        "run -c 9 -c 4",
        "--quiet run -c 4",
        "-v run -c 4 --quiet",
        "run -c 4 --",
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(args) a = parse_good(lines[i]);

        assert_int_equal(args_int(a, "concurrency"), 4);
    }
}

static void
global_flags_stand_anywhere(void **state)
{
    g_autoptr(args) a =
        parse_good("--plugin-dir d1 -vv plugin --plugin-dir d2 list --quiet --json");

    (void)state;
    assert_string_equal(args_command(a), "plugin");
    assert_string_equal(args_subcommand(a), "list");
    assert_int_equal(args_command_bit(a), ON_PLUGIN_LIST);
    assert_int_equal(args_count(a, "plugin-dir"), 2);
    assert_string_equal(args_string(a, "plugin-dir", 1), "d2");
    assert_int_equal(args_count(a, "verbose"), 2);
    assert_true(args_bool(a, "quiet"));
    assert_true(args_bool(a, "json"));
}

static void
a_double_dash_ends_the_flags(void **state)
{
    g_autoptr(args) a = parse_good("decode --check -- --odd");

    (void)state;
    assert_true(args_bool(a, "check"));
    assert_string_equal(args_positional(a, 0), "--odd");
}

static void
a_single_dash_is_an_argument(void **state)
{
    g_autoptr(args) a = parse_good("decode -");

    (void)state;
    assert_string_equal(args_positional(a, 0), "-");
}

static void
an_alias_is_the_same_flag(void **state)
{
    g_autoptr(args) a = parse_good("run --gap-timeout 3s");

    (void)state;
    assert_int_equal(args_duration(a, "idle-timeout"), INT64_C(3000000000));
}

static void
help_is_never_refused_for_missing_arguments(void **state)
{
    g_autoptr(args) a = parse_good("show --help");
    g_autoptr(args) b = parse_good("plugin --help");
    g_autoptr(args) c = parse_good("--version");

    (void)state;
    assert_true(args_is_set(a, "help"));
    assert_true(args_is_set(b, "help"));
    assert_true(args_is_set(c, "version"));
}

static void
what_is_wrong_is_said(void **state)
{
    static const struct {
        const char *line, *said;
    } cases[] = {
        { "rnu", "did you mean 'run'" },
        { "plugin lst", "did you mean 'list'" },
        { "plugin", "needs a subcommand" },
        { "run --cncurrency 4", "did you mean --concurrency" },
        { "run --conc 4", "did you mean --concurrency" },
        { "run --ttft 3s", "belongs to: mock, calibrate" },
        { "mock --rpm 3", "belongs to: run, validate" },
        { "plugin list --case f", "belongs to: plugin check" },
        { "plugin --case f list", "belongs to: plugin check" },
        { "--rpm 3 run", "stands behind its command" },
        { "run -c", "needs a value" },
        { "run --prompt --model x", "write --prompt=--model" },
        { "run --quiet=1", "takes no value" },
        { "run -c x", "--concurrency: expected a whole number" },
        { "run -c 0", "expected 1 to 1000000" },
        { "run --rate 0", "--rate: expected" },
        { "run --rate nan", "--rate: expected" },
        { "run --temperature -1", "at least 0" },
        { "run --top-p 1.1", "expected 0 to 1" },
        { "run --timeout 5", "has no unit" },
        { "run --timeout 0s", "at least 1ms" },
        { "run --http 3", "expected one of auto, 1.1, 2" },
        { "run --warmup x", "10s" },
        { "run --abort-after none", "number or off" },
        { "run --extra [1]", "JSON object" },
        { "run --seed -1", "expected a number from 0" },
        { "run a b", "too many arguments" },
        { "show", "an argument is missing" },
        { "mock --port 70000", "0 to 65535" },
        { "calibrate -c 1,x", "--concurrency: expected" },
        { "run -Z", "unknown flag -Z" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(args) a = parse(cases[i].line, &error);

        if (a != NULL)
            fail_msg("'%s' was taken", cases[i].line);
        if (strstr(error->message, cases[i].said) == NULL)
            fail_msg("'%s': '%s' lacks '%s'", cases[i].line, error->message,
                     cases[i].said);
        assert_int_equal(lens_error_exit(error), EXIT_USAGE);
    }
}

static void
a_key_as_argument_is_refused_and_not_repeated(void **state)
{
    static const char *const lines[] = { "run --api-key sk-very-secret",
                                         "run --api-key=sk-very-secret",
                                         "run --token=sk-very-secret" };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autoptr(GError) error = NULL;

        assert_null(parse(lines[i], &error));
        assert_null(strstr(error->message, "sk-very-secret"));
        assert_non_null(strstr(error->message, "--api-key-env"));
    }
}

/* What the table promises to all that read it. */
static void
the_table_is_sound(void **state)
{
    unsigned count, command_count;
    const flag *all = flags(&count);

    (void)state;
    commands(&command_count);
    for (unsigned i = 0; i < count; i++) {
        const flag *f = &all[i];
        scalar_value ignored;

        assert_non_null(f->help);
        assert_true(strlen(f->help) < 110);
        assert_true((f->type == SCALAR_SWITCH) == (f->value == NULL));
        if (f->fallback != NULL)
            assert_true(scalar_parse(f->type, f->range, f->fallback, &ignored, NULL));
        for (unsigned k = 0; k < i; k++) {
            if ((all[k].on & f->on) == 0)
                continue;
            assert_string_not_equal(all[k].name, f->name);
            assert_true(f->letter == 0 || all[k].letter != f->letter);
        }
    }
    assert_true(command_count > 10);
    for (unsigned i = 0; i < command_count; i++)
        assert_non_null(command_of(1U << i));
}

/* Every flag of `lens run`. */
static void
run_has_every_flag_of_the_contract(void **state)
{
    static const char names[] =
        "concurrency rate workload requests duration warmup drain threads max-in-flight "
        "seed model provider api url set header extra api-key-env api-key-file prompt "
        "prompts same-prompt max-tokens temperature top-p stop ignore-eos no-stream slo "
        "strict retries retry-max-wait rpm tpm abort-after no-preflight connect-timeout "
        "first-token-timeout idle-timeout timeout http multiplex no-reuse compressed "
        "follow-redirects insecure cacert cert key proxy resolve export out force "
        "no-deltas record-text spin dry-run dump-schedule json quiet plugin-dir "
        "allow-insecure-plugins";
    g_auto(GStrv) each = g_strsplit(names, " ", -1);

    (void)state;
    for (unsigned i = 0; each[i] != NULL; i++)
        if (flag_find(each[i], ON_RUN) == NULL)
            fail_msg("--%s is missing", each[i]);
    assert_string_equal(flag_find_letter('c', ON_RUN)->name, "concurrency");
    assert_string_equal(flag_find_letter('n', ON_RUN)->name, "requests");
    assert_string_equal(flag_find_letter('d', ON_RUN)->name, "duration");
    assert_string_equal(flag_find_letter('m', ON_RUN)->name, "model");
    assert_string_equal(flag_find_letter('o', ON_RUN)->name, "out");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_typed),
        cmocka_unit_test(unset_flags_have_the_default_of_the_table),
        cmocka_unit_test(spellings_are_equal),
        cmocka_unit_test(global_flags_stand_anywhere),
        cmocka_unit_test(a_double_dash_ends_the_flags),
        cmocka_unit_test(a_single_dash_is_an_argument),
        cmocka_unit_test(an_alias_is_the_same_flag),
        cmocka_unit_test(help_is_never_refused_for_missing_arguments),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(a_key_as_argument_is_refused_and_not_repeated),
        cmocka_unit_test(the_table_is_sound),
        cmocka_unit_test(run_has_every_flag_of_the_contract),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
