/* lines: metrics in the forms of StatsD (statsd/statsd docs/metric_types.md) and of
 * DogStatsD (docs.datadoghq.com/developers/dogstatsd/datagram_shell). */
#pragma once

#include "datagram.h"

enum dialect { DIALECT_STATSD, DIALECT_DATADOG };
/* Where a StatsD series says its target and stage. */
enum series { SERIES_NONE, SERIES_NAME, SERIES_TAGS };

/* What series of one target and stage share, made once. */
struct series_name {
    char suffix[256]; /* behind the name: ".target.stage", ";target=a;stage=b" or "" */
    char tags[1024];  /* behind the type: "|#target:a,stage:b" or "" */
};

struct lines {
    struct datagram *out;
    enum dialect dialect;
    enum series series;
    const char *prefix;
};

struct pair_text {
    const char *key, *value;
};
/* `pairs` of which the value is NULL or empty are left out; the first two are what names
 * a series where there are no tags. */
void series_name_make(const struct lines *l, const struct pair_text *pairs, size_t count,
                      struct series_name *ret);

/* `type`: "c", "g", "ms", "d". `extra`: one more tag or part of the name; NULL: none. */
void line_put(struct lines *l, const struct series_name *series, const char *name,
              const struct pair_text *extra, double value, const char *type);
