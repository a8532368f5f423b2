/* doc: a YAML or JSON text as a tree whose nodes know their place, for messages such as
 * "plan.yaml:3:5: ...". Size, depth and aliases are limited, so any input is fine. In
 * values ${NAME} is replaced by that environment variable; $${ stands for ${. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

enum doc_kind { DOC_SCALAR, DOC_LIST, DOC_MAP };

typedef struct doc doc;
typedef struct doc_node doc_node;

/* `name` is the file's, for messages. Keys of a map are unique, scalars and not empty. */
doc *doc_parse(const char *text, size_t size, const char *name, GError **error);
doc *doc_read_file(const char *path, GError **error);
void doc_free(doc *d);
const doc_node *doc_root(const doc *d);

enum doc_kind doc_kind(const doc_node *n);
unsigned doc_count(const doc_node *n); /* items of a list, pairs of a map */
const doc_node *doc_item(const doc_node *n, unsigned nth); /* of a list; value of a map */
const doc_node *doc_key(const doc_node *n, unsigned nth);  /* of a map */
const char *doc_key_text(const doc_node *n, unsigned nth);
const doc_node *doc_get(const doc_node *map, const char *key); /* NULL: not there */
/* Of a scalar; NULL: another kind, or null. */
const char *doc_text(const doc_node *n);
bool doc_is_plain(const doc_node *n); /* a scalar without quotes */
/* The node as JSON: plain scalars by their form, quoted ones as strings. Caller frees. */
char *doc_to_json(const doc_node *n);
/* "plan.yaml:3:5". Caller frees. */
char *doc_place(const doc_node *n);

/* Sets "PLACE: MESSAGE" (exit code 2) and gives false. */
bool doc_fail(const doc_node *n, GError **error, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
/* Puts "PLACE: KEY: " before an error; `key` may be NULL. A value that came out of an
 * environment variable is shown by its name. Gives false. */
bool doc_locate(const doc_node *n, const char *key, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(doc, doc_free)
