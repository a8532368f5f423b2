#include "mock-private.h"

static void
place(struct heap *h, uint32_t at, struct connection *c)
{
    h->items[at] = c;
    c->heap_index = at;
}

static void
sift_up(struct heap *h, uint32_t at, struct connection *c)
{
    while (at > 1 && h->items[at / 2]->due_ns > c->due_ns) {
        place(h, at, h->items[at / 2]);
        at /= 2;
    }
    place(h, at, c);
}

static void
sift_down(struct heap *h, uint32_t at, struct connection *c)
{
    for (;;) {
        uint32_t child = at * 2;

        if (child > h->count)
            break;
        if (child < h->count && h->items[child + 1]->due_ns < h->items[child]->due_ns)
            child++;
        if (h->items[child]->due_ns >= c->due_ns)
            break;
        place(h, at, h->items[child]);
        at = child;
    }
    place(h, at, c);
}

void
heap_set(struct heap *h, struct connection *c, int64_t due_ns)
{
    const int64_t before = c->due_ns;

    c->due_ns = due_ns;
    if (c->heap_index != 0) {
        if (due_ns < before)
            sift_up(h, c->heap_index, c);
        else
            sift_down(h, c->heap_index, c);
        return;
    }
    if (h->count + 1 >= h->capacity) {
        h->capacity = MAX(64, h->capacity * 2);
        h->items = g_renew(struct connection *, h->items, h->capacity);
    }
    sift_up(h, ++h->count, c);
}

void
heap_remove(struct heap *h, struct connection *c)
{
    const uint32_t at = c->heap_index;
    struct connection *last;

    if (at == 0)
        return;
    c->heap_index = 0;
    last = h->items[h->count--];
    if (last == c)
        return;
    if (at > 1 && h->items[at / 2]->due_ns > last->due_ns)
        sift_up(h, at, last);
    else
        sift_down(h, at, last);
}

struct connection *
heap_first(const struct heap *h)
{
    return h->count > 0 ? h->items[1] : NULL;
}

void
heap_clear(struct heap *h)
{
    g_free(h->items);
    *h = (struct heap){ 0 };
}
