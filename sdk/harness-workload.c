/* A workload at simulated time. */
#include <stdlib.h>
#include <string.h>

#include "harness.h"

/* How long a made-up request takes. */
#define SERVICE_NS INT64_C(30000000)

struct simulation {
    struct lens_harness *harness;
    const struct lens_workload *workload;
    void *self;
    uint64_t *running; /* tickets in flight, oldest first */
    uint32_t in_flight, room;
    int64_t now_ns, last_at_ns;
    uint32_t shard, shards, arrivals;
    uint64_t last_index;
};

static void
tell(struct simulation *s, uint64_t ticket, uint32_t phase)
{
    const struct lens_outcome outcome = {
        .struct_size = (uint32_t)sizeof outcome,
        .phase = phase,
        .ticket = ticket,
        .due_ns = s->now_ns,
        .start_ns = s->now_ns,
        .first_ns = phase == LENS_PHASE_STARTED ? -1 : s->now_ns,
        .end_ns = phase == LENS_PHASE_DONE ? s->now_ns : -1,
        .http_status = phase == LENS_PHASE_DONE ? 200 : 0,
        .retry_after_ns = -1,
        .input_tokens = 10,
        .output_tokens = 20,
        .cached_tokens = -1,
        .reasoning_tokens = -1,
    };

    if (s->workload->event != NULL && s->workload->wants & LENS_WANTS(phase))
        s->workload->event(s->self, &outcome);
}

static int
finish_one(struct simulation *s)
{
    const uint64_t ticket = s->running[0];

    if (s->in_flight == 0)
        return lens_harness_problem(
            s->harness, "next waits for an answer although nothing is in flight");
    if ((s->workload->wants & LENS_WANTS(LENS_PHASE_DONE)) == 0)
        return lens_harness_problem(
            s->harness, "next waits for an answer, `wants` does not ask for its news");
    s->in_flight--;
    memmove(s->running, s->running + 1, s->in_flight * sizeof *s->running);
    s->now_ns += SERVICE_NS;
    tell(s, ticket, LENS_PHASE_FIRST_OUTPUT);
    tell(s, ticket, LENS_PHASE_DONE);
    return 1;
}

static int
start_one(struct simulation *s, const struct lens_arrival *a, struct lens_sheet *text)
{
    struct lens_harness *h = s->harness;

    if (a->at_ns < s->last_at_ns)
        return lens_harness_problem(h, "arrival %u is due at %lld, before the last one",
                                    s->arrivals, (long long)a->at_ns);
    if (s->workload->flags & LENS_WORKLOAD_OPEN && a->index % s->shards != s->shard)
        return lens_harness_problem(h, "index %llu is not of shard %u of %u",
                                    (unsigned long long)a->index, s->shard, s->shards);
    if (s->arrivals > 0 && a->index <= s->last_index)
        return lens_harness_problem(h, "index %llu comes after %llu",
                                    (unsigned long long)a->index,
                                    (unsigned long long)s->last_index);
    s->last_at_ns = a->at_ns;
    s->last_index = a->index;
    s->arrivals++;
    if (a->at_ns > s->now_ns)
        s->now_ns = a->at_ns;
    if (s->in_flight == s->room) {
        s->room = s->room * 2 + 16;
        s->running = realloc(s->running, s->room * sizeof *s->running);
    }
    s->running[s->in_flight++] = a->ticket;
    lens_sheet_print(text, "%llu %lld\n", (unsigned long long)a->index,
                     (long long)a->at_ns);
    tell(s, a->ticket, LENS_PHASE_STARTED);
    return 1;
}

/* One call of `next`; `ret_done`: no more will come. */
static int
step(struct simulation *s, struct lens_sheet *text, int *ret_done)
{
    struct lens_arrival a = { .struct_size = (uint32_t)sizeof a,
                              .item = LENS_ITEM_ANY,
                              .input_tokens_min = -1,
                              .input_tokens_max = -1,
                              .output_tokens_min = -1,
                              .output_tokens_max = -1 };
    const lens_status st = s->workload->next(s->self, s->now_ns, &a);

    if (!lens_harness_settle(s->harness, "next", st))
        return 0;
    switch (st) {
    case LENS_OK:
        return start_one(s, &a, text);
    case LENS_DONE:
        *ret_done = 1;
        return 1;
    case LENS_WAIT:
        return finish_one(s);
    case LENS_WAIT_UNTIL:
        if (a.at_ns <= s->now_ns)
            return lens_harness_problem(s->harness,
                                        "next waits until %lld, but it is %lld already",
                                        (long long)a.at_ns, (long long)s->now_ns);
        s->now_ns = a.at_ns;
        return 1;
    default:
        return lens_harness_problem(s->harness, "next returns %d", st);
    }
}

int
lens_harness_workload(struct lens_harness *h, const struct lens_workload *w,
                      uint64_t seed, uint32_t shard, uint32_t shards, uint32_t most,
                      struct lens_sheet *ret_arrivals)
{
    struct simulation s = {
        .harness = h, .workload = w, .shard = shard, .shards = shards
    };
    const struct lens_workload_args args = { .struct_size = (uint32_t)sizeof args,
                                             .seed = seed,
                                             .shard = shard,
                                             .shards = shards,
                                             .requests = -1,
                                             .duration_ns = -1 };
    struct lens_estimate estimate = { .struct_size = (uint32_t)sizeof estimate,
                                      .arrivals = -1,
                                      .input_tokens = -1,
                                      .output_tokens = -1,
                                      .duration_ns = -1 };
    int done = 0, ok;

    lens_harness_forget(h);
    h->seed = seed;
    s.running = calloc(16, sizeof *s.running);
    s.room = 16;
    ok = lens_harness_settle(h, "open", w->open(&h->host, &args, &s.self));
    if (ok && w->estimate != NULL) {
        ok = lens_harness_settle(h, "estimate", w->estimate(s.self, &estimate));
        if (ok && estimate.arrivals < -1)
            ok = lens_harness_problem(h, "estimate: %lld arrivals; -1 is: unknown",
                                      (long long)estimate.arrivals);
    }
    for (uint32_t calls = 0; ok && !done && s.arrivals < most && calls < 8 * most;
         calls++)
        ok = step(&s, ret_arrivals, &done);
    if (ok && !done && s.arrivals == 0)
        ok = lens_harness_problem(h, "no arrival and no end in %u calls of next",
                                  8 * most);
    if (s.self != NULL)
        w->close(s.self);
    free(s.running);
    if (h->grown > 0)
        return lens_harness_problem(h, "close keeps %llu bytes of host->grow",
                                    (unsigned long long)h->grown);
    return ok && h->problem[0] == '\0';
}
