#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "result.h"
#include "slo.h"

#define MS INT64_C(1000000)

static run_info *
a_run(unsigned requests, const char *const *slos)
{
    run_info *run = run_info_new();
    result *r;

    for (; slos != NULL && *slos != NULL; slos++)
        g_ptr_array_add(run->slos, slo_parse(*slos, NULL));
    run->id = g_strdup("0123");
    run->version = g_strdup("0.1.0");
    run->seed = UINT64_MAX;
    run->start_unix_ns = INT64_C(1792584859) * 1000 * MS + 7 * MS;
    run->duration_ns = 1500 * MS;
    r = result_new(run->slos);
    r->target_name = g_strdup("a \"quoted\" name");
    r->workload_options = g_strdup("{\"concurrency\": 4}");
    g_ptr_array_add(run->results, r);
    for (unsigned i = 0; i < requests; i++) {
        sample *s = sample_new(1);
        attempt *a = &s->attempts[0];

        s->phase = LENS_PART_MEASURED;
        s->outcome = i == 3 ? LENS_OUTCOME_FAILED : LENS_OUTCOME_OK;
        s->due_ns = a->start_ns = a->departure_ns = (int64_t)i * 10 * MS;
        a->streamed = true;
        a->first_output_ns = a->last_output_ns = a->departure_ns + MS / 10;
        a->terminal_ns = a->end_ns = a->departure_ns + 10 * MS;
        a->output_messages = a->kernel_stamps = 1;
        a->usage[LENS_USAGE_OUTPUT] = 5;
        a->error_kind = i == 3 ? LENS_KIND_RATE_LIMIT : 0;
        a->error_where = i == 3 ? WHERE_HTTP : 0;
        a->error_detail = i == 3 ? g_strdup("bad \xff byte") : NULL;
        tally_add_sample(r->tally, s, run->slos);
        sample_free(s);
    }
    run_info_judge(run);
    return run;
}

/* The node at a path like "results.0.latency.ttft.p50"; fails when it is not there. */
static JsonNode *
at(JsonNode *node, const char *path)
{
    g_auto(GStrv) names = g_strsplit(path, ".", -1);

    for (char **name = names; *name != NULL; name++) {
        if (JSON_NODE_HOLDS_ARRAY(node))
            node = json_array_get_element(json_node_get_array(node),
                                          (guint)g_ascii_strtoull(*name, NULL, 10));
        else
            node = json_object_get_member(json_node_get_object(node), *name);
        if (node == NULL)
            fail_msg("'%s' has no '%s'", path, *name);
    }
    return node;
}

static bool
is_null(JsonNode *root, const char *path)
{
    return JSON_NODE_HOLDS_NULL(at(root, path));
}

static double
number(JsonNode *root, const char *path)
{
    return json_node_get_double(at(root, path));
}

static const char *
text(JsonNode *root, const char *path)
{
    return json_node_get_string(at(root, path));
}

static JsonNode *
summary_of(const run_info *run)
{
    g_autofree char *json = summary_json(run);
    g_autoptr(GError) error = NULL;
    JsonNode *root = json_from_string(json, &error);

    assert_null(strstr(json, "nan"));
    assert_null(strstr(json, "inf"));
    assert_true(g_utf8_validate(json, -1, NULL));
    if (root == NULL)
        fail_msg("%s in %s", error->message, json);
    return root;
}

/* lens.summary/1. */
static const char *const members =
    "schema run.id run.started_at run.duration_s run.seed run.version run.plan_hash "
    "run.host.name run.host.cpu run.host.cores run.host.kernel run.verdict.state "
    "run.verdict.reasons run.exports results.0.target results.0.stage "
    "results.0.provider results.0.api results.0.model results.0.url "
    "results.0.workload.name results.0.workload.options results.0.window.start_s "
    "results.0.window.end_s results.0.requests.total results.0.requests.ok "
    "results.0.requests.failed results.0.requests.cancelled "
    "results.0.requests.censored results.0.requests.warmup results.0.requests.cooldown "
    "results.0.requests.no_output results.0.requests.retries results.0.requests.errors "
    "results.0.tokens.input results.0.tokens.cache_read results.0.tokens.cache_write "
    "results.0.tokens.output results.0.tokens.reasoning "
    "results.0.tokens.unknown_requests results.0.throughput.requests_per_s "
    "results.0.throughput.output_tokens_per_s results.0.throughput.input_tokens_per_s "
    "results.0.client.clock.kernel results.0.client.clock.user "
    "results.0.client.clock.interval results.0.client.lag.p99 "
    "results.0.client.start_late.p99 results.0.client.merged "
    "results.0.client.shared_read_share results.0.client.reuse_ratio "
    "results.0.client.in_flight_max results.0.client.cpu_s "
    "results.0.client.max_rss_bytes results.0.goodput.slo results.0.goodput.ratio "
    "results.0.goodput.requests_per_s results.0.slo results.0.verdict.state "
    "results.0.verdict.reasons";
static const char *const latencies =
    "ttft ttft_text ttft_from_due ttft_text_from_due ttst itl itl_token tpot e2e "
    "e2e_from_due ttfb dns connect tls network server output_tokens_per_s_per_request";
static const char *const stats =
    "count min mean stddev p50 p75 p90 p95 p99 p99_9 max needs";

static void
every_member_is_always_there(void **state)
{
    g_auto(GStrv) plain = g_strsplit(members, " ", -1);
    g_auto(GStrv) ids = g_strsplit(latencies, " ", -1);
    g_auto(GStrv) of = g_strsplit(stats, " ", -1);

    (void)state;
    for (unsigned requests = 0; requests < 6; requests += 5) {
        g_autoptr(run_info) run = a_run(requests, NULL);
        g_autoptr(JsonNode) root = summary_of(run);

        for (char **m = plain; *m != NULL; m++)
            at(root, *m);
        for (char **id = ids; *id != NULL; id++) {
            for (char **s = of; *s != NULL; s++) {
                g_autofree char *path =
                    g_strdup_printf("results.0.latency.%s.%s", *id, *s);

                at(root, path);
            }
        }
        assert_int_equal(
            json_object_get_size(json_node_get_object(at(root, "results.0.latency"))),
            17);
    }
}

static void
unknown_is_null(void **state)
{
    g_autoptr(run_info) run = a_run(5, NULL);
    g_autoptr(JsonNode) root = summary_of(run);

    (void)state;
    assert_true(is_null(root, "results.0.tokens.input"));
    assert_true(is_null(root, "results.0.latency.tpot.mean"));
    assert_true(is_null(root, "results.0.throughput.input_tokens_per_s"));
    assert_true(is_null(root, "results.0.goodput.ratio"));
    assert_true(is_null(root, "results.0.goodput.requests_per_s"));
    assert_true(is_null(root, "results.0.model"));
    assert_true(is_null(root, "run.host.name"));
    assert_int_equal(number(root, "results.0.latency.tpot.count"), 0);
}

static void
values_are_those_of_the_samples(void **state)
{
    g_autoptr(run_info) run = a_run(5, NULL);
    g_autoptr(JsonNode) root = summary_of(run);

    (void)state;
    assert_string_equal(text(root, "schema"), "lens.summary/1");
    assert_string_equal(text(root, "run.seed"), "18446744073709551615");
    assert_string_equal(text(root, "run.started_at"), "2026-10-21T12:14:19.007Z");
    assert_true(number(root, "run.duration_s") == 1.5);
    assert_string_equal(text(root, "results.0.target"), "a \"quoted\" name");
    assert_int_equal(number(root, "results.0.workload.options.concurrency"), 4);
    assert_int_equal(number(root, "results.0.requests.total"), 5);
    assert_int_equal(number(root, "results.0.requests.ok"), 4);
    assert_int_equal(number(root, "results.0.requests.errors.rate_limit.count"), 1);
    assert_string_equal(text(root, "results.0.requests.errors.rate_limit.where"), "http");
    assert_string_equal(text(root, "results.0.requests.errors.rate_limit.example"),
                        "bad \xef\xbf\xbd byte");
    assert_int_equal(number(root, "results.0.tokens.output"), 25);
    assert_int_equal(number(root, "results.0.tokens.unknown_requests"), 5);
    assert_true(number(root, "results.0.latency.ttft.mean") == 0.1);
    assert_true(number(root, "results.0.window.end_s") == 0.05);
    assert_true(number(root, "results.0.throughput.requests_per_s") == 80);
    assert_true(number(root, "results.0.throughput.output_tokens_per_s") == 500);
    assert_true(number(root, "results.0.client.shared_read_share") == 0);
    assert_string_equal(text(root, "results.0.verdict.state"), "SUSPECT");
    assert_string_equal(text(root, "run.verdict.reasons.0.id"), "failures");
    assert_true(number(root, "run.verdict.reasons.0.value") == 0.2);
}

static void
a_percentile_of_too_few_says_so(void **state)
{
    static const struct {
        unsigned requests; /* one of them failed */
        const char *known, *unknown;
        int needs;
    } cases[] = { { 3, "p50", "p75", 4 },
                  { 10, "p75", "p90", 10 },
                  { 11, "p90", "p95", 20 },
                  { 100, "p95", "p99", 100 },
                  { 101, "p99", "p99_9", 1000 } };

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        g_autoptr(run_info) run = a_run(cases[i].requests, NULL);
        g_autoptr(JsonNode) root = summary_of(run);
        JsonNode *block = at(root, "results.0.latency.ttft");
        JsonObject *needs = json_node_get_object(at(block, "needs"));

        assert_false(is_null(block, cases[i].known));
        assert_true(is_null(block, cases[i].unknown));
        assert_false(json_object_has_member(needs, cases[i].known));
        assert_int_equal(json_object_get_int_member(needs, cases[i].unknown),
                         cases[i].needs);
    }
}

static void
slos_are_told_apart(void **state)
{
    static const char *const slos[] = { "ttft.p50<1ms", "errors<1%",   "tpot.mean<1s",
                                        "ttft<1ms",     "goodput>90%", NULL };
    g_autoptr(run_info) run = a_run(10, slos);
    g_autoptr(JsonNode) root = summary_of(run);

    (void)state;
    assert_int_equal(
        json_array_get_length(json_node_get_array(at(root, "results.0.slo"))), 4);
    assert_string_equal(text(root, "results.0.slo.0.expr"), "ttft.p50<1ms");
    assert_true(json_node_get_boolean(at(root, "results.0.slo.0.ok")));
    assert_string_equal(text(root, "results.0.slo.0.unit"), "ms");
    assert_true(number(root, "results.0.slo.1.value") == 0.1);
    assert_false(json_node_get_boolean(at(root, "results.0.slo.1.ok")));
    assert_true(is_null(root, "results.0.slo.2.value"));
    assert_false(json_node_get_boolean(at(root, "results.0.slo.2.ok")));
    assert_true(number(root, "results.0.slo.3.value") == 0.9);
    assert_string_equal(text(root, "results.0.goodput.slo.0"), "ttft<1ms");
    assert_true(number(root, "results.0.goodput.ratio") == 0.9);
    assert_true(number(root, "results.0.goodput.requests_per_s") == 90);
    assert_false(run_info_slos_met(run));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member_is_always_there),
        cmocka_unit_test(unknown_is_null),
        cmocka_unit_test(values_are_those_of_the_samples),
        cmocka_unit_test(a_percentile_of_too_few_says_so),
        cmocka_unit_test(slos_are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
