/* The run as its writer has summed it up: the same numbers that the samples tell, without
 * reading a million of them. Only of a run that ended in order, and only when all of it
 * is there. */
#include <math.h>

#include "runfile-private.h"

static bool
read_tally(runfile *f, guint nth, tally *t, GError **error)
{
    g_autoptr(GString) sql = g_string_new("SELECT ");
    autostatement row = NULL;

    columns_names(sql, tally_columns, tally_column_count, "");
    g_string_append(sql, ", ");
    columns_names(sql, token_columns, token_column_count, "");
    g_string_append(sql, " FROM result ORDER BY nth LIMIT 1 OFFSET ?");
    row = runfile_prepare(f, sql->str, error);
    if (row == NULL)
        return false;
    sqlite3_bind_int64(row, 1, nth);
    if (sqlite3_step(row) != SQLITE_ROW)
        return runfile_fail(f, "read the run file", error);
    tally_read(row, 0, t);
    return histograms_get(f, "histogram", nth, t, error);
}

/* Errors are stored by interval. The first row of a kind has its place and example. */
static bool
read_errors(runfile *f, const result *r, GError **error)
{
    autostatement rows = runfile_prepare(
        f,
        "SELECT e.kind, e.count, e.error_where, e.example FROM interval_error e JOIN "
        "interval i ON i.nth = e.interval WHERE i.target = ? AND i.stage = ? "
        "ORDER BY i.nth",
        error);
    int code;

    if (rows == NULL)
        return false;
    sqlite3_bind_int64(rows, 1, r->target);
    sqlite3_bind_int64(rows, 2, r->stage);
    while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
        const int64_t kind = sqlite3_column_int64(rows, 0);
        struct error_tally *e;

        if (kind < 0 || kind >= ERROR_KINDS)
            continue;
        e = &r->tally->errors[kind];
        if (e->count == 0)
            e->where = (uint32_t)sqlite3_column_int64(rows, 2);
        if (e->example == NULL)
            e->example = g_strdup((const char *)sqlite3_column_text(rows, 3));
        e->count += (uint64_t)sqlite3_column_int64(rows, 1);
    }
    return code == SQLITE_DONE || runfile_fail(f, "read the run file", error);
}

/* Whether what was read is all of it. */
static bool
is_whole(const result *r)
{
    const tally *t = r->tally;
    const histogram *e2e = t->hist[METRIC_DURATION];
    uint64_t errors = 0;

    for (unsigned i = 0; i < ERROR_KINDS; i++)
        errors += t->errors[i].count;
    return r->end_ns >= 0 && errors == t->failed && t->lost == 0 &&
           (t->ok == 0 || (e2e != NULL && histogram_count(e2e) == t->ok));
}

static bool
read_results(runfile *f, run_info *r, bool *ret_whole, GError **error)
{
    uint64_t samples = 0;

    *ret_whole = true;
    for (guint i = 0; i < r->results->len; i++) {
        result *res = r->results->pdata[i];

        if (!read_tally(f, i, res->tally, error) || !read_errors(f, res, error))
            return false;
        samples += res->tally->total + res->tally->warmup + res->tally->cooldown;
        *ret_whole &= is_whole(res);
    }
    *ret_whole &= samples == runfile_sample_count(f);
    return true;
}

run_info *
runfile_load_stored(runfile *f, GError **error)
{
    g_autoptr(run_info) r = NULL;
    bool whole = false;

    if (!runfile_has_end(f))
        return runfile_load(f, error);
    if (!runfile_exec(f, "BEGIN", "read the run file", error))
        return NULL;
    r = runfile_get_run(f, error);
    if (r != NULL && !read_results(f, r, &whole, error))
        g_clear_pointer(&r, run_info_free);
    sqlite3_exec(f->db, "ROLLBACK", NULL, NULL, NULL);
    if (r == NULL)
        return NULL;
    if (!whole)
        return runfile_load(f, error);
    run_info_judge(r);
    return g_steal_pointer(&r);
}
