#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "error.h"
#include "plan.h"

#define TARGET "targets: [{url: 'http://h:1'}]\n"

static registry *plugins;

static int
load_plugins(void **state)
{
    (void)state;
    plugins = registry_new((const char *[]){ PLUGINS, NULL }, true);
    g_unsetenv("OPENAI_API_KEY");
    g_unsetenv("NOT_SET");
    g_setenv("TEST_KEY", "sk-test-key-1", TRUE);
    g_setenv("TEST_HOST", "10.0.0.7", TRUE);
    return 0;
}

static int
free_plugins(void **state)
{
    (void)state;
    registry_free(plugins);
    return 0;
}

static plan *
read_text(const char *text, size_t size, GError **error)
{
    g_autoptr(plan) p = plan_new();

    return plan_parse(text, size, "p.yaml", plugins, p, error) &&
                   plan_check(p, plugins, false, error)
               ? g_steal_pointer(&p)
               : NULL;
}

static plan *
read_good(const char *text)
{
    g_autoptr(GError) error = NULL;
    plan *p = read_text(text, strlen(text), &error);

    if (p == NULL)
        fail_msg("%s\n%s", error->message, text);
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

/* The example of the contract, with exporters that are here. */
static void
the_example_is_read(void **state)
{
    g_autoptr(plan) p = read_good(
        "lens: 1                       # version of this form\n"
        "seed: 42\n"
        "targets:\n"
        "  - {name: a, provider: openai, api: chat, model: gpt-4o-mini, "
        "api_key_env: TEST_KEY, options: {temperature: 0}}\n"
        "  - {name: b, url: \"http://127.0.0.1:8000\", model: m, "
        "limits: {rpm: 600, tpm: 100000}}\n"
        "prompts: {order: seeded}\n"
        "stages:\n"
        "  - {name: low,  workload: {kind: poisson, rate: 5},      duration: 60s, "
        "warmup: 10s}\n"
        "  - {name: high, workload: {kind: closed, concurrency: 64}, requests: 2000, "
        "targets: [b]}\n"
        "slo: [\"ttft.p99<500ms\", \"errors<1%\"]\n"
        "export: [{kind: csv, path: out.csv}, {kind: csv, name: eu, path: b.csv}]\n");

    (void)state;
    assert_true(p->seed_given && p->seed == 42);
    assert_string_equal(target(p, 0)->name, "a");
    assert_string_equal(target(p, 0)->provider.kind, "openai");
    assert_string_equal(target(p, 0)->url, "https://api.openai.com/v1");
    assert_true(target(p, 0)->temperature == 0);
    assert_true(isnan(target(p, 1)->temperature));
    assert_string_equal(target(p, 1)->provider.kind, "compat");
    assert_true(target(p, 1)->rpm == 600 && target(p, 1)->tpm == 100000);
    assert_true(p->prompts.seeded);
    assert_string_equal(stage(p, 0)->workload.kind, "poisson");
    assert_int_equal(stage(p, 0)->duration_ns, INT64_C(60000000000));
    assert_int_equal(stage(p, 0)->warmup_ns, INT64_C(10000000000));
    assert_int_equal(stage(p, 0)->requests, -1);
    assert_true(plan_stage_has_target(stage(p, 0), target(p, 0)));
    assert_int_equal(option_values_int(stage(p, 1)->workload.options, "concurrency"), 64);
    assert_int_equal(stage(p, 1)->requests, 2000);
    assert_false(plan_stage_has_target(stage(p, 1), target(p, 0)));
    assert_true(plan_stage_has_target(stage(p, 1), target(p, 1)));
    assert_int_equal(p->slos->len, 2);
    assert_string_equal(((plugin_choice *)g_ptr_array_index(p->exports, 1))->name, "eu");
}

static void
every_option_reaches_its_place(void **state)
{
    g_autoptr(plan) p = read_good(
        "threads: 2\nretries: 3\nretry_max_wait: 9s\nabort_after: off\ninterval: 1s\n"
        "export_wait: 2s\npreflight: false\nstrict: true\nspin: true\nrecord_text: true\n"
        "deltas: false\nout: o.lens\nseed: '18446744073709551615'\n"
        "targets:\n"
        "  url: http://h:1\n"
        "  connect_timeout: 1s\n  first_token_timeout: 2s\n  gap_timeout: 3s\n"
        "  timeout: 4s\n  http: '2'\n  multiplex: true\n  reuse: false\n"
        "  compressed: true\n  follow_redirects: true\n  insecure: true\n"
        "  proxy: http://p:1\n  resolve: ['h:1:127.0.0.1']\n"
        "  options:\n"
        "    max_tokens: 9\n    min_tokens: 4\n    top_p: 0.5\n    top_k: 3\n"
        "    seed: -5\n    n: 2\n    stop: [a, 'b c']\n    ignore_eos: true\n"
        "    stream: false\n    headers: {X-A: b, X-C: 'd: e'}\n"
        "    extra: {a: [1, '1', true, null, 1.5, x], b: {c: ''}}\n"
        "    reasoning_effort: low\n"
        "prompts: {text: hi, same: true}\n"
        "stages: {drain: 5s, max_in_flight: 7, warmup: 3, workload: "
        "'closed:concurrency=2'}\n"
        "slo: ttft<1s\n");
    const plan_target *t = target(p, 0);

    (void)state;
    assert_int_equal(p->threads, 2);
    assert_int_equal(p->retries, 3);
    assert_int_equal(p->abort_after, -1);
    assert_true(!p->preflight && p->strict && p->spin && p->record_text && !p->deltas);
    assert_string_equal(p->out, "o.lens");
    assert_true(p->seed == UINT64_MAX);
    assert_int_equal(t->idle_timeout_ns, INT64_C(3000000000));
    assert_int_equal(t->http, HTTP_2);
    assert_true(t->multiplex && !t->reuse && t->compressed && t->follow_redirects);
    assert_true(t->insecure && t->ignore_eos && !t->stream);
    assert_int_equal(t->max_tokens, 9);
    assert_int_equal(t->min_tokens, 4);
    assert_int_equal(t->top_k, 3);
    assert_int_equal(t->seed, -5);
    assert_int_equal(t->n, 2);
    assert_string_equal(t->stop[1], "b c");
    assert_string_equal(t->headers[0], "X-A: b");
    assert_string_equal(t->headers[1], "X-C: d: e");
    assert_string_equal(t->extra,
                        "{\"a\":[1,\"1\",true,null,1.5,\"x\"],\"b\":{\"c\":\"\"}}");
    assert_string_equal(option_values_string(t->provider.options, "reasoning_effort", 0),
                        "low");
    assert_string_equal(p->prompts.text, "hi");
    assert_true(p->prompts.same);
    assert_int_equal(stage(p, 0)->drain_ns, INT64_C(5000000000));
    assert_int_equal(stage(p, 0)->max_in_flight, 7);
    assert_int_equal(stage(p, 0)->warmup_requests, 3);
    assert_int_equal(p->slos->len, 1);
}

static void
json_is_read_too(void **state)
{
    g_autoptr(plan) p = read_good(
        "{\"lens\": 1,\n\t\"targets\": [{\"url\": \"http:\\/\\/h:1\", \"model\": null_m, "
        "\"options\": {\"stop\": [\"\\ud83d\\ude00\", \"\\u00e9\", "
        "\"\\\\ud83d\\\\ude00\"]}}]}");

    (void)state;
    assert_string_equal(target(p, 0)->url, "http://h:1");
    assert_string_equal(target(p, 0)->stop[0], "\xf0\x9f\x98\x80");
    assert_string_equal(target(p, 0)->stop[1], "\xc3\xa9");
    assert_string_equal(target(p, 0)->stop[2], "\\ud83d\\ude00");
}

static void
variables_are_replaced_in_texts(void **state)
{
    g_autoptr(plan) p =
        read_good("targets: [{url: \"http://${TEST_HOST}:80/${TEST_HOST}\", "
                  "model: \"$${TEST_HOST} $x\"}]\n");

    (void)state;
    assert_string_equal(target(p, 0)->url, "http://10.0.0.7:80/10.0.0.7");
    assert_string_equal(target(p, 0)->model, "${TEST_HOST} $x");
}

static void
an_alias_is_written_out(void **state)
{
    g_autoptr(plan) p = read_good("targets:\n"
                                  "  - {name: a, url: 'http://h:1', options: &o {n: 2}}\n"
                                  "  - {name: b, url: 'http://h:2', options: *o}\n");

    (void)state;
    assert_int_equal(target(p, 1)->n, 2);
}

static void
what_is_wrong_is_said_with_its_place(void **state)
{
    static const struct {
        const char *text, *said;
    } cases[] = {
        { "", "p.yaml:1:1: the file is empty" },
        { "# nothing\n", "p.yaml:1:1: the file is empty" },
        { "[]", "p.yaml:1:1: " },
        { "targets: [\n", "p.yaml:2:1: not valid YAML" },
        { "targets:\n\t- a\n", "p.yaml:2:1: not valid YAML" },
        { "a: \xff", "p.yaml:1:4: not valid YAML" },
        { "lens: 2\n" TARGET, "p.yaml:1:7: this lens reads plans of version 1" },
        { TARGET "sede: 4\n", "p.yaml:2:1: unknown key 'sede', did you mean 'seed'?" },
        { TARGET "zzzzzzzz: 4\n", "p.yaml:2:1: unknown key 'zzzzzzzz', expected one of" },
        { TARGET "seed: x\n", "p.yaml:2:7: seed: expected a number" },
        { "seed: 1\nseed: 2\n",
          "p.yaml:2:1: key 'seed' is given twice, first in line 1" },
        { TARGET "---\na: b\n", "p.yaml:2:1: a second document" },
        { TARGET "seed: !foo 1\n", "p.yaml:2:7: tags" },
        { TARGET "? [a]\n: b\n", "p.yaml:2:3: expected the name of a key" },
        { TARGET "threads: 0\n", "p.yaml:2:10: threads: expected 1 to 256" },
        { TARGET "threads: [1]\n", "p.yaml:2:10: threads: expected one value" },
        { TARGET "threads: ~\n", "p.yaml:2:10: threads has no value" },
        { "targets: []\n", "p.yaml:1:10: the list is empty" },
        { "targets: [{name: a}]\n", "p.yaml:1:11: a target needs a provider or a url" },
        { "targets: [{url: 'http://h', modle: x}]\n",
          "p.yaml:1:29: unknown key 'modle'" },
        { "targets: [{url: 'http://h', temperature: 1}]\n", "p.yaml:1:29: 'temperature' "
                                                            "belongs under options" },
        { "targets: [{url: 'http://h', rpm: 1}]\n", "p.yaml:1:29: 'rpm' belongs under" },
        { "targets: [{url: 'http://h', options: {temprature: 1}}]\n",
          "p.yaml:1:39: provider compat has no option 'temprature', did you mean "
          "'temperature'?" },
        { "targets: [{url: 'http://h', options: {top_p: 2}}]\n",
          "p.yaml:1:46: top_p: expected 0 to 1" },
        { "targets: [{url: 'http://h', api: chta}]\n", "p.yaml:1:11: " },
        { "targets: [{url: 'http://h'}, {url: 'http://i'}]\n",
          "p.yaml:1:30: two targets are called 'compat'" },
        { "targets: [{provider: opnai}]\n", "p.yaml:1:22: " },
        { "targets: [{provider: groqq}]\n", "did you mean 'groq'" },
        { "targets: [{url: '${NOT_SET}'}]\n", "p.yaml:1:17: the environment variable "
                                              "NOT_SET is not set" },
        { "targets: [{url: '${}'}]\n", "p.yaml:1:17: expected ${NAME}" },
        { "targets: [{url: 'http://h', api_key_env: NOT_SET}]\n", "NOT_SET" },
        { "targets: [{provider: openai, model: m}]\n", "OPENAI_API_KEY" },
        { TARGET "stages: [{workload: D(100)}]\n", "p.yaml:2:21: 'D(100)' can be read" },
        { TARGET "stages: [{workload: {kind: poison}}]\n", "p.yaml:2:28: " },
        { TARGET "stages: [{workload: {kind: poisson, rat: 4}}]\n", "p.yaml:2:37: " },
        { TARGET "stages: [{workload: {kind: poisson}}]\n", "p.yaml:2:10: " },
        { TARGET "stages: [{workload: {rate: 4}}]\n", "p.yaml:2:21: expected {kind" },
        { TARGET "stages: [{duration: 5}]\n", "p.yaml:2:21: duration: " },
        { TARGET "stages: [{duraton: 5s}]\n", "p.yaml:2:11: unknown key 'duraton', did "
                                              "you mean 'duration'?" },
        { TARGET "stages: [{targets: [compta]}]\n", "p.yaml:2:21: unknown target 'compta'"
                                                    ", did you mean 'compat'?" },
        { TARGET "stages: [{name: a}, {name: a}]\n", "p.yaml:2:21: two stages" },
        { TARGET "slo: ['ttft<1s', 'nope<1']\n", "p.yaml:2:18: " },
        { TARGET "export: [{kind: csv, path: a}, {kind: csv, path: b}]\n",
          "p.yaml:2:32: two exports are called 'csv'" },
        { TARGET "prompts: {file: /not/there}\n", "p.yaml:2:10: prompts: cannot read" },
        { TARGET "prompts: {text: a, file: b}\n", "p.yaml:2:10: " },
        { TARGET "prompts: {order: random}\n", "expected one of in_order, seeded" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(plan) p = read_text(cases[i].text, strlen(cases[i].text), &error);

        if (p != NULL)
            fail_msg("taken: %s", cases[i].text);
        if (strstr(error->message, cases[i].said) == NULL)
            fail_msg("'%s' lacks '%s'", error->message, cases[i].said);
        assert_int_equal(lens_error_exit(error), EXIT_USAGE);
    }
}

/* Whether written out or brought in by a variable, it is refused and never repeated. */
static void
a_secret_is_refused_and_not_shown(void **state)
{
    static const char *const texts[] = {
        "targets: [{url: 'http://h', api_key: sk-secret-1}]\n",
        "targets: [{url: 'http://h', api_key: '${TEST_SECRET}'}]\n",
        "targets: [{url: 'http://h', api_key_env: sk-secret-1}]\n",
        "targets: [{url: 'http://h', options: {api_key: sk-secret-1}}]\n",
        "targets: [{provider: 'openai:api_key=sk-secret-1'}]\n",
        "targets: [{url: 'http://u:sk-secret-1@h'}]\n",
        "targets: [{url: 'http://u:${TEST_SECRET}@h'}]\n",
        "targets: [{url: 'http://h?api_key=sk-secret-1'}]\n",
        "targets: [{url: 'http://h', proxy: 'http://u:sk-secret-1@p:1'}]\n",
        "targets: [{url: 'http://h', options: {headers: {Authorization: "
        "sk-secret-1}}}]\n",
        "targets: [{url: 'http://h', options: {headers: ['x-api-key: sk-secret-1']}}]\n",
        "targets: [{url: 'http://h', options: {temperature: '${TEST_SECRET}'}}]\n",
        TARGET "threads: '${TEST_SECRET}'\n",
    };

    (void)state;
    g_setenv("TEST_SECRET", "sk-secret-1", TRUE);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;

        if (read_text(texts[i], strlen(texts[i]), &error) != NULL)
            fail_msg("taken: %s", texts[i]);
        assert_non_null(strstr(error->message, "p.yaml:"));
        if (strstr(error->message, "sk-secret-1") != NULL)
            fail_msg("shown: %s", texts[i]);
    }
}

/* A command is not run when nothing is resolved. */
static void
a_named_command_is_not_run_by_a_check(void **state)
{
    g_autoptr(plan) p = read_good("targets: [{url: 'http://h', api_key: 'cmd:false'}]\n");

    (void)state;
    assert_string_equal(target(p, 0)->given_key, "cmd:false");
}

static void
hostile_texts_end_soon_with_an_error(void **state)
{
    g_autoptr(GString) deep = g_string_new(NULL), wide = g_string_new("a: &a [x");
    g_autoptr(GString) large = g_string_new(NULL), keys = g_string_new(NULL);
    g_autoptr(GString) texts = g_string_new("a: &a '");
    const GString *all[] = { deep, wide, large, keys, texts };

    (void)state;
    for (int i = 0; i < 100000; i++)
        g_string_append_c(deep, '[');
    for (int i = 0; i < 100; i++)
        g_string_append(wide, ",x");
    g_string_append(wide, "]\n");
    for (char c = 'b'; c <= 'i'; c++) {
        g_string_append_printf(wide, "%c: &%c [*%c", c, c, c - 1);
        for (int i = 0; i < 100; i++)
            g_string_append_printf(wide, ",*%c", c - 1);
        g_string_append(wide, "]\n");
    }
    for (int i = 0; i < 2000000; i++)
        g_string_append_c(large, ' ');
    for (int i = 0; i < 50000; i++)
        g_string_append_printf(keys, "k%d: 1\n", i);
    for (int i = 0; i < 100000; i++)
        g_string_append_c(texts, 'x');
    g_string_append(texts, "'\nb: [*a");
    for (int i = 0; i < 10000; i++)
        g_string_append(texts, ",*a");
    g_string_append(texts, "]\n");
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        g_autoptr(GError) error = NULL;

        assert_null(read_text(all[i]->str, all[i]->len, &error));
        assert_non_null(strstr(error->message, "p.yaml:"));
    }
}

/* Every prefix of a plan, and the plan with each byte broken. */
static void
broken_plans_never_crash(void **state)
{
    static const char text[] =
        "{lens: 1, seed: \"4${TEST_HOST}\", targets: [{url: 'http://h:1', options: &o "
        "{n: 2, "
        "extra: {a: [1]}, stop: [\"\\u00e9\"]}}], stages: [{workload: {kind: closed}, "
        "warmup: 3}], slo: [ttft<1s], export: [{kind: csv, path: a}], prompts: {same: "
        "on}}";

    (void)state;
    for (size_t size = 0; size < sizeof text; size++) {
        static const char broken[] = "\0{}[]:,'\"&*!|>#%@`\\\n\t\x80\xff-?$";
        char copy[sizeof text];
        g_autoptr(plan) p = read_text(text, size, NULL);

        assert_true(p == NULL || size >= sizeof text - 1); /* nothing is closed yet */
        memcpy(copy, text, sizeof text);
        for (size_t i = 0; i < sizeof broken - 1; i++) {
            g_autoptr(plan) q = NULL;

            copy[size] = broken[i];
            q = read_text(copy, sizeof text - 1, NULL);
            assert_true(q == NULL || q->targets->len == 1);
        }
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_example_is_read),
        cmocka_unit_test(every_option_reaches_its_place),
        cmocka_unit_test(json_is_read_too),
        cmocka_unit_test(variables_are_replaced_in_texts),
        cmocka_unit_test(an_alias_is_written_out),
        cmocka_unit_test(what_is_wrong_is_said_with_its_place),
        cmocka_unit_test(a_secret_is_refused_and_not_shown),
        cmocka_unit_test(a_named_command_is_not_run_by_a_check),
        cmocka_unit_test(hostile_texts_end_soon_with_an_error),
        cmocka_unit_test(broken_plans_never_crash),
    };

    return cmocka_run_group_tests(tests, load_plugins, free_plugins);
}
