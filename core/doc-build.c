/* From libyaml's events to a tree. Depth is watched here, since libyaml's own composer
 * takes quadratic time for what is nested deeply. */
#include <string.h>

#include <yaml.h>

#include "doc-private.h"
#include "error.h"

struct build {
    doc *doc;
    yaml_parser_t *parser;
    const char *text;
    GHashTable *anchors; /* name -> doc_node, of the tree */
};

static bool
syntax_error(const struct build *b, GError **error)
{
    const yaml_parser_t *parser = b->parser;
    g_autofree char *message = NULL;
    size_t line = parser->problem_mark.line, column = parser->problem_mark.column;

    if (parser->error == YAML_READER_ERROR) {
        line = column = 0;
        for (size_t i = 0; i < parser->problem_offset; i++) {
            column = b->text[i] == '\n' ? 0 : column + 1;
            line += b->text[i] == '\n';
        }
    }
    message = g_strdup_printf("not valid YAML: %s%s%s",
                              parser->problem != NULL ? parser->problem : "no memory",
                              parser->context != NULL ? ", " : "",
                              parser->context != NULL ? parser->context : "");
    return doc_fail_at(b->doc, line + 1, column + 1, error, message);
}

static bool
next_event(const struct build *b, yaml_event_t *ret, GError **error)
{
    return yaml_parser_parse(b->parser, ret) || syntax_error(b, error);
}

/* ---- nodes ---- */

static doc_node *
node_new(doc *d, enum doc_kind kind, const yaml_mark_t *mark)
{
    doc_node *n = g_new0(doc_node, 1);

    n->doc = d;
    n->kind = kind;
    n->line = mark->line + 1;
    n->column = mark->column + 1;
    d->node_count++;
    return n;
}

/* Children may be added as long as the tree stays small. */
static bool
check_limits(const doc_node *n, unsigned depth, GError **error)
{
    if (n->doc->node_count > DOC_NODE_LIMIT)
        return doc_fail(n, error, "too many values (are there aliases of aliases?)");
    if (n->doc->text_size > DOC_TEXT_LIMIT)
        return doc_fail(n, error, "too much text (are there aliases of aliases?)");
    if (depth > DOC_DEPTH_LIMIT)
        return doc_fail(n, error, "nested deeper than %d levels", DOC_DEPTH_LIMIT);
    return true;
}

/* Takes over both; `key` is NULL in a list. */
static void
add_child(doc_node *parent, doc_node *key, doc_node *item)
{
    if (parent->count % 8 == 0) {
        parent->items = g_renew(doc_node *, parent->items, parent->count + 8);
        if (key != NULL)
            parent->keys = g_renew(doc_node *, parent->keys, parent->count + 8);
    }
    if (key != NULL)
        parent->keys[parent->count] = key;
    parent->items[parent->count++] = item;
}

static doc_node *copy_node(const doc_node *from);

static bool
copy_children(doc_node *n, const doc_node *from)
{
    for (unsigned i = 0; i < from->count; i++) {
        doc_node *key = from->kind == DOC_MAP ? copy_node(from->keys[i]) : NULL;
        doc_node *item = copy_node(from->items[i]);

        if (item != NULL && (key != NULL || from->kind == DOC_LIST)) {
            add_child(n, key, item);
            continue;
        }
        doc_node_free(key);
        doc_node_free(item);
        return false;
    }
    return true;
}

/* NULL: the tree would become too large. */
static doc_node *
copy_node(const doc_node *from)
{
    doc_node *n;

    if (from->doc->node_count > DOC_NODE_LIMIT || from->doc->text_size > DOC_TEXT_LIMIT)
        return NULL;
    n = g_new0(doc_node, 1);
    n->doc = from->doc;
    n->kind = from->kind;
    n->plain = from->plain;
    n->text = g_strdup(from->text);
    n->original = g_strdup(from->original);
    n->line = from->line;
    n->column = from->column;
    n->doc->node_count++;
    n->doc->text_size += from->text != NULL ? strlen(from->text) : 0;
    if (copy_children(n, from))
        return n;
    doc_node_free(n);
    return NULL;
}

static bool
check_tag(const doc_node *n, const yaml_char_t *tag, GError **error)
{
    return tag == NULL || g_str_has_prefix((const char *)tag, "tag:yaml.org,2002:") ||
           strcmp((const char *)tag, "!") == 0 ||
           doc_fail(n, error, "tags are not understood");
}

/* ---- building ---- */

static doc_node *build(struct build *b, const yaml_event_t *event, unsigned depth,
                       bool is_key, GError **error);

/* The node of the next event. */
static doc_node *
build_next(struct build *b, unsigned depth, bool is_key, GError **error)
{
    yaml_event_t event;
    doc_node *n;

    if (!next_event(b, &event, error))
        return NULL;
    n = build(b, &event, depth, is_key, error);
    yaml_event_delete(&event);
    return n;
}

static bool
fill_scalar(doc_node *n, const yaml_event_t *event, bool is_key, GError **error)
{
    const size_t size = event->data.scalar.length;

    n->doc->text_size += size;
    if (memchr(event->data.scalar.value, '\0', size) != NULL)
        return doc_fail(n, error, "a text holds a NUL character");
    n->text = g_strndup((const char *)event->data.scalar.value, size);
    n->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    return check_tag(n, event->data.scalar.tag, error) &&
           (is_key || doc_replace_variables(n, error));
}

static bool
check_key(const doc_node *map, const doc_node *key, GError **error)
{
    if (key->kind != DOC_SCALAR || key->text == NULL || key->text[0] == '\0')
        return doc_fail(key, error, "expected the name of a key");
    if (map->count >= DOC_KEY_LIMIT)
        return doc_fail(key, error, "too many keys");
    for (unsigned i = 0; map->keys != NULL && i < map->count; i++)
        if (g_str_equal(map->keys[i]->text, key->text))
            return doc_fail(key, error, "key '%s' is given twice, first in line %zu",
                            key->text, map->keys[i]->line);
    return true;
}

/* One item of a list, or one pair of a map that begins with `event`. */
static bool
add_next(struct build *b, doc_node *n, const yaml_event_t *event, unsigned depth,
         GError **error)
{
    doc_node *first = build(b, event, depth + 1, n->kind == DOC_MAP, error);
    doc_node *item = NULL;

    if (n->kind == DOC_LIST) {
        if (first != NULL)
            add_child(n, NULL, first);
        return first != NULL;
    }
    if (first != NULL && check_key(n, first, error))
        item = build_next(b, depth + 1, false, error);
    if (item == NULL)
        doc_node_free(first);
    else
        add_child(n, first, item);
    return item != NULL;
}

static bool
fill_children(struct build *b, doc_node *n, unsigned depth, GError **error)
{
    for (bool more = true, good = true; more;) {
        yaml_event_t event;

        if (!next_event(b, &event, error))
            return false;
        more =
            event.type != YAML_SEQUENCE_END_EVENT && event.type != YAML_MAPPING_END_EVENT;
        good = !more || add_next(b, n, &event, depth, error);
        yaml_event_delete(&event);
        if (!good)
            return false;
    }
    return true;
}

static doc_node *
build_alias(struct build *b, const yaml_event_t *event, GError **error)
{
    const char *name = (const char *)event->data.alias.anchor;
    const doc_node *from = g_hash_table_lookup(b->anchors, name);
    const size_t line = event->start_mark.line + 1, column = event->start_mark.column + 1;
    g_autofree char *message = NULL;
    doc_node *n;

    if (from == NULL) {
        message = g_strdup_printf("there is no anchor &%s before this", name);
        doc_fail_at(b->doc, line, column, error, message);
        return NULL;
    }
    n = copy_node(from);
    if (n == NULL) {
        doc_fail_at(b->doc, line, column, error,
                    "too many values (are there aliases of aliases?)");
        return NULL;
    }
    n->line = line;
    n->column = column;
    return n;
}

static const yaml_char_t *
anchor_of(const yaml_event_t *event)
{
    return event->type == YAML_SCALAR_EVENT           ? event->data.scalar.anchor
           : event->type == YAML_SEQUENCE_START_EVENT ? event->data.sequence_start.anchor
                                                      : event->data.mapping_start.anchor;
}

static bool
fill(struct build *b, doc_node *n, const yaml_event_t *event, unsigned depth, bool is_key,
     GError **error)
{
    if (!check_limits(n, depth, error))
        return false;
    if (event->type == YAML_SCALAR_EVENT)
        return fill_scalar(n, event, is_key, error);
    return check_tag(n,
                     n->kind == DOC_LIST ? event->data.sequence_start.tag
                                         : event->data.mapping_start.tag,
                     error) &&
           fill_children(b, n, depth, error);
}

static doc_node *
build(struct build *b, const yaml_event_t *event, unsigned depth, bool is_key,
      GError **error)
{
    enum doc_kind kind = DOC_SCALAR;
    doc_node *n;

    if (event->type == YAML_ALIAS_EVENT)
        return build_alias(b, event, error);
    if (event->type == YAML_SEQUENCE_START_EVENT)
        kind = DOC_LIST;
    else if (event->type == YAML_MAPPING_START_EVENT)
        kind = DOC_MAP;
    n = node_new(b->doc, kind, &event->start_mark);
    if (!fill(b, n, event, depth, is_key, error)) {
        doc_node_free(n);
        return NULL;
    }
    if (anchor_of(event) != NULL)
        g_hash_table_replace(b->anchors, g_strdup((const char *)anchor_of(event)), n);
    return n;
}

/* ---- reading ---- */

/* Skips one event, which says that a document or the text begins or ends. */
static bool
skip_event(const struct build *b, yaml_event_type_t *ret_type, GError **error)
{
    yaml_event_t event;

    if (!next_event(b, &event, error))
        return false;
    *ret_type = event.type;
    if (event.type == YAML_DOCUMENT_START_EVENT && b->doc->root != NULL)
        doc_fail_at(b->doc, event.start_mark.line + 1, event.start_mark.column + 1, error,
                    "a second document starts here, expected one");
    yaml_event_delete(&event);
    return *ret_type != YAML_DOCUMENT_START_EVENT || b->doc->root == NULL;
}

static bool
read_document(struct build *b, GError **error)
{
    g_autoptr(GHashTable) anchors =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    yaml_event_type_t type = YAML_NO_EVENT;

    b->anchors = anchors;
    while (type != YAML_DOCUMENT_START_EVENT && type != YAML_STREAM_END_EVENT)
        if (!skip_event(b, &type, error))
            return false;
    if (type == YAML_STREAM_END_EVENT)
        return doc_fail_at(b->doc, 1, 1, error, "the file is empty");
    b->doc->root = build_next(b, 0, false, error);
    while (b->doc->root != NULL && type != YAML_STREAM_END_EVENT)
        if (!skip_event(b, &type, error))
            return false;
    return b->doc->root != NULL;
}

bool
doc_build(doc *d, const char *text, size_t size, GError **error)
{
    yaml_parser_t parser;
    struct build b = { .doc = d, .parser = &parser, .text = text };
    bool good;

    if (!yaml_parser_initialize(&parser)) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_SYSTEM, "%s: out of memory", d->name);
        return false;
    }
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    good = read_document(&b, error);
    yaml_parser_delete(&parser);
    return good;
}
