/* runfile: the SQLite database that holds a run (docs/run-file.md). One writer thread;
 * readers open their own handle. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "result.h"
#include "sample.h"

typedef struct runfile runfile;

/* Creates the file. An existing one is refused unless `force`. Everything that can fail
 * later for lack of rights or space is tried now. */
runfile *runfile_create(const char *path, bool force, GError **error);
/* Opens an existing file; also one whose writer was killed, or still writes. */
runfile *runfile_open(const char *path, bool writable, GError **error);
void runfile_close(runfile *f);
const char *runfile_path(const runfile *f);
bool runfile_writable(const runfile *f);

/* Writing; between begin and commit all is one transaction. */
bool runfile_begin(runfile *f, GError **error);
bool runfile_commit(runfile *f, GError **error);
bool runfile_put_run(runfile *f, const run_info *r,
                     GError **error); /* insert or update */
bool runfile_put_result(runfile *f, const run_info *r, unsigned nth, GError **error);
bool runfile_put_sample(runfile *f, const sample *s,
                        GError **error); /* all its attempts */
bool runfile_put_interval(runfile *f, uint32_t target, uint32_t stage, uint64_t nth,
                          int64_t begin_ns, int64_t end_ns, int64_t unix_ns,
                          const tally *t, GError **error);
bool runfile_put_delivery(runfile *f, const char *exporter, uint64_t samples,
                          uint64_t intervals, uint64_t refused, const char *last_error,
                          GError **error);

/* Reading. */
run_info *runfile_get_run(runfile *f, GError **error); /* with results, tallies empty */
uint64_t runfile_sample_count(runfile *f);
/* Samples with id rank > `after` in the order in which they were written; at most
 * `limit`. The rank of the last one given comes back. false from fn stops. */
typedef bool (*runfile_sample_fn)(const sample *s, uint64_t rank, void *data);
bool runfile_each_sample(runfile *f, uint64_t after, uint64_t limit, runfile_sample_fn fn,
                         void *data, GError **error);
typedef bool (*runfile_interval_fn)(uint32_t target, uint32_t stage, uint64_t nth,
                                    int64_t begin_ns, int64_t end_ns, int64_t unix_ns,
                                    const tally *t, void *data);
bool runfile_each_interval(runfile *f, uint64_t after, runfile_interval_fn fn, void *data,
                           GError **error);
bool runfile_get_delivery(runfile *f, const char *exporter, uint64_t *ret_samples,
                          uint64_t *ret_intervals, uint64_t *ret_refused, GError **error);
/* The run with every tally computed anew from the samples, judged. What `show` and
 * `export` use. */
run_info *runfile_load(runfile *f, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(runfile, runfile_close)
