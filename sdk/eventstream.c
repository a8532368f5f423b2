#include "eventstream.h"

#include <string.h>

#include "crc32.h"

enum { NAME_MAX_SIZE = 255, VALUE_MAX_SIZE = 32767, TYPE_STRING = 7 };

static void
add_u32(struct lens_text *t, uint32_t value)
{
    const unsigned char bytes[4] = { (unsigned char)(value >> 24),
                                     (unsigned char)(value >> 16),
                                     (unsigned char)(value >> 8), (unsigned char)value };

    lens_text_add_bytes(t, bytes, sizeof bytes);
}

static size_t
cut(const char *text, size_t most)
{
    const size_t size = strlen(text);

    return size < most ? size : most;
}

static void
add_header(struct lens_text *t, const struct lens_frame_string *h)
{
    const size_t name = cut(h->name, NAME_MAX_SIZE),
                 value = cut(h->value, VALUE_MAX_SIZE);
    const unsigned char name_size = (unsigned char)name;
    const unsigned char type[3] = { TYPE_STRING, (unsigned char)(value >> 8),
                                    (unsigned char)value };

    lens_text_add_bytes(t, &name_size, 1);
    lens_text_add_bytes(t, h->name, name);
    lens_text_add_bytes(t, type, sizeof type);
    lens_text_add_bytes(t, h->value, value);
}

static size_t
size_of_headers(const struct lens_frame_string *headers, unsigned count)
{
    size_t size = 0;

    for (unsigned i = 0; i < count; i++)
        size += 4 + cut(headers[i].name, NAME_MAX_SIZE) +
                cut(headers[i].value, VALUE_MAX_SIZE);
    return size;
}

void
lens_write_frame(struct lens_text *ret, const struct lens_frame_string *headers,
                 unsigned header_count, struct lens_bytes payload)
{
    const size_t start = ret->size, head = size_of_headers(headers, header_count);

    add_u32(ret, (uint32_t)(16 + head + payload.size));
    add_u32(ret, (uint32_t)head);
    if (ret->failed)
        return;
    add_u32(ret, lens_crc32(0, ret->data + start, 8));
    for (unsigned i = 0; i < header_count; i++)
        add_header(ret, &headers[i]);
    lens_text_add_bytes(ret, payload.data, payload.size);
    if (!ret->failed)
        add_u32(ret, lens_crc32(0, ret->data + start, ret->size - start));
}
