/* recorder: takes finished samples from the workers and writes the run file on its own
 * thread, in transactions of at most half a second. Keeps the tallies, makes interval
 * snapshots.
 *
 *   new - (begin_result - set_window* - end_result)* - end_run - close
 *
 * When the file cannot be written (disk full) the tallies go on, what was lost is counted
 * here and in the tally's `lost`, and writing is tried again every second. */
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

/* Takes over the file; `info` stays the caller's, but its results' tallies are written by
 * the recorder alone until recorder_end_run. One ring per worker. `deltas` false:
 * timelines are counted, then dropped. `run_start_ns`: chrono_now of the run's start. */
recorder *recorder_new(runfile *f, run_info *info, unsigned workers, int64_t interval_ns,
                       bool deltas, int64_t run_start_ns);
/* Worker thread; takes over the sample. Never blocks: false when the ring is full, the
 * caller keeps it and tries again on its next turn. */
bool recorder_push(recorder *r, unsigned worker, sample *s);
/* Worker thread; takes over the report. */
bool recorder_push_client(recorder *r, unsigned worker, client_report *c);

/* Worker thread, at each change: requests in flight from now on. For the averages of
 * intervals; takes no lock. */
void recorder_in_flight(recorder *r, unsigned worker, unsigned count, int64_t now_ns);

/* Main thread. Results run one after another; what is pushed between begin and end
 * belongs to it. Begin adds `res` to the run's results if it is not there yet; of the
 * result's other fields a copy is taken at begin and at end. */
void recorder_begin_result(recorder *r, result *res);
/* INT64_MAX: open. Holds for every sample pushed after the call; best set before the
 * first. */
void recorder_set_window(recorder *r, int64_t start_ns, int64_t end_ns);
/* Waits until all that was pushed is counted and committed. An end_ns that is still open
 * becomes now. */
void recorder_end_result(recorder *r);
/* Any thread. */
void recorder_live(recorder *r, struct live *ret_live);
/* Any thread: a cursor to be written. */
void recorder_put_delivery(recorder *r, const char *exporter, uint64_t samples,
                           uint64_t intervals, uint64_t refused, const char *last_error);
/* What was committed so far; for exporters. */
uint64_t recorder_committed(const recorder *r);
uint64_t recorder_committed_intervals(const recorder *r);
/* Samples that could not be written (disk full), with the first reason; 0: none. The
 * reason lives until recorder_close. */
uint64_t recorder_lost(const recorder *r, const char **ret_reason);
/* Main thread, after the last result: writes the run's end, so that the file is complete
 * for readers, while deliveries can still be put. A duration_ns of 0 becomes now. May be
 * called again when `info` changed (exports). */
void recorder_end_run(recorder *r);
/* Writes the rest and the run's end, closes the file, frees the recorder. false:
 * something could not be written. */
bool recorder_close(recorder *r, GError **error);
