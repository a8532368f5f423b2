#include <math.h>
#include <string.h>

#include "chrono.h"
#include "engine-private.h"
#include "host.h"

/* A failure that took less than this did not come from a server at work. */
static const int64_t QUICK_NS = 50 * NS_PER_MS;
static const int64_t BACKOFF_FIRST_NS = 10 * NS_PER_MS;
static const int64_t BACKOFF_MOST_NS = NS_PER_S;
static const int64_t RETRY_FIRST_NS = 500 * NS_PER_MS;
static const int64_t RETRY_MOST_NS = 8 * NS_PER_S;
/* Between two looks for a new credential. */
static const int64_t CREDENTIAL_PAUSE_NS = 5 * NS_PER_MS;

/* ---- samples ---- */

void
engine_push_unsent(engine *e)
{
    unsigned sent = 0;

    while (sent < e->unsent->len &&
           recorder_push(e->run->recorder, e->shard, e->unsent->pdata[sent]))
        sent++;
    if (sent > 0)
        g_ptr_array_remove_range(e->unsent, 0, sent);
}

void
engine_push(engine *e, sample *s)
{
    if (e->unsent->len > 0 || !recorder_push(e->run->recorder, e->shard, s))
        g_ptr_array_add(e->unsent, s);
}

static struct release *
make_release(const engine *e, const flight *f)
{
    const sample *s = f->sample;
    const attempt *a = sample_last(s);
    const int64_t shift_ns = e->run->stage_start_ns - e->run->run_start_ns;
    struct release *r = g_new0(struct release, 1);

    r->outcome = (struct lens_outcome){
        .struct_size = sizeof r->outcome,
        .phase = LENS_PHASE_DONE,
        .flags = (s->outcome == LENS_OUTCOME_CANCEL ? LENS_OUTCOME_CANCELLED : 0) |
                 (s->outcome == LENS_OUTCOME_CENSOR ? LENS_OUTCOME_CENSORED : 0) |
                 (a->reused ? LENS_OUTCOME_REUSED_CONN : 0),
        .ticket = f->ticket,
        .id = s->id,
        .session = s->session,
        .turn = s->turn,
        .due_ns = s->due_ns - shift_ns,
        .start_ns = s->attempts[0].start_ns - shift_ns,
        .first_ns = a->first_output_ns < 0 ? -1 : a->first_output_ns - shift_ns,
        .end_ns = a->end_ns - shift_ns,
        .error_class = a->error_class,
        .kind = a->error_kind,
        .http_status = a->http_status,
        .retry_after_ns = a->retry_after_ns,
        .input_tokens = a->usage[LENS_USAGE_INPUT],
        .cached_tokens = a->usage[LENS_USAGE_CACHE_READ],
        .output_tokens = a->usage[LENS_USAGE_OUTPUT],
        .reasoning_tokens = a->usage[LENS_USAGE_REASONING],
    };
    return r;
}

void
engine_release(engine *e, struct release *r)
{
    const struct lens_workload *w = &e->workload->plugin->ops.workload;

    if (w->event != NULL && (w->wants & LENS_WANTS(LENS_PHASE_DONE)) != 0)
        w->event(e->workload->self, &r->outcome);
    g_free(r);
}

/* A slot of a closed loop that fails at once would spin; give it back later. */
static int64_t
backoff(engine *e, const sample *s)
{
    const attempt *a = sample_last(s);
    int64_t wait_ns;

    if (s->outcome != LENS_OUTCOME_FAILED || a->end_ns - a->start_ns > QUICK_NS) {
        e->quick_failures = 0;
        return 0;
    }
    wait_ns = BACKOFF_FIRST_NS << MIN(e->quick_failures, 10u);
    e->quick_failures++;
    return MIN(wait_ns, BACKOFF_MOST_NS);
}

static void
judge_target(engine *e, const sample *s)
{
    stage_run *r = e->run;
    const int64_t limit = r->plan->abort_after;

    if (s->outcome == LENS_OUTCOME_OK) {
        atomic_store(&r->failures_in_a_row, 0);
    } else if (s->outcome == LENS_OUTCOME_FAILED) {
        const uint64_t row = atomic_fetch_add(&r->failures_in_a_row, 1) + 1;

        if (limit > 0 && row >= (uint64_t)limit) {
            atomic_store(&r->aborted, true);
            atomic_store(&r->stop, STOP_NOW);
        }
    }
}

void
engine_finish(engine *e, flight *f, uint32_t outcome)
{
    sample *s = f->sample;
    struct release *r;
    int64_t wait_ns;

    s->outcome = outcome;
    if (s->phase == LENS_PART_MEASURED)
        atomic_fetch_sub(&e->run->measured_open, 1);
    r = make_release(e, f);
    wait_ns = backoff(e, s);
    judge_target(e, s);
    engine_leave_burst(e, f);

    f->exchange = NULL;
    g_ptr_array_remove_index_fast(e->in_flight, f->slot);
    if (f->slot < e->in_flight->len)
        ((flight *)e->in_flight->pdata[f->slot])->slot = f->slot;
    g_ptr_array_add(e->idle, f);
    engine_count_in_flight(e, -1);
    engine_complete(e, f);

    if (wait_ns == 0) {
        engine_release(e, r);
    } else {
        e->held++;
        agenda_add(&e->agenda, chrono_now() + wait_ns, TASK_RELEASE, r);
    }
}

/* ---- retries ---- */

static int64_t
retry_wait(const engine *e, const flight *f)
{
    const attempt *a = f->now;
    const unsigned tries = f->sample->attempt_count - 1;
    const int64_t cap_ns = MIN(RETRY_FIRST_NS << MIN(tries, 8u), RETRY_MOST_NS);
    const uint64_t draw = random_at(e->run->plan->seed, LENS_RAND_USER - 1,
                                    f->sample->id * 64 + f->sample->attempt_count);

    if (a->retry_after_ns >= 0)
        return a->retry_after_ns;
    return (int64_t)((double)cap_ns * ((double)(draw >> 11) / 9007199254740992.0));
}

static unsigned
sent_again(const sample *s)
{
    unsigned resends = 0;

    for (uint32_t i = 0; i < s->attempt_count; i++)
        resends += s->attempts[i].resends;
    return resends;
}

static bool
may_retry(const engine *e, const flight *f)
{
    const unsigned tries =
        f->sample->attempt_count - 1 - sent_again(f->sample) - (f->renewed ? 1 : 0);

    return f->failed && f->now->retryable && !f->output &&
           tries < e->run->plan->retries && !e->finishing &&
           f->now->retry_after_ns <= e->run->plan->retry_max_wait_ns;
}

static void
give_exchange_back(engine *e, flight *f)
{
    if (f->exchange != NULL)
        transport_put(e->transport, f->exchange);
    f->exchange = NULL;
}

/* A credential that was taken back in the middle of a run is no fault of the endpoint:
 * the request goes out once more with a new one. True: it will, or waits for it. */
static bool
waits_for_credential(engine *e, flight *f)
{
    const attempt *a = f->now;

    if (!f->failed || f->credential == NULL || f->renewed || e->finishing ||
        (a->http_status != 401 && a->error_kind != LENS_KIND_AUTH))
        return false;
    switch (credential_refused(e->run->credential, f->credential)) {
    case CREDENTIAL_COMING:
        agenda_add(&e->agenda, chrono_now() + CREDENTIAL_PAUSE_NS, TASK_CREDENTIAL, f);
        return true;
    case CREDENTIAL_FRESH:
        f->renewed = true;
        agenda_add(&e->agenda, chrono_now(), TASK_RETRY, f);
        return true;
    default:
        return false;
    }
}

void
engine_settle(engine *e, flight *f)
{
    give_exchange_back(e, f);
    if (waits_for_credential(e, f))
        return;
    if (may_retry(e, f))
        agenda_add(&e->agenda, chrono_now() + retry_wait(e, f), TASK_RETRY, f);
    else
        engine_finish(e, f, f->failed ? LENS_OUTCOME_FAILED : LENS_OUTCOME_OK);
}

static void
on_end(exchange *x, const struct exchange_end *end)
{
    flight *f = x->user;

    if (engine_follow(f->context->owner, f, end))
        return;
    flight_end(f, end);
    engine_settle(f->context->owner, f);
}

void
engine_stop_flight(engine *e, flight *f, uint32_t kind, uint32_t outcome,
                   const char *detail)
{
    if (f->exchange != NULL) {
        transport_cancel(e->transport, f->exchange);
        flight_stop(f, kind, kind == LENS_KIND_NETWORK ? WHERE_STREAM : WHERE_CLIENT,
                    detail);
    }
    if (outcome == LENS_OUTCOME_FAILED) {
        engine_settle(e, f);
        return;
    }
    give_exchange_back(e, f);
    engine_finish(e, f, f->terminal && !f->failed ? LENS_OUTCOME_OK : outcome);
}

const struct exchange_events engine_exchange_events = {
    .head = flight_head,
    .body = flight_body,
    .look = flight_look,
    .resend = flight_resend,
    .end = on_end,
};
