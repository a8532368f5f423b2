/* poller: one epoll instance as one GSource, because GLib polls every fd on every turn.
 *
 * A turn first looks at all items that are ready: `stamp` of each, so that arrival times
 * are taken before any work delays them. Then it does some of the `work`, in the order of
 * arrival, and looks again before the rest. Loop thread only. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct poller poller;
typedef struct poll_item poll_item;

/* Embedded in whatever is polled, zeroed but for the first members. An item may be
 * removed, and freed, in any `work`. */
struct poll_item {
    int fd;
    /* `stamp` takes what it finds, so it is called with every look; otherwise only once
     * before each `work`. */
    bool takes;
    void (*stamp)(poll_item *item, uint32_t events); /* NULL: nothing to stamp */
    void (*work)(poll_item *item, uint32_t events);
    /* The poller's. */
    uint32_t events;
    bool queued, again;
};

/* When the newest look began and what was known before. */
struct poll_turn {
    int64_t woke_ns; /* epoll_wait returned */
    int64_t
        looked_ns; /* epoll_wait was entered: what is ready now was not ready before */
    int64_t previous_ns; /* the look before this one woke */
    int64_t waited_ns;   /* epoll_wait took: about nothing when the loop was busy */
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
/* An item that was not emptied: the next look finds it ready to read, whatever epoll
 * says. */
void poller_look_again(poller *p, poll_item *item);
/* `after` is called then, or after the next events; INT64_MAX: never. */
void poller_wake_at(poller *p, int64_t at_ns);
/* Goes back to GLib after this turn, for instance because its loop is to end. */
void poller_leave(poller *p);
const struct poll_turn *poller_turn(const poller *p);
