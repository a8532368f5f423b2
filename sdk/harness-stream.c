/* A decoder under every way of cutting, and under what no decoder should meet. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"

#define LONG_BODY ((size_t)8 * 1024)

/* One read, in memory of its own: a decoder that keeps the pointer reads freed memory. */
static lens_status
feed(struct lens_harness *h, const struct lens_provider *p, void *stream,
     const char *data, size_t size)
{
    char *copy = malloc(size > 0 ? size : 1);
    lens_status st;

    memcpy(copy, data, size);
    h->body_size += size;
    st = p->decode(stream, copy, size, &h->sink);
    memset(copy, 0xa5, size);
    free(copy);
    return st;
}

static lens_status
tell_head(struct lens_harness *h, const struct lens_provider *p, void *stream,
          const struct lens_harness_answer *answer)
{
    const char *type = answer->content_type != NULL ? answer->content_type : "";
    const struct lens_head head = {
        .struct_size = (uint32_t)sizeof head,
        .status = answer->status,
        .content_type = { type, strlen(type) },
        .headers = answer->headers,
        .header_count = answer->header_count,
        .header_size = answer->header_size,
        .unix_ns = INT64_C(1700000000000000000),
    };

    return p->head != NULL ? p->head(stream, &head, &h->sink) : LENS_OK;
}

/* Head, body and end of one answer. */
static int
run_stream(struct lens_harness *h, const struct lens_provider *p, void *stream,
           const struct lens_harness_answer *answer, size_t cut, size_t step)
{
    const char *body = answer->body;
    size_t piece;

    if (!lens_harness_settle(h, "head", tell_head(h, p, stream, answer)))
        return 0;
    for (size_t at = 0; at < answer->size; at += piece) {
        piece = step > 0 ? step : at < cut ? cut - at : answer->size - at;
        if (piece > answer->size - at)
            piece = answer->size - at;
        if (!lens_harness_settle(h, "decode", feed(h, p, stream, body + at, piece)))
            return 0;
    }
    return lens_harness_settle(h, "finish", p->finish(stream, &h->sink));
}

int
lens_harness_decode(struct lens_harness *h, const struct lens_provider *p, void *self,
                    const struct lens_harness_answer *answer, size_t cut, size_t step,
                    uint32_t wants)
{
    const uint64_t before = h->grown;
    void *stream = NULL;
    int ok;

    lens_harness_forget(h);
    lens_harness_sink(h, wants);
    if (!lens_harness_settle(h, "stream_open",
                             p->stream_open(self, answer->streamed, &stream)))
        return 0;
    ok = run_stream(h, p, stream, answer, cut, step);
    if (ok && p->stream_reset != NULL && step == 1) {
        /* A used decoder must be as good as new. */
        char *first = strdup(h->events.data);

        lens_harness_forget(h);
        ok = lens_harness_settle(h, "stream_reset",
                                 p->stream_reset(stream, answer->streamed)) &&
             run_stream(h, p, stream, answer, cut, step);
        if (ok && strcmp(first, h->events.data) != 0)
            lens_harness_problem(h, "after stream_reset other events come out");
        free(first);
    }
    p->stream_close(stream);
    if (h->grown != before)
        return lens_harness_problem(h, "stream_close keeps %lld bytes of host->grow",
                                    (long long)(h->grown - before));
    return h->problem[0] == '\0';
}

/* ---- splits ---- */

/* The first line in which two records differ. */
static void
name_difference(struct lens_harness *h, const char *expected, const char *seen,
                size_t cut, size_t step)
{
    const char *other = seen;
    const char *line = expected;

    while (*line != '\0') {
        const size_t a = strcspn(line, "\n"), b = strcspn(other, "\n");

        if (a != b || memcmp(line, other, a) != 0)
            break;
        line += a + (line[a] == '\n');
        other += b + (other[b] == '\n');
    }
    if (step > 0)
        lens_harness_problem(
            h, "in reads of %zu bytes: `%.*s`, expected `%.*s` as in one read", step,
            (int)strcspn(other, "\n"), other, (int)strcspn(line, "\n"), line);
    else
        lens_harness_problem(h, "cut at byte %zu: `%.*s`, expected `%.*s` as in one read",
                             cut, (int)strcspn(other, "\n"), other,
                             (int)strcspn(line, "\n"), line);
}

static int
same_events(struct lens_harness *h, const struct lens_provider *p, void *self,
            const struct lens_harness_answer *answer, const char *expected, size_t cut,
            size_t step)
{
    if (!lens_harness_decode(h, p, self, answer, cut, step, LENS_WANT_CONTENT))
        return 0;
    if (strcmp(expected, h->events.data) == 0)
        return 1;
    name_difference(h, expected, h->events.data, cut, step);
    return 0;
}

int
lens_harness_splits(struct lens_harness *h, const struct lens_provider *p, void *self,
                    const struct lens_harness_answer *answer)
{
    const size_t stride = answer->size <= LONG_BODY ? 1 : answer->size / LONG_BODY + 1;
    char *events, *messages;
    int ok;

    if (!lens_harness_decode(h, p, self, answer, answer->size, 0, LENS_WANT_CONTENT))
        return 0;
    events = strdup(h->events.data);
    messages = strdup(h->messages.data);
    ok = same_events(h, p, self, answer, events, 0, 1) &&
         same_events(h, p, self, answer, events, 0, 3);
    for (size_t cut = 1; ok && cut < answer->size; cut += stride)
        ok = same_events(h, p, self, answer, events, cut, 0);
    if (ok && lens_harness_decode(h, p, self, answer, answer->size, 0, 0) &&
        strcmp(messages, h->messages.data) != 0)
        lens_harness_problem(h, "without LENS_WANT_CONTENT other messages come out");
    free(events);
    free(messages);
    return h->problem[0] == '\0';
}

/* ---- garbage ---- */

static uint32_t
next_random(uint32_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 17;
    *x ^= *x << 5;
    return *x;
}

/* A body that is not the protocol's; `must_tell`: it cannot pass for an answer. */
static int
swallow(struct lens_harness *h, const struct lens_provider *p, void *self,
        const struct lens_harness_answer *like, const char *what, const char *body,
        size_t size, int must_tell)
{
    struct lens_harness_answer answer = *like;

    answer.body = body;
    answer.size = size;
    if (!lens_harness_decode(h, p, self, &answer, size / 2, 0, LENS_WANT_CONTENT))
        return 0;
    if (must_tell && h->faults == 0 && strstr(h->events.data, " returns -") == NULL)
        return lens_harness_problem(h, "%s is taken for a complete answer", what);
    return 1;
}

/* Every end of the body, and bytes that were changed on the way. */
static int
swallow_variants(struct lens_harness *h, const struct lens_provider *p, void *self,
                 const struct lens_harness_answer *answer)
{
    const size_t stride = answer->size / 500 + 1;
    uint32_t seed = 2463534242u;
    char *body = malloc(answer->size + 1);
    int ok = 1;

    for (size_t size = 0; ok && size < answer->size; size += stride)
        ok = swallow(h, p, self, answer, "a cut answer", answer->body, size, 0);
    for (int i = 0; ok && answer->size > 0 && i < 500; i++) {
        memcpy(body, answer->body, answer->size);
        for (int k = 0; k <= i % 4; k++)
            body[next_random(&seed) % answer->size] = (char)next_random(&seed);
        ok = swallow(h, p, self, answer, "a changed answer", body, answer->size, 0);
    }
    free(body);
    return ok;
}

int
lens_harness_garbage(struct lens_harness *h, const struct lens_provider *p, void *self,
                     const struct lens_harness_answer *answer)
{
    static const char *const bodies[] = {
        "",
        "\n\n\n",
        "<!doctype html>\n<html><body>It works!</body></html>\n",
        "{\"error\":",
        "data: {\n\ndata: }\n\n",
        "data: \xff\xfe\xc3\n\n",
        "{}{}{}",
        "[[[[[[[[",
        "null",
    };
    uint32_t seed = 88172645u;
    char noise[4096];
    int ok = swallow_variants(h, p, self, answer);

    for (size_t i = 0; ok && i < sizeof bodies / sizeof bodies[0]; i++)
        ok = swallow(h, p, self, answer, i == 0 ? "an empty body" : bodies[i], bodies[i],
                     strlen(bodies[i]), i < 3);
    for (int i = 0; ok && i < 16; i++) {
        for (size_t k = 0; k < sizeof noise; k++)
            noise[k] = (char)next_random(&seed);
        ok = swallow(h, p, self, answer, "noise", noise, sizeof noise, 1);
    }
    return ok;
}

/* ---- failed answers ---- */

int
lens_harness_classify(struct lens_harness *h, const struct lens_provider *p, void *self)
{
    static const int32_t statuses[] = { 302, 400, 401, 404, 413, 429, 500, 503, 529 };
    static const char *const bodies[] = {
        "",
        "{\"error\":{\"message\":\"no\",\"type\":\"rate_limit_error\",\"code\":null}}",
        "{\"error\":\"no\"}",
        "{\"error\":{\"message\":\"cu",
        "<html>502</html>",
        "{\"message\":\"\xff\"}",
        "[]",
        "null",
    };
    static const struct lens_pair headers[] = {
        { { "retry-after", 11 }, { "2", 1 } },
    };

    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        for (size_t k = 0; k < sizeof bodies / sizeof bodies[0]; k++) {
            const struct lens_answer answer = {
                .struct_size = (uint32_t)sizeof answer,
                .status = statuses[i],
                .headers = headers,
                .header_count = 1,
                .header_size = (uint32_t)sizeof headers[0],
                .body = { bodies[k], strlen(bodies[k]) },
                .unix_ns = INT64_C(1700000000000000000),
            };

            lens_harness_forget(h);
            if (!lens_harness_settle(
                    h, "classify",
                    p->classify(self, &answer, lens_harness_sink(h, LENS_WANT_CONTENT))))
                return 0;
            if (h->faults != 1 || h->fault_class != LENS_CLASS_HTTP_ERROR)
                return lens_harness_problem(
                    h, "classify of %d with `%s`: %u faults, the first of class %u",
                    statuses[i], bodies[k], h->faults, h->fault_class);
        }
    }
    return h->problem[0] == '\0';
}
