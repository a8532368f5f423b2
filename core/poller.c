#include "poller.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "chrono.h"
#include "error.h"

enum { BATCH = 1024 };
enum { TURNS = 256 };
static const int64_t LONGEST_NS = 50 * NS_PER_MS;

struct poller {
    GSource source; /* first: it is allocated by GLib */
    int fd;
    void (*after)(void *data);
    void *data;
    struct poll_turn turn;
    int64_t looked_ns; /* nothing but what was handled since was ready then */
    struct epoll_event ready[BATCH];
    int ready_count;
    int64_t wake_at_ns;
    bool leaving;
};

static void
forget_ready(poller *p, const poll_item *item)
{
    for (int i = 0; i < p->ready_count; i++) {
        if (p->ready[i].data.ptr == item)
            p->ready[i].data.ptr = NULL;
    }
}

static void
one_turn(poller *p)
{
    p->turn.previous_ns = p->turn.woke_ns;
    p->turn.woke_ns = chrono_now();
    p->turn.looked_ns = p->looked_ns;
    /* Unless the batch was full, what is not in it was not ready now. */
    if (p->ready_count < BATCH)
        p->looked_ns = p->turn.woke_ns;

    for (int i = 0; i < p->ready_count; i++) {
        poll_item *item = p->ready[i].data.ptr;

        if (item->stamp != NULL)
            item->stamp(item, p->ready[i].events);
    }
    for (int i = 0; i < p->ready_count; i++) {
        poll_item *item = p->ready[i].data.ptr;

        if (item != NULL)
            item->work(item, p->ready[i].events);
    }
    p->ready_count = 0;
}

/* Until something is ready, or until poller_wake_at's time. */
static int
patience_ms(const poller *p)
{
    const int64_t wait_ns =
        p->wake_at_ns == INT64_MAX ? LONGEST_NS : p->wake_at_ns - chrono_now();

    return (int)((CLAMP(wait_ns, 0, LONGEST_NS) + NS_PER_MS - 1) / NS_PER_MS);
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
    for (int turn = 0; turn < TURNS && !p->leaving; turn++) {
        p->ready_count =
            epoll_wait(p->fd, p->ready, BATCH, turn == 0 ? 0 : patience_ms(p));
        if (p->ready_count > 0)
            one_turn(p);
        else if (p->ready_count == 0) /* a signal tells nothing of what is ready */
            p->looked_ns = chrono_now();
        p->after(p->data);
    }
    p->ready_count = 0;
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
}

static GSourceFuncs poller_funcs = { .dispatch = on_ready, .finalize = on_finalize };

poller *
poller_new(GMainContext *context, void (*after)(void *data), void *data, GError **error)
{
    poller *p = (poller *)g_source_new(&poller_funcs, sizeof *p);

    p->fd = epoll_create1(EPOLL_CLOEXEC);
    p->after = after;
    p->wake_at_ns = INT64_MAX;
    p->data = data;
    p->looked_ns = chrono_now();
    p->turn = (struct poll_turn){ p->looked_ns, p->looked_ns, p->looked_ns };
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
