#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "error.h"

/* Longer than any key or certificate; a wrong path should not fill memory. */
enum { SECRET_MAX = 64 * 1024 };

static bool
is_variable_name(const char *text)
{
    if (!g_ascii_isalpha(*text) && *text != '_')
        return false;
    for (; *text != '\0'; text++)
        if (!g_ascii_isalnum(*text) && *text != '_')
            return false;
    return true;
}

/* The part behind `prefix`, or NULL. */
static const char *
behind(const char *spec, const char *prefix)
{
    return g_str_has_prefix(spec, prefix) ? spec + strlen(prefix) : NULL;
}

/* What was given is never repeated here: it may be the secret itself. */
bool
secret_check(const char *spec, GError **error)
{
    const char *rest;
    const char *why = "a secret is only named, never written here; use env:VAR, "
                      "file:PATH or cmd:COMMAND, for instance env:MY_API_KEY";

    if ((rest = behind(spec, "env:")) != NULL) {
        if (is_variable_name(rest))
            return true;
        why = "env: takes the name of an environment variable, for instance "
              "env:MY_API_KEY, not its value";
    } else if ((rest = behind(spec, "file:")) != NULL) {
        if (*rest != '\0')
            return true;
        why = "file: takes the path of a file that holds the secret, for instance "
              "file:key.txt";
    } else if ((rest = behind(spec, "cmd:")) != NULL) {
        if (g_shell_parse_argv(rest, NULL, NULL, NULL))
            return true;
        why = "cmd: takes a command that prints the secret, quoted like in a shell, for "
              "instance cmd:pass show api";
    }
    g_set_error_literal(error, LENS_ERROR, LENS_ERROR_USAGE, why);
    return false;
}

bool
secret_is_named(const char *spec)
{
    return secret_check(spec, NULL);
}

/* Takes off one line end; refuses what cannot be a secret. Takes over `value`. */
static char *
take_value(char *value, size_t size, const char *origin, GError **error)
{
    const char *why = NULL;

    if (size > SECRET_MAX)
        why = "is longer than 64 KiB";
    else if (memchr(value, '\0', size) != NULL)
        why = "holds a NUL byte";
    if (why == NULL && size > 0 && value[size - 1] == '\n')
        value[--size] = '\0';
    if (why == NULL && size > 0 && value[size - 1] == '\r')
        value[--size] = '\0';
    if (why == NULL && size == 0)
        why = "is empty";
    if (why != NULL) {
        secret_free(value);
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "the secret from %s %s", origin,
                    why);
        return NULL;
    }
    return value;
}

static char *
from_environment(const char *name, GError **error)
{
    const char *value = g_getenv(name);

    if (value == NULL || *value == '\0') {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "the environment variable %s is %s; export it, or name another one",
                    name, value == NULL ? "not set" : "empty");
        return NULL;
    }
    return g_strdup(value);
}

static char *
from_file(const char *path, GError **error)
{
    g_autofree char *origin = g_strdup_printf("file %s", path);
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    char *value = g_malloc0(SECRET_MAX + 2);
    size_t size = 0;
    ssize_t got = 0;
    int saved = errno;

    if (fd >= 0) {
        do {
            got = read(fd, value + size, SECRET_MAX + 1 - size);
            saved = errno;
            size += got > 0 ? (size_t)got : 0;
        } while ((got > 0 && size <= SECRET_MAX) || (got < 0 && saved == EINTR));
        close(fd);
    }
    if (fd < 0 || got < 0) {
        secret_free(value);
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "cannot read the secret from file %s: %s", path, g_strerror(saved));
        return NULL;
    }
    return take_value(value, size, origin, error);
}

static char *
from_command(const char *command, GError **error)
{
    g_auto(GStrv) argv = NULL;
    g_autofree char *origin = NULL;
    g_autoptr(GError) cause = NULL;
    char *value = NULL;
    int status = 0;

    g_shell_parse_argv(command, NULL, &argv, NULL);
    origin = g_strdup_printf("command %s", argv[0]);
    if (!g_spawn_sync(NULL, argv, NULL,
                      G_SPAWN_SEARCH_PATH | G_SPAWN_CHILD_INHERITS_STDIN, NULL, NULL,
                      &value, NULL, &status, &cause) ||
        !g_spawn_check_wait_status(status, &cause)) {
        secret_free(value);
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "cannot get the secret from command %s: %s", argv[0], cause->message);
        return NULL;
    }
    return take_value(value, strlen(value), origin, error);
}

char *
secret_resolve(const char *spec, bool run_commands, GError **error)
{
    const char *rest;
    char *value;

    if (!secret_check(spec, error))
        return NULL;
    if ((rest = behind(spec, "env:")) != NULL)
        value = from_environment(rest, error);
    else if ((rest = behind(spec, "file:")) != NULL)
        value = from_file(rest, error);
    else if (run_commands)
        value = from_command(behind(spec, "cmd:"), error);
    else
        return g_strdup("");
    secret_register(value);
    return value;
}

void
secret_free(char *value)
{
    if (value == NULL)
        return;
    explicit_bzero(value, strlen(value));
    g_free(value);
}
