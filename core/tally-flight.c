/* How many requests were in flight while the closed loop was asked to hold its number:
 * from the window's start to the last due time. Behind that the loop runs empty, which is
 * no fault. The last due time is not known before the end, so requests that may reach
 * beyond it are kept aside. */
#include <math.h>

#include "chrono.h"
#include "tally.h"

/* From one request's end on the wire to the next one's due time; as long as it is this
 * short it is a matter of lag, which is judged by itself. */
#define TURNAROUND_NS (10 * NS_PER_MS)
#define ASIDE_MIN 64

void
tally_add_flight(tally *t, int64_t due_ns, int64_t end_ns)
{
    const struct tally_flight f = { MAX(due_ns, t->window_start_ns),
                                    end_ns + TURNAROUND_NS };

    if (due_ns == NEVER || end_ns == NEVER || f.end_ns <= f.start_ns)
        return;
    g_array_append_val(t->flights, f);
    if (t->flights->len < t->flights_limit)
        return;
    for (guint i = t->flights->len; i-- > 0;) {
        const struct tally_flight *old =
            &g_array_index(t->flights, struct tally_flight, i);

        if (old->end_ns <= t->last_due_ns) {
            t->flown_s += (double)(old->end_ns - old->start_ns) / 1e9;
            g_array_remove_index_fast(t->flights, i);
        }
    }
    t->flights_limit = MAX(ASIDE_MIN, 2 * t->flights->len);
}

static const int64_t SHORTEST_NS = 20 * NS_PER_MS;

double
tally_concurrency(const tally *t)
{
    double flown_s = t->flown_s;

    if (t->flights->len == 0 && flown_s <= 0)
        return t->concurrency;
    /* Everything started at once: there was no time to fall short in. */
    if (t->last_due_ns - t->window_start_ns < SHORTEST_NS)
        return NAN;
    for (guint i = 0; i < t->flights->len; i++) {
        const struct tally_flight *f = &g_array_index(t->flights, struct tally_flight, i);
        const int64_t end_ns = MIN(f->end_ns, t->last_due_ns);

        if (end_ns > f->start_ns)
            flown_s += (double)(end_ns - f->start_ns) / 1e9;
    }
    return flown_s / ((double)(t->last_due_ns - t->window_start_ns) / 1e9);
}
