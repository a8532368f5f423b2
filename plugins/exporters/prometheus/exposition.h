/* exposition: the state in the formats that Prometheus scrapes.
 * https://prometheus.io/docs/instrumenting/exposition_formats/ and
 * https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md */
#pragma once

#include "../common/text.h"
#include "state.h"

enum exposition { EXPOSE_TEXT, EXPOSE_OPENMETRICS, EXPOSE_PROTOBUF, EXPOSITIONS };

/* The one that an Accept header likes best, by its q-values; parameters that are not
 * known are passed over. */
enum exposition exposition_choose(const char *accept, size_t size);
const char *exposition_type(enum exposition format);
/* Writes all of the state. 0: no memory. */
int exposition_write(const struct state *s, enum exposition format, struct text *to);

/* a="x",b="y" with escapes; malloc'd. */
char *exposition_labels(const struct label *labels, uint32_t count);
/* All labels of a point, sorted by name. `ret` has room for MOST_LABELS. */
#define MOST_LABELS (POINT_LABELS + 3)
uint32_t exposition_sorted(const struct point *p, struct label *ret);
/* Without the suffix that samples of a counter carry. */
size_t exposition_family_size(const struct lens_name *name);

int exposition_protobuf(const struct state *s, struct text *to);
