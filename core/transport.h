/* transport: HTTP exchanges on the wire, timed: request in, bytes with stamps and an end
 * out. One per worker and target; loop thread only.
 *
 * HTTP/1.1 in clear text goes by sockets of our own (wire.h), all else by libcurl
 * (transport-curl.h). No callback but `end` may start or cancel an exchange. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "host.h"
#include "plan.h"
#include "poller.h"
#include "stamp.h"

typedef struct transport transport;
typedef struct exchange exchange;

/* How an exchange ended, in the words of docs/streams.md 4. */
struct exchange_end {
    uint32_t kind;      /* LENS_KIND_NONE: the body came in order */
    uint32_t where;     /* WHERE_* */
    bool closed_early;  /* bytes were missing; for an answer that was complete before: no
                           matter */
    const char *detail; /* NULL: none; until the next call */
};

struct exchange_events {
    /* All headers of the final answer are there. False aborts. */
    bool (*head)(exchange *x);
    /* Body bytes that arrived at `at_ns`. False aborts. */
    bool (*body)(exchange *x, const char *data, size_t size, int64_t at_ns,
                 uint32_t clock);
    /* Everything that one look at the socket found has been handed over. */
    void (*look)(exchange *x);
    /* A re-used connection was found dead; the request is sent again on a new one. */
    void (*resend)(exchange *x);
    void (*end)(exchange *x, const struct exchange_end *end);
};

/* Monotonic times, -1: it never came to that. */
struct exchange {
    /* The caller's. */
    void *user;
    struct lens_request request;

    /* What was measured. */
    int64_t start_ns, dns_ns, connect_ns, tls_ns;
    int64_t departure_first_ns, departure_ns, first_byte_ns, last_byte_ns, end_ns;
    uint32_t departure_clock, first_byte_clock;
    int64_t rtt_ns;
    uint64_t bytes_sent, bytes_received;
    bool reused;
    uint16_t http_version; /* 10, 11, 20 */
    int32_t status;
    char content_type[128];
    GArray *headers; /* struct lens_pair into header_text */
    GString *header_text;
    struct poll_turn turn; /* that found what `look` is called for */

    /* The transport's. */
    struct exchange_private *private; /* libcurl's part; NULL: never needed */
    bool by_wire;                     /* its newest start went by a socket of our own */
};

/* `target` is borrowed and constant. `user_clock`: take no kernel stamps. */
transport *transport_new(poller *p, const plan_target *target, bool user_clock,
                         const struct exchange_events *events, GError **error);
/* Cancels what is under way without calling `end`. */
void transport_free(transport *t);

/* An idle exchange, re-used where there is one; its request is empty. */
exchange *transport_get(transport *t, void *user);
/* Sends it. The bytes leave in the next transport_run. */
void transport_start(transport *t, exchange *x);
/* Ends it now and closes its connection; `end` is not called. */
void transport_cancel(transport *t, exchange *x);
/* Gives an ended exchange back. */
void transport_put(transport *t, exchange *x);

/* To be called after every turn of the poller: starts what was added, serves timers,
 * calls `end`. */
void transport_run(transport *t);
/* When transport_run is wanted even if nothing happens; INT64_MAX: never. */
int64_t transport_deadline(const transport *t);

/* Whether messages that shared the newest look may have come at different times. */
bool transport_merged(exchange *x);
/* Value of a header of the answer, case-insensitive; NULL: none. Not terminated text: use
 * the size. */
const struct lens_pair *exchange_header(const exchange *x, const char *name);

/* Connect, and TLS, without sending a request. Blocking. */
bool transport_preflight(const plan_target *target, GError **error);

/* Largest step of the wall clock seen since the last call. */
int64_t transport_take_clock_step(transport *t);

/* Over all transports since the program began: times that fds, ports or memory ran out.
 */
uint64_t transport_resource_failures(void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(transport, transport_free)
