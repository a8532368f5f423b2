/* names: the one table of what lens measures, and what it is called in each format.
 * Prometheus, OTLP, InfluxDB, SQL and StatsD names, docs/exporters/names.md and the test
 * of the dashboards come from here. Names of conventions carry their definitions, ours
 * (`lens.*`) carry those of docs/metrics.md. */
#pragma once

#include <lens/exporter.h>

#ifdef __cplusplus
extern "C" {
#endif

enum lens_name_kind {
    LENS_NAME_HISTOGRAM = 1, /* a lens_metric of a result */
    LENS_NAME_COUNTER = 2,   /* a lens_number; rises over the run */
    LENS_NAME_GAUGE = 3      /* a lens_number */
};

struct lens_name {
    const char *id; /* lens_metric.name or lens_number.name; the key in the summary JSON,
                       without "latency." and with dots */
    uint32_t kind;  /* LENS_NAME_* */
    const char *unit;      /* of the value as a result tells it: "ms", "tok/s", "" */
    double scale;          /* value * scale is in base_unit */
    const char *base_unit; /* UCUM: "s", "By", "1", "{token}", "{request}", "{USD}" */
    const char *help;      /* one line, no full stop */
    /* Rows with one name in common are one family, told apart by this label. NULL: none.
     */
    const char *label, *label_value;
    const char *prometheus; /* in base units; counters with _total */
    const char *otlp;       /* semantic conventions 1.41; in base units */
    const char *otlp_next;  /* the conventions to come */
    const char *otlp_also;  /* a second name there, without the label; NULL: none */
    const char *influx;     /* field, or its beginning: ttft_p99; in base units */
    const char *sql;        /* column, or its beginning: ttft_ms_p99; in `unit` */
    const char *statsd;     /* in `unit`; times are ms there */
};

/* In a fixed order, rows of a family together. */
extern const struct lens_name lens_names[];
extern const uint32_t lens_name_count;
/* NULL: there is none. */
const struct lens_name *lens_name_find(const char *id);

/* What says whose numbers they are. */
struct lens_label_name {
    const char *id; /* "target" */
    const char *help;
    const char *prometheus, *otlp, *otlp_next, *influx, *sql;
};
extern const struct lens_label_name lens_labels[];
extern const uint32_t lens_label_count;
const struct lens_label_name *lens_label_find(const char *id);

/* ---- values ---- */

/* By its name; NULL: the result has none. */
const struct lens_metric *lens_result_metric(const struct lens_result *r, const char *id);
/* By its name; NaN: unknown. */
double lens_result_number(const struct lens_result *r, const char *id);
/* NaN: too few values, or not among those that are kept. */
double lens_metric_quantile(const struct lens_metric *m, double q);

#ifdef __cplusplus
}
#endif
