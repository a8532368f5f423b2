#include "wallclock.h"

#include <stdlib.h>

#include "chrono.h"

/* Slewing moves the offset by at most 0.5 ms a second; what is faster is a step. */
static const int64_t STEP_NS = 200 * NS_PER_US;
static const int64_t REFRESH_NS = 50 * NS_PER_MS;
/* Two clock reads in different CPUs' caches may disagree by this much. */
static const int64_t SLACK_NS = 20 * NS_PER_US;

static void
resample(wallclock *w, int64_t now_ns)
{
    const int64_t offset = chrono_offset(5, NULL);
    const int64_t step = llabs(offset - w->offset_ns);

    if (step > STEP_NS) {
        w->previous_offset_ns = w->offset_ns;
        if (step > w->step_ns)
            w->step_ns = step;
    }
    w->offset_ns = offset;
    w->sampled_ns = now_ns;
}

void
wallclock_init(wallclock *w)
{
    w->offset_ns = chrono_offset(15, NULL);
    w->previous_offset_ns = w->offset_ns;
    w->sampled_ns = chrono_now();
    w->step_ns = 0;
}

void
wallclock_refresh(wallclock *w, int64_t now_ns)
{
    if (now_ns - w->sampled_ns >= REFRESH_NS)
        resample(w, now_ns);
}

static bool
fits(int64_t at_ns, int64_t earliest_ns, int64_t now_ns, int64_t *ret_ns)
{
    if (at_ns < earliest_ns - SLACK_NS || at_ns > now_ns + SLACK_NS)
        return false;
    *ret_ns = at_ns > now_ns ? now_ns : at_ns;
    return true;
}

bool
wallclock_convert(wallclock *w, int64_t realtime_ns, int64_t likely_ns,
                  int64_t earliest_ns, int64_t now_ns, int64_t *ret_ns)
{
    if (fits(realtime_ns - w->offset_ns, likely_ns, now_ns, ret_ns))
        return true;
    if (now_ns - w->sampled_ns > NS_PER_MS)
        resample(w, now_ns);
    return fits(realtime_ns - w->offset_ns, likely_ns, now_ns, ret_ns) ||
           fits(realtime_ns - w->previous_offset_ns, likely_ns, now_ns, ret_ns) ||
           fits(realtime_ns - w->offset_ns, earliest_ns, now_ns, ret_ns);
}

int64_t
wallclock_take_step(wallclock *w)
{
    const int64_t step = w->step_ns;

    w->step_ns = 0;
    return step;
}
