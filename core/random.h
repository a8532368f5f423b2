/* random: the counter-based generator Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel
 * random numbers, as easy as 1, 2, 3; SC11). Pure functions, any thread. */
#pragma once

#include <stdint.h>

/* One block: four words as a function of counter and key. */
void random_block(const uint32_t counter[4], const uint32_t key[2], uint32_t ret[4]);
/* The number `index` of `stream`: key = seed, counter = (index, stream, 0). */
uint64_t random_at(uint64_t seed, uint32_t stream, uint64_t index);
