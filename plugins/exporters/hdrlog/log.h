/* log: the lines of a HdrHistogram log. */
#pragma once

#include "../common/output.h"

/* What stands before the first interval. */
void log_head(struct text *to, int64_t start_unix_ns);
/* One line; times since the start of the run, `max_ms` in ms, `hdr_v2` as
 * lens_metric.hdr_v2. */
void log_line(struct text *to, const char *tag, int64_t begin_ns, int64_t end_ns,
              double max_ms, const struct lens_bytes *hdr_v2);

/* Goes on behind all that a file with this head holds. LENS_E_UNSUPPORTED: it has another
 * head, or none. */
lens_status log_go_on(struct output *o, const struct text *head);
/* Cuts the intervals that began at `begin_ns` or later, and a torn last line. 0, or -1
 * with errno. */
int log_cut(struct output *o, int64_t begin_ns);
