#include "mock-script.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "error.h"
#include "option.h"

static const char *const member_names[] = { "at",        "after", "text",   "reasoning",
                                            "tool",      "raw",   "finish", "error",
                                            "arguments", "close", "tokens", NULL };

static const struct {
    const char *member;
    enum script_kind kind;
} kinds[] = {
    { "text", SCRIPT_TEXT }, { "reasoning", SCRIPT_REASONING }, { "tool", SCRIPT_TOOL },
    { "raw", SCRIPT_RAW },   { "finish", SCRIPT_FINISH },       { "error", SCRIPT_ERROR },
};

static bool
wrong(GError **error, const char *what)
{
    g_set_error_literal(error, LENS_ERROR, LENS_ERROR_FILE, what);
    return false;
}

static const char *
member_string(JsonObject *line, const char *name)
{
    JsonNode *node = json_object_get_member(line, name);

    return node != NULL && json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

/* Each character is one byte, as in recorded streams. */
static GBytes *
latin1_bytes(const char *text, GError **error)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    for (const char *p = text; *p != '\0'; p = g_utf8_next_char(p)) {
        const gunichar c = g_utf8_get_char(p);
        const guint8 byte = (guint8)c;

        if (c > 0xff) {
            wrong(error, "\"raw\" holds a character above U+00FF; each one is a byte");
            return NULL;
        }
        g_byte_array_append(bytes, &byte, 1);
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
}

static bool
parse_time(JsonObject *line, int64_t previous_ns, int64_t *ret_ns, GError **error)
{
    const char *at = member_string(line, "at"), *after = member_string(line, "after");
    int64_t ns = 0;

    if ((json_object_has_member(line, "at") && at == NULL) ||
        (json_object_has_member(line, "after") && after == NULL))
        return wrong(error, "a time must be a string such as \"10ms\"");
    if (at != NULL && after != NULL)
        return wrong(error, "either \"at\" or \"after\", not both");
    if (at == NULL && after == NULL) {
        *ret_ns = previous_ns;
        return true;
    }
    if (!parse_duration(at != NULL ? at : after, &ns, error))
        return false;
    if (after != NULL)
        ns += previous_ns;
    if (ns < previous_ns)
        return wrong(error, "a time lies before that of the line above");
    *ret_ns = ns;
    return true;
}

static bool
check_members(JsonObject *line, GError **error)
{
    g_autoptr(GList) members = json_object_get_members(line);

    for (GList *m = members; m != NULL; m = m->next)
        if (!g_strv_contains(member_names, m->data)) {
            const char *near = nearest_name(m->data, member_names);

            g_set_error(error, LENS_ERROR, LENS_ERROR_FILE, "unknown member \"%s\"%s%s%s",
                        (const char *)m->data, near != NULL ? ", did you mean \"" : "",
                        near != NULL ? near : "", near != NULL ? "\"?" : "");
            return false;
        }
    return true;
}

/* What the line does: exactly one of text, reasoning, tool, raw, finish, error, close. */
static bool
parse_kind(JsonObject *line, struct script_entry *entry, GError **error)
{
    const char *content = NULL;
    unsigned found = 0;

    entry->kind = SCRIPT_PAUSE;
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (!json_object_has_member(line, kinds[i].member))
            continue;
        content = member_string(line, kinds[i].member);
        if (content == NULL) {
            g_set_error(error, LENS_ERROR, LENS_ERROR_FILE, "\"%s\" must be a string",
                        kinds[i].member);
            return false;
        }
        entry->kind = kinds[i].kind;
        found++;
    }
    if (json_object_has_member(line, "close")) {
        entry->kind = SCRIPT_CLOSE;
        found++;
    }
    if (found > 1)
        return wrong(error, "a line does one thing: text, reasoning, tool, raw, finish, "
                            "error or close");
    if (entry->kind == SCRIPT_TOOL) {
        const char *arguments = member_string(line, "arguments");

        entry->name = g_bytes_new(content, strlen(content));
        content = arguments != NULL ? arguments : "";
    } else if (json_object_has_member(line, "arguments")) {
        return wrong(error, "\"arguments\" needs \"tool\" (\"\" goes on with the call)");
    }
    if (entry->kind == SCRIPT_RAW)
        entry->content = latin1_bytes(content, error);
    else
        entry->content =
            g_bytes_new(content != NULL ? content : "", content ? strlen(content) : 0);
    return entry->content != NULL;
}

static void
append_bytes(GString *to, GBytes *bytes)
{
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);

    g_string_append_len(to, data, (gssize)size);
}

static void
add_to_whole(mock_script *s, const struct script_entry *e)
{
    switch (e->kind) {
    case SCRIPT_TEXT:
        append_bytes(s->text, e->content);
        break;
    case SCRIPT_REASONING:
        append_bytes(s->reasoning, e->content);
        s->reasoning_tokens += e->tokens;
        break;
    case SCRIPT_TOOL:
        if (s->tool->len == 0)
            append_bytes(s->tool, e->name);
        append_bytes(s->arguments, e->content);
        break;
    case SCRIPT_FINISH:
        g_free(s->finish);
        s->finish =
            g_strndup(g_bytes_get_data(e->content, NULL), g_bytes_get_size(e->content));
        break;
    default:
        break;
    }
    s->tokens += e->tokens;
}

static bool
parse_line(mock_script *s, const char *text, gsize size, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    struct script_entry entry = { 0 };
    int64_t previous_ns = 0;
    JsonObject *line;

    if (!json_parser_load_from_data(parser, text, (gssize)size, error))
        return false;
    if (json_parser_get_root(parser) == NULL ||
        !JSON_NODE_HOLDS_OBJECT(json_parser_get_root(parser)))
        return wrong(error, "expected one JSON object a line");
    line = json_node_get_object(json_parser_get_root(parser));
    if (s->entries->len > 0)
        previous_ns =
            g_array_index(s->entries, struct script_entry, s->entries->len - 1).at_ns;
    if (!check_members(line, error) ||
        !parse_time(line, previous_ns, &entry.at_ns, error))
        return false;
    if (!parse_kind(line, &entry, error)) {
        g_clear_pointer(&entry.name, g_bytes_unref);
        return false;
    }
    entry.tokens = entry.kind <= SCRIPT_TOOL ? 1 : 0;
    if (json_object_has_member(line, "tokens"))
        entry.tokens = MAX(0, json_object_get_int_member_with_default(line, "tokens", 1));
    g_array_append_val(s->entries, entry);
    add_to_whole(s, &entry);
    return true;
}

static void
clear_entry(void *data)
{
    struct script_entry *entry = data;

    g_clear_pointer(&entry->name, g_bytes_unref);
    g_clear_pointer(&entry->content, g_bytes_unref);
}

static bool
parse_lines(mock_script *s, const char *text, gsize size, const char *path,
            GError **error)
{
    const char *end = text + size;

    for (unsigned number = 1; text < end; number++) {
        const char *lf = memchr(text, '\n', (size_t)(end - text));
        const char *stop = lf != NULL ? lf : end;
        gsize length = (gsize)(stop - text);

        while (length > 0 && g_ascii_isspace(text[length - 1]))
            length--;
        if (length > 0 && !parse_line(s, text, length, error)) {
            g_prefix_error(error, "%s:%u: ", path, number);
            return false;
        }
        text = stop + 1;
    }
    if (s->entries->len > 0)
        return true;
    g_set_error(error, LENS_ERROR, LENS_ERROR_FILE,
                "%s: no lines; expected JSON objects such as "
                "{\"after\":\"5ms\",\"text\":\"hello\"}",
                path);
    return false;
}

mock_script *
mock_script_parse(const char *text, gsize size, const char *path, GError **error)
{
    mock_script *s = g_new0(mock_script, 1);

    s->entries = g_array_new(FALSE, TRUE, sizeof(struct script_entry));
    g_array_set_clear_func(s->entries, clear_entry);
    s->text = g_string_new(NULL);
    s->reasoning = g_string_new(NULL);
    s->tool = g_string_new(NULL);
    s->arguments = g_string_new(NULL);
    if (parse_lines(s, text, size, path, error))
        return s;
    mock_script_free(s);
    return NULL;
}

mock_script *
mock_script_load(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    gsize size;

    if (!g_file_get_contents(path, &text, &size, error))
        return NULL;
    return mock_script_parse(text, size, path, error);
}

void
mock_script_free(mock_script *s)
{
    if (s == NULL)
        return;
    g_array_unref(s->entries);
    g_string_free(s->text, TRUE);
    g_string_free(s->reasoning, TRUE);
    g_string_free(s->tool, TRUE);
    g_string_free(s->arguments, TRUE);
    g_free(s->finish);
    g_free(s);
}
