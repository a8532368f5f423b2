#include "runfile.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "runfile-private.h"

/* Frames in the log that make a checkpoint worth its fsync: 16 MiB. */
#define TIDY_PAGES 4096

bool
runfile_fail(runfile *f, const char *what, GError **error)
{
    const int system = sqlite3_system_errno(f->db);
    const int code = sqlite3_errcode(f->db);
    const char *why = sqlite3_errmsg(f->db);

    if (code == SQLITE_FULL)
        why = g_strerror(ENOSPC);
    else if (system != 0 && (code == SQLITE_IOERR || code == SQLITE_CANTOPEN))
        why = g_strerror(system);
    g_set_error(error, LENS_ERROR, LENS_ERROR_FILE, "%s: cannot %s: %s", f->path, what,
                why);
    return false;
}

sqlite3_stmt *
runfile_prepare(runfile *f, const char *sql, GError **error)
{
    sqlite3_stmt *statement;

    if (sqlite3_prepare_v2(f->db, sql, -1, &statement, NULL) != SQLITE_OK) {
        runfile_fail(f, "use the run file", error);
        return NULL;
    }
    return statement;
}

bool
runfile_exec(runfile *f, const char *sql, const char *what, GError **error)
{
    if (sqlite3_exec(f->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return runfile_fail(f, what, error);
    return true;
}

bool
runfile_step(runfile *f, sqlite3_stmt *statement, const char *what, GError **error)
{
    const int code = sqlite3_step(statement);

    if (code != SQLITE_DONE && code != SQLITE_ROW) {
        runfile_fail(f, what, error);
        sqlite3_reset(statement);
        return false;
    }
    sqlite3_reset(statement);
    return true;
}

char *
runfile_plain_path(const char *path)
{
    return g_path_is_absolute(path) ? g_strdup(path) : g_strconcat("./", path, NULL);
}

static void
remove_side_files(const char *path)
{
    static const char *const suffixes[] = { "-wal", "-shm", "-journal" };

    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *side = g_strconcat(path, suffixes[i], NULL);

        g_unlink(side);
    }
}

static int
on_wal(void *data, sqlite3 *db, const char *name, int pages)
{
    runfile *f = data;

    (void)db;
    (void)name;
    f->wal_pages = pages;
    return SQLITE_OK;
}

void
runfile_watch_log(runfile *f)
{
    sqlite3_wal_hook(f->db, on_wal, f);
}

runfile *
runfile_open_database(const char *path, const char *shown_path, int flags, GError **error)
{
    g_autoptr(runfile) f = g_new0(runfile, 1);

    f->path = g_strdup(shown_path);
    f->writable = (flags & SQLITE_OPEN_READWRITE) != 0;
    if (sqlite3_open_v2(path, &f->db, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        runfile_fail(f, "open the run file", error);
        return NULL;
    }
    sqlite3_busy_timeout(f->db, 5000);
    sqlite3_extended_result_codes(f->db, 0);
    return g_steal_pointer(&f);
}

static bool
set_up(runfile *f, GError **error)
{
    /* The zeroes prove that there is room, in the log and in the database; their pages
     * are used by the first samples. */
    return runfile_exec(f,
                        "PRAGMA page_size = 4096; PRAGMA synchronous = OFF;"
                        "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2048;"
                        "PRAGMA journal_mode = MEMORY; BEGIN",
                        "create the run file", error) &&
           schema_create(f, error) &&
           runfile_exec(f,
                        "COMMIT; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                        "PRAGMA wal_autocheckpoint = 0;"
                        "CREATE TABLE room AS SELECT zeroblob(262144);"
                        "DROP TABLE room; PRAGMA wal_checkpoint(TRUNCATE)",
                        "write the run file", error);
}

/* Makes a new database in the place of the empty file at `path`. */
static runfile *
create_at(const char *path, const char *shown_path, GError **error)
{
    g_autofree char *plain = runfile_plain_path(path);
    g_autoptr(runfile) f = NULL;

    remove_side_files(path);
    f = runfile_open_database(plain, shown_path, SQLITE_OPEN_READWRITE, error);
    if (f == NULL || !set_up(f, error)) {
        g_clear_pointer(&f, runfile_close);
        g_unlink(path);
        remove_side_files(path);
        return NULL;
    }
    runfile_watch_log(f);
    f->next_rank = 1;
    return g_steal_pointer(&f);
}

static bool
reserve(const char *path, const char *shown_path, GError **error)
{
    const int fd = g_open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0666);

    if (fd < 0) {
        const int why = errno;

        if (why == EEXIST)
            g_set_error(error, LENS_ERROR, LENS_ERROR_FILE,
                        "%s: exists already: choose another name with --out, or replace "
                        "it with --force",
                        shown_path);
        else
            g_set_error(error, LENS_ERROR, LENS_ERROR_FILE,
                        "%s: cannot create the run file: %s", shown_path,
                        g_strerror(why));
        return false;
    }
    close(fd);
    return true;
}

/* The new file is made beside the old one, which stays whole until it is replaced. */
static runfile *
replace(const char *path, GError **error)
{
    g_autofree char *beside = g_strdup_printf("%s.new-%d", path, (int)getpid());
    runfile *f;

    g_unlink(beside);
    if (!reserve(beside, path, error))
        return NULL;
    f = create_at(beside, path, error);
    if (f == NULL)
        return NULL;
    runfile_close(f);
    /* A log left of the old file would be taken for the new one's. */
    remove_side_files(path);
    if (g_rename(beside, path) < 0) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_FILE, "%s: cannot replace the file: %s",
                    path, g_strerror(errno));
        g_unlink(beside);
        return NULL;
    }
    return runfile_open(path, true, error);
}

bool
runfile_may_create(const char *path, bool force, GError **error)
{
    struct stat st;

    if (force && g_lstat(path, &st) == 0)
        return true; /* what it is, runfile_create looks at */
    if (!reserve(path, path, error))
        return false;
    g_unlink(path);
    return true;
}

runfile *
runfile_create(const char *path, bool force, GError **error)
{
    struct stat st;

    if (force && g_lstat(path, &st) == 0) {
        if (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode))
            return replace(path, error);
        g_set_error(error, LENS_ERROR, LENS_ERROR_FILE,
                    "%s: not a file that could be replaced by a run file", path);
        return NULL;
    }
    if (!reserve(path, path, error))
        return NULL;
    return create_at(path, path, error);
}

void
runfile_close(runfile *f)
{
    if (f == NULL)
        return;
    inserter_clear(&f->samples);
    inserter_clear(&f->attempts);
    /* One file without a log can be read from any storage; refused while others read. */
    if (f->db != NULL && f->writable) {
        sqlite3_busy_timeout(f->db, 0);
        sqlite3_exec(f->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
    }
    sqlite3_close(f->db);
    if (f->scratch != NULL) {
        g_autofree char *copy = g_build_filename(f->scratch, "run.lens", NULL);

        g_unlink(copy);
        remove_side_files(copy);
        g_rmdir(f->scratch);
    }
    g_free(f->scratch);
    g_free(f->path);
    g_free(f);
}

const char *
runfile_path(const runfile *f)
{
    return f->path;
}

bool
runfile_writable(const runfile *f)
{
    return f->writable;
}

bool
runfile_begin(runfile *f, GError **error)
{
    return runfile_exec(f, "BEGIN IMMEDIATE", "write the run file", error);
}

bool
runfile_commit(runfile *f, GError **error)
{
    return runfile_exec(f, "COMMIT", "write the run file", error);
}

static uint64_t
count_rows(runfile *f, const char *sql)
{
    autostatement query = runfile_prepare(f, sql, NULL);

    if (query == NULL || sqlite3_step(query) != SQLITE_ROW)
        return 0;
    return (uint64_t)sqlite3_column_int64(query, 0);
}

uint64_t
runfile_sample_count(runfile *f)
{
    return count_rows(f, "SELECT max(rank) FROM sample");
}

uint64_t
runfile_interval_count(runfile *f)
{
    return count_rows(f, "SELECT max(nth) FROM interval");
}

bool
runfile_has_end(runfile *f)
{
    return count_rows(f, "SELECT ended_ok FROM run") != 0;
}

int
runfile_writer(runfile *f)
{
    return (int)count_rows(f, "SELECT writer_pid FROM run");
}

bool
runfile_has_deltas(runfile *f)
{
    return count_rows(f, "SELECT deltas FROM run") != 0;
}

void
runfile_rollback(runfile *f)
{
    if (!sqlite3_get_autocommit(f->db))
        sqlite3_exec(f->db, "ROLLBACK", NULL, NULL, NULL);
    f->next_rank = runfile_sample_count(f) + 1;
}

void
runfile_tidy(runfile *f)
{
    if (f->wal_pages < TIDY_PAGES)
        return;
    sqlite3_wal_checkpoint_v2(f->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    f->wal_pages = 0;
}

void
runfile_limit_pages(runfile *f, int pages)
{
    g_autofree char *sql =
        g_strdup_printf("PRAGMA max_page_count = %d", pages > 0 ? pages : INT32_MAX - 1);

    sqlite3_exec(f->db, sql, NULL, NULL, NULL);
}
