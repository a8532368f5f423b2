/* transport-ask: one whole exchange, blocking, off the measurement: model lists, tokens,
 * health. Any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "host.h"
#include "plan.h"

struct transport_reply {
    long status;
    GString *body;
    GArray *headers; /* struct lens_pair into head */
    GString *head;
};

void transport_reply_init(struct transport_reply *r);
/* Wipes what it frees: an answer may hold a token. */
void transport_reply_clear(struct transport_reply *r);
/* With the TLS, proxy and address settings of `target`, also to another host; a client's
 * certificate goes to the target's own origin alone, and addresses of this machine's own
 * network (metadata services) get no proxy. False, with an error that begins with the
 * URL, when there was no answer, or one of more than `limit` bytes. */
bool transport_ask(const plan_target *target, const struct lens_request *request,
                   size_t limit, struct transport_reply *ret, GError **error);
/* Whether two URLs have the same scheme, host and port. */
bool transport_same_origin(const char *a, const char *b);
