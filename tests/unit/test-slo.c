#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "slo.h"

static void
every_form_is_understood(void **state)
{
    static const struct {
        const char *text, *metric, *stat;
        enum slo_op op;
        double value;
        const char *unit;
        bool per_request;
    } cases[] = {
        { "ttft.p99<500ms", "ttft", "p99", SLO_LT, 500, "ms", false },
        { " ttft . p99 <= 0.5 s ", "ttft", "p99", SLO_LE, 500, "ms", false },
        { "itl.p99_9<100us", "itl", "p99_9", SLO_LT, 0.1, "ms", false },
        { "itl.p99.9<20", "itl", "p99_9", SLO_LT, 20, "ms", false },
        { "itl.p97<20", "itl", "p97", SLO_LT, 20, "ms", false },
        { "e2e.max>=1m", "e2e", "max", SLO_GE, 60000, "ms", false },
        { "e2e.count>100", "e2e", "count", SLO_GT, 100, "requests", false },
        { "errors<1%", "errors", NULL, SLO_LT, 0.01, "ratio", false },
        { "errors<=0", "errors", NULL, SLO_LE, 0, "ratio", false },
        { "goodput>95%", "goodput", NULL, SLO_GT, 0.95, "ratio", false },
        { "goodput>0.95", "goodput", NULL, SLO_GT, 0.95, "ratio", false },
        { "output_tokens_per_s>1000", "output_tokens_per_s", NULL, SLO_GT, 1000, "tok/s",
          false },
        { "requests_per_s>=1e3", "requests_per_s", NULL, SLO_GE, 1000, "req/s", false },
        { "ttft<500ms", "ttft", NULL, SLO_LT, 500, "ms", true },
        { "tpot<=50ms", "tpot", NULL, SLO_LE, 50, "ms", true },
        { "output_tokens_per_s_per_request>30", "output_tokens_per_s_per_request", NULL,
          SLO_GT, 30, "tok/s", true },
        { "lag.p99<1ms", "lag", "p99", SLO_LT, 1, "ms", false },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        g_autoptr(GError) error = NULL;
        slo *s = slo_parse(cases[i].text, &error);

        if (s == NULL)
            fail_msg("%s", error->message);
        assert_string_equal(s->metric, cases[i].metric);
        if (cases[i].stat != NULL)
            assert_string_equal(s->stat, cases[i].stat);
        else
            assert_null(s->stat);
        assert_int_equal(s->op, cases[i].op);
        assert_true(fabs(s->value - cases[i].value) < 1e-9);
        assert_string_equal(s->unit, cases[i].unit);
        assert_int_equal(s->per_request, cases[i].per_request);
        assert_null(strchr(s->text, ' '));
        slo_free(s);
    }
}

static void
mistakes_are_named(void **state)
{
    static const struct {
        const char *text, *says;
    } cases[] = {
        { "", "expected METRIC.STAT OP VALUE" },
        { "ttft.p99", "expected METRIC.STAT OP VALUE" },
        { "<5ms", "expected METRIC.STAT OP VALUE" },
        { "ttft.p99=5ms", "expected METRIC.STAT OP VALUE" },
        { "ttff.p99<5ms", "did you mean 'ttft'" },
        { "banana_split<5ms", "'banana_split' is no metric" },
        { "ttft.p9x<5ms", "'p9x' is no statistic" },
        { "ttft.p100<5ms", "'p100' is no statistic" },
        { "ttft.p999<5ms", "'p999' is no statistic" },
        { "ttft.avg<5ms", "'avg' is no statistic" },
        { "ttft.<5ms", "is no statistic" },
        { "errors.p99<5%", "'errors' has no statistics" },
        { "ttft<", "'' is no number" },
        { "ttft<fast", "'fast' is no number" },
        { "ttft<nan", "'nan' is no number" },
        { "ttft<inf", "'inf' is no number" },
        { "ttft<0x10ms", "is no number" },
        { "ttft<1e999", "is no number" },
        { "ttft<-5ms", "is below 0" },
        { "ttft<5%", "told in ns, us, ms, s, m or h" },
        { "ttft<5parsecs", "'parsecs' does not fit" },
        { "errors<5ms", "told in % or as a ratio" },
        { "errors<5", "write '5%'" },
        { "goodput>=101%", "more than 100%" },
        { "lag<5ms", "write 'lag.p99'" },
        { "ttft<<5ms", "is no number" },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        g_autoptr(GError) error = NULL;

        if (slo_parse(cases[i].text, &error) != NULL)
            fail_msg("'%s' was taken", cases[i].text);
        if (strstr(error->message, cases[i].says) == NULL)
            fail_msg("'%s' says: %s", cases[i].text, error->message);
    }
}

static void
comparisons_are_strict_or_not(void **state)
{
    static const struct {
        const char *text;
        bool below, equal, above, unknown;
    } cases[] = {
        { "ttft.p50<5", true, false, false, false },
        { "ttft.p50<=5", true, true, false, false },
        { "ttft.p50>5", false, false, true, false },
        { "ttft.p50>=5", false, true, true, false },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        slo *s = slo_parse(cases[i].text, NULL);

        assert_int_equal(slo_met(s, 4), cases[i].below);
        assert_int_equal(slo_met(s, 5), cases[i].equal);
        assert_int_equal(slo_met(s, 6), cases[i].above);
        assert_int_equal(slo_met(s, NAN), cases[i].unknown);
        slo_free(s);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_form_is_understood),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(comparisons_are_strict_or_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
