#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bucket.h"
#include "chrono.h"

/* Starts what may start in `seconds`, asking again whenever the bucket says; tokens each.
 */
static unsigned
starts_in(bucket *b, int64_t seconds, double tokens)
{
    const int64_t end_ns = seconds * NS_PER_S;
    int64_t now_ns = 0;
    unsigned starts = 0;

    while (now_ns < end_ns) {
        const int64_t again_ns = bucket_take(b, tokens, now_ns);

        if (again_ns == 0) {
            starts++;
        } else {
            assert_true(again_ns > now_ns);
            now_ns = again_ns;
        }
    }
    return starts;
}

static void
lets_the_asked_requests_a_minute_through(void **state)
{
    bucket *b = bucket_new(600, 0, 0); /* 10 a second, 10 at once */

    (void)state;
    assert_in_range(starts_in(b, 60, 0), 600, 611);
    bucket_free(b);
}

static void
lets_the_asked_tokens_a_minute_through(void **state)
{
    bucket *b = bucket_new(0, 60000, 0);

    (void)state;
    assert_in_range(starts_in(b, 60, 100), 600, 611);
    bucket_free(b);
}

static void
takes_the_stricter_of_both(void **state)
{
    bucket *b = bucket_new(600, 6000, 0);

    (void)state;
    assert_in_range(starts_in(b, 60, 100), 60, 62);
    bucket_free(b);
}

/* More tokens than fit would otherwise wait for ever. */
static void
lets_a_request_that_is_bigger_than_the_bucket_through(void **state)
{
    bucket *b = bucket_new(0, 6000, 0); /* holds 100 */

    (void)state;
    assert_int_equal(bucket_take(b, 1000, 0), 0);
    assert_in_range(bucket_take(b, 1000, 0), 9 * NS_PER_S, 11 * NS_PER_S);
    bucket_free(b);
}

static void
is_nothing_without_limits(void **state)
{
    (void)state;
    assert_null(bucket_new(0, 0, 0));
    assert_int_equal(bucket_take(NULL, 1e9, 5), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_the_asked_requests_a_minute_through),
        cmocka_unit_test(lets_the_asked_tokens_a_minute_through),
        cmocka_unit_test(takes_the_stricter_of_both),
        cmocka_unit_test(lets_a_request_that_is_bigger_than_the_bucket_through),
        cmocka_unit_test(is_nothing_without_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
