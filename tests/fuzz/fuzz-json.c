/* The cursor against json-glib: same value or same refusal. json-glib 1.6 has no strict
 * mode and reads more than JSON (comments, single quotes, octal numbers, "{} {}", ...):
 * where the plain reading of RFC 8259 says no, the cursor must say no, whatever json-glib
 * thinks of it. */
#include <json-glib/json-glib.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "reference-json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(condition)                                                           \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                \
        }                                                                           \
    } while (0)

static void same_value(struct lens_json *j, JsonNode *node);

/* json-glib keeps strings up to the first NUL. */
static void
same_string(const struct lens_json_string *s, const char *text)
{
    char *plain = g_malloc(s->raw.size + 1);
    const size_t size = s->escaped ? lens_json_unescape(s, plain) : s->raw.size;

    EXPECT(size <= s->raw.size);
    if (!s->escaped)
        memcpy(plain, s->raw.data, size);
    plain[size] = '\0';
    EXPECT(g_utf8_validate(plain, -1, NULL));
    EXPECT(strcmp(plain, text) == 0);
    g_free(plain);
}

static void
same_number(struct lens_json *j, JsonNode *node)
{
    struct lens_json again = *j;
    struct lens_bytes raw;
    double number = NAN, theirs;
    int64_t integer;
    int is_integer;
    char *text;

    EXPECT(lens_json_raw(j, &raw));
    text = g_strndup(raw.data, raw.size);
    is_integer = strpbrk(text, ".eE") == NULL;
    *j = again;
    EXPECT(lens_json_double(j, &number));
    /* glibc rounds correctly; json-glib's own scanner does not for long numbers. */
    theirs = g_ascii_strtod(text, NULL);
    EXPECT(number == theirs);
    EXPECT(signbit(number) == signbit(theirs));
    if (is_integer) {
        char *end;
        int64_t expected;
        int fits;

        errno = 0;
        expected = g_ascii_strtoll(text, &end, 10);
        fits = errno == 0;
        EXPECT(lens_json_int(&again, &integer) == fits);
        if (fits) {
            EXPECT(integer == expected);
            EXPECT(json_node_get_int(node) == expected);
        }
    } else if (lens_json_int(&again, &integer)) {
        EXPECT((double)integer == number);
    }
    g_free(text);
}

static void
same_object(struct lens_json *j, JsonNode *node)
{
    JsonObject *object = json_node_get_object(node);
    GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    struct lens_bytes key;

    for (lens_json_object(j); lens_json_member(j, &key);) {
        const struct lens_json_string s = { key, 1 };
        char *plain = g_malloc0(key.size + 1);
        JsonNode *member;
        struct lens_bytes raw;

        lens_json_unescape(&s, plain);
        member = json_object_get_member(object, plain);
        EXPECT(member != NULL);
        EXPECT(lens_json_raw(j, &raw));
        g_hash_table_replace(seen, plain, NULL);
    }
    EXPECT(g_hash_table_size(seen) == json_object_get_size(object));
    g_hash_table_unref(seen);
}

/* Objects are walked a second time by the last member of each name. */
static void
same_members(const char *data, size_t size, JsonNode *node)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *member;

    json_object_iter_init(&iter, json_node_get_object(node));
    while (json_object_iter_next(&iter, &name, &member)) {
        struct lens_bytes key, last = { NULL, 0 };
        struct lens_json j;

        lens_json_begin(&j, data, size);
        for (lens_json_object(&j); lens_json_member(&j, &key);) {
            const struct lens_json_string s = { key, 1 };
            char *plain = g_malloc0(key.size + 1);

            lens_json_unescape(&s, plain);
            if (strcmp(plain, name) == 0)
                EXPECT(lens_json_raw(&j, &last));
            else
                EXPECT(lens_json_skip(&j));
            g_free(plain);
        }
        EXPECT(last.data != NULL);
        lens_json_begin(&j, last.data, last.size);
        same_value(&j, member);
        EXPECT(lens_json_end(&j));
    }
}

static void
same_array(struct lens_json *j, JsonNode *node)
{
    JsonArray *array = json_node_get_array(node);
    unsigned index = 0;

    for (lens_json_array(j); lens_json_element(j); index++) {
        EXPECT(index < json_array_get_length(array));
        same_value(j, json_array_get_element(array, index));
    }
    EXPECT(index == json_array_get_length(array));
}

static void
same_value(struct lens_json *j, JsonNode *node)
{
    struct lens_json_string string;
    struct lens_json before = *j;
    struct lens_bytes raw;
    int32_t boolean;

    switch (lens_json_peek(j)) {
    case LENS_JSON_NULL:
        EXPECT(JSON_NODE_HOLDS_NULL(node));
        EXPECT(lens_json_skip(j));
        break;
    case LENS_JSON_BOOL:
        EXPECT(lens_json_bool(j, &boolean));
        EXPECT(json_node_get_value_type(node) == G_TYPE_BOOLEAN);
        EXPECT(boolean == json_node_get_boolean(node));
        break;
    case LENS_JSON_NUMBER:
        EXPECT(json_node_get_value_type(node) == G_TYPE_INT64 ||
               json_node_get_value_type(node) == G_TYPE_DOUBLE);
        same_number(j, node);
        break;
    case LENS_JSON_STRING:
        EXPECT(lens_json_string(j, &string));
        EXPECT(json_node_get_value_type(node) == G_TYPE_STRING);
        same_string(&string, json_node_get_string(node));
        break;
    case LENS_JSON_OBJECT:
        EXPECT(JSON_NODE_HOLDS_OBJECT(node));
        same_object(j, node);
        EXPECT(lens_json_raw(&before, &raw));
        same_members(raw.data, raw.size, node);
        break;
    case LENS_JSON_ARRAY:
        EXPECT(JSON_NODE_HOLDS_ARRAY(node));
        same_array(j, node);
        break;
    case LENS_JSON_NONE:
        EXPECT(!"a value");
        break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct verdict reference = reference_json((const char *)data, size);
    struct lens_json j;
    JsonParser *parser;
    int accepted;

    lens_json_begin(&j, data, size);
    accepted = lens_json_skip(&j) && lens_json_end(&j);
    EXPECT(accepted == reference.valid);
    if (!accepted || reference.lone_surrogate)
        return 0;
    parser = json_parser_new();
    EXPECT(json_parser_load_from_data(parser, (const char *)data, (gssize)size, NULL));
    lens_json_begin(&j, data, size);
    same_value(&j, json_parser_get_root(parser));
    EXPECT(lens_json_end(&j));
    g_object_unref(parser);
    return 0;
}
