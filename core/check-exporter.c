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
    if (!run_cycle(&d))
        lens_harness_problem(&d.host.harness,
                             "an operation fails with the options that are required");
    check_end(c, d.host.harness.problem);
    check_host_clear(&d.host);
}

/* What no receiver took must not be called delivered. */
static void
check_receiver(check *c, int32_t status, const char *what)
{
    const bool promises = (c->plugin->ops.exporter.flags & LENS_EXPORT_BEST_EFFORT) == 0;
    struct delivery d = { .c = c };

    check_begin(c, what);
    check_host_init(&d.host, c, NULL);
    d.host.harness.http_status = status;
    run_cycle(&d);
    if (promises && d.host.harness.http_calls > 0 && d.delivered > 0)
        lens_harness_problem(&d.host.harness, "%u samples are said to be delivered",
                             (unsigned)d.delivered);
    check_end(c, d.host.harness.problem);
    check_host_clear(&d.host);
}

void
check_exporter(check *c)
{
    struct delivery d = { .c = c };

    check_delivery(c);
    check_receiver(c, 0, "a receiver that is away");
    check_receiver(c, 503, "a receiver that is overloaded");
    check_begin(c, "each failing host call");
    check_host_init(&d.host, c, NULL);
    check_failing_calls(c, &d.host, run_cycle, &d);
    check_host_clear(&d.host);
    check_begin(c, "leaks");
    check_host_init(&d.host, c, NULL);
    check_leaks(c, &d.host, run_cycle, &d);
    check_host_clear(&d.host);
}
