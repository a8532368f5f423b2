/* The connections of the wire: made, kept, closed. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <lens/provider.h>

#include "chrono.h"
#include "sample.h"
#include "wire-private.h"

/* A kept connection that nobody used for this long has most likely been dropped by
 * something on the way; libcurl's limit. */
static const int64_t IDLE_MOST_NS = 118 * NS_PER_S;

/* ---- lists ---- */

static void
add_to(GPtrArray *list, wire_connection *c)
{
    c->slot = list->len;
    g_ptr_array_add(list, c);
}

static void
remove_from(GPtrArray *list, wire_connection *c)
{
    g_ptr_array_remove_index_fast(list, c->slot);
    if (c->slot < list->len)
        ((wire_connection *)list->pdata[c->slot])->slot = c->slot;
}

static void
set_connecting(wire_connection *c, bool connecting)
{
    wire *w = c->wire;

    if (c->connecting == connecting)
        return;
    remove_from(c->connecting ? w->connecting : w->open, c);
    c->connecting = connecting;
    add_to(connecting ? w->connecting : w->open, c);
}

static void
close_socket(wire_connection *c)
{
    if (c->item.fd < 0)
        return;
    poller_forget(c->wire->base.poller, &c->item);
    close(c->item.fd);
    c->item.fd = -1;
}

void
wire_connection_close(wire_connection *c)
{
    struct wire_exchange *e = c->exchange;
    wire *w = c->wire;

    if (e != NULL)
        e->connection = NULL;
    else
        g_ptr_array_remove(c->origin->idle, c);
    if (c->departing)
        g_ptr_array_remove_fast(w->departing, c);
    wire_drop_pieces(c);
    close_socket(c);
    remove_from(c->connecting ? w->connecting : w->open, c);
    http1_clear(&c->answer);
    unencoder_free(c->unencoder);
    if (c->unsent_head != NULL)
        g_string_free(c->unsent_head, TRUE);
    g_free(c);
}

void
wire_connection_release(wire_connection *c)
{
    http1_clear(&c->answer);
    unencoder_free(c->unencoder);
    c->unencoder = NULL;
    if (c->over && c->answer.keep && !c->spoiled && !c->ended && c->error == 0 &&
        !c->sending && c->first_piece == NO_PIECE && c->wire->base.target->reuse) {
        c->used = true;
        c->idle_since_ns = chrono_now();
        g_ptr_array_add(c->origin->idle, c);
        return;
    }
    wire_connection_close(c);
}

/* It has nothing to say while nobody asks; what came since the last look (an end, a late
 * 408) would pass for the answer to the next request. */
static bool
is_quiet(const wire_connection *c)
{
    char byte;

    return recv(c->item.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 &&
           (errno == EAGAIN || errno == EINTR);
}

/* The one that was used last: the fewest connections stay warm. */
static wire_connection *
take_idle(wire_origin *o)
{
    while (o->idle->len > 0) {
        wire_connection *c = o->idle->pdata[o->idle->len - 1];

        if (!c->ended && c->error == 0 && c->first_piece == NO_PIECE &&
            chrono_now() - c->idle_since_ns < IDLE_MOST_NS && is_quiet(c)) {
            g_ptr_array_set_size(o->idle, (int)o->idle->len - 1);
            return c;
        }
        wire_connection_close(c);
    }
    return NULL;
}

/* ---- connecting ---- */

static bool
is_shortage(int error)
{
    return error == EMFILE || error == ENFILE || error == EADDRNOTAVAIL ||
           error == ENOBUFS || error == ENOMEM;
}

static void
fail_connect(wire_connection *c, int error)
{
    struct wire_exchange *e = c->exchange;
    wire *w = c->wire;
    const int64_t took_ns = chrono_now() - e->x.start_ns;

    if (is_shortage(error))
        transport_note_shortage();
    if (error == EMFILE || error == ENFILE) {
        g_strlcpy(w->detail, TRANSPORT_NO_FDS, sizeof w->detail);
    } else {
        g_snprintf(w->detail, sizeof w->detail,
                   "Failed to connect to %s port %u after %" G_GINT64_FORMAT " ms: %s",
                   c->origin->host, c->origin->port, took_ns / NS_PER_MS,
                   g_strerror(error));
    }
    if (error == ETIMEDOUT)
        wire_end(e, LENS_KIND_TIMEOUT, WHERE_CLIENT, TRANSPORT_CONNECT_TIMEOUT);
    else
        wire_end(e, LENS_KIND_CONNECT, WHERE_CONNECT, w->detail);
}

/* 0 when it is under way, else errno. */
static int
open_socket(wire_connection *c)
{
    const struct wire_address *a = &c->origin->addresses[c->address];
    const int yes = 1;
    const int fd = socket(a->to.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return errno;
    c->item.fd = fd;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (connect(fd, (const struct sockaddr *)(const void *)&a->to, a->size) < 0 &&
        errno != EINPROGRESS) {
        const int error = errno;

        close_socket(c);
        return error;
    }
    c->stamper = (stamper){ 0 };
    if (!c->wire->base.user_clock)
        stamper_enable(&c->stamper, fd);
    c->watches_room = true; /* that is how it tells that it is connected */
    poller_add(c->wire->base.poller, &c->item, WIRE_EVENTS | EPOLLOUT);
    return 0;
}

/* The next of the addresses, beginning with the one that worked last. With more to come
 * it gets half of the time that is left. */
static void
try_addresses(wire_connection *c, int error)
{
    wire_origin *o = c->origin;
    wire *w = c->wire;
    struct wire_exchange *e = c->exchange;

    while (c->tried < o->address_count) {
        const int64_t now_ns = chrono_now();

        c->address = (o->preferred + c->tried++) % o->address_count;
        error = open_socket(c);
        if (error == EMFILE || error == ENFILE)
            break;
        if (error != 0)
            continue;
        c->give_up_ns = c->tried < o->address_count && e->connect_by_ns != INT64_MAX
                            ? now_ns + (e->connect_by_ns - now_ns) / 2
                            : e->connect_by_ns;
        w->deadline_ns = MIN(w->deadline_ns, c->give_up_ns);
        return;
    }
    fail_connect(c, error);
}

static void
attach(wire_connection *c, struct wire_exchange *e)
{
    c->exchange = e;
    e->connection = c;
    e->state = WIRE_CONNECTED;
    c->head_done = c->over = c->odd_coding = false;
    c->send_error = 0;
    http1_begin(&c->answer, e->x.headers, e->x.header_text);
}

static void
connect_new(wire *w, wire_origin *o, struct wire_exchange *e)
{
    wire_connection *c = g_new0(wire_connection, 1);

    c->item.fd = -1;
    c->item.takes = true;
    c->item.stamp = wire_on_stamp;
    c->item.work = wire_on_work;
    c->wire = w;
    c->origin = o;
    c->first_piece = c->last_piece = NO_PIECE;
    c->connecting = true;
    add_to(w->connecting, c);
    attach(c, e);
    e->x.reused = false;
    e->x.dns_ns = chrono_now();
    try_addresses(c, EHOSTUNREACH);
}

static void
connect_resolved(wire *w, wire_origin *o, struct wire_exchange *e)
{
    if (o->address_count > 0) {
        connect_new(w, o, e);
        return;
    }
    g_snprintf(w->detail, sizeof w->detail, "Could not resolve host: %s", o->host);
    wire_end(e, LENS_KIND_DNS, WHERE_CONNECT, w->detail);
}

void
wire_connect(wire *w, struct wire_exchange *e)
{
    const int64_t limit_ns = w->base.target->connect_timeout_ns;
    wire_origin *o = wire_place_of(w, e->x.request.url.data)->origin;
    wire_connection *c = e->fresh_only ? NULL : take_idle(o);

    e->x.start_ns = chrono_now();
    if (c != NULL) {
        attach(c, e);
        e->x.reused = true;
        wire_send(c);
        return;
    }
    e->connect_by_ns = limit_ns > 0 ? e->x.start_ns + limit_ns : INT64_MAX;
    if (wire_resolve(o)) {
        connect_resolved(w, o, e);
        return;
    }
    e->state = WIRE_WAITING;
    g_ptr_array_add(o->waiting, e);
    w->deadline_ns = MIN(w->deadline_ns, e->connect_by_ns);
}

void
wire_on_resolved(wire_origin *o)
{
    while (o->waiting->len > 0)
        connect_resolved(o->wire, o, g_ptr_array_steal_index(o->waiting, 0));
}

void
wire_connect_continue(wire_connection *c, uint32_t events)
{
    socklen_t size = sizeof c->error;
    int error = 0;

    if (getsockopt(c->item.fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (error != 0) {
        close_socket(c);
        try_addresses(c, error);
        return;
    }
    c->origin->preferred = c->address;
    c->exchange->x.connect_ns = chrono_now();
    set_connecting(c, false);
    wire_send(c);
    /* It speaks, or hangs up, before it was asked: this edge will not come again. */
    if ((events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLHUP)) != 0)
        poller_look_again(c->wire->base.poller, &c->item);
}

/* ---- time ---- */

static void
sweep_waiting(wire *w, wire_origin *o, int64_t now_ns, GPtrArray *late)
{
    for (unsigned i = o->waiting->len; i-- > 0;) {
        struct wire_exchange *e = o->waiting->pdata[i];

        if (e->connect_by_ns <= now_ns)
            g_ptr_array_add(late, g_ptr_array_steal_index(o->waiting, i));
        else
            w->deadline_ns = MIN(w->deadline_ns, e->connect_by_ns);
    }
}

void
wire_connect_sweep(wire *w, int64_t now_ns)
{
    g_autoptr(GPtrArray) late = g_ptr_array_new();
    GHashTableIter all;
    void *origin;

    w->deadline_ns = INT64_MAX;
    for (unsigned i = w->connecting->len; i-- > 0;) {
        wire_connection *c;

        if (i >= w->connecting->len) /* one that ended may have taken others with it */
            continue;
        c = w->connecting->pdata[i];
        if (c->give_up_ns <= now_ns) {
            close_socket(c);
            try_addresses(c, ETIMEDOUT);
        } else {
            w->deadline_ns = MIN(w->deadline_ns, c->give_up_ns);
        }
    }
    g_hash_table_iter_init(&all, w->origins);
    while (g_hash_table_iter_next(&all, NULL, &origin))
        sweep_waiting(w, origin, now_ns, late);
    /* What ends may start others, to hosts that are new. */
    for (unsigned i = 0; i < late->len; i++) {
        struct wire_exchange *e = late->pdata[i];

        if (e->state == WIRE_WAITING)
            wire_end(e, LENS_KIND_TIMEOUT, WHERE_CLIENT, TRANSPORT_CONNECT_TIMEOUT);
    }
}
