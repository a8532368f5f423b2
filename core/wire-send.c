/* Requests to the wire: one write where they fit, and when they left. */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>

#include <lens/provider.h>

#include "chrono.h"
#include "wire-private.h"

enum {
    ONE_WRITE = 64 * 1024, /* of a larger request the first part goes alone, */
    FIRST_BODY = 16 * 1024 /* so that its departure is known */
};
/* Segments are counted anew, and the round trip measured, at most this often. */
static const int64_t COUNT_NS = 20 * NS_PER_MS;

/* ---- the head ---- */

/* What a request says unless its own headers say otherwise. */
struct given {
    bool user_agent, accept, accept_encoding, host;
};

static bool
is_header(const char *line, const char *name, size_t size)
{
    return g_ascii_strncasecmp(line, name, size) == 0 &&
           (line[size] == ':' || line[size] == ';');
}

#define IS_HEADER(line, name) is_header(line, name, sizeof(name) - 1)

static void
note_given(struct given *g, const char *line)
{
    switch (line[0] | 0x20) {
    case 'a':
        g->accept |= IS_HEADER(line, "Accept");
        g->accept_encoding |= IS_HEADER(line, "Accept-Encoding");
        break;
    case 'h':
        g->host |= IS_HEADER(line, "Host");
        break;
    case 'u':
        g->user_agent |= IS_HEADER(line, "User-Agent");
        break;
    default:
        break;
    }
}

#define ADD(head, text) g_string_append_len(head, text, sizeof(text) - 1)

static void
add(GString *head, const char *text)
{
    g_string_append_len(head, text, (gssize)strlen(text));
}

/* "Name;" stands for a header without a value. */
static void
add_header(GString *head, const char *line)
{
    const size_t size = strlen(line);

    if (line[size - 1] == ';' && memchr(line, ':', size) == NULL) {
        g_string_append_len(head, line, (gssize)size - 1);
        ADD(head, ":");
    } else {
        g_string_append_len(head, line, (gssize)size);
    }
    ADD(head, "\r\n");
}

static void
add_length(GString *head, size_t size)
{
    char digits[24];
    char *at = digits + sizeof digits;

    do
        *--at = (char)('0' + size % 10);
    while ((size /= 10) != 0);
    ADD(head, "Content-Length: ");
    g_string_append_len(head, at, digits + sizeof digits - at);
    ADD(head, "\r\n");
}

static void
write_head(wire *w, const struct lens_request *r)
{
    const wire_place *place = wire_place_of(w, r->url.data);
    const bool get = strcmp(r->method.data, "GET") == 0;
    struct given given = { 0 };
    GString *head = w->head;

    for (unsigned i = 0; i < r->headers->len; i++)
        note_given(&given, r->headers->pdata[i]);
    g_string_truncate(head, 0);
    g_string_append_len(head, r->method.data, (gssize)r->method.size);
    ADD(head, " ");
    add(head, place->target);
    ADD(head, " HTTP/1.1\r\n");
    if (!given.host) {
        ADD(head, "Host: ");
        add(head, place->host);
        ADD(head, "\r\n");
    }
    if (!given.user_agent)
        ADD(head, "User-Agent: lens/" LENS_VERSION "\r\n");
    if (!given.accept)
        ADD(head, "Accept: */*\r\n");
    /* Asking for identity keeps the arrival times. */
    if (!given.accept_encoding && w->base.target->compressed)
        ADD(head, "Accept-Encoding: deflate, gzip\r\n");
    else if (!given.accept_encoding)
        ADD(head, "Accept-Encoding: identity\r\n");
    for (unsigned i = 0; i < r->headers->len; i++)
        add_header(head, r->headers->pdata[i]);
    if (!get)
        add_length(head, r->body.size);
    ADD(head, "\r\n");
}

/* ---- the bytes ---- */

static size_t
body_size(const struct lens_request *r)
{
    return strcmp(r->method.data, "GET") == 0 ? 0 : r->body.size;
}

static ssize_t
write_parts(int fd, const char *head, size_t head_size, const char *body, size_t size)
{
    struct iovec parts[2] = { { (void *)(uintptr_t)head, head_size },
                              { (void *)(uintptr_t)body, size } };
    struct msghdr message = { .msg_iov = parts, .msg_iovlen = size > 0 ? 2 : 1 };
    ssize_t written;

    do
        written = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (written < 0 && errno == EINTR);
    return written;
}

/* Wanted only while there is something to write: otherwise each event would say so. */
static void
watch_room(wire_connection *c, bool wanted)
{
    if (c->watches_room == wanted)
        return;
    c->watches_room = wanted;
    poller_modify(c->wire->base.poller, &c->item,
                  wanted ? WIRE_EVENTS | EPOLLOUT : WIRE_EVENTS);
}

static void
note_sent(wire_connection *c)
{
    wire *w = c->wire;

    c->exchange->sent_ns = chrono_now();
    c->sending = false;
    if (c->stamper.tx && !c->departing) {
        c->departing = true;
        g_ptr_array_add(w->departing, c);
    }
}

/* An answer may have come all the same; the next look tells. */
static void
note_failure(wire_connection *c, int error)
{
    c->send_error = error;
    c->sending = false;
    c->spoiled = true;
    poller_look_again(c->wire->base.poller, &c->item);
}

/* Writes until all is sent or the socket is full. */
static void
write_rest(wire_connection *c, const char *head, size_t head_size)
{
    struct wire_exchange *e = c->exchange;
    const struct lens_request *r = &e->x.request;
    const size_t all = body_size(r);

    while (head_size > 0 || c->sent_body < all) {
        size_t size = all - c->sent_body;
        ssize_t written;

        if (e->x.bytes_sent == 0 && size > ONE_WRITE)
            size = FIRST_BODY;
        written = write_parts(c->item.fd, head, head_size,
                              size > 0 ? r->body.data + c->sent_body : NULL, size);
        if (written < 0 && errno != EAGAIN) {
            note_failure(c, errno);
            return;
        }
        if (written < 0)
            break;
        e->x.bytes_sent += (uint64_t)written;
        if ((size_t)written < head_size) {
            head += written;
            head_size -= (size_t)written;
        } else {
            c->sent_body += (size_t)written - head_size;
            head_size = 0;
        }
    }
    if (c->unsent_head != NULL)
        g_string_erase(c->unsent_head, 0, (gssize)(c->unsent_head->len - head_size));
    else if (head_size > 0)
        c->unsent_head = g_string_new_len(head, (gssize)head_size);
    if (head_size == 0 && c->sent_body == all)
        note_sent(c);
    watch_room(c, c->sending);
}

void
wire_send(wire_connection *c)
{
    wire *w = c->wire;
    struct wire_exchange *e = c->exchange;
    stamper *s = &c->stamper;

    write_head(w, &e->x.request);
    e->x.bytes_sent = 0;
    e->begin_ns = chrono_now();
    e->sent_ns = -1;
    s->tx_first_ns = s->tx_last_ns = s->tx_prompt_ns = -1;
    if (!c->used) { /* nothing can have come on it so far */
        s->counted = true;
        s->segments = s->expected = 0;
    }
    c->sending = true;
    c->sent_body = 0;
    write_rest(c, w->head->str, w->head->len);
}

void
wire_send_on(wire_connection *c)
{
    GString *head = c->unsent_head;

    write_rest(c, head != NULL ? head->str : "", head != NULL ? head->len : 0);
    if (c->unsent_head != NULL && c->unsent_head->len == 0) {
        g_string_free(c->unsent_head, TRUE);
        c->unsent_head = NULL;
    }
}

/* ---- departures ---- */

static void
read_departures(wire_connection *c, int64_t now_ns)
{
    const struct wire_exchange *e = c->exchange;

    stamper_departures(&c->stamper, c->item.fd, c->wire->base.wall, e->begin_ns,
                       e->sent_ns, now_ns);
}

void
wire_take_departures(wire *w)
{
    for (unsigned i = 0; i < w->departing->len; i++) {
        wire_connection *c = w->departing->pdata[i];
        const int64_t now_ns = chrono_now();

        c->departing = false;
        if (c->exchange == NULL)
            continue;
        read_departures(c, now_ns);
        if (c->recount || now_ns - c->counted_ns > COUNT_NS) {
            stamper_count(&c->stamper, c->item.fd);
            c->recount = false;
            c->counted_ns = now_ns;
        }
    }
    g_ptr_array_set_size(w->departing, 0);
}

void
wire_settle_departure(wire_connection *c)
{
    struct wire_exchange *e = c->exchange;
    exchange *x = &e->x;

    if (e->begin_ns < 0)
        return;
    x->departure_first_ns = x->departure_ns = e->sent_ns >= 0 ? e->sent_ns : e->begin_ns;
    x->departure_clock = LENS_CLOCK_USER;
    if (!c->stamper.tx)
        return;
    if (c->stamper.tx_last_ns < 0)
        read_departures(c, chrono_now());
    if (c->stamper.tx_last_ns < 0)
        return;
    x->departure_first_ns = c->stamper.tx_first_ns;
    x->departure_ns = c->stamper.tx_last_ns;
    x->departure_clock = LENS_CLOCK_KERNEL;
}
