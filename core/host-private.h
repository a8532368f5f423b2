/* host-private: between host.c and instance.c. */
#pragma once

#include "host.h"

/* Fills the service table. */
void host_init(struct lens_host *host);
/* The service histogram_next; a lens_histogram is a histogram. */
int32_t host_histogram_next(const struct lens_host *host, const struct lens_histogram *h,
                            uint64_t *cursor, struct lens_bucket *ret);
