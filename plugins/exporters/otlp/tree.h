/* tree: one OTLP message as a tree of fields, written once and encoded as protobuf or as
 * OTLP/JSON. The fields are those of opentelemetry-proto v1.11 (Apache-2.0), in the order
 * of their numbers, values that are proto3 defaults left out by whoever builds. */
#pragma once

#include <lens/abi.h>

#include "../common/text.h"

/* How a field is written: protobuf / JSON. */
enum field_type {
    FIELD_MESSAGE,
    FIELD_STRING,  /* length-delimited / string */
    FIELD_ID,      /* bytes / hex */
    FIELD_BOOL,    /* varint / bool */
    FIELD_ENUM,    /* varint / number */
    FIELD_INT64,   /* varint / decimal string */
    FIELD_FIXED64, /* 8 bytes / decimal string */
    FIELD_FIXED32, /* 4 bytes / number */
    FIELD_SINT32,  /* zigzag / number */
    FIELD_DOUBLE,
    FIELD_PACKED_UINT64,  /* varints / decimal strings */
    FIELD_PACKED_FIXED64, /* 8 bytes each / decimal strings */
    FIELD_PACKED_DOUBLE
};

struct otlp_field {
    uint32_t number;
    uint32_t repeated; /* JSON: an array */
    enum field_type type;
    const char *name; /* in JSON */
};

struct node {
    const struct otlp_field *field;
    struct node *next;         /* behind it in the same message */
    struct node *first, *last; /* of a message */
    union {
        uint64_t integer; /* FIXED64, INT64, ENUM, BOOL, FIXED32; SINT32 as int64 */
        double number;
        struct lens_bytes bytes; /* STRING, ID */
        struct {
            const void *items; /* uint64_t or double */
            size_t count;
        } packed;
    } value;
    size_t size; /* of its content in protobuf */
};

/* Memory of one tree; emptied, not freed, between two. */
struct tree {
    struct tree_block *blocks, *at;
    int32_t failed; /* memory ran out: what is encoded would be cut */
};

/* Empties the tree and begins a message. */
struct node *tree_begin(struct tree *t);
void tree_clear(struct tree *t);
/* Room that lives until the next tree_begin; NULL when there is none. */
void *tree_room(struct tree *t, size_t size);

/* Each adds a field behind the others of `to` and returns it, never NULL: without memory
 * it is one that goes nowhere. Strings and arrays are borrowed until the encoding. */
struct node *tree_message(struct tree *t, struct node *to, const struct otlp_field *f);
void tree_integer(struct tree *t, struct node *to, const struct otlp_field *f,
                  uint64_t value);
void tree_number(struct tree *t, struct node *to, const struct otlp_field *f,
                 double value);
void tree_bytes(struct tree *t, struct node *to, const struct otlp_field *f,
                const void *data, size_t size);
void tree_string(struct tree *t, struct node *to, const struct otlp_field *f,
                 const char *text);
void tree_packed(struct tree *t, struct node *to, const struct otlp_field *f,
                 const void *items, size_t count);

/* Both append. The sizes inside the tree are set on the way. */
void tree_protobuf(struct node *root, struct text *out);
void tree_json(const struct node *root, struct text *out);
