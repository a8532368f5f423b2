#include "gateway.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/answer.h"
#include "exposition.h"

void
gateway_open(struct gateway *g, const struct lens_host *host, const char *authorization)
{
    g->base = host->opt_string(host, "push", 0);
    receiver_open(&g->receiver, host, 0);
    receiver_header(&g->receiver, "Content-Type", exposition_type(EXPOSE_TEXT));
    if (*authorization != '\0')
        receiver_header(&g->receiver, "Authorization", authorization);
}

void
gateway_close(struct gateway *g)
{
    lens_text_clear(&g->url);
}

/* Grouping labels go into the path; values with a slash in base64
 * (https://github.com/prometheus/pushgateway#url). */
static void
add_group(struct lens_text *url, const char *name, const char *value)
{
    const int plain = *value != '\0' && strchr(value, '/') == NULL;

    lens_text_add(url, "/");
    lens_text_add(url, name);
    lens_text_add(url, plain ? "/" : "@base64/");
    if (plain)
        lens_text_add_percent(url, value, strlen(value), "");
    else if (*value != '\0')
        lens_text_add_base64url(url, value, strlen(value));
    else
        lens_text_add(url, "=");
}

lens_status
gateway_begin(struct gateway *g, const char *job, const char *instance)
{
    char *base = g->base != NULL ? receiver_join(g->base, "/metrics") : NULL;

    if (base == NULL)
        return g->base != NULL ? LENS_E_NOMEM : LENS_OK;
    lens_text_reset(&g->url);
    lens_text_add(&g->url, base);
    add_group(&g->url, "job", job);
    add_group(&g->url, "instance", instance);
    free(base);
    return g->url.failed ? LENS_E_NOMEM : LENS_OK;
}

static const struct answer_rule rules[] = {
    { 200, 299, NULL, ANSWER_OK, NULL, "https://github.com/prometheus/pushgateway#put" },
    { 429, 429, NULL, ANSWER_LATER, NULL, "RFC 6585, 4" },
};

lens_status
gateway_push(struct gateway *g, const struct text *page, struct lens_delivery *delivery)
{
    const struct lens_host *host = g->receiver.host;
    const struct answer_rule *rule;
    struct lens_http_answer answer;
    char why[1024];

    if (receiver_exchange(&g->receiver, "PUT", lens_text_get(&g->url), page->data,
                          page->size, &answer) != LENS_OK) {
        snprintf(why, sizeof why, "%s: %s", g->base,
                 answer.error != NULL ? answer.error : "no answer");
        return host->fail(host, LENS_E_IO, why);
    }
    rule = answer_rule_for(rules, sizeof rules / sizeof rules[0], &answer);
    if (rule->act == ANSWER_OK)
        return LENS_OK;
    answer_say(g->base, &answer, rule, NULL, why, sizeof why);
    delivery->retry_after_ns = answer.retry_after_ns > 0 ? answer.retry_after_ns : 0;
    return host->fail(host, rule->act == ANSWER_LATER ? LENS_E_IO : LENS_E_FAILED, why);
}
