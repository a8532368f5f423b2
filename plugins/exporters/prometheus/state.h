/* state: the newest totals of each target and stage, small and of one size however long
 * a run is, and as families of what Prometheus calls metrics. */
#pragma once

#include <lens/plugin.h>

#include "../otlp/exponential.h"
#include "names.h"

#define MOST_BOUNDS 64
#define MOST_ERRORS 64 /* kinds and places */
#define MOST_SLOS 64

/* Bounds of classic histograms, in base units, rising, without +Inf. */
struct bounds {
    double values[MOST_BOUNDS];
    char texts[MOST_BOUNDS][28];
    uint32_t count;
};

struct distribution {
    uint64_t count;
    double sum;
    const struct bounds *bounds;
    uint64_t *classic; /* by bound, cumulative */
    struct exponential native;
};

struct label {
    const char *name, *value;
};

struct error_total {
    char *kind, *where;
    double count;
};

struct slo_state {
    char *expr;
    double met;
};

struct series {
    uint32_t target, stage;
    struct label labels[3]; /* sorted by name; into the state's names */
    uint32_t label_count;
    char *text;                         /* the same, as the text formats write them */
    double *numbers;                    /* by lens_names; NaN: unknown */
    struct distribution *distributions; /* by lens_names */
    struct error_total errors[MOST_ERRORS];
    uint32_t error_count;
    struct slo_state slos[MOST_SLOS];
    uint32_t slo_count;
    int64_t time_ms; /* of the snapshot that it is from; 0: none yet */
};

struct export_total {
    char *name;
    double delivered, refused, failures;
};

struct state {
    struct series **series;
    uint32_t series_count;
    struct export_total *exports;
    uint32_t export_count;
    struct label run_labels[8]; /* of lens_run_info, sorted */
    uint32_t run_label_count;
    struct {
        char *name, *model;
    } * targets;
    char **stages;
    uint32_t target_count, stage_count;
    struct bounds time, gap, tokens, rate;
    int64_t start_unix_ns;
    uint64_t version; /* rises with each change */
    int32_t failed;   /* out of memory: something is missing */
};

/* Reads the option `buckets`. */
lens_status state_open(struct state *s, const struct lens_host *host);
void state_close(struct state *s);
lens_status state_begin(struct state *s, const struct lens_run *run);
/* Takes over what the result tells. The series is made when it is new; NULL: no memory.
 */
struct series *state_take(struct state *s, const struct lens_host *host,
                          const struct lens_result *r, int64_t unix_ns);
void state_take_exports(struct state *s, const struct lens_snapshot *snapshot);

/* ---- families ---- */

#define POINT_LABELS 8

/* One series of a family. */
struct point {
    const struct series *series;       /* its labels come first; NULL: none */
    struct label labels[POINT_LABELS]; /* more of them */
    uint32_t label_count;
    double value;
    const struct distribution *distribution; /* in place of `value` */
};

struct family {
    const struct lens_name *name; /* of its first row */
    struct point *points;
    uint32_t count, room;
    int32_t failed;
};

/* Calls `fn` for each family that has points. `of`: only those of one series, and no
 * others; NULL: of all. */
typedef void (*family_fn)(const struct family *f, void *data);
int families_each(const struct state *s, const struct series *of, family_fn fn,
                  void *data);
