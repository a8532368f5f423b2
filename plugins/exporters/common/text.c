#include "text.h"

#include <math.h>
#include <stdlib.h>

#include "write.h"

char *
text_grow(struct text *t, size_t size)
{
    const size_t wanted = 2 * (t->size + size) + 4096;
    char *grown = realloc(t->data, wanted);

    if (grown == NULL) {
        t->failed = 1;
        return NULL;
    }
    t->data = grown;
    t->capacity = wanted;
    return grown + t->size;
}

lens_status
text_put(void *text, const void *data, size_t size)
{
    struct text *t = text;
    char *to;

    if (size == 0)
        return LENS_OK;
    to = text_room(t, size);
    if (to == NULL)
        return LENS_E_NOMEM;
    memcpy(to, data, size);
    t->size += size;
    return LENS_OK;
}

void
text_add(struct text *t, const char *string)
{
    text_put(t, string, strlen(string));
}

void
text_double(struct text *t, double number)
{
    char *to = text_room(t, LENS_DIGITS);

    if (to != NULL && isfinite(number))
        text_took(t, lens_digits_double(number, to));
}

void
text_int(struct text *t, int64_t number)
{
    char *to = text_room(t, LENS_DIGITS);

    if (to != NULL)
        text_took(t, lens_digits_int(number, to));
}

void
text_rewind(struct text *t)
{
    t->size = 0;
    t->failed = 0;
}

void
text_clear(struct text *t)
{
    free(t->data);
    *t = (struct text){ 0 };
}
