/* flight: one request from its start to its sample: takes what the transport hands over,
 * lets the provider decode it and keeps the times. Worker thread; nothing here allocates
 * per token unless text is recorded. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "credential.h"
#include "histogram.h"
#include "host.h"
#include "sample.h"
#include "transport.h"

/* What all flights of a worker share. */
typedef struct flight_context {
    struct engine *owner;
    instance *provider;
    poller *poller;
    int64_t run_start_ns;
    bool record_text, deltas, stream;
    histogram *lag_kernel, *lag_user; /* the worker's, of the report under way */
} flight_context;

/* A message of the look that is under way. */
struct flight_mark {
    int64_t at_ns, tokens;
    uint32_t classes, clock;
};

typedef struct flight {
    struct lens_sink sink; /* first: the provider's pointer is ours */
    const flight_context *context;
    exchange *exchange;
    sample *sample;
    attempt *now;  /* the last of sample->attempts */
    void *decoder; /* of the provider; kept between requests when it can be reset */
    bool decoder_fresh;
    uint64_t ticket;
    const credential_value *credential; /* that the try was sent with; NULL: none */
    bool renewed; /* was sent again with a fresh credential; not a retry of the user's */
    struct burst *burst; /* the engine's */
    struct flight_mark *marks;
    unsigned mark_count, mark_capacity;
    int64_t at_ns; /* arrival of the bytes that are being decoded */
    uint32_t clock;
    bool terminal, output, failed;
    bool content; /* of a whole answer, which has no output messages */
    int64_t retry_at_ns;
    int64_t last_output_ns; /* monotonic, for the gap timer */
    int64_t terminal_ns;    /* monotonic */
    GString *error_body;
    GString *next, *after; /* args of follow-ups; NULL: there never was one */
    bool next_wanted, after_wanted;
    unsigned follows;       /* exchanges of this try that followed on the first */
    int64_t first_start_ns; /* monotonic, of that first one; only when there were any */
    GString *text, *reasoning, *extra;
    unsigned slot; /* in the worker's list */
    /* For the limit of the run's cost, in 10^-12 USD: of one try, and of all. */
    int64_t worst, reserved;
} flight;

flight *flight_new(const flight_context *context);
void flight_free(flight *f);

/* A new sample, taken over. */
void flight_begin(flight *f, sample *s);
/* A (further) try is about to be sent by `x`. */
void flight_try(flight *f, exchange *x, bool first);

/* For struct exchange_events; x->user is the flight. */
bool flight_head(exchange *x);
bool flight_body(exchange *x, const char *data, size_t size, int64_t at_ns,
                 uint32_t clock);
void flight_look(exchange *x);
void flight_resend(exchange *x);
/* The try's exchange has ended, and another one is to bring its output. */
bool flight_may_follow(const flight *f, const struct exchange_end *end);
/* Which is `next`: the same try goes on, its request has left already. */
void flight_follow(flight *f, exchange *next);
/* An event of an answer that came after the end; `extra` is an unfinished object. */
void flight_take_late(attempt *a, GString *extra, const struct lens_event *e);
/* The try ended by itself. */
void flight_end(flight *f, const struct exchange_end *end);
/* The try was ended by us. */
void flight_stop(flight *f, uint32_t kind, uint32_t where, const char *detail);
/* The finished sample; the flight can begin anew. */
sample *flight_take(flight *f);
