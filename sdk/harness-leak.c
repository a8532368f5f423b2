/* Does a cycle give back what it took? */
#include <malloc.h>

#include "harness.h"

/* Enough rounds to fill the allocator's own caches first, and to tell a leak, which is
 * there in every round, from a table that grows once. */
#define WARM_UP 24
#define ROUNDS 16
/* A leak is in every window; memory with a large alignment, as languages other than C ask
 * for it, fills those caches slowly. */
#define WINDOWS 100

static int64_t
in_use(void)
{
    const struct mallinfo2 info = mallinfo2();

    return (int64_t)(info.uordblks + info.hblkhd);
}

/* Bytes that stay behind a window of rounds. */
static int64_t
window(int (*cycle)(void *data), void *data)
{
    const int64_t before = in_use();

    for (int i = 0; i < ROUNDS; i++)
        if (!cycle(data))
            return 0;
    return in_use() - before;
}

int64_t
lens_harness_leak(int (*cycle)(void *data), void *data)
{
    int64_t least = INT64_MAX;

    for (int i = 0; i < WARM_UP; i++)
        if (!cycle(data))
            return 0;
    for (int i = 0; i < WINDOWS && least >= ROUNDS * 32; i++) {
        const int64_t left = window(cycle, data);

        if (left < least)
            least = left;
    }
    /* The smallest block that can be lost is 32 bytes. */
    return least >= ROUNDS * 32 ? least / ROUNDS : 0;
}
