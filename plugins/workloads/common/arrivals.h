/* arrivals: the one engine behind every open workload.
 *
 * due_k = inverse(g_0 + ... + g_k): independent gaps g_k of mean 1 are summed up and
 * mapped through the inverse of the cumulative rate curve. Each shard walks the whole
 * sequence and hands out its own indices, so the list of due times is the same for any
 * number of shards. Gaps are summed as integers: no order of addition and no machine
 * changes the result. */
#pragma once

#include <lens/plugin.h>

/* Gaps are counted in this fraction of the mean gap. */
#define ARRIVALS_UNIT (UINT64_C(1) << 40)

struct arrivals;
typedef uint64_t (*arrivals_gap_fn)(const struct arrivals *a, uint64_t index);

struct arrivals {
    const struct lens_host *host;
    struct lens_workload_args stage;
    arrivals_gap_fn gap;
    long double span_ns, per_span; /* the rate: `per_span` arrivals in `span_ns` */
    uint64_t group;                /* arrivals that come together; 0: gaps are drawn */
    uint64_t limit;                /* how many there are; UINT64_MAX: no end */
    uint64_t index;                /* of the next one, over all shards */
    unsigned __int128 sum;         /* of the gaps so far */
};

/* For `open`: a new engine with the stage's arguments, one arrival at a time, no end. The
 * caller sets the rate. NULL: out of memory, already told to the host. */
struct arrivals *arrivals_new(const struct lens_host *host,
                              const struct lens_workload_args *args, arrivals_gap_fn gap);
/* Gaps of shapes without chance: `group` arrivals at t = 0, then `group` more at a time.
 */
uint64_t arrivals_even_gap(const struct arrivals *a, uint64_t index);

/* The operations of lens_workload. */
void arrivals_close(void *self);
lens_status arrivals_next(void *self, int64_t now_ns, struct lens_arrival *arrival);
lens_status arrivals_estimate(void *self, struct lens_estimate *total);
