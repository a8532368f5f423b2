/* The connections of a transport: what libcurl waits for, when it is looked at and
 * stamped. */
#include <sys/epoll.h>
#include <unistd.h>

#include "chrono.h"
#include "transport-curl.h"

static const int64_t LOOK_AGAIN_NS = 10 * NS_PER_US;
/* What the count of bytes handed over may be off by. */
enum { SMALL_REST = 256 };

/* Bytes of this look that libcurl has left in the socket for its next read. */
static bool
leaves_backlog(const exchange *x)
{
    const connection *c = x->private->connection;
    const unsigned groups = c != NULL ? c->stamper.now.groups : 0;

    return groups > 0 &&
           c->stamper.now.group[groups - 1].end > x->private->raw + SMALL_REST;
}

static void
hand_look_over(exchange *x)
{
    connection *c = x->private->connection;
    const bool backlog = leaves_backlog(x);

    x->private->touched = false;
    x->private->raw = 0;
    x->turn = *poller_turn(x->private->transport->poller);
    x->private->transport->events->look(x);
    if (c != NULL)
        c->stamper.backlog = backlog;
}

static connection *
connection_at(curl_transport *t, int fd)
{
    return (unsigned)fd < t->by_fd->len ? t->by_fd->pdata[fd] : NULL;
}

/* What this look found is handed over while the socket can still be asked about it. */
void
connection_detach(connection *c)
{
    exchange *x = c->exchange;

    if (x == NULL)
        return;
    if (x->private->touched) {
        g_ptr_array_remove_fast(c->transport->touched, x);
        hand_look_over(x);
    }
    x->private->connection = NULL;
    c->exchange = NULL;
}

static void
attach(connection *c, exchange *x)
{
    if (c->exchange == x)
        return;
    connection_detach(c);
    c->exchange = x;
    x->private->connection = c;
    stamper_begin(&c->stamper);
}

/* When its request began to be sent; INT64_MAX: not yet. */
static int64_t
sent_since(const exchange *x)
{
    return x == NULL || x->private->pretransfer_ns < 0 ? INT64_MAX
                                                       : x->private->pretransfer_ns;
}

static void
on_stamp(poll_item *item, uint32_t events)
{
    connection *c = (connection *)item;
    curl_transport *t = c->transport;
    const exchange *x = c->exchange;
    const struct poll_turn *turn = poller_turn(t->poller);
    int64_t now_ns;

    if (!c->tcp || !c->stamper.rx)
        return;
    now_ns = chrono_now();
    /* Departures of a TLS handshake are taken out of the queue too. */
    if ((events & EPOLLERR) != 0 &&
        stamper_departures(&c->stamper, item->fd, t->wall, sent_since(x),
                           x != NULL ? x->private->sent_ns : -1, now_ns)) {
        c->departed = true;
        if (!c->stamper.counted)
            stamper_count(&c->stamper, item->fd);
    }
    /* A look would take the error of a failed connect away from libcurl. */
    if ((events & EPOLLIN) == 0 || sent_since(x) == INT64_MAX)
        return;
    stamper_look(&c->stamper, item->fd, t->wall, turn->looked_ns, now_ns);
    if (c->stamper.error != 0)
        c->exchange->private->broken = c->stamper.error;
}

static void
hand_looks_over(curl_transport *t)
{
    while (t->touched->len > 0)
        hand_look_over(g_ptr_array_steal_index_fast(t->touched, t->touched->len - 1));
}

/* The user clock's departure: when libcurl had all of the request written. */
static void
note_sent(curl_transport *t)
{
    const int64_t now_ns = chrono_now();

    for (unsigned i = t->sending->len; i-- > 0;) {
        exchange *x = t->sending->pdata[i];
        curl_off_t sent = 0;

        if (x->request.body.size > SMALL_BODY)
            curl_easy_getinfo(x->private->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
        if (x->request.body.size > SMALL_BODY && (size_t)sent < x->request.body.size)
            continue;
        x->private->sent_ns = now_ns;
        g_ptr_array_remove_index_fast(t->sending, i);
    }
}

void
transport_act(curl_transport *t, curl_socket_t fd, int what)
{
    int running;

    curl_multi_socket_action(t->multi, fd, what, &running);
    if (t->sending->len > 0)
        note_sent(t);
    hand_looks_over(t);
}

/* What came since the first look, if that was long ago enough to matter: later bytes are
 * stamped when they are read, which is as exact then. */
static void
look_again(connection *c, uint32_t events)
{
    const int64_t now_ns = chrono_now();

    if (c->tcp && (events & EPOLLIN) != 0 &&
        now_ns - c->stamper.looked_ns > LOOK_AGAIN_NS)
        stamper_look_again(&c->stamper, c->item.fd, c->transport->wall, now_ns);
}

static void
on_work(poll_item *item, uint32_t events)
{
    connection *c = (connection *)item;
    curl_transport *t = c->transport;
    int what = 0;

    if (c->wanted == 0) { /* idle: the other side closed it, or talks out of turn */
        poller_remove(t->poller, item);
        c->polled = false;
        return;
    }
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLRDHUP)) != 0)
        what |= CURL_CSELECT_IN;
    if ((events & (EPOLLOUT | EPOLLHUP)) != 0)
        what |= CURL_CSELECT_OUT;
    if ((events & EPOLLERR) != 0 && !c->departed)
        what |= CURL_CSELECT_ERR;
    c->departed = false;
    if (what == 0)
        return;
    look_again(c, events);
    transport_act(t, item->fd, what); /* may free c */
}

static connection *
connection_new(curl_transport *t, int fd, bool tcp)
{
    connection *c = g_new0(connection, 1);

    c->item.fd = fd;
    c->item.stamp = on_stamp;
    c->item.work = on_work;
    c->transport = t;
    c->tcp = tcp;
    if ((unsigned)fd >= t->by_fd->len)
        g_ptr_array_set_size(t->by_fd, MAX(fd + 1, 64));
    t->by_fd->pdata[fd] = c;
    return c;
}

void
connection_drop(connection *c)
{
    if (c == NULL)
        return;
    connection_detach(c);
    poller_forget(c->transport->poller, &c->item);
    c->transport->by_fd->pdata[c->item.fd] = NULL;
    g_free(c);
}

int
transport_on_socket_made(void *data, curl_socket_t fd, curlsocktype purpose)
{
    curl_transport *t = data;

    (void)purpose;
    connection_drop(connection_at(t, fd));
    connection_new(t, fd, true);
    return CURL_SOCKOPT_OK;
}

int
transport_on_socket_close(void *data, curl_socket_t fd)
{
    connection_drop(connection_at(data, fd));
    return close(fd);
}

static void
watch(curl_transport *t, connection *c, uint32_t events)
{
    if (!c->polled) {
        if (c->tcp && !t->user_clock && !c->stamper.rx)
            stamper_enable(&c->stamper, c->item.fd);
        poller_add(t->poller, &c->item, events);
    } else if (c->events != events) {
        poller_modify(t->poller, &c->item, events);
    }
    c->polled = true;
    c->events = events;
}

/* libcurl says what it waits for. A kept connection stays in the poller between requests,
 * which saves two system calls a request. */
int
transport_on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *data,
                           void *unused)
{
    curl_transport *t = data;
    connection *c = connection_at(t, fd);
    exchange *x = NULL;

    (void)unused;
    if (what == CURL_POLL_REMOVE) {
        if (c == NULL)
            return 0;
        c->wanted = 0;
        connection_detach(c);
        if (!c->tcp) {
            poller_remove(t->poller, &c->item);
            connection_drop(c);
        }
        return 0;
    }
    if (c == NULL)
        c = connection_new(t, fd, false);
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &x);
    if (x != NULL && c->tcp && !t->target->multiplex)
        attach(c, x);
    c->wanted = what;
    watch(t, c, (what & CURL_POLL_OUT) != 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
    return 0;
}

int
transport_on_timer_wanted(CURLM *multi, long ms, void *data)
{
    curl_transport *t = data;

    (void)multi;
    t->curl_deadline_ns = ms < 0 ? INT64_MAX : chrono_now() + ms * NS_PER_MS;
    return 0;
}
