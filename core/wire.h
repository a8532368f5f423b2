/* wire: exchanges over HTTP/1.1 in clear text, on sockets of our own. Faster than
 * libcurl, and truer: the look that takes a stamp takes the bytes too, so nothing waits
 * in a socket while other streams are worked on. Loop thread only; the functions mean
 * what those of transport.h do. */
#pragma once

#include "transport-private.h"

typedef struct wire wire;

/* Whether nothing of this target needs libcurl, apart from URLs that do (wire_start). */
bool wire_can_serve(const plan_target *target);

wire *wire_new(const struct transport_base *base);
/* Every exchange must have ended or been cancelled. */
void wire_free(wire *w);

/* An exchange with room for what the wire keeps of it. */
exchange *wire_exchange_new(void);
void wire_exchange_free(exchange *x);

/* False: its URL is not for the wire (https, odd); nothing was done. */
bool wire_start(wire *w, exchange *x);
void wire_cancel(wire *w, exchange *x);
void wire_run(wire *w);
int64_t wire_deadline(const wire *w);
bool wire_merged(exchange *x);
