#include <math.h>
#include <string.h>

#include "chrono.h"
#include "engine-private.h"

/* How often a request that waits for the budget looks again. */
static const int64_t BUDGET_LOOK_NS = 2 * NS_PER_MS;
#include "trace.h"

/* ---- what ---- */

static void
set_parameters(const engine *e, const flight *f, struct lens_ask *ask)
{
    const plan_target *t = e->run->target;

    ask->max_output = f->sample->asked_output_tokens;
    ask->min_output =
        t->ignore_eos && t->min_tokens < 0 ? ask->max_output : t->min_tokens;
    ask->temperature = t->temperature;
    ask->top_p = t->top_p;
    ask->top_k = t->top_k;
    ask->seed = t->seed;
    ask->n = t->n;
    ask->set = (isnan(t->temperature) ? 0 : LENS_SET_TEMPERATURE) |
               (isnan(t->top_p) ? 0 : LENS_SET_TOP_P) |
               (t->top_k < 0 ? 0 : LENS_SET_TOP_K) |
               (t->seed == INT64_MIN ? 0 : LENS_SET_SEED) | (t->n < 0 ? 0 : LENS_SET_N) |
               (ask->min_output < 0 ? 0 : LENS_SET_MIN_OUTPUT) |
               (ask->max_output < 0 ? 0 : LENS_SET_MAX_OUTPUT);
    ask->flags =
        (t->stream ? LENS_ASK_STREAM : 0) | (t->ignore_eos ? LENS_ASK_IGNORE_EOS : 0);
}

static struct lens_bytes
bytes_of(const char *text)
{
    return (struct lens_bytes){ text, text != NULL ? strlen(text) : 0 };
}

enum { LIST_LIMIT = 64 };

static unsigned
stop_list(char **texts, struct lens_bytes *ret)
{
    unsigned count = 0;

    for (; texts != NULL && texts[count] != NULL && count < LIST_LIMIT; count++)
        ret[count] = bytes_of(texts[count]);
    return count;
}

static unsigned
header_list(char **headers, struct lens_pair *ret)
{
    unsigned count = 0;

    for (; headers != NULL && headers[count] != NULL && count < LIST_LIMIT; count++) {
        const char *colon = strchr(headers[count], ':');
        const char *value = colon + 1;

        while (*value == ' ')
            value++;
        ret[count].name =
            (struct lens_bytes){ headers[count], (size_t)(colon - headers[count]) };
        ret[count].value = bytes_of(value);
    }
    return count;
}

/* W3C Trace Context: the target's own spans can join the request's. */
static uint32_t
add_traceparent(const engine *e, const flight *f, char text[TRACE_PARENT_SIZE],
                struct lens_pair *ret)
{
    static const char name[] = "traceparent";
    uint8_t trace[16], span[8];

    if (!e->run->target->traceparent)
        return 0;
    trace_ids(e->run->trace_seed, f->sample->id, trace, span);
    trace_parent(trace, span, text);
    *ret =
        (struct lens_pair){ { name, sizeof name - 1 }, { text, TRACE_PARENT_SIZE - 1 } };
    return 1;
}

static bool
describe(engine *e, flight *f, exchange *x)
{
    const plan_target *t = e->run->target;
    struct lens_bytes stops[LIST_LIMIT];
    struct lens_pair headers[LIST_LIMIT + 1];
    char traceparent[TRACE_PARENT_SIZE];
    struct lens_ask ask = {
        .struct_size = sizeof ask,
        .id = f->sample->id,
        .task = e->run->task,
        .attempt = f->sample->attempt_count - 1,
        .model = bytes_of(t->model),
        .turns = e->prompt.turns,
        .turn_count = e->prompt.turn_count,
        .turn_size = sizeof(struct lens_turn),
        .stop = stops,
        .stop_count = stop_list(t->stop, stops),
        .stop_size = sizeof stops[0],
        .headers = headers,
        .header_count = header_list(t->headers, headers),
        .header_size = sizeof headers[0],
        .extra = bytes_of(t->extra),
        .unix_ns = chrono_wall(),
    };
    lens_status status;

    f->credential = credential_get(e->run->credential);
    if (f->credential != NULL)
        ask.credential = f->credential->bytes;
    ask.header_count += add_traceparent(e, f, traceparent, &headers[ask.header_count]);
    set_parameters(e, f, &ask);
    status =
        e->provider->plugin->ops.provider.describe(e->provider->self, &ask, &x->request);
    return status >= 0 && !x->request.failed;
}

static void
send_try(engine *e, flight *f, bool first)
{
    exchange *x = transport_get(e->transport, f);

    flight_try(f, x, first);
    if (describe(e, f, x)) {
        transport_start(e->transport, x);
        return;
    }
    /* Nothing went out. */
    {
        g_autofree char *words =
            x->request.failed ? g_strdup(x->request.why) : instance_failure(e->provider);
        x->start_ns = x->end_ns = chrono_now();
        x->status = 0;
        engine_stop_flight(e, f, LENS_KIND_INVALID_REQUEST, LENS_OUTCOME_FAILED, words);
    }
}

void
engine_retry(engine *e, flight *f)
{
    int64_t worst;

    prompts_draw(e->run->prompts, f->sample->index, f->sample->item, &e->prompt);
    if (engine_reserve(e, f->sample->asked_output_tokens, &worst) != LEDGER_TAKEN) {
        engine_finish(e, f, LENS_OUTCOME_FAILED);
        return;
    }
    f->reserved += worst;
    send_try(e, f, false);
}

/* ---- start ---- */

static int64_t
output_cap(const engine *e, const struct lens_arrival *a)
{
    return a->output_tokens_max >= 0   ? a->output_tokens_max
           : e->prompt.max_tokens >= 0 ? e->prompt.max_tokens
                                       : e->run->target->max_tokens;
}

/* Of the prompt that was drawn last. */
sample *
engine_make_sample(engine *e, const struct lens_arrival *a, int64_t waited_ns)
{
    const prompt *drawn = &e->prompt;
    stage_run *r = e->run;
    sample *s = sample_new(1);

    s->id = atomic_fetch_add(&r->next_id, 1);
    s->index = a->index;
    s->session = a->session;
    s->turn = a->turn;
    s->item = a->item;
    s->prompt_id = drawn->id;
    s->target = r->target_index;
    s->stage = r->stage_index;
    s->worker = e->shard;
    s->phase = engine_phase_of(e, a);
    s->due_ns = r->stage_start_ns - r->run_start_ns + a->at_ns;
    s->start_unix_ns = chrono_wall();
    s->bucket_wait_ns = waited_ns;
    s->asked_output_tokens = output_cap(e, a);
    if (r->plan->record_text)
        s->prompt = prompt_to_text(drawn);
    return s;
}

static flight *
take_flight(engine *e)
{
    flight *f = e->idle->len > 0 ? g_ptr_array_steal_index_fast(e->idle, e->idle->len - 1)
                                 : flight_new(&e->flights);

    f->slot = e->in_flight->len;
    g_ptr_array_add(e->in_flight, f);
    return f;
}

static void
tell_started(engine *e, const flight *f, const struct lens_arrival *a, int64_t now_ns)
{
    const struct lens_workload *w = &e->workload->plugin->ops.workload;
    struct lens_outcome outcome = { .struct_size = sizeof outcome,
                                    .phase = LENS_PHASE_STARTED,
                                    .ticket = a->ticket,
                                    .id = f->sample->id,
                                    .session = a->session,
                                    .turn = a->turn,
                                    .due_ns = a->at_ns,
                                    .start_ns = engine_stage_time(e, now_ns),
                                    .first_ns = -1,
                                    .end_ns = -1 };

    if (w->event != NULL && (w->wants & LENS_WANTS(LENS_PHASE_STARTED)) != 0)
        w->event(e->workload->self, &outcome);
}

/* What a request takes from the tokens of a minute: its cap and a guess of its input. */
static double
tokens_of(const engine *e, const prompt *p)
{
    size_t bytes = 0;

    for (uint32_t i = 0; i < p->turn_count; i++)
        bytes += p->turns[i].parts[0].data.size;
    return (double)bytes / 4 + (double)MAX(e->run->target->max_tokens, 0);
}

static bool
limits_allow(engine *e, int64_t now_ns)
{
    int64_t until_ns;

    if (e->run->bucket == NULL)
        return true;
    until_ns = bucket_take(e->run->bucket, tokens_of(e, &e->prompt), now_ns);
    if (until_ns == 0)
        return true;
    if (e->bucket_since_ns == 0)
        e->bucket_since_ns = now_ns;
    e->allowed_ns = until_ns;
    return false;
}

/* Waits while what is in flight may turn out cheaper than its worst case. */
static bool
budget_allows(engine *e, int64_t output_tokens, int64_t now_ns, int64_t *ret_reserved)
{
    const enum ledger_answer answer = engine_reserve(e, output_tokens, ret_reserved);

    if (answer != LEDGER_LATER)
        return answer == LEDGER_TAKEN;
    if (e->bucket_since_ns == 0)
        e->bucket_since_ns = now_ns;
    e->allowed_ns = now_ns + BUDGET_LOOK_NS;
    return false;
}

static bool
start(engine *e, int64_t now_ns)
{
    const struct lens_arrival *a = engine_next(e);
    int64_t worst;
    flight *f;

    prompts_draw(e->run->prompts, a->index, a->item, &e->prompt);
    if (!budget_allows(e, output_cap(e, a), now_ns, &worst))
        return false;
    if (!limits_allow(e, now_ns)) {
        if (worst > 0)
            ledger_settle(e->run->spending.ledger, worst, 0);
        return false;
    }
    f = take_flight(e);
    f->worst = f->reserved = worst;
    flight_begin(f, engine_make_sample(
                        e, a, e->bucket_since_ns > 0 ? now_ns - e->bucket_since_ns : 0));
    e->bucket_since_ns = 0;
    f->ticket = a->ticket;
    engine_join_burst(e, f, a->at_ns);
    atomic_fetch_add(&e->run->drawn, 1);
    engine_count_in_flight(e, 1);
    tell_started(e, f, a, now_ns);
    engine_drop_next(e);
    send_try(e, f, true);
    return true;
}

void
engine_pump(engine *e)
{
    for (;;) {
        const int64_t now_ns = chrono_now();
        const struct lens_arrival *a;

        if (e->finishing)
            return;
        engine_draw(e, now_ns);
        a = engine_next(e);
        if (a == NULL || a->at_ns > engine_stage_time(e, now_ns) ||
            e->allowed_ns > now_ns ||
            e->in_flight->len >= (uint64_t)e->run->max_in_flight)
            return;
        e->allowed_ns = 0;
        if (!start(e, now_ns))
            return;
    }
}
