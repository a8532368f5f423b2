/* wallclock: turns the kernel's CLOCK_REALTIME stamps into monotonic time, also while the
 * wall clock is slewed or stepped. One per thread. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

typedef struct wallclock {
    int64_t offset_ns;          /* realtime - monotonic */
    int64_t previous_offset_ns; /* before the newest step */
    int64_t sampled_ns;
    int64_t step_ns; /* largest step seen, absolute */
} wallclock;

void wallclock_init(wallclock *w);
/* Samples the offset again when the last sample is older than 50 ms. */
void wallclock_refresh(wallclock *w, int64_t now_ns);
/* The monotonic time of a kernel stamp. `likely_ns`: it is not expected to be older than
 * this, which tells the offsets before and after a step apart; `earliest_ns`: it cannot
 * be older. False when no known offset gives a time in there. */
bool wallclock_convert(wallclock *w, int64_t realtime_ns, int64_t likely_ns,
                       int64_t earliest_ns, int64_t now_ns, int64_t *ret_ns);
/* Largest step since the last call. */
int64_t wallclock_take_step(wallclock *w);
