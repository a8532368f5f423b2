#include "doc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <yaml.h>

#include "error.h"

/* Far more than any plan needs, and nothing that could hurt. */
enum { SIZE_LIMIT = 1 << 20, NODE_LIMIT = 20000, DEPTH_LIMIT = 32, TEXT_LIMIT = 4 << 20 };

struct doc_node {
    const doc *doc;
    enum doc_kind kind;
    bool plain;     /* a scalar without quotes */
    char *text;     /* of a scalar */
    char *original; /* before ${NAME} was replaced; NULL: nothing was */
    doc_node **keys, **items;
    unsigned count;
    size_t line, column; /* from 1 */
};

struct doc {
    char *name;
    doc_node *root;
    size_t node_count, text_size;
};

static void
node_free(doc_node *n)
{
    if (n == NULL)
        return;
    for (unsigned i = 0; i < n->count; i++) {
        node_free(n->items[i]);
        if (n->keys != NULL)
            node_free(n->keys[i]);
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
    node_free(d->root);
    g_free(d->name);
    g_free(d);
}

/* ---- messages ---- */

static bool
fail_at(const doc *d, size_t line, size_t column, GError **error, const char *text)
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
    return fail_at(n->doc, n->line, n->column, error, text);
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

static bool
replace_variables(doc_node *n, GError **error)
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
        if (out->len > TEXT_LIMIT)
            return doc_fail(n, error, "the value is too long");
    }
    n->original = n->text;
    n->text = g_string_free(g_steal_pointer(&out), FALSE);
    return true;
}

/* ---- the tree ---- */

static doc_node *build(doc *d, yaml_document_t *y, int index, unsigned depth, bool is_key,
                       GError **error);

static bool
fill_scalar(doc *d, doc_node *n, const yaml_node_t *from, bool is_key, GError **error)
{
    const size_t size = from->data.scalar.length;

    d->text_size += size;
    if (d->text_size > TEXT_LIMIT)
        return doc_fail(n, error, "too much text (are there aliases of aliases?)");
    if (memchr(from->data.scalar.value, '\0', size) != NULL)
        return doc_fail(n, error, "a text holds a NUL character");
    n->text = g_strndup((const char *)from->data.scalar.value, size);
    n->plain = from->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return is_key || replace_variables(n, error);
}

static bool
fill_list(doc *d, yaml_document_t *y, doc_node *n, const yaml_node_t *from,
          unsigned depth, GError **error)
{
    const yaml_node_item_t *start = from->data.sequence.items.start;
    const size_t count = (size_t)(from->data.sequence.items.top - start);

    n->kind = DOC_LIST;
    n->items = g_new0(doc_node *, count + 1);
    for (size_t i = 0; i < count; i++) {
        n->items[i] = build(d, y, start[i], depth + 1, false, error);
        if (n->items[i] == NULL)
            return false;
        n->count++;
    }
    return true;
}

static bool
check_key(const doc_node *map, const doc_node *key, GError **error)
{
    if (key->kind != DOC_SCALAR || key->text[0] == '\0')
        return doc_fail(key, error, "expected the name of a key");
    for (unsigned i = 0; i < map->count; i++)
        if (g_str_equal(map->keys[i]->text, key->text))
            return doc_fail(key, error, "key '%s' is given twice, first in line %zu",
                            key->text, map->keys[i]->line);
    return true;
}

static bool
fill_map(doc *d, yaml_document_t *y, doc_node *n, const yaml_node_t *from, unsigned depth,
         GError **error)
{
    const yaml_node_pair_t *start = from->data.mapping.pairs.start;
    const size_t count = (size_t)(from->data.mapping.pairs.top - start);

    n->kind = DOC_MAP;
    if (count > 1000) /* finding doubles is quadratic */
        return doc_fail(n, error, "too many keys");
    n->keys = g_new0(doc_node *, count + 1);
    n->items = g_new0(doc_node *, count + 1);
    for (size_t i = 0; i < count; i++) {
        doc_node *key = build(d, y, start[i].key, depth + 1, true, error);
        doc_node *item = NULL;

        if (key != NULL && check_key(n, key, error))
            item = build(d, y, start[i].value, depth + 1, false, error);
        if (item == NULL) {
            node_free(key);
            return false;
        }
        n->keys[i] = key;
        n->items[i] = item;
        n->count++;
    }
    return true;
}

static bool
fill(doc *d, yaml_document_t *y, doc_node *n, const yaml_node_t *from, unsigned depth,
     bool is_key, GError **error)
{
    const char *tag = (const char *)from->tag;

    if (++d->node_count > NODE_LIMIT)
        return doc_fail(n, error, "too many values (are there aliases of aliases?)");
    if (depth > DEPTH_LIMIT)
        return doc_fail(n, error, "nested deeper than %d levels", DEPTH_LIMIT);
    if (tag != NULL && !g_str_has_prefix(tag, "tag:yaml.org,2002:"))
        return doc_fail(n, error, "tags are not understood");
    switch (from->type) {
    case YAML_SCALAR_NODE:
        return fill_scalar(d, n, from, is_key, error);
    case YAML_SEQUENCE_NODE:
        return fill_list(d, y, n, from, depth, error);
    case YAML_MAPPING_NODE:
        return fill_map(d, y, n, from, depth, error);
    default:
        return doc_fail(n, error, "expected a value");
    }
}

/* A copy of libyaml's node: aliases are written out, within the limits. */
static doc_node *
build(doc *d, yaml_document_t *y, int index, unsigned depth, bool is_key, GError **error)
{
    const yaml_node_t *from = yaml_document_get_node(y, index);
    doc_node *n = g_new0(doc_node, 1);

    n->doc = d;
    n->line = from->start_mark.line + 1;
    n->column = from->start_mark.column + 1;
    if (fill(d, y, n, from, depth, is_key, error))
        return n;
    node_free(n);
    return NULL;
}

/* ---- reading ---- */

static bool
syntax_error(const doc *d, const yaml_parser_t *parser, const char *text, GError **error)
{
    g_autofree char *message = NULL;
    size_t line = parser->problem_mark.line, column = parser->problem_mark.column;

    if (parser->error == YAML_READER_ERROR) {
        line = column = 0;
        for (size_t i = 0; i < parser->problem_offset; i++) {
            column = text[i] == '\n' ? 0 : column + 1;
            line += text[i] == '\n';
        }
    }
    message = g_strdup_printf("not valid YAML: %s%s%s",
                              parser->problem != NULL ? parser->problem : "no memory",
                              parser->context != NULL ? ", " : "",
                              parser->context != NULL ? parser->context : "");
    return fail_at(d, line + 1, column + 1, error, message);
}

static bool
read_document(doc *d, yaml_parser_t *parser, const char *text, GError **error)
{
    yaml_document_t y;

    if (!yaml_parser_load(parser, &y))
        return syntax_error(d, parser, text, error);
    if (yaml_document_get_root_node(&y) == NULL)
        fail_at(d, 1, 1, error, "the file is empty");
    else
        d->root = build(d, &y, 1, 0, false, error);
    yaml_document_delete(&y);
    return d->root != NULL;
}

static bool
nothing_follows(doc *d, yaml_parser_t *parser, const char *text, GError **error)
{
    yaml_document_t y;
    const yaml_node_t *root;

    if (!yaml_parser_load(parser, &y))
        return syntax_error(d, parser, text, error);
    root = yaml_document_get_root_node(&y);
    if (root != NULL)
        fail_at(d, root->start_mark.line + 1, root->start_mark.column + 1, error,
                "a second document starts here, expected one");
    yaml_document_delete(&y);
    return root == NULL;
}

/* The number of "\uD83D" at `at`; 0: it is none. */
static unsigned
escaped_unit(const char *at)
{
    unsigned value = 0;

    if (at[0] != '\\' || at[1] != 'u')
        return 0;
    for (unsigned i = 2; i < 6; i++) {
        if (!g_ascii_isxdigit(at[i]))
            return 0;
        value = value << 4 | (unsigned)g_ascii_xdigit_value(at[i]);
    }
    return value;
}

/* JSON writes characters beyond U+FFFF as two halves, which YAML does not know: they
 * become one "\U0001F600". NULL: there are none. */
static char *
join_surrogates(const char *text, size_t size, size_t *ret_size)
{
    g_autofree char *copy = NULL;
    char *out;

    if (g_strstr_len(text, (gssize)size, "\\u") == NULL ||
        memchr(text, '\0', size) != NULL)
        return NULL;
    copy = g_strndup(text, size); /* ends with NUL, so looking ahead is safe */
    if (*(copy + strspn(copy, " \t\r\n")) != '{')
        return NULL;
    out = copy;
    for (const char *at = copy; *at != '\0';) {
        const unsigned high = escaped_unit(at);
        const unsigned low = high >> 10 == 0x36 ? escaped_unit(at + 6) : 0;

        if (low >> 10 == 0x37) {
            char joined[11];

            g_snprintf(joined, sizeof joined, "\\U%08X",
                       0x10000 + ((high & 0x3ff) << 10) + (low & 0x3ff));
            memcpy(out, joined, 10);
            out += 10;
            at += 12;
        } else {
            if (at[0] == '\\' && at[1] != '\0')
                *out++ = *at++; /* so that "\\\\u" is no escape */
            *out++ = *at++;
        }
    }
    *out = '\0';
    *ret_size = (size_t)(out - copy);
    return g_steal_pointer(&copy);
}

doc *
doc_parse(const char *text, size_t size, const char *name, GError **error)
{
    g_autoptr(doc) d = g_new0(doc, 1);
    g_autofree char *joined = NULL;
    yaml_parser_t parser;
    bool good;

    d->name = g_strdup(name);
    if (size > SIZE_LIMIT) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "%s: larger than 1 MiB, is this the right file?", name);
        return NULL;
    }
    if (!yaml_parser_initialize(&parser)) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_SYSTEM, "%s: out of memory", name);
        return NULL;
    }
    joined = join_surrogates(text, size, &size);
    if (joined != NULL)
        text = joined;
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    good = read_document(d, &parser, text, error) &&
           nothing_follows(d, &parser, text, error);
    yaml_parser_delete(&parser);
    return good ? g_steal_pointer(&d) : NULL;
}

doc *
doc_read_file(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    size_t size = 0;
    ssize_t got = 0;

    if (fd < 0 || fstat(fd, &status) != 0) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_FILE, "cannot read %s: %s", path,
                    g_strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    /* One byte more than is allowed tells a file that is too large, also from a pipe. */
    text = g_malloc(SIZE_LIMIT + 1);
    if (!S_ISREG(status.st_mode))
        fcntl(fd, F_SETFL, 0);
    while (size <= SIZE_LIMIT && (got = read(fd, text + size, SIZE_LIMIT + 1 - size)) > 0)
        size += (size_t)got;
    if (got < 0) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_FILE, "cannot read %s: %s", path,
                    g_strerror(errno));
        close(fd);
        return NULL;
    }
    close(fd);
    return doc_parse(text, size, path, error);
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
