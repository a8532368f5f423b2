#include <math.h>
#include <string.h>

#include "error.h"
#include "runfile-private.h"

/* More than any --retries makes; beyond it the row is garbage. */
#define ATTEMPTS_MAX 1000000

static bool
prepare_insert(runfile *f, struct inserter *in, const char *head, size_t parameters,
               GError **error)
{
    g_autoptr(GString) sql = g_string_new(head);

    if (in->statement != NULL)
        return true;
    for (size_t i = 0; i < parameters; i++)
        g_string_append(sql, i == 0 ? "?" : ", ?");
    g_string_append_c(sql, ')');
    if (sqlite3_prepare_v3(f->db, sql->str, -1, SQLITE_PREPARE_PERSISTENT, &in->statement,
                           NULL) != SQLITE_OK)
        return runfile_fail(f, "write the run file", error);
    return true;
}

static void
insert_timeline(struct inserter *in, int parameter, const timeline *t, bool deltas)
{
    insert_blob(in, parameter, t->data, deltas ? t->size : 0);
}

static bool
put_earlier_attempts(runfile *f, const sample *s, uint64_t rank, bool deltas,
                     GError **error)
{
    struct inserter *in = &f->attempts;

    if (!prepare_insert(f, in, "INSERT INTO attempt VALUES (", attempt_column_count + 3,
                        error))
        return false;
    for (uint32_t nth = 0; nth + 1 < s->attempt_count; nth++) {
        int next;

        insert_int(in, 1, (int64_t)rank);
        insert_int(in, 2, nth);
        next = insert_columns(in, 3, attempt_columns, attempt_column_count,
                              &s->attempts[nth]);
        insert_timeline(in, next, &s->attempts[nth].messages_log, deltas);
        if (!runfile_step(f, in->statement, "write the run file", error))
            return false;
    }
    return true;
}

bool
runfile_put_sample(runfile *f, const sample *s, bool deltas, uint64_t *ret_rank,
                   GError **error)
{
    struct inserter *in = &f->samples;
    const attempt *last = sample_last(s);
    const uint64_t rank = f->next_rank;
    int next;

    if (!prepare_insert(f, in, "INSERT INTO sample VALUES (",
                        sample_column_count + attempt_column_count + 2, error))
        return false;
    insert_int(in, 1, (int64_t)rank);
    next = insert_columns(in, 2, sample_columns, sample_column_count, s);
    next = insert_columns(in, next, attempt_columns, attempt_column_count, last);
    insert_timeline(in, next, &last->messages_log, deltas);
    if (!runfile_step(f, in->statement, "write the run file", error))
        return false;
    if (s->attempt_count > 1 && !put_earlier_attempts(f, s, rank, deltas, error))
        return false;
    f->next_rank = rank + 1;
    if (ret_rank != NULL)
        *ret_rank = rank;
    return true;
}

/* One row at a time; strings and logs stay SQLite's. */
struct sample_reader {
    runfile *f;
    GArray *of_sample, *of_attempt; /* struct column: what is read */
    sqlite3_stmt *samples, *attempts, *attempts_before;
    sample sample;
    GArray *tries; /* attempt */
};

#define COLUMNS(array) ((const struct column *)(const void *)(array)->data), (array)->len

static void
read_attempt(const struct sample_reader *r, sqlite3_stmt *row, int first, attempt *a)
{
    int next;

    memset(a, 0, sizeof *a);
    a->usage[0] = -1;
    next = columns_read(row, first, COLUMNS(r->of_attempt), false, a);
    a->messages_log.data = (uint8_t *)sqlite3_column_blob(row, next);
    a->messages_log.size = (size_t)sqlite3_column_bytes(row, next);
    a->messages_log.count = a->messages_log.size > 0 ? a->messages : 0;
}

/* Text and blobs of an attempt row die with the next step, so one statement a row. */
static bool
read_earlier_attempt(struct sample_reader *r, GPtrArray *rows, int64_t rank, uint32_t nth,
                     attempt *ret, GError **error)
{
    g_autoptr(GString) sql = g_string_new("SELECT ");
    sqlite3_stmt *row;

    columns_names(sql, COLUMNS(r->of_attempt), "");
    g_string_append_printf(
        sql, ", timeline FROM attempt WHERE rank = %" G_GINT64_FORMAT " AND nth = %u",
        rank, nth);
    row = runfile_prepare(r->f, sql->str, error);
    if (row == NULL)
        return false;
    g_ptr_array_add(rows, row);
    if (sqlite3_step(row) != SQLITE_ROW)
        return runfile_fail(r->f, "read an attempt of the run file", error);
    read_attempt(r, row, 0, ret);
    return true;
}

static void
finalize(void *statement)
{
    sqlite3_finalize(statement);
}

static bool
give_sample(struct sample_reader *r, runfile_sample_fn fn, void *data, bool *ret_go_on,
            GError **error)
{
    g_autoptr(GPtrArray) rows = NULL;
    const int64_t rank = sqlite3_column_int64(r->samples, 0);
    sample *s = &r->sample;
    const int next = columns_read(r->samples, 1, COLUMNS(r->of_sample), false, s);

    if (s->attempt_count < 1 || s->attempt_count > ATTEMPTS_MAX) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_FILE,
                    "%s: damaged: sample %" G_GINT64_FORMAT " has %u attempts",
                    r->f->path, rank, s->attempt_count);
        return false;
    }
    g_array_set_size(r->tries, s->attempt_count);
    s->attempts = (attempt *)(void *)r->tries->data;
    if (s->attempt_count > 1)
        rows = g_ptr_array_new_with_free_func(finalize);
    for (uint32_t nth = 0; nth + 1 < s->attempt_count; nth++)
        if (!read_earlier_attempt(r, rows, rank, nth, &s->attempts[nth], error))
            return false;
    read_attempt(r, r->samples, next, &s->attempts[s->attempt_count - 1]);
    *ret_go_on = fn(s, (uint64_t)rank, data);
    return true;
}

void
runfile_read_shown(runfile *f, bool timelines)
{
    f->shown_only = true;
    f->no_timelines = !timelines;
}

static GArray *
columns_to_read(const runfile *f, const struct column *columns, size_t count)
{
    GArray *chosen = g_array_new(false, false, sizeof *columns);

    for (size_t i = 0; i < count; i++)
        if (!f->shown_only || !columns[i].inner)
            g_array_append_val(chosen, columns[i]);
    return chosen;
}

bool
runfile_each_sample(runfile *f, uint64_t after, uint64_t limit, runfile_sample_fn fn,
                    void *data, GError **error)
{
    g_autoptr(GString) sql = g_string_new("SELECT rank, ");
    g_autoptr(GArray) tries = g_array_new(false, true, sizeof(attempt));
    g_autoptr(GArray) of_sample = columns_to_read(f, sample_columns, sample_column_count);
    g_autoptr(GArray) of_attempt =
        columns_to_read(f, attempt_columns, attempt_column_count);
    autostatement rows = NULL;
    struct sample_reader r = {
        .f = f, .of_sample = of_sample, .of_attempt = of_attempt, .tries = tries
    };
    bool go_on = true;
    int code = SQLITE_DONE;

    columns_names(sql, COLUMNS(of_sample), "");
    g_string_append(sql, ", ");
    columns_names(sql, COLUMNS(of_attempt), "");
    g_string_append_printf(sql, ", %s FROM sample WHERE rank > ? ORDER BY rank LIMIT ?",
                           f->no_timelines ? "NULL" : "timeline");
    rows = runfile_prepare(f, sql->str, error);
    if (rows == NULL)
        return false;
    r.samples = rows;
    sqlite3_bind_int64(rows, 1, (int64_t)MIN(after, INT64_MAX));
    sqlite3_bind_int64(rows, 2, (int64_t)MIN(limit, INT64_MAX));
    while (go_on && (code = sqlite3_step(rows)) == SQLITE_ROW)
        if (!give_sample(&r, fn, data, &go_on, error))
            return false;
    if (code != SQLITE_DONE && code != SQLITE_ROW)
        return runfile_fail(f, "read the run file", error);
    return true;
}
