#include "poller.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "chrono.h"
#include "error.h"

enum {
    BATCH = 512,       /* of one epoll_wait */
    BATCHES = 16,      /* of one look, before any work */
    WORK_AT_ONCE = 64, /* between two looks */
    UNTAKEN_MOST = 8,  /* that may be reported again by each look */
    GONE_MOST = 4096   /* done entries that the queue keeps at its head */
};
enum { TURNS = 1024 };
static const int64_t LONGEST_NS = 50 * NS_PER_MS;

struct poller {
    GSource source; /* first: it is allocated by GLib */
    int fd;
    void (*after)(void *data);
    void *data;
    struct poll_turn turn;
    int64_t looked_ns; /* nothing but what was handled since was ready then */
    struct epoll_event ready[BATCH];
    GPtrArray *queue; /* poll_item that wait for their work; NULL: gone */
    unsigned first;   /* of the queue */
    unsigned untaken; /* of the queue, that epoll goes on reporting until their work */
    GPtrArray *again; /* poll_item */
    int64_t wake_at_ns;
    bool leaving;
};

static bool
has_work(const poller *p)
{
    return p->first < p->queue->len;
}

static void
note_ready(poller *p, poll_item *item, uint32_t events)
{
    const bool fresh = !item->queued;

    item->events |= events;
    if (fresh) {
        item->queued = true;
        g_ptr_array_add(p->queue, item);
        p->untaken += !item->takes;
    }
    if (item->stamp != NULL && (fresh || item->takes))
        item->stamp(item, events);
}

static poll_item *
next_work(poller *p)
{
    poll_item *item = p->queue->pdata[p->first++];

    if (item != NULL) {
        item->queued = false;
        p->untaken -= !item->takes;
    }
    if (!has_work(p)) {
        p->queue->len = p->first = 0;
    } else if (p->first > GONE_MOST && p->first > p->queue->len / 2) {
        g_ptr_array_remove_range(p->queue, 0, p->first);
        p->first = 0;
    }
    return item;
}

static void
forget_ready(poller *p, poll_item *item)
{
    if (item->again)
        g_ptr_array_remove_fast(p->again, item);
    item->again = false;
    if (!item->queued)
        return;
    for (unsigned i = p->first; i < p->queue->len; i++) {
        if (p->queue->pdata[i] == item)
            p->queue->pdata[i] = NULL;
    }
    item->queued = false;
    item->events = 0;
    p->untaken -= !item->takes;
}

static void
note_again(poller *p)
{
    for (unsigned left = p->again->len; left > 0; left--) {
        poll_item *item = g_ptr_array_steal_index(p->again, 0);

        item->again = false;
        note_ready(p, item, EPOLLIN);
    }
}

/* One epoll_wait and the stamps of what it found. */
static int
look(poller *p, int patience_ms)
{
    const int64_t entered_ns = chrono_now();
    const int count = epoll_wait(p->fd, p->ready, BATCH, patience_ms);

    if (count <= 0 && p->again->len == 0) {
        if (count == 0) /* a signal tells nothing of what is ready */
            p->looked_ns = chrono_now();
        return 0;
    }
    p->turn.previous_ns = p->turn.woke_ns;
    p->turn.woke_ns = chrono_now();
    p->turn.waited_ns = p->turn.woke_ns - entered_ns;
    p->turn.looked_ns = p->looked_ns;
    /* Unless the batch was full, what is not in it was not ready now. */
    if (count < BATCH)
        p->looked_ns = p->turn.woke_ns;
    for (int i = 0; i < count; i++)
        note_ready(p, p->ready[i].data.ptr, p->ready[i].events);
    note_again(p);
    return MAX(count, 0);
}

/* Until something is ready, or until poller_wake_at's time. */
static int
patience_ms(const poller *p)
{
    const int64_t wait_ns =
        p->wake_at_ns == INT64_MAX ? LONGEST_NS : p->wake_at_ns - chrono_now();

    return (int)((CLAMP(wait_ns, 0, LONGEST_NS) + NS_PER_MS - 1) / NS_PER_MS);
}

/* What epoll reports until it is worked on would be reported again and again. */
static void
look_at_all(poller *p)
{
    int found;

    if (has_work(p) && p->untaken > UNTAKEN_MOST)
        return;
    found = look(p, has_work(p) || p->again->len > 0 ? 0 : patience_ms(p));
    for (int i = 1; found == BATCH && i < BATCHES; i++)
        found = look(p, 0);
}

static void
do_some_work(poller *p)
{
    for (int i = 0; has_work(p) && (i < WORK_AT_ONCE || p->untaken > UNTAKEN_MOST); i++) {
        poll_item *item = next_work(p);

        if (item != NULL) {
            const uint32_t events = item->events;

            item->events = 0;
            item->work(item, events);
        }
    }
}

/* The loop has no other source of its own, so it may wait here: that saves GLib's poll
 * and its walk over the sources with every turn. It goes back now and then all the same.
 */
static gboolean
on_ready(GSource *source, GSourceFunc unused, void *data)
{
    poller *p = (poller *)source;

    (void)unused;
    (void)data;
    p->leaving = false;
    look(p, 0);
    for (int turn = 0;; turn++) {
        do_some_work(p);
        p->after(p->data);
        if (p->leaving || (turn >= TURNS && !has_work(p) && p->again->len == 0))
            break;
        look_at_all(p);
    }
    return G_SOURCE_CONTINUE;
}

void
poller_leave(poller *p)
{
    p->leaving = true;
}

static void
on_finalize(GSource *source)
{
    poller *p = (poller *)source;

    if (p->fd >= 0)
        close(p->fd);
    g_ptr_array_unref(p->queue);
    g_ptr_array_unref(p->again);
}

static GSourceFuncs poller_funcs = { .dispatch = on_ready, .finalize = on_finalize };

poller *
poller_new(GMainContext *context, void (*after)(void *data), void *data, GError **error)
{
    poller *p = (poller *)g_source_new(&poller_funcs, sizeof *p);

    p->fd = epoll_create1(EPOLL_CLOEXEC);
    p->queue = g_ptr_array_new();
    p->again = g_ptr_array_new();
    p->after = after;
    p->wake_at_ns = INT64_MAX;
    p->data = data;
    p->looked_ns = chrono_now();
    p->turn = (struct poll_turn){ p->looked_ns, p->looked_ns, p->looked_ns, 0 };
    if (p->fd < 0) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_SYSTEM,
                    "cannot create an epoll set: %s", g_strerror(errno));
        g_source_unref(&p->source);
        return NULL;
    }
    g_source_add_unix_fd(&p->source, p->fd, G_IO_IN);
    g_source_attach(&p->source, context);
    return p;
}

void
poller_free(poller *p)
{
    if (p == NULL)
        return;
    g_source_destroy(&p->source);
    g_source_unref(&p->source);
}

static void
control(poller *p, int operation, poll_item *item, uint32_t events)
{
    struct epoll_event event = { .events = events, .data.ptr = item };

    epoll_ctl(p->fd, operation, item->fd, &event);
}

void
poller_add(poller *p, poll_item *item, uint32_t events)
{
    control(p, EPOLL_CTL_ADD, item, events);
}

void
poller_modify(poller *p, poll_item *item, uint32_t events)
{
    control(p, EPOLL_CTL_MOD, item, events);
}

void
poller_remove(poller *p, poll_item *item)
{
    control(p, EPOLL_CTL_DEL, item, 0);
    forget_ready(p, item);
}

void
poller_forget(poller *p, poll_item *item)
{
    forget_ready(p, item);
}

void
poller_look_again(poller *p, poll_item *item)
{
    if (item->again)
        return;
    item->again = true;
    g_ptr_array_add(p->again, item);
}

void
poller_wake_at(poller *p, int64_t at_ns)
{
    const int64_t ready_us = at_ns == INT64_MAX ? -1 : (at_ns + 999) / NS_PER_US;

    p->wake_at_ns = at_ns;
    if (g_source_get_ready_time(&p->source) != ready_us)
        g_source_set_ready_time(&p->source, ready_us);
}

const struct poll_turn *
poller_turn(const poller *p)
{
    return &p->turn;
}
