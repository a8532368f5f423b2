/* csv: rows with a header line, quoted by RFC 4180, lines end with LF. */
#pragma once

#include <lens/plugin.h>

#include "../common/field.h"
#include "../common/text.h"

/* ---- cells.c ---- */

/* Quotes what holds a comma, a quote or a line end. */
void cell_string(struct text *t, const char *string);
void cell_int(struct text *t, int64_t integer);
void cell_double(struct text *t, double number); /* empty when not finite */
/* What stands between this column and the one before. */
void cell_next(struct text *t, uint32_t column);

/* ---- selection.c ---- */

/* Calls `fn` for each name of "a+b+c"; stops at and returns the first failure. */
typedef lens_status (*selection_fn)(void *data, const char *name, size_t size);
lens_status selection_each(const char *list, selection_fn fn, void *data);

/* ---- sample-rows.c ---- */

/* What a column of the samples shows: a field, by the name that the user gave it. */
struct sample_column {
    const struct field *field;
    const char *title;
    size_t title_size;
};
struct sample_columns {
    struct sample_column *items;
    uint32_t count;
};
/* `list` NULL: all that are not extra. Says which name is not known. */
lens_status sample_columns_choose(struct sample_columns *c, const struct lens_host *host,
                                  const char *list);
void sample_columns_clear(struct sample_columns *c);
void sample_header(const struct sample_columns *c, struct text *t);
void sample_row(const struct sample_columns *c, const struct lens_sample *s,
                const struct run_names *names, struct text *t);

/* ---- summary-rows.c ---- */

/* A column of the summary is named by its path in the summary JSON. */
struct summary_columns {
    char **names;
    uint32_t count, capacity;
};
lens_status summary_columns_choose(struct summary_columns *c,
                                   const struct lens_host *host, const char *list);
void summary_columns_clear(struct summary_columns *c);
void summary_table(const struct summary_columns *c, const struct lens_summary *s,
                   const struct run_names *names, struct text *t);
