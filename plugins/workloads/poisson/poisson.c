/* poisson: independent exponential gaps, as many unrelated users make them. */
#include <math.h>

#include "../common/arrivals.h"

/* Inverse transform. The 53 upper bits give u in [0, 1), so that 1 - u is exact and never
 * 0; rounding to the unit hides the last bit, where mathematical libraries differ. */
static uint64_t
exponential_gap(const struct arrivals *a, uint64_t index)
{
    const uint64_t bits = a->host->rand(a->host, LENS_RAND_ARRIVAL, index) >> 11;
    const double u = (double)bits * 0x1p-53;

    return (uint64_t)llrint(-log1p(-u) * (double)ARRIVALS_UNIT);
}

static lens_status
poisson_open(const struct lens_host *host, const struct lens_workload_args *args,
             void **ret_self)
{
    struct arrivals *a = arrivals_new(host, args, exponential_gap);

    if (a == NULL)
        return LENS_E_NOMEM;
    a->span_ns = 1e9L;
    a->per_span = host->opt_double(host, "rate");
    a->group = 0;
    *ret_self = a;
    return LENS_OK;
}

static const struct lens_option options[] = {
    { .name = "rate",
      .type = LENS_OPT_DOUBLE,
      .flags = LENS_OPT_REQUIRED,
      .choices = "0.000001..10000000",
      .unit = "req/s",
      .help = "mean number of requests per second" },
};

static const struct lens_workload workload = {
    .struct_size = sizeof workload,
    .flags = LENS_WORKLOAD_OPEN,
    .options = LENS_SCHEMA(options),
    .open = poisson_open,
    .close = arrivals_close,
    .next = arrivals_next,
    .estimate = arrivals_estimate,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    .kind = LENS_KIND_OF_WORKLOAD,
    .name = "poisson",
    .version = "1.0.0",
    .summary = "open loop: random arrivals with exponential gaps of a given mean rate",
    .ops = &workload,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
