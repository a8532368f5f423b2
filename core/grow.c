/* Memory whose size a server decides, counted against what the whole process may take. */
#include "grow.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_size_t grown;

size_t
host_grown_bytes(void)
{
    return atomic_load_explicit(&grown, memory_order_relaxed);
}

/* Takes `more` bytes of the allowance, or none. */
static bool
reserve(size_t more)
{
    size_t now = host_grown_bytes();

    do {
        if (more > GROW_PROCESS_MAX || now > GROW_PROCESS_MAX - more)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(
        &grown, &now, now + more, memory_order_relaxed, memory_order_relaxed));
    return true;
}

static void
release(size_t less)
{
    atomic_fetch_sub_explicit(&grown, less, memory_order_relaxed);
}

void *
grow_memory(void *old, size_t old_size, size_t size)
{
    void *grown_memory;

    if (old == NULL)
        old_size = 0;
    if (size == 0) {
        free(old);
        release(old_size);
        return NULL;
    }
    if (size > GROW_BUFFER_MAX || (size > old_size && !reserve(size - old_size)))
        return NULL;
    grown_memory = realloc(old, size);
    if (grown_memory == NULL) {
        if (size > old_size)
            release(size - old_size);
    } else if (size < old_size) {
        release(old_size - size);
    }
    return grown_memory;
}
