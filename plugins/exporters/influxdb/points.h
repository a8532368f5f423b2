/* points: a run, its samples, intervals and results as points; docs/exporters/influxdb.md
 * has the mapping. */
#pragma once

#include "tags.h"

#define MOST_FIELDS 80

/* A field of a sample, and what it is called: under its column, but for times, which are
 * told in seconds, as everywhere in InfluxDB's points; the table has the name of
 * "ttft_ms" under "ttft". */
struct point_field {
    const struct field *field;
    const char *key, *number_key; /* of a number with a fraction */
    int32_t is_time;
    char time_key[64];
};

struct points {
    const char *prefix; /* of measurements */
    struct tags tags;
    struct run_facts facts;
    struct point_field fields[MOST_FIELDS];
    uint32_t field_count;
    int32_t run_field; /* the run is a field of samples, not a tag */
};

/* Reads the options tags, tag, fields and prefix. */
lens_status points_open(struct points *p, const struct lens_host *host);
void points_close(struct points *p);
lens_status points_begin(struct points *p, const struct lens_run *run);

void points_run(const struct points *p, const struct lens_run *run, struct lines *to);
void points_sample(const struct points *p, const struct lens_sample *s, struct lines *to);
/* A result as a point of prefix + `measurement`, that covers `seconds` up to `unix_ns`,
 * and one point more for each kind of error. */
void points_result(const struct points *p, const char *measurement,
                   const struct lens_result *r, double seconds, int64_t unix_ns,
                   struct lines *to);
/* How far an exporter has come. */
void points_export(const struct points *p, const struct lens_export_info *e,
                   int64_t unix_ns, struct lines *to);
