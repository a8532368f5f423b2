#include "prompt-rows.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "error.h"

prompt_rows *
prompt_rows_new(void)
{
    prompt_rows *r = g_new0(prompt_rows, 1);

    r->rows = g_array_new(FALSE, FALSE, sizeof(struct prompt_row));
    r->messages = g_array_new(FALSE, FALSE, sizeof(struct prompt_message));
    r->strings = g_string_chunk_new(64 * 1024);
    return r;
}

void
prompt_rows_free(prompt_rows *r)
{
    if (r == NULL)
        return;
    g_array_unref(r->rows);
    g_array_unref(r->messages);
    g_string_chunk_free(r->strings);
    g_free(r->contents);
    g_free(r);
}

static const struct {
    const char *name;
    uint32_t role;
} roles[] = {
    { "system", LENS_ROLE_SYSTEM },       { "user", LENS_ROLE_USER },
    { "assistant", LENS_ROLE_ASSISTANT }, { "tool", LENS_ROLE_TOOL },
    { "developer", LENS_ROLE_SYSTEM }, /* the newer word for system */
};

const char *
role_name(uint32_t role)
{
    for (size_t i = 0; i < G_N_ELEMENTS(roles); i++)
        if (roles[i].role == role)
            return roles[i].name;
    return "user";
}

static uint32_t
role_from_name(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(roles); i++)
        if (strcmp(roles[i].name, name) == 0)
            return roles[i].role;
    return 0;
}

/* FNV-1a, 64 bit. */
static uint64_t
hash_bytes(uint64_t hash, const void *data, size_t size)
{
    const unsigned char *byte = data;

    for (size_t i = 0; i < size; i++)
        hash = (hash ^ byte[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static void
add_message(prompt_rows *r, uint32_t role, const char *text, size_t size)
{
    const struct prompt_message m = { .role = role, .text = { text, size } };

    g_array_append_val(r->messages, m);
}

/* Makes a row of the messages from `first` on. */
static void
close_row(prompt_rows *r, uint64_t first, int64_t max_tokens)
{
    struct prompt_row row = {
        .first = first,
        .count = (uint32_t)(r->messages->len - first),
        .id = UINT64_C(0xcbf29ce484222325),
        .max_tokens = max_tokens,
    };

    for (uint32_t i = 0; i < row.count; i++) {
        const struct prompt_message *m =
            &g_array_index(r->messages, struct prompt_message, first + i);
        const unsigned char mark[2] = { 0xff, (unsigned char)m->role };

        row.id = hash_bytes(row.id, mark, sizeof mark);
        row.id = hash_bytes(row.id, m->text.data, m->text.size);
    }
    g_array_append_val(r->rows, row);
}

void
prompt_rows_add(prompt_rows *r, const char *text, size_t size)
{
    const uint64_t first = r->messages->len;

    add_message(r, LENS_ROLE_USER, text, size);
    close_row(r, first, -1);
}

/* ---- JSON lines ---- */

static bool
expected(GError **error, const char *what)
{
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "expected %s", what);
    return false;
}

static const char *
string_of(JsonNode *node)
{
    return node != NULL && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

/* A string, or a list of {type, text} whose texts are joined. */
static bool
read_content(JsonNode *node, GString *text, GError **error)
{
    JsonArray *parts;

    if (string_of(node) != NULL) {
        g_string_append(text, string_of(node));
        return true;
    }
    if (node == NULL || !JSON_NODE_HOLDS_ARRAY(node))
        return expected(error, "`content` to be a string or a list of text parts");
    parts = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(parts); i++) {
        JsonNode *part = json_array_get_element(parts, i);
        JsonObject *object =
            JSON_NODE_HOLDS_OBJECT(part) ? json_node_get_object(part) : NULL;
        const char *words =
            object != NULL ? string_of(json_object_get_member(object, "text")) : NULL;

        if (words == NULL)
            return expected(error,
                            "each part of `content` to be {\"type\": \"text\", \"text\": "
                            "\"...\"}, other parts are not supported");
        g_string_append(text, words);
    }
    return true;
}

static bool
read_message(prompt_rows *r, JsonNode *node, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    JsonObject *object;
    const char *role;

    if (!JSON_NODE_HOLDS_OBJECT(node))
        return expected(error, "`messages` to hold objects {\"role\", \"content\"}");
    object = json_node_get_object(node);
    role = string_of(json_object_get_member(object, "role"));
    if (role == NULL || role_from_name(role) == 0)
        return expected(error, "`role` to be system, developer, user, assistant or tool");
    if (!read_content(json_object_get_member(object, "content"), text, error))
        return false;
    add_message(r, role_from_name(role),
                g_string_chunk_insert_len(r->strings, text->str, (gssize)text->len),
                text->len);
    return true;
}

static bool
read_messages(prompt_rows *r, JsonNode *node, GError **error)
{
    JsonArray *list;

    if (!JSON_NODE_HOLDS_ARRAY(node) ||
        json_array_get_length(json_node_get_array(node)) == 0)
        return expected(error, "`messages` to be a list of at least one message");
    list = json_node_get_array(node);
    for (guint i = 0; i < json_array_get_length(list); i++)
        if (!read_message(r, json_array_get_element(list, i), error))
            return false;
    return true;
}

static bool
read_max_tokens(JsonObject *object, int64_t *ret, GError **error)
{
    JsonNode *node = json_object_get_member(object, "max_tokens");

    if (node == NULL || JSON_NODE_HOLDS_NULL(node))
        return true;
    if (json_node_get_value_type(node) != G_TYPE_INT64 || json_node_get_int(node) < 1)
        return expected(error, "`max_tokens` to be a whole number above 0");
    *ret = json_node_get_int(node);
    return true;
}

static bool
read_object(prompt_rows *r, JsonObject *object, GError **error)
{
    JsonNode *prompt = json_object_get_member(object, "prompt");
    JsonNode *messages = json_object_get_member(object, "messages");
    const uint64_t first = r->messages->len;
    int64_t max_tokens = -1;

    if ((prompt == NULL) == (messages == NULL))
        return expected(error, "either `prompt` or `messages` in each line");
    if (!read_max_tokens(object, &max_tokens, error))
        return false;
    if (messages != NULL) {
        if (!read_messages(r, messages, error))
            return false;
    } else {
        const char *text = string_of(prompt);

        if (text == NULL)
            return expected(error, "`prompt` to be a string");
        add_message(r, LENS_ROLE_USER, g_string_chunk_insert(r->strings, text),
                    strlen(text));
    }
    close_row(r, first, max_tokens);
    return true;
}

static bool
read_json_line(prompt_rows *r, const char *line, size_t size, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new_immutable();
    g_autoptr(GError) reason = NULL;
    JsonNode *root;

    if (!json_parser_load_from_data(parser, line, (gssize)size, &reason)) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "expected a JSON object with `prompt` or `messages`: %s",
                    reason->message);
        return false;
    }
    root = json_parser_get_root(parser);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root))
        return expected(error, "a JSON object with `prompt` or `messages`");
    return read_object(r, json_node_get_object(root), error);
}

/* ---- lines ---- */

static bool
is_blank(const char *line, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!g_ascii_isspace(line[i]))
            return false;
    return true;
}

static bool
holds_json(const char *path, const char *text, size_t size)
{
    if (g_str_has_suffix(path, ".jsonl") || g_str_has_suffix(path, ".ndjson"))
        return true;
    while (size > 0 && g_ascii_isspace(*text)) {
        text++;
        size--;
    }
    return size > 0 && *text == '{' && !g_str_has_suffix(path, ".txt");
}

static bool
read_line(prompt_rows *r, bool json, const char *line, size_t size, GError **error)
{
    const char *bad;

    if (size > 0 && line[size - 1] == '\r')
        size--;
    if (is_blank(line, size))
        return true;
    if (!g_utf8_validate_len(line, size, &bad)) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "expected UTF-8 text, byte %zu of the line is not",
                    (size_t)(bad - line) + 1);
        return false;
    }
    if (json)
        return read_json_line(r, line, size, error);
    prompt_rows_add(r, line, size);
    return true;
}

bool
prompt_rows_load(prompt_rows *r, const char *path, GError **error)
{
    g_autoptr(GError) reason = NULL;
    const char *at, *end;
    gsize size;
    bool json;

    if (!g_file_get_contents(path, &r->contents, &size, &reason)) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_FILE, "cannot read prompts: %s",
                    reason->message);
        return false;
    }
    at = r->contents;
    end = at + size;
    if (size >= 3 && memcmp(at, "\xef\xbb\xbf", 3) == 0)
        at += 3;
    json = holds_json(path, at, (size_t)(end - at));
    for (uint64_t number = 1; at < end; number++) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));

        if (stop == NULL)
            stop = end;
        if (!read_line(r, json, at, (size_t)(stop - at), error)) {
            g_prefix_error(error, "%s:%" G_GUINT64_FORMAT ": ", path, number);
            return false;
        }
        at = stop + 1;
    }
    if (r->rows->len == 0) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "%s: no prompt in it, expected one a line", path);
        return false;
    }
    return true;
}
