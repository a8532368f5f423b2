#include "text.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 256 };

void
lens_text_clear(struct lens_text *t)
{
    if (t->data != NULL)
        explicit_bzero(t->data, t->room);
    free(t->data);
    *t = (struct lens_text){ 0 };
}

void
lens_text_reset(struct lens_text *t)
{
    t->size = 0;
    t->failed = 0;
    if (t->data != NULL)
        t->data[0] = '\0';
}

/* By hand instead of realloc, which would leave a copy of a secret behind. */
static int
grow(struct lens_text *t, size_t more)
{
    size_t room = t->room == 0 ? FIRST_ROOM : t->room;
    char *data;

    if (t->failed)
        return 0;
    if (more >= SIZE_MAX / 4 - t->size) {
        t->failed = 1;
        return 0;
    }
    while (room < t->size + more + 1)
        room *= 2;
    if (room == t->room)
        return 1;
    data = malloc(room);
    if (data == NULL) {
        t->failed = 1;
        return 0;
    }
    if (t->data != NULL) {
        memcpy(data, t->data, t->size);
        explicit_bzero(t->data, t->room);
        free(t->data);
    }
    t->data = data;
    t->room = room;
    return 1;
}

void
lens_text_add_bytes(struct lens_text *t, const void *data, size_t size)
{
    if (!grow(t, size))
        return;
    if (size > 0)
        memcpy(t->data + t->size, data, size);
    t->size += size;
    t->data[t->size] = '\0';
}

void
lens_text_add(struct lens_text *t, const char *text)
{
    lens_text_add_bytes(t, text, strlen(text));
}

static int
is_unreserved(unsigned char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '.' || c == '_' || c == '~';
}

void
lens_text_add_percent(struct lens_text *t, const void *data, size_t size,
                      const char *keep)
{
    static const char digits[] = "0123456789ABCDEF";
    const unsigned char *byte = data;

    for (; size > 0; byte++, size--) {
        const char code[3] = { '%', digits[*byte >> 4], digits[*byte & 15] };

        if (is_unreserved(*byte) || (*byte != '\0' && strchr(keep, *byte) != NULL))
            lens_text_add_bytes(t, byte, 1);
        else
            lens_text_add_bytes(t, code, sizeof code);
    }
}

void
lens_text_add_form(struct lens_text *t, const char *name, const void *value, size_t size)
{
    if (t->size > 0)
        lens_text_add(t, "&");
    lens_text_add_percent(t, name, strlen(name), "");
    lens_text_add(t, "=");
    lens_text_add_percent(t, value, size, "");
}

lens_status
lens_text_put(void *to, const void *data, size_t size)
{
    struct lens_text *t = to;

    lens_text_add_bytes(t, data, size);
    return t->failed ? LENS_E_NOMEM : LENS_OK;
}

const char *
lens_text_get(const struct lens_text *t)
{
    return t->data == NULL ? "" : t->data;
}

struct lens_bytes
lens_text_bytes(const struct lens_text *t)
{
    return (struct lens_bytes){ lens_text_get(t), t->size };
}
