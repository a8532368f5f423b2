/* ring: a bounded queue of pointers between one producer thread and one consumer thread.
 *
 * No lock and no system call: the producer only writes its own index, the consumer only
 * its own, and each looks at the other's index only when its own copy of it says full, or
 * too few. What was written before a push is visible after the matching pop. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct ring ring;

/* `capacity` must be a power of two. */
ring *ring_new(size_t capacity);
/* The items still inside are the caller's to free first. */
void ring_free(ring *r);

/* Producer thread. false: full. */
bool ring_push(ring *r, void *item);
/* Consumer thread: up to `limit` items, oldest first; gives their number. */
size_t ring_pop(ring *r, void **ret_items, size_t limit);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(ring, ring_free)
