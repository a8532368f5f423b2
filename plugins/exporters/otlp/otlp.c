/* otlp: metrics and traces by the OpenTelemetry Protocol, over HTTP or gRPC. */
#include <stdlib.h>
#include <string.h>

#include "metrics.h"
#include "send.h"
#include "slowest.h"
#include "traces.h"

struct otlp {
    const struct lens_host *host;
    struct settings settings;
    struct origin origin;
    struct tree tree;
    struct exponential scratch;
    struct sender senders[SIGNAL_COUNT];
    struct slowest *slowest; /* of the interval; NULL: not asked for */
};

static void
otlp_close(void *self)
{
    struct otlp *o = self;

    for (int i = 0; i < SIGNAL_COUNT; i++)
        sender_clear(&o->senders[i]);
    slowest_free(o->slowest);
    settings_clear(&o->settings);
    origin_clear(&o->origin);
    exponential_clear(&o->scratch);
    tree_clear(&o->tree);
    free(o);
}

static lens_status
otlp_open(const struct lens_host *host, void **ret_self)
{
    struct otlp *o = calloc(1, sizeof *o);
    lens_status status;

    if (o == NULL)
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    o->host = host;
    status = settings_read(&o->settings, host);
    if (status == LENS_OK && o->settings.sampling == TRACES_SLOWEST &&
        (o->slowest = slowest_new(o->settings.slowest)) == NULL)
        status = host->fail(host, LENS_E_NOMEM, "out of memory");
    if (status != LENS_OK) {
        otlp_close(o);
        return status;
    }
    exponential_init(&o->scratch, o->settings.most_buckets);
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        o->senders[i].host = host;
        o->senders[i].endpoint = &o->settings.endpoints[i];
        o->senders[i].what = i == SIGNAL_METRICS ? "data points" : "spans";
    }
    if (o->settings.disabled)
        host->log(host, LENS_LOG_WARNING,
                  "OTEL_SDK_DISABLED is true: nothing is sent over OTLP");
    *ret_self = o;
    return LENS_OK;
}

static lens_status
otlp_begin(void *self, const struct lens_run *run, uint64_t resumed)
{
    struct otlp *o = self;

    (void)resumed; /* ids are derived from the run: what comes twice is the same */
    if (!origin_take(&o->origin, run, o->settings.service_name))
        return o->host->fail(o->host, LENS_E_NOMEM, "out of memory");
    return LENS_OK;
}

static lens_status
otlp_samples(void *self, const struct lens_sample *const *batch, uint64_t count,
             struct lens_delivery *delivery)
{
    struct otlp *o = self;
    struct node *root;
    struct node *scope = traces_begin(&o->origin, &o->settings, &o->tree, &root);
    uint64_t told = 0;

    for (uint64_t i = 0; i < count && !o->settings.disabled; i++) {
        if (o->slowest != NULL && !slowest_offer(o->slowest, batch[i]))
            return o->host->fail(o->host, LENS_E_NOMEM, "out of memory");
        if (!traces_wanted(&o->settings, batch[i]))
            continue;
        traces_add(&o->origin, &o->settings, batch[i], &o->tree, scope);
        told++;
    }
    if (told > 0)
        return sender_send(&o->senders[SIGNAL_TRACES], root, &o->tree, count, delivery);
    delivery->delivered_prefix = count;
    return LENS_OK;
}

/* Spans of the slowest requests since the last time. */
static lens_status
send_slowest(struct otlp *o, struct lens_delivery *delivery)
{
    struct node *root;
    struct node *scope = traces_begin(&o->origin, &o->settings, &o->tree, &root);
    lens_status status;

    for (uint32_t i = 0; i < slowest_count(o->slowest); i++)
        traces_add(&o->origin, &o->settings, slowest_at(o->slowest, i), &o->tree, scope);
    status = sender_send(&o->senders[SIGNAL_TRACES], root, &o->tree, 1, delivery);
    if (status == LENS_OK && delivery->verdict == LENS_DELIVERY_OK)
        slowest_reset(o->slowest);
    return status;
}

static lens_status
otlp_snapshot(void *self, const struct lens_snapshot *snapshot,
              struct lens_delivery *delivery)
{
    struct otlp *o = self;

    delivery->delivered_prefix = 1;
    if (o->settings.disabled)
        return LENS_OK;
    if (o->slowest != NULL && slowest_count(o->slowest) > 0) {
        const lens_status status = send_slowest(o, delivery);

        if (status != LENS_OK || delivery->verdict != LENS_DELIVERY_OK)
            return status;
    }
    if (!o->settings.metrics)
        return LENS_OK;
    return sender_send(
        &o->senders[SIGNAL_METRICS],
        metrics_build(o->host, &o->origin, &o->settings, snapshot, &o->scratch, &o->tree),
        &o->tree, 1, delivery);
}

static lens_status
otlp_end(void *self, const struct lens_summary *summary, struct lens_delivery *delivery)
{
    struct otlp *o = self;

    (void)summary; /* the last interval has told it all */
    delivery->delivered_prefix = 1;
    return o->slowest != NULL && slowest_count(o->slowest) > 0 ? send_slowest(o, delivery)
                                                               : LENS_OK;
}

static const struct lens_exporter exporter = {
    .struct_size = sizeof exporter,
    .flags = LENS_EXPORT_INTERVALS,
    .options = { settings_options, SETTINGS_OPTION_COUNT, sizeof settings_options[0] },
    .open = otlp_open,
    .close = otlp_close,
    .begin = otlp_begin,
    .samples = otlp_samples,
    .snapshot = otlp_snapshot,
    .end = otlp_end,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    .kind = LENS_KIND_OF_EXPORTER,
    .name = "otlp",
    .version = "1.0.0",
    .summary = "metrics and traces over OTLP: http/protobuf, http/json, gRPC",
    .ops = &exporter,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
