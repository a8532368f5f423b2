/* send: one OTLP request to the receiver, over HTTP or gRPC, and what its answer means.
 */
#pragma once

#include "settings.h"
#include "tree.h"

struct sender {
    const struct lens_host *host;
    const struct endpoint *endpoint;
    const char *what;    /* "data points" or "spans", for messages */
    struct text message; /* the encoded request */
};

/* Encodes the tree, sends it, and sets verdict and delivered prefix for `count` things.
 * Says why by host->fail where it does not return LENS_OK. */
lens_status sender_send(struct sender *s, struct node *root, const struct tree *t,
                        uint64_t count, struct lens_delivery *delivery);
void sender_clear(struct sender *s);
