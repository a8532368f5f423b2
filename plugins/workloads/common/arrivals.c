#include "arrivals.h"

#include <math.h>
#include <stdlib.h>

struct arrivals *
arrivals_new(const struct lens_host *host, const struct lens_workload_args *args,
             arrivals_gap_fn gap)
{
    struct arrivals *a = calloc(1, sizeof *a);

    if (a == NULL) {
        host->fail(host, LENS_E_NOMEM, "out of memory");
        return NULL;
    }
    a->host = host;
    a->stage = (struct lens_workload_args){
        .shard = args->shard,
        .shards = args->shards > 0 ? args->shards : 1,
        .requests = args->requests,
        .duration_ns = args->duration_ns,
    };
    a->gap = gap;
    a->group = 1;
    a->limit = UINT64_MAX;
    return a;
}

void
arrivals_close(void *self)
{
    free(self);
}

uint64_t
arrivals_even_gap(const struct arrivals *a, uint64_t index)
{
    return index > 0 && index % a->group == 0 ? a->group * ARRIVALS_UNIT : 0;
}

/* The inverse of the cumulative rate curve; -1 when no clock can show it. One division,
 * so that due times do not drift however many arrivals there are. */
static int64_t
due_of(const struct arrivals *a, long double arrivals)
{
    const long double due = roundl(arrivals * a->span_ns / a->per_span);

    return due < 9.2e18L ? (int64_t)due : -1;
}

lens_status
arrivals_next(void *self, int64_t now_ns, struct lens_arrival *arrival)
{
    struct arrivals *a = self;
    uint64_t k;

    (void)now_ns; /* open: the past does not move what is due */
    do {
        if (a->index == a->limit)
            return LENS_DONE;
        k = a->index++;
        a->sum += a->gap(a, k);
    } while (k % a->stage.shards != a->stage.shard);

    arrival->at_ns = due_of(a, (long double)a->sum / ARRIVALS_UNIT);
    if (arrival->at_ns < 0)
        return LENS_DONE;
    arrival->ticket = k;
    arrival->index = k;
    arrival->session = k;
    arrival->content_seed = a->host->rand(a->host, LENS_RAND_CONTENT, k);
    return LENS_OK;
}

/* How many are due before `duration_ns`: exact for even gaps, the mean for drawn ones. */
static int64_t
arrivals_within(const struct arrivals *a, int64_t duration_ns)
{
    const long double mean = (long double)duration_ns * a->per_span / a->span_ns;
    const long double n = a->group > 0 ? ceill(mean / a->group) * a->group : roundl(mean);

    return n < 9.2e18L ? (int64_t)n : -1;
}

/* When the last of `n` is due, in the same sense. */
static int64_t
last_due(const struct arrivals *a, int64_t n)
{
    if (a->group == 0)
        return due_of(a, n);
    return due_of(a, n > 0 ? (uint64_t)(n - 1) / a->group * a->group : 0);
}

/* -1 is not known. */
static int64_t
least(int64_t x, int64_t y)
{
    if (x < 0 || y < 0)
        return x < 0 ? y : x;
    return x < y ? x : y;
}

lens_status
arrivals_estimate(void *self, struct lens_estimate *total)
{
    const struct arrivals *a = self;
    const int64_t duration_ns = a->stage.duration_ns;
    const int64_t limit = a->limit <= INT64_MAX ? (int64_t)a->limit : -1;
    const int64_t n = least(limit, a->stage.requests);

    total->arrivals = least(n, duration_ns >= 0 ? arrivals_within(a, duration_ns) : -1);
    total->duration_ns = least(duration_ns, n >= 0 ? last_due(a, n) : -1);
    return LENS_OK;
}
