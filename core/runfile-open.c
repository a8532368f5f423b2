/* Opening what is there: closed in order, still written to, left by a killed writer, or
 * on storage that may not be written. */
#include <errno.h>
#include <gio/gio.h>
#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "runfile-private.h"

/* Without opening it: closing any descriptor of the file would drop the locks of the
 * other handles of this process. */
static bool
is_file(const char *path, GError **error)
{
    struct stat st;

    if (g_stat(path, &st) < 0 || access(path, R_OK) < 0) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_FILE,
                    "%s: cannot open the run file: %s", path, g_strerror(errno));
        return false;
    }
    if (!S_ISREG(st.st_mode)) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_FILE, "%s: is %s, expected a run file",
                    path, S_ISDIR(st.st_mode) ? "a directory" : "not a regular file");
        return false;
    }
    return true;
}

static bool
is_writable(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);

    return access(path, W_OK) == 0 && access(folder, W_OK) == 0;
}

static runfile *
open_checked(const char *name, const char *path, int flags, GError **error)
{
    g_autoptr(runfile) f = runfile_open_database(name, path, flags, error);

    if (f == NULL || !schema_check(f, error)) {
        if (f != NULL)
            f->writable = false; /* leave what is not ours as it is */
        return NULL;
    }
    return g_steal_pointer(&f);
}

static bool
has_log(const char *path)
{
    g_autofree char *log = g_strconcat(path, "-wal", NULL);
    struct stat st;

    return g_stat(log, &st) == 0 && st.st_size > 0;
}

static bool
copy_file(const char *from, const char *to, GError **error)
{
    g_autoptr(GFile) source = g_file_new_for_path(from);
    g_autoptr(GFile) target = g_file_new_for_path(to);

    return g_file_copy(source, target, G_FILE_COPY_TARGET_DEFAULT_PERMS, NULL, NULL, NULL,
                       error);
}

/* The log of a killed writer can only be read where its index can be written. */
static runfile *
open_copy(const char *path, GError **error)
{
    g_autofree char *folder = g_dir_make_tmp("lens-XXXXXX", error);
    g_autofree char *copy = NULL, *log = NULL, *copy_log = NULL;
    runfile *f;

    if (folder == NULL)
        return NULL;
    copy = g_build_filename(folder, "run.lens", NULL);
    log = g_strconcat(path, "-wal", NULL);
    copy_log = g_strconcat(copy, "-wal", NULL);
    f = copy_file(path, copy, error) && copy_file(log, copy_log, error)
            ? open_checked(copy, path, SQLITE_OPEN_READWRITE, error)
            : NULL;
    if (f == NULL) {
        g_unlink(copy);
        g_unlink(copy_log);
        g_rmdir(folder);
        return NULL;
    }
    f->writable = false;
    f->scratch = g_steal_pointer(&folder);
    return f;
}

static runfile *
open_immutable(const char *path, GError **error)
{
    g_autofree char *absolute = g_canonicalize_filename(path, NULL);
    g_autofree char *escaped = g_uri_escape_string(absolute, "/", false);
    g_autofree char *uri = g_strconcat("file:", escaped, "?immutable=1", NULL);

    return open_checked(uri, path, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, error);
}

static runfile *
open_writable(const char *plain, const char *path, GError **error)
{
    g_autoptr(runfile) f = open_checked(plain, path, SQLITE_OPEN_READWRITE, error);

    if (f == NULL)
        return NULL;
    if (!runfile_exec(f,
                      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                      "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -2048;"
                      "PRAGMA wal_autocheckpoint = 0",
                      "open the run file", error))
        return NULL;
    runfile_watch_log(f);
    f->next_rank = runfile_sample_count(f) + 1;
    return g_steal_pointer(&f);
}

runfile *
runfile_open(const char *path, bool writable, GError **error)
{
    g_autofree char *plain = runfile_plain_path(path);
    const bool may_write = is_writable(path);
    runfile *f;

    if (!is_file(path, error))
        return NULL;
    if (writable && may_write) {
        f = open_writable(plain, path, NULL);
        if (f != NULL)
            return f;
    }
    if (may_write)
        return open_checked(plain, path, SQLITE_OPEN_READONLY, error);
    f = open_checked(plain, path, SQLITE_OPEN_READONLY, NULL);
    if (f != NULL)
        return f;
    return has_log(path) ? open_copy(path, error) : open_immutable(path, error);
}
