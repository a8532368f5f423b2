/* The messages of one look at the socket: which of them came together, and what their
 * times say. */
#include "chrono.h"
#include "flight-sink.h"

/* The heartbeat wakes the loop more often than that. */
static const int64_t STALL_NS = 25 * NS_PER_MS;
/* What two times may lie apart and still be called one. */
static const int64_t CLOSE_NS = 200 * NS_PER_US;

static bool
was_stalled(const struct poll_turn *turn)
{
    return turn->woke_ns - turn->previous_ns >= STALL_NS;
}

/* How long the bytes stamped `at_ns`, the newest of their read, may have been coming. A
 * loop that waited for them was woken by the first: if the newest is not older than its
 * waking, all are about as old. A busy one knows only when it had looked before. */
static bool
came_apart(const struct poll_turn *turn, int64_t at_ns)
{
    if (!was_stalled(turn) && turn->waited_ns > CLOSE_NS)
        return turn->woke_ns - at_ns > CLOSE_NS;
    return at_ns - turn->looked_ns > CLOSE_NS;
}

/* Messages that share a stamp have come together, unless the kernel took more segments
 * than we looked at: then all but the last of them are only known to lie before it. One
 * output message with a tail of others is taken for one write, unless the loop was late.
 */
static void
find_merged(flight *f)
{
    const struct poll_turn *turn = &f->exchange->turn;
    unsigned outputs = 0;

    for (unsigned i = 0; i < f->mark_count; i++)
        outputs += (f->marks[i].classes & LENS_MSG_OUTPUT) != 0;
    if (outputs == 0 || f->mark_count < 2)
        return;
    if (outputs == 1 && !was_stalled(turn))
        return;
    if (f->marks[0].clock != LENS_CLOCK_KERNEL ||
        !came_apart(turn, f->marks[f->mark_count - 1].at_ns) ||
        !transport_merged(f->exchange))
        return;
    for (unsigned i = 0; i + 1 < f->mark_count; i++) {
        if (f->marks[i].at_ns == f->marks[i + 1].at_ns &&
            came_apart(turn, f->marks[i].at_ns))
            f->marks[i].clock = LENS_CLOCK_INTERVAL;
    }
}

static void
note_output(flight *f, const struct flight_mark *m, int64_t now_ns)
{
    attempt *a = f->now;
    const int64_t at_ns = flight_run_time(f, m->at_ns);

    a->output_messages++;
    if (a->first_output_ns < 0) {
        a->first_output_ns = at_ns;
        a->first_clock = m->clock;
    } else if (a->second_output_ns < 0) {
        a->second_output_ns = at_ns;
    }
    if (a->first_text_ns < 0 && (m->classes & LENS_MSG_TEXT) != 0)
        a->first_text_ns = at_ns;
    a->last_output_ns = at_ns;
    f->last_output_ns = m->at_ns;
    f->output = true;
    if (m->clock == LENS_CLOCK_USER) {
        const struct poll_turn *turn = &f->exchange->turn;

        /* It came after the loop woke, and after the request had left. */
        a->user_stamps++;
        histogram_record(f->context->lag_user,
                         m->at_ns - MAX(turn->woke_ns, f->exchange->departure_ns));
        return;
    }
    if (m->clock == LENS_CLOCK_INTERVAL)
        a->interval_stamps++;
    else
        a->kernel_stamps++;
    histogram_record(f->context->lag_kernel, now_ns - m->at_ns);
}

static void
note_mark(flight *f, const struct flight_mark *m, bool shared, int64_t now_ns)
{
    attempt *a = f->now;
    const bool output = (m->classes & LENS_MSG_OUTPUT) != 0;

    a->messages++;
    if (a->first_message_ns < 0)
        a->first_message_ns = flight_run_time(f, m->at_ns);
    if (output && !f->terminal) {
        note_output(f, m, now_ns);
        a->shared_messages += shared;
    }
    if (!f->terminal && (m->classes & LENS_MSG_DONE) != 0) {
        f->terminal = true;
        f->terminal_ns = m->at_ns;
        a->terminal_ns = flight_run_time(f, m->at_ns);
    }
    timeline_add(&a->messages_log, flight_run_time(f, m->at_ns), m->classes, m->clock,
                 m->tokens, shared);
}

void
flight_take_marks(flight *f)
{
    const int64_t now_ns = chrono_now();

    for (unsigned i = 0; i < f->mark_count; i++)
        note_mark(f, &f->marks[i], i > 0 && f->marks[i].at_ns == f->marks[i - 1].at_ns,
                  now_ns);
    f->mark_count = 0;
}

void
flight_look(exchange *x)
{
    flight *f = x->user;

    if (f == NULL || f->mark_count == 0)
        return;
    find_merged(f);
    flight_take_marks(f);
}
