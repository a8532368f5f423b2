/* exporter: drives exporter plugins from the run file by a cursor, one thread per
 * exporter, so that a slow or dead receiver holds up nobody. Contract section 13. */
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
 * cursor is then written through `path` itself. `again`: from the start instead of where
 * it stopped. */
exporter *exporter_start(const plugin_choice *choice, registry *plugins, const char *path,
                         recorder *r, const run_info *info, bool again, GError **error);
/* The run has ended and `path` is complete: deliver the rest and the summary, wait at
 * most `wait_ns`. `ret` receives what was delivered, and the reason of what was not. */
void exporter_finish(exporter *e, int64_t wait_ns, struct export_state *ret);
void exporter_free(exporter *e);
