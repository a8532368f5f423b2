#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "result.h"

#define MS INT64_C(1000000)

static const struct verdict_input calm = { .asked = NAN, .realised = NAN };

static void
set_lag_kernel(tally *t, double ms)
{
    histogram_record_n(t->lag_kernel, (int64_t)(ms * 1e6), 1000);
}

static void
set_lag_user(tally *t, double ms)
{
    histogram_record_n(t->lag_user, (int64_t)(ms * 1e6), 1000);
}

static void
set_start_late(tally *t, double ms)
{
    t->hist[METRIC_START_LATE] = histogram_new();
    histogram_record_n(t->hist[METRIC_START_LATE], (int64_t)(ms * 1e6), 1000);
}

static void
set_merged(tally *t, double share)
{
    t->stamps_kernel = 5000;
    t->stamps_user = 5000 - (uint64_t)lround(share * 10000);
    t->stamps_interval = (uint64_t)lround(share * 10000);
}

static void
set_stall(tally *t, double ms)
{
    t->stall_ns = (int64_t)(ms * 1e6);
}

static void
set_cpu(tally *t, double share)
{
    t->cpu_ns_max_share_ppm = (int64_t)(share * 1e6);
}

static void
set_step(tally *t, double ms)
{
    t->clock_step_ns = (int64_t)(ms * 1e6);
}

static void
set_lost(tally *t, double n)
{
    t->lost = (uint64_t)n;
}

static void
set_resources(tally *t, double n)
{
    t->resources = (uint64_t)n;
}

static void
set_failures(tally *t, double share)
{
    t->total = 1000;
    t->failed = (uint64_t)lround(share * 1000);
}

/* Each row of the table: a value that passes, that is SUSPECT, that is INVALID. NaN: the
 * row has no such state. */
static const struct {
    const char *id;
    void (*set)(tally *t, double value);
    double good, suspect, invalid;
    const char *says; /* the INVALID one */
} rows[] = {
    { "merged", set_merged, 0.01, 0.011, 0.051, "5.10 %" },
    { "lag_user", set_lag_user, 0.99, 1.1, 10.1, "10.1 ms" },
    { "lag_kernel", set_lag_kernel, 49.9, 51, 510, "510 ms" },
    { "start_late", set_start_late, 4.9, 5.1, 51, "51 ms" },
    { "stall", set_stall, 100, 101, 1500, "1.5 s" },
    { "cpu", set_cpu, 0.90, 0.91, 0.985, "98.5 %" },
    { "clock_step", set_step, 1, 1.1, 2000, "2 s" },
    { "lost", set_lost, 0, NAN, 1, "1 samples" },
    { "resources", set_resources, 0, NAN, 2, "2 times" },
    { "failures", set_failures, 0.05, 0.051, 0.501, "50.1 %" },
};

static void
judge(unsigned row, double value, enum verdict_state expected)
{
    g_autoptr(tally) t = tally_new(NULL);
    g_autoptr(verdict) v = NULL;
    struct verdict_input in = calm;

    if (isnan(value))
        return;
    in.open_loop = true;
    rows[row].set(t, value);
    v = verdict_judge(t, &in);
    assert_int_equal(v->state, expected);
    assert_int_equal(v->reasons->len, expected != VERDICT_VALID);
    if (expected != VERDICT_VALID) {
        const struct verdict_reason *r =
            &g_array_index(v->reasons, struct verdict_reason, 0);

        assert_string_equal(r->id, rows[row].id);
        assert_int_equal(r->state, expected);
        assert_true(fabs(r->value - value) <= value * 1e-3);
        assert_true(r->limit < r->value);
        assert_non_null(strstr(r->text, "limit"));
        if (expected == VERDICT_INVALID && strstr(r->text, rows[row].says) == NULL)
            fail_msg("%s", r->text);
    }
}

static void
every_row_has_its_limits(void **state)
{
    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        judge(i, rows[i].good, VERDICT_VALID);
        judge(i, rows[i].suspect, VERDICT_SUSPECT);
        judge(i, rows[i].invalid, VERDICT_INVALID);
    }
}

static void
an_empty_tally_is_not_blamed(void **state)
{
    g_autoptr(tally) t = tally_new(NULL);
    g_autoptr(verdict) v = verdict_judge(t, &calm);

    (void)state;
    assert_int_equal(v->state, VERDICT_VALID);
}

static void
late_starts_matter_in_an_open_loop_only(void **state)
{
    g_autoptr(tally) t = tally_new(NULL);
    g_autoptr(verdict) v = NULL;

    (void)state;
    set_start_late(t, 5000);
    v = verdict_judge(t, &calm);
    assert_int_equal(v->state, VERDICT_VALID);
}

static void
underload_has_a_floor(void **state)
{
    static const struct {
        double asked, realised;
        enum verdict_state expected;
    } cases[] = {
        { 64, 64, VERDICT_VALID },   { 64, 62.8, VERDICT_VALID },
        { 64, 62, VERDICT_SUSPECT }, { 64, 57.7, VERDICT_SUSPECT },
        { 64, 57, VERDICT_INVALID }, { 64, NAN, VERDICT_VALID },
        { NAN, 5, VERDICT_VALID },   { 0, 0, VERDICT_VALID },
        { 2.5, 0, VERDICT_INVALID },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        g_autoptr(tally) t = tally_new(NULL);
        const struct verdict_input in = { .asked = cases[i].asked,
                                          .realised = cases[i].realised };
        g_autoptr(verdict) v = verdict_judge(t, &in);

        assert_int_equal(v->state, cases[i].expected);
    }
}

static void
a_few_stamps_of_our_own_are_not_judged(void **state)
{
    static const struct {
        uint64_t user, kernel;
        enum verdict_state expected;
    } cases[] = { { 9, 1000, VERDICT_VALID }, { 11, 1000, VERDICT_INVALID } };

    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        g_autoptr(tally) t = tally_new(NULL);
        g_autoptr(verdict) v = NULL;

        histogram_record_n(t->lag_user, 20 * MS, cases[i].user);
        histogram_record_n(t->lag_kernel, 20 * MS, cases[i].kernel);
        v = verdict_judge(t, &calm);
        assert_int_equal(v->state, cases[i].expected);
    }
}

static void
an_early_end_is_told(void **state)
{
    static const enum verdict_state expected[] = {
        [ENDED_DONE] = VERDICT_VALID,
        [ENDED_INTERRUPTED] = VERDICT_SUSPECT,
        [ENDED_ABORTED] = VERDICT_INVALID,
    };

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        g_autoptr(tally) t = tally_new(NULL);
        const struct verdict_input in = { .asked = NAN, .ended = (enum ended)i };
        g_autoptr(verdict) v = verdict_judge(t, &in);

        assert_int_equal(v->state, expected[i]);
        if (i > 0)
            assert_string_equal(g_array_index(v->reasons, struct verdict_reason, 0).id,
                                "ended");
    }
}

static void
the_worst_result_is_the_run(void **state)
{
    g_autoptr(run_info) run = run_info_new();
    static const double steps[] = { 0, 2, 0.5, 1500, 3 };

    (void)state;
    for (unsigned i = 0; i < sizeof steps / sizeof *steps; i++) {
        result *r = result_new(NULL);

        set_step(r->tally, steps[i]);
        if (i == 0)
            set_cpu(r->tally, 0.95);
        g_ptr_array_add(run->results, r);
    }
    for (int again = 0; again < 2; again++) {
        run_info_judge(run);
        assert_int_equal(run->verdict->state, VERDICT_INVALID);
        assert_int_equal(run->verdict->reasons->len, 2);
        assert_string_equal(
            g_array_index(run->verdict->reasons, struct verdict_reason, 0).id, "cpu");
        assert_true(
            g_array_index(run->verdict->reasons, struct verdict_reason, 1).value == 1500);
    }
}

/* Drawn gaps never make the asked rate; starting late does not. */
static void
an_open_loop_is_held_against_its_schedule(void **state)
{
    static const struct {
        int64_t stretch; /* of the starts, in % */
        enum verdict_state expected;
    } cases[] = { { 100, VERDICT_VALID },
                  { 105, VERDICT_SUSPECT },
                  { 150, VERDICT_INVALID } };

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        g_autoptr(run_info) run = run_info_new();
        result *r = result_new(NULL);

        g_ptr_array_add(run->results, r);
        r->judge.open_loop = true;
        r->judge.asked = 1000; /* drawn: 10 a second, by an odd chance */
        for (int64_t k = 0; k < 10; k++) {
            sample *s = sample_new(1);

            s->phase = LENS_PART_MEASURED;
            s->outcome = LENS_OUTCOME_OK;
            s->due_ns = k * 100 * MS;
            s->bucket_wait_ns = s->due_ns * cases[i].stretch / 100 - s->due_ns;
            s->attempts[0].start_ns = s->due_ns + s->bucket_wait_ns;
            s->attempts[0].end_ns = s->attempts[0].start_ns + MS;
            tally_add_sample(r->tally, s, NULL);
            sample_free(s);
        }
        run_info_judge(run);
        assert_int_equal(run->verdict->state, cases[i].expected);
    }
}

static void
a_window_that_was_cut_short_ends_early(void **state)
{
    g_autoptr(run_info) run = run_info_new();
    result *r = result_new(NULL);

    (void)state;
    g_ptr_array_add(run->results, r);
    r->tally->window_start_ns = 1000 * MS;
    r->tally->window_end_ns = 61000 * MS;
    r->tally->last_end_ns = 3000 * MS;
    run_info_judge(run);
    assert_true(result_window_s(r) == 60);
    r->judge.ended = ENDED_INTERRUPTED;
    run_info_judge(run);
    assert_true(result_window_s(r) == 2);
    r->tally->window_start_ns = INT64_MAX; /* stopped while warming up */
    run_info_judge(run);
    assert_true(result_window_s(r) == 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_has_its_limits),
        cmocka_unit_test(an_empty_tally_is_not_blamed),
        cmocka_unit_test(late_starts_matter_in_an_open_loop_only),
        cmocka_unit_test(underload_has_a_floor),
        cmocka_unit_test(a_few_stamps_of_our_own_are_not_judged),
        cmocka_unit_test(an_early_end_is_told),
        cmocka_unit_test(the_worst_result_is_the_run),
        cmocka_unit_test(an_open_loop_is_held_against_its_schedule),
        cmocka_unit_test(a_window_that_was_cut_short_ends_early),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
