/* What the files of the run file share. */
#pragma once

#include <sqlite3.h>

#include "runfile-columns.h"
#include "runfile.h"

#define RUNFILE_APPLICATION_ID 0x4c454e53 /* "LENS" */
#define RUNFILE_VERSION 1                 /* user_version of this schema */

struct runfile {
    sqlite3 *db;
    char *path;
    char *scratch; /* directory of a copy that is read instead; NULL: none */
    bool writable;
    bool shown_only, no_timelines; /* when samples are read */
    uint64_t next_rank;
    struct inserter samples, attempts;
    int wal_pages; /* of the last commit */
};

extern const struct column sample_columns[], attempt_columns[], tally_columns[],
    window_columns[], token_columns[], result_columns[], run_columns[];
extern const size_t sample_column_count, attempt_column_count, tally_column_count,
    window_column_count, token_column_count, result_column_count, run_column_count;

/* Token counts as a row keeps them: -1 unknown. */
struct token_row {
    int64_t tokens[LENS_USAGE_COUNT];
};

/* Sets "PATH: cannot WHAT: the reason"; always false. */
bool runfile_fail(runfile *f, const char *what, GError **error);
/* NULL after an error. */
sqlite3_stmt *runfile_prepare(runfile *f, const char *sql, GError **error);
bool runfile_exec(runfile *f, const char *sql, const char *what, GError **error);
/* Steps a statement that gives no row. */
bool runfile_step(runfile *f, sqlite3_stmt *statement, const char *what, GError **error);

/* `shown_path` is what messages name; `flags` are SQLite's. */
runfile *runfile_open_database(const char *path, const char *shown_path, int flags,
                               GError **error);
/* Keeps wal_pages; after the pragma wal_autocheckpoint, which takes the same hook. */
void runfile_watch_log(runfile *f);
/* ":memory:" and "file:" have a meaning for SQLite, "./file:" has not. */
char *runfile_plain_path(const char *path);

/* Makes every table and view. */
bool schema_create(runfile *f, GError **error);
/* Refuses what is not a run file, or one of a newer lens. */
bool schema_check(runfile *f, GError **error);

/* Histograms of a tally by owner: table "histogram" or "interval_histogram". `mask`: bits
 * of enum metric, and of the two below. */
#define HISTOGRAM_LAG_KERNEL (UINT32_C(1) << 30)
#define HISTOGRAM_LAG_USER (UINT32_C(1) << 31)
#define HISTOGRAM_ALL UINT32_MAX
bool histograms_put(runfile *f, const char *table, int64_t owner, const tally *t,
                    uint32_t mask, GError **error);
/* Sets what `t` does not have yet. */
bool histograms_get(runfile *f, const char *table, int64_t owner, tally *t,
                    GError **error);
/* Binds or reads the columns of a tally: tally_columns, then token_columns. */
int tally_bind(struct inserter *in, int first, const tally *t);
int tally_read(sqlite3_stmt *statement, int first, tally *t);

static inline void
statement_clear(sqlite3_stmt **statement)
{
    sqlite3_finalize(*statement);
}
#define autostatement __attribute__((cleanup(statement_clear))) sqlite3_stmt *

static inline void
inserter_cleanup(struct inserter *in)
{
    inserter_clear(in);
}
#define autoinserter __attribute__((cleanup(inserter_cleanup))) struct inserter
