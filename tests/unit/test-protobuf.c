/* The bytes of protobuf's own documents. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "protobuf.h"

static void
expect(struct lens_protobuf *p, const char *bytes, size_t size)
{
    const struct lens_bytes got = lens_protobuf_bytes(p);

    assert_int_equal(p->failed, 0);
    assert_int_equal(got.size, size);
    assert_memory_equal(got.data, bytes, size);
    lens_protobuf_reset(p);
}

/* https://protobuf.dev/programming-guides/encoding/ */
static void
fields_are_those_of_the_documents(void **state)
{
    struct lens_protobuf p = { 0 };

    (void)state;
    lens_protobuf_uint(&p, 1, 150);
    expect(&p, "\x08\x96\x01", 3);
    lens_protobuf_string(&p, 2, "testing");
    expect(&p, "\x12\x07testing", 9);
    lens_protobuf_uint(&p, 1, UINT64_MAX - 1); /* int32 -2 */
    expect(&p, "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11);
    lens_protobuf_double(&p, 2, 1.0);
    expect(&p, "\x11\0\0\0\0\0\0\xf0\x3f", 9);
    lens_protobuf_uint(&p, 16, 0);
    expect(&p, "\x80\x01\x00", 3);
    lens_protobuf_clear(&p);
}

static void
zigzag_puts_small_numbers_into_few_bytes(void **state)
{
    const struct {
        int64_t value;
        const char *bytes;
        size_t size;
    } cases[] = {
        { 0, "\x08\x00", 2 },
        { -1, "\x08\x01", 2 },
        { 1, "\x08\x02", 2 },
        { -2, "\x08\x03", 2 },
        { INT32_MAX, "\x08\xfe\xff\xff\xff\x0f", 6 },
        { INT32_MIN, "\x08\xff\xff\xff\xff\x0f", 6 },
        { INT64_MIN, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11 },
    };
    struct lens_protobuf p = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lens_protobuf_sint(&p, 1, cases[i].value);
        expect(&p, cases[i].bytes, cases[i].size);
    }
    lens_protobuf_clear(&p);
}

static void
messages_nest(void **state)
{
    struct lens_protobuf p = { 0 };
    size_t outer, inner;

    (void)state;
    outer = lens_protobuf_begin(&p);
    inner = lens_protobuf_begin(&p);
    lens_protobuf_uint(&p, 1, 150);
    lens_protobuf_end(&p, 3, inner);
    lens_protobuf_string(&p, 1, "a");
    lens_protobuf_end(&p, 4, outer);
    expect(&p, "\x22\x08\x0a\x01\x61\x1a\x03\x08\x96\x01", 10);

    inner = lens_protobuf_begin(&p); /* packed: 3, 270, 86942 */
    lens_protobuf_varint(&p, 86942);
    lens_protobuf_varint(&p, 270);
    lens_protobuf_varint(&p, 3);
    lens_protobuf_end(&p, 6, inner);
    expect(&p, "\x32\x06\x03\x8e\x02\x9e\xa7\x05", 8);
    lens_protobuf_clear(&p);
}

static void
growth_keeps_what_was_written(void **state)
{
    struct lens_protobuf p = { 0 };
    struct lens_bytes got;
    char block[1000];

    (void)state;
    for (int i = 0; i < 100; i++) {
        memset(block, i, sizeof block);
        lens_protobuf_raw(&p, block, sizeof block);
    }
    got = lens_protobuf_bytes(&p);
    assert_int_equal(got.size, 100 * sizeof block);
    for (int i = 0; i < 100; i++)
        assert_int_equal(got.data[(size_t)i * sizeof block + 999], 99 - i);
    lens_protobuf_clear(&p);
}

static void
nothing_grows_beyond_the_limit(void **state)
{
    struct lens_protobuf p = { .most = 10 };

    (void)state;
    lens_protobuf_raw(&p, "12345678", 8);
    assert_int_equal(p.failed, 0);
    lens_protobuf_raw(&p, "123", 3);
    assert_int_equal(p.failed, 1);
    assert_int_equal(p.size, 8);
    lens_protobuf_clear(&p);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_those_of_the_documents),
        cmocka_unit_test(zigzag_puts_small_numbers_into_few_bytes),
        cmocka_unit_test(messages_nest),
        cmocka_unit_test(growth_keeps_what_was_written),
        cmocka_unit_test(nothing_grows_beyond_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
