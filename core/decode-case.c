/* decode-case: the form of recorded answers, read from JSON. */
#include <stdio.h>
#include <string.h>

#include "decode.h"
#include "error.h"

/* Stands for U+0000 on the way through json-glib, whose strings end there. */
#define NUL_STAND_IN 0xe000

void
decode_case_free(decode_case *c)
{
    if (c == NULL)
        return;
    g_free(c->id);
    g_free(c->broken);
    g_free(c->provider);
    g_free(c->api);
    g_free(c->content_type);
    if (c->body != NULL)
        g_byte_array_unref(c->body);
    if (c->ends != NULL)
        g_array_unref(c->ends);
    if (c->headers != NULL)
        g_ptr_array_unref(c->headers);
    if (c->options != NULL)
        json_object_unref(c->options);
    if (c->expect != NULL)
        json_object_unref(c->expect);
    g_free(c);
}

static void
end_read(decode_case *c)
{
    const size_t end = c->body->len;

    g_array_append_val(c->ends, end);
}

void
decode_case_every(decode_case *c, size_t size)
{
    g_array_set_size(c->ends, 0);
    for (size_t at = 0; at < c->body->len; at += size) {
        const size_t end = MIN(at + size, c->body->len);

        g_array_append_val(c->ends, end);
    }
}

void
decode_case_split(decode_case *c, size_t at)
{
    g_array_set_size(c->ends, 0);
    g_array_append_val(c->ends, at);
    end_read(c);
}

static bool fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool
fail(GError **error, const char *format, ...)
{
    g_autofree char *message = NULL;
    va_list args;

    va_start(args, format);
    message = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, LENS_ERROR, LENS_ERROR_USAGE, message);
    return false;
}

/* Each character is one byte. */
static bool
add_latin1(decode_case *c, const char *text, GError **error)
{
    for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar character = g_utf8_get_char(at);
        guint8 byte;

        if (character == NUL_STAND_IN)
            character = 0;
        if (character > 0xff)
            return fail(error,
                        "chunks: U+%04X is no byte; write each byte as one character, "
                        "U+0000 to U+00FF",
                        character);
        byte = (guint8)character;
        g_byte_array_append(c->body, &byte, 1);
    }
    end_read(c);
    return true;
}

/* A body may also stand there as the text that it is: bytes that are no UTF-8, or
 * characters that are no bytes, were never meant as bytes. */
static bool
add_body(decode_case *c, const char *text, GError **error)
{
    const unsigned before = c->body->len;

    (void)error;
    if (add_latin1(c, text, NULL) &&
        (c->body->len == before || g_utf8_validate((const char *)c->body->data + before,
                                                   c->body->len - before, NULL)))
        return true;
    g_byte_array_set_size(c->body, before);
    if (c->ends->len > 0 && before == 0)
        g_array_set_size(c->ends, 0);
    g_byte_array_append(c->body, (const guint8 *)text, (unsigned)strlen(text));
    end_read(c);
    return true;
}

static bool
add_hex(decode_case *c, const char *text, GError **error)
{
    const size_t size = strlen(text);

    if (size % 2 != 0)
        return fail(error, "chunks_hex: %zu digits, expected an even number", size);
    for (size_t i = 0; i < size; i += 2) {
        const int high = g_ascii_xdigit_value(text[i]);
        const int low = g_ascii_xdigit_value(text[i + 1]);
        const guint8 byte = (guint8)(high << 4 | low);

        if (high < 0 || low < 0)
            return fail(error, "chunks_hex: `%c%c` is no hexadecimal byte", text[i],
                        text[i + 1]);
        g_byte_array_append(c->body, &byte, 1);
    }
    end_read(c);
    return true;
}

static const char *
string_of(JsonNode *node)
{
    return node != NULL && JSON_NODE_HOLDS_VALUE(node) &&
                   json_node_get_value_type(node) == G_TYPE_STRING
               ? json_node_get_string(node)
               : NULL;
}

static bool
read_chunks(decode_case *c, JsonNode *node, const char *member,
            bool (*add)(decode_case *, const char *, GError **), GError **error)
{
    JsonArray *list;

    if (string_of(node) != NULL)
        return add(c, string_of(node), error);
    if (!JSON_NODE_HOLDS_ARRAY(node))
        return fail(error, "%s: expected a list of strings", member);
    list = json_node_get_array(node);
    for (unsigned i = 0; i < json_array_get_length(list); i++) {
        const char *text = string_of(json_array_get_element(list, i));

        if (text == NULL)
            return fail(error, "%s: item %u is not a string", member, i);
        if (!add(c, text, error))
            return false;
    }
    return true;
}

static bool
read_string(JsonObject *object, const char *member, char **ret, GError **error)
{
    JsonNode *node = json_object_get_member(object, member);

    if (node == NULL)
        return true;
    if (JSON_NODE_HOLDS_NULL(node)) {
        *ret = g_strdup("");
        return true;
    }
    if (!JSON_NODE_HOLDS_VALUE(node))
        return fail(error, "%s: expected a string", member);
    *ret =
        string_of(node) != NULL ? g_strdup(string_of(node)) : json_to_string(node, FALSE);
    return true;
}

static bool
read_int(JsonObject *object, const char *member, int64_t low, int64_t high, int64_t *ret,
         GError **error)
{
    JsonNode *node = json_object_get_member(object, member);

    if (node == NULL)
        return true;
    if (!JSON_NODE_HOLDS_VALUE(node) || json_node_get_value_type(node) != G_TYPE_INT64 ||
        json_node_get_int(node) < low || json_node_get_int(node) > high)
        return fail(error,
                    "%s: expected an integer from %" G_GINT64_FORMAT
                    " to %" G_GINT64_FORMAT,
                    member, low, high);
    *ret = json_node_get_int(node);
    return true;
}

static bool
read_object(JsonObject *object, const char *member, JsonObject **ret, GError **error)
{
    JsonNode *node = json_object_get_member(object, member);

    if (node == NULL || JSON_NODE_HOLDS_NULL(node))
        return true;
    if (!JSON_NODE_HOLDS_OBJECT(node))
        return fail(error, "%s: expected an object", member);
    *ret = json_object_ref(json_node_get_object(node));
    return true;
}

/* {"name":"value"} */
static bool
read_headers(decode_case *c, JsonObject *object, GError **error)
{
    g_autoptr(JsonObject) headers = NULL;
    g_autoptr(GList) names = NULL;

    if (!read_object(object, "headers", &headers, error))
        return false;
    if (headers == NULL)
        return true;
    names = json_object_get_members(headers);
    for (GList *at = names; at != NULL; at = at->next) {
        JsonNode *node = json_object_get_member(headers, at->data);

        if (!JSON_NODE_HOLDS_VALUE(node))
            return fail(error, "headers: %s is not a string", (const char *)at->data);
        g_ptr_array_add(c->headers, g_strdup(at->data));
        g_ptr_array_add(c->headers, string_of(node) != NULL
                                        ? g_strdup(string_of(node))
                                        : json_to_string(node, FALSE));
    }
    return true;
}

static bool
read_api(decode_case *c, JsonObject *object, GError **error)
{
    const char *api = string_of(json_object_get_member(object, "api")), *dot;

    if (api == NULL) /* a failed answer is the same with all of its provider's APIs */
        api = string_of(json_object_get_member(object, "provider"));
    if (api == NULL)
        return fail(error, "api is missing, for instance \"api\":\"provider.api\"");
    dot = strchr(api, '.');
    c->provider = dot == NULL ? g_strdup(api) : g_strndup(api, (size_t)(dot - api));
    c->api = dot == NULL ? NULL : g_strdup(dot + 1);
    return true;
}

static bool
read_body(decode_case *c, JsonObject *object, GError **error)
{
    JsonNode *chunks = json_object_get_member(object, "chunks");
    JsonNode *hex = json_object_get_member(object, "chunks_hex");
    JsonNode *body = json_object_get_member(object, "body");
    int64_t every = 0;

    if (chunks == NULL && hex == NULL && body == NULL)
        return fail(error, "chunks is missing: the reads of the body, in order");
    if (chunks != NULL && !read_chunks(c, chunks, "chunks", add_latin1, error))
        return false;
    if (hex != NULL && !read_chunks(c, hex, "chunks_hex", add_hex, error))
        return false;
    if (body != NULL && chunks == NULL && hex == NULL &&
        !read_chunks(c, body, "body", add_body, error))
        return false;
    if (!read_int(object, "every", 1, G_MAXINT32, &every, error))
        return false;
    if (every > 0)
        decode_case_every(c, (size_t)every);
    return true;
}

static bool
fill_case(decode_case *c, JsonObject *object, GError **error)
{
    JsonNode *stream = json_object_get_member(object, "stream");
    int64_t status = 200;

    c->streamed =
        stream == NULL || !JSON_NODE_HOLDS_VALUE(stream) || json_node_get_boolean(stream);
    if (!read_string(object, "id", &c->id, error) || !read_api(c, object, error) ||
        !read_string(object, "content_type", &c->content_type, error) ||
        !read_int(object, "status", 100, 599, &status, error) ||
        !read_headers(c, object, error) || !read_body(c, object, error) ||
        !read_object(object, "options", &c->options, error) ||
        !read_object(object, "expect", &c->expect, error))
        return false;
    c->status = (int)status;
    return true;
}

static decode_case *
case_new(unsigned line)
{
    decode_case *c = g_new0(decode_case, 1);

    c->line = line;
    c->body = g_byte_array_new();
    c->ends = g_array_new(FALSE, FALSE, sizeof(size_t));
    c->headers = g_ptr_array_new_with_free_func(g_free);
    return c;
}

/* ---- the text ---- */

/* Behind the value that starts at `at` with a bracket; the end when it is not closed. */
static const char *
behind_value(const char *at, const char *end)
{
    bool string = false;
    int depth = 0;

    for (; at < end; at++) {
        if (string && *at == '\\')
            at++;
        else if (*at == '"')
            string = !string;
        else if (!string && (*at == '{' || *at == '['))
            depth++;
        else if (!string && (*at == '}' || *at == ']') && --depth == 0)
            return at + 1;
    }
    return end;
}

/* A copy in which `\u0000` is the stand-in. */
static char *
without_nul(const char *text, size_t size)
{
    char *copy = g_strndup(text, size);

    for (char *at = copy; (at = strchr(at, '\\')) != NULL; at += at[1] == '\0' ? 1 : 2)
        if (strncmp(at, "\\u0000", 6) == 0)
            memcpy(at, "\\ue000", 6);
    return copy;
}

struct text {
    const char *start, *name;
    GPtrArray *cases;
};

static unsigned
line_of(const struct text *t, const char *at)
{
    unsigned line = 1;

    for (const char *p = t->start; p < at; p++)
        line += *p == '\n';
    return line;
}

/* One that cannot be read does not hide the others. */
static void
add_case(struct text *t, JsonNode *node, unsigned line)
{
    decode_case *c = case_new(line);
    g_autoptr(GError) error = NULL;

    g_ptr_array_add(t->cases, c);
    if (!JSON_NODE_HOLDS_OBJECT(node))
        fail(&error, "a case is a JSON object");
    else if (fill_case(c, json_node_get_object(node), &error))
        return;
    c->broken = g_strdup(error->message);
}

/* json-glib says "<data>:LINE:COLUMN: Parse error: words". */
static void
add_broken(struct text *t, unsigned line, const char *message)
{
    unsigned inner = 1, column = 0;
    int used = 0;
    decode_case *c;

    if (sscanf(message, "<data>:%u:%u: Parse error: %n", &inner, &column, &used) == 2)
        message += used;
    c = case_new(line + MAX(inner, 1) - 1);
    c->broken = g_strdup_printf("not JSON: %s", message);
    g_ptr_array_add(t->cases, c);
}

/* Returns where to go on. */
static const char *
add_value(struct text *t, const char *at, const char *behind)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autofree char *text = without_nul(at, (size_t)(behind - at));
    g_autoptr(GError) broken = NULL;
    const unsigned line = line_of(t, at);
    const char *next = strstr(at, "\n{");
    JsonNode *root;
    JsonArray *list;

    if (!json_parser_load_from_data(parser, text, -1, &broken)) {
        add_broken(t, line, broken->message);
        return next != NULL && next < behind ? next : behind;
    }
    root = json_parser_get_root(parser);
    if (root != NULL && JSON_NODE_HOLDS_ARRAY(root)) {
        list = json_node_get_array(root);
        for (unsigned i = 0; i < json_array_get_length(list); i++)
            add_case(t, json_array_get_element(list, i), line);
    } else if (root != NULL) {
        add_case(t, root, line);
    }
    return behind;
}

GPtrArray *
decode_cases_parse(const char *text, size_t size, const char *name, GError **error)
{
    g_autoptr(GPtrArray) cases =
        g_ptr_array_new_with_free_func((GDestroyNotify)decode_case_free);
    struct text t = { text, name, cases };
    const char *end = text + size, *at, *behind;

    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        text += 3;
    for (at = text; at < end; at = behind) {
        behind = at + 1;
        if (g_ascii_isspace(*at))
            continue;
        if (*at != '{' && *at != '[') {
            if (cases->len == 0)
                break;
            add_broken(&t, line_of(&t, at), "expected a JSON object");
            behind = memchr(at, '\n', (size_t)(end - at));
            behind = behind != NULL ? behind : end;
            continue;
        }
        behind = add_value(&t, at, behind_value(at, end));
    }
    if (cases->len == 0) {
        fail(error, "%s:%u: expected a JSON object with api and chunks", name,
             line_of(&t, at));
        return NULL;
    }
    return g_steal_pointer(&cases);
}
