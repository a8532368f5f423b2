#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "paper.h"
#include "report.h"
#include "slo.h"

#define MS INT64_C(1000000)

static result *
add_result(run_info *run, const char *target, unsigned requests, unsigned failures)
{
    result *r = result_new(run->slos);

    r->target_name = g_strdup(target);
    r->stage_name = g_strdup("main");
    r->provider = g_strdup("compat");
    r->api = g_strdup("chat");
    r->model = g_strdup("m");
    r->workload = g_strdup("closed");
    r->workload_options = g_strdup("{\"concurrency\":4}");
    g_ptr_array_add(run->results, r);
    for (unsigned i = 0; i < requests; i++) {
        sample *s = sample_new(1);
        attempt *a = &s->attempts[0];

        s->phase = LENS_PART_MEASURED;
        s->outcome = i < failures ? LENS_OUTCOME_FAILED : LENS_OUTCOME_OK;
        s->due_ns = a->start_ns = a->departure_ns = (int64_t)i * 10 * MS;
        a->streamed = true;
        a->output_messages = a->kernel_stamps = 1;
        a->first_output_ns = a->first_text_ns = a->last_output_ns =
            a->departure_ns + 250 * MS;
        a->terminal_ns = a->end_ns = a->departure_ns + 500 * MS;
        a->usage[LENS_USAGE_OUTPUT] = 1000;
        a->error_kind = i < failures ? LENS_KIND_RATE_LIMIT : 0;
        a->error_where = i < failures ? WHERE_HTTP : 0;
        a->error_detail = i < failures ? g_strnfill(300, 'z') : NULL;
        tally_add_sample(r->tally, s, run->slos);
        sample_free(s);
    }
    return r;
}

static run_info *
a_run(const char *const *slos)
{
    run_info *run = run_info_new();

    for (; slos != NULL && *slos != NULL; slos++)
        g_ptr_array_add(run->slos, slo_parse(*slos, NULL));
    run->run_file = g_strdup("x.lens");
    return run;
}

static char *
report_of(run_info *run)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);

    run_info_judge(run);
    report_print(run, out);
    fclose(out);
    return text;
}

static void
assert_says(const char *report, const char *words)
{
    if (strstr(report, words) == NULL)
        fail_msg("'%s' is missing in:\n%s", words, report);
}

static void
no_line_is_wider_than_the_paper(void **state)
{
    static const char *const slos[] = { "errors<1%", "ttft<1s", "tpot<30ms", "e2e<1s",
                                        NULL };
    g_autoptr(run_info) run = a_run(slos);
    g_autofree char *report = NULL;
    g_auto(GStrv) lines = NULL;
    result *r;

    (void)state;
    add_result(run, "a", 2000, 300);
    r = add_result(run, "a-target-with-a-name-that-does-not-fit-anywhere", 20, 19);
    r->url = g_strdup_printf("http://%0*d/v1", 200, 7);
    r->judge.open_loop = true;
    r->tally->stall_ns = 5000 * MS;
    add_result(run, "none", 0, 0);
    report = report_of(run);
    lines = g_strsplit(report, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        if (g_utf8_strlen(*line, -1) > PAPER_WIDTH)
            fail_msg("too wide: %s", *line);
    }
    assert_null(strchr(report, '\033'));
    assert_null(strstr(report, "nan"));
}

static void
numbers_and_verdict_are_told(void **state)
{
    static const char *const slos[] = { "errors<1%", "ttft.p99<1s", "itl.p99<1s",
                                        "ttft<300ms", NULL };
    g_autoptr(run_info) run = a_run(slos);
    g_autofree char *report = NULL;
    result *r = add_result(run, "t", 200, 20);

    (void)state;
    r->url = g_strdup("http://h/v1");
    report = report_of(run);
    assert_says(report, "t (compat chat, m) at http://h/v1");
    assert_says(report, "closed concurrency=4");
    assert_says(report, "180 of 200 ok, 20 failed");
    assert_says(report, "20 rate_limit (http):\n           zzz");
    assert_says(report, "200,000 out");
    assert_says(report, "ttft           ms");
    assert_says(report, "250.00");
    assert_says(report, "MISSED errors<1%, seen 10.0 %");
    assert_says(report, "met    ttft.p99<1s, seen 250.0 ms");
    assert_says(report, "MISSED itl.p99<1s, seen n/a");
    assert_says(report, "90.0 % of requests meet ttft<300ms");
    assert_says(report, "SUSPECT");
    assert_says(report, "failures: 10.0 %");
    assert_says(report, "x.lens");
    assert_null(strstr(report, "built-in mock"));
}

static void
too_few_samples_are_told(void **state)
{
    g_autoptr(run_info) run = a_run(NULL);
    g_autofree char *report = NULL;

    (void)state;
    run->is_mock = true;
    add_result(run, "t", 150, 0);
    report = report_of(run);
    assert_says(report, "n/a: too few samples, p99.9 needs 1000");
    assert_null(strstr(report, "p99 needs"));
    assert_says(report, "built-in mock");
}

static void
several_results_are_compared(void **state)
{
    g_autoptr(run_info) run = a_run(NULL);
    g_autofree char *report = NULL;

    (void)state;
    add_result(run, "first", 10, 0);
    add_result(run, "second", 10, 10);
    report = report_of(run);
    assert_true(g_str_has_prefix(report, "target         stage "));
    assert_says(report, "\nfirst          main           10      0");
    assert_says(report, "\nsecond         main            0     10");
    assert_says(report, "INVALID\n");
}

static void
amounts_carry_their_unit(void **state)
{
    static const struct {
        double ms;
        const char *text;
    } times[] = { { 0, "0 us" },         { 0.0854, "85 us" },  { 0.9994, "999 us" },
                  { 1, "1.00 ms" },      { 9.994, "9.99 ms" }, { 200.12, "200.1 ms" },
                  { 1234.5, "1234 ms" }, { 12345, "12.3 s" },  { NAN, "n/a" } };
    static const struct {
        double value;
        const char *text;
    } amounts[] = { { 0.421, "0.42" },        { 17.14, "17.1" },   { 171.4, "171" },
                    { 1234567, "1,234,567" }, { INFINITY, "n/a" }, { 999.6, "1000" } };

    (void)state;
    for (unsigned i = 0; i < sizeof times / sizeof *times; i++) {
        g_autofree char *text = paper_ms(times[i].ms);

        assert_string_equal(text, times[i].text);
    }
    for (unsigned i = 0; i < sizeof amounts / sizeof *amounts; i++) {
        g_autofree char *text = paper_amount(amounts[i].value);

        assert_string_equal(text, amounts[i].text);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_line_is_wider_than_the_paper),
        cmocka_unit_test(numbers_and_verdict_are_told),
        cmocka_unit_test(too_few_samples_are_told),
        cmocka_unit_test(several_results_are_compared),
        cmocka_unit_test(amounts_carry_their_unit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
