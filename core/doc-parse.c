/* A document from a text or a file. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doc-private.h"
#include "error.h"

/* The number of "\uD83D" at `at`; 0: it is none. */
static unsigned
escaped_unit(const char *at)
{
    unsigned value = 0;

    if (at[0] != '\\' || at[1] != 'u')
        return 0;
    for (unsigned i = 2; i < 6; i++) {
        if (!g_ascii_isxdigit(at[i]))
            return 0;
        value = value << 4 | (unsigned)g_ascii_xdigit_value(at[i]);
    }
    return value;
}

/* JSON writes characters beyond U+FFFF as two halves, which YAML does not know: they
 * become one "\U0001F600". NULL: there are none. */
static char *
join_surrogates(const char *text, size_t size, size_t *ret_size)
{
    g_autofree char *copy = NULL;
    char *out;

    if (g_strstr_len(text, (gssize)size, "\\u") == NULL ||
        memchr(text, '\0', size) != NULL)
        return NULL;
    copy = g_strndup(text, size); /* ends with NUL, so looking ahead is safe */
    if (*(copy + strspn(copy, " \t\r\n")) != '{')
        return NULL;
    out = copy;
    for (const char *at = copy; *at != '\0';) {
        const unsigned high = escaped_unit(at);
        const unsigned low = high >> 10 == 0x36 ? escaped_unit(at + 6) : 0;

        if (low >> 10 == 0x37) {
            char joined[11];

            g_snprintf(joined, sizeof joined, "\\U%08X",
                       0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff));
            memcpy(out, joined, 10);
            out += 10;
            at += 12;
        } else {
            if (at[0] == '\\' && at[1] != '\0')
                *out++ = *at++; /* so that "\\\\u" is no escape */
            *out++ = *at++;
        }
    }
    *out = '\0';
    *ret_size = (size_t)(out - copy);
    return g_steal_pointer(&copy);
}

static bool
read_text(doc *d, const char *text, size_t size, GError **error)
{
    g_autofree char *joined = join_surrogates(text, size, &size);

    return doc_build(d, joined != NULL ? joined : text, size, error);
}

doc *
doc_parse(const char *text, size_t size, const char *name, GError **error)
{
    doc *d;

    if (size > DOC_SIZE_LIMIT) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "%s: larger than 1 MiB, is this the right file?", name);
        return NULL;
    }
    d = g_new0(doc, 1);
    d->name = g_strdup(name);
    if (read_text(d, text, size, error))
        return d;
    doc_free(d);
    return NULL;
}

doc *
doc_read_file(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    size_t size = 0;
    ssize_t got = 0;

    if (fd < 0 || fstat(fd, &status) != 0) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_FILE, "cannot read %s: %s", path,
                    g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    /* One byte more than is allowed tells a file that is too large, also from a pipe. */
    text = g_malloc(DOC_SIZE_LIMIT + 1);
    if (!S_ISREG(status.st_mode))
        fcntl(fd, F_SETFL, 0);
    while (size <= DOC_SIZE_LIMIT &&
           (got = read(fd, text + size, DOC_SIZE_LIMIT + 1 - size)) > 0)
        size += (size_t)got;
    if (got < 0) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_FILE, "cannot read %s: %s", path,
                    g_strerror(errno));
        close(fd);
        return NULL;
    }
    close(fd);
    return doc_parse(text, size, path, error);
}
