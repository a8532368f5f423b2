/* datadog: intervals as v2 series and samples as distribution points, over HTTPS. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/answer.h"
#include "../common/receiver.h"
#include "payload.h"

struct datadog {
    const struct lens_host *host;
    struct receiver receiver;
    char *series_url, *distribution_url;
    int32_t intervals, samples;
    struct origin origin;
    struct distribution distributions[MOST_DISTRIBUTIONS];
    uint32_t distribution_count;
    struct text body;
};

/* docs.datadoghq.com/api/latest/metrics, the answers of both intakes, and
 * docs.datadoghq.com/api/latest/rate-limits. */
static const struct answer_rule rules[] = {
    { 200, 299, NULL, ANSWER_OK, NULL, "Submit metrics, 202" },
    { 400, 400, NULL, ANSWER_BAD_DATA, NULL, "Submit metrics, 400" },
    { 401, 401, NULL, ANSWER_GIVE_UP, "see DD_API_KEY and the option site", "401" },
    { 403, 403, NULL, ANSWER_GIVE_UP, "see DD_API_KEY and the option site",
      "Submit metrics, 403" },
    { 404, 404, NULL, ANSWER_GIVE_UP, "see the options site and url", "RFC 9110" },
    { 408, 408, NULL, ANSWER_LATER, NULL, "Submit metrics, 408" },
    { 413, 413, NULL, ANSWER_SPLIT, NULL, "Submit metrics, 413" },
    { 429, 429, NULL, ANSWER_LATER, NULL, "Submit metrics, 429" },
};

static void
datadog_close(void *self)
{
    struct datadog *d = self;

    origin_clear(&d->origin);
    text_clear(&d->body);
    free(d->series_url);
    free(d->distribution_url);
    free(d);
}

static lens_status
read_urls(struct datadog *d)
{
    const char *url = d->host->opt_string(d->host, "url", 0);
    const char *site = d->host->opt_string(d->host, "site", 0);
    char made[300];

    if (url == NULL) {
        if (strspn(site, "abcdefghijklmnopqrstuvwxyz0123456789-.") != strlen(site))
            return d->host->fail(d->host, LENS_E_CONFIG,
                                 "option site: expected a name like datadoghq.eu");
        snprintf(made, sizeof made, "https://api.%.250s", site);
        url = made;
    }
    d->series_url = receiver_join(url, "/api/v2/series");
    d->distribution_url = receiver_join(url, "/api/v1/distribution_points");
    return d->series_url != NULL && d->distribution_url != NULL
               ? LENS_OK
               : d->host->fail(d->host, LENS_E_NOMEM, "out of memory");
}

static lens_status
read_options(struct datadog *d)
{
    const struct lens_host *host = d->host;
    const char *points = host->opt_string(host, "points", 0);
    const int32_t tags = host->opt_count(host, "tag");

    receiver_open(&d->receiver, host, 1);
    receiver_header(&d->receiver, "Content-Type", "application/json");
    receiver_header(&d->receiver, "DD-API-KEY", host->opt_string(host, "api_key", 0));
    d->intervals = strcmp(points, "samples") != 0;
    d->samples = strcmp(points, "intervals") != 0;
    for (int32_t i = 0; i < tags && i < 16; i++)
        d->origin.tags[d->origin.tag_count++] =
            host->opt_string(host, "tag", (uint32_t)i);
    d->distribution_count = distributions_find(d->distributions);
    return read_urls(d);
}

static lens_status
datadog_open(const struct lens_host *host, void **ret_self)
{
    struct datadog *d = calloc(1, sizeof *d);
    lens_status status;

    if (d == NULL)
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    d->host = host;
    status = read_options(d);
    if (status != LENS_OK) {
        datadog_close(d);
        return status;
    }
    *ret_self = d;
    return LENS_OK;
}

static lens_status
datadog_begin(void *self, const struct lens_run *run, uint64_t resumed)
{
    struct datadog *d = self;

    (void)resumed;
    if (d->intervals && run->interval_ns > 0 && run->interval_ns < 1000000000)
        d->host->log(d->host, LENS_LOG_WARNING,
                     "Datadog keeps one point a second, the last one: use an --interval "
                     "of 1s or longer");
    return origin_take(&d->origin, run) == LENS_OK
               ? LENS_OK
               : d->host->fail(d->host, LENS_E_NOMEM, "out of memory");
}

static lens_status
later(struct datadog *d, const char *url, const char *error)
{
    char why[512];

    snprintf(why, sizeof why, "%.200s: %.250s", url, error != NULL ? error : "no answer");
    return d->host->fail(d->host, LENS_E_IO, why);
}

static lens_status
act_on(struct datadog *d, uint32_t act, const struct lens_http_answer *answer,
       uint64_t count, const char *why, struct lens_delivery *delivery)
{
    static const uint64_t first = 0;

    switch (act) {
    case ANSWER_LATER:
        delivery->verdict = LENS_DELIVERY_LATER;
        delivery->retry_after_ns =
            answer->retry_after_ns > 0 ? answer->retry_after_ns : 0;
        return d->host->fail(d->host, LENS_OK, why);
    case ANSWER_SPLIT:
    case ANSWER_BAD_DATA:
        d->host->fail(d->host, LENS_OK, why);
        if (count > 1) {
            delivery->verdict = LENS_DELIVERY_SPLIT;
            return LENS_OK;
        }
        d->host->log(d->host, LENS_LOG_WARNING, why);
        delivery->delivered_prefix = count;
        delivery->refused = &first;
        delivery->refused_count = 1;
        return LENS_OK;
    case ANSWER_OK:
        delivery->delivered_prefix = count;
        return LENS_OK;
    default:
        delivery->verdict = LENS_DELIVERY_GIVE_UP;
        return d->host->fail(d->host, LENS_OK, why);
    }
}

static lens_status
submit(struct datadog *d, const char *url, uint64_t count, struct lens_delivery *delivery)
{
    static const char *const members[] = { "errors.0", "error", NULL };
    struct lens_http_answer answer;
    const struct answer_rule *rule;
    char why[512];

    if (d->body.failed)
        return d->host->fail(d->host, LENS_E_NOMEM, "out of memory");
    if (receiver_exchange(&d->receiver, "POST", url, d->body.data, d->body.size,
                          &answer) != LENS_OK)
        return later(d, url, answer.error);
    rule = answer_rule_for(rules, sizeof rules / sizeof rules[0], &answer);
    answer_say(url, &answer, rule, members, why, sizeof why);
    return act_on(d, rule->act, &answer, count, why, delivery);
}

static lens_status
datadog_samples(void *self, const struct lens_sample *const *batch, uint64_t count,
                struct lens_delivery *delivery)
{
    struct datadog *d = self;

    delivery->delivered_prefix = count;
    if (!d->samples ||
        payload_samples(&d->origin, d->distributions, d->distribution_count, batch, count,
                        &d->body) == 0)
        return LENS_OK;
    delivery->delivered_prefix = 0;
    return submit(d, d->distribution_url, count, delivery);
}

static lens_status
datadog_snapshot(void *self, const struct lens_snapshot *snapshot,
                 struct lens_delivery *delivery)
{
    struct datadog *d = self;

    delivery->delivered_prefix = 1;
    if (!d->intervals || payload_snapshot(&d->origin, snapshot, &d->body) == 0)
        return LENS_OK;
    delivery->delivered_prefix = 0;
    return submit(d, d->series_url, 1, delivery);
}

static lens_status
datadog_end(void *self, const struct lens_summary *summary,
            struct lens_delivery *delivery)
{
    (void)self;
    (void)summary; /* the last interval has told it all */
    delivery->delivered_prefix = 1;
    return LENS_OK;
}

static const struct lens_option options[] = {
    { .name = "api_key",
      .type = LENS_OPT_SECRET,
      .flags = LENS_OPT_REQUIRED,
      .variable = "DD_API_KEY",
      .help = "API key" },
    { .name = "site",
      .type = LENS_OPT_STRING,
      .fallback = "datadoghq.com",
      .variable = "DD_SITE",
      .help = "Datadog site, for instance datadoghq.eu" },
    { .name = "url",
      .type = LENS_OPT_URL,
      .help = "base URL in place of https://api.SITE" },
    { .name = "points",
      .type = LENS_OPT_CHOICE,
      .fallback = "both",
      .choices = "intervals|samples|both",
      .help = "series of each interval, distribution points of each request, or both" },
    { .name = "tag",
      .type = LENS_OPT_STRING,
      .flags = LENS_OPT_REPEATABLE,
      .help = "key:value, a tag of all series" },
    RECEIVER_OPTIONS,
};

static const struct lens_exporter exporter = {
    .struct_size = sizeof exporter,
    .flags = LENS_EXPORT_SAMPLES | LENS_EXPORT_INTERVALS | LENS_EXPORT_NO_MARKS,
    .options = LENS_SCHEMA(options),
    .open = datadog_open,
    .close = datadog_close,
    .begin = datadog_begin,
    .samples = datadog_samples,
    .snapshot = datadog_snapshot,
    .end = datadog_end,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    .kind = LENS_KIND_OF_EXPORTER,
    .name = "datadog",
    .version = "1.0.0",
    .summary = "series and distribution points for Datadog",
    .ops = &exporter,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
