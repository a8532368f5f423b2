/* From the socket to the exchange: a look takes all bytes with their stamps into the
 * arena, the work reads the answer from there. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include <lens/provider.h>

#include "chrono.h"
#include "sample.h"
#include "wire-private.h"

enum {
    ARENA_SIZE = 4 * 1024 * 1024, /* touched as far as it is needed */
    READ_LEAST = 4096,            /* room for one */
    READ_MOST = 64 * 1024,
    LOOK_MOST = 256 * 1024 /* of one connection, so that all have their turn */
};

/* ---- the arena ---- */

void
wire_arena_init(struct arena *a)
{
    *a = (struct arena){ .data = g_malloc(ARENA_SIZE) };
    a->pieces = g_array_sized_new(FALSE, FALSE, sizeof(struct piece), 256);
}

void
wire_arena_clear(struct arena *a)
{
    g_free(a->data);
    g_array_unref(a->pieces);
}

static struct piece *
piece_at(wire *w, uint32_t index)
{
    return &g_array_index(w->arena.pieces, struct piece, index);
}

static void
add_piece(wire_connection *c, const struct piece *p)
{
    wire *w = c->wire;
    const uint32_t index = w->arena.pieces->len;

    g_array_append_vals(w->arena.pieces, p, 1);
    if (c->first_piece == NO_PIECE)
        c->first_piece = index;
    else
        piece_at(w, c->last_piece)->next = index;
    c->last_piece = index;
    w->arena.waiting++;
}

static void
forget_pieces(wire *w, unsigned count)
{
    w->arena.waiting -= count;
    if (w->arena.waiting > 0)
        return;
    w->arena.used = 0;
    w->arena.pieces->len = 0;
}

void
wire_drop_pieces(wire_connection *c)
{
    unsigned count = 0;

    for (uint32_t i = c->first_piece; i != NO_PIECE; i = piece_at(c->wire, i)->next)
        count++;
    c->first_piece = c->last_piece = NO_PIECE;
    if (count > 0)
        forget_pieces(c->wire, count);
}

/* ---- the look ---- */

/* Takes what there is. */
static void
drain(wire_connection *c)
{
    wire *w = c->wire;
    struct arena *a = &w->arena;
    struct piece p = { .next = NO_PIECE, .turn = *poller_turn(w->base.poller) };

    for (size_t taken = 0;;) {
        const size_t room = MIN(ARENA_SIZE - a->used, READ_MOST);
        ssize_t size;

        if (room < READ_LEAST || taken >= LOOK_MOST) {
            poller_look_again(w->base.poller, &c->item);
            return;
        }
        p.data = a->data + a->used;
        size =
            stamper_read(&c->stamper, c->item.fd, a->data + a->used, room, w->base.wall,
                         p.turn.looked_ns, chrono_now(), &p.at_ns, &p.clock);
        if (size == -EAGAIN)
            return;
        if (size <= 0) {
            c->ended = true;
            c->error = (int)-size;
            return;
        }
        p.size = (uint32_t)size;
        add_piece(c, &p);
        a->used += (size_t)size;
        taken += (size_t)size;
        if ((size_t)size < room && !c->closing && !c->urgent)
            return;
    }
}

void
wire_on_stamp(poll_item *item, uint32_t events)
{
    wire_connection *c = (wire_connection *)item;
    const struct wire_exchange *e = c->exchange;

    if (c->connecting || c->ended)
        return;
    if ((events & EPOLLERR) != 0 && e != NULL && e->begin_ns >= 0)
        stamper_departures(&c->stamper, item->fd, c->wire->base.wall, e->begin_ns,
                           e->sent_ns, chrono_now());
    c->closing |= (events & (EPOLLRDHUP | EPOLLHUP)) != 0;
    c->urgent |= (events & EPOLLPRI) != 0;
    if (c->closing || (events & (EPOLLIN | EPOLLPRI)) != 0)
        drain(c);
}

/* ---- the answer ---- */

static void
add_codings(wire_connection *c, const char *name)
{
    const GArray *headers = c->exchange->x.headers;
    const size_t size = strlen(name);

    for (unsigned i = 0; i < headers->len; i++) {
        const struct lens_pair *p = &g_array_index(headers, struct lens_pair, i);

        if (p->name.size == size && g_ascii_strncasecmp(p->name.data, name, size) == 0 &&
            !unencoder_add(&c->unencoder, p->value))
            c->odd_coding = true;
    }
}

/* Several headers are one list. Codings that are unknown matter only if a body comes. */
static void
choose_coding(wire_connection *c)
{
    add_codings(c, "content-encoding");
    add_codings(c, "transfer-encoding");
}

static bool
on_head(wire_connection *c, const struct piece *p)
{
    exchange *x = &c->exchange->x;

    x->http_version = c->answer.version;
    x->status = c->answer.status;
    exchange_settle_headers(x);
    choose_coding(c);
    c->head_done = true;
    if (c->stamper.rtt_us > 0)
        x->rtt_ns = c->stamper.rtt_us * NS_PER_US;
    if (c->sending && x->status >= 300) { /* it does not want the rest */
        c->sending = false;
        c->spoiled = true;
    }
    x->last_byte_ns = p->at_ns;
    return c->wire->base.events->head(x);
}

struct plain {
    wire_connection *connection;
    const struct piece *piece;
};

static bool
on_plain(void *data, const char *bytes, size_t size)
{
    const struct plain *to = data;

    return to->connection->wire->base.events->body(
        &to->connection->exchange->x, bytes, size, to->piece->at_ns, to->piece->clock);
}

static bool
end_badly(wire_connection *c, uint32_t kind, uint32_t where, const char *detail)
{
    if (where == WHERE_HTTP && c->head_done)
        where = WHERE_STREAM;
    wire_end(c->exchange, kind, where, detail);
    return false;
}

static bool
on_body(wire_connection *c, struct lens_bytes part, const struct piece *p)
{
    exchange *x = &c->exchange->x;
    struct plain to = { c, p };
    enum unencode_result result;

    x->bytes_received += part.size;
    x->last_byte_ns = p->at_ns;
    if (c->odd_coding)
        return end_badly(c, LENS_KIND_PROTOCOL, WHERE_STREAM,
                         "the content encoding is neither gzip nor deflate");
    if (c->unencoder == NULL)
        result = on_plain(&to, part.data, part.size) ? UNENCODE_OK : UNENCODE_STOPPED;
    else
        result = unencoder_write(c->unencoder, part.data, part.size, on_plain, &to);
    if (result == UNENCODE_OK)
        return true;
    return end_badly(c, LENS_KIND_PROTOCOL, WHERE_STREAM,
                     result == UNENCODE_BROKEN ? "the content encoding is broken"
                                               : "the answer was not read further");
}

/* False: the exchange has ended, and the connection may be gone. */
static bool
read_piece(wire_connection *c, const struct piece *p)
{
    struct lens_bytes rest = { p->data, p->size }, part = { 0 };

    for (;;) {
        switch (http1_next(&c->answer, &rest, &part)) {
        case HTTP1_MORE:
            return true;
        case HTTP1_HEAD:
            if (!on_head(c, p))
                return end_badly(c, LENS_KIND_PROTOCOL, WHERE_STREAM,
                                 "the answer was not read further");
            break;
        case HTTP1_BODY:
            if (!on_body(c, part, p))
                return false;
            break;
        case HTTP1_END:
            c->over = true;
            c->spoiled |= rest.size > 0;
            return true;
        case HTTP1_BAD:
            return end_badly(c, LENS_KIND_PROTOCOL, WHERE_HTTP, c->answer.why);
        case HTTP1_TOO_LARGE:
            return end_badly(c, LENS_KIND_TOO_LARGE, WHERE_CLIENT,
                             TRANSPORT_HEAD_TOO_LARGE);
        }
    }
}

static bool
take_piece(wire_connection *c, const struct piece *p)
{
    exchange *x = &c->exchange->x;

    if (c->over) {
        c->spoiled = true; /* nobody asked for more */
        return true;
    }
    x->turn = p->turn;
    if (x->first_byte_ns < 0) {
        wire_settle_departure(c);
        x->first_byte_ns = p->at_ns;
        x->first_byte_clock = p->clock;
    }
    if (!read_piece(c, p))
        return false;
    c->wire->base.events->look(x);
    return true;
}

/* ---- the end ---- */

static void
on_closed(wire_connection *c)
{
    wire *w = c->wire;
    struct wire_exchange *e = c->exchange;
    const int error = c->error != 0 ? c->error : c->send_error;

    if (c->used && !c->answer.begun) {
        wire_resend(e);
    } else if (error == 0 && http1_may_close(&c->answer)) {
        c->spoiled = true;
        wire_end(e, LENS_KIND_NONE, WHERE_NONE, NULL);
    } else if (error != 0) {
        g_snprintf(w->detail, sizeof w->detail, "%s failure: %s",
                   c->error != 0 ? "Recv" : "Send", g_strerror(error));
        end_badly(c, LENS_KIND_NETWORK, WHERE_HTTP, w->detail);
    } else {
        end_badly(c, c->head_done ? LENS_KIND_TRUNCATED : LENS_KIND_NETWORK, WHERE_HTTP,
                  http1_missing(&c->answer));
    }
}

/* False: the connection may be gone. */
static bool
take_pieces(wire_connection *c)
{
    while (c->first_piece != NO_PIECE) {
        const struct piece p = *piece_at(c->wire, c->first_piece);
        const bool ours = c->exchange != NULL;

        if (!ours) { /* talks out of turn */
            wire_connection_close(c);
            return false;
        }
        c->first_piece = p.next;
        if (p.next == NO_PIECE)
            c->last_piece = NO_PIECE;
        {
            wire *w = c->wire;
            const bool on = take_piece(c, &p);

            forget_pieces(w, 1);
            if (!on)
                return false;
        }
    }
    return true;
}

void
wire_on_work(poll_item *item, uint32_t events)
{
    wire_connection *c = (wire_connection *)item;

    if (c->connecting) {
        wire_connect_continue(c, events);
        return;
    }
    if (c->exchange != NULL && c->sending && (events & EPOLLOUT) != 0)
        wire_send_on(c);
    if (!take_pieces(c))
        return;
    if (c->exchange == NULL) {
        if (c->ended)
            wire_connection_close(c);
        return;
    }
    if (c->over)
        wire_end(c->exchange, LENS_KIND_NONE, WHERE_NONE, NULL);
    else if (c->ended || c->send_error != 0)
        on_closed(c);
}
