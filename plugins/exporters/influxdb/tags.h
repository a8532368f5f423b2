/* tags: what tells one series from another. */
#pragma once

#include "../common/field.h"
#include "line.h"

#define MOST_TAGS 32

/* What stays of lens_run after `begin`. */
struct run_facts {
    char run[9]; /* the first part of the run's id */
    char *id, *host_name;
    struct run_names names;
    struct target_facts {
        char *provider, *api, *model;
    } * targets;
    char **workloads; /* by stage */
    uint32_t target_count, stage_count;
    int64_t start_unix_ns;
};
lens_status run_facts_take(struct run_facts *f, const struct lens_run *run);
void run_facts_clear(struct run_facts *f);

enum point_kind { POINT_RUN = 1, POINT_RESULT = 2, POINT_SAMPLE = 4 };

struct tag {
    const char *key;
    uint32_t kinds; /* the points that have it, when it is asked for */
    uint32_t usual; /* the points that have it when nothing is said */
    const char *(*read)(const struct run_facts *, uint32_t target, uint32_t stage);
    const struct field *field; /* in place of `read`: of the sample */
    const char *value;         /* in place of both: always the same */
};

/* Sorted by key, as InfluxDB likes them best. */
struct tags {
    struct tag items[MOST_TAGS];
    uint32_t count;
    char *own; /* keys and values of the user's */
};

/* Reads the options `tags` and `tag`. */
lens_status tags_open(struct tags *t, const struct lens_host *host);
void tags_close(struct tags *t);
/* `s` only with POINT_SAMPLE. */
void tags_write(const struct tags *t, enum point_kind kind, const struct run_facts *f,
                uint32_t target, uint32_t stage, const struct lens_sample *s,
                struct lines *to);

/* Whether points of this kind have such a tag. */
int tags_have(const struct tags *t, enum point_kind kind, const char *key);

/* A field by the name of its column, also without its "_ms"; NULL: there is none. */
const struct field *find_field(const char *name);
/* "option tags: `x`: why". */
lens_status refuse_option(const struct lens_host *host, const char *option,
                          const char *value, const char *why);
