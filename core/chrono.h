/* chrono: the only clock. Monotonic nanoseconds; wall clock for dates and signing. */
#pragma once

#include <stdint.h>

#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)

/* CLOCK_MONOTONIC. */
int64_t chrono_now(void);
/* CLOCK_REALTIME. */
int64_t chrono_wall(void);
/* CPU time of the calling thread. */
int64_t chrono_thread_cpu(void);
/* wall - monotonic: the read is bracketed and the tightest of `tries` kept;
 * `ret_width_ns` (may be NULL) receives the width of the bracket. */
int64_t chrono_offset(unsigned tries, int64_t *ret_width_ns);
