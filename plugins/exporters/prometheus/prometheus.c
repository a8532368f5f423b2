/* prometheus: the newest totals for a scrape, a file or a Pushgateway, and each snapshot
 * with its time by remote write. */
#include <lens/plugin.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/output.h"
#include "exposition.h"
#include "gateway.h"
#include "options.h"
#include "remote.h"

#define SCRAPE_AGAIN_NS INT64_C(200000000)

struct prometheus {
    const struct lens_host *host;
    struct state state;
    struct remote remote;
    struct gateway gateway;
    const char *textfile, *job, *instance;
    char *host_name;
    struct text pages[EXPOSITIONS];
    uint64_t page_versions[EXPOSITIONS];
    uint16_t port;    /* 0: does not listen */
    uint64_t scraped; /* version of the state that was scraped last */
    int32_t final;    /* the summary is in the state, and was sent */
    char where[300];  /* of the scrape */
};

static void
prometheus_close(void *self)
{
    struct prometheus *p = self;

    for (int i = 0; i < EXPOSITIONS; i++)
        text_clear(&p->pages[i]);
    remote_close(&p->remote);
    state_close(&p->state);
    gateway_close(&p->gateway);
    free(p->host_name);
    free(p);
}

/* The page in a format, made anew only when something has changed. NULL: no memory. */
static const struct text *
page(struct prometheus *p, enum exposition format)
{
    struct text *t = &p->pages[format];

    if (p->page_versions[format] == p->state.version)
        return t;
    if (!exposition_write(&p->state, format, t))
        return NULL;
    p->page_versions[format] = p->state.version;
    return t;
}

/* Formats that were asked for before lie ready when they are asked for again, so that a
 * scrape waits for no more than a copy. */
static void
make_ready(struct prometheus *p)
{
    for (int format = 0; p->port != 0 && format < EXPOSITIONS; format++)
        if (p->page_versions[format] != 0)
            page(p, (enum exposition)format);
}

/* ---- open ---- */

static lens_status
listen_at(struct prometheus *p, const char *address)
{
    const struct lens_host *host = p->host;
    const uint32_t flags =
        host->opt_int(host, "allow_remote") != 0 ? LENS_LISTEN_REMOTE : 0;
    const char *colon = strrchr(address, ':');
    lens_status status;

    if (!LENS_HAS(host, struct lens_host, listen) || host->listen == NULL)
        return LENS_OK;
    status = host->listen(host, address, flags, &p->port);
    if (status != LENS_OK) /* as it stands, whoever has the port keeps it */
        return status == LENS_E_IO ? LENS_E_CONFIG : status;
    snprintf(p->where, sizeof p->where, "http://%.*s:%u/metrics",
             colon != NULL && colon > address ? (int)(colon - address) : 9,
             colon != NULL && colon > address ? address : "127.0.0.1", p->port);
    if (colon != NULL && strcmp(colon, ":0") == 0) {
        char text[400];

        snprintf(text, sizeof text, "listens at %s", p->where);
        host->log(host, LENS_LOG_WARNING, text);
    }
    return LENS_OK;
}

static lens_status
open_all(struct prometheus *p)
{
    const struct lens_host *host = p->host;
    const char *listen = host->opt_string(host, "listen", 0);
    lens_status status = state_open(&p->state, host);

    p->job = host->opt_string(host, "job", 0);
    p->instance = host->opt_string(host, "instance", 0);
    p->textfile = host->opt_string(host, "textfile", 0);
    if (p->job == NULL || *p->job == '\0')
        p->job = "lens";
    if (status == LENS_OK)
        status = remote_open(&p->remote, host);
    if (status == LENS_OK && p->textfile != NULL)
        status = output_check(host, p->textfile);
    gateway_open(&p->gateway, host, lens_text_get(&p->remote.authorization));
    if (listen == NULL && p->textfile == NULL && p->gateway.base == NULL &&
        p->remote.url == NULL)
        listen = "127.0.0.1:9464";
    return status == LENS_OK && listen != NULL ? listen_at(p, listen) : status;
}

static lens_status
prometheus_open(const struct lens_host *host, void **ret_self)
{
    struct prometheus *p = calloc(1, sizeof *p);
    lens_status status;

    if (p == NULL)
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    p->host = host;
    status = open_all(p);
    if (status != LENS_OK) {
        prometheus_close(p);
        return status;
    }
    *ret_self = p;
    return LENS_OK;
}

/* ---- begin ---- */

static lens_status
prometheus_begin(void *self, const struct lens_run *run, uint64_t resumed)
{
    struct prometheus *p = self;
    const char *instance = p->instance != NULL && *p->instance != '\0' ? p->instance
                           : run->host_name != NULL                    ? run->host_name
                                                                       : "localhost";
    lens_status status = state_begin(&p->state, run);

    (void)resumed; /* totals start at the run's begin, whoever asks */
    free(p->host_name);
    p->host_name = strdup(instance);
    if (p->host_name == NULL || p->state.failed)
        status = LENS_E_NOMEM;
    if (status == LENS_OK)
        status = gateway_begin(&p->gateway, p->job, p->host_name);
    if (status != LENS_OK)
        return p->host->fail(p->host, status, "out of memory");
    remote_begin(&p->remote, &p->state, p->job, p->host_name);
    return LENS_OK;
}

/* ---- delivery ---- */

/* Where the newest totals are put by ourselves. */
static lens_status
put_state(struct prometheus *p, struct lens_delivery *delivery)
{
    const int asked = p->textfile != NULL || p->gateway.base != NULL;
    const struct text *whole = asked ? page(p, EXPOSE_TEXT) : NULL;
    lens_status status = LENS_OK;

    if (asked && whole == NULL)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    if (p->textfile != NULL)
        status = output_replace(p->host, p->textfile, whole, delivery);
    return status == LENS_OK && p->gateway.base != NULL
               ? gateway_push(&p->gateway, whole, delivery)
               : status;
}

static lens_status
send_series(struct prometheus *p, const struct series *of, int stale, int64_t time_ms,
            struct lens_delivery *delivery)
{
    static const uint64_t first = 0;
    int64_t retry_after_ns = -1;

    if (p->remote.url == NULL || of == NULL)
        return LENS_OK;
    switch (remote_write(&p->remote, &p->state, of, stale, time_ms, &retry_after_ns)) {
    case ANSWER_OK:
        return LENS_OK;
    case ANSWER_LATER:
        delivery->verdict = LENS_DELIVERY_LATER;
        delivery->retry_after_ns = retry_after_ns > 0 ? retry_after_ns : 0;
        return p->host->fail(p->host, LENS_E_IO, p->remote.why);
    case ANSWER_GIVE_UP:
        delivery->verdict = LENS_DELIVERY_GIVE_UP;
        return p->host->fail(p->host, LENS_E_FAILED, p->remote.why);
    default: /* it was told; what can be taken has been taken */
        delivery->refused = &first;
        delivery->refused_count = 1;
        return LENS_OK;
    }
}

/* Counters and distributions are totals, gauges tell of the interval. */
static void
take_gauges(struct series *e, const struct lens_result *interval)
{
    for (uint32_t i = 0; i < lens_name_count; i++) {
        const double value = lens_names[i].kind == LENS_NAME_GAUGE
                                 ? lens_result_number(interval, lens_names[i].id)
                                 : (double)NAN;

        if (isfinite(value))
            e->numbers[i] = value * lens_names[i].scale;
    }
}

static lens_status
prometheus_snapshot(void *self, const struct lens_snapshot *s,
                    struct lens_delivery *delivery)
{
    struct prometheus *p = self;
    lens_status status = LENS_OK;

    delivery->delivered_prefix = 0;
    if (LENS_HAS(s, struct lens_snapshot, export_size))
        state_take_exports(&p->state, s);
    for (uint32_t i = 0; i < s->result_count && status == LENS_OK; i++) {
        const size_t at = (size_t)i * s->result_size;
        struct series *e = state_take(
            &p->state, p->host, (const void *)((const char *)s->total + at), s->unix_ns);

        if (e == NULL)
            return p->host->fail(p->host, LENS_E_IO, "out of memory");
        take_gauges(e, (const void *)((const char *)s->interval + at));
        status = send_series(p, e, 0, s->unix_ns / 1000000, delivery);
    }
    if (status == LENS_OK)
        status = put_state(p, delivery);
    make_ready(p);
    delivery->delivered_prefix = status == LENS_OK ? 1 : 0;
    return status;
}

/* ---- the end ---- */

/* Behind all that was sent: a series ends when its run does. */
static lens_status
end_series(struct prometheus *p, struct lens_delivery *delivery)
{
    lens_status status = LENS_OK;
    int64_t last_ms = 0;

    for (uint32_t i = 0; i < p->state.series_count; i++)
        if (p->state.series[i]->time_ms > last_ms)
            last_ms = p->state.series[i]->time_ms;
    for (uint32_t i = 0; i < p->state.series_count && status == LENS_OK; i++)
        if (p->state.series[i]->time_ms > 0)
            status =
                send_series(p, p->state.series[i], 1, last_ms + 1 + (int64_t)i, delivery);
    return status;
}

static lens_status
take_summary(struct prometheus *p, const struct lens_summary *summary,
             struct lens_delivery *delivery)
{
    lens_status status = end_series(p, delivery);

    for (uint32_t i = 0; i < summary->result_count && status == LENS_OK; i++)
        if (state_take(&p->state, p->host,
                       (const void *)((const char *)summary->results +
                                      (size_t)i * summary->result_size),
                       0) == NULL)
            status = p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    if (status == LENS_OK)
        status = put_state(p, delivery);
    make_ready(p);
    return status;
}

static lens_status
prometheus_end(void *self, const struct lens_summary *summary,
               struct lens_delivery *delivery)
{
    struct prometheus *p = self;
    char why[400];

    if (!p->final) {
        const lens_status status = take_summary(p, summary, delivery);

        if (status != LENS_OK)
            return status;
        p->final = 1;
    }
    delivery->delivered_prefix = 1;
    if (p->port == 0 || p->scraped == p->state.version)
        return LENS_OK;
    snprintf(why, sizeof why, "a last scrape of %s is awaited", p->where);
    p->host->fail(p->host, LENS_E_IO, why);
    delivery->delivered_prefix = 0;
    delivery->verdict = LENS_DELIVERY_LATER;
    delivery->retry_after_ns = SCRAPE_AGAIN_NS;
    return LENS_OK;
}

/* ---- the scrape ---- */

static int
is_path(const char *url, const char *path)
{
    const size_t size = strcspn(url, "?#");

    return size == strlen(path) && strncmp(url, path, size) == 0;
}

static lens_status
answer_plainly(struct prometheus *p, struct lens_http_reply *reply, int32_t status,
               const char *text)
{
    reply->status = status;
    reply->content_type = "text/plain; charset=utf-8";
    return p->host->append(reply->body, text, strlen(text));
}

/* On the host's thread; only bytes that lie ready are copied, unless something changed
 * since the last scrape. */
static lens_status
prometheus_serve(void *self, const struct lens_http_request *request,
                 struct lens_http_reply *reply)
{
    struct prometheus *p = self;
    const struct lens_http_answer asked = { .headers = request->headers,
                                            .header_count = request->header_count,
                                            .header_size = request->header_size };
    const struct lens_bytes accept = answer_header(&asked, "Accept");
    const enum exposition format = exposition_choose(accept.data, accept.size);
    const struct text *body;

    if (is_path(request->url, "/"))
        return answer_plainly(p, reply, 200, "lens: the metrics are at /metrics\n");
    if (!is_path(request->url, "/metrics"))
        return answer_plainly(p, reply, 404, "the metrics are at /metrics\n");
    if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0)
        return answer_plainly(p, reply, 405, "expected GET\n");
    body = page(p, format);
    if (body == NULL)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    p->scraped = p->state.version;
    reply->status = 200;
    reply->content_type = exposition_type(format);
    return p->host->append(reply->body, body->data, body->size);
}

static const struct lens_exporter exporter = {
    .struct_size = sizeof exporter,
    .flags = LENS_EXPORT_INTERVALS | LENS_EXPORT_LAST_STATE | LENS_EXPORT_IDEMPOTENT,
    .options = { prometheus_options, PROMETHEUS_OPTIONS, sizeof prometheus_options[0] },
    .open = prometheus_open,
    .close = prometheus_close,
    .begin = prometheus_begin,
    .snapshot = prometheus_snapshot,
    .end = prometheus_end,
    .serve = prometheus_serve,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    .kind = LENS_KIND_OF_EXPORTER,
    .name = "prometheus",
    .version = "1.0.0",
    .summary = "totals for Prometheus: scraped, pushed, written remotely or to a file",
    .ops = &exporter,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
