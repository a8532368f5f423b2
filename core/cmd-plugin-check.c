/* cmd-plugin-check: `lens plugin check FILE.so [--case FILE]...`. The proof runs in a
 * child, so that a plugin that crashes or hangs is a failed proof and not ours. */
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "cmd-plugin.h"
#include "error.h"
#include "option.h"

enum { EXIT_FAILED_CHECKS = 1 };

/* ---- what is proven of every kind ---- */

/* Whether an option can be set at all: some value that is valid for it is taken. */
static void
check_options(check *c, const struct lens_schema *schema)
{
    g_autoptr(option_values) values = option_values_new(schema, c->plugin->name);
    g_autoptr(GError) error = NULL;
    struct check_host h;
    bool good = true;

    check_begin(c, "options");
    check_host_init(&h, c, NULL);
    for (uint32_t i = 0; good && i < h.harness.setting_count; i++) {
        struct lens_option option = { 0 };

        for (uint32_t k = 0; k < schema->count; k++) {
            const struct lens_option *at = (const void *)((const char *)schema->items +
                                                          (size_t)k * schema->item_size);

            if (strcmp(at->name, h.settings[i].name) == 0)
                option.type = at->type;
        }
        good = option_values_set(values, h.settings[i].name,
                                 option.type == LENS_OPT_SECRET ? "env:LENS_CHECK"
                                                                : h.settings[i].value,
                                 &error);
    }
    if (good)
        option_values_finish(values, false, &error);
    check_end(c, error != NULL ? error->message : NULL);
    check_host_clear(&h);
}

static void
check_descriptor(check *c)
{
    const plugin *p = c->plugin;
    const char *problem = NULL;

    check_begin(c, "descriptor");
    if (*p->version == '\0')
        problem = "version is empty";
    else if (*p->summary == '\0')
        problem = "summary is empty";
    else if (strchr(p->summary, '\n') != NULL)
        problem = "summary has several lines, it is one line of help";
    else if (g_str_has_suffix(p->summary, "."))
        problem = "summary ends with a full stop, it is one line of help";
    check_end(c, problem);
}

static void
check_plugin(check *c)
{
    check_descriptor(c);
    switch (c->plugin->kind) {
    case LENS_KIND_OF_PROVIDER:
        check_options(c, &c->plugin->ops.provider.options);
        check_provider(c);
        break;
    case LENS_KIND_OF_WORKLOAD:
        check_options(c, &c->plugin->ops.workload.options);
        check_workload(c);
        break;
    default:
        check_options(c, &c->plugin->ops.exporter.options);
        check_exporter(c);
        break;
    }
}

/* ---- the command ---- */

static bool
all_readable(const GPtrArray *cases, const char *path, GError **error)
{
    for (unsigned i = 0; i < cases->len; i++) {
        const decode_case *c = cases->pdata[i];

        if (c->broken == NULL)
            continue;
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "%s:%u: %s", path, c->line,
                    c->broken);
        return false;
    }
    return true;
}

static GPtrArray *
read_cases(const args *a, GError **error)
{
    g_autoptr(GPtrArray) all =
        g_ptr_array_new_with_free_func((GDestroyNotify)decode_case_free);

    for (unsigned i = 0; i < args_count(a, "case"); i++) {
        const char *path = args_string(a, "case", i);
        g_autoptr(GError) broken = NULL;
        g_autofree char *text = NULL;
        size_t size;
        GPtrArray *some;

        if (!g_file_get_contents(path, &text, &size, &broken)) {
            g_set_error(error, LENS_ERROR, LENS_ERROR_FILE, "--case: cannot read %s: %s",
                        path, broken->message);
            return NULL;
        }
        some = decode_cases_parse(text, size, path, error);
        if (some == NULL)
            return NULL;
        g_ptr_array_extend_and_steal(all, some);
        if (!all_readable(all, path, error))
            return NULL;
    }
    return g_steal_pointer(&all);
}

/* A case that belongs to no plugin of the file proves nothing: say so. */
static void
check_cases_used(check *c, const GPtrArray *plugins)
{
    for (unsigned i = 0; i < c->cases->len; i++) {
        const decode_case *recorded = c->cases->pdata[i];
        bool used = false;

        for (unsigned k = 0; k < plugins->len; k++) {
            const plugin *p = plugins->pdata[k];

            used |= p->kind == LENS_KIND_OF_PROVIDER &&
                    g_strcmp0(p->name, recorded->provider) == 0;
        }
        if (used)
            continue;
        snprintf(c->state->current, sizeof c->state->current, "case %s",
                 recorded->id != NULL ? recorded->id : "without id");
        check_end(c, "its provider is not in this file");
    }
}

/* The child: loads the file and proves what is in it. Its own standard output is turned
 * away, so that an exporter that prints does not print into the report. */
static int
prove(const args *a, const GPtrArray *cases, const char *dir, struct check_state *state)
{
    g_autoptr(registry) plugins =
        registry_new_empty(args_bool(a, "allow-insecure-plugins"));
    check c = { .plugins = plugins, .cases = cases, .dir = dir, .state = state };
    GError *error = NULL;

    c.out = fdopen(dup(STDOUT_FILENO), "w");
    if (!registry_load_file(plugins, args_positional(a, 0), &error))
        return args_fail(a, error);
    if (freopen("/dev/null", "w", stdout) == NULL || chdir(dir) < 0)
        return EXIT_USAGE;
    for (unsigned i = 0; i < registry_plugins(plugins)->len; i++) {
        c.plugin = registry_plugins(plugins)->pdata[i];
        check_plugin(&c);
    }
    check_cases_used(&c, registry_plugins(plugins));
    fclose(c.out);
    return state->failed > 0 ? EXIT_FAILED_CHECKS : EXIT_OK;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

/* What the end of the child says; the exit code. */
static int
conclude(int status, const struct check_state *state)
{
    if (WIFSIGNALED(status)) {
        if (WTERMSIG(status) == SIGALRM)
            printf("FAILED  %s: did not come to an end within %d s\n", state->current,
                   CHECK_SECONDS);
        else
            printf("FAILED  %s: crashed (%s)\n",
                   *state->current != '\0' ? state->current : "load",
                   strsignal(WTERMSIG(status)));
        printf("%u ok, %u failed, the rest was not tried\n", state->passed,
               state->failed + 1);
        return EXIT_FAILED_CHECKS;
    }
    if (state->passed + state->failed > 0)
        printf("%u ok, %u failed\n", state->passed, state->failed);
    return WEXITSTATUS(status);
}

int
cmd_plugin_check(const args *a)
{
    g_autoptr(GPtrArray) cases = NULL;
    g_autofree char *dir = NULL;
    GError *error = NULL;
    struct check_state *state;
    int status = 0;
    pid_t child;

    cases = read_cases(a, &error);
    if (cases != NULL)
        dir = g_dir_make_tmp("lens-check-XXXXXX", &error);
    if (dir == NULL)
        return args_fail(a, error);
    state = mmap(NULL, sizeof *state, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                 -1, 0);
    fflush(NULL);
    child = state != MAP_FAILED ? fork() : -1;
    if (child == 0) {
        status = prove(a, cases, dir, state);
        fflush(NULL);
        _exit(status);
    }
    if (child > 0)
        waitpid(child, &status, 0);
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    if (child < 0)
        return args_fail(a, g_error_new(LENS_ERROR, LENS_ERROR_SYSTEM,
                                        "cannot start the proof: %s", g_strerror(errno)));
    return conclude(status, state);
}
