#include "histogram.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>

#include "histogram-layout.h"

/* Squares of times up to 52 days fit 2^23 times into 127 bits; of times up to an hour,
 * 2^43 times. */
#define LONGEST_NS (INT64_C(1) << 52)
/* Beyond this the kernel drops pages faster than we clear them. */
#define CLEAR_MAX (64 * 1024)

__extension__ typedef unsigned __int128 wide;

struct histogram {
    uint64_t *counts; /* COUNTS of them, untouched pages cost nothing */
    uint64_t count, overflow;
    int64_t min_ns, max_ns; /* min > max: empty */
    wide sum, squares;
};

static void
forget(histogram *h)
{
    h->count = 0;
    h->overflow = 0;
    h->min_ns = INT64_MAX;
    h->max_ns = -1;
    h->sum = 0;
    h->squares = 0;
}

histogram *
histogram_new(void)
{
    histogram *h = g_new0(histogram, 1);
    const size_t size = LAYOUT_COUNTS * sizeof *h->counts;

    h->counts = mmap(NULL, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (h->counts == MAP_FAILED)
        g_error("cannot map %zu bytes for a histogram: %s", size, g_strerror(errno));
    /* One huge page would be touched whole by the first value. */
    (void)madvise(h->counts, size, MADV_NOHUGEPAGE);
    forget(h);
    return h;
}

void
histogram_free(histogram *h)
{
    if (h == NULL)
        return;
    munmap(h->counts, LAYOUT_COUNTS * sizeof *h->counts);
    g_free(h);
}

/* The part of the array that is in use: [first, last]; first > last: none. */
static uint32_t
first_used(const histogram *h)
{
    return h->min_ns > LAYOUT_HIGHEST_NS ? LAYOUT_COUNTS : layout_index(h->min_ns);
}

static int64_t
last_used(const histogram *h)
{
    return h->max_ns < 0 ? -1 : (int64_t)layout_index(MIN(h->max_ns, LAYOUT_HIGHEST_NS));
}

void
histogram_reset(histogram *h)
{
    const int64_t first = first_used(h), last = last_used(h);

    if (first <= last) {
        const size_t size = (size_t)(last - first + 1) * sizeof *h->counts;

        if (size <= CLEAR_MAX ||
            madvise(h->counts, LAYOUT_COUNTS * sizeof *h->counts, MADV_DONTNEED) != 0)
            memset(h->counts + first, 0, size);
    }
    forget(h);
}

void
histogram_record_n(histogram *h, int64_t ns, uint64_t n)
{
    const int64_t v = CLAMP(ns, 0, LONGEST_NS);

    if (n == 0)
        return;
    if (G_LIKELY(v <= LAYOUT_HIGHEST_NS))
        h->counts[layout_index(v)] += n;
    else
        h->overflow += n;
    h->count += n;
    if (v < h->min_ns)
        h->min_ns = v;
    if (v > h->max_ns)
        h->max_ns = v;
    h->sum += (wide)(uint64_t)v * n;
    h->squares += (wide)(uint64_t)v * (uint64_t)v * n;
}

void
histogram_record(histogram *h, int64_t ns)
{
    histogram_record_n(h, ns, 1);
}

void
histogram_add(histogram *to, const histogram *from)
{
    const int64_t last = last_used(from);

    for (int64_t i = first_used(from); i <= last; i++) {
        if (from->counts[i] > 0) /* do not touch pages of `to` for nothing */
            to->counts[i] += from->counts[i];
    }
    to->count += from->count;
    to->overflow += from->overflow;
    to->min_ns = MIN(to->min_ns, from->min_ns);
    to->max_ns = MAX(to->max_ns, from->max_ns);
    to->sum += from->sum;
    to->squares += from->squares;
}

uint64_t
histogram_count(const histogram *h)
{
    return h->count;
}

uint64_t
histogram_overflow(const histogram *h)
{
    return h->overflow;
}

int64_t
histogram_min(const histogram *h)
{
    return h->count > 0 ? h->min_ns : 0;
}

int64_t
histogram_max(const histogram *h)
{
    return h->count > 0 ? h->max_ns : 0;
}

double
histogram_sum(const histogram *h)
{
    return (double)h->sum;
}

double
histogram_mean(const histogram *h)
{
    return h->count > 0 ? (double)((long double)h->sum / (long double)h->count) : 0;
}

double
histogram_stddev(const histogram *h)
{
    wide mean, rest, around;
    long double share;

    if (h->count == 0)
        return 0;
    /* The squares around the whole part of the mean are an exact integer, so that nothing
     * cancels: sum((v-m)^2) = squares - 2 m sum + n m^2. */
    mean = h->sum / h->count;
    rest = h->sum % h->count;
    around = h->squares - 2 * mean * h->sum + (wide)h->count * mean * mean;
    share = (long double)rest / (long double)h->count;
    return (double)sqrtl(
        MAX(0.0L, (long double)around / (long double)h->count - share * share));
}

int64_t
histogram_quantile(const histogram *h, double q)
{
    const double exact = CLAMP(q, 0.0, 1.0) * (double)h->count;
    /* 0.07 * 100 is a little more than 7 in binary; it still means the 7th. */
    const double rank = MAX(1.0, ceil(exact - exact * 1e-14));
    const int64_t last = last_used(h);
    uint64_t seen = 0;

    if (h->count == 0)
        return 0;
    for (int64_t i = first_used(h); i <= last; i++) {
        seen += h->counts[i];
        if ((double)seen >= rank) {
            const int64_t low = layout_value((uint32_t)i);
            const int64_t middle = low + layout_width((uint32_t)i) / 2;

            return CLAMP(middle, h->min_ns, h->max_ns);
        }
    }
    return h->max_ns; /* among the overflowed */
}

uint64_t
histogram_needs(double q)
{
    /* 1/(1-0.9) is a little more than 10 in binary. */
    return q >= 1 ? UINT64_MAX : (uint64_t)ceil(1 / (1 - MAX(q, 0.0)) * (1 - 1e-12));
}

void
histogram_each(const histogram *h, histogram_fn fn, void *data)
{
    const int64_t last = last_used(h);

    for (int64_t i = first_used(h); i <= last; i++) {
        if (h->counts[i] > 0) {
            const int64_t low = layout_value((uint32_t)i);

            fn(low, low + layout_width((uint32_t)i) - 1, h->counts[i], data);
        }
    }
}

bool
histogram_next(const histogram *h, uint64_t *cursor, int64_t *ret_low_ns,
               int64_t *ret_high_ns, uint64_t *ret_count)
{
    const int64_t last = last_used(h);

    for (int64_t i = MAX((int64_t)*cursor, (int64_t)first_used(h)); i <= last; i++) {
        if (h->counts[i] == 0)
            continue;
        *ret_low_ns = layout_value((uint32_t)i);
        *ret_high_ns = *ret_low_ns + layout_width((uint32_t)i) - 1;
        *ret_count = h->counts[i];
        *cursor = (uint64_t)i + 1;
        return true;
    }
    if (h->overflow == 0 || *cursor > LAYOUT_COUNTS)
        return false;
    *ret_low_ns = LAYOUT_HIGHEST_NS + 1;
    *ret_high_ns = MAX(h->max_ns, *ret_low_ns);
    *ret_count = h->overflow;
    *cursor = LAYOUT_COUNTS + 1;
    return true;
}

struct histogram_exact
histogram_get_exact(const histogram *h)
{
    return (struct histogram_exact){
        .overflow = h->overflow,
        .min_ns = h->min_ns,
        .max_ns = h->max_ns,
        .sum = { (uint64_t)h->sum, (uint64_t)(h->sum >> 64) },
        .squares = { (uint64_t)h->squares, (uint64_t)(h->squares >> 64) },
    };
}

void
histogram_set_exact(histogram *h, const struct histogram_exact *exact)
{
    if (exact->min_ns < 0 || exact->max_ns < exact->min_ns)
        return; /* from a damaged file */
    h->count += exact->overflow - h->overflow;
    h->overflow = exact->overflow;
    h->min_ns = exact->min_ns;
    h->max_ns = exact->max_ns;
    h->sum = (wide)exact->sum[1] << 64 | exact->sum[0];
    h->squares = (wide)exact->squares[1] << 64 | exact->squares[0];
}
