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

/* Made-up data of harness-exporter.c. */
extern const struct lens_run harness_run;
void harness_make_sample(struct lens_sample *s, uint32_t nth);
typedef void (*harness_totals_fn)(const struct lens_snapshot *,
                                  const struct lens_summary *, void *data);
void harness_with_totals(harness_totals_fn fn, void *data);
