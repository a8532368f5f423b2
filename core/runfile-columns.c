#include "runfile-columns.h"

#include <math.h>
#include <string.h>

enum { STATE_NULL = 0, STATE_INT, STATE_OTHER };

static const char *
column_type_name(enum column_type type)
{
    switch (type) {
    case COLUMN_TEXT:
        return "TEXT";
    case COLUMN_DOUBLE:
        return "REAL";
    case COLUMN_TRACE:
    case COLUMN_SPAN:
        return "BLOB";
    default:
        return "INTEGER";
    }
}

void
columns_declare(GString *sql, const struct column *columns, size_t count)
{
    for (size_t i = 0; i < count; i++)
        g_string_append_printf(sql, ",\n  %s %s", columns[i].name,
                               column_type_name(columns[i].type));
}

void
columns_names(GString *sql, const struct column *columns, size_t count,
              const char *prefix)
{
    for (size_t i = 0; i < count; i++)
        g_string_append_printf(sql, "%s%s%s", i == 0 ? "" : ", ", prefix,
                               columns[i].name);
}

void
insert_null(struct inserter *in, int parameter)
{
    if (in->state[parameter] == STATE_NULL)
        return;
    sqlite3_bind_null(in->statement, parameter);
    in->state[parameter] = STATE_NULL;
}

void
insert_int(struct inserter *in, int parameter, int64_t value)
{
    if (in->state[parameter] == STATE_INT && in->last[parameter] == value)
        return;
    sqlite3_bind_int64(in->statement, parameter, value);
    in->state[parameter] = STATE_INT;
    in->last[parameter] = value;
}

void
insert_double(struct inserter *in, int parameter, double value)
{
    if (isnan(value)) {
        insert_null(in, parameter);
        return;
    }
    sqlite3_bind_double(in->statement, parameter, value);
    in->state[parameter] = STATE_OTHER;
}

void
insert_text(struct inserter *in, int parameter, const char *text)
{
    if (text == NULL) {
        insert_null(in, parameter);
        return;
    }
    sqlite3_bind_text(in->statement, parameter, text, -1, SQLITE_STATIC);
    in->state[parameter] = STATE_OTHER;
}

void
insert_blob(struct inserter *in, int parameter, const void *data, size_t size)
{
    if (size == 0) {
        insert_null(in, parameter);
        return;
    }
    sqlite3_bind_blob64(in->statement, parameter, data, size, SQLITE_STATIC);
    in->state[parameter] = STATE_OTHER;
}

void
inserter_clear(struct inserter *in)
{
    sqlite3_finalize(in->statement);
    *in = (struct inserter){ 0 };
}

static size_t
id_size(const struct column *column)
{
    return column->type == COLUMN_TRACE ? 16 : 8;
}

/* An id of zeroes is none; a first byte of zero is as likely as any other. */
static bool
has_id(const void *id, size_t size)
{
    static const char none[16];

    return memcmp(id, none, size) != 0;
}

#define FIELD(kind) (*(const kind *)(const void *)((const char *)object + column->offset))

static void
insert_column(struct inserter *in, int parameter, const struct column *column,
              const void *object)
{
    switch (column->type) {
    case COLUMN_INT64:
        if (FIELD(int64_t) == -1)
            insert_null(in, parameter);
        else
            insert_int(in, parameter, FIELD(int64_t));
        return;
    case COLUMN_BOUND:
        if (FIELD(int64_t) == INT64_MAX)
            insert_null(in, parameter);
        else
            insert_int(in, parameter, FIELD(int64_t));
        return;
    case COLUMN_COOKIE:
        if (FIELD(uint64_t) == UINT64_MAX)
            insert_null(in, parameter);
        else
            insert_int(in, parameter, (int64_t)FIELD(uint64_t));
        return;
    case COLUMN_UINT64:
        insert_int(in, parameter, (int64_t)FIELD(uint64_t));
        return;
    case COLUMN_UINT32:
        insert_int(in, parameter, FIELD(uint32_t));
        return;
    case COLUMN_INT32:
        insert_int(in, parameter, FIELD(int32_t));
        return;
    case COLUMN_UINT16:
        insert_int(in, parameter, FIELD(uint16_t));
        return;
    case COLUMN_BOOL:
        insert_int(in, parameter, FIELD(bool));
        return;
    case COLUMN_DOUBLE:
        insert_double(in, parameter, FIELD(double));
        return;
    case COLUMN_TEXT:
        insert_text(in, parameter, FIELD(char *));
        return;
    case COLUMN_TRACE:
    case COLUMN_SPAN:
        insert_blob(in, parameter, &FIELD(uint8_t),
                    has_id(&FIELD(uint8_t), id_size(column)) ? id_size(column) : 0);
        return;
    }
}

#undef FIELD

int
insert_columns(struct inserter *in, int first, const struct column *columns, size_t count,
               const void *object)
{
    for (size_t i = 0; i < count; i++)
        insert_column(in, first + (int)i, &columns[i], object);
    return first + (int)count;
}

static int64_t
int_or(sqlite3_stmt *statement, int at, int64_t null)
{
    /* Checks the statement once for both; allowed as the handle has no mutex. */
    sqlite3_value *value = sqlite3_column_value(statement, at);

    return sqlite3_value_type(value) == SQLITE_NULL ? null : sqlite3_value_int64(value);
}

static void
read_id(sqlite3_stmt *statement, int at, size_t size, char *to)
{
    const void *data = sqlite3_column_blob(statement, at);

    if (data != NULL && (size_t)sqlite3_column_bytes(statement, at) == size)
        memcpy(to, data, size);
    else
        memset(to, 0, size);
}

#define FIELD(kind) (*(kind *)(void *)((char *)object + column->offset))

static void
read_column(sqlite3_stmt *statement, int at, const struct column *column, bool own,
            void *object)
{
    switch (column->type) {
    case COLUMN_INT64:
        FIELD(int64_t) = int_or(statement, at, -1);
        return;
    case COLUMN_BOUND:
        FIELD(int64_t) = int_or(statement, at, INT64_MAX);
        return;
    case COLUMN_COOKIE:
        FIELD(uint64_t) = (uint64_t)int_or(statement, at, -1);
        return;
    case COLUMN_UINT64:
        FIELD(uint64_t) = (uint64_t)sqlite3_column_int64(statement, at);
        return;
    case COLUMN_UINT32:
        FIELD(uint32_t) = (uint32_t)sqlite3_column_int64(statement, at);
        return;
    case COLUMN_INT32:
        FIELD(int32_t) = (int32_t)sqlite3_column_int64(statement, at);
        return;
    case COLUMN_UINT16:
        FIELD(uint16_t) = (uint16_t)sqlite3_column_int64(statement, at);
        return;
    case COLUMN_BOOL:
        FIELD(bool) = sqlite3_column_int64(statement, at) != 0;
        return;
    case COLUMN_DOUBLE:
        FIELD(double) = sqlite3_column_type(statement, at) == SQLITE_NULL
                            ? (double)NAN
                            : sqlite3_column_double(statement, at);
        return;
    case COLUMN_TEXT: {
        const char *text = (const char *)sqlite3_column_text(statement, at);

        if (own)
            g_free(FIELD(char *));
        FIELD(char *) = own ? g_strdup(text) : (char *)text;
        return;
    }
    case COLUMN_TRACE:
    case COLUMN_SPAN:
        read_id(statement, at, id_size(column), (char *)object + column->offset);
        return;
    }
}

#undef FIELD

int
columns_read(sqlite3_stmt *statement, int first, const struct column *columns,
             size_t count, bool own, void *object)
{
    for (size_t i = 0; i < count; i++)
        read_column(statement, first + (int)i, &columns[i], own, object);
    return first + (int)count;
}
