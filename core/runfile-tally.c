/* Tallies in the run file: the numbers of a result or an interval, and its histograms. */
#include <math.h>
#include <string.h>

#include "error.h"
#include "runfile-private.h"

/* Before the kind of an error: the durations of those requests. */
#define FAILED "failed_"

int
tally_bind(struct inserter *in, int first, const tally *t)
{
    struct token_row row;

    for (int i = 0; i < LENS_USAGE_COUNT; i++)
        row.tokens[i] = t->tokens_known[i] ? t->tokens[i] : -1;
    first = insert_columns(in, first, tally_columns, tally_column_count, t);
    return insert_columns(in, first, token_columns, token_column_count, &row);
}

int
tally_read(sqlite3_stmt *statement, int first, tally *t)
{
    struct token_row row = { 0 };

    first = columns_read(statement, first, tally_columns, tally_column_count, false, t);
    first =
        columns_read(statement, first, token_columns, token_column_count, false, &row);
    for (int i = 1; i < LENS_USAGE_COUNT; i++) {
        t->tokens_known[i] = row.tokens[i] >= 0;
        t->tokens[i] = MAX(row.tokens[i], 0);
    }
    return first;
}

static bool
put_histogram(runfile *f, sqlite3_stmt *insert, int64_t owner, const char *metric,
              const histogram *h, GError **error)
{
    g_autoptr(GBytes) hdr = NULL;
    struct histogram_exact exact;
    gsize size;
    const void *data;

    if (h == NULL || histogram_count(h) == 0)
        return true;
    hdr = histogram_encode(h);
    exact = histogram_get_exact(h);
    data = g_bytes_get_data(hdr, &size);
    sqlite3_bind_int64(insert, 1, owner);
    sqlite3_bind_text(insert, 2, metric, -1, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 3, (int64_t)histogram_count(h));
    sqlite3_bind_int64(insert, 4, histogram_min(h));
    sqlite3_bind_int64(insert, 5, histogram_max(h));
    sqlite3_bind_double(insert, 6, histogram_mean(h));
    sqlite3_bind_double(insert, 7, histogram_stddev(h));
    sqlite3_bind_int64(insert, 8, (int64_t)histogram_overflow(h));
    sqlite3_bind_blob64(insert, 9, data, size, SQLITE_STATIC);
    sqlite3_bind_blob64(insert, 10, &exact, sizeof exact, SQLITE_STATIC);
    return runfile_step(f, insert, "write the run file", error);
}

bool
histograms_put(runfile *f, const char *table, int64_t owner, const tally *t,
               uint32_t mask, GError **error)
{
    g_autofree char *sql = g_strdup_printf(
        "INSERT OR REPLACE INTO %s VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", table);
    autostatement insert = runfile_prepare(f, sql, error);

    if (insert == NULL)
        return false;
    for (unsigned m = 0; m < METRIC_COUNT; m++)
        if ((mask & (UINT32_C(1) << m)) != 0 &&
            !put_histogram(f, insert, owner, metric_get(m)->id, t->hist[m], error))
            return false;
    for (uint32_t kind = 1; mask == HISTOGRAM_ALL && kind < ERROR_KINDS; kind++) {
        g_autofree char *name = g_strconcat(FAILED, error_kind_name(kind), NULL);

        if (!put_histogram(f, insert, owner, name, t->errors[kind].duration, error))
            return false;
    }
    return ((mask & HISTOGRAM_LAG_KERNEL) == 0 ||
            put_histogram(f, insert, owner, "lag_kernel", t->lag_kernel, error)) &&
           ((mask & HISTOGRAM_LAG_USER) == 0 ||
            put_histogram(f, insert, owner, "lag_user", t->lag_user, error));
}

static histogram **
slot_of(tally *t, const char *metric)
{
    enum metric m;

    if (g_str_equal(metric, "lag_kernel"))
        return &t->lag_kernel;
    if (g_str_equal(metric, "lag_user"))
        return &t->lag_user;
    if (g_str_has_prefix(metric, FAILED))
        return &t->errors[error_kind_from_name(metric + strlen(FAILED))].duration;
    m = metric_from_id(metric);
    return m < METRIC_COUNT ? &t->hist[m] : NULL;
}

static bool
get_histogram(runfile *f, sqlite3_stmt *row, histogram **slot, GError **error)
{
    const void *data = sqlite3_column_blob(row, 1);
    const size_t size = (size_t)sqlite3_column_bytes(row, 1);
    struct histogram_exact exact;

    *slot = histogram_decode(data, size, error);
    if (*slot == NULL) {
        g_prefix_error(error, "%s: histogram: ", f->path);
        return false;
    }
    if (sqlite3_column_bytes(row, 2) == sizeof exact) {
        memcpy(&exact, sqlite3_column_blob(row, 2), sizeof exact);
        histogram_set_exact(*slot, &exact);
    }
    return true;
}

bool
histograms_get(runfile *f, const char *table, int64_t owner, tally *t, GError **error)
{
    g_autofree char *sql =
        g_strdup_printf("SELECT metric, hdr, exact FROM %s WHERE %s = ?", table,
                        g_str_equal(table, "histogram") ? "result" : "interval");
    autostatement rows = runfile_prepare(f, sql, error);
    int code;

    if (rows == NULL)
        return false;
    sqlite3_bind_int64(rows, 1, owner);
    while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
        const char *metric = (const char *)sqlite3_column_text(rows, 0);
        histogram **slot = metric != NULL ? slot_of(t, metric) : NULL;

        if (slot == NULL || (*slot != NULL && histogram_count(*slot) > 0))
            continue;
        g_clear_pointer(slot, histogram_free);
        if (!get_histogram(f, rows, slot, error))
            return false;
    }
    if (code != SQLITE_DONE)
        return runfile_fail(f, "read the run file", error);
    return true;
}
