/* The run and its results in the run file. */
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "error.h"
#include "runfile-private.h"
#include "slo.h"

static char *
slos_to_json(const GPtrArray *slos)
{
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_ARRAY);
    JsonArray *list = json_array_new();

    for (guint i = 0; slos != NULL && i < slos->len; i++)
        json_array_add_string_element(list, ((const slo *)slos->pdata[i])->text);
    json_node_take_array(root, list);
    return json_to_string(root, false);
}

static bool
slos_from_json(const char *json, GPtrArray *slos, GError **error)
{
    g_autoptr(JsonNode) root = json_from_string(json, error);
    JsonArray *list;

    if (root == NULL)
        return false;
    list = JSON_NODE_HOLDS_ARRAY(root) ? json_node_get_array(root) : NULL;
    for (guint i = 0; list != NULL && i < json_array_get_length(list); i++) {
        slo *s = slo_parse(json_array_get_string_element(list, i), error);

        if (s == NULL)
            return false;
        g_ptr_array_add(slos, s);
    }
    return true;
}

bool
runfile_put_exports(runfile *f, const run_info *r, GError **error)
{
    autostatement insert = runfile_prepare(
        f,
        "INSERT INTO delivery (exporter, kind, last_error, delivered, total, complete) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (exporter) DO UPDATE SET "
        "kind = excluded.kind, last_error = excluded.last_error, "
        "delivered = excluded.delivered, total = excluded.total, "
        "complete = excluded.complete",
        error);

    if (insert == NULL)
        return false;
    for (guint i = 0; r->exports != NULL && i < r->exports->len; i++) {
        const struct export_state *e = r->exports->pdata[i];

        sqlite3_bind_text(insert, 1, e->name, -1, SQLITE_STATIC);
        sqlite3_bind_text(insert, 2, e->kind, -1, SQLITE_STATIC);
        sqlite3_bind_text(insert, 3, e->error, -1, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 4, (int64_t)e->delivered);
        sqlite3_bind_int64(insert, 5, (int64_t)e->of);
        sqlite3_bind_int64(insert, 6, e->complete);
        if (!runfile_step(f, insert, "write the run file", error))
            return false;
    }
    return true;
}

bool
runfile_put_run(runfile *f, const run_info *r, bool deltas, GError **error)
{
    g_autoptr(GString) sql = g_string_new("INSERT OR REPLACE INTO run (one, seed, slos, "
                                          "deltas, seen_ns, interrupted, writer_pid, ");
    g_autofree char *slos = slos_to_json(r->slos);
    g_autofree char *seed = g_strdup_printf("%" G_GUINT64_FORMAT, r->seed);
    autoinserter in = { 0 };

    columns_names(sql, run_columns, run_column_count, "");
    g_string_append(sql, ") VALUES (1, ?, ?, ?, 0, 0, ?");
    for (size_t i = 0; i < run_column_count; i++)
        g_string_append(sql, ", ?");
    g_string_append_c(sql, ')');
    in.statement = runfile_prepare(f, sql->str, error);
    if (in.statement == NULL)
        return false;
    insert_text(&in, 1, seed);
    insert_text(&in, 2, slos);
    insert_int(&in, 3, deltas);
    insert_int(&in, 4, getpid());
    insert_columns(&in, 5, run_columns, run_column_count, r);
    return runfile_step(f, in.statement, "write the run file", error) &&
           runfile_put_exports(f, r, error);
}

bool
runfile_put_pulse(runfile *f, int64_t now_ns, GError **error)
{
    autostatement update = runfile_prepare(f, "UPDATE run SET seen_ns = ?", error);

    if (update == NULL)
        return false;
    sqlite3_bind_int64(update, 1, now_ns);
    return runfile_step(f, update, "write the run file", error);
}

bool
runfile_put_end(runfile *f, const run_info *r, GError **error)
{
    autostatement update = runfile_prepare(
        f, "UPDATE run SET duration_ns = ?, interrupted = ?, ended_ok = 1", error);

    if (update == NULL)
        return false;
    sqlite3_bind_int64(update, 1, r->duration_ns);
    sqlite3_bind_int64(update, 2, r->interrupted);
    return runfile_step(f, update, "write the run file", error) &&
           runfile_put_exports(f, r, error);
}

/* What only the client knew, and what the timelines would tell if they were kept. */
static uint32_t
needed_histograms(bool deltas)
{
    const uint32_t client = (UINT32_C(1) << METRIC_LAG) |
                            (UINT32_C(1) << METRIC_START_LATE) | HISTOGRAM_LAG_KERNEL |
                            HISTOGRAM_LAG_USER;

    if (deltas)
        return client;
    return client | (UINT32_C(1) << METRIC_ITL) | (UINT32_C(1) << METRIC_ITL_TOKEN);
}

bool
runfile_put_result(runfile *f, const result *r, unsigned nth, bool deltas,
                   enum histogram_choice choice, GError **error)
{
    g_autoptr(GString) sql = g_string_new("INSERT OR REPLACE INTO result VALUES (?");
    autoinserter in = { 0 };
    int next;

    for (size_t i = 0; i < window_column_count + result_column_count +
                               tally_column_count + token_column_count;
         i++)
        g_string_append(sql, ", ?");
    g_string_append_c(sql, ')');
    in.statement = runfile_prepare(f, sql->str, error);
    if (in.statement == NULL)
        return false;
    insert_int(&in, 1, nth);
    next = insert_columns(&in, 2, window_columns, window_column_count, r->tally);
    next = insert_columns(&in, next, result_columns, result_column_count, r);
    tally_bind(&in, next, r->tally);
    if (!runfile_step(f, in.statement, "write the run file", error))
        return false;
    return choice == HISTOGRAMS_NONE ||
           histograms_put(f, "histogram", nth, r->tally,
                          choice == HISTOGRAMS_EVERY ? HISTOGRAM_ALL
                                                     : needed_histograms(deltas),
                          error);
}

bool
runfile_put_delivery(runfile *f, const char *exporter, uint64_t samples,
                     uint64_t intervals, uint64_t refused, const char *last_error,
                     GError **error)
{
    autostatement insert = runfile_prepare(
        f,
        "INSERT INTO delivery (exporter, samples, intervals, refused, last_error) "
        "VALUES (?, ?, ?, ?, ?) ON CONFLICT (exporter) DO UPDATE SET "
        "samples = excluded.samples, intervals = excluded.intervals, "
        "refused = excluded.refused, last_error = excluded.last_error",
        error);

    if (insert == NULL)
        return false;
    sqlite3_bind_text(insert, 1, exporter, -1, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 2, (int64_t)samples);
    sqlite3_bind_int64(insert, 3, (int64_t)intervals);
    sqlite3_bind_int64(insert, 4, (int64_t)refused);
    sqlite3_bind_text(insert, 5, last_error, -1, SQLITE_STATIC);
    return runfile_step(f, insert, "write the run file", error);
}

bool
runfile_get_delivery(runfile *f, const char *exporter, uint64_t *ret_samples,
                     uint64_t *ret_intervals, uint64_t *ret_refused, GError **error)
{
    autostatement query = runfile_prepare(
        f, "SELECT samples, intervals, refused FROM delivery WHERE exporter = ?", error);
    int code;

    if (query == NULL)
        return false;
    sqlite3_bind_text(query, 1, exporter, -1, SQLITE_STATIC);
    code = sqlite3_step(query);
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return runfile_fail(f, "read the run file", error);
    /* Columns of no row read as 0. */
    *ret_samples = code == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(query, 0) : 0;
    *ret_intervals = code == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(query, 1) : 0;
    *ret_refused = code == SQLITE_ROW ? (uint64_t)sqlite3_column_int64(query, 2) : 0;
    return true;
}

static bool
get_exports(runfile *f, run_info *r, GError **error)
{
    autostatement rows = runfile_prepare(
        f,
        "SELECT exporter, coalesce(kind, exporter), last_error, "
        "coalesce(delivered, samples), coalesce(total, (SELECT max(rank) FROM sample)), "
        "complete FROM delivery ORDER BY rowid",
        error);
    int code;

    if (rows == NULL)
        return false;
    while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
        struct export_state *e = g_new0(struct export_state, 1);

        e->name = g_strdup((const char *)sqlite3_column_text(rows, 0));
        e->kind = g_strdup((const char *)sqlite3_column_text(rows, 1));
        e->error = g_strdup((const char *)sqlite3_column_text(rows, 2));
        e->delivered = (uint64_t)sqlite3_column_int64(rows, 3);
        e->of = (uint64_t)sqlite3_column_int64(rows, 4);
        e->complete = sqlite3_column_int64(rows, 5) != 0;
        g_ptr_array_add(r->exports, e);
    }
    return code == SQLITE_DONE || runfile_fail(f, "read the run file", error);
}

static bool
get_results(runfile *f, run_info *r, GError **error)
{
    g_autoptr(GString) sql = g_string_new("SELECT ");
    autostatement rows = NULL;
    int code;

    columns_names(sql, result_columns, result_column_count, "");
    g_string_append(sql, ", ");
    columns_names(sql, window_columns, window_column_count, "");
    g_string_append(sql, " FROM result ORDER BY nth");
    rows = runfile_prepare(f, sql->str, error);
    if (rows == NULL)
        return false;
    while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
        result *res = result_new(r->slos);
        const int next =
            columns_read(rows, 0, result_columns, result_column_count, true, res);

        columns_read(rows, next, window_columns, window_column_count, false, res->tally);
        g_ptr_array_add(r->results, res);
    }
    return code == SQLITE_DONE || runfile_fail(f, "read the run file", error);
}

static bool
get_run_row(runfile *f, run_info *r, GError **error)
{
    g_autoptr(GString) sql = g_string_new("SELECT seed, slos, coalesce(duration_ns, "
                                          "seen_ns), interrupted OR ended_ok IS NULL, ");
    autostatement row = NULL;
    const char *seed, *slos;

    columns_names(sql, run_columns, run_column_count, "");
    g_string_append(sql, " FROM run");
    row = runfile_prepare(f, sql->str, error);
    if (row == NULL)
        return false;
    switch (sqlite3_step(row)) {
    case SQLITE_ROW:
        break;
    case SQLITE_DONE:
        g_set_error(error, LENS_ERROR, LENS_ERROR_FILE,
                    "%s: the run file is empty: its writer ended before the run began",
                    f->path);
        return false;
    default:
        return runfile_fail(f, "read the run file", error);
    }
    seed = (const char *)sqlite3_column_text(row, 0);
    slos = (const char *)sqlite3_column_text(row, 1);
    r->seed = seed != NULL ? g_ascii_strtoull(seed, NULL, 10) : 0;
    r->duration_ns = sqlite3_column_int64(row, 2);
    r->interrupted = sqlite3_column_int64(row, 3) != 0;
    columns_read(row, 4, run_columns, run_column_count, true, r);
    return slos == NULL || slos_from_json(slos, r->slos, error);
}

run_info *
runfile_get_run(runfile *f, GError **error)
{
    g_autoptr(run_info) r = run_info_new();

    if (!get_run_row(f, r, error) || !get_results(f, r, error) ||
        !get_exports(f, r, error))
        return NULL;
    g_free(r->run_file);
    r->run_file = g_strdup(f->path);
    return g_steal_pointer(&r);
}
