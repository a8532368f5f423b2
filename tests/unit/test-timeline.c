#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "timeline.h"

/* 3 bytes a message: a steady stream with one token each, 20 ms apart. */
static void
a_usual_message_takes_three_bytes(void **state)
{
    timeline t;

    (void)state;
    timeline_init(&t);
    for (int i = 0; i < 1000; i++)
        assert_true(timeline_add(&t, INT64_C(3600000000000) + i * INT64_C(20000000), 2, 1,
                                 1, false));
    assert_int_equal(t.count, 1000);
    assert_true(t.size <= 3 * 1000 + 12);
    timeline_clear(&t);
    assert_int_equal(t.size, 0);
}

static void
messages_of_one_read_take_a_byte(void **state)
{
    timeline t;

    (void)state;
    timeline_init(&t);
    timeline_add(&t, 1000000, 2, 1, -1, false);
    const size_t before = t.size;
    timeline_add(&t, 1000000, 2, 1, -1, true);
    assert_int_equal(t.size - before, 1);
    timeline_clear(&t);
}

static int64_t
rounded(int64_t ns)
{
    return (ns >= 0 ? (ns + 500) / 1000 : -((-ns + 499) / 1000)) * 1000;
}

/* Whatever is added comes back, each time rounded on its own: no drift. */
static void
everything_comes_back(void **state)
{
    enum { COUNT = 5000 };
    static struct timeline_mark marks[COUNT];
    struct timeline_mark mark;
    timeline_reader r;
    unsigned seed = 11;
    timeline t;
    int64_t at = 0;

    (void)state;
    timeline_init(&t);
    for (int i = 0; i < COUNT; i++) {
        at += rand_r(&seed) % 100000000;
        if (rand_r(&seed) % 50 == 0)
            at -= rand_r(&seed) % 300000000; /* stamps may step back */
        marks[i] = (struct timeline_mark){ .at_ns = at,
                                           .classes = 1u << rand_r(&seed) % 12,
                                           .clock = 1 + (uint32_t)rand_r(&seed) % 3,
                                           .tokens = rand_r(&seed) % 5 - 1,
                                           .shared = rand_r(&seed) % 2 };
        if (i == 77)
            marks[i].tokens = INT64_MAX;
        if (i == 78)
            marks[i].classes = UINT32_MAX;
        assert_true(timeline_add(&t, marks[i].at_ns, marks[i].classes, marks[i].clock,
                                 marks[i].tokens, marks[i].shared));
    }
    timeline_read(&r, t.data, t.size);
    for (int i = 0; i < COUNT; i++) {
        assert_true(timeline_next(&r, &mark));
        assert_int_equal(mark.at_ns, rounded(marks[i].at_ns));
        assert_int_equal(mark.classes, marks[i].classes);
        assert_int_equal(mark.clock, marks[i].clock);
        assert_int_equal(mark.tokens, marks[i].tokens);
        assert_int_equal(mark.shared, marks[i].shared);
    }
    assert_false(timeline_next(&r, &mark));
    timeline_clear(&t);
}

static void
extreme_times_survive(void **state)
{
    static const int64_t times[] = { INT64_MAX, -INT64_MAX, 0, -1, -500, -501, 499, 500 };
    struct timeline_mark mark;
    timeline_reader r;
    timeline t;

    (void)state;
    timeline_init(&t);
    for (unsigned i = 0; i < sizeof times / sizeof *times; i++)
        timeline_add(&t, times[i], 2, 1, -1, false);
    timeline_read(&r, t.data, t.size);
    for (unsigned i = 0; i < sizeof times / sizeof *times; i++) {
        assert_true(timeline_next(&r, &mark));
        if (i >= 2)
            assert_int_equal(mark.at_ns, rounded(times[i]));
    }
    timeline_clear(&t);
}

static void
rewinding_starts_afresh(void **state)
{
    struct timeline_mark mark;
    timeline_reader r;
    timeline t;

    (void)state;
    timeline_init(&t);
    timeline_add(&t, 5000000, 2, 1, 3, true);
    timeline_rewind(&t);
    assert_int_equal(t.size, 0);
    timeline_add(&t, 7000, 64, 2, -1, false);
    timeline_read(&r, t.data, t.size);
    assert_true(timeline_next(&r, &mark));
    assert_int_equal(mark.at_ns, 7000);
    assert_int_equal(mark.classes, 64);
    assert_int_equal(mark.tokens, -1);
    assert_false(timeline_next(&r, &mark));
    timeline_clear(&t);
}

static void
an_empty_log_has_no_messages(void **state)
{
    struct timeline_mark mark;
    timeline_reader r;

    (void)state;
    timeline_read(&r, NULL, 0);
    assert_false(timeline_next(&r, &mark));
}

/* A reader of garbage ends, never runs past the end, and stays ended. */
static void
garbage_ends_the_reader(void **state)
{
    static const unsigned char endless[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                             0xff, 0xff, 0xff, 0xff, 0xff };
    static const unsigned char unknown_change[] = { 0x02, 0x10, 0x04 };
    struct timeline_mark mark;
    timeline_reader r;
    unsigned seed = 5;

    (void)state;
    timeline_read(&r, endless, sizeof endless);
    assert_false(timeline_next(&r, &mark));
    timeline_read(&r, unknown_change, sizeof unknown_change);
    assert_false(timeline_next(&r, &mark));
    assert_false(timeline_next(&r, &mark));
    for (int round = 0; round < 20000; round++) {
        const size_t size = (size_t)rand_r(&seed) % 40;
        unsigned char *bytes = malloc(size + 1); /* exact, for the sanitizer */
        size_t steps = 0;

        for (size_t i = 0; i < size; i++)
            bytes[i] = (unsigned char)(rand_r(&seed) >> 8 | (i % 3 ? 0x80 : 0));
        timeline_read(&r, bytes, size);
        while (timeline_next(&r, &mark))
            steps++;
        assert_true(steps <= size);
        free(bytes);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_usual_message_takes_three_bytes),
        cmocka_unit_test(messages_of_one_read_take_a_byte),
        cmocka_unit_test(everything_comes_back),
        cmocka_unit_test(extreme_times_survive),
        cmocka_unit_test(rewinding_starts_afresh),
        cmocka_unit_test(an_empty_log_has_no_messages),
        cmocka_unit_test(garbage_ends_the_reader),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
