/* transport-private: what both ways to the wire share. */
#pragma once

#include "transport.h"

struct transport_base {
    poller *poller;
    const plan_target *target;
    const struct exchange_events *events;
    wallclock *wall;
    bool user_clock;
};

/* The words for an answer that broke a limit. */
extern const char TRANSPORT_HEAD_TOO_LARGE[];
extern const char TRANSPORT_CONNECT_TIMEOUT[];
extern const char TRANSPORT_NO_FDS[];

/* Counts a time that fds, ports or memory ran out. */
void transport_note_shortage(void);
/* All that was measured of an exchange is unknown again. */
void exchange_forget_answer(exchange *x);
/* The answer's headers are complete: their offsets in header_text become pointers. */
void exchange_settle_headers(exchange *x);
