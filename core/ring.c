#include "ring.h"

#include <stdalign.h>
#include <stdatomic.h>
#include <stdlib.h>

#define CACHE_LINE 64

/* Indexes run freely and wrap with size_t; `& mask` gives the slot. */
struct ring {
    alignas(CACHE_LINE) atomic_size_t head; /* next to pop, written by the consumer */
    size_t seen_tail;                       /* of the consumer */
    alignas(CACHE_LINE) atomic_size_t tail; /* next to push, written by the producer */
    size_t seen_head;                       /* of the producer */
    alignas(CACHE_LINE) size_t mask;
    void **items;
};

ring *
ring_new(size_t capacity)
{
    ring *r;

    g_return_val_if_fail(capacity > 0 && (capacity & (capacity - 1)) == 0, NULL);
    r = aligned_alloc(CACHE_LINE, sizeof *r);
    if (r == NULL)
        g_error("out of memory for a ring");
    atomic_init(&r->head, 0);
    atomic_init(&r->tail, 0);
    r->seen_head = r->seen_tail = 0;
    r->mask = capacity - 1;
    r->items = g_new0(void *, capacity);
    return r;
}

void
ring_free(ring *r)
{
    if (r == NULL)
        return;
    g_free(r->items);
    free(r);
}

bool
ring_push(ring *r, void *item)
{
    const size_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);

    if (tail - r->seen_head > r->mask) {
        r->seen_head = atomic_load_explicit(&r->head, memory_order_acquire);
        if (tail - r->seen_head > r->mask)
            return false;
    }
    r->items[tail & r->mask] = item;
    atomic_store_explicit(&r->tail, tail + 1, memory_order_release);
    return true;
}

size_t
ring_pop(ring *r, void **ret_items, size_t limit)
{
    const size_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
    size_t count;

    if (r->seen_tail - head < limit)
        r->seen_tail = atomic_load_explicit(&r->tail, memory_order_acquire);
    count = MIN(r->seen_tail - head, limit);
    for (size_t i = 0; i < count; i++)
        ret_items[i] = r->items[(head + i) & r->mask];
    if (count > 0)
        atomic_store_explicit(&r->head, head + count, memory_order_release);
    return count;
}
