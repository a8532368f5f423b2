/* exporter-run: what a run is, as the ABI shows it before it starts. */
#pragma once

#include <lens/exporter.h>

#include "result.h"

typedef struct run_shown run_shown;

/* Copies all that it shows. Targets and stages come from the results, or from the plan
 * where these are not made yet. */
run_shown *run_shown_new(const run_info *r, const char *path);
void run_shown_free(run_shown *r);
const struct lens_run *run_shown_get(const run_shown *r);
