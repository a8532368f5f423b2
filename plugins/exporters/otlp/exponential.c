#include "exponential.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FINEST 8
#define COARSEST (-10)
#define MOST 640

void
exponential_init(struct exponential *h, uint32_t most)
{
    memset(h, 0, sizeof *h);
    h->scale = FINEST;
    h->most = most > 1 ? most : MOST;
}

void
exponential_clear(struct exponential *h)
{
    free(h->counts);
    h->counts = NULL;
    h->size = h->room = 0;
    h->near_end = 0;
}

void
exponential_reset(struct exponential *h)
{
    h->count = h->zero = 0;
    h->sum = h->min = h->max = 0;
    h->size = 0;
    h->offset = 0;
    h->scale = FINEST;
    h->near_end = 0;
}

/* Of the bucket that holds `value`; exact at powers of two, as the data model asks. */
static int32_t
index_at(double value, int32_t scale)
{
    int exponent;
    const double fraction = frexp(value, &exponent);

    if (fraction == 0.5) { /* the upper end of its bucket */
        if (scale >= 0)
            return (int32_t)((uint32_t)(exponent - 1) << scale) - 1;
        return (exponent - 2) >> -scale;
    }
    if (scale <= 0)
        return (exponent - 1) >> -scale;
    return (int32_t)ceil(ldexp(log2(value), scale)) - 1;
}

/* Pairs of buckets become one. */
static void
halve(struct exponential *h)
{
    const int32_t offset = h->offset >> 1;
    uint32_t last = 0;

    for (uint32_t i = 0; i < h->size; i++) {
        const uint32_t to = (uint32_t)(((h->offset + (int32_t)i) >> 1) - offset);
        const uint64_t count = h->counts[i];

        if (i == 0 || to != last)
            h->counts[to] = 0;
        h->counts[to] += count;
        last = to;
    }
    h->size = h->size > 0 ? last + 1 : 0;
    h->offset = offset;
    h->scale--;
    h->near_end = 0;
}

static int
make_room(struct exponential *h, uint32_t needed)
{
    uint32_t room = h->room > 0 ? h->room : 64;
    uint64_t *counts;

    while (room < needed)
        room *= 2;
    if (room == h->room)
        return 1;
    counts = realloc(h->counts, room * sizeof *counts);
    if (counts == NULL)
        return 0;
    h->counts = counts;
    h->room = room;
    return 1;
}

/* Makes the window hold `index`. */
static int
widen(struct exponential *h, int32_t index)
{
    const int32_t low = index < h->offset ? index : h->offset;
    const int32_t end = h->offset + (int32_t)h->size;
    const uint32_t size = (uint32_t)((index >= end ? index + 1 : end) - low);
    const uint32_t shift = (uint32_t)(h->offset - low);

    if (size == h->size)
        return 1;
    if (!make_room(h, size))
        return 0;
    if (shift > 0) {
        memmove(h->counts + shift, h->counts, h->size * sizeof *h->counts);
        memset(h->counts, 0, shift * sizeof *h->counts);
    }
    memset(h->counts + shift + h->size, 0, (size - shift - h->size) * sizeof *h->counts);
    h->offset = low;
    h->size = size;
    return 1;
}

/* Values come in rising order, and mostly fall into the bucket of the one before: a
 * comparison in place of a logarithm. What is at the very edge is left to index_at. */
static void
remember(struct exponential *h, int32_t index)
{
    const double edge = 1e-12;

    h->near_index = index;
    h->near_begin = exp2(ldexp(index, -h->scale)) * (1 + edge);
    h->near_end = exp2(ldexp((double)index + 1, -h->scale)) * (1 - edge);
}

static int
count_at(struct exponential *h, double value, uint64_t times)
{
    int32_t index;

    if (value > h->near_begin && value < h->near_end) {
        h->counts[h->near_index - h->offset] += times;
        return 1;
    }
    index = index_at(value, h->scale);
    if (h->size == 0)
        h->offset = index;
    for (;;) {
        const int64_t end = (int64_t)h->offset + h->size;
        const int64_t low = index < h->offset ? index : h->offset;
        const int64_t high = index >= end ? index + 1 : end;

        if (high - low <= h->most || h->scale <= COARSEST)
            break;
        halve(h);
        index = index_at(value, h->scale);
    }
    if (!widen(h, index))
        return 0;
    h->counts[index - h->offset] += times;
    remember(h, index);
    return 1;
}

static void
extend(struct exponential *h, double min, double max)
{
    h->min = h->count == 0 || min < h->min ? min : h->min;
    h->max = h->count == 0 || max > h->max ? max : h->max;
}

int
exponential_add(struct exponential *h, double value, uint64_t times)
{
    if (times == 0 || !isfinite(value))
        return 1;
    if (value <= EXPONENTIAL_ZERO)
        h->zero += times;
    else if (!count_at(h, value, times))
        return 0;
    extend(h, value, value);
    h->count += times;
    h->sum += value * (double)times;
    return 1;
}

int
exponential_merge(struct exponential *to, const struct exponential *from)
{
    const struct exponential before = *to;

    if (from->count == 0)
        return 1;
    for (uint32_t i = 0; i < from->size; i++) {
        /* The middle of a bucket stays in it, or in the one that it becomes a part of. */
        const double middle = exp2(ldexp((double)from->offset + i + 0.5, -from->scale));

        if (from->counts[i] > 0 && !count_at(to, middle, from->counts[i]))
            return 0;
    }
    to->count = before.count;
    extend(to, from->min, from->max);
    to->zero += from->zero;
    to->count += from->count;
    to->sum += from->sum;
    return 1;
}
