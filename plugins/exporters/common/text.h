/* text: bytes that grow, for what is written in one piece. A failed growth sticks: the
 * text is then cut and text_failed says so. */
#pragma once

#include <lens/abi.h>

#include <string.h>

struct text {
    char *data;
    size_t size, capacity;
    int32_t failed;
};

/* Has the shape that a lens_writer wants. */
lens_status text_put(void *text, const void *data, size_t size);
void text_add(struct text *t, const char *string);
/* Room for `size` bytes at the end, NULL without memory; text_took says how many of them
 * were written. */
char *text_grow(struct text *t, size_t size);

static inline char *
text_room(struct text *t, size_t size)
{
    return size <= t->capacity - t->size ? t->data + t->size : text_grow(t, size);
}

static inline void
text_took(struct text *t, size_t size)
{
    t->size += size;
}

static inline void
text_byte(struct text *t, char byte)
{
    char *to = text_room(t, 1);

    if (to != NULL) {
        *to = byte;
        t->size++;
    }
}

/* Nothing for one that is not finite. */
void text_double(struct text *t, double number);
void text_int(struct text *t, int64_t number);
void text_rewind(struct text *t); /* empties, keeps the memory */
void text_clear(struct text *t);
