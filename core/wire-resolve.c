/* Addresses of a host, without holding up the loop: one thread a lookup, which leaves its
 * result in a mailbox and rings. */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "chrono.h"
#include "wire-private.h"

/* As long as libcurl keeps them. */
static const int64_t KEEP_NS = 60 * NS_PER_S;

/* Held by the wire and by the thread of each lookup. */
struct mailbox {
    atomic_uint holders;
    int fd; /* eventfd */
    pthread_mutex_t lock;
    struct lookup *done;
    bool closed; /* nobody reads it any more */
};

struct lookup {
    struct lookup *next;
    struct mailbox *mailbox;
    wire_origin *origin; /* touched by the loop only */
    char *host;
    char port[8];
    struct addrinfo *found; /* NULL: none */
};

/* ---- without asking ---- */

static void
add_address(wire_origin *o, const void *address, size_t size)
{
    if (o->address_count == ADDRESSES_MOST || size > sizeof o->addresses[0].to)
        return;
    memcpy(&o->addresses[o->address_count].to, address, size);
    o->addresses[o->address_count++].size = (socklen_t)size;
}

static bool
add_numeric(wire_origin *o, const char *text)
{
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(o->port) };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(o->port) };
    g_autofree char *bare = g_strdup(text[0] == '[' ? text + 1 : text);

    bare[strcspn(bare, "]")] = '\0';
    if (inet_pton(AF_INET, bare, &four.sin_addr) == 1)
        add_address(o, &four, sizeof four);
    else if (inet_pton(AF_INET6, bare, &six.sin6_addr) == 1)
        add_address(o, &six, sizeof six);
    else
        return false;
    return true;
}

/* "HOST:PORT:ADDRESS,ADDRESS"; the host may be "*". */
static bool
apply_entry(wire_origin *o, const char *entry)
{
    g_auto(GStrv) parts = g_strsplit(entry, ":", 3);
    g_auto(GStrv) addresses = NULL;

    if (g_strv_length(parts) != 3 || strtoul(parts[1], NULL, 10) != o->port ||
        (strcmp(parts[0], "*") != 0 && g_ascii_strcasecmp(parts[0], o->host) != 0))
        return false;
    addresses = g_strsplit(parts[2], ",", -1);
    for (char **address = addresses; *address != NULL; address++)
        add_numeric(o, *address);
    return o->address_count > 0;
}

static bool
is_local_host(const char *host)
{
    return g_ascii_strcasecmp(host, "localhost") == 0 ||
           g_str_has_suffix(host, ".localhost");
}

void
wire_resolve_at_once(wire_origin *o)
{
    char **entries = o->wire->base.target->resolve;

    for (; entries != NULL && *entries != NULL && !o->fixed; entries++)
        o->fixed = apply_entry(o, *entries);
    if (!o->fixed)
        o->fixed = add_numeric(o, o->host);
    if (!o->fixed && is_local_host(o->host)) /* RFC 6761: nobody is asked */
        o->fixed = add_numeric(o, "::1") && add_numeric(o, "127.0.0.1");
}

/* ---- by a thread ---- */

static void
mailbox_drop(struct mailbox *m)
{
    if (atomic_fetch_sub(&m->holders, 1) > 1)
        return;
    close(m->fd);
    pthread_mutex_destroy(&m->lock);
    g_free(m);
}

static void
lookup_free(struct lookup *l)
{
    if (l->found != NULL)
        freeaddrinfo(l->found);
    g_free(l->host);
    g_free(l);
}

static void *
look_up(void *data)
{
    const struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
    struct lookup *l = data;
    struct mailbox *m = l->mailbox;
    const uint64_t one = 1;
    bool closed;
    ssize_t rung;

    if (getaddrinfo(l->host, l->port, &hints, &l->found) != 0)
        l->found = NULL;
    pthread_mutex_lock(&m->lock);
    closed = m->closed;
    if (!closed) {
        l->next = m->done;
        m->done = l;
    }
    pthread_mutex_unlock(&m->lock);
    if (closed)
        lookup_free(l);
    do
        rung = write(m->fd, &one, sizeof one);
    while (rung < 0 && errno == EINTR);
    mailbox_drop(m);
    return NULL;
}

static struct lookup *
take_all(struct mailbox *m, bool last)
{
    struct lookup *all;

    pthread_mutex_lock(&m->lock);
    m->closed = last;
    all = m->done;
    m->done = NULL;
    pthread_mutex_unlock(&m->lock);
    return all;
}

static void
take_result(struct lookup *l)
{
    wire_origin *o = l->origin;

    o->lookup = NULL;
    o->address_count = o->preferred = 0;
    for (const struct addrinfo *a = l->found; a != NULL; a = a->ai_next)
        add_address(o, a->ai_addr, a->ai_addrlen);
    o->resolved_ns = o->address_count > 0 ? chrono_now() : -1;
    lookup_free(l);
    wire_on_resolved(o);
}

static void
on_mail(poll_item *item, uint32_t events)
{
    wire *w = (wire *)(void *)((char *)item - offsetof(wire, mail));
    struct lookup *l;
    uint64_t count;

    (void)events;
    if (read(item->fd, &count, sizeof count) < 0)
        return;
    for (l = take_all(w->mailbox, false); l != NULL;) {
        struct lookup *next = l->next;

        take_result(l);
        l = next;
    }
}

static bool
open_mailbox(wire *w)
{
    const int fd = w->mailbox == NULL ? eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC) : -1;

    if (w->mailbox != NULL)
        return true;
    if (fd < 0)
        return false;
    w->mailbox = g_new0(struct mailbox, 1);
    atomic_init(&w->mailbox->holders, 1);
    w->mailbox->fd = fd;
    pthread_mutex_init(&w->mailbox->lock, NULL);
    w->mail.fd = fd;
    w->mail.work = on_mail;
    poller_add(w->base.poller, &w->mail, EPOLLIN);
    return true;
}

static bool
begin(wire_origin *o)
{
    struct lookup *l;
    pthread_t thread;

    if (!open_mailbox(o->wire))
        return false;
    l = g_new0(struct lookup, 1);
    l->mailbox = o->wire->mailbox;
    atomic_fetch_add(&l->mailbox->holders, 1);
    l->origin = o;
    l->host = g_strdup(o->host);
    g_snprintf(l->port, sizeof l->port, "%u", o->port);
    if (pthread_create(&thread, NULL, look_up, l) != 0) {
        mailbox_drop(l->mailbox);
        lookup_free(l);
        return false;
    }
    pthread_detach(thread); /* getaddrinfo cannot be told to stop */
    o->lookup = l;
    return true;
}

bool
wire_resolve(wire_origin *o)
{
    if (o->fixed || (o->address_count > 0 && chrono_now() - o->resolved_ns < KEEP_NS))
        return true;
    if (o->lookup != NULL || begin(o))
        return false;
    transport_note_shortage();
    return true;
}

void
wire_resolve_close(wire *w)
{
    struct lookup *l;

    if (w->mailbox == NULL)
        return;
    poller_remove(w->base.poller, &w->mail);
    for (l = take_all(w->mailbox, true); l != NULL;) {
        struct lookup *next = l->next;

        lookup_free(l);
        l = next;
    }
    mailbox_drop(w->mailbox);
}
