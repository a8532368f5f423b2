/* tally: sums and distributions of the samples of one target and stage. Fed by the
 * recorder while the run goes on, or from the run file afterwards: both give the same
 * numbers. docs/metrics.md has the formulas. Not thread-safe. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include <lens/exporter.h>
#include <lens/provider.h>

#include "histogram.h"
#include "metric.h"
#include "sample.h"

#define ERROR_KINDS 22 /* one more than the highest LENS_KIND_* */

/* What a worker measured of itself since its last report. */
typedef struct client_report {
    uint32_t worker; /* which one reports; its shares of CPU and load are kept apart */
    /* Owned. start_late is the worker's own; the tally takes it from the samples. */
    histogram *lag_kernel, *lag_user, *start_late;
    int64_t stall_ns;        /* longest time the loop did not turn */
    int64_t burst_spread_ns; /* most between departures that were due together */
    int64_t cpu_ns, wall_ns; /* of the worker thread, over this report; without the time
                                that --spin only burns */
    int64_t clock_step_ns;   /* largest step of realtime seen, absolute */
    uint64_t lost;           /* samples or stamps lost inside the client */
    uint64_t resources;      /* times that fds, ports or memory ran out */
    uint32_t in_flight_max;  /* of all workers together */
    double in_flight_time; /* integral of requests in flight over time, request-seconds */
    bool measured;         /* lies in the measured window */
} client_report;

/* The sum, or the largest number there is. */
static inline int64_t
saturating_add(int64_t a, int64_t b)
{
    int64_t sum;

    if (__builtin_add_overflow(a, b, &sum))
        return a < 0 ? INT64_MIN : INT64_MAX;
    return sum;
}

client_report *client_report_new(void);
void client_report_free(client_report *c);

struct error_tally {
    uint64_t count;
    uint32_t where;
    char *example;
    histogram *duration; /* start to end of these requests; NULL: nothing recorded */
};

struct worker_use {
    int64_t cpu_ns, wall_ns; /* over all measured reports */
};

struct tally_flight {
    int64_t start_ns, end_ns;
};

typedef struct tally {
    /* Set by the caller before what ends inside is added. end INT64_MAX: still open;
     * start INT64_MAX: not yet begun. */
    int64_t window_start_ns, window_end_ns;
    histogram *hist[METRIC_COUNT]; /* NULL: nothing recorded */
    uint64_t total, ok, failed, cancelled, censored, warmup, cooldown, no_output, retries;
    struct error_tally errors[ERROR_KINDS];
    int64_t tokens[LENS_USAGE_COUNT];
    bool tokens_known[LENS_USAGE_COUNT];
    uint64_t tokens_unknown;
    double window_requests, window_output_tokens,
        window_input_tokens; /* completed inside */
    bool window_tokens_known;
    uint64_t stamps_kernel, stamps_user, stamps_interval; /* of output messages */
    uint64_t merged_samples;
    uint64_t messages_output, messages_shared;
    uint64_t reused, attempts;
    uint64_t judged, good; /* goodput by the per-request SLOs */
    /* In 10^-12 USD, of the measured requests whose cost is known; at most 9.2e6 USD. */
    int64_t cost[LENS_COST_COUNT], cost_total, cache_saving;
    uint64_t cost_known, cost_unknown; /* requests */
    int64_t cost_output_tokens;        /* of the known ones */
    int64_t cost_other;                /* of warm-up and cool-down */
    int64_t cost_reported;             /* by the servers themselves */
    uint64_t reported_count;
    /* Of measured requests, but last_end_ns is that of any; NEVER: none. */
    int64_t first_due_ns, last_due_ns, last_end_ns, first_start_ns, last_start_ns;
    uint64_t due_in_window;
    bool deltas_missing; /* itl of some sample is not known */
    /* Of the client itself. */
    histogram *lag_kernel, *lag_user;
    int64_t stall_ns, burst_spread_ns, cpu_ns_max_share_ppm, cpu_ns, clock_step_ns;
    uint64_t lost, resources;
    uint32_t in_flight_max;    /* of all workers */
    double in_flight_time;     /* request-seconds of all workers */
    int64_t in_flight_wall_ns; /* over this time: the longest of a worker */
    int64_t max_rss_bytes;     /* of this process */
    GArray *workers;           /* struct worker_use, by worker */
    /* See tally_concurrency. */
    GArray *flights; /* struct tally_flight, may reach beyond the last due time */
    guint flights_limit;
    double flown_s;     /* of those that do not */
    double concurrency; /* read from a run file in place of these; NaN: not so */
} tally;

/* `slos` (slo) may be NULL; borrowed. */
tally *tally_new(const GPtrArray *slos);
void tally_free(tally *t);
void tally_reset(tally *t);
void tally_add_sample(tally *t, const sample *s, const GPtrArray *slos);
/* One request more that was in flight; tally_add_sample does it. */
void tally_add_flight(tally *t, int64_t due_ns, int64_t end_ns);
/* Mean number of slots that held a request, between the window's start and the last due
 * time, a turnaround of 10 ms a request forgiven; NaN: unknown. */
double tally_concurrency(const tally *t);
void tally_add_client(tally *t, const client_report *c);
/* All but the window, which stays that of `to`. */
void tally_add(tally *to, const tally *from);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(tally, tally_free)
