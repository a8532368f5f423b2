#include "fields.h"

#include <string.h>

const struct otlp_field otlp_fields[] = {
#define X(identifier, number_, type_, repeated_, name_) \
    [OTLP_##identifier] = { number_, repeated_, FIELD_##type_, name_ },
    OTLP_FIELDS(X)
#undef X
};

static struct node *
begin(struct tree *t, struct node *to, const struct otlp_field *f, struct lens_bytes key)
{
    struct node *attribute = tree_message(t, to, f);

    tree_bytes(t, attribute, OTLP(KEY), key.data, key.size);
    return tree_message(t, attribute, OTLP(VALUE));
}

static struct lens_bytes
bytes_of(const char *text)
{
    return (struct lens_bytes){ text, strlen(text) };
}

void
attribute_bytes(struct tree *t, struct node *to, const struct otlp_field *f,
                struct lens_bytes key, struct lens_bytes value)
{
    tree_bytes(t, begin(t, to, f, key), OTLP(VALUE_STRING), value.data, value.size);
}

void
attribute_string(struct tree *t, struct node *to, const struct otlp_field *f,
                 const char *key, const char *value)
{
    if (value != NULL && value[0] != '\0')
        attribute_bytes(t, to, f, bytes_of(key), bytes_of(value));
}

void
attribute_int(struct tree *t, struct node *to, const struct otlp_field *f,
              const char *key, int64_t value)
{
    tree_integer(t, begin(t, to, f, bytes_of(key)), OTLP(VALUE_INT), (uint64_t)value);
}

void
attribute_double(struct tree *t, struct node *to, const struct otlp_field *f,
                 const char *key, double value)
{
    tree_number(t, begin(t, to, f, bytes_of(key)), OTLP(VALUE_DOUBLE), value);
}

void
attribute_bool(struct tree *t, struct node *to, const struct otlp_field *f,
               const char *key, int32_t value)
{
    tree_integer(t, begin(t, to, f, bytes_of(key)), OTLP(VALUE_BOOL), value != 0);
}

void
attribute_list(struct tree *t, struct node *to, const struct otlp_field *f,
               const char *key, const char *value)
{
    struct node *array =
        tree_message(t, begin(t, to, f, bytes_of(key)), OTLP(VALUE_ARRAY));

    tree_string(t, tree_message(t, array, OTLP(ARRAY_VALUES)), OTLP(VALUE_STRING), value);
}
