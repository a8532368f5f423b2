/* How a message leaves under a fault that is about sending. */
#include "mock-private.h"

#include <string.h>

#include "chrono.h"

enum { HEAD_PIECES = 16 };
/* Far enough apart for the client to read the halves one by one. */
#define SPLIT_NS (2 * NS_PER_MS)
#define DRIP_NS (5 * NS_PER_MS)

static void
hold(struct connection *c, struct lens_bytes rest, bool end)
{
    c->held.size = 0;
    buffer_append(&c->held, rest.data, rest.size);
    c->answer.held_end = end;
}

static bool
send_all(struct connection *c, struct lens_bytes message)
{
    if (connection_send(c, message.data, message.size))
        return true;
    connection_close(c);
    return false;
}

static bool
send_bytewise(struct connection *c, struct lens_bytes message)
{
    for (size_t i = 0; i < message.size; i++)
        if (!send_all(c, (struct lens_bytes){ message.data + i, 1 }))
            return false;
    return true;
}

/* Cuts behind the first byte of the first character that has several. */
static bool
send_split(struct connection *c, struct lens_bytes message, bool end)
{
    for (size_t i = 0; i + 1 < message.size; i++)
        if ((unsigned char)message.data[i] >= 0xc0) {
            if (!send_all(c, (struct lens_bytes){ message.data, i + 1 }))
                return false;
            hold(c, (struct lens_bytes){ message.data + i + 1, message.size - i - 1 },
                 end);
            c->answer.phase = PHASE_HELD;
            answer_schedule(c, c->server->sent_ns + SPLIT_NS);
            return false;
        }
    return send_all(c, message);
}

static size_t
head_size(struct lens_bytes message)
{
    const char *end = memmem(message.data, message.size, "\r\n\r\n", 4);

    return (size_t)(end - message.data) + 4;
}

/* A whole answer breaks off in the middle of its body. */
static bool
send_half(struct connection *c, struct lens_bytes message)
{
    const size_t head = head_size(message);

    message.size = head + (message.size - head) / 2;
    if (!send_all(c, message))
        return false;
    if (c->answer.fault == FAULT_CUT)
        connection_close(c);
    else
        fault_stall(c);
    return false;
}

bool
fault_send(struct connection *c, struct lens_bytes message, bool end)
{
    struct answer *a = &c->answer;
    const bool whole = a->phase == PHASE_WHOLE;

    switch ((enum mock_fault)a->fault) {
    case FAULT_BYTEWISE:
        return send_bytewise(c, message);
    case FAULT_SPLIT_UTF8:
        return send_split(c, message, end);
    case FAULT_CUT:
    case FAULT_STALL:
        return whole ? send_half(c, message) : send_all(c, message);
    case FAULT_SLOW_HEADERS:
        if (!whole)
            return send_all(c, message);
        hold(c, message, true);
        a->phase = PHASE_HEAD;
        fault_fire_head(c);
        return false;
    default:
        return send_all(c, message);
    }
}

/* The head in pieces, one every ITL; a whole answer's body comes behind the last one. */
void
fault_fire_head(struct connection *c)
{
    const mock_settings *s = &c->server->settings;
    struct answer *a = &c->answer;
    const size_t head = head_size((struct lens_bytes){ c->held.data, c->held.size });
    const size_t from = head * a->pieces / HEAD_PIECES;
    const size_t to = head * (a->pieces + 1u) / HEAD_PIECES;

    if (!send_all(c, (struct lens_bytes){ c->held.data + from, to - from }))
        return;
    if (++a->pieces < HEAD_PIECES) {
        answer_schedule(c, c->due_ns + (s->itl_ns > 0 ? s->itl_ns : NS_PER_MS));
        return;
    }
    if (!send_all(c, (struct lens_bytes){ c->held.data + head, c->held.size - head }))
        return;
    a->base_ns = c->due_ns - s->ttft_ns;
    answer_continue(c, a->turn.stream == 0);
}

void
fault_fire_held(struct connection *c)
{
    if (!send_all(c, (struct lens_bytes){ c->held.data, c->held.size }))
        return;
    answer_note_output(c);
    answer_continue(c, c->answer.held_end);
}

/* A whole answer that never ends: white space is JSON's. */
void
fault_fire_drip(struct connection *c)
{
    mock *m = c->server;

    render_begin(m);
    for (int i = 0; i < 8; i++)
        buffer_append(&m->render, "        ", 8);
    if (send_all(c, render_frame(c, false)))
        answer_schedule(c, c->due_ns + MAX(m->settings.itl_ns, DRIP_NS));
}
