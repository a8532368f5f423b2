/* cmd-decode: `lens decode FILE`, what a provider's decoder makes of recorded bytes. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "decode.h"
#include "error.h"
#include "plain-text.h"

/* By its descriptor: what is a socket cannot be opened as /dev/stdin. */
static char *
read_stdin(size_t *ret_size, GError **error)
{
    GString *text = g_string_new(NULL);
    char piece[65536];
    ssize_t size;

    while ((size = read(STDIN_FILENO, piece, sizeof piece)) != 0) {
        if (size > 0) {
            g_string_append_len(text, piece, size);
        } else if (errno != EINTR) {
            g_set_error(error, LENS_ERROR, LENS_ERROR_FILE,
                        "cannot read standard input: %s", g_strerror(errno));
            g_string_free(text, TRUE);
            return NULL;
        }
    }
    *ret_size = text->len;
    return g_string_free(text, FALSE);
}

static char *
read_input(const char *path, size_t *ret_size, GError **error)
{
    g_autoptr(GError) broken = NULL;
    char *text = NULL;

    if (strcmp(path, "-") == 0)
        return read_stdin(ret_size, error);
    if (!g_file_get_contents(path, &text, ret_size, &broken)) {
        const char *cause = strrchr(broken->message, ':');

        g_set_error(error, LENS_ERROR, LENS_ERROR_FILE, "cannot read %s%s", path,
                    cause != NULL ? cause : "");
    }
    return text;
}

static bool
run_case(const decode_case *c, registry *plugins, const char *name, bool check,
         bool *differs, GError **error)
{
    g_autoptr(decode_result) r = decode_run(c, plugins, error);
    g_autofree char *line = NULL, *difference = NULL, *plain = NULL;

    if (r == NULL) {
        g_prefix_error(error, "%s:%u: ", name, c->line);
        return false;
    }
    line = decode_result_json(r, c->id);
    puts(line);
    if (!check || c->expect == NULL)
        return true;
    difference = decode_result_differs(r, c->expect);
    if (difference != NULL) {
        plain = plain_text(difference, -1);
        fprintf(stderr, "%s:%u: %s: %s\n", name, c->line, c->id != NULL ? c->id : "case",
                plain);
        *differs = true;
    }
    return true;
}

int
cmd_decode(const args *a)
{
    const char *path = args_positional(a, 0);
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    g_autofree char *text = NULL;
    g_autoptr(GPtrArray) cases = NULL;
    GError *error = NULL;
    size_t size = 0;
    bool differs = false;
    int code = EXIT_OK;

    text = read_input(path, &size, &error);
    if (text != NULL)
        cases = decode_cases_parse(text, size, name, &error);
    if (cases == NULL)
        return args_fail(a, error);
    for (unsigned i = 0; i < cases->len; i++) {
        if (run_case(cases->pdata[i], args_plugins(a), name, args_bool(a, "check"),
                     &differs, &error))
            continue;
        /* One that cannot be run does not hide the others. */
        fflush(stdout);
        code = args_fail(a, g_steal_pointer(&error));
    }
    if (code == EXIT_OK && differs)
        code = 1;
    return code;
}
