#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "args.h"
#include "error.h"
#include "plan.h"

/* The plan of "run ..."; words are split at blanks, `~` stands for a blank. */
static plan *
make(const char *line, GError **error)
{
    g_autofree char *whole = g_strconcat(
        "lens --plugin-dir " PLUGINS " --allow-insecure-plugins ", line, NULL);
    g_auto(GStrv) words = g_strsplit(whole, " ", -1);
    g_autoptr(args) a = NULL;

    for (char **w = words; *w != NULL; w++)
        g_strdelimit(*w, "~", ' ');
    a = args_parse((int)g_strv_length(words), words, error);
    return a != NULL ? plan_from_args(a, error) : NULL;
}

static plan *
make_good(const char *line)
{
    g_autoptr(GError) error = NULL;
    plan *p = make(line, &error);

    if (p == NULL)
        fail_msg("'%s': %s", line, error->message);
    return p;
}

static plan_target *
target(const plan *p, unsigned nth)
{
    assert_true(nth < p->targets->len);
    return g_ptr_array_index(p->targets, nth);
}

static plan_stage *
stage(const plan *p, unsigned nth)
{
    assert_true(nth < p->stages->len);
    return g_ptr_array_index(p->stages, nth);
}

static int
clean_environment(void **state)
{
    (void)state;
    g_unsetenv("OPENAI_API_KEY");
    g_unsetenv("OPENAI_BASE_URL");
    g_unsetenv("GROQ_API_KEY");
    g_setenv("TEST_KEY", "sk-test-key-1", TRUE);
    return 0;
}

/* The defaults. */
static void
nothing_named_means_the_mock_and_the_defaults(void **state)
{
    g_autoptr(plan) p = make_good("run");
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_int_equal(p->targets->len, 1);
    assert_true(target(p, 0)->is_mock);
    assert_string_equal(target(p, 0)->name, "mock");
    assert_string_equal(target(p, 0)->api, "chat");
    assert_int_equal(target(p, 0)->max_tokens, 128);
    assert_true(isnan(target(p, 0)->temperature));
    assert_true(target(p, 0)->stream && target(p, 0)->reuse);
    assert_int_equal(p->stages->len, 1);
    assert_string_equal(stage(p, 0)->workload.kind, "closed");
    assert_int_equal(option_values_int(stage(p, 0)->workload.options, "concurrency"), 1);
    assert_int_equal(stage(p, 0)->requests, 100);
    assert_int_equal(stage(p, 0)->duration_ns, -1);
    assert_int_equal(p->threads, 1);
    assert_int_equal(p->retries, 0);
    assert_int_equal(p->abort_after, 50);
    assert_true(p->preflight && p->deltas && !p->strict && !p->record_text);
    assert_true(plan_set_mock_url(p, "http://127.0.0.1:5", &error));
    assert_string_equal(target(p, 0)->url, "http://127.0.0.1:5");
    assert_string_equal(option_values_string(target(p, 0)->provider.options, "url", 0),
                        "http://127.0.0.1:5");
}

static void
a_bare_url_means_compat_chat(void **state)
{
    static const struct {
        const char *line, *url;
    } cases[] = {
        { "run http://h:8000 -c 4 -n 10", "http://h:8000" },
        { "run h:8000 -c 4 -n 10", "http://h:8000" },
        { "run 127.0.0.1:8000/v1 -c 4 -n 10", "http://127.0.0.1:8000/v1" },
        { "run [::1]:8000 -c 4 -n 10", "http://[::1]:8000" },
        { "run --url https://h/v1 -c 4 -n 10", "https://h/v1" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(plan) p = make_good(cases[i].line);

        assert_string_equal(target(p, 0)->provider.kind, "compat");
        assert_string_equal(target(p, 0)->api, "chat");
        assert_string_equal(target(p, 0)->url, cases[i].url);
        assert_false(target(p, 0)->is_mock);
        assert_int_equal(stage(p, 0)->requests, 10);
        assert_int_equal(option_values_int(stage(p, 0)->workload.options, "concurrency"),
                         4);
    }
}

static void
a_duration_alone_takes_away_the_hundred_requests(void **state)
{
    g_autoptr(plan) p = make_good("run -d 5s");

    (void)state;
    assert_int_equal(stage(p, 0)->requests, -1);
    assert_int_equal(stage(p, 0)->duration_ns, INT64_C(5000000000));
}

static void
a_workload_that_ends_by_itself_is_not_cut(void **state)
{
    g_autoptr(plan) p = make_good("run --workload burst:n=200,times=2,every=1s");

    (void)state;
    assert_int_equal(stage(p, 0)->requests, 400);
}

static void
a_rate_alone_is_constant(void **state)
{
    g_autoptr(plan) p = make_good("run --rate 5 -d 10s");
    g_autoptr(plan) q = make_good("run --workload poisson --rate 5 -d 10s");

    (void)state;
    assert_string_equal(stage(p, 0)->workload.kind, "constant");
    assert_true(option_values_double(stage(p, 0)->workload.options, "rate") == 5);
    assert_string_equal(stage(q, 0)->workload.kind, "poisson");
    assert_true(option_values_double(stage(q, 0)->workload.options, "rate") == 5);
}

static void
flags_reach_their_places(void **state)
{
    g_autoptr(plan) p = make_good(
        "run http://h:1 -m big --max-tokens 7 --temperature 0.5 --top-p 0.9 --stop END "
        "--stop X --ignore-eos --no-stream --extra {\"a\":1} --header X-A:~b "
        "--rpm 60 --tpm 1000 --connect-timeout 1s --first-token-timeout 2s "
        "--gap-timeout 3s --timeout 4s --http 1.1 --multiplex --no-reuse --compressed "
        "--follow-redirects --insecure --proxy http://p:3128 --resolve h:1:127.0.0.1 "
        "--set provider.top_k=3 --warmup 10 --drain 7s --max-in-flight 9 --threads 2 "
        "--retries 3 --retry-max-wait 9s --abort-after off --no-preflight --strict "
        "--spin --record-text --no-deltas -o out.lens --force --interval 1s "
        "--export-wait 2s --slo ttft.p99<500ms --slo errors<1% --seed 42 --prompt hi "
        "--same-prompt --clock user");
    const plan_target *t = target(p, 0);

    (void)state;
    assert_string_equal(t->model, "big");
    assert_int_equal(t->max_tokens, 7);
    assert_true(t->temperature == 0.5 && t->top_p == 0.9);
    assert_string_equal(t->stop[1], "X");
    assert_null(t->stop[2]);
    assert_true(t->ignore_eos && !t->stream && !t->reuse && t->multiplex);
    assert_string_equal(t->extra, "{\"a\":1}");
    assert_string_equal(t->headers[0], "X-A: b");
    assert_true(t->rpm == 60 && t->tpm == 1000);
    assert_int_equal(t->connect_timeout_ns, INT64_C(1000000000));
    assert_int_equal(t->first_token_timeout_ns, INT64_C(2000000000));
    assert_int_equal(t->idle_timeout_ns, INT64_C(3000000000));
    assert_int_equal(t->timeout_ns, INT64_C(4000000000));
    assert_int_equal(t->http, HTTP_1_1);
    assert_true(t->compressed && t->follow_redirects && t->insecure);
    assert_string_equal(t->proxy, "http://p:3128");
    assert_string_equal(t->resolve[0], "h:1:127.0.0.1");
    assert_int_equal(t->top_k, 3);
    assert_int_equal(stage(p, 0)->warmup_requests, 10);
    assert_int_equal(stage(p, 0)->warmup_ns, -1);
    assert_int_equal(stage(p, 0)->drain_ns, INT64_C(7000000000));
    assert_int_equal(stage(p, 0)->max_in_flight, 9);
    assert_int_equal(p->threads, 2);
    assert_int_equal(p->retries, 3);
    assert_int_equal(p->retry_max_wait_ns, INT64_C(9000000000));
    assert_int_equal(p->abort_after, -1);
    assert_true(!p->preflight && p->strict && p->spin && p->record_text && !p->deltas);
    assert_string_equal(p->out, "out.lens");
    assert_true(p->force && p->user_clock);
    assert_int_equal(p->interval_ns, INT64_C(1000000000));
    assert_int_equal(p->export_wait_ns, INT64_C(2000000000));
    assert_int_equal(p->slos->len, 2);
    assert_true(p->seed_given && p->seed == 42);
    assert_string_equal(p->prompts.text, "hi");
    assert_true(p->prompts.same);
}

/* Which key goes where. */
static void
a_usual_key_goes_to_its_own_url_only(void **state)
{
    static const struct {
        const char *line, *key; /* NULL: none may be sent */
    } cases[] = {
        { "run --provider openai -m m", "sk-usual" },
        { "run --provider openai -m m http://other:1", NULL },
        { "run --provider openai -m m --url http://other:1", NULL },
        { "run --provider openai:url=http://other:1 -m m", NULL },
        { "run --provider openai -m m --set provider.url=http://other:1", NULL },
        { "run --provider openai -m m --url http://o:1 --api-key-env TEST_KEY",
          "sk-test-key-1" },
        { "run --provider openai -m m --api-key-env TEST_KEY", "sk-test-key-1" },
        { "run http://other:1", NULL },
        { "run http://other:1 --api-key-env TEST_KEY", "sk-test-key-1" },
        { "run --provider groq -m m", "sk-groq" },
        { "run --provider groq -m m --url http://other:1", NULL },
        { "run --provider vllm -m m", NULL },
    };

    (void)state;
    g_setenv("OPENAI_API_KEY", "sk-usual", TRUE);
    g_setenv("GROQ_API_KEY", "sk-groq", TRUE);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(plan) p = make_good(cases[i].line);
        const char *key =
            option_values_string(target(p, 0)->provider.options, "api_key", 0);

        if (g_strcmp0(key, cases[i].key) != 0)
            fail_msg("'%s': key '%s', expected '%s'", cases[i].line, key, cases[i].key);
    }
}

static void
a_usual_key_goes_to_the_url_of_the_usual_variable(void **state)
{
    (void)state;
    g_setenv("OPENAI_API_KEY", "sk-usual", TRUE);
    g_setenv("OPENAI_BASE_URL", "http://gateway:1/v1", TRUE);
    {
        g_autoptr(plan) p = make_good("run --provider openai -m m");
        const option_values *v = target(p, 0)->provider.options;

        assert_string_equal(target(p, 0)->url, "http://gateway:1/v1");
        assert_string_equal(option_values_string(v, "api_key", 0), "sk-usual");
    }
    g_unsetenv("OPENAI_API_KEY");
    {
        g_autoptr(plan) p = make_good("run --provider openai -m m"); /* needs no key */

        assert_null(option_values_string(target(p, 0)->provider.options, "api_key", 0));
    }
}

static void
a_preset_is_a_provider_with_url_and_key(void **state)
{
    g_setenv("GROQ_API_KEY", "sk-groq", TRUE);
    {
        g_autoptr(plan) p = make_good("run --provider groq -m m");

        (void)state;
        assert_string_equal(target(p, 0)->provider.kind, "compat");
        assert_string_equal(target(p, 0)->name, "groq");
        assert_string_equal(target(p, 0)->url, "https://api.groq.com/openai/v1");
    }
}

static void
a_preset_sets_options_that_are_not_given(void **state)
{
    static const struct {
        const char *line;
        int64_t outside;
    } cases[] = {
        { "run --provider xai -m m", 1 },
        { "run --provider xai:reasoning_outside=false -m m", 0 },
        { "run --provider groq -m m", 0 },
    };

    (void)state;
    g_setenv("XAI_API_KEY", "sk-xai", TRUE);
    g_setenv("GROQ_API_KEY", "sk-groq", TRUE);
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(plan) p = make_good(cases[i].line);

        assert_int_equal(
            option_values_int(target(p, 0)->provider.options, "reasoning_outside"),
            cases[i].outside);
    }
}

static void
an_api_without_a_stream_is_never_asked_for_one(void **state)
{
    g_autoptr(plan) whole = make_good("run http://h:1 --api embeddings -m m");
    g_autoptr(plan) streamed = make_good("run http://h:1 -m m");

    (void)state;
    assert_false(target(whole, 0)->stream);
    assert_true(target(streamed, 0)->stream);
}

static void
what_is_wrong_is_said_and_no_secret_shown(void **state)
{
    static const struct {
        const char *line, *said;
    } cases[] = {
        { "run nope.yaml", "cannot read nope.yaml" },
        { "run nope", "neither a plan file" },
        { "run ftp://h:1", "http://" },
        { "run http://h:1 --url http://h:2", "twice" },
        { "run -m m", "no target" },
        { "run D(100,100)", "delays" },
        { "run --workload D(100,100)", "token counts" },
        { "run --workload clsed", "did you mean `closed`" },
        { "run --workload closed:concurency=3", "did you mean `concurrency`" },
        { "run --workload poisson -c 3", "no option of that name" },
        { "run --rate 3 -c 3", "two different loads" },
        { "run --provider opnai -m m", "did you mean `openai`" },
        { "run --provider grok -m m", "did you mean 'groq'" },
        { "run http://h:1 --api chta", "did you mean `chat`" },
        { "run --export cvs", "did you mean `csv`" },
        { "run --export csv:path=a --export csv:path=b", "two exports are called 'csv'" },
        { "run --slo nope<3", "nope" },
        { "run http://user:sk-secret-1@h:1", "user info" },
        { "run http://h:1/?key=sk-secret-1", "a key in a URL" },
        { "run http://h:1 --proxy http://u:sk-secret-1@p:1", "https_proxy" },
        { "run http://h:1 --header Authorization:~Bearer~sk-secret-1", "--api-key-env" },
        { "run http://h:1 --header x-api-key:sk-secret-1", "--api-key-env" },
        { "run http://h:1 --header Cookie:sk-secret-1", "--api-key-env" },
        { "run http://h:1 --header broken", "Name: value" },
        { "run http://h:1 --api-key-env sk-secret-1", "name of an environment variable" },
        { "run http://h:1 --api-key-env NOT_THERE", "NOT_THERE" },
        { "run http://h:1 --api-key-file /not/there", "/not/there" },
        { "run http://h:1 --set provider.api_key=sk-secret-1", "env:" },
        { "run --provider openai:api_key=sk-secret-1 -m m", "env:" },
        { "run --provider openai -m m", "OPENAI_API_KEY" },
        { "run --provider groq -m m", "GROQ_API_KEY" },
        { "run http://h:1 --set provider.temprature=1", "did you mean 'temperature'" },
        { "run http://h:1 --set nope=1", "provider.KEY=VALUE" },
        { "run http://h:1 --set export.x.y=1", "no export is called 'x'" },
        { "run http://h:1 --prompt a --prompts b", "choose one" },
        { "run http://h:1 --prompts /not/there", "/not/there" },
        { "run http://h:1 --cacert /not/there", "/not/there" },
        { "run http://h:1 --resolve nope", "HOST:PORT:ADDRESS" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(plan) p = make(cases[i].line, &error);

        if (p != NULL)
            fail_msg("'%s' was taken", cases[i].line);
        if (strstr(error->message, cases[i].said) == NULL)
            fail_msg("'%s': '%s' lacks '%s'", cases[i].line, error->message,
                     cases[i].said);
        if (strstr(error->message, "sk-secret-1") != NULL)
            fail_msg("'%s' shows the secret", cases[i].line);
        assert_int_equal(lens_error_exit(error), EXIT_USAGE);
    }
}

static void
the_value_of_a_set_is_taken_verbatim(void **state)
{
    g_autoptr(plan) p =
        make_good("run http://h:1 --set provider.extra={\"a\":[1,2],\"b\":\"x=y\"} "
                  "--export csv:name=eu,path=a --set export.eu.path=b,c=d");
    const plugin_choice *c = g_ptr_array_index(p->exports, 0);

    (void)state;
    assert_string_equal(target(p, 0)->extra, "{\"a\":[1,2],\"b\":\"x=y\"}");
    assert_string_equal(c->name, "eu");
    assert_string_equal(option_values_string(c->options, "path", 0), "b,c=d");
}

static void
the_json_names_secrets_and_reads_back_as_the_same_plan(void **state)
{
    g_autoptr(plan) p = make_good(
        "run http://h:1 --api-key-env TEST_KEY -m m --temperature 0 --stop a -n 5 "
        "--warmup 3s --slo ttft<1s --export csv:path=x --seed 18446744073709551615 "
        "--abort-after off --timeout 1234567us");
    g_autofree char *json = plan_to_json(p), *again = NULL;
    g_autoptr(registry) plugins = registry_new((const char *[]){ PLUGINS, NULL }, true);
    g_autoptr(plan) q = plan_new();
    g_autoptr(GError) error = NULL;

    (void)state;
    assert_null(strstr(json, "sk-test-key-1"));
    assert_non_null(strstr(json, "env:TEST_KEY"));
    if (!plan_parse(json, strlen(json), "p.json", plugins, q, &error) ||
        !plan_check(q, plugins, true, &error))
        fail_msg("%s in %s", error->message, json);
    again = plan_to_json(q);
    assert_string_equal(json, again);
}

static void
the_hash_is_of_what_must_be_equal_to_compare(void **state)
{
    static const struct {
        const char *line;
        bool same;
    } cases[] = {
        { "run http://h:1 -n 5", true },
        { "run http://other:2 -m m -n 5 --seed 9 -o f --strict", true },
        { "run http://h:1 -n 6", false },
        { "run http://h:1 -n 5 -c 2", false },
        { "run http://h:1 -n 5 --max-tokens 9", false },
        { "run http://h:1 -n 5 --prompt hi", false },
        { "run http://h:1 -n 5 --warmup 1", false },
    };
    g_autoptr(plan) first = make_good("run http://h:1 -n 5");
    g_autofree char *expected = plan_hash(first);

    (void)state;
    assert_int_equal(strlen(expected), 64);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(plan) p = make_good(cases[i].line);
        g_autofree char *hash = plan_hash(p);

        if (g_str_equal(hash, expected) != cases[i].same)
            fail_msg("'%s': the hash is %s", cases[i].line,
                     cases[i].same ? "another" : "the same");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(nothing_named_means_the_mock_and_the_defaults,
                               clean_environment),
        cmocka_unit_test_setup(a_bare_url_means_compat_chat, clean_environment),
        cmocka_unit_test(a_duration_alone_takes_away_the_hundred_requests),
        cmocka_unit_test(a_workload_that_ends_by_itself_is_not_cut),
        cmocka_unit_test(a_rate_alone_is_constant),
        cmocka_unit_test(flags_reach_their_places),
        cmocka_unit_test_setup(a_usual_key_goes_to_its_own_url_only, clean_environment),
        cmocka_unit_test_setup(a_usual_key_goes_to_the_url_of_the_usual_variable,
                               clean_environment),
        cmocka_unit_test_setup(a_preset_sets_options_that_are_not_given,
                               clean_environment),
        cmocka_unit_test_setup(an_api_without_a_stream_is_never_asked_for_one,
                               clean_environment),
        cmocka_unit_test_setup(a_preset_is_a_provider_with_url_and_key,
                               clean_environment),
        cmocka_unit_test_setup(what_is_wrong_is_said_and_no_secret_shown,
                               clean_environment),
        cmocka_unit_test(the_value_of_a_set_is_taken_verbatim),
        cmocka_unit_test_setup(the_json_names_secrets_and_reads_back_as_the_same_plan,
                               clean_environment),
        cmocka_unit_test(the_hash_is_of_what_must_be_equal_to_compare),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
