#include "chrono.h"

#include <time.h>

static int64_t
read_clock(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

int64_t
chrono_now(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t
chrono_wall(void)
{
    return read_clock(CLOCK_REALTIME);
}

int64_t
chrono_thread_cpu(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

int64_t
chrono_offset(unsigned tries, int64_t *ret_width_ns)
{
    int64_t best_width = INT64_MAX;
    int64_t offset = 0;

    for (unsigned i = 0; i < tries || i == 0; i++) {
        const int64_t before = chrono_now();
        const int64_t wall = chrono_wall();
        const int64_t after = chrono_now();

        if (after - before < best_width) {
            best_width = after - before;
            offset = wall - (before + (after - before) / 2);
        }
    }
    if (ret_width_ns != NULL)
        *ret_width_ns = best_width;
    return offset;
}
