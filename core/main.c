#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "args.h"
#include "command.h"
#include "error.h"
#include "help.h"
#include "option.h"
#include "secret.h"

static const struct {
    const char *name;
    int (*call)(const args *);
} calls[] = {
    { "run", cmd_run },       { "show", cmd_show }, { "export", cmd_export },
    { "import", cmd_import }, { "init", cmd_init }, { "validate", cmd_validate },
    { "decode", cmd_decode }, { "mock", cmd_mock }, { "calibrate", cmd_calibrate },
    { "plugin", cmd_plugin }, { "cost", cmd_cost }, { "prices", cmd_prices },
    { "models", cmd_models },
};

/* What is shown of the log: talk with the user, more with -v, all with -vv. */
static GLogLevelFlags shown = G_LOG_LEVEL_MASK & ~(G_LOG_LEVEL_INFO | G_LOG_LEVEL_DEBUG);

static GLogWriterOutput
write_log(GLogLevelFlags level, const GLogField *fields, gsize count, void *data)
{
    const char *message = "";
    g_autofree char *text = NULL;

    (void)data;
    if ((level & shown & G_LOG_LEVEL_MASK) == 0)
        return G_LOG_WRITER_HANDLED;
    for (gsize i = 0; i < count; i++)
        if (g_str_equal(fields[i].key, "MESSAGE"))
            message = fields[i].value;
    text = secret_redact(message, -1);
    fprintf(stderr, "lens: %s%s\n", level & G_LOG_LEVEL_WARNING ? "warning: " : "", text);
    return G_LOG_WRITER_HANDLED;
}

/* Warnings are shown even with --quiet: they say that a result is less than it seems. */
static void
set_talk(const args *a)
{
    const unsigned verbose = args_count(a, "verbose");

    if (args_bool(a, "quiet"))
        shown &= ~G_LOG_LEVEL_MESSAGE;
    if (verbose > 0)
        shown |= G_LOG_LEVEL_INFO;
    if (verbose > 1)
        shown |= G_LOG_LEVEL_DEBUG;
}

static int
help(const char *name, const char *sub, const args *a)
{
    if (name == NULL)
        help_print_overview(stdout);
    else if (!help_print_command(name, sub, stdout))
        return args_fail(a, g_error_new(LENS_ERROR, LENS_ERROR_USAGE,
                                        "unknown command '%s%s%s'; 'lens help' shows all",
                                        name, sub != NULL ? " " : "",
                                        sub != NULL ? sub : ""));
    return EXIT_OK;
}

static int
cmd_help(const args *a)
{
    const char *shell = args_string(a, "completion", 0);

    if (args_bool(a, "man"))
        man_print(stdout);
    else if (shell != NULL)
        completion_print(shell, stdout);
    else
        return help(args_positional(a, 0), args_positional(a, 1), a);
    return EXIT_OK;
}

static int
call(const args *a)
{
    const char *name = args_command(a);

    if (args_is_set(a, "version")) {
        version_print(stdout);
        return EXIT_OK;
    }
    if (args_is_set(a, "help"))
        return help(name, args_subcommand(a), a);
    if (name == NULL) {
        help_print_overview(stderr);
        return EXIT_USAGE;
    }
    if (g_str_equal(name, "help"))
        return cmd_help(a);
    for (unsigned i = 0; i < G_N_ELEMENTS(calls); i++)
        if (g_str_equal(name, calls[i].name))
            return calls[i].call(a);
    g_assert_not_reached(); /* args_parse took the command */
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(args) a = NULL;
    int code;

    /* A peer that hangs up is an error of one write, not the end of the program. */
    signal(SIGPIPE, SIG_IGN);
    g_log_set_writer_func(write_log, NULL, NULL);
    a = args_parse(argc, argv, &error);
    if (a == NULL)
        return args_fail(NULL, g_steal_pointer(&error));
    set_talk(a);
    code = call(a);
    if ((fflush(stdout) != 0 || ferror(stdout) != 0) && code == EXIT_OK) {
        fputs("lens: the standard output cannot be written\n", stderr);
        code = EXIT_USAGE;
    }
    return code;
}
