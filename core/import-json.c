/* Rows of JSON: one object a line; or one array of objects; or one object whose members
 * are lists, one element a row. */
#include <json-glib/json-glib.h>
#include <string.h>

#include "error.h"
#include "import-private.h"

/* Where the members of an object go. */
struct into {
    import_row *row;
    const char *prefix;
};

static void put_node(import_row *row, const char *name, JsonNode *node);

static void
put_member(JsonObject *object, const char *name, JsonNode *node, void *data)
{
    const struct into *into = data;
    g_autofree char *full = into->prefix != NULL
                                ? g_strconcat(into->prefix, ".", name, NULL)
                                : g_strdup(name);

    (void)object;
    put_node(into->row, full, node);
}

static void
put_object(import_row *row, const char *prefix, JsonObject *object)
{
    struct into into = { row, prefix };

    json_object_foreach_member(object, put_member, &into);
}

static void
put_node(import_row *row, const char *name, JsonNode *node)
{
    switch (json_node_get_node_type(node)) {
    case JSON_NODE_NULL:
        return;
    case JSON_NODE_OBJECT:
        put_object(row, name, json_node_get_object(node));
        return;
    case JSON_NODE_ARRAY:
        import_row_put(row, g_strdup(name), json_to_string(node, false));
        return;
    case JSON_NODE_VALUE:
        if (json_node_get_value_type(node) == G_TYPE_STRING)
            import_row_put(row, g_strdup(name), g_strdup(json_node_get_string(node)));
        else
            import_row_put(row, g_strdup(name), json_to_string(node, false));
        return;
    }
}

static bool
give_object(JsonNode *node, const char *path, uint64_t line, import_row_fn fn, void *data,
            GError **error)
{
    g_autoptr(GHashTable) cells = import_cells_new();
    import_row row = { .cells = cells, .line = line };

    if (!JSON_NODE_HOLDS_OBJECT(node))
        return import_fail(path, line, error, "expected a JSON object");
    put_object(&row, NULL, json_node_get_object(node));
    return fn(&row, data, error);
}

/* The longest list among the members; 0: there is none. */
static guint
list_length(JsonObject *object)
{
    g_autoptr(GList) values = json_object_get_values(object);
    guint longest = 0;

    for (const GList *v = values; v != NULL; v = v->next)
        if (JSON_NODE_HOLDS_ARRAY(v->data))
            longest = MAX(longest, json_array_get_length(json_node_get_array(v->data)));
    return longest;
}

static bool
give_lists(JsonObject *object, const char *path, guint count, import_row_fn fn,
           void *data, GError **error)
{
    g_autoptr(GList) names = json_object_get_members(object);

    for (guint i = 0; i < count; i++) {
        g_autoptr(GHashTable) cells = import_cells_new();
        import_row row = { .cells = cells, .line = i + 1 };

        for (const GList *n = names; n != NULL; n = n->next) {
            JsonNode *member = json_object_get_member(object, n->data);
            JsonArray *list =
                JSON_NODE_HOLDS_ARRAY(member) ? json_node_get_array(member) : NULL;

            if (list != NULL && json_array_get_length(list) == count)
                put_node(&row, n->data, json_array_get_element(list, i));
            else if (list == NULL)
                put_node(&row, n->data, member);
        }
        if (!fn(&row, data, error))
            return false;
    }
    return count > 0 || import_fail(path, 1, error, "has no lists of requests");
}

static bool
give_document(JsonNode *root, const char *path, import_row_fn fn, void *data,
              GError **error)
{
    JsonArray *list;

    if (JSON_NODE_HOLDS_OBJECT(root)) {
        JsonObject *object = json_node_get_object(root);

        return give_lists(object, path, list_length(object), fn, data, error);
    }
    if (!JSON_NODE_HOLDS_ARRAY(root))
        return import_fail(path, 1, error, "expected JSON objects");
    list = json_node_get_array(root);
    for (guint i = 0; i < json_array_get_length(list); i++)
        if (!give_object(json_array_get_element(list, i), path, i + 1, fn, data, error))
            return false;
    return true;
}

static JsonNode *
parse(const char *text, gssize size)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonNode *root;

    if (!json_parser_load_from_data(parser, text, size, NULL))
        return NULL;
    root = json_parser_get_root(parser);
    return root != NULL ? json_node_ref(root) : NULL;
}

static const char *
line_end(const char *at, const char *end)
{
    const char *newline = memchr(at, '\n', (size_t)(end - at));

    return newline != NULL ? newline : end;
}

static bool
is_blank(const char *at, const char *end)
{
    while (at < end && g_ascii_isspace(*at))
        at++;
    return at == end;
}

static bool
each_line(const char *path, const char *at, const char *end, import_row_fn fn, void *data,
          GError **error)
{
    for (uint64_t line = 1; at < end; line++) {
        const char *stop = line_end(at, end);

        if (!is_blank(at, stop)) {
            g_autoptr(JsonNode) node = parse(at, stop - at);

            if (node == NULL)
                return import_fail(path, line, error, "is not JSON");
            if (!give_object(node, path, line, fn, data, error))
                return false;
        }
        at = stop < end ? stop + 1 : end;
    }
    return true;
}

/* Members that are lists as long as the longest. */
static guint
count_lists(JsonObject *object)
{
    g_autoptr(GList) values = json_object_get_values(object);
    const guint length = list_length(object);
    guint count = 0;

    for (const GList *v = values; v != NULL && length > 0; v = v->next)
        count += JSON_NODE_HOLDS_ARRAY(v->data) &&
                 json_array_get_length(json_node_get_array(v->data)) == length;
    return count;
}

/* One object a line, unless the first line is not a whole object, or the only one and
 * made of lists. */
static bool
is_document(const char *text, const char *end)
{
    const char *stop = line_end(text, end);
    g_autoptr(JsonNode) first = parse(text, stop - text);

    if (first == NULL || !JSON_NODE_HOLDS_OBJECT(first))
        return true;
    return is_blank(stop, end) && count_lists(json_node_get_object(first)) >= 3;
}

bool
import_each_json(const char *path, const char *text, size_t size, import_row_fn fn,
                 void *data, GError **error)
{
    const char *end = text + size;
    g_autoptr(JsonNode) root = NULL;

    while (text < end && g_ascii_isspace(*text) && *text != '\n')
        text++;
    if (is_blank(text, end))
        return import_fail(path, 1, error, "is empty, expected JSON objects");
    if (!is_document(text, end))
        return each_line(path, text, end, fn, data, error);
    root = parse(text, end - text);
    if (root == NULL) /* then the lines tell where it is broken */
        return each_line(path, text, end, fn, data, error);
    return give_document(root, path, fn, data, error);
}
