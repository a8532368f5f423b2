/* doc-private: the tree behind doc.h. */
#pragma once

#include "doc.h"

/* Far more than any plan needs, and nothing that could hurt. */
enum {
    DOC_SIZE_LIMIT = 1 << 20,
    DOC_NODE_LIMIT = 20000,
    DOC_DEPTH_LIMIT = 32,
    DOC_KEY_LIMIT = 1000, /* of one map: finding doubles is quadratic */
    DOC_TEXT_LIMIT = 4 << 20
};

struct doc_node {
    doc *doc;
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

void doc_node_free(doc_node *n);
/* As doc_fail, for places without a node. */
bool doc_fail_at(const doc *d, size_t line, size_t column, GError **error,
                 const char *text);
/* Fills `d` from YAML. */
bool doc_build(doc *d, const char *text, size_t size, GError **error);
/* Replaces ${NAME} in a scalar. */
bool doc_replace_variables(doc_node *n, GError **error);
