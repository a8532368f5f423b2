/* slo: `METRIC.STAT OP VALUE` judges a result, `METRIC OP VALUE` is a condition on each
 * request; their conjunction forms goodput. docs/metrics.md. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "metric.h"

enum slo_op { SLO_LT, SLO_LE, SLO_GT, SLO_GE };

typedef struct slo {
    char *text;       /* as given, without spaces */
    char *metric;     /* "ttft", "errors", "output_tokens_per_s", "goodput" ... */
    char *stat;       /* "p99", "mean", ...; NULL: of the result itself, or per request */
    bool per_request; /* a condition on each request */
    enum slo_op op;
    double value;     /* ms, ratio 0..1, or the metric's own unit */
    const char *unit; /* "ms", "ratio", "tok/s", "req/s" */
} slo;

slo *slo_parse(const char *text, GError **error);
void slo_free(slo *s);
/* NaN never meets. */
bool slo_met(const slo *s, double value);
