/* A tree as protobuf (proto3, protobuf.dev/programming-guides/encoding): sizes from the
 * leaves up, then the bytes. */
#include <string.h>

#include "tree.h"

enum wire { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_BYTES = 2, WIRE_32 = 5 };

static enum wire
wire_of(enum field_type type)
{
    switch (type) {
    case FIELD_BOOL:
    case FIELD_ENUM:
    case FIELD_INT64:
    case FIELD_SINT32:
        return WIRE_VARINT;
    case FIELD_FIXED64:
    case FIELD_DOUBLE:
        return WIRE_64;
    case FIELD_FIXED32:
        return WIRE_32;
    default:
        return WIRE_BYTES;
    }
}

static size_t
varint_size(uint64_t value)
{
    size_t size = 1;

    while (value >= 0x80) {
        value >>= 7;
        size++;
    }
    return size;
}

static uint64_t
zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
}

static uint64_t
varint_of(const struct node *n)
{
    return n->field->type == FIELD_SINT32 ? zigzag((int64_t)n->value.integer)
                                          : n->value.integer;
}

static size_t
packed_size(const struct node *n)
{
    const uint64_t *items = n->value.packed.items;
    size_t size = 0;

    if (n->field->type != FIELD_PACKED_UINT64)
        return n->value.packed.count * 8;
    for (size_t i = 0; i < n->value.packed.count; i++)
        size += varint_size(items[i]);
    return size;
}

static size_t measure(struct node *message);

static size_t
content_size(struct node *n)
{
    switch (n->field->type) {
    case FIELD_MESSAGE:
        return measure(n);
    case FIELD_STRING:
    case FIELD_ID:
        return n->value.bytes.size;
    case FIELD_PACKED_UINT64:
    case FIELD_PACKED_FIXED64:
    case FIELD_PACKED_DOUBLE:
        return packed_size(n);
    case FIELD_FIXED64:
    case FIELD_DOUBLE:
        return 8;
    case FIELD_FIXED32:
        return 4;
    default:
        return varint_size(varint_of(n));
    }
}

static size_t
measure(struct node *message)
{
    size_t size = 0;

    for (struct node *n = message->first; n != NULL; n = n->next) {
        n->size = content_size(n);
        size += varint_size((uint64_t)n->field->number << 3) + n->size;
        if (wire_of(n->field->type) == WIRE_BYTES)
            size += varint_size(n->size);
    }
    return size;
}

static void
put_varint(struct text *out, uint64_t value)
{
    uint8_t bytes[10];
    size_t size = 0;

    while (value >= 0x80) {
        bytes[size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    bytes[size++] = (uint8_t)value;
    text_put(out, bytes, size);
}

static void
put_little(struct text *out, uint64_t value, size_t size)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
    text_put(out, bytes, size);
}

static uint64_t
bits_of(double number)
{
    uint64_t bits;

    memcpy(&bits, &number, sizeof bits);
    return bits;
}

static void
put_packed(struct text *out, const struct node *n)
{
    const uint64_t *integers = n->value.packed.items;
    const double *numbers = n->value.packed.items;

    for (size_t i = 0; i < n->value.packed.count; i++) {
        if (n->field->type == FIELD_PACKED_UINT64)
            put_varint(out, integers[i]);
        else if (n->field->type == FIELD_PACKED_FIXED64)
            put_little(out, integers[i], 8);
        else
            put_little(out, bits_of(numbers[i]), 8);
    }
}

static void put_message(struct text *out, const struct node *message);

static void
put_content(struct text *out, const struct node *n)
{
    switch (n->field->type) {
    case FIELD_MESSAGE:
        put_message(out, n);
        break;
    case FIELD_STRING:
    case FIELD_ID:
        text_put(out, n->value.bytes.data, n->value.bytes.size);
        break;
    case FIELD_PACKED_UINT64:
    case FIELD_PACKED_FIXED64:
    case FIELD_PACKED_DOUBLE:
        put_packed(out, n);
        break;
    case FIELD_FIXED64:
        put_little(out, n->value.integer, 8);
        break;
    case FIELD_FIXED32:
        put_little(out, n->value.integer, 4);
        break;
    case FIELD_DOUBLE:
        put_little(out, bits_of(n->value.number), 8);
        break;
    default:
        put_varint(out, varint_of(n));
        break;
    }
}

static void
put_message(struct text *out, const struct node *message)
{
    for (const struct node *n = message->first; n != NULL; n = n->next) {
        const enum wire wire = wire_of(n->field->type);

        put_varint(out, (uint64_t)n->field->number << 3 | wire);
        if (wire == WIRE_BYTES)
            put_varint(out, n->size);
        put_content(out, n);
    }
}

void
tree_protobuf(struct node *root, struct text *out)
{
    measure(root);
    put_message(out, root);
}
