/* What the workload asks for: arrivals that are drawn, the measured window, and the end
 * of both. */
#include <string.h>

#include "chrono.h"
#include "engine-private.h"

static int64_t
warmup_requests(const engine *e)
{
    return MAX(e->run->stage->warmup_requests, 0);
}

/* How many come before the window is known only where warm-up is a number. */
static bool
is_over(engine *e, const struct lens_arrival *a)
{
    stage_run *r = e->run;
    const int64_t requests = r->stage->requests;

    if (requests < 0)
        return false;
    if (r->stage->warmup_ns > 0)
        return a->at_ns >= r->stage->warmup_ns &&
               atomic_fetch_add(&r->measured_drawn, 1) >= requests;
    return a->index >= (uint64_t)(requests + warmup_requests(e));
}

/* The first measured arrival opens the window. Where warm-up is a time, it was open from
 * the start. */
static void
open_window(engine *e, const struct lens_arrival *a)
{
    stage_run *r = e->run;
    long long expected = INT64_MAX;

    if (r->stage->warmup_ns >= 0 || a->index < (uint64_t)warmup_requests(e))
        return;
    if (!atomic_compare_exchange_strong(&r->window_start_ns, &expected, a->at_ns))
        return;
    if (r->stage->duration_ns >= 0)
        atomic_store(&r->window_end_ns, a->at_ns + r->stage->duration_ns);
    recorder_set_window(r->recorder, r->stage_start_ns - r->run_start_ns + a->at_ns,
                        r->stage->duration_ns >= 0 ? r->stage_start_ns - r->run_start_ns +
                                                         a->at_ns + r->stage->duration_ns
                                                   : INT64_MAX);
}

uint32_t
engine_phase_of(const engine *e, const struct lens_arrival *a)
{
    const stage_run *r = e->run;

    if ((a->flags & LENS_ARRIVAL_WARMUP) != 0 ||
        a->index < (uint64_t)warmup_requests(e) ||
        a->at_ns < atomic_load(&r->window_start_ns))
        return LENS_PART_WARMUP;
    if ((a->flags & LENS_ARRIVAL_UNMEASURED) != 0 ||
        a->at_ns >= atomic_load(&r->window_end_ns))
        return LENS_PART_COOLDOWN;
    return LENS_PART_MEASURED;
}

/* An open loop keeps its load until the last measured request has ended, so that none of
 * them is measured on a server that empties. */
static bool
cools_down(engine *e, int64_t now_ns)
{
    stage_run *r = e->run;
    const int64_t end_ns = atomic_load(&r->window_end_ns);

    if (!e->past_window) {
        e->past_window = true;
        atomic_fetch_add(&r->past_window, 1);
    }
    if (!r->open_loop)
        return false;
    return now_ns < end_ns + r->stage->drain_ns &&
           (atomic_load(&r->past_window) < r->workers ||
            atomic_load(&r->measured_open) > 0);
}

/* ---- drawn, not started ---- */

const struct lens_arrival *
engine_next(const engine *e)
{
    return e->pending_first < e->pending->len
               ? &g_array_index(e->pending, struct lens_arrival, e->pending_first)
               : NULL;
}

void
engine_drop_next(engine *e)
{
    if (++e->pending_first < e->pending->len)
        return;
    g_array_set_size(e->pending, 0);
    e->pending_first = 0;
}

void
engine_drop_all(engine *e)
{
    for (const struct lens_arrival *a; (a = engine_next(e)) != NULL;
         engine_drop_next(e)) {
        if (engine_phase_of(e, a) == LENS_PART_MEASURED)
            atomic_fetch_sub(&e->run->measured_open, 1);
    }
}

static lens_status
ask(engine *e, int64_t stage_ns, struct lens_arrival *a)
{
    *a = (struct lens_arrival){ .struct_size = sizeof *a,
                                .item = LENS_ITEM_ANY,
                                .input_tokens_min = -1,
                                .input_tokens_max = -1,
                                .output_tokens_min = -1,
                                .output_tokens_max = -1 };
    e->ask_again_ns = INT64_MAX;
    return e->workload->plugin->ops.workload.next(e->workload->self, stage_ns, a);
}

static bool
draw_one(engine *e, int64_t stage_ns)
{
    struct lens_arrival a;
    const lens_status status = ask(e, stage_ns, &a);

    if (status == LENS_OK && !is_over(e, &a)) {
        g_array_append_val(e->pending, a);
        open_window(e, &a);
        if (engine_phase_of(e, &a) == LENS_PART_MEASURED)
            atomic_fetch_add(&e->run->measured_open, 1);
        return true;
    }
    if (status == LENS_WAIT_UNTIL)
        e->ask_again_ns = e->run->stage_start_ns + a.at_ns;
    else if (status != LENS_WAIT)
        e->exhausted = true;
    return false;
}

/* ---- the end of the window ---- */

/* Measured requests that an open loop could not even start are not forgotten: they never
 * ended. */
static void
censor(engine *e, const struct lens_arrival *a)
{
    sample *s;

    prompts_draw(e->run->prompts, a->index, a->item, &e->prompt);
    s = engine_make_sample(e, a, 0);
    s->outcome = LENS_OUTCOME_CENSOR;
    s->attempts[0].error_class = LENS_CLASS_TRANSPORT;
    s->attempts[0].error_kind = LENS_KIND_CANCELLED;
    s->attempts[0].error_where = WHERE_CLIENT;
    s->attempts[0].error_detail = g_strdup("could not be started within --drain");
    engine_push(e, s);
}

static void
censor_rest(engine *e, int64_t stage_ns)
{
    do {
        for (const struct lens_arrival *a; (a = engine_next(e)) != NULL;
             engine_drop_next(e)) {
            if (engine_phase_of(e, a) != LENS_PART_MEASURED)
                return;
            atomic_fetch_sub(&e->run->measured_open, 1);
            censor(e, a);
        }
    } while (draw_one(e, stage_ns));
}

static void
end_window(engine *e, int64_t stage_ns)
{
    e->exhausted = true;
    if (e->run->open_loop)
        censor_rest(e, stage_ns);
    engine_drop_all(e);
}

void
engine_draw(engine *e, int64_t now_ns)
{
    const int64_t stage_ns = engine_stage_time(e, now_ns);

    if (e->exhausted)
        return;
    if (stage_ns >= atomic_load(&e->run->window_end_ns) && !cools_down(e, stage_ns)) {
        end_window(e, stage_ns);
        return;
    }
    /* What an open loop asks for is due when it is due; a closed one is told at once that
     * a slot is free, so that a wait for the target's limits shows in the time from due.
     */
    while (!e->exhausted && (e->ask_again_ns == INT64_MAX || e->ask_again_ns <= now_ns)) {
        if (engine_next(e) != NULL &&
            (e->run->open_loop ||
             g_array_index(e->pending, struct lens_arrival, e->pending->len - 1).at_ns >
                 stage_ns))
            return;
        if (!draw_one(e, stage_ns))
            return;
    }
}
