/* Bytes being collected: of a request that is described, of a mock's answer. */
#include <stdlib.h>
#include <string.h>

#include "grow.h"
#include "host.h"

enum { FIRST_CAPACITY = 32 };

lens_status
buffer_append(struct lens_buffer *b, const void *data, size_t size)
{
    /* One byte more, so that text can be terminated. */
    if (size >= GROW_BUFFER_MAX - b->size)
        return LENS_E_TOO_LARGE;
    if (b->size + size + 1 > b->capacity) {
        size_t capacity = b->capacity == 0 ? FIRST_CAPACITY : b->capacity;
        char *bigger;

        while (capacity < b->size + size + 1)
            capacity *= 2;
        bigger = realloc(b->data, capacity);
        if (bigger == NULL)
            return LENS_E_NOMEM;
        b->data = bigger;
        b->capacity = capacity;
    }
    if (size > 0)
        memcpy(b->data + b->size, data, size);
    b->size += size;
    b->data[b->size] = '\0';
    return LENS_OK;
}

void
buffer_clear(struct lens_buffer *b)
{
    free(b->data);
    *b = (struct lens_buffer){ 0 };
}
