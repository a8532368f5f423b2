/* histogram-layout: which bucket a value falls into, as HdrHistogram lays them out for
 * lowest 1,000, highest 3.6e12 and 4 digits: buckets are 512 ns wide up to 16.8 ms, then
 * the width doubles each time the value does. */
#pragma once

#include <stdint.h>

#define LAYOUT_DIGITS 4
#define LAYOUT_LOWEST_NS INT64_C(1000)
#define LAYOUT_HIGHEST_NS INT64_C(3600000000000)
#define LAYOUT_UNIT_BITS 9  /* floor(log2(lowest)) */
#define LAYOUT_HALF_BITS 14 /* 2^15 >= 2 * 10^4 */
#define LAYOUT_HALF (1 << LAYOUT_HALF_BITS)
#define LAYOUT_DOUBLINGS 19 /* until the highest fits */
#define LAYOUT_COUNTS ((LAYOUT_DOUBLINGS + 1) * LAYOUT_HALF)

/* 0 <= ns <= LAYOUT_HIGHEST_NS */
static inline uint32_t
layout_index(int64_t ns)
{
    const uint64_t first = ((UINT64_C(2) << LAYOUT_HALF_BITS) << LAYOUT_UNIT_BITS) -
                           1; /* of the first two */
    const int doubling = 63 - __builtin_clzll((uint64_t)ns | first) -
                         (LAYOUT_UNIT_BITS + LAYOUT_HALF_BITS);
    const uint32_t sub = (uint32_t)(ns >> (doubling + LAYOUT_UNIT_BITS));

    return ((uint32_t)doubling << LAYOUT_HALF_BITS) + sub;
}

/* The bucket's lowest value. */
static inline int64_t
layout_value(uint32_t index)
{
    const uint32_t half = index >> LAYOUT_HALF_BITS;
    const uint32_t doubling = half > 0 ? half - 1 : 0;

    return (int64_t)(index - (doubling << LAYOUT_HALF_BITS))
           << (doubling + LAYOUT_UNIT_BITS);
}

static inline int64_t
layout_width(uint32_t index)
{
    const uint32_t half = index >> LAYOUT_HALF_BITS;

    return INT64_C(1) << ((half > 0 ? half - 1 : 0) + LAYOUT_UNIT_BITS);
}
