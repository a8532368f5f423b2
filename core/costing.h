/* costing: what the requests of one target cost, and what a run may cost in all. Made
 * before the load; then any thread. */
#pragma once

#include <glib.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "price.h"
#include "sample.h"

typedef struct costing costing;

/* How a target is priced; texts are copied, but the book is borrowed. */
typedef struct costing_setup {
    const price_book *book;
    const char *provider;    /* the preset's or plugin's name */
    const char *model;       /* that is asked for; NULL: not known */
    const char *price_model; /* in its place, whatever the API returns; NULL: none */
    const char *multiplier;  /* a factor as text; NULL: none */
    const char *url;         /* of the server: its name may say a region; NULL: none */
    bool self_hosted; /* by the hour: no price of a request, its cost stays unknown */
} costing_setup;

costing *costing_new(const costing_setup *setup);
void costing_free(costing *c);

/* The row for a model that the API returned (NULL: nothing) on a day; says once on the
 * log what is not plain about it. */
price_match costing_find(costing *c, const char *returned, int day);
/* Options of a bill beside those of an attempt. */
price_options costing_options(const costing *c, const price_row *row);
bool costing_is_self_hosted(const costing *c);

/* Sets the cost of a sample from all its attempts; -1 where it is unknown. `day` 0: that
 * of its start. */
void costing_price(costing *c, sample *s, int day);
/* What a try has cost; -1: unknown, 0: it used no tokens. */
int64_t costing_of_attempt(costing *c, const sample *s, const attempt *a, int day);
/* The most that one request may cost, in 10^-12 USD; -1: unknown. */
int64_t costing_worst(costing *c, int64_t input_tokens, int64_t output_tokens,
                      bool any_tier, int day);

/* ---- the limit of a run ---- */

/* Spent and reserved, in 10^-12 USD. Lock-free. */
typedef struct ledger {
    int64_t limit;          /* constant */
    atomic_llong committed; /* spent or reserved */
    atomic_llong settled;   /* of it what will not come back */
    atomic_bool reached;
} ledger;

enum ledger_answer {
    LEDGER_TAKEN,
    LEDGER_LATER, /* it may fit when what is in flight has cost less than its worst */
    LEDGER_OVER   /* it will not fit any more */
};

/* What a stage's engines need to price and to bound requests; constant. */
typedef struct spending {
    costing *costing; /* NULL: nothing is priced */
    ledger *ledger;   /* NULL: no limit */
    int day;
    int64_t overhead; /* bytes of a request beside its prompt, at most */
    int64_t choices;  /* answers of a request */
    int64_t cap;      /* an output cap that the user's own JSON sets; 0: none */
    bool any_tier;    /* the request asks for something that may have another price */
} spending;

void ledger_init(ledger *l, int64_t limit);
/* Takes `worst` when it still fits. After LEDGER_OVER the limit counts as reached. */
enum ledger_answer ledger_reserve(ledger *l, int64_t worst);
/* What was reserved became `spent`. */
void ledger_settle(ledger *l, int64_t reserved, int64_t spent);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(costing, costing_free)
