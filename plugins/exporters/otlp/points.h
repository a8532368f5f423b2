/* points: data points of OTLP metrics. */
#pragma once

#include <names.h>

#include "exponential.h"
#include "fields.h"
#include "settings.h"

struct moment {
    uint64_t start, time; /* Unix ns; start 0: none (gauges) */
};

/* A point of a Sum or Gauge; whole numbers as integers when `integer`. */
struct node *point_number(struct tree *t, struct node *to, const struct moment *at,
                          double value, int integer);
/* A point of a Histogram or an ExponentialHistogram, whose attributes are then added by
 * `add` at the place where they belong; NULL when memory ran out. `scratch` is emptied.
 */
typedef void (*attributes_fn)(void *data, struct tree *t, struct node *point,
                              const struct otlp_field *f);
void point_exponential(const struct lens_host *host, const struct lens_metric *m,
                       const struct lens_name *name, const struct moment *at,
                       struct exponential *scratch, attributes_fn add, void *data,
                       struct tree *t, struct node *to);
void point_explicit(const struct lens_host *host, const struct lens_metric *m,
                    const struct lens_name *name, const struct moment *at,
                    attributes_fn add, void *data, struct tree *t, struct node *to);
