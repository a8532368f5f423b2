#include "doc.h"

#include <json-glib/json-glib.h>
#include <string.h>

/* The number forms of JSON; everything else without quotes is true, false, null or text.
 */
static bool
is_number(const char *text)
{
    static GRegex *form;
    static gsize once;

    if (g_once_init_enter(&once)) {
        form = g_regex_new("^-?(0|[1-9][0-9]{0,17})(\\.[0-9]+)?([eE][+-]?[0-9]{1,3})?$",
                           G_REGEX_OPTIMIZE, G_REGEX_MATCH_DEFAULT, NULL);
        g_once_init_leave(&once, 1);
    }
    return g_regex_match(form, text, G_REGEX_MATCH_DEFAULT, NULL);
}

static void append_json(const doc_node *n, GString *out);

static void
append_string(const char *text, GString *out)
{
    g_autoptr(JsonNode) node = json_node_init_string(json_node_alloc(), text);
    g_autofree char *json = json_to_string(node, FALSE);

    g_string_append(out, json);
}

static void
append_scalar(const doc_node *n, GString *out)
{
    const char *text = doc_text(n);

    if (text == NULL)
        g_string_append(out, "null");
    else if (doc_is_plain(n) &&
             (g_str_equal(text, "true") || g_str_equal(text, "false") || is_number(text)))
        g_string_append(out, text);
    else
        append_string(text, out);
}

static void
append_map(const doc_node *n, GString *out)
{
    g_string_append_c(out, '{');
    for (unsigned i = 0; i < doc_count(n); i++) {
        g_string_append(out, i > 0 ? "," : "");
        append_string(doc_key_text(n, i), out);
        g_string_append_c(out, ':');
        append_json(doc_item(n, i), out);
    }
    g_string_append_c(out, '}');
}

static void
append_json(const doc_node *n, GString *out)
{
    if (doc_kind(n) == DOC_SCALAR) {
        append_scalar(n, out);
    } else if (doc_kind(n) == DOC_MAP) {
        append_map(n, out);
    } else {
        g_string_append_c(out, '[');
        for (unsigned i = 0; i < doc_count(n); i++) {
            g_string_append(out, i > 0 ? "," : "");
            append_json(doc_item(n, i), out);
        }
        g_string_append_c(out, ']');
    }
}

char *
doc_to_json(const doc_node *n)
{
    GString *out = g_string_new(NULL);

    append_json(n, out);
    return g_string_free(out, FALSE);
}
