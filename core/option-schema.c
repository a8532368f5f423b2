/* Whether a plugin's option table is sound, so that nothing behind it has to ask. */
#include <string.h>

#include "error.h"
#include "option-private.h"
#include "plugin-name.h"

enum { OPTIONS_MAX = 512 };

/* Elements of ABI 1.0 end with `help`; a shorter one cannot be read. */
#define ELEMENT_MIN (offsetof(struct lens_option, help) + sizeof(const char *))

struct lens_option
option_at(const struct lens_schema *schema, uint32_t index)
{
    struct lens_option option = { 0 };

    memcpy(&option, (const char *)schema->items + (size_t)index * schema->item_size,
           MIN(schema->item_size, sizeof option));
    return option;
}

static bool refuse(GError **error, const char *name, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static bool
refuse(GError **error, const char *name, const char *format, ...)
{
    g_autofree char *why = NULL;
    va_list list;

    va_start(list, format);
    why = g_strdup_vprintf(format, list);
    va_end(list);
    g_set_error(error, LENS_ERROR, LENS_ERROR_PLUGIN, "option %s: %s", name, why);
    return false;
}

static bool
is_ranged(uint32_t type)
{
    return type == LENS_OPT_INT || type == LENS_OPT_DOUBLE || type == LENS_OPT_DURATION ||
           type == LENS_OPT_SIZE;
}

/* Each end of "MIN..MAX" must be a value of the option's own type. */
static bool
check_range(const struct lens_option *option, GError **error)
{
    const struct lens_option end_type = { .type = option->type };
    g_auto(GStrv) ends = g_strsplit(option->choices, "..", 2);

    for (int i = 0; i < 2; i++) {
        option_value *end = NULL;

        if (g_strv_length(ends) != 2)
            return refuse(error, option->name, "choices `%s` is not of the form MIN..MAX",
                          option->choices);
        if (*ends[i] == '\0')
            continue;
        end = option_value_parse(&end_type, ends[i], NULL);
        if (end == NULL)
            return refuse(error, option->name, "choices `%s`: `%s` is not of type %s",
                          option->choices, ends[i], option_type_name(option->type));
        option_value_free(end);
    }
    return true;
}

static bool
check_option(const struct lens_option *option, GError **error)
{
    g_autoptr(GError) cause = NULL;
    option_value *fallback;

    if (option_type_name(option->type) == NULL)
        return refuse(error, option->name, "type is %u, this lens knows 1 to %d",
                      option->type, LENS_OPT_JSON);
    if (option->help == NULL)
        return refuse(error, option->name, "help is missing");
    if (option->type == LENS_OPT_CHOICE &&
        (option->choices == NULL || *option->choices == '\0'))
        return refuse(error, option->name, "a choice needs choices");
    if (is_ranged(option->type) && option->choices != NULL && !check_range(option, error))
        return false;
    if (option->fallback == NULL)
        return true;
    fallback = option_value_parse(option, option->fallback, &cause);
    if (fallback == NULL)
        return refuse(error, option->name, "fallback: %s", cause->message);
    option_value_free(fallback);
    return true;
}

bool
option_schema_check(const struct lens_schema *schema, GError **error)
{
    g_autoptr(GHashTable) names = g_hash_table_new(g_str_hash, g_str_equal);
    const char *why = NULL;

    if (schema->count == 0)
        return true;
    if (schema->count > OPTIONS_MAX)
        why = "options: count is beyond 512";
    else if (schema->items == NULL)
        why = "options: items is NULL";
    if (why != NULL) {
        g_set_error_literal(error, LENS_ERROR, LENS_ERROR_PLUGIN, why);
        return false;
    }
    if (schema->item_size < ELEMENT_MIN ||
        schema->item_size % _Alignof(struct lens_option) != 0) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_PLUGIN,
                    "options: item_size is %u, at least %zu is needed, in steps of %zu",
                    schema->item_size, ELEMENT_MIN, _Alignof(struct lens_option));
        return false;
    }
    for (uint32_t i = 0; i < schema->count; i++) {
        const struct lens_option option = option_at(schema, i);

        if (!plugin_name_is_good(option.name, false)) {
            g_set_error(error, LENS_ERROR, LENS_ERROR_PLUGIN,
                        "options: the name of item %u is %s, expected [a-z][a-z0-9_]*", i,
                        option.name == NULL ? "NULL" : "malformed");
            return false;
        }
        if (!g_hash_table_add(names, (char *)option.name))
            return refuse(error, option.name, "is declared twice");
        if (!check_option(&option, error))
            return false;
    }
    return true;
}
