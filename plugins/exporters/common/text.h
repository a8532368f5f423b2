/* text: bytes that grow, for what is written in one piece. A failed growth sticks: the
 * text is then cut and text_failed says so. */
#pragma once

#include <lens/abi.h>

struct text {
    char *data;
    size_t size, capacity;
    int32_t failed;
};

/* Has the shape that a lens_writer wants. */
lens_status text_put(void *text, const void *data, size_t size);
void text_add(struct text *t, const char *string);
void text_rewind(struct text *t); /* empties, keeps the memory */
void text_clear(struct text *t);
