#include <json-glib/json-glib.h>
#include <string.h>

#include "exporter-private.h"

static char *
value_text(JsonNode *node)
{
    const GType type = json_node_get_value_type(node);

    if (type == G_TYPE_STRING)
        return g_strdup(json_node_get_string(node));
    return json_to_string(node, FALSE);
}

static void
add_value(GString *to, const char *name, JsonNode *node)
{
    g_autofree char *value = value_text(node);
    g_auto(GStrv) pieces = g_strsplit(value, ",", -1);
    g_autofree char *escaped = g_strjoinv("\\,", pieces);

    g_string_append_printf(to, "%c%s=%s", strchr(to->str, ':') == NULL ? ':' : ',', name,
                           escaped);
}

/* Values as they were given, secrets by their name. */
static void
add_options(GString *to, const option_values *options)
{
    g_autofree char *json = option_values_to_json(options, false);
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    JsonObjectIter iter;
    const char *name;
    JsonNode *node;

    if (!json_parser_load_from_data(parser, json, -1, NULL))
        return;
    json_object_iter_init_ordered(&iter,
                                  json_node_get_object(json_parser_get_root(parser)));
    while (json_object_iter_next_ordered(&iter, &name, &node)) {
        if (!JSON_NODE_HOLDS_ARRAY(node)) {
            add_value(to, name, node);
            continue;
        }
        for (guint i = 0; i < json_array_get_length(json_node_get_array(node)); i++)
            add_value(to, name, json_array_get_element(json_node_get_array(node), i));
    }
}

char *
exporter_command(const char *path, const plugin_choice *choice)
{
    g_autoptr(GString) to = g_string_new(choice->kind);
    g_autofree char *run = NULL, *quoted = NULL;
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789/._-:=,+@%";

    if (g_strcmp0(choice->name, choice->kind) != 0)
        g_string_append_printf(to, ":name=%s", choice->name);
    if (choice->options != NULL)
        add_options(to, choice->options);
    run = strspn(path, plain) == strlen(path) ? g_strdup(path) : g_shell_quote(path);
    quoted =
        strspn(to->str, plain) == to->len ? g_strdup(to->str) : g_shell_quote(to->str);
    return g_strdup_printf("lens export %s --to %s", run, quoted);
}
