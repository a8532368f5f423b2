#include "host-source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chrono.h"
#include "error.h"

enum { SOURCE_LIMIT = 1024 * 1024, PIECE = 4096 };
static const int64_t RUN_LIMIT_NS = 60 * NS_PER_S;

/* ---- what was given, until the operation is over ---- */

static void
wipe(void *data)
{
    GString *text = data;

    explicit_bzero(text->str, text->allocated_len);
    g_string_free(text, TRUE);
}

void
host_allow_sources(instance *i)
{
    if (i->sources == NULL)
        i->sources = g_ptr_array_new_with_free_func(wipe);
}

void
host_forget_sources(instance *i)
{
    if (i->sources != NULL)
        g_ptr_array_set_size(i->sources, 0);
}

static instance *
allowed(const struct lens_host *host)
{
    instance *i = (instance *)host; /* its first member */

    return i->sources != NULL ? i : NULL;
}

static GString *
new_text(void)
{
    return g_string_sized_new(PIECE); /* of a secret: growing leaves no copy behind */
}

/* As g_string_append_len, but wipes the memory that it grows out of. */
static void
append(GString **text, const char *data, size_t size)
{
    if ((*text)->len + size >= (*text)->allocated_len) {
        GString *larger = g_string_sized_new(2 * ((*text)->len + size) + 1);

        g_string_append_len(larger, (*text)->str, (gssize)(*text)->len);
        wipe(*text);
        *text = larger;
    }
    g_string_append_len(*text, data, (gssize)size);
}

static lens_status
give(instance *i, GString *text, struct lens_bytes *ret)
{
    g_ptr_array_add(i->sources, text);
    *ret = (struct lens_bytes){ text->str, text->len };
    return LENS_OK;
}

/* One read; false at the end or over the limit (*ret_failed). */
static bool
read_piece(int fd, GString **text, bool *ret_failed)
{
    char piece[PIECE];
    const ssize_t got = read(fd, piece, sizeof piece);

    if (got < 0 && errno == EINTR)
        return true;
    if (got <= 0 || (*text)->len + (size_t)got > SOURCE_LIMIT) {
        *ret_failed = got != 0;
        return false;
    }
    append(text, piece, (size_t)got);
    explicit_bzero(piece, sizeof piece);
    return true;
}

/* ---- files and variables ---- */

static char *
expand(const char *path)
{
    return g_str_has_prefix(path, "~/")
               ? g_build_filename(g_get_home_dir(), path + 2, NULL)
               : g_strdup(path);
}

lens_status
host_read_file(const struct lens_host *host, const char *path, struct lens_bytes *ret)
{
    instance *i = allowed(host);
    g_autofree char *full = NULL;
    bool failed = false;
    GString *text;
    int fd;

    if (i == NULL || path == NULL)
        return LENS_E_UNSUPPORTED;
    full = expand(path);
    fd = open(full, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return LENS_E_IO;
    text = new_text();
    while (read_piece(fd, &text, &failed))
        ;
    close(fd);
    if (!failed)
        return give(i, text, ret);
    wipe(text);
    return LENS_E_IO;
}

const char *
host_environment(const struct lens_host *host, const char *name)
{
    const char *value = allowed(host) != NULL && name != NULL ? g_getenv(name) : NULL;

    return value != NULL && *value != '\0' ? value : NULL;
}

/* ---- commands ---- */

/* A group of its own, so that what it started can be ended with it. */
static void
in_child(void *unused)
{
    (void)unused;
    setpgid(0, 0);
}

/* Reads until the command closes its output or time is up. */
static bool
collect(int fd, GString **text, int64_t until_ns)
{
    bool failed = false;

    for (;;) {
        struct pollfd wait = { .fd = fd, .events = POLLIN };
        const int64_t left_ns = until_ns - chrono_now();
        int ready;

        if (left_ns <= 0)
            return false;
        ready = poll(&wait, 1, (int)(left_ns / NS_PER_MS) + 1);
        if (ready < 0 && errno != EINTR)
            return false;
        if (ready > 0 && !read_piece(fd, text, &failed))
            return !failed;
    }
}

static bool
ended_well(GPid child)
{
    int status = 0;
    pid_t got;

    do
        got = waitpid(child, &status, 0);
    while (got < 0 && errno == EINTR);
    return got == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

lens_status
host_run(const struct lens_host *host, const char *command, struct lens_bytes *ret)
{
    instance *i = allowed(host);
    g_auto(GStrv) argv = NULL;
    g_autoptr(GError) error = NULL;
    GString *text;
    GPid child;
    int out;
    bool fine;

    if (i == NULL || command == NULL)
        return LENS_E_UNSUPPORTED;
    if (!g_shell_parse_argv(command, NULL, &argv, &error) ||
        !g_spawn_async_with_pipes(NULL, argv, NULL,
                                  G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD,
                                  in_child, NULL, &child, NULL, &out, NULL, &error)) {
        g_info("%s: %s", i->owner, error->message);
        return LENS_E_IO;
    }
    text = new_text();
    fine = collect(out, &text, chrono_now() + RUN_LIMIT_NS);
    close(out);
    if (!fine)
        kill(-child, SIGKILL);
    fine &= ended_well(child);
    if (fine)
        return give(i, text, ret);
    wipe(text);
    return LENS_E_FAILED;
}
