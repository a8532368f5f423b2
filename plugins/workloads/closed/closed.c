/* closed: a fixed number of slots; each starts its next request when its last one ended.
 */
#include <lens/plugin.h>

#include <stdlib.h>

struct closed {
    const struct lens_host *host;
    uint32_t shard, shards;        /* of those that have slots */
    int64_t requests, duration_ns; /* of the stage */
    uint64_t slots;                /* of this shard */
    uint64_t fresh;                /* slots that never ran start at this one */
    uint64_t given;                /* arrivals so far */
    uint64_t idle_count;
    uint32_t idle[]; /* slots that came back */
};

static lens_status
closed_open(const struct lens_host *host, const struct lens_workload_args *args,
            void **ret_self)
{
    const uint32_t concurrency = (uint32_t)host->opt_int(host, "concurrency");
    const uint32_t asked = args->shards > 0 ? args->shards : 1;
    /* A shard without a slot would never run its indices: only the others count. */
    const uint32_t shards = asked < concurrency ? asked : concurrency;
    const uint64_t slots =
        args->shard < shards ? (concurrency - args->shard + shards - 1) / shards : 0;
    struct closed *c = calloc(1, sizeof *c + slots * sizeof c->idle[0]);

    if (c == NULL)
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    c->host = host;
    c->shard = args->shard;
    c->shards = shards;
    c->requests = args->requests;
    c->duration_ns = args->duration_ns;
    c->slots = slots;
    *ret_self = c;
    return LENS_OK;
}

static void
closed_close(void *self)
{
    free(self);
}

static lens_status
closed_next(void *self, int64_t now_ns, struct lens_arrival *arrival)
{
    struct closed *c = self;
    uint64_t slot;

    if (c->slots == 0)
        return LENS_DONE;
    if (c->idle_count > 0)
        slot = c->idle[--c->idle_count];
    else if (c->fresh < c->slots)
        slot = c->shard + c->fresh++ * c->shards;
    else
        return LENS_WAIT;

    arrival->at_ns = now_ns;
    arrival->ticket = slot;
    arrival->session = slot;
    arrival->index = c->shard + c->given++ * c->shards;
    arrival->content_seed = c->host->rand(c->host, LENS_RAND_CONTENT, arrival->index);
    return LENS_OK;
}

static void
closed_event(void *self, const struct lens_outcome *outcome)
{
    struct closed *c = self;

    if (outcome->phase == LENS_PHASE_DONE && c->idle_count < c->fresh)
        c->idle[c->idle_count++] = (uint32_t)outcome->ticket;
}

static lens_status
closed_estimate(void *self, struct lens_estimate *total)
{
    const struct closed *c = self;

    total->arrivals = c->requests;
    total->duration_ns = c->duration_ns;
    return LENS_OK;
}

static const struct lens_option options[] = {
    { .name = "concurrency",
      .type = LENS_OPT_INT,
      .fallback = "1",
      .choices = "1..1000000",
      .unit = "requests",
      .help = "requests in flight at any time" },
};

static const struct lens_workload workload = {
    .struct_size = sizeof workload,
    .flags = LENS_WORKLOAD_CLOSED,
    .wants = LENS_WANTS(LENS_PHASE_DONE),
    .options = LENS_SCHEMA(options),
    .open = closed_open,
    .close = closed_close,
    .next = closed_next,
    .event = closed_event,
    .estimate = closed_estimate,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    .kind = LENS_KIND_OF_WORKLOAD,
    .name = "closed",
    .version = "1.0.0",
    .summary = "closed loop: a fixed number of requests in flight",
    .ops = &workload,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
