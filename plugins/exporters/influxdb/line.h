/* line: points in InfluxDB's line protocol
 * (https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/). */
#pragma once

#include "../common/text.h"

/* Lines, one behind the other; each is known by its number. */
struct lines {
    struct text text;
    size_t *starts; /* of each line, and the end of the last one */
    uint32_t count, capacity;
    int32_t failed; /* out of memory */
    int32_t fields; /* of the line that is being written */
};

void lines_rewind(struct lines *l);
void lines_clear(struct lines *l);
/* Where line `nth` starts; `nth` may be the count. */
size_t lines_start(const struct lines *l, uint32_t nth);

/* One point: begin, tags sorted by key, fields, end. Values that are not there (NULL,
 * empty, not finite) are left out, as the protocol has no word for them. */
void line_begin(struct lines *l, const char *measurement);
void line_tag(struct lines *l, const char *key, const char *value);
void line_float(struct lines *l, const char *key, double value);
/* A float: seconds, exact to the nanosecond. */
void line_seconds(struct lines *l, const char *key, int64_t ns);
void line_int(struct lines *l, const char *key, int64_t value);
void line_bool(struct lines *l, const char *key, int32_t value);
void line_string(struct lines *l, const char *key, const char *value);
/* A point without a field is none: its line is then empty. */
void line_end(struct lines *l, int64_t unix_ns);

/* NULL, or why a tag may not be called that. */
const char *line_bad_key(const char *key);
