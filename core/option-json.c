/* Values of a schema as JSON, secrets by name only. */
#include <json-glib/json-glib.h>
#include <stdlib.h>
#include <string.h>

#include "option-private.h"
#include "secret.h"

static void
append_string(GString *out, const char *text)
{
    g_autoptr(JsonNode) node = json_node_init_string(json_node_alloc(), text);
    g_autofree char *quoted = json_to_string(node, FALSE);

    g_string_append(out, quoted);
}

/* The shortest form that reads back as the same number. */
static void
append_double(GString *out, double number)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    g_ascii_formatd(text, sizeof text, "%.15g", number);
    if (g_ascii_strtod(text, NULL) != number)
        g_ascii_formatd(text, sizeof text, "%.17g", number);
    g_string_append(out, text);
}

static void
append_json(GString *out, const char *text)
{
    g_autoptr(JsonNode) node = json_from_string(text, NULL);
    g_autofree char *plain = node == NULL ? NULL : json_to_string(node, FALSE);

    g_string_append(out, plain == NULL ? "null" : plain);
}

static void
append_value(GString *out, const struct lens_option *option, const option_value *v)
{
    g_autofree char *spec = NULL;

    switch (option->type) {
    case LENS_OPT_INT:
        g_string_append_printf(out, "%" G_GINT64_FORMAT, v->integer);
        break;
    case LENS_OPT_DOUBLE:
        append_double(out, v->number);
        break;
    case LENS_OPT_BOOL:
        g_string_append(out, v->integer ? "true" : "false");
        break;
    case LENS_OPT_JSON:
        append_json(out, v->text);
        break;
    case LENS_OPT_SECRET: /* a command may hold the value that it prints */
        spec = secret_redact(v->text, -1);
        append_string(out, spec);
        break;
    default:
        append_string(out, v->text);
    }
}

static void
append_slot(GString *out, const struct lens_option *option, const GPtrArray *values)
{
    const bool list = (option->flags & LENS_OPT_REPEATABLE) != 0;

    if (out->len > 1)
        g_string_append_c(out, ',');
    append_string(out, option->name);
    g_string_append(out, list ? ":[" : ":");
    for (unsigned i = 0; i < values->len; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        append_value(out, option, g_ptr_array_index(values, i));
    }
    if (list)
        g_string_append_c(out, ']');
}

char *
option_values_to_json(const option_values *v, bool all)
{
    GString *out = g_string_new("{");

    for (unsigned i = 0; i < v->slots->len; i++) {
        const option_slot *slot = &g_array_index(v->slots, option_slot, i);
        const char *fallback = slot->option.fallback;

        if (slot->values->len > 0 && (all || slot->source == SOURCE_USER)) {
            append_slot(out, &slot->option, slot->values);
        } else if (all && fallback != NULL && slot->values->len == 0) {
            g_autoptr(GPtrArray) one =
                g_ptr_array_new_with_free_func((GDestroyNotify)option_value_free);
            option_value *value = option_value_parse(&slot->option, fallback, NULL);

            if (value == NULL)
                continue;
            g_ptr_array_add(one, value);
            append_slot(out, &slot->option, one);
        }
    }
    g_string_append_c(out, '}');
    return g_string_free(out, FALSE);
}
