/* recorder: takes finished samples from the workers and writes the run file on its own
 * thread, in transactions of at most a second. Keeps the tallies, makes interval
 * snapshots. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "result.h"
#include "runfile.h"

typedef struct recorder recorder;

/* Numbers of the live view. */
struct live {
    uint64_t done, ok, failed; /* requests of the current result */
    uint64_t errors[ERROR_KINDS];
    double requests_per_s, output_tokens_per_s;              /* over the last seconds */
    double ttft_p50_ms, ttft_p99_ms, itl_p50_ms, lag_p99_ms; /* NaN: unknown */
};

/* Takes over the file; `info` stays the caller's and is written by the recorder alone
 * until recorder_close. One ring per worker. */
recorder *recorder_new(runfile *f, run_info *info, unsigned workers, int64_t interval_ns,
                       bool deltas, int64_t run_start_ns);
/* Worker thread; takes over the sample. Never blocks: false when the ring is full, the
 * caller keeps it and tries again on its next turn. */
bool recorder_push(recorder *r, unsigned worker, sample *s);
/* Worker thread; takes over the report. */
bool recorder_push_client(recorder *r, unsigned worker, client_report *c);

/* Main thread. Results run one after another; what is pushed between begin and end
 * belongs to it.
 */
void recorder_begin_result(recorder *r, result *res);
void recorder_set_window(recorder *r, int64_t start_ns,
                         int64_t end_ns); /* INT64_MAX: open */
/* Waits until all that was pushed is counted and committed. */
void recorder_end_result(recorder *r);
void recorder_live(recorder *r, struct live *ret_live);
/* Any thread: a cursor to be written. */
void recorder_put_delivery(recorder *r, const char *exporter, uint64_t samples,
                           uint64_t intervals, uint64_t refused, const char *last_error);
/* What was committed so far; for exporters. */
uint64_t recorder_committed(const recorder *r);
uint64_t recorder_committed_intervals(const recorder *r);
/* Samples that could not be written (disk full), with the first reason; 0: none. */
uint64_t recorder_lost(const recorder *r, const char **ret_reason);
/* Writes the rest and the run's end. false: something could not be written. */
bool recorder_close(recorder *r, GError **error);
