/* cmd-import: `lens import csv|jsonl FILE`, a run file of numbers measured elsewhere. The
 * file is read twice: first all of it is checked, then the run file is made. */
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "chrono.h"
#include "command.h"
#include "error.h"
#include "import.h"
#include "runfile.h"

/* Failed requests may lack columns that the others have. */
#define ROWS_FOR_COLUMNS 200

struct job {
    const char *path;
    enum import_format format;
    import_map map;
    import_values values;
    uint64_t rows, ok;
    int64_t first_ns, last_ns; /* earliest start and latest end; NEVER: none has one */
    run_info *run;
    runfile *file;
};

/* ---- columns ---- */

struct columns {
    GPtrArray *names;
    GHashTable *seen;
    unsigned rows;
};

static bool
collect_columns(const import_row *row, void *data, GError **error)
{
    struct columns *c = data;
    GHashTableIter iter;
    void *name;

    (void)error;
    g_hash_table_iter_init(&iter, row->cells);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        if (!g_hash_table_contains(c->seen, name)) {
            char *copy = g_strdup(name);

            g_hash_table_add(c->seen, copy);
            g_ptr_array_add(c->names, copy);
        }
    return ++c->rows < ROWS_FOR_COLUMNS;
}

static int
by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
make_map(struct job *job, const args *a, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GPtrArray) texts = g_ptr_array_new();
    struct columns columns = { names, seen, 0 };
    GError *broken = NULL;

    import_each_row(job->path, job->format, collect_columns, &columns, &broken);
    if (broken != NULL) {
        g_propagate_error(error, broken);
        return false;
    }
    if (columns.rows == 0) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "%s: has no rows", job->path);
        return false;
    }
    g_ptr_array_sort(names, by_name);
    g_ptr_array_add(names, NULL);
    for (unsigned i = 0; i < args_count(a, "map"); i++)
        g_ptr_array_add(texts, (void *)args_string(a, "map", i));
    g_ptr_array_add(texts, NULL);
    return import_map_make((const char *const *)texts->pdata,
                           (const char *const *)names->pdata, &job->map, error);
}

/* ---- first reading ---- */

static bool
look_at(const import_row *row, void *data, GError **error)
{
    struct job *job = data;
    import_values *v = &job->values;
    int64_t end_ns;

    if (!import_values_read(v, &job->map, row, job->path, error))
        return false;
    job->rows++;
    job->ok += v->ok && !v->cancelled;
    if (v->start_ns == NEVER)
        return true;
    end_ns = v->start_ns + MAX(v->e2e_ns, 0);
    if (job->first_ns == NEVER || v->start_ns < job->first_ns)
        job->first_ns = v->start_ns;
    job->last_ns = MAX(job->last_ns, end_ns);
    return true;
}

/* ---- second reading ---- */

static uint32_t
index_of(const run_info *run, const char *name, bool stage)
{
    uint32_t next = 0;

    for (guint i = 0; i < run->results->len; i++) {
        const result *r = run->results->pdata[i];

        if (g_str_equal(stage ? r->stage_name : r->target_name, name))
            return stage ? r->stage : r->target;
        next = MAX(next, (stage ? r->stage : r->target) + 1);
    }
    return next;
}

static result *
result_for(struct job *job)
{
    const import_values *v = &job->values;
    g_autofree char *file = g_path_get_basename(job->path);
    const char *target = v->target != NULL  ? v->target
                         : v->model != NULL ? v->model
                                            : file;
    const char *stage = v->stage != NULL ? v->stage : "import";
    const uint32_t target_index = index_of(job->run, target, false);
    const uint32_t stage_index = index_of(job->run, stage, true);
    result *r;

    for (guint i = 0; i < job->run->results->len; i++) {
        r = job->run->results->pdata[i];
        if (r->target == target_index && r->stage == stage_index)
            return r;
    }
    r = result_new(job->run->slos);
    r->target = target_index;
    r->stage = stage_index;
    r->target_name = g_strdup(target);
    r->stage_name = g_strdup(stage);
    r->provider = g_strdup("import");
    r->api = g_strdup(job->format == IMPORT_CSV ? "csv" : "jsonl");
    r->model = g_strdup(v->model);
    r->workload = g_strdup("import");
    r->workload_options = g_strdup("{}");
    r->start_ns = r->end_ns = 0;
    /* Without starts nothing is known of rates: the window stays empty. */
    r->tally->window_start_ns = job->first_ns != NEVER ? INT64_MAX : 0;
    r->tally->window_end_ns = 0;
    g_ptr_array_add(job->run->results, r);
    return r;
}

/* The window must stand before the tally is fed, and it is only known at the end: the
 * tally of the result's row comes from a reading of the finished file. */
static void
widen(const struct job *job, result *r, const sample *s)
{
    const attempt *a = sample_last(s);

    if (job->first_ns == NEVER)
        return;
    r->tally->window_start_ns = MIN(r->tally->window_start_ns, a->start_ns);
    r->tally->window_end_ns = MAX(r->tally->window_end_ns, a->end_ns);
    r->start_ns = r->tally->window_start_ns;
    r->end_ns = r->tally->window_end_ns;
}

static bool
store(const import_row *row, void *data, GError **error)
{
    struct job *job = data;
    import_values *v = &job->values;
    bool fine;
    result *r;
    sample *s;

    if (!import_values_read(v, &job->map, row, job->path, error))
        return false;
    r = result_for(job);
    s = import_sample(v, job->first_ns != NEVER ? job->first_ns : 0);
    s->id = ++job->rows;
    s->index = s->id - 1;
    s->target = r->target;
    s->stage = r->stage;
    s->start_unix_ns = runfile_unique_ns(
        job->run->start_unix_ns + MAX(sample_last(s)->start_ns, 0), s->id);
    widen(job, r, s);
    fine = runfile_put_sample(job->file, s, true, NULL, error);
    sample_free(s);
    return fine;
}

/* Each result's numbers, as its samples tell them. */
static bool
store_results(struct job *job, GError **error)
{
    for (guint i = 0; i < job->run->results->len; i++)
        if (!runfile_put_result(job->file, job->run->results->pdata[i], i, true,
                                HISTOGRAMS_NONE, error))
            return false;
    return runfile_put_end(job->file, job->run, error) &&
           runfile_commit(job->file, error);
}

static bool
store_tallies(struct job *job, GError **error)
{
    g_autoptr(run_info) loaded = runfile_load(job->file, error);

    if (loaded == NULL || !runfile_begin(job->file, error))
        return false;
    for (guint i = 0; i < loaded->results->len; i++)
        if (!runfile_put_result(job->file, loaded->results->pdata[i], i, true,
                                HISTOGRAMS_EVERY, error))
            return false;
    return runfile_commit(job->file, error);
}

static void
describe_run(struct job *job)
{
    g_autofree char *map = import_map_to_json(&job->map);
    g_autoptr(JsonNode) name = json_node_new(JSON_NODE_VALUE);
    g_autofree char *quoted = NULL;
    run_info *run = job->run;

    json_node_set_string(name, job->path);
    quoted = json_to_string(name, false);
    run->id = g_uuid_string_random();
    run->version = g_strdup(LENS_VERSION);
    run->plan_json =
        g_strdup_printf("{\"import\":{\"file\":%s,\"format\":\"%s\",\"map\":%s}}", quoted,
                        job->format == IMPORT_CSV ? "csv" : "jsonl", map);
    run->start_unix_ns = job->first_ns > INT64_C(1000000000) * NS_PER_S / 10
                             ? job->first_ns
                             : chrono_wall();
    run->duration_ns = job->first_ns != NEVER ? job->last_ns - job->first_ns : 0;
}

static bool
make_file(struct job *job, const char *out, bool force, GError **error)
{
    bool fine;

    job->run = run_info_new();
    describe_run(job);
    job->rows = 0;
    job->file = runfile_create(out, force, error);
    if (job->file == NULL)
        return false;
    fine = runfile_begin(job->file, error) &&
           runfile_put_run(job->file, job->run, true, error) &&
           import_each_row(job->path, job->format, store, job, error) &&
           store_results(job, error) && store_tallies(job, error);
    runfile_close(job->file);
    if (!fine)
        g_unlink(out);
    return fine;
}

static char *
name_by_date(void)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();

    return g_date_time_format(now, "lens-%Y%m%d-%H%M%S.lens");
}

static void
tell(const struct job *job, const char *out)
{
    g_autoptr(GString) fields = g_string_new(NULL);
    g_autofree char *map = import_map_to_json(&job->map);

    if (job->map.dialect != NULL)
        g_string_append_printf(fields, " (columns of %s)", job->map.dialect);
    g_message("%s: %" G_GUINT64_FORMAT " requests%s, columns %s", out, job->rows,
              fields->str, map);
    if (job->first_ns == NEVER)
        g_message("no column is known for start, so throughput cannot be told");
}

static bool
import(struct job *job, const args *a, GError **error)
{
    g_autofree char *dated = name_by_date();
    const char *out = args_string(a, "out", 0);

    if (out == NULL)
        out = dated;
    if (!make_map(job, a, error) ||
        !import_each_row(job->path, job->format, look_at, job, error) ||
        !make_file(job, out, args_bool(a, "force"), error))
        return false;
    tell(job, out);
    return true;
}

int
cmd_import(const args *a)
{
    const char *format = args_positional(a, 0);
    struct job job = { .path = args_positional(a, 1), .first_ns = NEVER };
    GError *error = NULL;
    bool fine;

    if (g_str_equal(format, "csv"))
        job.format = IMPORT_CSV;
    else if (g_str_equal(format, "jsonl") || g_str_equal(format, "json"))
        job.format = IMPORT_JSONL;
    else
        return args_fail(a, g_error_new(LENS_ERROR, LENS_ERROR_USAGE,
                                        "import: unknown format '%s', expected csv or "
                                        "jsonl",
                                        format));
    import_values_init(&job.values);
    fine = import(&job, a, &error);
    import_values_clear(&job.values);
    import_map_clear(&job.map);
    run_info_free(job.run);
    return fine ? EXIT_OK : args_fail(a, error);
}
