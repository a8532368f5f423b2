/* metrics: a snapshot as an ExportMetricsServiceRequest: every row of the name table that
 * the snapshot knows. */
#pragma once

#include "exponential.h"
#include "origin.h"
#include "settings.h"

/* `scratch` is used for one histogram at a time. */
struct node *metrics_build(const struct lens_host *host, const struct origin *o,
                           const struct settings *s, const struct lens_snapshot *snapshot,
                           struct exponential *scratch, struct tree *t);
