#include "doc.h"

#include <stdarg.h>
#include <string.h>

#include "doc-private.h"
#include "error.h"

void
doc_node_free(doc_node *n)
{
    if (n == NULL)
        return;
    for (unsigned i = 0; i < n->count; i++) {
        doc_node_free(n->items[i]);
        if (n->keys != NULL)
            doc_node_free(n->keys[i]);
    }
    g_free(n->keys);
    g_free(n->items);
    g_free(n->text);
    g_free(n->original);
    g_free(n);
}

void
doc_free(doc *d)
{
    if (d == NULL)
        return;
    doc_node_free(d->root);
    g_free(d->name);
    g_free(d);
}

/* ---- messages ---- */

bool
doc_fail_at(const doc *d, size_t line, size_t column, GError **error, const char *text)
{
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "%s:%zu:%zu: %s", d->name, line,
                column, text);
    return false;
}

bool
doc_fail(const doc_node *n, GError **error, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list list;

    va_start(list, format);
    text = g_strdup_vprintf(format, list);
    va_end(list);
    return doc_fail_at(n->doc, n->line, n->column, error, text);
}

char *
doc_place(const doc_node *n)
{
    return g_strdup_printf("%s:%zu:%zu", n->doc->name, n->line, n->column);
}

bool
doc_locate(const doc_node *n, const char *key, GError **error)
{
    g_autofree char *place = doc_place(n);

    if (error == NULL || *error == NULL)
        return false;
    if (n->original != NULL && n->text[0] != '\0') {
        g_autoptr(GString) text = g_string_new((*error)->message);

        g_string_replace(text, n->text, n->original, 0);
        g_free((*error)->message);
        (*error)->message = g_string_free(g_steal_pointer(&text), FALSE);
    }
    g_prefix_error(error, "%s: %s%s", place, key != NULL ? key : "",
                   key != NULL ? ": " : "");
    return false;
}

/* ---- ${NAME} ---- */

/* Appends the value of the variable at `*at` ("${NAME}") and moves behind it. */
static bool
replace_one(const doc_node *n, const char **at, GString *out, GError **error)
{
    const char *name = *at + 2;
    const size_t size =
        strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                     "0123456789_");
    g_autofree char *variable = g_strndup(name, size);
    const char *value;

    if (size == 0 || name[size] != '}' || g_ascii_isdigit(name[0]))
        return doc_fail(n, error,
                        "expected ${NAME} with the name of an environment variable, or "
                        "$${ for the characters ${");
    value = g_getenv(variable);
    if (value == NULL)
        return doc_fail(n, error, "the environment variable %s is not set", variable);
    if (!g_utf8_validate(value, -1, NULL))
        return doc_fail(n, error, "the environment variable %s is not valid UTF-8",
                        variable);
    g_string_append(out, value);
    *at = name + size + 1;
    return true;
}

bool
doc_replace_variables(doc_node *n, GError **error)
{
    g_autoptr(GString) out = NULL;
    const char *at = n->text;

    if (strstr(at, "${") == NULL)
        return true;
    out = g_string_new(NULL);
    while (*at != '\0') {
        if (g_str_has_prefix(at, "$${")) {
            g_string_append(out, "${");
            at += 3;
        } else if (!g_str_has_prefix(at, "${")) {
            g_string_append_c(out, *at++);
        } else if (!replace_one(n, &at, out, error)) {
            return false;
        }
        if (out->len > DOC_TEXT_LIMIT)
            return doc_fail(n, error, "the value is too long");
    }
    n->original = n->text;
    n->text = g_string_free(g_steal_pointer(&out), FALSE);
    return true;
}

/* ---- looking ---- */

const doc_node *
doc_root(const doc *d)
{
    return d->root;
}

enum doc_kind
doc_kind(const doc_node *n)
{
    return n->kind;
}

unsigned
doc_count(const doc_node *n)
{
    return n->count;
}

const doc_node *
doc_item(const doc_node *n, unsigned nth)
{
    return n->items[nth];
}

const doc_node *
doc_key(const doc_node *n, unsigned nth)
{
    return n->keys[nth];
}

const char *
doc_key_text(const doc_node *n, unsigned nth)
{
    return n->keys[nth]->text;
}

bool
doc_is_plain(const doc_node *n)
{
    return n->plain;
}

const doc_node *
doc_get(const doc_node *map, const char *key)
{
    if (map->kind != DOC_MAP)
        return NULL;
    for (unsigned i = 0; i < map->count; i++)
        if (g_str_equal(map->keys[i]->text, key))
            return map->items[i];
    return NULL;
}

static bool
is_null(const doc_node *n)
{
    return n->plain && (n->text[0] == '\0' || g_str_equal(n->text, "~") ||
                        g_str_equal(n->text, "null"));
}

const char *
doc_text(const doc_node *n)
{
    return n->kind == DOC_SCALAR && !is_null(n) ? n->text : NULL;
}
