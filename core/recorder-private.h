/* What the files of the recorder share. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "recorder.h"
#include "ring.h"

#define RECORDER_RING 65536 /* samples a worker can be ahead */
#define RATE_SLOTS 8        /* of half a second each */

struct delivery {
    char *exporter, *last_error;
    uint64_t samples, intervals, refused;
    uint64_t version, written; /* differ: to be written */
};

void delivery_free(void *delivery);
struct delivery *delivery_copy(const struct delivery *d);
/* NULL: none yet. */
struct delivery *delivery_find(const GPtrArray *deliveries, const char *exporter);

/* What the main thread wants of the recorder's. */
struct order {
    bool begin_result, end_result, end_run, stop;
    result *result; /* the caller's; NULL: none */
    result shadow;  /* its fields at begin or end */
    unsigned nth;
};

/* Requests in flight of one worker, which alone writes but for `most`. */
struct flow {
    _Alignas(64) atomic_int_fast64_t area_ns; /* requests times time, up to `since_ns` */
    atomic_int_fast64_t since_ns;
    atomic_uint count, most; /* most since the interval's begin */
};

/* Requests and tokens of the last seconds. */
struct rates {
    int64_t slot; /* the newest, in half seconds */
    uint64_t requests[RATE_SLOTS], tokens[RATE_SLOTS];
};

struct recorder {
    runfile *file;
    run_info *info;
    bool deltas;
    int64_t run_start_ns, start_unix_ns, interval_ns;
    uint64_t trace_seed;
    unsigned workers;
    ring **rings;
    struct flow *flows; /* by worker */
    pthread_t thread;

    /* Between threads, under `lock`, held for moments only. */
    pthread_mutex_t lock;
    pthread_cond_t wake, done;
    result *current;          /* between begin and end; NULL: none */
    uint64_t asked, answered; /* numbers of orders */
    struct order order;       /* the one asked for last */
    int64_t window_start_ns, window_end_ns;
    GPtrArray *deliveries; /* struct delivery, one per exporter */
    struct live live;
    char *lost_reason;

    atomic_uint_fast64_t committed, committed_intervals, lost;
    atomic_bool live_wanted;

    /* The recorder's thread alone. */
    result *result, shadow;
    unsigned nth;
    tally *interval;
    int64_t interval_begin_ns, last_unix_ns, flow_area_ns, flow_ns;
    bool in_transaction, run_unsaved, end_saved;
    bool histograms_changed; /* of those that samples cannot tell */
    int64_t commit_due_ns, histograms_due_ns, retry_ns, quantiles_ns;
    uint64_t pending, rank, intervals;
    struct rates rates;
    struct live next_live;
};

/* The thread. */
void *recorder_thread(void *recorder);

/* recorder-write.c; recorder thread. Nothing is reported: what fails is counted. */
void recorder_write_sample(recorder *r, const sample *s);
void recorder_write_interval(recorder *r, int64_t now_ns);
/* `final`: the current result with every histogram. `end`: the run's end too. */
void recorder_commit(recorder *r, int64_t now_ns, bool final, bool end);

/* recorder-live.c; recorder thread. */
void live_begin(recorder *r);
void live_add(recorder *r, const sample *s);
void live_publish(recorder *r, int64_t now_ns);
