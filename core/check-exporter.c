#include "check.h"

struct delivery {
    check *c;
    struct check_host host;
    uint64_t delivered;
};

static int
run_cycle(void *data)
{
    struct delivery *d = data;

    return lens_harness_exporter(&d->host.harness, &d->c->plugin->ops.exporter,
                                 &d->delivered);
}

static void
check_delivery(check *c)
{
    struct delivery d = { .c = c };

    check_begin(c, "life cycle and delivery");
    check_host_init(&d.host, c, NULL);
    /* One with a client of its own may find nobody there. */
    if (!run_cycle(&d) && !d.host.harness.absent)
        lens_harness_problem(&d.host.harness,
                             "an operation fails with the options that are required");
    check_end(c, d.host.harness.problem);
    check_host_clear(&d.host);
}

/* Each way in which a receiver can fail, for exporters that talk HTTP. */
static void
check_receivers(check *c)
{
    for (uint32_t fault = LENS_FAULT_NONE; fault < LENS_FAULT_COUNT; fault++) {
        struct check_host host;
        int http = 0;

        check_begin(c, lens_fault_name(fault));
        check_host_init(&host, c, NULL);
        lens_harness_delivery(&host.harness, &c->plugin->ops.exporter, fault, &http);
        check_end(c, host.harness.problem);
        check_host_clear(&host);
        if (!http && fault == LENS_FAULT_NONE)
            return; /* it writes files, or waits to be asked */
    }
}

void
check_exporter(check *c)
{
    struct delivery d = { .c = c };

    check_delivery(c);
    check_receivers(c);
    check_begin(c, "each failing host call");
    check_host_init(&d.host, c, NULL);
    check_failing_calls(c, &d.host, run_cycle, &d);
    check_host_clear(&d.host);
    check_begin(c, "leaks");
    check_host_init(&d.host, c, NULL);
    check_leaks(c, &d.host, run_cycle, &d);
    check_host_clear(&d.host);
}
