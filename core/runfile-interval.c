/* Intervals in the run file. */
#include <string.h>

#include "error.h"
#include "runfile-private.h"

static bool
put_errors(runfile *f, uint64_t nth, const tally *t, GError **error)
{
    autostatement insert = runfile_prepare(
        f, "INSERT OR REPLACE INTO interval_error VALUES (?, ?, ?, ?, ?)", error);

    if (insert == NULL)
        return false;
    for (unsigned kind = 0; kind < ERROR_KINDS; kind++) {
        const struct error_tally *e = &t->errors[kind];

        if (e->count == 0)
            continue;
        sqlite3_bind_int64(insert, 1, (int64_t)nth);
        sqlite3_bind_int64(insert, 2, kind);
        sqlite3_bind_int64(insert, 3, (int64_t)e->count);
        sqlite3_bind_int64(insert, 4, e->where);
        sqlite3_bind_text(insert, 5, e->example, -1, SQLITE_STATIC);
        if (!runfile_step(f, insert, "write the run file", error))
            return false;
    }
    return true;
}

bool
runfile_put_interval(runfile *f, uint32_t target, uint32_t stage, uint64_t nth,
                     int64_t begin_ns, int64_t end_ns, int64_t unix_ns, const tally *t,
                     GError **error)
{
    g_autoptr(GString) sql =
        g_string_new("INSERT OR REPLACE INTO interval VALUES (?, ?, ?, ?, ?, ?");
    autoinserter in = { 0 };

    for (size_t i = 0; i < tally_column_count + token_column_count; i++)
        g_string_append(sql, ", ?");
    g_string_append_c(sql, ')');
    in.statement = runfile_prepare(f, sql->str, error);
    if (in.statement == NULL)
        return false;
    insert_int(&in, 1, (int64_t)nth);
    insert_int(&in, 2, target);
    insert_int(&in, 3, stage);
    insert_int(&in, 4, begin_ns);
    insert_int(&in, 5, end_ns);
    insert_int(&in, 6, unix_ns);
    tally_bind(&in, 7, t);
    return runfile_step(f, in.statement, "write the run file", error) &&
           put_errors(f, nth, t, error) &&
           histograms_put(f, "interval_histogram", (int64_t)nth, t, HISTOGRAM_ALL, error);
}

static bool
get_errors(runfile *f, int64_t nth, tally *t, GError **error)
{
    autostatement rows = runfile_prepare(
        f,
        "SELECT kind, count, error_where, example FROM interval_error WHERE interval = ?",
        error);
    int code;

    if (rows == NULL)
        return false;
    sqlite3_bind_int64(rows, 1, nth);
    while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
        const int64_t kind = sqlite3_column_int64(rows, 0);

        if (kind < 0 || kind >= ERROR_KINDS)
            continue;
        t->errors[kind].count = (uint64_t)sqlite3_column_int64(rows, 1);
        t->errors[kind].where = (uint32_t)sqlite3_column_int64(rows, 2);
        g_free(t->errors[kind].example);
        t->errors[kind].example = g_strdup((const char *)sqlite3_column_text(rows, 3));
    }
    return code == SQLITE_DONE || runfile_fail(f, "read the run file", error);
}

static bool
give_interval(runfile *f, sqlite3_stmt *row, runfile_interval_fn fn, void *data,
              bool *ret_go_on, GError **error)
{
    g_autoptr(tally) t = tally_new(NULL);
    const int64_t nth = sqlite3_column_int64(row, 0);
    const int64_t begin = sqlite3_column_int64(row, 3);
    const int64_t end = sqlite3_column_int64(row, 4);
    const int next = columns_read(row, 6, window_columns, window_column_count, false, t);

    tally_read(row, next, t);
    t->window_start_ns = CLAMP(t->window_start_ns, begin, end);
    t->window_end_ns = CLAMP(t->window_end_ns, t->window_start_ns, end);
    if (!get_errors(f, nth, t, error) ||
        !histograms_get(f, "interval_histogram", nth, t, error))
        return false;
    *ret_go_on =
        fn((uint32_t)sqlite3_column_int64(row, 1), (uint32_t)sqlite3_column_int64(row, 2),
           (uint64_t)nth, begin, end, sqlite3_column_int64(row, 5), t, data);
    return true;
}

bool
runfile_each_interval(runfile *f, uint64_t after, runfile_interval_fn fn, void *data,
                      GError **error)
{
    g_autoptr(GString) sql = g_string_new(
        "SELECT i.nth, i.target, i.stage, i.begin_ns, i.end_ns, i.unix_ns, ");
    autostatement rows = NULL;
    bool go_on = true;
    int code = SQLITE_DONE;

    columns_names(sql, window_columns, window_column_count, "r.");
    g_string_append(sql, ", ");
    columns_names(sql, tally_columns, tally_column_count, "i.");
    g_string_append(sql, ", ");
    columns_names(sql, token_columns, token_column_count, "i.");
    g_string_append(sql, " FROM interval i LEFT JOIN result r ON r.target = i.target AND "
                         "r.stage = i.stage WHERE i.nth > ? ORDER BY i.nth");
    rows = runfile_prepare(f, sql->str, error);
    if (rows == NULL)
        return false;
    sqlite3_bind_int64(rows, 1, (int64_t)MIN(after, INT64_MAX));
    while (go_on && (code = sqlite3_step(rows)) == SQLITE_ROW)
        if (!give_interval(f, rows, fn, data, &go_on, error))
            return false;
    if (code != SQLITE_DONE && code != SQLITE_ROW)
        return runfile_fail(f, "read the run file", error);
    return true;
}
