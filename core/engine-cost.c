/* What requests cost, and the limit of the run: a request is started only when its worst
 * case still fits. */
#include "engine-private.h"

/* No token is shorter than a byte. */
static int64_t
prompt_bytes(const prompt *p)
{
    int64_t bytes = 0;

    for (uint32_t i = 0; i < p->turn_count; i++)
        for (uint32_t k = 0; k < p->turns[i].part_count; k++)
            bytes += (int64_t)p->turns[i].parts[k].data.size;
    return bytes;
}

enum ledger_answer
engine_reserve(engine *e, int64_t output_tokens, int64_t *ret_reserved)
{
    const spending *s = &e->run->spending;
    enum ledger_answer answer;
    int64_t worst;

    *ret_reserved = 0;
    if (s->ledger == NULL)
        return LEDGER_TAKEN;
    worst = costing_worst(s->costing, prompt_bytes(&e->prompt) + s->overhead,
                          MAX(output_tokens, s->cap) * s->choices, s->any_tier, s->day);
    answer = ledger_reserve(s->ledger, worst);
    if (answer == LEDGER_TAKEN)
        *ret_reserved = worst;
    if (answer == LEDGER_LATER && e->run->open_loop) {
        /* Waiting would move the schedule, which is what an open loop is about. */
        atomic_store(&s->ledger->reached, true);
        answer = LEDGER_OVER;
    }
    if (answer == LEDGER_OVER)
        atomic_store(&e->run->stop, STOP_STARTING);
    return answer;
}

/* What is not known keeps its reservation, but for the input that was counted. */
static int64_t
spent_by(engine *e, const sample *of, const attempt *a, int64_t most)
{
    const spending *s = &e->run->spending;
    const int64_t cost = costing_of_attempt(s->costing, of, a, s->day);
    int64_t worst = -1;

    if (cost >= 0)
        return cost;
    if (a->usage[LENS_USAGE_INPUT] >= 0)
        worst = costing_worst(s->costing, a->usage[LENS_USAGE_INPUT],
                              MAX(of->asked_output_tokens, s->cap) * s->choices,
                              s->any_tier, s->day);
    return worst >= 0 ? MIN(worst, most) : most;
}

void
engine_pay(engine *e, sample *of, int64_t worst, int64_t reserved)
{
    const spending *s = &e->run->spending;
    int64_t spent = 0;

    costing_price(s->costing, of, s->day);
    if (s->ledger == NULL)
        return;
    for (uint32_t i = 0; i < of->attempt_count; i++)
        spent += spent_by(e, of, &of->attempts[i], worst);
    ledger_settle(s->ledger, reserved, spent);
}
