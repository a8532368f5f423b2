/* column: what one column of a flat file shows, and how: a field of a sample, or a number
 * of a result, under a title, in a form that the reader expects. */
#pragma once

#include "field.h"

enum rows { ROWS_SAMPLES, ROWS_INTERVALS, ROWS_SUMMARY };

/* What a row is made of: a sample, or a result with the interval that it is of. */
struct row {
    const struct lens_sample *sample;
    const struct lens_result *result;
    const struct lens_snapshot *snapshot; /* NULL: the whole run */
    const struct run_names *names;
    double run_s; /* length of the run; NaN: not known yet */
};

struct column_word {
    char *from, *to;
};

struct column {
    char *title;
    const struct field *field; /* of samples */
    char *source;              /* of results: a name of column-result.c */
    double scale;              /* numbers are multiplied by it */
    int32_t decimals;          /* -1: as many as needed */
    char *empty;               /* stands for what is unknown; NULL: nothing does */
    char *yes, *no;            /* NULL: true, false */
    struct column_word *words; /* strings that are called otherwise */
    uint32_t word_count;
};

struct columns {
    enum rows rows;
    struct column *items;
    uint32_t count;
};

/* The columns of `list` ("a+b+c"), or those that are shown by default. Says which name is
 * not known. */
lens_status columns_choose(struct columns *c, const struct lens_host *host,
                           enum rows rows, const char *list);
/* Adds a column that shows `source`; NULL: no such source, or no memory. `title` NULL:
 * the same. */
struct column *columns_add(struct columns *c, const char *source, const char *title);
/* Refuses an unknown source: "WHERE: no column ...". */
lens_status columns_refuse(const struct columns *c, const struct lens_host *host,
                           const char *where, const char *source);
void columns_clear(struct columns *c);
void column_read(const struct column *c, const struct row *row, struct value *ret);

/* "samples", "intervals" or "summary". */
enum rows rows_of(const char *what);

/* ---- column-result.c ---- */

/* Calls `fn` with each source that is shown by default until it answers 0. */
typedef int (*source_fn)(void *data, const char *source);
void result_each_source(enum rows rows, source_fn fn, void *data);
/* The full name of a source, which may be short ("ttft.p99"), into `ret`; 0: unknown. */
int result_find_source(enum rows rows, const char *word, char ret[128]);
/* Length of the run; NaN: not told. */
double summary_seconds(const struct lens_summary *summary);
void result_read(const char *source, const struct row *row, struct value *ret);
