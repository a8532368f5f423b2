#include "protobuf.h"

#include <stdlib.h>
#include <string.h>

#define MOST ((size_t)64 * 1024 * 1024)

enum { VARINT = 0, FIXED64 = 1, LENGTH = 2 };

void
lens_protobuf_clear(struct lens_protobuf *p)
{
    free(p->data);
    p->data = NULL;
    p->size = p->room = 0;
    p->failed = 0;
}

void
lens_protobuf_reset(struct lens_protobuf *p)
{
    p->size = 0;
    p->failed = 0;
}

struct lens_bytes
lens_protobuf_bytes(const struct lens_protobuf *p)
{
    const unsigned char *start = p->data != NULL ? p->data + p->room - p->size : NULL;

    return (struct lens_bytes){ (const char *)start, p->size };
}

/* Where the next `size` bytes go, in front of all others; NULL: nowhere. */
static unsigned char *
take(struct lens_protobuf *p, size_t size)
{
    const size_t most = p->most > 0 ? p->most : MOST;

    if (p->failed || size > most - p->size) {
        p->failed = 1;
        return NULL;
    }
    if (size > p->room - p->size) {
        const size_t room = 2 * (p->size + size) + 1024;
        unsigned char *grown = malloc(room);

        if (grown == NULL) {
            p->failed = 1;
            return NULL;
        }
        if (p->size > 0)
            memcpy(grown + room - p->size, p->data + p->room - p->size, p->size);
        free(p->data);
        p->data = grown;
        p->room = room;
    }
    p->size += size;
    return p->data + p->room - p->size;
}

void
lens_protobuf_raw(struct lens_protobuf *p, const void *data, size_t size)
{
    unsigned char *to = size > 0 ? take(p, size) : NULL;

    if (to != NULL)
        memcpy(to, data, size);
}

void
lens_protobuf_varint(struct lens_protobuf *p, uint64_t value)
{
    unsigned char bytes[10];
    size_t size = 0;

    for (; value >= 0x80; value >>= 7)
        bytes[size++] = (unsigned char)(value | 0x80);
    bytes[size++] = (unsigned char)value;
    lens_protobuf_raw(p, bytes, size);
}

void
lens_protobuf_zigzag(struct lens_protobuf *p, int64_t value)
{
    lens_protobuf_varint(p, (uint64_t)value << 1 ^ (value < 0 ? UINT64_MAX : 0));
}

static void
tag(struct lens_protobuf *p, uint32_t field, uint32_t type)
{
    lens_protobuf_varint(p, (uint64_t)field << 3 | type);
}

void
lens_protobuf_uint(struct lens_protobuf *p, uint32_t field, uint64_t value)
{
    lens_protobuf_varint(p, value);
    tag(p, field, VARINT);
}

void
lens_protobuf_sint(struct lens_protobuf *p, uint32_t field, int64_t value)
{
    lens_protobuf_zigzag(p, value);
    tag(p, field, VARINT);
}

void
lens_protobuf_bits(struct lens_protobuf *p, uint32_t field, uint64_t fixed64)
{
    unsigned char bytes[8];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(fixed64 >> (8 * i));
    lens_protobuf_raw(p, bytes, sizeof bytes);
    tag(p, field, FIXED64);
}

void
lens_protobuf_double(struct lens_protobuf *p, uint32_t field, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    lens_protobuf_bits(p, field, bits);
}

void
lens_protobuf_bytes_field(struct lens_protobuf *p, uint32_t field, const void *data,
                          size_t size)
{
    lens_protobuf_raw(p, data, size);
    lens_protobuf_varint(p, size);
    tag(p, field, LENGTH);
}

void
lens_protobuf_string(struct lens_protobuf *p, uint32_t field, const char *text)
{
    lens_protobuf_bytes_field(p, field, text, strlen(text));
}

size_t
lens_protobuf_begin(const struct lens_protobuf *p)
{
    return p->size;
}

void
lens_protobuf_end(struct lens_protobuf *p, uint32_t field, size_t begin)
{
    lens_protobuf_varint(p, p->size - begin);
    tag(p, field, LENGTH);
}
