/* Arrivals that are due at one moment: how far apart they really left. A burst of N
 * should leave at once; connecting and sending N requests takes a client some time, which
 * must not stay hidden. */
#include "engine-private.h"

struct burst {
    int64_t first_ns, last_ns; /* departures; -1: none yet */
    unsigned count, open;
    bool complete; /* no more arrivals are due at its moment */
};

static void
settle(engine *e, struct burst *b)
{
    if (!b->complete || b->open > 0)
        return;
    if (b->count > 1 && b->first_ns >= 0)
        e->report->burst_spread_ns =
            MAX(e->report->burst_spread_ns, b->last_ns - b->first_ns);
    g_free(b);
}

void
engine_close_burst(engine *e)
{
    struct burst *b = e->burst;

    e->burst = NULL;
    if (b == NULL)
        return;
    b->complete = true;
    settle(e, b);
}

void
engine_join_burst(engine *e, flight *f, int64_t due_ns)
{
    if (!e->run->open_loop)
        return;
    if (e->burst == NULL || e->burst_due_ns != due_ns) {
        engine_close_burst(e);
        e->burst = g_new0(struct burst, 1);
        e->burst->first_ns = e->burst->last_ns = -1;
        e->burst_due_ns = due_ns;
    }
    f->burst = e->burst;
    e->burst->count++;
    e->burst->open++;
}

void
engine_leave_burst(engine *e, flight *f)
{
    struct burst *b = f->burst;
    const int64_t at_ns = f->sample->attempts[0].departure_ns;

    f->burst = NULL;
    if (b == NULL)
        return;
    if (at_ns >= 0) {
        b->first_ns = b->first_ns < 0 ? at_ns : MIN(b->first_ns, at_ns);
        b->last_ns = MAX(b->last_ns, at_ns);
    }
    b->open--;
    settle(e, b);
}
