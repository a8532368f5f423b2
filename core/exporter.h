/* exporter: drives exporter plugins from the run file by a cursor, one thread per
 * exporter, so that a slow or dead receiver holds up nobody. docs/exporters/README.md. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "plan.h"
#include "recorder.h"
#include "registry.h"
#include "result.h"

typedef struct exporter exporter;

/* Opens the plugin and starts its thread. `r` NULL: an old run (`lens export`), the
 * cursor is then written through `path` itself, or kept in memory when that is read-only.
 * `again`: from the start instead of where it stopped. `info` is read here and in
 * exporter_finish only. */
exporter *exporter_start(const plugin_choice *choice, registry *plugins, const char *path,
                         recorder *r, const run_info *info, bool again, GError **error);

/* The end of a run, for all its exporters at once. Call it when `path` is complete and
 * `info` is judged (recorder_end_run, run_info_judge) and before recorder_close. Delivers
 * what is left, writes `info->exports`, delivers the summary, waits `wait_ns` at most in
 * all, and says what stayed behind. Whether all was delivered. */
bool exporters_finish(const GPtrArray *exporters, run_info *info, int64_t wait_ns);
/* The same for one exporter; `ret` receives what was delivered, and the reason of what
 * was not. */
void exporter_finish(exporter *e, int64_t wait_ns, struct export_state *ret);
/* Ends all waiting of exporters_finish and exporter_finish now and later; any thread,
 * also from a signal handler. */
void exporters_skip_wait(void);

/* Samples delivered so far, for showing progress; any thread. */
void exporter_progress(exporter *e, uint64_t *ret_delivered, uint64_t *ret_of);
/* Waits until all samples and intervals are delivered or given up; false: `wait_ns` is
 * over. */
bool exporter_wait(exporter *e, int64_t wait_ns);
/* What was delivered; the caller frees the strings. */
void exporter_state(exporter *e, struct export_state *ret);
/* "3 of 10 samples delivered, 0 of 2 intervals delivered", of what the exporter takes;
 * the caller frees it. */
char *exporter_tell(exporter *e, const struct export_state *s);
/* Closes the plugin. One whose call does not come back is left behind. */
void exporter_free(exporter *e);
