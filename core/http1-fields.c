#include "http1-fields.h"

#include <string.h>

#include <lens/plugin.h>

static bool
is(struct lens_bytes text, const char *word, size_t size)
{
    return text.size == size && g_ascii_strncasecmp(text.data, word, size) == 0;
}

#define IS(text, word) is(text, word, sizeof(word) - 1)

/* The next element of a comma-separated list, trimmed; false at its end. */
static bool
next_element(struct lens_bytes *list, struct lens_bytes *ret)
{
    const char *at = list->data, *end = list->data + list->size, *stop;

    if (list->size == 0)
        return false;
    stop = memchr(at, ',', list->size);
    *list = stop == NULL ? (struct lens_bytes){ end, 0 }
                         : (struct lens_bytes){ stop + 1, (size_t)(end - stop - 1) };
    if (stop == NULL)
        stop = end;
    while (at < stop && (*at == ' ' || *at == '\t'))
        at++;
    while (stop > at && (stop[-1] == ' ' || stop[-1] == '\t'))
        stop--;
    *ret = (struct lens_bytes){ at, (size_t)(stop - at) };
    return true;
}

/* RFC 9110, 8.6: repeated equal lengths are one, any other list is refused. */
static const char *
read_length(struct lens_bytes value, struct http1_fields *f)
{
    struct lens_bytes one;

    if (value.size == 0)
        return "Invalid Content-Length: value";
    while (next_element(&value, &one)) {
        int64_t length = 0;

        for (size_t i = 0; i < one.size; i++) {
            if (one.data[i] < '0' || one.data[i] > '9' || length > INT64_MAX / 10 - 1)
                return "Invalid Content-Length: value";
            length = length * 10 + (one.data[i] - '0');
        }
        if (one.size == 0)
            return "Invalid Content-Length: value";
        if (f->length >= 0 && f->length != length)
            return "two values of Content-Length contradict each other";
        f->length = length;
    }
    return NULL;
}

static const char *
read_codings(struct lens_bytes value, struct http1_fields *f)
{
    struct lens_bytes one;

    while (next_element(&value, &one)) {
        if (one.size == 0 || IS(one, "identity"))
            continue;
        if (f->chunked && IS(one, "chunked"))
            continue; /* said twice by a server and its proxy, done once */
        if (f->chunked)
            return "chunked is not the last transfer coding";
        f->coded = true;
        f->chunked = IS(one, "chunked");
    }
    return NULL;
}

static void
read_connection(struct lens_bytes value, struct http1_fields *f, bool *closes)
{
    struct lens_bytes one;

    while (next_element(&value, &one)) {
        *closes |= IS(one, "close");
        f->keep |= IS(one, "keep-alive");
    }
}

const char *
http1_read_fields(const GArray *headers, const char *text, uint16_t version,
                  struct http1_fields *ret)
{
    const char *why = NULL;
    bool closes = false;

    *ret = (struct http1_fields){ .length = -1, .keep = version >= 11 };
    for (unsigned i = 0; i < headers->len && why == NULL; i++) {
        const struct lens_pair *p = &g_array_index(headers, struct lens_pair, i);
        const struct lens_bytes name = { text + GPOINTER_TO_SIZE(p->name.data),
                                         p->name.size };
        const struct lens_bytes value = { text + GPOINTER_TO_SIZE(p->value.data),
                                          p->value.size };

        if (IS(name, "content-length"))
            why = read_length(value, ret);
        else if (IS(name, "transfer-encoding"))
            why = read_codings(value, ret);
        else if (IS(name, "connection"))
            read_connection(value, ret, &closes);
    }
    if (ret->coded && ret->length >= 0)
        closes = true; /* RFC 9112, 6.3: somebody between may have read it otherwise */
    ret->keep &= !closes;
    return why;
}
