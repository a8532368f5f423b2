/* A tree as OTLP/JSON (opentelemetry-proto docs/specification.md, "JSON Protobuf
 * Encoding"): ids in hex, 64-bit integers as decimal strings, enums as numbers. */
#include <math.h>
#include <stdio.h>

#include <write.h>

#include "tree.h"

static void
write_decimal(struct lens_writer *w, uint64_t value, int32_t is_signed)
{
    char digits[24];

    if (is_signed)
        snprintf(digits, sizeof digits, "\"%lld\"", (long long)value);
    else
        snprintf(digits, sizeof digits, "\"%llu\"", (unsigned long long)value);
    lens_write(w, digits);
}

static void
write_number(struct lens_writer *w, double value)
{
    if (isnan(value))
        lens_write(w, "\"NaN\"");
    else if (isinf(value))
        lens_write(w, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
    else
        lens_write_double(w, value);
}

static void
write_hex(struct lens_writer *w, struct lens_bytes id)
{
    char hex[3];

    lens_write(w, "\"");
    for (size_t i = 0; i < id.size; i++) {
        snprintf(hex, sizeof hex, "%02x", (unsigned)(unsigned char)id.data[i]);
        lens_write(w, hex);
    }
    lens_write(w, "\"");
}

static void
write_packed(struct lens_writer *w, const struct node *n)
{
    const uint64_t *integers = n->value.packed.items;
    const double *numbers = n->value.packed.items;

    lens_write(w, "[");
    for (size_t i = 0; i < n->value.packed.count; i++) {
        if (i > 0)
            lens_write(w, ",");
        if (n->field->type == FIELD_PACKED_DOUBLE)
            write_number(w, numbers[i]);
        else
            write_decimal(w, integers[i], 0);
    }
    lens_write(w, "]");
}

static void write_message(struct lens_writer *w, const struct node *message);

static void
write_value(struct lens_writer *w, const struct node *n)
{
    switch (n->field->type) {
    case FIELD_MESSAGE:
        write_message(w, n);
        break;
    case FIELD_STRING:
        lens_write_string(w, n->value.bytes.data, n->value.bytes.size);
        break;
    case FIELD_ID:
        write_hex(w, n->value.bytes);
        break;
    case FIELD_BOOL:
        lens_write(w, n->value.integer != 0 ? "true" : "false");
        break;
    case FIELD_INT64:
    case FIELD_FIXED64:
        write_decimal(w, n->value.integer, n->field->type == FIELD_INT64);
        break;
    case FIELD_ENUM:
    case FIELD_FIXED32:
    case FIELD_SINT32:
        lens_write_int(w, (int64_t)n->value.integer);
        break;
    case FIELD_DOUBLE:
        write_number(w, n->value.number);
        break;
    default:
        write_packed(w, n);
        break;
    }
}

/* Fields of one number stand together, so a repeated one is an array of neighbours. */
static void
write_message(struct lens_writer *w, const struct node *message)
{
    const struct node *before = NULL;

    lens_write(w, "{");
    for (const struct node *n = message->first; n != NULL; before = n, n = n->next) {
        const int32_t again = before != NULL && before->field == n->field;

        if (before != NULL)
            lens_write(w, ",");
        if (!again) {
            lens_write(w, "\"");
            lens_write(w, n->field->name);
            lens_write(w, n->field->repeated ? "\":[" : "\":");
        }
        write_value(w, n);
        if (n->field->repeated && (n->next == NULL || n->next->field != n->field))
            lens_write(w, "]");
    }
    lens_write(w, "}");
}

void
tree_json(const struct node *root, struct text *out)
{
    struct lens_writer w;

    lens_write_begin(&w, out, text_put);
    write_message(&w, root);
    if (lens_write_end(&w) != LENS_OK)
        out->failed = 1;
}
