/* Philox4x32-10 against the vectors that its authors publish (Random123, kat_vectors). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "random.h"

struct vector {
    uint32_t counter[4], key[2], out[4];
};

static const struct vector vectors[] = {
    { { 0, 0, 0, 0 }, { 0, 0 }, { 0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8 } },
    { { 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff },
      { 0xffffffff, 0xffffffff },
      { 0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd } },
    { { 0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344 },
      { 0xa4093822, 0x299f31d0 },
      { 0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1 } },
};

static void
gives_the_published_blocks(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        uint32_t out[4];

        random_block(vectors[i].counter, vectors[i].key, out);
        assert_memory_equal(out, vectors[i].out, sizeof out);
    }
}

/* The mapping of (seed, stream, index) is stored runs' meaning: it must never change. */
static void
maps_seed_stream_and_index_for_ever(void **state)
{
    (void)state;
    assert_true(random_at(0, 0, 0) == UINT64_C(0xe169c58d6627e8d5));
    assert_true(random_at(UINT64_C(0x299f31d0a4093822), 0x13198a2e,
                          UINT64_C(0x85a308d3243f6a88)) !=
                random_at(UINT64_C(0x299f31d0a4093822), 0x13198a2e,
                          UINT64_C(0x85a308d3243f6a89)));
}

static void
differs_by_each_of_its_inputs(void **state)
{
    const uint64_t base = random_at(1, 2, 3);

    (void)state;
    assert_true(random_at(1, 2, 3) == base);
    assert_true(random_at(2, 2, 3) != base);
    assert_true(random_at(1, 3, 3) != base);
    assert_true(random_at(1, 2, 4) != base);
    assert_true(random_at(UINT64_C(1) << 32, 2, 3) != random_at(0, 2, 3));
    assert_true(random_at(1, 2, UINT64_C(1) << 32) != random_at(1, 2, 0));
}

/* The mean of 65,536 bits per position lies within six standard deviations. */
static void
has_no_stuck_bit(void **state)
{
    int ones[64] = { 0 };

    (void)state;
    for (uint64_t i = 0; i < 65536; i++)
        for (int bit = 0; bit < 64; bit++)
            ones[bit] += (int)(random_at(42, 1, i) >> bit & 1);
    for (int bit = 0; bit < 64; bit++)
        assert_in_range(ones[bit], 32768 - 768, 32768 + 768);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_the_published_blocks),
        cmocka_unit_test(maps_seed_stream_and_index_for_ever),
        cmocka_unit_test(differs_by_each_of_its_inputs),
        cmocka_unit_test(has_no_stuck_bit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
