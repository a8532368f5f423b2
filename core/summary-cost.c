/* Costs of results and of the run. */
#include <math.h>
#include <string.h>

#include "result.h"

/* A stage by the hour: what the machines cost in its window, all of it put on what they
 * put out. */
static void
add_self_hosted(const result *r, struct cost_view *v)
{
    const tally *t = r->tally;
    const int64_t output =
        t->tokens_known[LENS_USAGE_OUTPUT] ? t->tokens[LENS_USAGE_OUTPUT] : 0;
    const int64_t reasoning = CLAMP(t->tokens[LENS_USAGE_REASONING], 0, output);
    const double seconds = result_window_s(r);
    money_amount hour, total;

    if (!money_amount_parse(r->gpu_hour_usd, &hour) || seconds <= 0)
        return;
    /* in whole microseconds: the window is not known better */
    total = money_divide(hour * MAX(r->gpus, 1) * llround(seconds * 1e6),
                         UINT64_C(3600000000));
    v->known = true;
    v->total = total;
    v->known_requests = t->total;
    v->unknown_requests = 0;
    v->output_tokens = output;
    memset(v->by, 0, sizeof v->by);
    if (reasoning > 0)
        v->by[LENS_COST_REASONING] = money_divide(total * reasoning, (uint64_t)output);
    v->by[LENS_COST_OUTPUT_VISIBLE] = total - v->by[LENS_COST_REASONING];
}

struct cost_view
cost_of_result(const result *r)
{
    const tally *t = r->tally;
    struct cost_view v = {
        .known = t->cost_known > 0,
        .total = t->cost_total,
        .cache_saving = t->cache_saving,
        .other = t->cost_other,
        .known_requests = t->cost_known,
        .unknown_requests = t->cost_unknown,
        .good = t->good,
        .judged = t->judged > 0,
        .reported_known = t->reported_count > 0,
        .reported = t->cost_reported,
        .output_tokens = t->cost_output_tokens,
        .price_date = r->price_date,
    };

    for (unsigned i = 0; i < LENS_COST_COUNT; i++)
        v.by[i] = t->cost[i];
    if (r->gpu_hour_usd != NULL)
        add_self_hosted(r, &v);
    return v;
}

struct cost_view
cost_of_run(const run_info *run)
{
    struct cost_view sum = { .known = false };
    bool dated = false;

    for (guint i = 0; i < run->results->len; i++) {
        const struct cost_view v = cost_of_result(run->results->pdata[i]);

        sum.unknown_requests += v.unknown_requests;
        sum.judged |= v.judged;
        sum.good += v.good;
        sum.reported_known |= v.reported_known;
        sum.reported += v.reported;
        if (!v.known)
            continue;
        sum.known = true;
        sum.total += v.total;
        sum.cache_saving += v.cache_saving;
        sum.other += v.other;
        sum.known_requests += v.known_requests;
        sum.output_tokens += v.output_tokens;
        for (unsigned k = 0; k < LENS_COST_COUNT; k++)
            sum.by[k] += v.by[k];
        if (!dated)
            sum.price_date = v.price_date;
        else if (g_strcmp0(sum.price_date, v.price_date) != 0)
            sum.price_date = NULL;
        dated = true;
    }
    return sum;
}

char *
cost_per(const struct cost_view *v, uint64_t times, uint64_t of)
{
    if (!v->known || of == 0)
        return NULL;
    return money_amount_text(money_divide(v->total * (money_amount)times, of));
}
