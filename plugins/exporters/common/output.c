#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static lens_status
say(const struct lens_host *host, lens_status why, const char *what, const char *path,
    int error)
{
    char text[1024];

    snprintf(text, sizeof text, "cannot %s %s: %s", what, path, strerror(error));
    return host->fail(host, why, text);
}

static int
is_standard_output(const char *path)
{
    return strcmp(path, "-") == 0;
}

/* Whether something stands at `path` that is no regular file: a pipe, a device. */
static int
is_special(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && !S_ISREG(st.st_mode);
}

/* Whether `fd` is a run file: what is measured must not be written over. */
static int
is_run_file(int fd)
{
    static const char magic[16] = "SQLite format 3";
    char head[sizeof magic];

    return pread(fd, head, sizeof head, 0) == (ssize_t)sizeof head &&
           memcmp(head, magic, sizeof magic) == 0;
}

static lens_status
refuse_path(const struct lens_host *host, const char *path, const char *why)
{
    char text[1024];

    snprintf(text, sizeof text, "cannot write %s: %s", path, why);
    return host->fail(host, LENS_E_CONFIG, text);
}

static lens_status
refuse_run_file(const struct lens_host *host, const char *path)
{
    return refuse_path(host, path,
                       "it is a run file or another database, which is never written "
                       "over; give another path");
}

/* The file is ours alone, or it would be torn. */
static lens_status
claim(struct output *o)
{
    if (is_run_file(o->fd))
        return refuse_run_file(o->host, o->path);
    if (flock(o->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return refuse_path(o->host, o->path,
                           "another exporter is writing it; give each its own path");
    return LENS_OK;
}

lens_status
output_open(struct output *o, const struct lens_host *host, const char *path)
{
    o->host = host;
    o->path = path;
    o->regular = !is_standard_output(path) && !is_special(path);
    if (is_standard_output(path))
        o->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    else if (o->regular)
        o->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    else
        o->fd = open(path, O_WRONLY | O_CLOEXEC);
    if (o->fd < 0)
        return say(host, LENS_E_CONFIG, "write", path, errno);
    return o->regular ? claim(o) : LENS_OK;
}

void
output_close(struct output *o)
{
    if (o->host != NULL && o->fd >= 0)
        close(o->fd);
    *o = (struct output){ 0 };
}

static int
write_all(int fd, const char *data, size_t size)
{
    while (size > 0) {
        const ssize_t written = write(fd, data, size);

        if (written < 0 && errno != EINTR)
            return -1;
        if (written > 0) {
            data += written;
            size -= (size_t)written;
        }
    }
    return 0;
}

/* Whether the file starts with `head`. */
static int
starts_with(int fd, const struct text *head)
{
    char *found = malloc(head->size + 1);
    const int same = found != NULL &&
                     pread(fd, found, head->size, 0) == (ssize_t)head->size &&
                     (head->size == 0 || memcmp(found, head->data, head->size) == 0);

    free(found);
    return same;
}

/* The offset behind `records` records that start at `from`; -1: there are fewer. */
static int64_t
skip_records(int fd, int64_t from, uint64_t records, int32_t quoted)
{
    char piece[64 * 1024];
    int in_quotes = 0;
    ssize_t got;

    while (records > 0 && (got = pread(fd, piece, sizeof piece, from)) > 0) {
        ssize_t i = 0;

        while (i < got && records > 0) {
            if (quoted && piece[i] == '"')
                in_quotes = !in_quotes;
            else if (piece[i] == '\n' && !in_quotes)
                records--;
            i++;
        }
        from += i;
    }
    return records == 0 ? from : -1;
}

/* Goes on at `end` behind `records` records, or starts anew when there are none. */
static lens_status
begin_at(struct output *o, const struct text *head, uint64_t records, int64_t end)
{
    if (records > 0 && end < 0)
        return LENS_E_UNSUPPORTED;
    if (o->regular &&
        (ftruncate(o->fd, end > 0 ? end : 0) != 0 || lseek(o->fd, 0, SEEK_END) < 0))
        return say(o->host, LENS_E_IO, "cut", o->path, errno);
    if (records == 0 && write_all(o->fd, head->data, head->size) != 0)
        return say(o->host, LENS_E_IO, "write", o->path, errno);
    o->size = records > 0 ? end : (int64_t)head->size;
    return LENS_OK;
}

lens_status
output_begin(struct output *o, const struct text *head, uint64_t records, int32_t quoted)
{
    int64_t end = -1;

    if (records > 0 && o->regular && starts_with(o->fd, head))
        end = skip_records(o->fd, (int64_t)head->size, records, quoted);
    return begin_at(o, head, records, end);
}

/* As skip_records; a record must fit into the largest window. */
static int64_t
skip_measured(int fd, int64_t from, uint64_t records, output_measure measure)
{
    size_t room = 64 * 1024;
    char *window = malloc(room);

    while (window != NULL && records > 0) {
        const ssize_t got = pread(fd, window, room, from);
        size_t at = 0, size;

        while (records > 0 && got > 0 &&
               (size = measure(window + at, (size_t)got - at)) > 0) {
            at += size;
            records--;
        }
        from += (int64_t)at;
        if (at > 0 || records == 0)
            continue;
        free(window);
        window = NULL;
        if (got == (ssize_t)room && room < 256 * 1024 * 1024)
            window = malloc(room *= 4);
    }
    free(window);
    return records == 0 ? from : -1;
}

lens_status
output_begin_records(struct output *o, const struct text *head, uint64_t records,
                     output_measure measure)
{
    int64_t end = -1;

    if (records > 0 && o->regular && starts_with(o->fd, head))
        end = skip_measured(o->fd, (int64_t)head->size, records, measure);
    return begin_at(o, head, records, end);
}

/* What may get better by itself is tried again. */
static lens_status
refuse(const struct lens_host *host, const char *path, int error, int torn,
       struct lens_delivery *delivery)
{
    const int may_pass = error == ENOSPC || error == EDQUOT || error == EAGAIN;

    delivery->delivered_prefix = 0;
    delivery->verdict = may_pass && !torn ? LENS_DELIVERY_LATER : LENS_DELIVERY_GIVE_UP;
    return say(host, LENS_E_IO, "write", path, error);
}

lens_status
output_append(struct output *o, const struct text *records, uint64_t count,
              struct lens_delivery *delivery)
{
    if (records->failed)
        return refuse(o->host, o->path, ENOMEM, 0, delivery);
    if (write_all(o->fd, records->data, records->size) != 0) {
        const int error = errno;
        const int cut = o->regular && ftruncate(o->fd, o->size) == 0 &&
                        lseek(o->fd, 0, SEEK_END) >= 0;

        return refuse(o->host, o->path, error, !cut, delivery);
    }
    o->size += (int64_t)records->size;
    delivery->verdict = LENS_DELIVERY_OK;
    delivery->delivered_prefix = count;
    return LENS_OK;
}

static int
is_path_of_run_file(const char *path)
{
    const int fd = is_standard_output(path) || is_special(path)
                       ? -1
                       : open(path, O_RDONLY | O_CLOEXEC);
    const int found = fd >= 0 && is_run_file(fd);

    if (fd >= 0)
        close(fd);
    return found;
}

lens_status
output_check(const struct lens_host *host, const char *path)
{
    char *folder = strdup(path);
    char *slash = folder != NULL ? strrchr(folder, '/') : NULL;
    lens_status status = LENS_OK;

    if (slash != NULL)
        slash[slash == folder] = '\0';
    if (folder == NULL)
        status = host->fail(host, LENS_E_NOMEM, "out of memory");
    else if (is_path_of_run_file(path))
        status = refuse_run_file(host, path);
    else if (is_special(path) && access(path, W_OK) != 0)
        status = say(host, LENS_E_CONFIG, "write", path, errno);
    else if (!is_special(path) && !is_standard_output(path) &&
             access(slash != NULL ? folder : ".", W_OK | X_OK) != 0)
        status = say(host, LENS_E_CONFIG, "write", path, errno);
    free(folder);
    return status;
}

static lens_status
write_directly(const struct lens_host *host, const char *path, const struct text *whole,
               struct lens_delivery *delivery)
{
    struct output o = { 0 };
    lens_status status = output_open(&o, host, path);

    if (status == LENS_OK)
        status = output_append(&o, whole, 1, delivery);
    else
        delivery->verdict = LENS_DELIVERY_GIVE_UP;
    output_close(&o);
    return status;
}

/* Writes and closes; 0, or the error. */
static int
write_file(const char *path, const struct text *whole)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    int error = 0;

    if (fd < 0)
        return errno;
    if (write_all(fd, whole->data, whole->size) != 0 || fsync(fd) != 0)
        error = errno;
    if (close(fd) != 0 && error == 0)
        error = errno;
    return error;
}

lens_status
output_replace(const struct lens_host *host, const char *path, const struct text *whole,
               struct lens_delivery *delivery)
{
    char *real, *temporary = NULL;
    int error = whole->failed ? ENOMEM : 0;

    if (!whole->failed && (is_standard_output(path) || is_special(path)))
        return write_directly(host, path, whole, delivery);

    real = realpath(path, NULL); /* a link stays a link */
    if (error == 0 && asprintf(&temporary, "%s.%ld.tmp", real != NULL ? real : path,
                               (long)getpid()) < 0)
        error = ENOMEM;
    if (error == 0)
        error = write_file(temporary, whole);
    if (error == 0 && rename(temporary, real != NULL ? real : path) != 0)
        error = errno;
    if (error != 0 && temporary != NULL)
        unlink(temporary);
    free(temporary);
    free(real);
    if (error != 0)
        return refuse(host, path, error, 0, delivery);
    delivery->verdict = LENS_DELIVERY_OK;
    return LENS_OK;
}
