/* What a run may and will cost. */
#include <stdio.h>
#include <string.h>

#include "chrono.h"
#include "cost-limit.h"
#include "estimate.h"
#include "run-private.h"

/* Bytes that a chat's template can add to a prompt, beyond what the request holds. */
enum { TEMPLATE_BYTES = 256 };

static bool
asks_for_tier(const char *options, const char *extra)
{
    static const char *const words[] = { "tier", "speed", "geo", "latency" };

    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++)
        if (strcasestr(options, words[i]) != NULL ||
            (extra != NULL && strcasestr(extra, words[i]) != NULL))
            return true;
    return false;
}

void
run_spending(run *r, unsigned target, spending *ret)
{
    const plan_target *t = r->plan->targets->pdata[target];
    const struct output_bound b = output_bound_of(t);
    g_autofree char *options = option_values_to_json(t->provider.options, false);

    *ret = (spending){
        .costing = r->costings->pdata[target],
        .ledger = r->plan->max_cost != NULL ? &r->budget : NULL,
        .day = price_day_of(r->info->start_unix_ns),
        .overhead = TEMPLATE_BYTES + (int64_t)strlen(options) +
                    (t->extra != NULL ? (int64_t)strlen(t->extra) : 0),
        .choices = b.choices,
        .cap = b.cap,
        .any_tier = asks_for_tier(options, t->extra),
    };
}

/* ---- before the load ---- */

static void
free_costing(void *data)
{
    costing_free(data);
}

bool
run_price(run *r, GError **error)
{
    money_amount limit = 0;

    r->prices = price_book_load((const char *const *)r->plan->pricing, error);
    if (r->prices == NULL)
        return false;
    r->costings = g_ptr_array_new_with_free_func(free_costing);
    for (unsigned i = 0; i < r->plan->targets->len; i++)
        g_ptr_array_add(r->costings,
                        target_costing(r->prices, r->plan->targets->pdata[i]));
    if (r->plan->max_cost == NULL)
        return true;
    money_amount_parse(r->plan->max_cost, &limit);
    ledger_init(&r->budget, (int64_t)limit);
    for (unsigned i = 0; i < r->plan->targets->len; i++)
        if (!cost_limit_allows(r->plan->targets->pdata[i], r->costings->pdata[i],
                               price_day_of(chrono_wall()), error))
            return false;
    return true;
}

const char *
run_price_provider(const run *r, const plan_target *t)
{
    return target_price_provider(r->prices, t);
}

static side_call *
open_ask(run *r, unsigned target)
{
    const plan_target *t = r->plan->targets->pdata[target];
    side_call *ask = side_call_open(t, r->plugins, r->plan->seed, NULL);
    const credential_value *value = target < r->credentials->len
                                        ? credential_get(r->credentials->pdata[target])
                                        : NULL;

    if (ask != NULL && value != NULL)
        side_call_set_credential(ask, value->bytes);
    return ask;
}

void
run_say_cost(run *r)
{
    const int day = price_day_of(chrono_wall());

    for (unsigned i = 0; i < r->plan->targets->len; i++) {
        const plan_target *t = r->plan->targets->pdata[i];
        costing *prices = r->costings->pdata[i];
        estimate e;

        if (r->plan->quiet || target_is_loopback(t) ||
            costing_worst(prices, 1, 1, false, day) <= 1)
            continue;
        {
            g_autoptr(side_call) ask = open_ask(r, i);
            g_autofree char *text = NULL;

            price_book_warn_age(r->prices, day);
            estimate_target(r->plan, t, r->plugins, prices, ask, day, &e);
            text = estimate_text(&e, r->prices);
            fprintf(stderr, "lens: target %s: %s\n", t->name, text);
        }
    }
}
