/* gateway: a Pushgateway, which keeps the newest totals of a group of labels. */
#pragma once

#include "../common/receiver.h"
#include "../common/text.h"
#include "text.h"

struct gateway {
    const char *base; /* NULL: not asked for */
    struct receiver receiver;
    struct lens_text url; /* of the group */
};

/* `authorization`: value of that header, or "". */
void gateway_open(struct gateway *g, const struct lens_host *host,
                  const char *authorization);
void gateway_close(struct gateway *g);
lens_status gateway_begin(struct gateway *g, const char *job, const char *instance);
/* Replaces the group. It says why not. */
lens_status gateway_push(struct gateway *g, const struct text *page,
                         struct lens_delivery *delivery);
