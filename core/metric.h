/* metric: the one table of distributions: id, unit, help. The ids are the keys of the
 * summary. */
#pragma once

#include <stdint.h>

enum metric {
    METRIC_TTFT,
    METRIC_TTFT_TEXT,
    METRIC_TTFT_FROM_DUE,
    METRIC_TTFT_TEXT_FROM_DUE,
    METRIC_TTST,
    METRIC_ITL,
    METRIC_ITL_TOKEN,
    METRIC_TPOT,
    METRIC_E2E,
    METRIC_E2E_FROM_DUE,
    METRIC_TTFB,
    METRIC_DNS,
    METRIC_CONNECT,
    METRIC_TLS,
    METRIC_NETWORK,
    METRIC_SERVER,
    METRIC_REQUEST_RATE, /* output_tokens_per_s_per_request; histogram unit: 1e-6 tok/s */
    METRIC_LATENCIES,    /* the ones above stand under "latency" */
    METRIC_LAG = METRIC_LATENCIES,
    METRIC_START_LATE,
    /* Not in the summary; for exporters, by the definitions of OpenTelemetry. */
    METRIC_FIRST_CHUNK,
    METRIC_DURATION,
    METRIC_INPUT_TOKENS, /* histogram unit: 1e-6 tokens, like the next one's */
    METRIC_OUTPUT_TOKENS,
    METRIC_COUNT
};

struct metric_info {
    const char *id, *unit, *help;
    double scale; /* histogram units per shown unit: 1e6 for ms */
};

const struct metric_info *metric_get(enum metric m);
/* METRIC_COUNT when there is none. */
enum metric metric_from_id(const char *id);

/* The percentiles that are shown everywhere. */
struct metric_percentile {
    const char *id; /* "p99_9" */
    double q;
};
#define METRIC_PERCENTILES 6
extern const struct metric_percentile metric_percentiles[METRIC_PERCENTILES];
/* 0.999 of "p99_9" or "p99.9"; NaN when it is no percentile within 0 and 100. */
double metric_quantile_of(const char *stat);
