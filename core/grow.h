/* grow: the memory behind host->grow and the host's own buffers of server bytes. Any
 * thread. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define GROW_BUFFER_MAX ((size_t)64 << 20)
#define GROW_PROCESS_MAX ((size_t)128 << 20)

/* As host->grow: `old` (NULL at first) of `old_size` bytes becomes `size` bytes; 0 frees.
 * NULL when a limit is passed: the old memory stays. */
void *grow_memory(void *old, size_t old_size, size_t size);
/* What is given out in this process, bytes. */
size_t host_grown_bytes(void);
