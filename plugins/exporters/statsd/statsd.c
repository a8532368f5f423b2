/* statsd: timings of requests, counters and gauges of intervals, as StatsD or DogStatsD
 * datagrams. Nothing is acknowledged, nothing is waited for. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <names.h>

#include "../common/field.h"
#include "lines.h"

#define MOST_TIMINGS 40
#define MOST_TAGS 16
#define BATCH_PATIENCE_MS 100

struct timing {
    const struct field *field;
    const struct lens_name *name;
};

struct statsd {
    const struct lens_host *host;
    const char *address, *path;
    int32_t gaps;
    struct lines lines;
    struct datagram out;
    struct timing timings[MOST_TIMINGS];
    size_t timing_count;
    struct pair_text tags[MOST_TAGS]; /* of the user */
    size_t tag_count;
    char *tag_room;
    struct run_names names;
    int32_t told_loss;
};

static void
statsd_close(void *self)
{
    struct statsd *s = self;

    datagram_flush(&s->out);
    datagram_close(&s->out);
    run_names_clear(&s->names);
    free(s->tag_room);
    free(s);
}

/* ---- options ---- */

/* Fields of a sample that are a row of the name table, too. */
static void
find_timings(struct statsd *s)
{
    for (uint32_t i = 0; i < lens_name_count; i++) {
        const struct lens_name *name = &lens_names[i];

        if (name->kind != LENS_NAME_HISTOGRAM || s->timing_count == MOST_TIMINGS)
            continue;
        for (uint32_t k = 0; k < sample_field_count; k++)
            if (strcmp(field_column(&sample_fields[k]), name->sql) == 0)
                s->timings[s->timing_count++] =
                    (struct timing){ &sample_fields[k], name };
    }
}

static lens_status
read_tags(struct statsd *s)
{
    const int32_t count = s->host->opt_count(s->host, "tag");
    size_t size = 0;
    char *at;

    for (int32_t i = 0; i < count; i++)
        size += strlen(s->host->opt_string(s->host, "tag", (uint32_t)i)) + 1;
    at = s->tag_room = malloc(size + 1);
    if (at == NULL)
        return s->host->fail(s->host, LENS_E_NOMEM, "out of memory");
    for (int32_t i = 0; i < count; i++) {
        const char *tag = s->host->opt_string(s->host, "tag", (uint32_t)i);
        char *equals;

        memcpy(at, tag, strlen(tag) + 1);
        equals = strchr(at, '=');
        if (equals == NULL || equals == at || s->tag_count == MOST_TAGS)
            return s->host->fail(s->host, LENS_E_CONFIG,
                                 "option tag: expected KEY=VALUE, at most 16 of them");
        *equals = '\0';
        s->tags[s->tag_count++] = (struct pair_text){ at, equals + 1 };
        at = equals + 1 + strlen(equals + 1) + 1;
    }
    return LENS_OK;
}

static enum series
series_of(const char *name)
{
    return strcmp(name, "name") == 0   ? SERIES_NAME
           : strcmp(name, "tags") == 0 ? SERIES_TAGS
                                       : SERIES_NONE;
}

static lens_status
statsd_open(const struct lens_host *host, void **ret_self)
{
    struct statsd *s = calloc(1, sizeof *s);
    lens_status status;

    if (s == NULL)
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    s->host = host;
    s->path = host->opt_string(host, "socket", 0);
    s->address = s->path == NULL ? host->opt_string(host, "address", 0) : NULL;
    s->gaps = host->opt_int(host, "gaps") != 0;
    datagram_init(&s->out, host, (size_t)host->opt_int(host, "datagram"));
    s->lines = (struct lines){
        .out = &s->out,
        .dialect = strcmp(host->opt_string(host, "dialect", 0), "datadog") == 0
                       ? DIALECT_DATADOG
                       : DIALECT_STATSD,
        .series = series_of(host->opt_string(host, "series", 0)),
        .prefix = host->opt_string(host, "prefix", 0),
    };
    if (s->lines.prefix == NULL)
        s->lines.prefix = "";
    find_timings(s);
    status = s->address != NULL ? datagram_check(&s->out, s->address) : LENS_OK;
    if (status == LENS_OK)
        status = read_tags(s);
    if (status != LENS_OK) {
        statsd_close(s);
        return status;
    }
    *ret_self = s;
    return LENS_OK;
}

/* ---- the run ---- */

static lens_status
statsd_begin(void *self, const struct lens_run *run, uint64_t resumed)
{
    struct statsd *s = self;

    (void)resumed;
    if (run_names_take(&s->names, run) != LENS_OK)
        return s->host->fail(s->host, LENS_E_NOMEM, "out of memory");
    return datagram_open(&s->out, s->address, s->path);
}

static void
name_series(const struct statsd *s, uint32_t target, uint32_t stage,
            struct series_name *ret)
{
    struct pair_text pairs[4 + MOST_TAGS] = {
        { "target", NULL }, { "stage", NULL }, { "model", NULL }, { "provider", NULL }
    };

    if (target < s->names.target_count) {
        pairs[0].value = s->names.targets[target];
        pairs[2].value = s->names.models[target];
        pairs[3].value = s->names.providers[target];
    }
    if (stage < s->names.stage_count)
        pairs[1].value = s->names.stages[stage];
    memcpy(pairs + 4, s->tags, s->tag_count * sizeof *pairs);
    series_name_make(&s->lines, pairs, 4 + s->tag_count, ret);
}

/* The user hears of losses once in a run, and at its end of all. */
static void
tell_loss(struct statsd *s, int32_t at_end)
{
    char text[256];

    if (s->out.lost == 0 || (s->told_loss && !at_end))
        return;
    s->told_loss = 1;
    snprintf(text, sizeof text, "%s: %llu of %llu datagrams could not be sent (%s)",
             s->path != NULL ? s->path : s->address, (unsigned long long)s->out.lost,
             (unsigned long long)(s->out.lost + s->out.sent),
             strerror(s->out.last_error));
    s->host->log(s->host, LENS_LOG_WARNING, text);
}

/* ---- samples ---- */

static void
put_timing(struct statsd *s, const struct series_name *series,
           const struct lens_name *name, double value)
{
    /* A timer of StatsD is its histogram, whatever the unit. */
    line_put(&s->lines, series, name->statsd, NULL, value,
             s->lines.dialect == DIALECT_DATADOG ? "d" : "ms");
}

static void
put_gaps(struct statsd *s, const struct series_name *series, const struct lens_sample *p)
{
    const struct lens_name *name = lens_name_find("itl");
    const char *at = (const char *)p->marks;
    int64_t before = -1;

    for (uint32_t i = 0; i < p->mark_count; i++, at += p->mark_size) {
        const struct lens_mark *m = (const struct lens_mark *)(const void *)at;

        if ((m->classes & LENS_MSG_OUTPUT) == 0)
            continue;
        if (before >= 0)
            put_timing(s, series, name, (double)(m->at_ns - before) / 1e6);
        before = m->at_ns;
    }
}

static void
put_sample(struct statsd *s, const struct lens_sample *p)
{
    struct series_name series;
    struct value v;

    name_series(s, p->target, p->stage, &series);
    for (size_t i = 0; i < s->timing_count; i++) {
        const struct timing *t = &s->timings[i];

        field_read(t->field, p, &s->names, &v);
        if (v.kind == VALUE_DOUBLE)
            put_timing(s, &series, t->name, v.number);
        else if (v.kind == VALUE_INT)
            put_timing(s, &series, t->name, (double)v.integer);
    }
    if (s->gaps)
        put_gaps(s, &series, p);
}

static lens_status
statsd_samples(void *self, const struct lens_sample *const *batch, uint64_t count,
               struct lens_delivery *delivery)
{
    struct statsd *s = self;

    datagram_patience(&s->out, BATCH_PATIENCE_MS);
    for (uint64_t i = 0; i < count; i++) /* what the statistics are made of */
        if (batch[i]->phase == LENS_PART_MEASURED && batch[i]->outcome == LENS_OUTCOME_OK)
            put_sample(s, batch[i]);
    datagram_flush(&s->out);
    tell_loss(s, 0);
    delivery->delivered_prefix = count;
    return LENS_OK;
}

/* ---- intervals ---- */

static void
put_errors(struct statsd *s, const struct series_name *series,
           const struct lens_result *r)
{
    const struct lens_name *name = lens_name_find("errors");
    const char *at = (const char *)r->errors;

    for (uint32_t i = 0; i < r->error_count; i++, at += r->error_size) {
        const struct lens_error_count *e =
            (const struct lens_error_count *)(const void *)at;
        const struct pair_text kind = { "error", e->kind };

        line_put(&s->lines, series, name->statsd, &kind, (double)e->count, "c");
    }
}

static void
put_quantiles(struct statsd *s, const struct series_name *series,
              const struct lens_result *r)
{
    static const struct {
        double q;
        const char *name;
    } quantiles[] = { { 0.5, "p50" }, { 0.95, "p95" }, { 0.99, "p99" } };
    const struct lens_name *name = lens_name_find("itl");
    const struct lens_metric *m = lens_result_metric(r, "itl");
    char full[128];

    for (size_t i = 0; m != NULL && i < sizeof quantiles / sizeof quantiles[0]; i++) {
        snprintf(full, sizeof full, "%s_%s", name->statsd, quantiles[i].name);
        line_put(&s->lines, series, full, NULL, lens_metric_quantile(m, quantiles[i].q),
                 "g");
    }
}

static void
put_result(struct statsd *s, const struct lens_result *r)
{
    struct series_name series;

    name_series(s, r->target, r->stage, &series);
    for (uint32_t i = 0; i < lens_name_count; i++) {
        const struct lens_name *name = &lens_names[i];
        const double value = lens_result_number(r, name->id);

        if (name->kind == LENS_NAME_COUNTER && value > 0)
            line_put(&s->lines, &series, name->statsd, NULL, value, "c");
        else if (name->kind == LENS_NAME_GAUGE && isfinite(value))
            line_put(&s->lines, &series, name->statsd, NULL, value, "g");
    }
    put_errors(s, &series, r);
    if (!s->gaps)
        put_quantiles(s, &series, r);
}

static lens_status
statsd_snapshot(void *self, const struct lens_snapshot *snapshot,
                struct lens_delivery *delivery)
{
    struct statsd *s = self;
    const char *at = (const char *)snapshot->interval;

    datagram_patience(&s->out, BATCH_PATIENCE_MS);
    for (uint32_t i = 0; i < snapshot->result_count; i++, at += snapshot->result_size)
        put_result(s, (const struct lens_result *)(const void *)at);
    datagram_flush(&s->out);
    tell_loss(s, 0);
    delivery->delivered_prefix = 1;
    return LENS_OK;
}

static lens_status
statsd_end(void *self, const struct lens_summary *summary, struct lens_delivery *delivery)
{
    (void)summary;
    tell_loss(self, 1);
    delivery->delivered_prefix = 1;
    return LENS_OK;
}

static const struct lens_option options[] = {
    { .name = "address",
      .type = LENS_OPT_STRING,
      .fallback = "127.0.0.1:8125",
      .help = "HOST:PORT that takes UDP" },
    { .name = "socket",
      .type = LENS_OPT_PATH,
      .help = "Unix datagram socket in place of UDP" },
    { .name = "dialect",
      .type = LENS_OPT_CHOICE,
      .fallback = "statsd",
      .choices = "statsd|datadog",
      .help = "datadog: DogStatsD, with tags and distributions" },
    { .name = "series",
      .type = LENS_OPT_CHOICE,
      .fallback = "name",
      .choices = "name|tags|none",
      .help = "where statsd says target and stage: NAME.TARGET.STAGE, NAME;target=T, "
              "nowhere" },
    { .name = "prefix", .type = LENS_OPT_STRING, .help = "put before every name" },
    { .name = "tag",
      .type = LENS_OPT_STRING,
      .flags = LENS_OPT_REPEATABLE,
      .help = "KEY=VALUE, a tag of all series" },
    { .name = "gaps",
      .type = LENS_OPT_BOOL,
      .fallback = "false",
      .help = "every gap between output messages, not their percentiles alone" },
    { .name = "datagram",
      .type = LENS_OPT_INT,
      .fallback = "1432",
      .choices = "128..65000",
      .unit = "bytes",
      .help = "largest datagram; more only on a Unix socket or loopback" },
};

static const struct lens_exporter exporter = {
    .struct_size = sizeof exporter,
    .flags = LENS_EXPORT_BEST_EFFORT,
    .options = LENS_SCHEMA(options),
    .open = statsd_open,
    .close = statsd_close,
    .begin = statsd_begin,
    .samples = statsd_samples,
    .snapshot = statsd_snapshot,
    .end = statsd_end,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    .kind = LENS_KIND_OF_EXPORTER,
    .name = "statsd",
    .version = "1.0.0",
    .summary = "timings, counters and gauges for StatsD and DogStatsD",
    .ops = &exporter,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
