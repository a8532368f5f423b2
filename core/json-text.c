#include "json-text.h"

#include <math.h>
#include <stdbool.h>

/* Members on one line as long as they fit in this many characters. */
#define LINE_MAX_CHARS 88

void
json_put_number(JsonBuilder *b, const char *name, double value)
{
    json_builder_set_member_name(b, name);
    if (isfinite(value))
        json_builder_add_double_value(b, value);
    else
        json_builder_add_null_value(b);
}

void
json_put_int(JsonBuilder *b, const char *name, int64_t value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_int_value(b, value);
}

void
json_put_string(JsonBuilder *b, const char *name, const char *value)
{
    json_builder_set_member_name(b, name);
    if (value != NULL) {
        g_autofree char *valid = g_utf8_make_valid(value, -1);

        json_builder_add_string_value(b, valid);
    } else {
        json_builder_add_null_value(b);
    }
}

/* 0.1 is 0.1 and not 0.10000000000000001; 15 digits are more than anything here has. */
static void
add_double(GString *out, double value)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    for (int digits = 6; digits <= 15; digits++) {
        g_autofree char *format = g_strdup_printf("%%.%dg", digits);

        g_ascii_formatd(text, sizeof text, format, value);
        if (g_ascii_strtod(text, NULL) == value)
            break;
    }
    g_string_append(out, text);
}

static void
add_string(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            g_string_append_c(out, '\\');
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            g_string_append_printf(out, "\\u%04x", *text);
        else
            g_string_append_c(out, *text);
    }
    g_string_append_c(out, '"');
}

static void add_node(GString *out, JsonNode *node, int depth);

static void
new_line(GString *out, int depth)
{
    if (depth < 0)
        return;
    g_string_append_c(out, '\n');
    for (int i = 0; i < depth; i++)
        g_string_append(out, "  ");
}

static void
add_object(GString *out, JsonObject *object, int depth)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;
    bool first = true;

    g_string_append_c(out, '{');
    json_object_iter_init_ordered(&iter, object);
    while (json_object_iter_next_ordered(&iter, &name, &value)) {
        if (!first)
            g_string_append(out, depth < 0 ? ", " : ",");
        first = false;
        new_line(out, depth < 0 ? -1 : depth + 1);
        add_string(out, name);
        g_string_append(out, ": ");
        add_node(out, value, depth < 0 ? -1 : depth + 1);
    }
    if (!first)
        new_line(out, depth);
    g_string_append_c(out, '}');
}

static void
add_array(GString *out, JsonArray *array, int depth)
{
    const guint count = json_array_get_length(array);

    g_string_append_c(out, '[');
    for (guint i = 0; i < count; i++) {
        if (i > 0)
            g_string_append(out, depth < 0 ? ", " : ",");
        new_line(out, depth < 0 ? -1 : depth + 1);
        add_node(out, json_array_get_element(array, i), depth < 0 ? -1 : depth + 1);
    }
    if (count > 0)
        new_line(out, depth);
    g_string_append_c(out, ']');
}

static void
add_scalar(GString *out, JsonNode *node)
{
    if (JSON_NODE_HOLDS_NULL(node))
        g_string_append(out, "null");
    else if (json_node_get_value_type(node) == G_TYPE_DOUBLE)
        add_double(out, json_node_get_double(node));
    else if (json_node_get_value_type(node) == G_TYPE_BOOLEAN)
        g_string_append(out, json_node_get_boolean(node) ? "true" : "false");
    else if (json_node_get_value_type(node) == G_TYPE_STRING)
        add_string(out, json_node_get_string(node));
    else
        g_string_append_printf(out, "%" G_GINT64_FORMAT, json_node_get_int(node));
}

static void
add_container(GString *out, JsonNode *node, int depth)
{
    if (JSON_NODE_HOLDS_OBJECT(node))
        add_object(out, json_node_get_object(node), depth);
    else
        add_array(out, json_node_get_array(node), depth);
}

/* depth -1: all on one line. */
static void
add_node(GString *out, JsonNode *node, int depth)
{
    gsize start = out->len;

    if (!JSON_NODE_HOLDS_OBJECT(node) && !JSON_NODE_HOLDS_ARRAY(node)) {
        add_scalar(out, node);
        return;
    }
    add_container(out, node, -1);
    if (depth < 0 || out->len - start + 2 * (gsize)depth <= LINE_MAX_CHARS)
        return;
    g_string_truncate(out, start);
    add_container(out, node, depth);
}

char *
json_text(JsonNode *root)
{
    GString *out = g_string_new(NULL);

    add_node(out, root, 0);
    g_string_append_c(out, '\n');
    return g_string_free(out, FALSE);
}
