/* influxdb: samples, intervals and results as points of InfluxDB 1, 2 or 3. */
#include <lens/plugin.h>

#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "points.h"
#include "send.h"

struct influxdb {
    const struct lens_host *host;
    struct sender sender;
    struct points points;
    struct lines lines;
    int32_t samples, intervals; /* what is asked for */
    int64_t last_ns;            /* of the intervals, since the start of the run */
};

static void
influxdb_close(void *self)
{
    struct influxdb *x = self;

    sender_close(&x->sender);
    points_close(&x->points);
    lines_clear(&x->lines);
    free(x);
}

static lens_status
influxdb_open(const struct lens_host *host, void **ret_self)
{
    struct influxdb *x = calloc(1, sizeof *x);
    const char *what = host->opt_string(host, "points", 0);
    lens_status status;

    if (x == NULL)
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    x->host = host;
    x->sender.most = (uint32_t)host->opt_int(host, "batch");
    x->samples = what != NULL && strcmp(what, "intervals") != 0;
    x->intervals = what == NULL || strcmp(what, "samples") != 0;
    status = influx_api_open(&x->sender.api, host);
    if (status == LENS_OK)
        status = points_open(&x->points, host);
    if (status != LENS_OK) {
        influxdb_close(x);
        return status;
    }
    *ret_self = x;
    return LENS_OK;
}

/* ---- delivery ---- */

/* Sends the lines and says what became of `count` things, one line each. */
static lens_status
deliver(struct influxdb *x, uint64_t count, struct lens_delivery *delivery)
{
    static const uint32_t verdicts[] = {
        [ANSWER_OK] = LENS_DELIVERY_OK,
        [ANSWER_LATER] = LENS_DELIVERY_LATER,
        [ANSWER_GIVE_UP] = LENS_DELIVERY_GIVE_UP,
    };
    struct sender *s = &x->sender;
    const enum answer_act act = sender_send(s, &x->lines);

    delivery->verdict = verdicts[act];
    delivery->delivered_prefix = act == ANSWER_OK ? count : s->done;
    delivery->refused = s->refused;
    delivery->refused_count = s->refused_count;
    if (act == ANSWER_OK)
        return LENS_OK;
    if (s->retry_after_ns > 0)
        delivery->retry_after_ns = s->retry_after_ns;
    return x->host->fail(x->host, act == ANSWER_LATER ? LENS_E_IO : LENS_E_FAILED,
                         s->api.why);
}

/* The same for one thing of several lines: it is refused when one of them is. */
static lens_status
deliver_one(struct influxdb *x, struct lens_delivery *delivery)
{
    static const uint64_t first = 0;
    const lens_status status = deliver(x, 1, delivery);

    if (status != LENS_OK) {
        delivery->delivered_prefix = 0;
        delivery->refused_count = 0;
    } else if (delivery->refused_count > 0) {
        delivery->refused = &first;
        delivery->refused_count = 1;
    }
    return status;
}

/* A missing database or a wrong token shows here, before anything is lost on it. */
static lens_status
influxdb_begin(void *self, const struct lens_run *run, uint64_t resumed)
{
    struct influxdb *x = self;
    struct lens_delivery delivery = { .struct_size = sizeof delivery };
    lens_status status;

    (void)resumed; /* the same points again change nothing */
    if (points_begin(&x->points, run) != LENS_OK)
        return x->host->fail(x->host, LENS_E_NOMEM, "out of memory");
    status = influx_api_find(&x->sender.api);
    if (status != LENS_OK)
        return x->host->fail(x->host, status, x->sender.api.why);
    lines_rewind(&x->lines);
    points_run(&x->points, run, &x->lines);
    return deliver_one(x, &delivery);
}

static lens_status
influxdb_samples(void *self, const struct lens_sample *const *batch, uint64_t count,
                 struct lens_delivery *delivery)
{
    struct influxdb *x = self;

    if (!x->samples) {
        delivery->delivered_prefix = count;
        return LENS_OK;
    }
    lines_rewind(&x->lines);
    for (uint64_t i = 0; i < count; i++)
        points_sample(&x->points, batch[i], &x->lines);
    return deliver(x, count, delivery);
}

static lens_status
influxdb_snapshot(void *self, const struct lens_snapshot *s,
                  struct lens_delivery *delivery)
{
    struct influxdb *x = self;

    x->last_ns = s->end_ns > x->last_ns ? s->end_ns : x->last_ns;
    if (!x->intervals)
        return LENS_OK;
    lines_rewind(&x->lines);
    for (uint32_t i = 0; i < s->result_count; i++)
        points_result(
            &x->points, "interval",
            (const void *)((const char *)s->interval + (size_t)i * s->result_size),
            (double)(s->end_ns - s->begin_ns) / 1e9, s->unix_ns, &x->lines);
    for (uint32_t i = 0;
         LENS_HAS(s, struct lens_snapshot, export_size) && i < s->export_count; i++)
        points_export(
            &x->points,
            (const void *)((const char *)s->exports + (size_t)i * s->export_size),
            s->unix_ns, &x->lines);
    return deliver_one(x, delivery);
}

/* The results of the whole run, each at the end of its window. */
static lens_status
influxdb_end(void *self, const struct lens_summary *summary,
             struct lens_delivery *delivery)
{
    struct influxdb *x = self;

    lines_rewind(&x->lines);
    for (uint32_t i = 0; i < summary->result_count; i++) {
        const struct lens_result *r = (const void *)((const char *)summary->results +
                                                     (size_t)i * summary->result_size);
        const double start = lens_result_number(r, "window.start_s");
        const double end = lens_result_number(r, "window.end_s");
        const int64_t at = end > 0 && end < 9e9 ? (int64_t)(end * 1e9) : x->last_ns;

        points_result(&x->points, "summary", r, end - start,
                      x->points.facts.start_unix_ns + at, &x->lines);
    }
    return deliver_one(x, delivery);
}

static const struct lens_option options[] = {
    { .name = "url",
      .type = LENS_OPT_URL,
      .fallback = "http://127.0.0.1:8086",
      .help = "where InfluxDB is" },
    { .name = "api",
      .type = LENS_OPT_CHOICE,
      .fallback = "auto",
      .choices = "auto|v1|v2|v3",
      .help = "interface to write by; auto asks the server for its version" },
    { .name = "db",
      .type = LENS_OPT_STRING,
      .help = "database (v1, v3) or bucket (v2), lens when nothing is said" },
    { .name = "bucket",
      .type = LENS_OPT_STRING,
      .variable = "INFLUX_BUCKET",
      .help = "the same as db" },
    { .name = "org",
      .type = LENS_OPT_STRING,
      .variable = "INFLUX_ORG",
      .help = "organization by name or id (v2)" },
    { .name = "retention_policy",
      .type = LENS_OPT_STRING,
      .help = "retention policy (v1), the database's own when nothing is said" },
    { .name = "token",
      .type = LENS_OPT_SECRET,
      .variable = "INFLUX_TOKEN",
      .help = "API token" },
    { .name = "username", .type = LENS_OPT_STRING, .help = "user (v1)" },
    { .name = "password",
      .type = LENS_OPT_SECRET,
      .variable = "INFLUX_PASSWORD",
      .help = "password of the user" },
    { .name = "points",
      .type = LENS_OPT_CHOICE,
      .fallback = "intervals",
      .choices = "intervals|samples|both",
      .help = "what becomes a point: each interval, each request, or both" },
    { .name = "tags",
      .type = LENS_OPT_STRING,
      .flags = LENS_OPT_REPEATABLE,
      .help = "tags of the points, for instance target+stage+model" },
    { .name = "tag",
      .type = LENS_OPT_STRING,
      .flags = LENS_OPT_REPEATABLE,
      .help = "KEY=VALUE, a tag of all points" },
    { .name = "fields",
      .type = LENS_OPT_STRING,
      .flags = LENS_OPT_REPEATABLE,
      .help = "fields of a request's point, for instance ttft+e2e+output_tokens" },
    { .name = "prefix",
      .type = LENS_OPT_STRING,
      .fallback = "lens_",
      .help = "what the names of measurements start with" },
    { .name = "batch",
      .type = LENS_OPT_INT,
      .fallback = "5000",
      .choices = "1..100000",
      .help = "most points in a request" },
    RECEIVER_OPTIONS,
};

static const struct lens_exporter exporter = {
    .struct_size = sizeof exporter,
    .flags = LENS_EXPORT_SAMPLES | LENS_EXPORT_INTERVALS | LENS_EXPORT_IDEMPOTENT |
             LENS_EXPORT_NO_MARKS,
    .options = LENS_SCHEMA(options),
    .open = influxdb_open,
    .close = influxdb_close,
    .begin = influxdb_begin,
    .samples = influxdb_samples,
    .snapshot = influxdb_snapshot,
    .end = influxdb_end,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    .kind = LENS_KIND_OF_EXPORTER,
    .name = "influxdb",
    .version = "1.0.0",
    .summary = "points for InfluxDB 1, 2 and 3",
    .ops = &exporter,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
