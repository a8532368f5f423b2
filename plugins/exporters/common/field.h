/* field: what can be told of a sample, as one table for all exporters of flat records.
 * The formulas are those of docs/metrics.md. */
#pragma once

#include <lens/plugin.h>

enum value_kind {
    VALUE_NONE, /* unknown, or never came to that */
    VALUE_INT,
    VALUE_DOUBLE,
    VALUE_BOOL,
    VALUE_STRING, /* UTF-8, not escaped */
    VALUE_JSON    /* a whole JSON value */
};

struct value {
    enum value_kind kind;
    int64_t integer;
    double number;
    const char *string;
    char buffer[40]; /* what `string` may point to */
};

/* Names by index; copied from lens_run, which is gone after `begin`. */
struct run_names {
    char **targets, **stages;
    uint32_t target_count, stage_count;
    char **providers, **apis, **models, **urls; /* by target */
    char **workloads, **options;                /* by stage */
    char *run_id;
    int64_t start_unix_ns;
};
lens_status run_names_take(struct run_names *n, const struct lens_run *run);
void run_names_clear(struct run_names *n);

struct field {
    const char *name;   /* in JSON; "error.kind" is member kind of object error */
    const char *column; /* in CSV; NULL: the same name */
    uint32_t flags;     /* FIELD_* */
    uint32_t form;      /* how it is read, field.c */
    size_t a, b;
    void (*read)(const struct lens_sample *, const struct run_names *, struct value *);
};
enum {
    FIELD_EXTRA = 1, /* not among the columns of a CSV unless asked for */
    FIELD_NAMED = 2  /* only where it is asked for by its name */
};

/* In a fixed order; members of one object stand together. */
extern const struct field sample_fields[];
extern const uint32_t sample_field_count;

void field_read(const struct field *f, const struct lens_sample *s,
                const struct run_names *names, struct value *ret);
const char *field_column(const struct field *f);
/* RFC 3339 in UTC, to the nanosecond; nothing before 1970. */
void value_set_time(struct value *v, int64_t unix_ns);
