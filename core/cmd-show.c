/* cmd-show: `lens show RUN...`, the summary of run files. Needs nothing but the file,
 * also while it is being written. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "chrono.h"
#include "command.h"
#include "error.h"
#include "report.h"
#include "runfile.h"

/* A writer that lives leaves a sign every half second. */
#define SILENCE_NS (3 * NS_PER_S)

static bool
writer_lives(runfile *f, const run_info *info)
{
    const int64_t seen_ns = info->start_unix_ns + info->duration_ns;
    const int pid = runfile_writer(f);

    if (chrono_wall() - seen_ns > SILENCE_NS)
        return false;
    return g_strcmp0(info->host_name, g_get_host_name()) != 0 || pid <= 0 ||
           kill(pid, 0) == 0 || errno != ESRCH;
}

static void
say_unfinished(runfile *f, const run_info *info, const char *path)
{
    const double seconds = (double)info->duration_ns / 1e9;

    if (writer_lives(f, info))
        g_message("%s: the run goes on; this is its state after %.1f s", path, seconds);
    else
        g_message("%s: the run has no end: its writer was killed; this is what was "
                  "recorded in %.1f s",
                  path, seconds);
}

static bool
show(const char *path, bool json, GError **error)
{
    g_autoptr(runfile) f = runfile_open(path, false, error);
    g_autoptr(run_info) info = NULL;

    if (f == NULL)
        return false;
    info = runfile_load(f, error);
    if (info == NULL)
        return false;
    if (!runfile_has_end(f))
        say_unfinished(f, info, path);
    if (json) {
        g_autofree char *summary = summary_json(info);

        puts(summary);
    } else {
        report_print(info, stdout);
    }
    return true;
}

int
cmd_show(const args *a)
{
    const unsigned count = args_positional_count(a);
    int code = EXIT_OK;

    for (unsigned i = 0; i < count; i++) {
        GError *error = NULL;

        if (i > 0 && !args_bool(a, "json"))
            putchar('\n');
        if (!show(args_positional(a, i), args_bool(a, "json"), &error))
            code = args_fail(a, error);
    }
    return code;
}
