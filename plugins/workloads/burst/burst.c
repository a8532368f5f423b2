/* burst: n requests together, again and again. */
#include "../common/arrivals.h"

static lens_status
burst_open(const struct lens_host *host, const struct lens_workload_args *args,
           void **ret_self)
{
    const uint64_t times = (uint64_t)host->opt_int(host, "times");
    struct arrivals *a = arrivals_new(host, args, arrivals_even_gap);

    if (a == NULL)
        return LENS_E_NOMEM;
    a->group = (uint64_t)host->opt_int(host, "n");
    a->span_ns = host->opt_int(host, "every");
    a->per_span = a->group;
    if (a->span_ns <= 0) {
        arrivals_close(a);
        return host->fail(host, LENS_E_CONFIG,
                          "option every: expected a duration above 0, for instance 10s");
    }
    if (times > 0)
        a->limit = times * a->group;
    *ret_self = a;
    return LENS_OK;
}

static const struct lens_option options[] = {
    { .name = "n",
      .type = LENS_OPT_INT,
      .flags = LENS_OPT_REQUIRED,
      .choices = "1..1000000",
      .unit = "requests",
      .help = "requests that start together" },
    { .name = "every",
      .type = LENS_OPT_DURATION,
      .fallback = "10s",
      .help = "time from one burst to the next" },
    { .name = "times",
      .type = LENS_OPT_INT,
      .fallback = "0",
      .choices = "0..1000000000",
      .unit = "bursts",
      .help = "how many bursts, 0 for as many as the stage has time for" },
};

static const struct lens_workload workload = {
    .struct_size = sizeof workload,
    .flags = LENS_WORKLOAD_OPEN,
    .options = LENS_SCHEMA(options),
    .open = burst_open,
    .close = arrivals_close,
    .next = arrivals_next,
    .estimate = arrivals_estimate,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    .kind = LENS_KIND_OF_WORKLOAD,
    .name = "burst",
    .version = "1.0.0",
    .summary = "open loop: n requests together at regular times",
    .ops = &workload,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
