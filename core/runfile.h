/* runfile: the SQLite database that holds a run (docs/run-file.md). One writer thread;
 * readers open their own handle. A handle is used by one thread at a time. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "result.h"
#include "sample.h"

typedef struct runfile runfile;

/* Creates the file. An existing one is refused unless `force`; it is then replaced when
 * the new one stands. Everything that can fail later for lack of rights or space is tried
 * now. */
runfile *runfile_create(const char *path, bool force, GError **error);
/* Whether the name is free and the folder takes a file; leaves nothing behind. */
bool runfile_may_create(const char *path, bool force, GError **error);
/* Opens an existing file; also one whose writer was killed, or still writes, and one on
 * read-only storage. `writable` is a wish: see runfile_writable. Refuses what is not a
 * run file, and one of a newer lens, naming both versions. */
runfile *runfile_open(const char *path, bool writable, GError **error);
void runfile_close(runfile *f);
const char *runfile_path(const runfile *f);
bool runfile_writable(const runfile *f);
/* The writer said goodbye. false: it was killed, or still writes. */
bool runfile_has_end(runfile *f);
/* The process that wrote it last; 0: not known. */
int runfile_writer(runfile *f);
/* The timelines of its samples were kept. */
bool runfile_has_deltas(runfile *f);

/* Writing; between begin and commit all is one transaction. After an error roll back:
 * what was put since begin is gone, and the file goes on from there. */
bool runfile_begin(runfile *f, GError **error);
bool runfile_commit(runfile *f, GError **error);
void runfile_rollback(runfile *f);
/* Moves what was committed from the log into the database when it is worth it. */
void runfile_tidy(runfile *f);
/* Insert or update. `deltas` false: timelines are dropped. */
bool runfile_put_run(runfile *f, const run_info *r, bool deltas, GError **error);
/* The run goes on at `now_ns`, since its start. */
bool runfile_put_pulse(runfile *f, int64_t now_ns, GError **error);
/* The run has ended: duration, interrupted, exports. */
bool runfile_put_end(runfile *f, const run_info *r, GError **error);
/* Which histograms to store beside the result's numbers: those that samples cannot tell,
 * or all. */
enum histogram_choice { HISTOGRAMS_NONE, HISTOGRAMS_NEEDED, HISTOGRAMS_EVERY };
bool runfile_put_result(runfile *f, const result *r, unsigned nth, bool deltas,
                        enum histogram_choice choice, GError **error);
/* All its attempts. `ret_rank` (may be NULL): its place in the file, from 1. */
bool runfile_put_sample(runfile *f, const sample *s, bool deltas, uint64_t *ret_rank,
                        GError **error);
/* `nth` counts from 1 over the whole run. */
bool runfile_put_interval(runfile *f, uint32_t target, uint32_t stage, uint64_t nth,
                          int64_t begin_ns, int64_t end_ns, int64_t unix_ns,
                          const tally *t, GError **error);
/* How far each of the run's exports has come; put_run and put_end do it too. */
bool runfile_put_exports(runfile *f, const run_info *r, GError **error);
bool runfile_put_delivery(runfile *f, const char *exporter, uint64_t samples,
                          uint64_t intervals, uint64_t refused, const char *last_error,
                          GError **error);

/* Reading. */
run_info *runfile_get_run(runfile *f, GError **error); /* with results, tallies empty */
uint64_t runfile_sample_count(runfile *f);
uint64_t runfile_interval_count(runfile *f);
/* From now on samples are read for an exporter: what none is shown is left out, as are
 * the timelines without `timelines`; these read as empty. */
void runfile_read_shown(runfile *f, bool timelines);
/* Samples with rank > `after` in the order in which they were written; at most `limit`.
 * The sample and its texts are borrowed for the call. false from fn stops. */
typedef bool (*runfile_sample_fn)(const sample *s, uint64_t rank, void *data);
bool runfile_each_sample(runfile *f, uint64_t after, uint64_t limit, runfile_sample_fn fn,
                         void *data, GError **error);
/* Intervals with nth > `after`. The tally's window is the part of the interval that lies
 * in the result's window, so that its rates are the interval's. */
typedef bool (*runfile_interval_fn)(uint32_t target, uint32_t stage, uint64_t nth,
                                    int64_t begin_ns, int64_t end_ns, int64_t unix_ns,
                                    const tally *t, void *data);
bool runfile_each_interval(runfile *f, uint64_t after, runfile_interval_fn fn, void *data,
                           GError **error);
/* Zeroes for an exporter that has none. */
bool runfile_get_delivery(runfile *f, const char *exporter, uint64_t *ret_samples,
                          uint64_t *ret_intervals, uint64_t *ret_refused, GError **error);
/* The run with every tally computed anew from the samples, judged. What `show` and
 * `export` use. A file without an end counts as interrupted. */
run_info *runfile_load(runfile *f, GError **error);
/* The same with every sample (`price` may change its costs) handed to `price` first, and
 * every result, before its first sample. */
typedef struct runfile_pricer {
    void (*begin)(result *r, void *data);
    void (*price)(const result *r, sample *s, void *data);
    void *data;
} runfile_pricer;
run_info *runfile_load_priced(runfile *f, const runfile_pricer *pricer, GError **error);

/* The same from what the writer has summed up, where that is all there: quick, however
 * many samples there are. Falls back to runfile_load. */
run_info *runfile_load_stored(runfile *f, GError **error);

/* A wall clock time that no other sample of the run has: those that start within 65 us of
 * each other differ by their id. Needs no memory, and is the same in a repeat. */
static inline int64_t
runfile_unique_ns(int64_t unix_ns, uint64_t id)
{
    return (int64_t)(((uint64_t)unix_ns & ~UINT64_C(0xffff)) | (id & 0xffff));
}

/* For tests: no more than `pages` of 4 KiB, as if the disk were full; 0: no limit. */
void runfile_limit_pages(runfile *f, int pages);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(runfile, runfile_close)
