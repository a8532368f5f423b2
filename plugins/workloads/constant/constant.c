/* constant: one request every 1/rate seconds, the first at once. */
#include "../common/arrivals.h"

static lens_status
constant_open(const struct lens_host *host, const struct lens_workload_args *args,
              void **ret_self)
{
    struct arrivals *a = arrivals_new(host, args, arrivals_even_gap);

    if (a == NULL)
        return LENS_E_NOMEM;
    a->span_ns = 1e9L;
    a->per_span = host->opt_double(host, "rate");
    *ret_self = a;
    return LENS_OK;
}

static const struct lens_option options[] = {
    { .name = "rate",
      .type = LENS_OPT_DOUBLE,
      .flags = LENS_OPT_REQUIRED,
      .choices = "0.000001..10000000",
      .unit = "req/s",
      .help = "requests per second" },
};

static const struct lens_workload workload = {
    .struct_size = sizeof workload,
    .flags = LENS_WORKLOAD_OPEN,
    .options = LENS_SCHEMA(options),
    .open = constant_open,
    .close = arrivals_close,
    .next = arrivals_next,
    .estimate = arrivals_estimate,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    .kind = LENS_KIND_OF_WORKLOAD,
    .name = "constant",
    .version = "1.0.0",
    .summary = "open loop: requests at a constant rate, whatever the answers do",
    .ops = &workload,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
