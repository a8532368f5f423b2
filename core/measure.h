/* measure: what one sample says for each metric. docs/metrics.md has the formulas. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "metric.h"
#include "sample.h"
#include "slo.h"

/* In histogram units (ns, or 1e-6 tok/s), at least 0; NEVER: unknown, or not one value
 * per request (itl, itl_token, lag). Looks at times only, not at outcome and phase. */
int64_t measure_metric(const sample *s, enum metric m);

/* The gaps between the output messages of a try, in order. */
struct gap {
    int64_t ns;
    int64_t tokens; /* of the message behind the gap; -1 unknown */
};
typedef struct gap_reader {
    timeline_reader marks;
    int64_t previous_ns; /* NEVER: before the first output */
} gap_reader;
void gap_read(gap_reader *r, const attempt *a);
bool gap_next(gap_reader *r, struct gap *ret);
/* Whether the gaps of this try are known: not so for a stream whose log was dropped. */
bool measure_has_gaps(const attempt *a);

/* Share of the output of this try that came within [start, end]. */
double measure_share(const attempt *a, int64_t start_ns, int64_t end_ns);

/* Whether the request meets a per_request SLO. `itl` and `itl_token` must be met by every
 * gap; what is unknown is not met. */
bool measure_meets(const sample *s, const slo *condition);
