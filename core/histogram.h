/* histogram: log-linear counts of nanoseconds with 4 significant digits, 1 us to 1 h.
 *
 * The bucket layout is HdrHistogram's (lowest 1,000, highest 3.6e12, 4 digits), so the
 * encoding below is read by any HdrHistogram V2 reader. Counts are mapped memory: pages
 * are touched when used. Not thread-safe. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct histogram histogram;

histogram *histogram_new(void);
void histogram_free(histogram *h);
void histogram_reset(histogram *h);

/* Values below 0 count as 0; values above 1 h count as overflow and in max, mean and sum.
 * At most 20 ns. */
void histogram_record(histogram *h, int64_t ns);
void histogram_record_n(histogram *h, int64_t ns, uint64_t n);
/* Exact: counts, min, max, sum and squares add up. */
void histogram_add(histogram *to, const histogram *from);

uint64_t histogram_count(const histogram *h);
uint64_t histogram_overflow(const histogram *h);
/* Exact; 0 when empty. */
int64_t histogram_min(const histogram *h);
int64_t histogram_max(const histogram *h);
double histogram_mean(const histogram *h);
double histogram_sum(const histogram *h);
double histogram_stddev(const histogram *h);
/* Smallest value with at least ceil(q * n) values at or below it, as the middle of its
 * bucket, but within [min, max]. */
int64_t histogram_quantile(const histogram *h, double q);
/* How many values a quantile needs to be told: n >= 1/(1-q). */
uint64_t histogram_needs(double q);

/* Calls fn for every bucket in use, in order; bounds are inclusive. */
typedef void (*histogram_fn)(int64_t low_ns, int64_t high_ns, uint64_t count, void *data);
void histogram_each(const histogram *h, histogram_fn fn, void *data);

/* The same one by one; `cursor` starts at 0. What is above 1 h comes last, as one bucket
 * that reaches to the maximum. false: no more. */
bool histogram_next(const histogram *h, uint64_t *cursor, int64_t *ret_low_ns,
                    int64_t *ret_high_ns, uint64_t *ret_count);

/* HdrHistogram V2, zlib compressed. */
GBytes *histogram_encode(const histogram *h);
/* Also reads histograms of other digits and ranges: values are put in anew (middle of
 * bucket). */
histogram *histogram_decode(const void *data, gsize size, GError **error);

/* What the encoding does not carry: with it a decoded histogram is the one that was
 * encoded. Numbers of 128 bits have their low half first. */
struct histogram_exact {
    uint64_t overflow;
    int64_t min_ns, max_ns;
    uint64_t sum[2], squares[2];
};
struct histogram_exact histogram_get_exact(const histogram *h);
/* `h` must come from histogram_decode. */
void histogram_set_exact(histogram *h, const struct histogram_exact *exact);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(histogram, histogram_free)
