#include "send.h"

#include <stdio.h>
#include <string.h>

#include "../common/answer.h"
#include "answers.h"

/* OTLP/HTTP: opentelemetry-proto docs/specification.md, "Failures" and "Retryable
 * response codes": nothing else may be sent again. What says that nothing will ever be
 * taken as things stand keeps the samples in the run file. */
static const struct answer_rule http_rules[] = {
    { 200, 299, NULL, ANSWER_OK, NULL, "specification.md, Success" },
    { 429, 429, NULL, ANSWER_LATER, NULL, "specification.md, Retryable response codes" },
    { 502, 504, NULL, ANSWER_LATER, NULL, "specification.md, Retryable response codes" },
    { 400, 400, NULL, ANSWER_BAD_DATA, NULL, "specification.md, Bad Data" },
    { 413, 413, NULL, ANSWER_SPLIT, NULL, "specification.md, message size limits" },
    { 401, 403, NULL, ANSWER_GIVE_UP, "see the option headers", "RFC 9110" },
    { 404, 405, NULL, ANSWER_GIVE_UP, "see the option url: metrics go to .../v1/metrics",
      "RFC 9110" },
    { 415, 415, NULL, ANSWER_GIVE_UP, "see the option protocol", "RFC 9110" },
    { 500, 500, "temporality", ANSWER_GIVE_UP,
      "it wants cumulative values, see the option temporality",
      "Prometheus 3.14, /api/v1/otlp with delta" },
    { 300, 599, NULL, ANSWER_GIVE_UP, NULL, "specification.md, Failures" },
};

/* OTLP/gRPC: the same document, "Failures": RESOURCE_EXHAUSTED (8) is retried only with
 * RetryInfo; without it the message may have been too big. */
static const struct grpc_rule {
    int32_t code;
    uint32_t act;
    const char *name;
} grpc_rules[] = {
    { 0, ANSWER_OK, "OK" },
    { 1, ANSWER_LATER, "CANCELLED" },
    { 3, ANSWER_BAD_DATA, "INVALID_ARGUMENT" },
    { 4, ANSWER_LATER, "DEADLINE_EXCEEDED" },
    { 5, ANSWER_GIVE_UP, "NOT_FOUND" },
    { 7, ANSWER_GIVE_UP, "PERMISSION_DENIED" },
    { 8, ANSWER_SPLIT, "RESOURCE_EXHAUSTED" },
    { 10, ANSWER_LATER, "ABORTED" },
    { 11, ANSWER_LATER, "OUT_OF_RANGE" },
    { 12, ANSWER_GIVE_UP, "UNIMPLEMENTED" },
    { 14, ANSWER_LATER, "UNAVAILABLE" },
    { 15, ANSWER_LATER, "DATA_LOSS" },
    { 16, ANSWER_GIVE_UP, "UNAUTHENTICATED" },
};

struct verdict {
    uint32_t act; /* ANSWER_* */
    int64_t retry_after_ns;
    struct partial partial;
    char why[512];
};

static void
judge_http(const struct sender *s, const struct lens_http_answer *a, struct verdict *v)
{
    static const char *const members[] = { "message", "error", NULL };
    const struct answer_rule *rule =
        answer_rule_for(http_rules, sizeof http_rules / sizeof http_rules[0], a);
    struct lens_http_answer told = *a;
    struct rpc_status status;

    v->act = rule->act;
    v->retry_after_ns = a->retry_after_ns > 0 ? a->retry_after_ns : 0;
    if (v->act == ANSWER_OK) {
        if (s->endpoint->protocol == PROTOCOL_JSON)
            partial_json(&a->body, &v->partial);
        else
            partial_protobuf(&a->body, &v->partial);
        return;
    }
    if (s->endpoint->protocol == PROTOCOL_PROTOBUF &&
        answer_holds(&(struct lens_bytes){ answer_header(a, "content-type").data,
                                           answer_header(a, "content-type").size },
                     "protobuf")) {
        rpc_status_protobuf(&a->body, &status);
        told.body = (struct lens_bytes){ status.message, strlen(status.message) };
    }
    answer_say(s->endpoint->url, &told, rule, members, v->why, sizeof v->why);
}

static void
judge_grpc(const struct sender *s, const struct lens_http_answer *a, struct verdict *v)
{
    const struct grpc_rule *rule = NULL;
    struct grpc_end end;

    grpc_end_read(a, &end);
    if (end.code < 0) {
        judge_http(s, a, v);
        if (v->act == ANSWER_OK) { /* not gRPC at all */
            v->act = ANSWER_GIVE_UP;
            snprintf(v->why, sizeof v->why,
                     "%s answered without grpc-status: is it a gRPC port?",
                     s->endpoint->url);
        }
        return;
    }
    for (size_t i = 0; i < sizeof grpc_rules / sizeof grpc_rules[0]; i++)
        if (grpc_rules[i].code == end.code)
            rule = &grpc_rules[i];
    v->act = rule != NULL ? rule->act : ANSWER_GIVE_UP;
    if (end.code == 8 && end.status.retry_after_ns >= 0)
        v->act = ANSWER_LATER;
    v->retry_after_ns = end.status.retry_after_ns > 0 ? end.status.retry_after_ns : 0;
    if (v->act == ANSWER_OK) {
        const struct lens_bytes message = grpc_message(a);

        partial_protobuf(&message, &v->partial);
        return;
    }
    snprintf(v->why, sizeof v->why, "%.200s answered grpc-status %d (%s)%s%.200s",
             s->endpoint->url, (int)end.code, rule != NULL ? rule->name : "unknown",
             end.status.message[0] != '\0' ? ": " : "", end.status.message);
}

/* A receiver that took the request but not all of it must not get it again. */
static void
tell_partial(const struct sender *s, const struct partial *p)
{
    char text[512];

    if (p->rejected == 0 && p->message[0] == '\0')
        return;
    snprintf(text, sizeof text, "%.150s: %llu %s were rejected%s%s", s->endpoint->url,
             (unsigned long long)p->rejected, s->what, p->message[0] != '\0' ? ": " : "",
             p->message);
    s->host->log(s->host, LENS_LOG_WARNING, text);
}

static lens_status
act_on(const struct sender *s, const struct verdict *v, uint64_t count,
       struct lens_delivery *d)
{
    static const uint64_t first = 0;

    d->delivered_prefix = 0;
    switch (v->act) {
    case ANSWER_OK:
        tell_partial(s, &v->partial);
        d->verdict = LENS_DELIVERY_OK;
        d->delivered_prefix = count;
        return LENS_OK;
    case ANSWER_LATER:
        d->verdict = LENS_DELIVERY_LATER;
        d->retry_after_ns = v->retry_after_ns;
        return s->host->fail(s->host, LENS_OK, v->why);
    case ANSWER_SPLIT:
    case ANSWER_BAD_DATA:
        s->host->fail(s->host, LENS_OK, v->why);
        if (count > 1) { /* find the one that is at fault */
            d->verdict = LENS_DELIVERY_SPLIT;
            return LENS_OK;
        }
        d->verdict = LENS_DELIVERY_OK;
        d->delivered_prefix = count;
        d->refused = &first;
        d->refused_count = 1;
        s->host->log(s->host, LENS_LOG_WARNING, v->why);
        return LENS_OK;
    default:
        d->verdict = LENS_DELIVERY_GIVE_UP;
        return s->host->fail(s->host, LENS_OK, v->why);
    }
}

/* gRPC puts a flag (not compressed) and the length before the message. */
static int
encode(struct sender *s, struct node *root, const struct tree *t)
{
    unsigned char head[5] = { 0 };

    text_rewind(&s->message);
    if (s->endpoint->protocol == PROTOCOL_JSON) {
        tree_json(root, &s->message);
    } else {
        if (s->endpoint->protocol == PROTOCOL_GRPC)
            text_put(&s->message, head, sizeof head);
        tree_protobuf(root, &s->message);
    }
    if (t->failed || s->message.failed)
        return 0;
    if (s->endpoint->protocol == PROTOCOL_GRPC) {
        const size_t size = s->message.size - sizeof head;

        for (size_t i = 0; i < 4; i++)
            s->message.data[1 + i] = (char)(size >> (8 * (3 - i)));
    }
    return 1;
}

lens_status
sender_send(struct sender *s, struct node *root, const struct tree *t, uint64_t count,
            struct lens_delivery *d)
{
    struct receiver receiver = s->endpoint->receiver;
    struct lens_http_answer answer;
    struct verdict v = { 0 };

    if (!encode(s, root, t))
        return s->host->fail(s->host, LENS_E_NOMEM, "out of memory");
    if (s->endpoint->protocol == PROTOCOL_GRPC)
        receiver.flags &= ~(uint32_t)LENS_HTTP_GZIP; /* not the way gRPC compresses */
    if (receiver_exchange(&receiver, "POST", s->endpoint->url, s->message.data,
                          s->message.size, &answer) != LENS_OK) {
        v.act = ANSWER_LATER;
        snprintf(v.why, sizeof v.why, "%.200s: %.200s", s->endpoint->url,
                 answer.error != NULL ? answer.error : "no answer");
    } else if (s->endpoint->protocol == PROTOCOL_GRPC) {
        judge_grpc(s, &answer, &v);
    } else {
        judge_http(s, &answer, &v);
    }
    return act_on(s, &v, count, d);
}

void
sender_clear(struct sender *s)
{
    text_clear(&s->message);
}
