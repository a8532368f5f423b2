#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "agenda.h"

static void
gives_entries_in_the_order_of_their_times(void **state)
{
    static const int64_t times[] = { 50, 10, 40, 10, 30, 20, 60, 0 };
    agenda a = { 0 };
    struct agenda_entry entry;
    int64_t last = -1;
    unsigned taken = 0;

    (void)state;
    for (unsigned i = 0; i < sizeof times / sizeof times[0]; i++)
        agenda_add(&a, times[i], (int)i, NULL);
    assert_int_equal(agenda_next(&a), 0);
    while (agenda_take(&a, 100, &entry)) {
        assert_true(entry.at_ns >= last);
        assert_int_equal(entry.at_ns, times[entry.what]);
        last = entry.at_ns;
        taken++;
    }
    assert_int_equal(taken, sizeof times / sizeof times[0]);
    assert_int_equal(agenda_next(&a), INT64_MAX);
    agenda_clear(&a);
}

static void
keeps_what_is_not_due(void **state)
{
    agenda a = { 0 };
    struct agenda_entry entry;

    (void)state;
    agenda_add(&a, 10, 1, NULL);
    agenda_add(&a, 11, 2, NULL);
    assert_true(agenda_take(&a, 10, &entry));
    assert_int_equal(entry.what, 1);
    assert_false(agenda_take(&a, 10, &entry));
    assert_true(agenda_take(&a, 11, &entry));
    agenda_clear(&a);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_entries_in_the_order_of_their_times),
        cmocka_unit_test(keeps_what_is_not_due),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
