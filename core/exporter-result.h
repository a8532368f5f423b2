/* exporter-result: results as the ABI shows them: distributions, and the numbers of the
 * summary by their path in its JSON. */
#pragma once

#include <glib.h>
#include <stdint.h>

#include <lens/exporter.h>

#include "result.h"

typedef struct shown shown;

/* The results of `r`, which must be judged; copies all that it shows. */
shown *shown_new(const run_info *r);
/* The same without a copy of the histograms: takes over `r`. */
shown *shown_take(run_info *r);
void shown_free(shown *s);
const struct lens_result *shown_results(const shown *s);
uint32_t shown_count(const shown *s);
const char *shown_json(const shown *s); /* lens.summary/1 */
