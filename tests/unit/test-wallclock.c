#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "chrono.h"
#include "wallclock.h"

static void
converts_a_stamp_of_now(void **state)
{
    wallclock w;
    int64_t before_ns, at_ns;

    (void)state;
    wallclock_init(&w);
    before_ns = chrono_now();
    assert_true(
        wallclock_convert(&w, chrono_wall(), before_ns, before_ns, chrono_now(), &at_ns));
    assert_in_range(at_ns, before_ns - NS_PER_MS, chrono_now());
}

/* The clock was set forward by an hour after the stamp was made: the offset from before
 * the step gives the true time. */
static void
a_step_does_not_bend_a_stamp(void **state)
{
    const int64_t hour_ns = 3600 * NS_PER_S;
    wallclock w;
    int64_t now_ns, at_ns;

    (void)state;
    wallclock_init(&w);
    w.offset_ns -= hour_ns; /* as it was; the true clock is ahead of it */
    w.sampled_ns = 0;
    now_ns = chrono_now();
    assert_true(wallclock_convert(&w, now_ns - NS_PER_MS + w.offset_ns,
                                  now_ns - 2 * NS_PER_MS, 0, now_ns, &at_ns));
    assert_int_equal(at_ns, now_ns - NS_PER_MS);
    wallclock_refresh(&w, now_ns);
    assert_true(wallclock_convert(&w, now_ns - NS_PER_MS + w.previous_offset_ns,
                                  now_ns - 2 * NS_PER_MS, 0, now_ns, &at_ns));
    assert_int_equal(at_ns, now_ns - NS_PER_MS);
    assert_in_range(wallclock_take_step(&w), hour_ns - NS_PER_S, hour_ns + NS_PER_S);
    assert_int_equal(wallclock_take_step(&w), 0);
}

static void
refuses_a_stamp_that_cannot_be(void **state)
{
    wallclock w;
    int64_t at_ns = 42;
    const int64_t now_ns = chrono_now();

    (void)state;
    wallclock_init(&w);
    assert_false(wallclock_convert(&w, chrono_wall() + NS_PER_S, now_ns - NS_PER_MS,
                                   now_ns - NS_PER_MS, now_ns, &at_ns));
    assert_int_equal(at_ns, 42);
}

/* Bytes that were left in the queue are older than what is likely. */
static void
takes_an_old_stamp_that_can_be(void **state)
{
    wallclock w;
    int64_t at_ns;
    const int64_t now_ns = chrono_now();

    (void)state;
    wallclock_init(&w);
    assert_true(wallclock_convert(&w, chrono_wall() - NS_PER_S, now_ns - NS_PER_MS,
                                  now_ns - 2 * NS_PER_S, now_ns, &at_ns));
    assert_in_range(at_ns, now_ns - NS_PER_S - NS_PER_MS, now_ns - NS_PER_S + NS_PER_MS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(converts_a_stamp_of_now),
        cmocka_unit_test(a_step_does_not_bend_a_stamp),
        cmocka_unit_test(refuses_a_stamp_that_cannot_be),
        cmocka_unit_test(takes_an_old_stamp_that_can_be),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
