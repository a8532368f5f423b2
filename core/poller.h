/* poller: one epoll instance as one GSource, because GLib polls every fd on every turn.
 *
 * A turn has two passes over all ready items: first `stamp` of each, so that arrival
 * times are taken before any work delays them, then `work` of each. Loop thread only. */
#pragma once

#include <glib.h>
#include <stdint.h>

typedef struct poller poller;
typedef struct poll_item poll_item;

/* Embedded in whatever is polled. An item may be removed, and freed, in any `work`. */
struct poll_item {
    int fd;
    void (*stamp)(poll_item *item, uint32_t events); /* NULL: nothing to stamp */
    void (*work)(poll_item *item, uint32_t events);
};

/* When the newest turn began and what was known before. */
struct poll_turn {
    int64_t woke_ns; /* epoll_wait returned */
    int64_t
        looked_ns; /* epoll_wait was entered: what is ready now was not ready before */
    int64_t previous_ns; /* the turn before this one woke */
};

poller *poller_new(GMainContext *context, void (*after)(void *data), void *data,
                   GError **error);
void poller_free(poller *p);
/* `events`: EPOLLIN and so on. */
void poller_add(poller *p, poll_item *item, uint32_t events);
void poller_modify(poller *p, poll_item *item, uint32_t events);
void poller_remove(poller *p, poll_item *item);
/* The item is about to vanish: its fd is closed or handed back. Pending events are
 * dropped. */
void poller_forget(poller *p, poll_item *item);
/* `after` is called then, or after the next events; INT64_MAX: never. */
void poller_wake_at(poller *p, int64_t at_ns);
/* Goes back to GLib after this turn, for instance because its loop is to end. */
void poller_leave(poller *p);
const struct poll_turn *poller_turn(const poller *p);
