/* An exporter against a receiver that misbehaves. */
#include <stdlib.h>
#include <string.h>

#include "harness-private.h"

#define SAMPLES 24
#define BATCH 8
#define STEPS_MOST 400 /* an exporter that is not done by then never will be */
#define HEALS_AFTER 3  /* failed exchanges */
#define RETRY_AFTER_NS INT64_C(7000000000)

const char *
lens_fault_name(uint32_t fault)
{
    static const char *const names[LENS_FAULT_COUNT] = {
        "a receiver that is well",
        "a receiver that is dead at the start",
        "a receiver that is dead at the end",
        "a receiver that never answers",
        "a receiver that says 429 with Retry-After",
        "a receiver that says 503 twice",
        "a receiver that breaks off its answer",
        "a receiver with a wrong certificate",
        "a receiver that says 413",
        "a receiver that says 400",
        "a receiver that says 401",
    };

    return fault < LENS_FAULT_COUNT ? names[fault] : "a receiver";
}

struct drive {
    struct lens_harness *h;
    const struct lens_exporter *e;
    void *self;
    uint32_t fault;
    int32_t at_end;                    /* the last part has begun */
    uint64_t exchanges, failed, taken; /* taken: answered by 2xx */
    size_t first_size;                 /* of a body */
    uint64_t done, limit, steps;
    int32_t over; /* the exporter gave up */
};

/* ---- the receiver ---- */

static lens_status
away(struct drive *d, struct lens_http_answer *answer, const char *why, uint32_t kind)
{
    d->failed++;
    answer->error = why;
    answer->error_kind = kind;
    return LENS_E_IO;
}

static lens_status
say(struct drive *d, struct lens_http_answer *answer, int32_t status, const char *body)
{
    answer->status = status;
    answer->body.data = body;
    answer->body.size = strlen(body);
    if (status < 300)
        d->taken++;
    else
        d->failed++;
    return LENS_OK;
}

static int
is_ill(const struct drive *d)
{
    const uint64_t heals_after = d->fault == LENS_FAULT_RATE_LIMIT ? 1
                                 : d->fault == LENS_FAULT_CUT      ? 1
                                 : d->fault == LENS_FAULT_BUSY     ? 2
                                                                   : HEALS_AFTER;

    if (d->fault >= LENS_FAULT_TOO_LARGE)
        return 1;
    if (d->fault == LENS_FAULT_DEAD_AT_END && !d->at_end)
        return 0;
    return d->fault != LENS_FAULT_NONE && d->failed < heals_after;
}

static lens_status
receive(void *data, const struct lens_http_request *request,
        struct lens_http_answer *answer)
{
    struct drive *d = data;

    d->exchanges++;
    if (d->first_size == 0)
        d->first_size = request->body.size;
    if (!is_ill(d))
        return say(d, answer, 200, "");
    switch (d->fault) {
    case LENS_FAULT_SILENT:
        return away(d, answer, "timed out: no answer for 10 s", LENS_KIND_TIMEOUT);
    case LENS_FAULT_CUT:
        return away(d, answer, "transfer closed with 7 bytes remaining to read",
                    LENS_KIND_NETWORK);
    case LENS_FAULT_CERTIFICATE:
        return away(d, answer, "SSL certificate problem: self-signed certificate",
                    LENS_KIND_TLS);
    case LENS_FAULT_RATE_LIMIT:
        answer->retry_after_ns = RETRY_AFTER_NS;
        return say(d, answer, 429, "{\"error\":\"slow down\"}");
    case LENS_FAULT_BUSY:
        return say(d, answer, 503, "busy");
    case LENS_FAULT_TOO_LARGE:
        if (request->body.size <= d->first_size / 2 + 64)
            return say(d, answer, 200, "");
        return say(d, answer, 413, "too large");
    case LENS_FAULT_BAD_DATA:
        return say(d, answer, 400, "{\"error\":\"unable to parse\"}");
    case LENS_FAULT_TOKEN:
        return say(d, answer, 401, "{\"error\":\"unauthorized\"}");
    default:
        return away(d, answer, "connection refused", LENS_KIND_CONNECT);
    }
}

/* ---- the host ---- */

struct step {
    const char *operation;
    lens_status status;
    struct lens_delivery delivery;
    uint64_t offered, exchanges, failed, taken;
};

static void
begin_step(struct drive *d, struct step *s, const char *operation, uint64_t offered)
{
    *s = (struct step){ .operation = operation,
                        .offered = offered,
                        .exchanges = d->exchanges,
                        .failed = d->failed,
                        .taken = d->taken };
    s->delivery.struct_size = (uint32_t)sizeof s->delivery;
    d->h->why = LENS_OK;
    d->steps++;
}

static uint32_t
verdict_of(const struct step *s)
{
    if (s->status >= 0 || s->delivery.verdict != LENS_DELIVERY_OK)
        return s->delivery.verdict;
    return s->status == LENS_E_IO ? LENS_DELIVERY_LATER : LENS_DELIVERY_GIVE_UP;
}

/* What no receiver has taken is not delivered; what was not delivered has its reason. */
static int
check_step(struct drive *d, const struct step *s)
{
    const uint32_t verdict = verdict_of(s);
    const int promises = (d->e->flags & LENS_EXPORT_BEST_EFFORT) == 0;
    const int asked = d->exchanges > s->exchanges, heard = d->taken > s->taken;

    if (promises && asked && !heard && verdict == LENS_DELIVERY_OK &&
        s->delivery.refused_count == 0)
        return lens_harness_problem(d->h, "%s: is delivered, though no receiver took it",
                                    s->operation);
    if (promises && asked && !heard &&
        s->delivery.delivered_prefix > s->delivery.refused_count)
        return lens_harness_problem(d->h, "%s: %llu are delivered, none was taken",
                                    s->operation,
                                    (unsigned long long)s->delivery.delivered_prefix);
    if (d->failed > s->failed && verdict != LENS_DELIVERY_OK &&
        verdict != LENS_DELIVERY_SPLIT && d->h->why == LENS_OK)
        return lens_harness_problem(d->h, "%s: fails without host->fail: no reason",
                                    s->operation);
    if (d->fault == LENS_FAULT_RATE_LIMIT && d->failed > s->failed && !heard &&
        verdict == LENS_DELIVERY_LATER && strcmp(s->operation, "begin") != 0 &&
        s->delivery.retry_after_ns != RETRY_AFTER_NS)
        return lens_harness_problem(d->h, "%s: Retry-After is not passed on",
                                    s->operation);
    return 1;
}

/* 1: go on, 0: a problem. */
static int
carry_out(struct drive *d, const struct step *s)
{
    const struct lens_delivery *v = &s->delivery;
    uint64_t done = v->delivered_prefix;

    if (!check_step(d, s))
        return 0;
    if (d->steps > STEPS_MOST && d->at_end && d->h->listens) {
        d->over = 1; /* it waits for a last look, which nobody takes here */
        return 1;
    }
    if (d->steps > STEPS_MOST && d->exchanges == 0 &&
        strcmp(s->operation, "begin") == 0) {
        d->over = 1; /* its receiver is not asked through the host, and is not there */
        return 1;
    }
    if (d->steps > STEPS_MOST)
        return lens_harness_problem(d->h, "%s: never comes to an end", s->operation);
    if (done > s->offered)
        return lens_harness_problem(d->h, "%s: %llu of %llu are delivered", s->operation,
                                    (unsigned long long)done,
                                    (unsigned long long)s->offered);
    switch (verdict_of(s)) {
    case LENS_DELIVERY_OK:
        d->done = done > 0 ? done : s->offered;
        d->limit = BATCH;
        break;
    case LENS_DELIVERY_LATER:
        d->done = done;
        break;
    case LENS_DELIVERY_SPLIT:
        d->done = s->offered - done <= 1 ? s->offered : done;
        d->limit = (s->offered - done) / 2 > 0 ? (s->offered - done) / 2 : 1;
        break;
    default:
        d->done = done;
        d->over = 1;
    }
    return 1;
}

static int
drive_begin(struct drive *d)
{
    struct step s;

    do {
        begin_step(d, &s, "begin", 1);
        s.status = d->e->begin(d->self, &harness_run, 0);
        if (s.status == LENS_OK) /* what begin asks the receiver is no delivery */
            return 1;
        if (!carry_out(d, &s))
            return 0;
    } while (!d->over);
    return 1;
}

static int
drive_samples(struct drive *d)
{
    struct lens_sample samples[SAMPLES];
    const struct lens_sample *batch[SAMPLES];
    uint64_t at = 0;

    for (uint32_t i = 0; i < SAMPLES; i++) {
        harness_make_sample(&samples[i], i % LENS_HARNESS_SAMPLES);
        samples[i].id = i + 1;
        samples[i].index = i;
        samples[i].unix_ns += i;
        batch[i] = &samples[i];
    }
    while (d->e->samples != NULL && at < SAMPLES && !d->over) {
        const uint64_t offered = SAMPLES - at < d->limit ? SAMPLES - at : d->limit;
        struct step s;

        begin_step(d, &s, "samples", offered);
        s.status = d->e->samples(d->self, batch + at, offered, &s.delivery);
        if (!carry_out(d, &s))
            return 0;
        at += d->done;
    }
    return 1;
}

struct totals {
    struct drive *d;
    int ok;
};

static void
drive_totals(const struct lens_snapshot *snapshot, const struct lens_summary *summary,
             void *data)
{
    struct totals *t = data;
    struct drive *d = t->d;
    struct step s;

    t->ok = 1;
    d->done = 0;
    while (t->ok && d->e->snapshot != NULL && !d->over && d->done == 0) {
        begin_step(d, &s, "snapshot", 1);
        s.status = d->e->snapshot(d->self, snapshot, &s.delivery);
        t->ok = carry_out(d, &s);
    }
    d->at_end = 1;
    d->done = 0;
    while (t->ok && !d->over && d->done == 0) {
        begin_step(d, &s, "end", 1);
        s.status = d->e->end(d->self, summary, &s.delivery);
        t->ok = carry_out(d, &s);
    }
}

int
lens_harness_delivery(struct lens_harness *h, const struct lens_exporter *e,
                      uint32_t fault, int *ret_http)
{
    struct drive d = { .h = h, .e = e, .fault = fault, .limit = BATCH };
    struct totals totals = { &d, 1 };

    lens_harness_forget(h);
    h->exporting = 1;
    h->receive = receive;
    /* cppcheck-suppress autoVariables; it is taken back below */
    h->receive_data = &d;
    if (lens_harness_settle(h, "open", e->open(&h->host, &d.self))) {
        if (drive_begin(&d) && drive_samples(&d) && !d.over)
            harness_with_totals(drive_totals, &totals);
        if (h->problem[0] == '\0' && d.over && d.exchanges > 0 && !h->listens &&
            fault < LENS_FAULT_TOO_LARGE && fault != LENS_FAULT_CERTIFICATE)
            lens_harness_problem(h, "gives up, though the receiver gets well again");
        if (h->problem[0] == '\0' && fault == LENS_FAULT_TOKEN && !d.over &&
            d.exchanges > 0 && (e->flags & LENS_EXPORT_BEST_EFFORT) == 0)
            lens_harness_problem(h, "does not give up, though its token is refused");
        e->close(d.self);
    }
    *ret_http = d.exchanges > 0;
    h->receive = NULL;
    return h->problem[0] == '\0';
}
