/* cost-limit: what --max-cost needs to know of a target. Any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "costing.h"
#include "plan.h"

/* The most that one request may put out, as the user's own JSON says it. */
struct output_bound {
    int64_t cap;     /* tokens of an answer; 0: nothing said */
    int64_t choices; /* answers */
    bool open;       /* there is no cap */
};

struct output_bound output_bound_of(const plan_target *t);
/* false with an error of use: a request of `t` has no price on `day`, or no cap. */
bool cost_limit_allows(const plan_target *t, costing *prices, int day, GError **error);
