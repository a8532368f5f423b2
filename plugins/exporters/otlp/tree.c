#include "tree.h"

#include <stdlib.h>
#include <string.h>

#define BLOCK 65536

struct tree_block {
    struct tree_block *next;
    size_t size, used;
    _Alignas(16) char data[];
};

static struct tree_block *
new_block(size_t needed)
{
    const size_t size = needed > BLOCK ? needed : BLOCK;
    struct tree_block *b = malloc(sizeof *b + size);

    if (b != NULL) {
        b->next = NULL;
        b->size = size;
        b->used = 0;
    }
    return b;
}

void *
tree_room(struct tree *t, size_t size)
{
    const size_t needed = (size + 15) & ~(size_t)15;
    struct tree_block *b = t->at;
    void *room;

    while (b != NULL && b->size - b->used < needed && b->next != NULL) {
        b = b->next;
        b->used = 0;
    }
    if (b == NULL || b->size - b->used < needed) {
        struct tree_block *fresh = new_block(needed);

        if (fresh == NULL) {
            t->failed = 1;
            return NULL;
        }
        if (b == NULL)
            t->blocks = fresh;
        else
            b->next = fresh;
        b = fresh;
    }
    t->at = b;
    room = b->data + b->used;
    b->used += needed;
    return room;
}

void
tree_clear(struct tree *t)
{
    while (t->blocks != NULL) {
        struct tree_block *next = t->blocks->next;

        free(t->blocks);
        t->blocks = next;
    }
    t->at = NULL;
}

/* Takes what finds no memory; `failed` is set then. */
static _Thread_local struct node nowhere;

static struct node *
new_node(struct tree *t, const struct otlp_field *f)
{
    struct node *n = tree_room(t, sizeof *n);

    if (n == NULL)
        n = &nowhere;
    memset(n, 0, sizeof *n);
    n->field = f;
    return n;
}

struct node *
tree_begin(struct tree *t)
{
    t->at = t->blocks;
    if (t->at != NULL)
        t->at->used = 0;
    t->failed = 0;
    return new_node(t, NULL);
}

static struct node *
add(struct tree *t, struct node *to, const struct otlp_field *f)
{
    struct node *n = new_node(t, f);

    if (n == &nowhere || to == &nowhere)
        return n;
    if (to->last == NULL)
        to->first = n;
    else
        to->last->next = n;
    to->last = n;
    return n;
}

struct node *
tree_message(struct tree *t, struct node *to, const struct otlp_field *f)
{
    return add(t, to, f);
}

void
tree_integer(struct tree *t, struct node *to, const struct otlp_field *f, uint64_t value)
{
    add(t, to, f)->value.integer = value;
}

void
tree_number(struct tree *t, struct node *to, const struct otlp_field *f, double value)
{
    add(t, to, f)->value.number = value;
}

void
tree_bytes(struct tree *t, struct node *to, const struct otlp_field *f, const void *data,
           size_t size)
{
    add(t, to, f)->value.bytes = (struct lens_bytes){ data, size };
}

void
tree_string(struct tree *t, struct node *to, const struct otlp_field *f, const char *text)
{
    tree_bytes(t, to, f, text, strlen(text));
}

void
tree_packed(struct tree *t, struct node *to, const struct otlp_field *f,
            const void *items, size_t count)
{
    struct node *n = add(t, to, f);

    n->value.packed.items = items;
    n->value.packed.count = count;
}
