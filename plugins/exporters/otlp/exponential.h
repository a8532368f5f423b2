/* exponential: a base-2 exponential histogram as OTLP defines it (metrics data model,
 * "ExponentialHistogram"): bucket i holds (base^i, base^(i+1)], base = 2^(2^-scale). It
 * starts at scale 8 and halves its resolution when it would need more than `most`
 * buckets, which is exact. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* What is at or below it is counted as zero: messages of one segment share a stamp. */
#define EXPONENTIAL_ZERO 1e-6

struct exponential {
    uint64_t count, zero;
    double sum, min, max;
    int32_t scale, offset; /* index of counts[0] */
    uint32_t size, room, most;
    uint64_t *counts;
    /* The bucket of the last value, without its edges; near_end 0: none. */
    double near_begin, near_end;
    int32_t near_index;
};

/* `most`: buckets, at least 2; 0: 640. */
void exponential_init(struct exponential *h, uint32_t most);
void exponential_clear(struct exponential *h);
/* Empties it and keeps the memory. */
void exponential_reset(struct exponential *h);
/* Counts `value` `times` over. `sum`, `min` and `max` follow; set them afterwards where
 * they are known better. Without memory it answers 0 and counts nothing. */
int exponential_add(struct exponential *h, double value, uint64_t times);
int exponential_merge(struct exponential *to, const struct exponential *from);
