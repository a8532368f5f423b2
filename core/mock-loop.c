/* The loop of the mock: one epoll, one heap of deadlines. */
#include "mock-private.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chrono.h"
#include "error.h"

enum { EVENTS = 512, ACCEPTS = 256, SENDS = 512 };

static void
raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static bool
watch(mock *m, int fd, void *tag)
{
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = tag };

    return epoll_ctl(m->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool
mock_loop_open(mock *m, GError **error)
{
    raise_descriptor_limit();
    m->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    m->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    m->accepting = true;
    if (m->epoll_fd < 0 || m->wake_fd < 0 || !watch(m, m->listen_fd, &m->listen_fd) ||
        !watch(m, m->wake_fd, &m->wake_fd)) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_SYSTEM,
                    "cannot set up the mock's loop: %s", g_strerror(errno));
        return false;
    }
    return true;
}

static void
bury(mock *m)
{
    while (m->graveyard != NULL) {
        struct connection *c = m->graveyard;

        m->graveyard = c->next;
        connection_free(c);
        if (!m->accepting)
            m->accepting = watch(m, m->listen_fd, &m->listen_fd);
    }
}

void
mock_loop_close(mock *m)
{
    while (m->connections != NULL)
        connection_close(m->connections);
    m->accepting = true;
    bury(m);
    heap_clear(&m->heap);
    if (m->epoll_fd >= 0)
        close(m->epoll_fd);
    if (m->wake_fd >= 0)
        close(m->wake_fd);
}

static void
accept_all(mock *m)
{
    for (int i = 0; i < ACCEPTS; i++) {
        const int fd = accept4(m->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            connection_new(m, fd);
        } else if (errno == EMFILE || errno == ENFILE) {
            /* Waiting connections would wake us for ever; a close brings us back. */
            epoll_ctl(m->epoll_fd, EPOLL_CTL_DEL, m->listen_fd, NULL);
            m->accepting = false;
            g_warning("mock: out of file descriptors with %" G_GUINT64_FORMAT
                      " connections; more wait until one closes",
                      m->open_connections);
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

/* Takes requests out of `data` as long as none is being answered; gives what it took. */
static size_t
take_requests(struct connection *c, char *data, size_t size)
{
    mock *m = c->server;
    size_t taken = 0;

    while (c->fd >= 0 && c->answer.phase == PHASE_IDLE && taken < size) {
        const bool told = c->progress.head_size != 0;
        const int status =
            http_request_parse(data + taken, size - taken, &c->progress, &m->request);

        if (status == HTTP_MORE) {
            if (!told && c->progress.head_size != 0 && m->request.expects_continue)
                connection_send(c, "HTTP/1.1 100 Continue\r\n\r\n", 25);
            break;
        }
        c->progress = (struct http_progress){ 0 };
        if (status != HTTP_READY) {
            refuse_request(c, status);
            return size;
        }
        taken += m->request.size;
        route(c, &m->request);
    }
    return taken;
}

static void
take_from_buffer(struct connection *c)
{
    const size_t taken = take_requests(c, c->in.data, c->in.size);

    if (c->fd < 0 || taken == 0 || taken > c->in.size)
        return;
    c->in.size -= taken;
    memmove(c->in.data, c->in.data + taken, c->in.size);
    if (c->in.size == 0)
        buffer_clear(&c->in);
}

static void
feed(struct connection *c, char *data, size_t size)
{
    if (c->answer.phase == PHASE_LINGER)
        return;
    if (c->in.size == 0) {
        const size_t taken = take_requests(c, data, size);

        if (c->fd < 0 || c->answer.phase == PHASE_LINGER || taken == size)
            return;
        data += taken;
        size -= taken;
        buffer_append(&c->in, data, size);
    } else {
        buffer_append(&c->in, data, size);
        take_from_buffer(c);
    }
}

/* Nothing more comes from the client; an answer under way goes on, for it may only have
 * closed its half. */
static void
on_peer_closed(struct connection *c)
{
    const uint8_t phase = c->answer.phase;

    c->peer_closed = true;
    if (phase == PHASE_IDLE || phase == PHASE_LINGER || phase == PHASE_STALLED)
        connection_close(c);
    else
        connection_watch(c);
}

static void
on_readable(struct connection *c)
{
    char *data;
    ssize_t n = connection_read(c, &data);

    while (n > 0 && c->fd >= 0) {
        feed(c, data, (size_t)n);
        if (c->fd < 0)
            return;
        n = connection_read_more(c, &data);
    }
    if (n < 0 && c->fd >= 0)
        on_peer_closed(c);
    else
        connection_watch(c);
}

static void
on_writable(struct connection *c)
{
    if (!connection_flush(c)) {
        connection_close(c);
        return;
    }
    if (c->pending.size > 0)
        return;
    if (c->close_when_sent) {
        c->close_when_sent = false;
        connection_finish(c);
    } else if (c->waiting) {
        c->waiting = false;
        heap_set(&c->server->heap, c, c->due_ns);
    }
}

static void
on_event(mock *m, const struct epoll_event *event)
{
    struct connection *c = event->data.ptr;

    if (event->data.ptr == &m->listen_fd) {
        accept_all(m);
        return;
    }
    if (event->data.ptr == &m->wake_fd)
        return;
    if (c->fd >= 0 && (event->events & EPOLLERR) != 0)
        connection_close(c);
    if (c->fd >= 0 && (event->events & EPOLLOUT) != 0)
        on_writable(c);
    if (c->fd >= 0 && (event->events & (EPOLLIN | EPOLLHUP)) != 0) {
        if ((c->events & EPOLLIN) != 0)
            on_readable(c);
        else if ((event->events & EPOLLHUP) != 0)
            connection_close(c);
    }
}

/* What is due, at most so many that requests are not left waiting. Gives the next
 * deadline; INT64_MAX: none. */
static int64_t
fire_due(mock *m)
{
    for (int i = 0;; i++) {
        struct connection *c = heap_first(&m->heap);

        if (c == NULL)
            return INT64_MAX;
        if (i == SENDS || c->due_ns > chrono_now())
            return c->due_ns;
        answer_fire(c);
        if (c->fd >= 0 && c->answer.phase == PHASE_IDLE) {
            if (c->in.size > 0)
                take_from_buffer(c);
            if (c->fd >= 0 && c->peer_closed && c->answer.phase == PHASE_IDLE)
                connection_close(c);
            else
                connection_watch(c);
        }
    }
}

static int
wait_until(mock *m, struct epoll_event *events, int64_t due_ns)
{
    struct timespec timeout;
    int64_t wait_ns;
    int n;

    if (due_ns == INT64_MAX)
        return epoll_wait(m->epoll_fd, events, EVENTS, -1);
    wait_ns = MAX(0, due_ns - chrono_now());
    timeout.tv_sec = wait_ns / NS_PER_S;
    timeout.tv_nsec = wait_ns % NS_PER_S;
    n = epoll_pwait2(m->epoll_fd, events, EVENTS, &timeout, NULL);
    if (n < 0 && errno == ENOSYS) /* Linux before 5.11: the last millisecond is polled */
        n = epoll_wait(m->epoll_fd, events, EVENTS,
                       (int)MIN(wait_ns / NS_PER_MS, INT32_MAX));
    return n;
}

void
mock_run(mock *m)
{
    struct epoll_event events[EVENTS];

    /* The kernel may delay a wake-up by 50 us otherwise. */
    prctl(PR_SET_TIMERSLACK, 1);
    pthread_mutex_lock(&m->lock);
    while (!atomic_load(&m->stopping)) {
        const int64_t due_ns = fire_due(m);
        int n;

        bury(m);
        pthread_mutex_unlock(&m->lock);
        n = wait_until(m, events, due_ns);
        pthread_mutex_lock(&m->lock);
        wallclock_refresh(&m->wall, chrono_now());
        for (int i = 0; i < n; i++)
            on_event(m, &events[i]);
    }
    pthread_mutex_unlock(&m->lock);
}
