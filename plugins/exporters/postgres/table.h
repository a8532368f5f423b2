/* table: a table of the database: its columns and their types, the statements that make
 * and fill it, and rows in the text form of COPY. */
#pragma once

#include "../common/column.h"
#include "../common/text.h"

struct table_column {
    char *name;       /* in the database */
    const char *type; /* of SQL */
    char *source;     /* what it shows: a column of samples, or a row of the name table
                         with a statistic */
    int32_t fixed;    /* `source` is the value itself */
};

struct table {
    char *schema, *name; /* schema NULL: as search_path has it */
    struct table_column *items;
    uint32_t count;
    const char *key;  /* columns of the primary key; NULL: none */
    const char *time; /* column that a hypertable is divided by */
    int32_t whole;    /* a repeat replaces the row, it does not stay as it is */
};

/* Adds a column; 0: no memory. */
int table_add(struct table *t, const char *name, const char *type, const char *source,
              int32_t fixed);
void table_clear(struct table *t);
/* Schema and name, quoted. */
void table_name(const struct table *t, struct text *out);

/* CREATE TABLE IF NOT EXISTS, and ADD COLUMN IF NOT EXISTS for each. */
void table_create(const struct table *t, struct text *sql);
/* The three statements around a COPY: an empty staging table, COPY into it, and from
 * there into the table; what is there already stays, or is replaced. */
void table_stage(const struct table *t, struct text *sql);
void table_copy(const struct table *t, struct text *sql);
void table_merge(const struct table *t, struct text *sql);

/* ---- rows ---- */

void row_null(struct text *out);
void row_text(struct text *out, const char *value);
void row_value(struct text *out, const struct value *v);
void row_number(struct text *out, double value);
void row_next(struct text *out, int32_t first);
void row_end(struct text *out);
