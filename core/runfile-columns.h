/* columns: which field of a struct stands in which column of a table. One list makes the
 * table, writes rows and reads them back. Private to the run file. */
#pragma once

#include <glib.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum column_type {
    COLUMN_INT64,  /* -1: NULL */
    COLUMN_BOUND,  /* int64, INT64_MAX: NULL */
    COLUMN_COOKIE, /* uint64, UINT64_MAX: NULL */
    COLUMN_UINT64,
    COLUMN_UINT32,
    COLUMN_INT32,
    COLUMN_UINT16,
    COLUMN_BOOL,
    COLUMN_DOUBLE, /* NaN: NULL */
    COLUMN_TEXT,   /* NULL: NULL */
    COLUMN_TRACE,  /* 16 bytes; zeroes: NULL */
    COLUMN_SPAN    /* 8 bytes; zeroes: NULL */
};

struct column {
    const char *name;
    size_t offset;
    enum column_type type;
    bool inner; /* no exporter is shown it */
};

/* A prepared insert that binds only what changed since the last row. */
struct inserter {
    sqlite3_stmt *statement;
    int64_t last[128];
    uint8_t state[128]; /* STATE_* by parameter */
};

/* Appends ", name TYPE" for each. */
void columns_declare(GString *sql, const struct column *columns, size_t count);
/* Appends "name, name" with `prefix` before each. */
void columns_names(GString *sql, const struct column *columns, size_t count,
                   const char *prefix);

/* Parameter numbers count from 1. Text is borrowed until the next reset. */
void insert_int(struct inserter *in, int parameter, int64_t value);
void insert_null(struct inserter *in, int parameter);
void insert_double(struct inserter *in, int parameter, double value);
void insert_text(struct inserter *in, int parameter, const char *text);
void insert_blob(struct inserter *in, int parameter, const void *data, size_t size);
/* Binds each column of `object`, from parameter `first` on; gives the next parameter. */
int insert_columns(struct inserter *in, int first, const struct column *columns,
                   size_t count, const void *object);
void inserter_clear(struct inserter *in);

/* Reads columns from `first` on into `object`; gives the next one. `own`: texts are
 * copied, else they live until the statement moves on. */
int columns_read(sqlite3_stmt *statement, int first, const struct column *columns,
                 size_t count, bool own, void *object);
