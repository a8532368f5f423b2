/* estimate: what a target will cost, before anything is sent to it. */
#pragma once

#include "costing.h"
#include "plan.h"
#include "prompts.h"
#include "side-call.h"

typedef struct estimate {
    int64_t requests;     /* of all its stages, warm-up too; -1: not known */
    int64_t input_tokens; /* of a request, mean */
    const char *by;       /* "count", "tokenize": the server's; "guess": characters / 4 */
    int64_t output_tokens; /* of a request, the most; mean */
    money_amount usd;      /* of a request, or of all where their number is known */
    const char *why;       /* why usd is unknown; NULL: it is known */
    price_match match;
} estimate;

/* `ask` NULL: nothing is asked. */
void estimate_target(const plan *p, const plan_target *t, registry *plugins,
                     costing *prices, side_call *ask, int day, estimate *ret);
/* "0.42 USD for 100 requests, each about 120 tokens in (guessed: characters / 4) and at
 * most 128 out; gpt-4o of openai, prices of 2026-07-24". Caller frees. */
char *estimate_text(const estimate *e, const price_book *b);

/* The name under which a target's prices are looked for. */
const char *target_price_provider(const price_book *b, const plan_target *t);
costing *target_costing(const price_book *b, const plan_target *t);
bool target_is_loopback(const plan_target *t);
/* Of every target; the network only with plan.online. Array of estimate, by target; NULL:
 * the plan's limit of cost cannot be kept. */
GArray *estimates_of_plan(const plan *p, registry *plugins, const price_book *b,
                          GError **error);
