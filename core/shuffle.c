#include "shuffle.h"

#include <lens/host.h>

#include "random.h"

#define ROUNDS 6
#define FEW 16

/* A balanced Feistel network over 2 * `bits` bits: whatever the rounds do, it is a
 * bijection. */
static uint64_t
scramble(uint64_t key, uint64_t value, unsigned bits)
{
    const uint64_t mask = (UINT64_C(1) << bits) - 1;
    uint64_t left = value >> bits, right = value & mask;

    for (uint64_t round = 0; round < ROUNDS; round++) {
        const uint64_t mixed = random_at(key, LENS_RAND_MIX, round << 32 | right);
        const uint64_t next = left ^ (mixed & mask);

        left = right;
        right = next;
    }
    return left << bits | right;
}

/* Fisher and Yates: a network over so few bits would not give all orders equally often.
 */
static uint64_t
shuffle_few(uint64_t key, uint64_t place, uint64_t count)
{
    uint8_t order[FEW] = { 0 };

    for (uint64_t i = 0; i < count; i++) {
        const uint64_t j = random_at(key, LENS_RAND_MIX, i) % (i + 1);

        order[i] = order[j];
        order[j] = (uint8_t)i;
    }
    return order[place];
}

uint64_t
shuffle_at(uint64_t key, uint64_t place, uint64_t count)
{
    unsigned bits = 1;

    if (count <= FEW)
        return shuffle_few(key, place, count);
    while (bits < 32 && UINT64_C(1) << 2 * bits < count)
        bits++;
    /* Places beyond `count` are walked through: four steps on average at most. */
    do
        place = scramble(key, place, bits);
    while (place >= count);
    return place;
}
