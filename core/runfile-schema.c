#include <glib/gstdio.h>

#include "error.h"
#include "runfile-private.h"

/* Names of the numbers in the columns outcome, phase, error_kind, error_where,
 * error_class, clock and warnings. */
static bool
put_codes(runfile *f, const char *list, uint32_t first, uint32_t last,
          const char *(*name)(uint32_t), GError **error)
{
    autostatement insert = runfile_prepare(f, "INSERT INTO code VALUES (?, ?, ?)", error);

    if (insert == NULL)
        return false;
    for (uint32_t code = first; code <= last; code++) {
        sqlite3_bind_text(insert, 1, list, -1, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 2, code);
        sqlite3_bind_text(insert, 3, name(code), -1, SQLITE_STATIC);
        if (!runfile_step(f, insert, "create the run file", error))
            return false;
    }
    return true;
}

static const char *
clock_name(uint32_t clock)
{
    static const char *const names[] = { "", "kernel", "user", "interval" };

    return names[clock];
}

static const char *
ended_name(uint32_t ended)
{
    static const char *const names[] = { "done", "interrupted", "aborted", "max_cost" };

    return names[ended];
}

static bool
put_all_codes(runfile *f, GError **error)
{
    return put_codes(f, "outcome", LENS_OUTCOME_OK, LENS_OUTCOME_CENSOR, outcome_name,
                     error) &&
           put_codes(f, "phase", LENS_PART_WARMUP, LENS_PART_COOLDOWN, phase_name,
                     error) &&
           put_codes(f, "where", WHERE_CONNECT, WHERE_CLIENT, where_name, error) &&
           put_codes(f, "kind", LENS_KIND_DNS, LENS_KIND_SERVER, error_kind_name,
                     error) &&
           put_codes(f, "class", LENS_CLASS_HTTP_ERROR, LENS_CLASS_TRANSPORT,
                     error_class_name, error) &&
           put_codes(f, "warning", LENS_WARN_DATA_AFTER_DONE,
                     LENS_WARN_UNTERMINATED_EVENT, warning_name, error) &&
           put_codes(f, "clock", LENS_CLOCK_KERNEL, LENS_CLOCK_INTERVAL, clock_name,
                     error) &&
           put_codes(f, "ended", ENDED_DONE, ENDED_COST, ended_name, error);
}

static void
declare_tables(GString *sql)
{
    g_string_append(sql, "CREATE TABLE code (list TEXT, code INTEGER, name TEXT);\n"
                         "CREATE TABLE run (one INTEGER PRIMARY KEY CHECK (one = 1), "
                         "seed TEXT, slos TEXT, deltas INTEGER, duration_ns INTEGER, "
                         "seen_ns INTEGER, interrupted INTEGER, ended_ok INTEGER, "
                         "writer_pid INTEGER");
    columns_declare(sql, run_columns, run_column_count);
    g_string_append(sql, ");\nCREATE TABLE result (nth INTEGER PRIMARY KEY");
    columns_declare(sql, window_columns, window_column_count);
    columns_declare(sql, result_columns, result_column_count);
    columns_declare(sql, tally_columns, tally_column_count);
    columns_declare(sql, token_columns, token_column_count);
    g_string_append(sql, ");\nCREATE TABLE sample (rank INTEGER PRIMARY KEY");
    columns_declare(sql, sample_columns, sample_column_count);
    columns_declare(sql, attempt_columns, attempt_column_count);
    g_string_append(sql, ",\n  timeline BLOB);\n"
                         "CREATE TABLE attempt (rank INTEGER, nth INTEGER");
    columns_declare(sql, attempt_columns, attempt_column_count);
    g_string_append(sql,
                    ",\n  timeline BLOB, PRIMARY KEY (rank, nth)) WITHOUT ROWID;\n"
                    "CREATE TABLE interval (nth INTEGER PRIMARY KEY, target INTEGER, "
                    "stage INTEGER, begin_ns INTEGER, end_ns INTEGER, unix_ns INTEGER");
    columns_declare(sql, tally_columns, tally_column_count);
    columns_declare(sql, token_columns, token_column_count);
    g_string_append(sql, ");\nCREATE TABLE interval_error (interval INTEGER, "
                         "kind INTEGER, count INTEGER, error_where INTEGER, "
                         "example TEXT, PRIMARY KEY (interval, kind));\n");
    for (int i = 0; i < 2; i++)
        g_string_append_printf(
            sql,
            "CREATE TABLE %shistogram (%s INTEGER, metric TEXT, count INTEGER, "
            "min_ns INTEGER, max_ns INTEGER, mean_ns REAL, stddev_ns REAL, "
            "overflow INTEGER, hdr BLOB, exact BLOB, PRIMARY KEY (%s, metric));\n",
            i == 0 ? "" : "interval_", i == 0 ? "result" : "interval",
            i == 0 ? "result" : "interval");
    g_string_append(sql, "CREATE TABLE delivery (exporter TEXT PRIMARY KEY, kind TEXT, "
                         "samples INTEGER, intervals INTEGER, refused INTEGER, "
                         "last_error TEXT, delivered INTEGER, total INTEGER, "
                         "complete INTEGER);\n");
}

static void
declare_views(GString *sql)
{
    g_string_append(
        sql, "CREATE VIEW target AS SELECT DISTINCT target AS nth, target_name AS name, "
             "provider, api, model, url FROM result;\n"
             "CREATE VIEW stage AS SELECT DISTINCT stage AS nth, stage_name AS name, "
             "workload, workload_options, stop_requests, stop_duration_ns FROM result;\n"
             "CREATE VIEW all_attempts AS SELECT rank, attempts - 1 AS nth, ");
    columns_names(sql, attempt_columns, attempt_column_count, "");
    g_string_append(sql, ", timeline FROM sample UNION ALL SELECT rank, nth, ");
    columns_names(sql, attempt_columns, attempt_column_count, "");
    g_string_append(sql, ", timeline FROM attempt;\n");
    g_string_append(
        sql,
        "CREATE VIEW request AS SELECT s.rank, s.id, s.sequence, r.target_name AS "
        "target, r.stage_name AS stage, o.name AS outcome, p.name AS phase, "
        "s.unix_ns / 1e9 AS unix_s, s.due_ns / 1e6 AS due_ms, "
        "s.start_ns / 1e6 AS start_ms, s.departure_ns / 1e6 AS departure_ms, "
        "CASE WHEN s.streamed THEN (s.first_output_ns - s.departure_ns) / 1e6 END AS "
        "ttft_ms, "
        "CASE WHEN s.streamed THEN (s.first_text_ns - s.departure_ns) / 1e6 END AS "
        "ttft_text_ms, "
        "CASE WHEN s.streamed THEN (s.first_output_ns - s.due_ns) / 1e6 END AS "
        "ttft_from_due_ms, "
        "(coalesce(s.terminal_ns, s.end_ns) - s.departure_ns) / 1e6 AS e2e_ms, "
        "(coalesce(s.terminal_ns, s.end_ns) - s.due_ns) / 1e6 AS e2e_from_due_ms, "
        "CASE WHEN s.streamed AND s.output_tokens > 1 AND s.output_messages > 1 "
        "THEN (s.last_output_ns - "
        "s.first_output_ns) / 1e6 / (s.output_tokens - 1) END AS tpot_ms, "
        "s.input_tokens, s.cache_read_tokens, s.output_tokens, s.reasoning_tokens, "
        "s.output_messages, s.http_status, k.name AS error, w.name AS error_where, "
        "s.error_detail, s.finish, s.attempts "
        "FROM sample s "
        "LEFT JOIN result r ON r.target = s.target AND r.stage = s.stage "
        "LEFT JOIN code o ON o.list = 'outcome' AND o.code = s.outcome "
        "LEFT JOIN code p ON p.list = 'phase' AND p.code = s.phase "
        "LEFT JOIN code k ON k.list = 'kind' AND k.code = s.error_kind "
        "LEFT JOIN code w ON w.list = 'where' AND w.code = s.error_where;\n");
}

bool
schema_create(runfile *f, GError **error)
{
    g_autoptr(GString) sql = g_string_new(NULL);

    g_string_append_printf(sql, "PRAGMA application_id = %d; PRAGMA user_version = %d;\n",
                           RUNFILE_APPLICATION_ID, RUNFILE_VERSION);
    declare_tables(sql);
    declare_views(sql);
    return runfile_exec(f, sql->str, "create the run file", error) &&
           put_all_codes(f, error);
}

static bool
pragma_int(runfile *f, const char *sql, int64_t *ret)
{
    autostatement query = NULL;

    if (sqlite3_prepare_v2(f->db, sql, -1, &query, NULL) != SQLITE_OK ||
        sqlite3_step(query) != SQLITE_ROW)
        return false;
    *ret = sqlite3_column_int64(query, 0);
    return true;
}

bool
schema_check(runfile *f, GError **error)
{
    int64_t application, version;

    if (!pragma_int(f, "PRAGMA application_id", &application) ||
        !pragma_int(f, "PRAGMA user_version", &version)) {
        if (sqlite3_errcode(f->db) != SQLITE_NOTADB)
            return runfile_fail(f, "open the run file", error);
        g_set_error(error, LENS_ERROR, LENS_ERROR_FILE,
                    "%s: not a lens run file (not an SQLite database)", f->path);
        return false;
    }
    if (application != RUNFILE_APPLICATION_ID) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_FILE,
                    "%s: not a lens run file (its application id is %" G_GINT64_FORMAT
                    ", a run file has %d)",
                    f->path, application, RUNFILE_APPLICATION_ID);
        return false;
    }
    if (version > RUNFILE_VERSION || version < 1) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_FILE,
                    "%s: run file version %" G_GINT64_FORMAT
                    ", this lens reads versions 1 to %d: use the lens that wrote it, "
                    "or a newer one",
                    f->path, version, RUNFILE_VERSION);
        return false;
    }
    return true;
}
