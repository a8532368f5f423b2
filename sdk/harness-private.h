/* What the sources of harness.h share. */
#pragma once

#include "harness.h"

/* What the ABI's headers leave to the host: here both are plain pointers home. */
struct lens_request {
    struct lens_harness *harness;
};
struct lens_buffer {
    struct lens_harness *harness;
    struct lens_sheet *text;
};
struct lens_histogram {
    const struct lens_bucket *buckets;
    uint64_t count;
};

/* Whether this call of a service is the one that fails. */
int harness_fails(struct lens_harness *h, const char *service);
/* The services of exporters that serve, and of AUTH calls. */
void harness_add_services(struct lens_host *host);
