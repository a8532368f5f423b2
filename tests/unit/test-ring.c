#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>

#include "ring.h"

static void *
item(size_t number)
{
    return (void *)(uintptr_t)number;
}

static void
gives_back_in_order_what_was_pushed(void **state)
{
    g_autoptr(ring) r = ring_new(8);
    void *items[8];

    (void)state;
    for (size_t round = 0; round < 100; round++) {
        for (size_t i = 0; i < 5; i++)
            assert_true(ring_push(r, item(round * 5 + i + 1)));
        assert_int_equal(ring_pop(r, items, 3), 3);
        assert_int_equal(ring_pop(r, items + 3, 8), 2);
        for (size_t i = 0; i < 5; i++)
            assert_ptr_equal(items[i], item(round * 5 + i + 1));
    }
    assert_int_equal(ring_pop(r, items, 8), 0);
}

static void
refuses_when_full_and_takes_again_when_there_is_room(void **state)
{
    g_autoptr(ring) r = ring_new(4);
    void *items[4];

    (void)state;
    for (size_t i = 1; i <= 4; i++)
        assert_true(ring_push(r, item(i)));
    assert_false(ring_push(r, item(5)));
    assert_int_equal(ring_pop(r, items, 1), 1);
    assert_true(ring_push(r, item(5)));
    assert_false(ring_push(r, item(6)));
    assert_int_equal(ring_pop(r, items, 4), 4);
    assert_ptr_equal(items[0], item(2));
    assert_ptr_equal(items[3], item(5));
}

#define ITEMS 200000

static void *
produce(void *data)
{
    ring *r = data;

    for (size_t i = 1; i <= ITEMS; i++)
        while (!ring_push(r, item(i)))
            sched_yield();
    return NULL;
}

static void
loses_and_repeats_nothing_between_two_threads(void **state)
{
    g_autoptr(ring) r = ring_new(64);
    pthread_t producer;
    void *items[16];
    size_t next = 1;

    (void)state;
    assert_int_equal(pthread_create(&producer, NULL, produce, r), 0);
    while (next <= ITEMS) {
        const size_t count = ring_pop(r, items, 16);

        for (size_t i = 0; i < count; i++)
            assert_ptr_equal(items[i], item(next++));
        if (count == 0)
            sched_yield();
    }
    pthread_join(producer, NULL);
    assert_int_equal(ring_pop(r, items, 16), 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_back_in_order_what_was_pushed),
        cmocka_unit_test(refuses_when_full_and_takes_again_when_there_is_room),
        cmocka_unit_test(loses_and_repeats_nothing_between_two_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
