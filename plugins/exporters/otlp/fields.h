/* fields: the OTLP messages that are sent, field by field (opentelemetry-proto v1.11.0:
 * collector/metrics/v1, collector/trace/v1, metrics/v1, trace/v1, common/v1,
 * resource/v1). X(identifier, number, type, repeated, name in JSON). */
#pragma once

#include "tree.h"

#define OTLP_FIELDS(X)                                            \
    X(REQUEST_METRICS, 1, MESSAGE, 1, "resourceMetrics")          \
    X(REQUEST_SPANS, 1, MESSAGE, 1, "resourceSpans")              \
    X(RESOURCE, 1, MESSAGE, 0, "resource")                        \
    X(RESOURCE_SCOPE_METRICS, 2, MESSAGE, 1, "scopeMetrics")      \
    X(RESOURCE_SCOPE_SPANS, 2, MESSAGE, 1, "scopeSpans")          \
    X(SCHEMA_URL, 3, STRING, 0, "schemaUrl")                      \
    X(RESOURCE_ATTRIBUTES, 1, MESSAGE, 1, "attributes")           \
    X(SCOPE, 1, MESSAGE, 0, "scope")                              \
    X(SCOPE_METRICS, 2, MESSAGE, 1, "metrics")                    \
    X(SCOPE_SPANS, 2, MESSAGE, 1, "spans")                        \
    X(SCOPE_NAME, 1, STRING, 0, "name")                           \
    X(SCOPE_VERSION, 2, STRING, 0, "version")                     \
    X(KEY, 1, STRING, 0, "key")                                   \
    X(VALUE, 2, MESSAGE, 0, "value")                              \
    X(VALUE_STRING, 1, STRING, 0, "stringValue")                  \
    X(VALUE_BOOL, 2, BOOL, 0, "boolValue")                        \
    X(VALUE_INT, 3, INT64, 0, "intValue")                         \
    X(VALUE_DOUBLE, 4, DOUBLE, 0, "doubleValue")                  \
    X(VALUE_ARRAY, 5, MESSAGE, 0, "arrayValue")                   \
    X(ARRAY_VALUES, 1, MESSAGE, 1, "values")                      \
    X(METRIC_NAME, 1, STRING, 0, "name")                          \
    X(METRIC_DESCRIPTION, 2, STRING, 0, "description")            \
    X(METRIC_UNIT, 3, STRING, 0, "unit")                          \
    X(METRIC_GAUGE, 5, MESSAGE, 0, "gauge")                       \
    X(METRIC_SUM, 7, MESSAGE, 0, "sum")                           \
    X(METRIC_HISTOGRAM, 9, MESSAGE, 0, "histogram")               \
    X(METRIC_EXPONENTIAL, 10, MESSAGE, 0, "exponentialHistogram") \
    X(DATA_POINTS, 1, MESSAGE, 1, "dataPoints")                   \
    X(TEMPORALITY, 2, ENUM, 0, "aggregationTemporality")          \
    X(MONOTONIC, 3, BOOL, 0, "isMonotonic")                       \
    X(NUMBER_START, 2, FIXED64, 0, "startTimeUnixNano")           \
    X(NUMBER_TIME, 3, FIXED64, 0, "timeUnixNano")                 \
    X(NUMBER_DOUBLE, 4, DOUBLE, 0, "asDouble")                    \
    X(NUMBER_INT, 6, FIXED64, 0, "asInt")                         \
    X(NUMBER_ATTRIBUTES, 7, MESSAGE, 1, "attributes")             \
    X(EXPLICIT_START, 2, FIXED64, 0, "startTimeUnixNano")         \
    X(EXPLICIT_TIME, 3, FIXED64, 0, "timeUnixNano")               \
    X(EXPLICIT_COUNT, 4, FIXED64, 0, "count")                     \
    X(EXPLICIT_SUM, 5, DOUBLE, 0, "sum")                          \
    X(EXPLICIT_COUNTS, 6, PACKED_FIXED64, 0, "bucketCounts")      \
    X(EXPLICIT_BOUNDS, 7, PACKED_DOUBLE, 0, "explicitBounds")     \
    X(EXPLICIT_EXEMPLARS, 8, MESSAGE, 1, "exemplars")             \
    X(EXPLICIT_ATTRIBUTES, 9, MESSAGE, 1, "attributes")           \
    X(EXPLICIT_MIN, 11, DOUBLE, 0, "min")                         \
    X(EXPLICIT_MAX, 12, DOUBLE, 0, "max")                         \
    X(EXPONENTIAL_ATTRIBUTES, 1, MESSAGE, 1, "attributes")        \
    X(EXPONENTIAL_START, 2, FIXED64, 0, "startTimeUnixNano")      \
    X(EXPONENTIAL_TIME, 3, FIXED64, 0, "timeUnixNano")            \
    X(EXPONENTIAL_COUNT, 4, FIXED64, 0, "count")                  \
    X(EXPONENTIAL_SUM, 5, DOUBLE, 0, "sum")                       \
    X(EXPONENTIAL_SCALE, 6, SINT32, 0, "scale")                   \
    X(EXPONENTIAL_ZERO_COUNT, 7, FIXED64, 0, "zeroCount")         \
    X(EXPONENTIAL_POSITIVE, 8, MESSAGE, 0, "positive")            \
    X(EXPONENTIAL_EXEMPLARS, 11, MESSAGE, 1, "exemplars")         \
    X(EXPONENTIAL_MIN, 12, DOUBLE, 0, "min")                      \
    X(EXPONENTIAL_MAX, 13, DOUBLE, 0, "max")                      \
    X(EXPONENTIAL_ZERO_THRESHOLD, 14, DOUBLE, 0, "zeroThreshold") \
    X(BUCKETS_OFFSET, 1, SINT32, 0, "offset")                     \
    X(BUCKETS_COUNTS, 2, PACKED_UINT64, 0, "bucketCounts")        \
    X(EXEMPLAR_TIME, 2, FIXED64, 0, "timeUnixNano")               \
    X(EXEMPLAR_DOUBLE, 3, DOUBLE, 0, "asDouble")                  \
    X(EXEMPLAR_SPAN, 4, ID, 0, "spanId")                          \
    X(EXEMPLAR_TRACE, 5, ID, 0, "traceId")                        \
    X(SPAN_TRACE, 1, ID, 0, "traceId")                            \
    X(SPAN_ID, 2, ID, 0, "spanId")                                \
    X(SPAN_PARENT, 4, ID, 0, "parentSpanId")                      \
    X(SPAN_NAME, 5, STRING, 0, "name")                            \
    X(SPAN_KIND, 6, ENUM, 0, "kind")                              \
    X(SPAN_START, 7, FIXED64, 0, "startTimeUnixNano")             \
    X(SPAN_END, 8, FIXED64, 0, "endTimeUnixNano")                 \
    X(SPAN_ATTRIBUTES, 9, MESSAGE, 1, "attributes")               \
    X(SPAN_EVENTS, 11, MESSAGE, 1, "events")                      \
    X(SPAN_STATUS, 15, MESSAGE, 0, "status")                      \
    X(SPAN_FLAGS, 16, FIXED32, 0, "flags")                        \
    X(EVENT_TIME, 1, FIXED64, 0, "timeUnixNano")                  \
    X(EVENT_NAME, 2, STRING, 0, "name")                           \
    X(EVENT_ATTRIBUTES, 3, MESSAGE, 1, "attributes")              \
    X(STATUS_MESSAGE, 2, STRING, 0, "message")                    \
    X(STATUS_CODE, 3, ENUM, 0, "code")

enum otlp_field_id {
#define X(identifier, number, type, repeated, name) OTLP_##identifier,
    OTLP_FIELDS(X)
#undef X
};
extern const struct otlp_field otlp_fields[];
#define OTLP(identifier) (&otlp_fields[OTLP_##identifier])

/* An attribute, added as the repeated field `f`. Empty strings and NULL are left out. */
void attribute_string(struct tree *t, struct node *to, const struct otlp_field *f,
                      const char *key, const char *value);
void attribute_bytes(struct tree *t, struct node *to, const struct otlp_field *f,
                     struct lens_bytes key, struct lens_bytes value);
void attribute_int(struct tree *t, struct node *to, const struct otlp_field *f,
                   const char *key, int64_t value);
void attribute_double(struct tree *t, struct node *to, const struct otlp_field *f,
                      const char *key, double value);
void attribute_bool(struct tree *t, struct node *to, const struct otlp_field *f,
                    const char *key, int32_t value);
/* A list of one string. */
void attribute_list(struct tree *t, struct node *to, const struct otlp_field *f,
                    const char *key, const char *value);
