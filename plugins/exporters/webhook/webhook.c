/* webhook: events of a run as JSON, posted to a URL and signed. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <auth.h>

#include "../common/answer.h"
#include "../common/receiver.h"
#include "event.h"
#include "template.h"

#define MOST_TEMPLATE (1024 * 1024)

enum { ON_BEGIN = 1, ON_INTERVAL = 2, ON_SLO = 4, ON_END = 8 };

struct webhook {
    const struct lens_host *host;
    struct receiver receiver;
    const char *url, *secret, *signature_header;
    uint32_t events; /* ON_* */
    char *template;  /* NULL: the event as it is */
    size_t template_size;
    struct event_run run;
    struct text event, body;
    /* SLOs that were told to be broken: "target stage expr", one line each. */
    struct text broken;
};

/* A receiver of webhooks says with 2xx that it has the event (Standard Webhooks, "Status
 * codes"); 410 says that it wants no more. */
static const struct answer_rule rules[] = {
    { 200, 299, NULL, ANSWER_OK, NULL, "Standard Webhooks" },
    { 408, 408, NULL, ANSWER_LATER, NULL, "RFC 9110" },
    { 425, 425, NULL, ANSWER_LATER, NULL, "RFC 8470" },
    { 429, 429, NULL, ANSWER_LATER, NULL, "RFC 6585" },
    { 401, 404, NULL, ANSWER_GIVE_UP, "see the options url and authorization",
      "RFC 9110" },
    { 410, 410, NULL, ANSWER_GIVE_UP, NULL, "Standard Webhooks" },
    { 400, 499, NULL, ANSWER_BAD_DATA, "see the option template", "RFC 9110" },
    { 500, 599, NULL, ANSWER_LATER, NULL, "Standard Webhooks" },
};

static void
webhook_close(void *self)
{
    struct webhook *w = self;

    event_run_clear(&w->run);
    text_clear(&w->event);
    text_clear(&w->body);
    text_clear(&w->broken);
    free(w->template);
    free(w);
}

/* ---- options ---- */

static lens_status
refuse(const struct webhook *w, const char *what, const char *why)
{
    char text[512];

    snprintf(text, sizeof text, "%.200s: %.250s", what, why);
    return w->host->fail(w->host, LENS_E_CONFIG, text);
}

static lens_status
check_template(struct webhook *w, const char *path)
{
    uint32_t line;
    char why[64];

    if (template_check(w->template, w->template_size, &line))
        return LENS_OK;
    snprintf(why, sizeof why, "line %u: {{ without }}", (unsigned)line);
    return refuse(w, path, why);
}

static lens_status
read_template(struct webhook *w)
{
    const char *path = w->host->opt_string(w->host, "template", 0);
    FILE *file;

    if (path == NULL)
        return LENS_OK;
    file = fopen(path, "re");
    if (file == NULL)
        return refuse(w, path, strerror(errno));
    w->template = malloc(MOST_TEMPLATE + 1);
    if (w->template != NULL)
        w->template_size = fread(w->template, 1, MOST_TEMPLATE + 1, file);
    fclose(file);
    if (w->template == NULL)
        return w->host->fail(w->host, LENS_E_NOMEM, "out of memory");
    if (w->template_size > MOST_TEMPLATE)
        return refuse(w, path, "a template has at most 1 MiB");
    return check_template(w, path);
}

static lens_status
read_events(struct webhook *w)
{
    static const struct {
        const char *name;
        uint32_t flag;
    } names[] = { { "begin", ON_BEGIN },
                  { "interval", ON_INTERVAL },
                  { "slo", ON_SLO },
                  { "end", ON_END } };
    const char *list = w->host->opt_string(w->host, "events", 0);

    while (*list != '\0') {
        const size_t size = strcspn(list, "+");
        uint32_t flag = 0;

        for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
            if (strlen(names[i].name) == size && strncmp(names[i].name, list, size) == 0)
                flag = names[i].flag;
        if (flag == 0)
            return refuse(w, "option events",
                          "expected begin, interval, slo and end, joined by +");
        w->events |= flag;
        list += size + (list[size] == '+');
    }
    return LENS_OK;
}

static lens_status
webhook_open(const struct lens_host *host, void **ret_self)
{
    struct webhook *w = calloc(1, sizeof *w);
    const char *authorization = host->opt_string(host, "authorization", 0);
    lens_status status;

    if (w == NULL)
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    w->host = host;
    w->url = host->opt_string(host, "url", 0);
    w->secret = host->opt_string(host, "secret", 0);
    w->signature_header = host->opt_string(host, "signature_header", 0);
    receiver_open(&w->receiver, host, 0);
    receiver_header(&w->receiver, "Content-Type",
                    host->opt_string(host, "content_type", 0));
    if (authorization != NULL)
        receiver_header(&w->receiver, "Authorization", authorization);
    status = read_events(w);
    if (status == LENS_OK)
        status = read_template(w);
    if (status != LENS_OK) {
        webhook_close(w);
        return status;
    }
    *ret_self = w;
    return LENS_OK;
}

/* ---- one event ---- */

static void
sign(const struct webhook *w, const struct text *body, char ret[80])
{
    unsigned char mac[32];

    lens_auth_hmac_sha256(w->secret, strlen(w->secret), body->data, body->size, mac);
    memcpy(ret, "sha256=", sizeof "sha256=");
    for (size_t i = 0; i < sizeof mac; i++)
        snprintf(ret + 7 + 2 * i, 3, "%02x", mac[i]);
}

/* `id` is the same when the event comes again. */
static enum answer_act
post(struct webhook *w, const char *event, const char *id, char *why, size_t size,
     int64_t *ret_retry_after_ns)
{
    static const char *const members[] = { "error", "message", "error.message", NULL };
    struct receiver receiver = w->receiver;
    const struct answer_rule *rule;
    struct lens_http_answer answer;
    const struct text *body = &w->event;
    char signature[80];

    if (w->template != NULL) {
        template_fill(w->template, w->template_size, &w->event, &w->body);
        body = &w->body;
    }
    receiver_header(&receiver, "X-Lens-Event", event);
    receiver_header(&receiver, "X-Lens-Delivery", id);
    if (w->secret != NULL) {
        sign(w, body, signature);
        receiver_header(&receiver, w->signature_header, signature);
    }
    *ret_retry_after_ns = 0;
    if (receiver_exchange(&receiver, "POST", w->url, body->data, body->size, &answer) !=
        LENS_OK) {
        snprintf(why, size, "%.200s: %.250s", w->url,
                 answer.error != NULL ? answer.error : "no answer");
        return ANSWER_LATER;
    }
    rule = answer_rule_for(rules, sizeof rules / sizeof rules[0], &answer);
    answer_say(w->url, &answer, rule, members, why, size);
    *ret_retry_after_ns = answer.retry_after_ns > 0 ? answer.retry_after_ns : 0;
    return rule->act;
}

static lens_status
deliver(struct webhook *w, const char *event, uint64_t nth,
        struct lens_delivery *delivery)
{
    static const uint64_t first = 0;
    char id[128], why[512];
    enum answer_act act;

    if (w->event.failed || w->body.failed)
        return w->host->fail(w->host, LENS_E_NOMEM, "out of memory");
    snprintf(id, sizeof id, "%.60s-%s-%llu", w->run.id, event, (unsigned long long)nth);
    act = post(w, event, id, why, sizeof why, &delivery->retry_after_ns);
    delivery->delivered_prefix = act == ANSWER_OK || act == ANSWER_BAD_DATA;
    switch (act) {
    case ANSWER_OK:
        delivery->verdict = LENS_DELIVERY_OK;
        return LENS_OK;
    case ANSWER_BAD_DATA:
    case ANSWER_SPLIT:
        delivery->verdict = LENS_DELIVERY_OK;
        delivery->delivered_prefix = 1;
        delivery->refused = &first;
        delivery->refused_count = 1;
        w->host->log(w->host, LENS_LOG_WARNING, why);
        return LENS_OK;
    case ANSWER_LATER:
        delivery->verdict = LENS_DELIVERY_LATER;
        return w->host->fail(w->host, LENS_OK, why);
    default:
        delivery->verdict = LENS_DELIVERY_GIVE_UP;
        return w->host->fail(w->host, LENS_OK, why);
    }
}

/* ---- operations ---- */

static lens_status
webhook_begin(void *self, const struct lens_run *run, uint64_t resumed)
{
    struct webhook *w = self;
    struct lens_delivery delivery = { .struct_size = sizeof delivery };
    lens_status status;

    if (event_run_take(&w->run, run) != LENS_OK)
        return w->host->fail(w->host, LENS_E_NOMEM, "out of memory");
    if ((w->events & ON_BEGIN) == 0 || resumed > 0)
        return LENS_OK;
    event_begin(&w->run, &w->event);
    status = deliver(w, "begin", 0, &delivery);
    if (status != LENS_OK || delivery.verdict == LENS_DELIVERY_OK)
        return status;
    return delivery.verdict == LENS_DELIVERY_LATER ? LENS_E_IO : LENS_E_FAILED;
}

/* Whether it is in the list; it is put there otherwise. */
static int
is_told(struct webhook *w, const char *line)
{
    const size_t size = strlen(line);

    for (size_t at = 0; at < w->broken.size;) {
        const char *end = memchr(w->broken.data + at, '\n', w->broken.size - at);
        const size_t length = (size_t)(end - (w->broken.data + at));

        if (length == size && memcmp(w->broken.data + at, line, size) == 0)
            return 1;
        at += length + 1;
    }
    return 0;
}

static lens_status
tell_slos(struct webhook *w, const struct lens_snapshot *s, const struct lens_result *r,
          struct lens_delivery *delivery)
{
    const char *at = (const char *)r->slos;
    char line[512];

    for (uint32_t i = 0; i < r->slo_count; i++, at += r->slo_size) {
        const struct lens_slo_state *slo =
            (const struct lens_slo_state *)(const void *)at;
        lens_status status;

        snprintf(line, sizeof line, "%u %u %.400s", (unsigned)r->target,
                 (unsigned)r->stage, slo->expr);
        /* What is not known yet is not broken. */
        if (slo->met || slo->value != slo->value || is_told(w, line))
            continue;
        event_slo(&w->run, s, r, slo, &w->event);
        status = deliver(w, "slo_broken", s->index * 100 + i, delivery);
        if (status != LENS_OK || delivery->verdict != LENS_DELIVERY_OK)
            return status;
        text_add(&w->broken, line);
        text_add(&w->broken, "\n");
    }
    return LENS_OK;
}

static lens_status
webhook_snapshot(void *self, const struct lens_snapshot *s,
                 struct lens_delivery *delivery)
{
    struct webhook *w = self;
    const char *at = (const char *)s->total;

    delivery->delivered_prefix = 1;
    for (uint32_t i = 0; (w->events & ON_SLO) != 0 && i < s->result_count;
         i++, at += s->result_size) {
        const lens_status status =
            tell_slos(w, s, (const struct lens_result *)(const void *)at, delivery);

        if (status != LENS_OK || delivery->verdict != LENS_DELIVERY_OK)
            return status;
    }
    if ((w->events & ON_INTERVAL) == 0)
        return LENS_OK;
    event_interval(&w->run, s, &w->event);
    return deliver(w, "interval", s->index, delivery);
}

static lens_status
webhook_end(void *self, const struct lens_summary *summary,
            struct lens_delivery *delivery)
{
    struct webhook *w = self;

    delivery->delivered_prefix = 1;
    if ((w->events & ON_END) == 0)
        return LENS_OK;
    event_end(&w->run, summary, &w->event);
    return deliver(w, "end", 0, delivery);
}

static const struct lens_option options[] = {
    { .name = "url",
      .type = LENS_OPT_URL,
      .flags = LENS_OPT_REQUIRED,
      .help = "where events are posted" },
    { .name = "events",
      .type = LENS_OPT_STRING,
      .fallback = "begin+interval+slo+end",
      .help = "which events: begin, interval, slo, end" },
    { .name = "secret",
      .type = LENS_OPT_SECRET,
      .variable = "LENS_WEBHOOK_SECRET",
      .help = "key of the HMAC-SHA256 signature of the body" },
    { .name = "signature_header",
      .type = LENS_OPT_STRING,
      .fallback = "X-Lens-Signature-256",
      .help = "header that holds sha256=HEX" },
    { .name = "authorization",
      .type = LENS_OPT_SECRET,
      .help = "value of the Authorization header" },
    { .name = "template",
      .type = LENS_OPT_PATH,
      .help = "file with a body of your own; {{text}}, {{run.id}}, "
              "{{results.0.ttft.p99}}, {{json}} are filled in" },
    { .name = "content_type",
      .type = LENS_OPT_STRING,
      .fallback = "application/json",
      .help = "Content-Type of the body" },
    RECEIVER_OPTIONS_PLAIN,
};

static const struct lens_exporter exporter = {
    .struct_size = sizeof exporter,
    .flags = LENS_EXPORT_INTERVALS,
    .options = LENS_SCHEMA(options),
    .open = webhook_open,
    .close = webhook_close,
    .begin = webhook_begin,
    .snapshot = webhook_snapshot,
    .end = webhook_end,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    .kind = LENS_KIND_OF_EXPORTER,
    .name = "webhook",
    .version = "1.0.0",
    .summary = "events of a run as signed JSON",
    .ops = &exporter,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
