#include "text.h"

#include <stdlib.h>
#include <string.h>

lens_status
text_put(void *text, const void *data, size_t size)
{
    struct text *t = text;

    if (size > t->capacity - t->size) {
        const size_t wanted = 2 * (t->size + size) + 4096;
        char *grown = realloc(t->data, wanted);

        if (grown == NULL) {
            t->failed = 1;
            return LENS_E_NOMEM;
        }
        t->data = grown;
        t->capacity = wanted;
    }
    if (size > 0)
        memcpy(t->data + t->size, data, size);
    t->size += size;
    return LENS_OK;
}

void
text_add(struct text *t, const char *string)
{
    text_put(t, string, strlen(string));
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
