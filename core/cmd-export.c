/* lens export: sends a run file to exporters. */
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "chrono.h"
#include "command.h"
#include "error.h"
#include "exporter.h"
#include "plan-private.h"
#include "secret.h"

static bool
is_taken(const GPtrArray *choices, const char *name)
{
    for (guint i = 0; i < choices->len; i++)
        if (g_strcmp0(((plugin_choice *)choices->pdata[i])->name, name) == 0)
            return true;
    return false;
}

static void
choice_free(void *data)
{
    plugin_choice *c = data;

    g_free(c->kind);
    g_free(c->name);
    option_values_free(c->options);
    g_free(c);
}

/* --set export.NAME.KEY=VALUE */
static bool
apply_sets(const args *a, const GPtrArray *choices, GError **error)
{
    for (unsigned i = 0; i < args_count(a, "set"); i++) {
        const char *text = args_string(a, "set", i);
        const char *equals = strchr(text, '=');
        g_autofree char *path =
            g_strndup(text, equals != NULL ? (size_t)(equals - text) : 0);

        if (!g_str_has_prefix(path, "export.")) {
            g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                        "--set: expected export.NAME.KEY=VALUE, got `%s`", path);
            return false;
        }
        if (!plan_set_export(choices, path + 7, equals + 1, error)) {
            g_prefix_error(error, "--set: ");
            return false;
        }
    }
    return true;
}

static bool
finish_choices(const GPtrArray *choices, GError **error)
{
    for (guint i = 0; i < choices->len; i++)
        if (!option_values_finish(((plugin_choice *)choices->pdata[i])->options, true,
                                  error)) {
            g_prefix_error(error, "--to: ");
            return false;
        }
    return true;
}

static bool
read_choices(const args *a, GPtrArray *choices, GError **error)
{
    const unsigned count = args_count(a, "to");

    if (count == 0) {
        g_set_error(
            error, LENS_ERROR, LENS_ERROR_USAGE,
            "nowhere to export to, expected --to NAME:key=value, for instance --to "
            "csv:path=samples.csv");
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        plugin_choice *c = plugin_choice_new();

        if (!plan_choice_parse(c, args_plugins(a), LENS_KIND_OF_EXPORTER,
                               args_string(a, "to", i), error)) {
            g_prefix_error(error, "--to: ");
            choice_free(c);
            return false;
        }
        if (is_taken(choices, c->name)) {
            g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                        "--to: two exporters are called %s, expected a name=NAME for one "
                        "of them",
                        c->name);
            choice_free(c);
            return false;
        }
        g_ptr_array_add(choices, c);
    }
    return apply_sets(a, choices, error) && finish_choices(choices, error);
}

static run_info *
load(const char *path, GError **error)
{
    g_autoptr(runfile) f = runfile_open(path, false, error);

    return f != NULL ? runfile_load_stored(f, error) : NULL;
}

static bool
start_all(const args *a, const char *path, const GPtrArray *choices, const run_info *info,
          GPtrArray *exporters, GError **error)
{
    for (guint i = 0; i < choices->len; i++) {
        exporter *e = exporter_start(choices->pdata[i], args_plugins(a), path, NULL, info,
                                     args_bool(a, "again"), error);

        if (e == NULL)
            return false;
        g_ptr_array_add(exporters, e);
    }
    return true;
}

/* Where several runs are sent, each line says which one it is about. */
static void
print_name(const char *path, const char *name)
{
    if (path != NULL)
        fprintf(stderr, "export %s, %s: ", name, path);
    else
        fprintf(stderr, "export %s: ", name);
}

static uint64_t
sum_delivered(const GPtrArray *exporters, const char *path, bool show)
{
    uint64_t sum = 0;

    for (guint i = 0; i < exporters->len; i++) {
        struct export_state s;

        exporter_state(exporters->pdata[i], &s);
        if (show) {
            print_name(path, s.name);
            fprintf(stderr, "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT "\n",
                    s.delivered, s.of);
        }
        sum += s.delivered;
        g_free(s.kind);
        g_free(s.name);
        g_free(s.error);
    }
    return sum;
}

static int stopped_by; /* a signal; 0: none */

static gboolean
on_signal(void *data)
{
    stopped_by = GPOINTER_TO_INT(data);
    exporters_skip_wait();
    return G_SOURCE_CONTINUE;
}

/* As long as it goes on, however long; `wait_ns` without any progress is the end. */
static void
deliver(const GPtrArray *exporters, const char *path, int64_t wait_ns, bool show)
{
    for (guint i = 0; i < exporters->len && stopped_by == 0; i++) {
        int64_t moved_ns = chrono_now();
        uint64_t before = sum_delivered(exporters, path, false);

        while (!exporter_wait(exporters->pdata[i], MIN(NS_PER_S, wait_ns)) &&
               stopped_by == 0 && chrono_now() - moved_ns < wait_ns) {
            const uint64_t now = sum_delivered(exporters, path, show);

            if (now != before)
                moved_ns = chrono_now();
            before = now;
        }
    }
}

static void
print_done(const GPtrArray *exporters, const char *path)
{
    for (guint i = 0; i < exporters->len; i++) {
        struct export_state s;

        exporter_state(exporters->pdata[i], &s);
        if (s.complete) {
            g_autofree char *progress = exporter_tell(exporters->pdata[i], &s);

            print_name(path, s.name);
            fprintf(stderr, "complete, %s\n", progress);
        }
        g_free(s.kind);
        g_free(s.name);
        g_free(s.error);
    }
}

/* `lens show` tells how the exports stand now; a file that cannot be written stays. */
static void
save_states(const char *path, const run_info *info)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(runfile) f = runfile_open(path, true, &error);

    if (f == NULL || !runfile_writable(f))
        return;
    if (!runfile_begin(f, &error) || !runfile_put_exports(f, info, &error) ||
        !runfile_commit(f, &error)) {
        runfile_rollback(f);
        g_debug("%s: how the exports stand is not saved: %s", path, error->message);
    }
}

/* One run to all exporters; the exit code. */
static int
export_run(const args *a, const char *path, const GPtrArray *choices)
{
    g_autoptr(GPtrArray) exporters =
        g_ptr_array_new_with_free_func((GDestroyNotify)exporter_free);
    g_autoptr(run_info) info = NULL;
    GError *error = NULL;
    const char *shown = args_positional_count(a) > 1 ? path : NULL;
    const int64_t wait_ns = args_duration(a, "export-wait");
    const bool quiet = args_bool(a, "quiet");
    int64_t begin_ns;
    bool complete;

    info = load(path, &error);
    if (info == NULL || !start_all(a, path, choices, info, exporters, &error))
        return args_fail(a, error);
    begin_ns = chrono_now();
    deliver(exporters, shown, wait_ns, !quiet);
    complete = exporters_finish(
        exporters, info,
        MAX(wait_ns - (chrono_now() - begin_ns), MIN(wait_ns, NS_PER_S)));
    if (complete && !quiet)
        print_done(exporters, shown);
    g_ptr_array_set_size(exporters, 0); /* they write their cursors, too */
    save_states(path, info);
    return complete ? EXIT_OK : EXIT_EXPORT;
}

/* Which of two ends is told: wrong usage before an unfinished delivery. */
static int
worse(int one, int other)
{
    if (one == EXIT_OK || other == EXIT_OK)
        return MAX(one, other);
    return MIN(one, other);
}

int
cmd_export(const args *a)
{
    g_autoptr(GPtrArray) choices = g_ptr_array_new_with_free_func(choice_free);
    GError *error = NULL;
    int code = EXIT_OK;

    if (!read_choices(a, choices, &error))
        return args_fail(a, error);
    g_unix_signal_add(SIGINT, on_signal, GINT_TO_POINTER(SIGINT));
    g_unix_signal_add(SIGTERM, on_signal, GINT_TO_POINTER(SIGTERM));
    for (unsigned i = 0; i < args_positional_count(a) && stopped_by == 0; i++)
        code = worse(code, export_run(a, args_positional(a, i), choices));
    return stopped_by != 0 ? 128 + stopped_by : code;
}
