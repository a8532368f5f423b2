#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command.h"
#include "error.h"
#include "presets.h"

static bool
fail(GError **error, const char *path)
{
    const int code = errno;

    g_set_error(error, LENS_ERROR, LENS_ERROR_FILE,
                code == EEXIST ? "%s is there already; --force overwrites it%s"
                               : "cannot write %s: %s",
                path, code == EEXIST ? "" : g_strerror(code));
    return false;
}

/* O_EXCL: nothing is overwritten unasked, not even what appears at this moment. */
static bool
write_file(const char *path, const char *text, size_t size, bool force, GError **error)
{
    const int fd =
        open(path, O_WRONLY | O_CREAT | O_CLOEXEC | (force ? O_TRUNC : O_EXCL), 0666);
    bool good = fd >= 0;

    while (good && size > 0) {
        const ssize_t done = write(fd, text, size);

        good = done >= 0 || errno == EINTR;
        text += MAX(done, 0);
        size -= (size_t)MAX(done, 0);
    }
    if (!good)
        fail(error, path);
    if (fd >= 0 && close(fd) != 0 && good)
        return fail(error, path);
    return good;
}

static char *
read_template(size_t *ret_size, GError **error)
{
    g_autofree char *path = data_file_path("plan.yaml");
    g_autoptr(GError) cause = NULL;
    char *text = NULL;

    if (path != NULL && g_file_get_contents(path, &text, ret_size, &cause))
        return text;
    g_set_error(error, LENS_ERROR, LENS_ERROR_FILE,
                "the plan that comes with lens cannot be read: %s",
                cause != NULL ? cause->message : "plan.yaml is not installed");
    return NULL;
}

int
cmd_init(const args *a)
{
    const char *path = args_string(a, "out", 0);
    GError *error = NULL;
    size_t size = 0;
    g_autofree char *text = read_template(&size, &error);

    if (text == NULL)
        return args_fail(a, error);
    if (g_str_equal(path, "-")) {
        fwrite(text, 1, size, stdout);
        return EXIT_OK;
    }
    if (!write_file(path, text, size, args_bool(a, "force"), &error))
        return args_fail(a, error);
    if (!args_bool(a, "quiet"))
        fprintf(stderr, "lens: wrote %s; check it with 'lens validate %s'\n", path, path);
    return EXIT_OK;
}
