#include "mock-private.h"

#include <errno.h>
#include <linux/errqueue.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chrono.h"

/* How long a client may take to close after our last byte. */
#define LINGER_NS (2 * NS_PER_S)

struct connection *
connection_new(mock *m, int fd)
{
    struct connection *c = g_new0(struct connection, 1);
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = c };

    c->server = m;
    c->fd = fd;
    c->events = EPOLLIN;
    if (m->tls != NULL) {
        c->ssl = SSL_new(m->tls);
        SSL_set_bio(c->ssl, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        SSL_set_accept_state(c->ssl);
    }
    c->next = m->connections;
    if (c->next != NULL)
        c->next->previous = c;
    m->connections = c;
    m->open_connections++;
    epoll_ctl(m->epoll_fd, EPOLL_CTL_ADD, fd, &event);
    return c;
}

/* The memory stays until the end of the turn: epoll may have more to say about it. */
void
connection_close(struct connection *c)
{
    mock *m = c->server;

    if (c->fd < 0)
        return;
    if (c->answer.phase != PHASE_IDLE && c->answer.phase != PHASE_LINGER) {
        m->in_flight--;
        if (c->answer.phase != PHASE_STALLED && c->answer.fault == FAULT_COUNT)
            m->truth.aborted++;
    }
    c->answer.phase = PHASE_IDLE;
    heap_remove(&m->heap, c);
    close(c->fd);
    c->fd = -1;
    if (c->previous != NULL)
        c->previous->next = c->next;
    else
        m->connections = c->next;
    if (c->next != NULL)
        c->next->previous = c->previous;
    c->next = m->graveyard;
    m->graveyard = c;
    m->open_connections--;
}

void
connection_free(struct connection *c)
{
    buffer_clear(&c->in);
    buffer_clear(&c->pending);
    buffer_clear(&c->held);
    SSL_free(c->ssl);
    g_free(c);
}

void
connection_watch(struct connection *c)
{
    const bool full = c->in.size > HTTP_HEAD_MAX && c->answer.phase != PHASE_IDLE;
    uint32_t events = 0;

    if (c->fd < 0)
        return;
    if (!c->peer_closed && !full)
        events |= EPOLLIN;
    if (c->pending.size > 0)
        events |= EPOLLOUT;
    if (events != c->events) {
        struct epoll_event event = { .events = events, .data.ptr = c };

        c->events = events;
        epoll_ctl(c->server->epoll_fd, EPOLL_CTL_MOD, c->fd, &event);
    }
}

/* The kernel's arrival stamp of the bytes as monotonic time; the time of the read when
 * there is none. */
static int64_t
arrival_of(mock *m, struct msghdr *message, int64_t now_ns)
{
    int64_t arrival_ns;

    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL;
         c = CMSG_NXTHDR(message, c)) {
        struct scm_timestamping stamps;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPING)
            continue;
        memcpy(&stamps, CMSG_DATA(c), sizeof stamps);
        if (wallclock_convert(
                &m->wall, stamps.ts[0].tv_sec * NS_PER_S + stamps.ts[0].tv_nsec,
                now_ns - NS_PER_S, now_ns - 60 * NS_PER_S, now_ns, &arrival_ns))
            return MIN(arrival_ns, now_ns);
    }
    return now_ns;
}

static bool
write_now(struct connection *c, const char *data, size_t size)
{
    ssize_t n = 0;

    c->server->sent_ns = chrono_now();
    if (c->pending.size == 0) {
        n = send(c->fd, data, size, MSG_NOSIGNAL);
        if (n < 0 && errno != EAGAIN && errno != EINTR) {
            c->broken = true;
            return false;
        }
        n = MAX(n, 0);
    }
    if ((size_t)n < size) {
        buffer_append(&c->pending, data + n, size - (size_t)n);
        connection_watch(c);
    }
    return true;
}

static bool
write_encrypted(struct connection *c)
{
    BIO *out = SSL_get_wbio(c->ssl);
    char *data;
    const long size = BIO_get_mem_data(out, &data);
    bool sent = true;

    if (size > 0)
        sent = write_now(c, data, (size_t)size);
    (void)BIO_reset(out);
    return sent;
}

bool
connection_send(struct connection *c, const void *data, size_t size)
{
    if (c->broken || c->fd < 0)
        return false;
    if (size == 0)
        return true;
    if (c->ssl == NULL)
        return write_now(c, data, size);
    ERR_clear_error();
    if (SSL_write(c->ssl, data, (int)MIN(size, INT32_MAX)) <= 0) {
        c->broken = true;
        return false;
    }
    return write_encrypted(c);
}

bool
connection_flush(struct connection *c)
{
    while (c->pending.size > c->pending_sent) {
        const ssize_t n = send(c->fd, c->pending.data + c->pending_sent,
                               c->pending.size - c->pending_sent, MSG_NOSIGNAL);

        if (n < 0 && errno == EAGAIN)
            return true;
        if (n < 0 && errno != EINTR) {
            c->broken = true;
            return false;
        }
        c->pending_sent += (size_t)MAX(n, 0);
    }
    buffer_clear(&c->pending);
    c->pending_sent = 0;
    connection_watch(c);
    return true;
}

ssize_t
connection_read_more(struct connection *c, char **ret_data)
{
    mock *m = c->server;
    int n, why;

    if (c->ssl == NULL)
        return 0;
    ERR_clear_error();
    n = SSL_read(c->ssl, m->plain, sizeof m->plain);
    why = n > 0 ? SSL_ERROR_NONE : SSL_get_error(c->ssl, n);
    if (!write_encrypted(c))
        return -1;
    if (n > 0) {
        *ret_data = m->plain;
        return n;
    }
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

ssize_t
connection_read(struct connection *c, char **ret_data)
{
    mock *m = c->server;
    char control[CMSG_SPACE(sizeof(struct scm_timestamping))];
    struct iovec part = { m->read, sizeof m->read };
    struct msghdr message = { .msg_iov = &part,
                              .msg_iovlen = 1,
                              .msg_control = control,
                              .msg_controllen = sizeof control };
    const ssize_t n = recvmsg(c->fd, &message, 0);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    if (n == 0)
        return -1;
    c->read_ns = chrono_now();
    c->rx_ns = arrival_of(m, &message, c->read_ns);
    if (c->ssl == NULL) {
        *ret_data = m->read;
        return n;
    }
    BIO_write(SSL_get_rbio(c->ssl), m->read, (int)n);
    return connection_read_more(c, ret_data);
}

void
connection_finish(struct connection *c)
{
    mock *m = c->server;

    c->answer.phase = PHASE_LINGER;
    buffer_clear(&c->in);
    if (c->pending.size > 0) {
        c->close_when_sent = true;
        return;
    }
    if (c->ssl != NULL && SSL_is_init_finished(c->ssl)) {
        SSL_shutdown(c->ssl);
        write_encrypted(c);
    }
    if (c->peer_closed || c->broken) {
        connection_close(c);
        return;
    }
    /* A close with unread bytes would be a reset and could take the answer with it. */
    shutdown(c->fd, SHUT_WR);
    heap_set(&m->heap, c, chrono_now() + LINGER_NS);
}
