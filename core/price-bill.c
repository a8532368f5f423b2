/* The bill of one usage: which prices it meets, and the sum by kind. The containment of
 * token counts is that of docs/streams.md 2. */
#include <json-glib/json-glib.h>
#include <string.h>

#include "price.h"

enum { FACTORS_MAX = 5 };

const char *
cost_kind_name(unsigned kind)
{
    static const char *const names[LENS_COST_COUNT] = {
        "input_uncached", "cache_read", "cache_write_5m", "cache_write_1h",
        "output_visible", "reasoning",  "request",
    };

    return names[kind];
}

/* ---- which prices ---- */

/* The word that tables use for what an API or a user said; "": nothing special. Caller
 * frees. */
static char *
plain_tier(const char *said)
{
    static const char *const standard[] = { "default",       "standard",  "auto",
                                            "standard_only", "on_demand", NULL };
    g_autofree char *low = g_ascii_strdown(said != NULL ? said : "", -1);

    if (g_strv_contains(standard, low))
        return g_strdup("");
    if (strcmp(low, "fast") == 0)
        return g_strdup("priority");
    if (strcmp(low, "batches") == 0)
        return g_strdup("batch");
    return g_strdup(g_str_has_prefix(low, "on_demand_") ? low + strlen("on_demand_")
                                                        : low);
}

static const struct price_tier *
find_tier(const price_row *r, const char *name)
{
    for (guint i = 0; r->tiers != NULL && i < r->tiers->len; i++) {
        const struct price_tier *t = &g_array_index(r->tiers, struct price_tier, i);

        if (strcmp(t->name, name) == 0)
            return t;
    }
    return NULL;
}

/* As the API said it, where the table has that very word; else its plain word. */
static const struct price_tier *
find_said_tier(const price_row *r, const char *said, const char *plain)
{
    g_autofree char *low = g_ascii_strdown(said != NULL ? said : "", -1);
    const struct price_tier *t = find_tier(r, low);

    return t != NULL ? t : find_tier(r, plain);
}

/* A cliff: strictly above the threshold every token has the other price. */
static const price_set *
at_step(const price_set *base, const GArray *steps, int64_t input)
{
    for (guint i = steps != NULL ? steps->len : 0; i-- > 0;) {
        const struct price_step *s = &g_array_index(steps, struct price_step, i);

        if (input > s->tokens)
            return &s->prices;
    }
    return base;
}

static const price_set *
of_tier(const price_row *r, const struct price_tier *t, int64_t input, ratio *ret_factor,
        const char **ret_why)
{
    const price_set *base = at_step(&r->prices, r->steps, input);

    if (!t->own) {
        *ret_factor = t->factor;
        return base;
    }
    if (base != &r->prices && at_step(&t->prices, t->steps, input) == &t->prices) {
        *ret_why = "the tier has no price for an input of this length";
        return NULL;
    }
    return at_step(&t->prices, t->steps, input);
}

const price_set *
price_select(const price_row *r, const price_options *options, int64_t input,
             ratio *ret_factor, const char **ret_why)
{
    g_autofree char *plain = plain_tier(options->tier);
    const bool says_batch = strcmp(plain, "batch") == 0;
    const bool batch = options->batch || says_batch;
    const bool standard = *plain == '\0' || says_batch;
    const struct price_tier *t = NULL;

    *ret_factor = (ratio){ 1, 1 };
    if (batch && !standard) {
        *ret_why = "a batch has no service tier";
        return NULL;
    }
    if (batch)
        t = find_tier(r, "batch");
    else if (!standard)
        t = find_said_tier(r, options->tier, plain);
    if (t != NULL)
        return of_tier(r, t, input, ret_factor, ret_why);
    if (batch && options->batch_factor.den != 0) {
        *ret_factor = options->batch_factor;
    } else if (batch || !standard) {
        *ret_why = batch ? "no price for a batch is known"
                         : "the tier has no price in the table";
        return NULL;
    }
    return at_step(&r->prices, r->steps, input);
}

/* ---- factors ---- */

struct factors {
    ratio all[FACTORS_MAX];
    unsigned count;
};

static void
add_factor(struct factors *f, ratio more)
{
    if (more.num != more.den && f->count < FACTORS_MAX)
        f->all[f->count++] = more;
}

static bool
is_said(const struct price_surcharge *s, const char *region, JsonNode *extra)
{
    JsonNode *said = extra != NULL && JSON_NODE_HOLDS_OBJECT(extra)
                         ? json_object_get_member(json_node_get_object(extra), s->member)
                         : NULL;

    if (said != NULL && json_node_get_value_type(said) == G_TYPE_STRING)
        return g_ascii_strcasecmp(json_node_get_string(said), s->value) == 0;
    return region != NULL && strcmp(s->member, "region") == 0 &&
           g_ascii_strcasecmp(region, s->value) == 0;
}

static void
add_surcharges(struct factors *f, const price_row *r, const price_options *options)
{
    g_autoptr(JsonNode) extra = NULL;

    if (r->surcharges == NULL || (options->extra_json == NULL && options->region == NULL))
        return;
    if (options->extra_json != NULL)
        extra = json_from_string(options->extra_json, NULL);
    for (guint i = 0; i < r->surcharges->len; i++) {
        const struct price_surcharge *s =
            &g_array_index(r->surcharges, struct price_surcharge, i);

        if (is_said(s, options->region, extra))
            add_factor(f, s->factor);
    }
}

static struct factors
all_factors(const price_row *r, const price_options *options, ratio tier)
{
    struct factors f = { .count = 0 };

    add_factor(&f, tier);
    for (unsigned i = 0; i < options->factor_count; i++)
        add_factor(&f, options->factors[i]);
    add_surcharges(&f, r, options);
    return f;
}

/* ---- counts ---- */

/* Disjoint counts: what each kind is billed for. */
struct counts {
    int64_t input; /* all of it, for the thresholds */
    int64_t of[PRICE_KINDS];
};

static int64_t
known(const int64_t usage[], unsigned code)
{
    return MAX(usage[code], 0);
}

/* Whether parts are more than the whole that they are of. */
static bool
exceed(int64_t a, int64_t b, int64_t c, int64_t whole)
{
    return (money_amount)a + b + c > whole;
}

static const char *
count_input(const int64_t usage[], int64_t input, struct counts *ret)
{
    const int64_t read = known(usage, LENS_USAGE_CACHE_READ);
    const int64_t write_1h = known(usage, LENS_USAGE_CACHE_WRITE_1H);
    const int64_t write =
        usage[LENS_USAGE_CACHE_WRITE] >= 0 ? usage[LENS_USAGE_CACHE_WRITE] : write_1h;
    const int64_t audio = known(usage, LENS_USAGE_INPUT_AUDIO);
    const int64_t image = known(usage, LENS_USAGE_INPUT_IMAGE);
    int64_t fresh;

    if (write_1h > write)
        return "cache_write_1h is more than cache_write";
    if (exceed(read, write, 0, input))
        return "cache_read and cache_write are more than in";
    if (exceed(audio, image, 0, input))
        return "in_audio and in_image are more than in";
    fresh = input - read - write;
    ret->input = input;
    ret->of[PRICE_CACHE_READ] = read;
    ret->of[PRICE_CACHE_WRITE_1H] = write_1h;
    ret->of[PRICE_CACHE_WRITE_5M] = write - write_1h;
    /* Nobody says which part of the audio was cached: text first. */
    ret->of[PRICE_INPUT_AUDIO] = MIN(audio, fresh);
    ret->of[PRICE_INPUT_IMAGE] = MIN(image, fresh - ret->of[PRICE_INPUT_AUDIO]);
    ret->of[PRICE_INPUT] =
        fresh - ret->of[PRICE_INPUT_AUDIO] - ret->of[PRICE_INPUT_IMAGE];
    return NULL;
}

static const char *
count_output(const int64_t usage[], int64_t output, struct counts *ret)
{
    const int64_t reasoning = known(usage, LENS_USAGE_REASONING);
    const int64_t audio = known(usage, LENS_USAGE_OUTPUT_AUDIO);
    const int64_t image = known(usage, LENS_USAGE_OUTPUT_IMAGE);

    if (reasoning > output)
        return "reasoning is more than out";
    if (exceed(reasoning, audio, image, output))
        return "reasoning, out_audio and out_image are more than out";
    ret->of[PRICE_REASONING] = reasoning;
    ret->of[PRICE_OUTPUT_AUDIO] = audio;
    ret->of[PRICE_OUTPUT_IMAGE] = image;
    ret->of[PRICE_OUTPUT] = output - reasoning - audio - image;
    return NULL;
}

/* Where the vendor bills units of its own, they stand in place of the tokens; what part
 * of them was cached is not said. */
static const char *
count(const int64_t usage[], bool partial, struct counts *ret)
{
    const int64_t billed_in = usage[LENS_USAGE_BILLED_INPUT];
    const int64_t billed_out = usage[LENS_USAGE_BILLED_OUTPUT];
    const char *why = NULL;

    *ret = (struct counts){ .of = { 0 } };
    ret->of[PRICE_REQUEST] = 1;
    if (partial)
        return "the usage is partial";
    if (billed_in < 0 && usage[LENS_USAGE_INPUT] < 0)
        return "the input tokens are unknown";
    if (billed_out < 0 && usage[LENS_USAGE_OUTPUT] < 0)
        return "the output tokens are unknown";
    if (billed_in >= 0)
        ret->input = ret->of[PRICE_INPUT] = billed_in;
    else
        why = count_input(usage, usage[LENS_USAGE_INPUT], ret);
    if (why != NULL)
        return why;
    if (billed_out >= 0)
        ret->of[PRICE_OUTPUT] = billed_out;
    else
        why = count_output(usage, usage[LENS_USAGE_OUTPUT], ret);
    return why;
}

/* ---- the sum ---- */

/* Which price stands in where a kind has none of its own; a write has no stand-in. */
static enum price_kind
stand_in(enum price_kind kind)
{
    switch (kind) {
    case PRICE_CACHE_READ:
    case PRICE_INPUT_AUDIO:
    case PRICE_INPUT_IMAGE:
        return PRICE_INPUT;
    case PRICE_REASONING:
    case PRICE_OUTPUT_AUDIO:
    case PRICE_OUTPUT_IMAGE:
        return PRICE_OUTPUT;
    default:
        return kind;
    }
}

static unsigned
cost_of(enum price_kind kind)
{
    static const unsigned char parts[PRICE_KINDS] = {
        [PRICE_INPUT] = LENS_COST_INPUT_UNCACHED,
        [PRICE_CACHE_READ] = LENS_COST_CACHE_READ,
        [PRICE_CACHE_WRITE_5M] = LENS_COST_CACHE_WRITE_5M,
        [PRICE_CACHE_WRITE_1H] = LENS_COST_CACHE_WRITE_1H,
        [PRICE_OUTPUT] = LENS_COST_OUTPUT_VISIBLE,
        [PRICE_REASONING] = LENS_COST_REASONING,
        [PRICE_INPUT_AUDIO] = LENS_COST_INPUT_UNCACHED,
        [PRICE_INPUT_IMAGE] = LENS_COST_INPUT_UNCACHED,
        [PRICE_OUTPUT_AUDIO] = LENS_COST_OUTPUT_VISIBLE,
        [PRICE_OUTPUT_IMAGE] = LENS_COST_OUTPUT_VISIBLE,
        [PRICE_REQUEST] = LENS_COST_REQUEST,
    };

    return parts[kind];
}

static const char *
missing(enum price_kind kind)
{
    switch (kind) {
    case PRICE_CACHE_WRITE_5M:
    case PRICE_CACHE_WRITE_1H:
        return "the table has no price for what was written to the cache";
    case PRICE_INPUT:
        return "the table has no price for input";
    default:
        return "the table has no price for output";
    }
}

/* A fee of the request holds in each step and tier that has none of its own. */
static price_set
with_fee(const price_row *r, const price_set *prices)
{
    price_set s = *prices;

    if (!price_set_has(&s, PRICE_REQUEST) && price_set_has(&r->prices, PRICE_REQUEST))
        price_set_put(&s, PRICE_REQUEST, r->prices.of[PRICE_REQUEST]);
    return s;
}

static const char *
sum_up(const price_set *prices, const struct counts *n, money_sum parts[LENS_COST_COUNT])
{
    for (unsigned kind = 0; kind < PRICE_KINDS; kind++) {
        const enum price_kind use = price_set_has(prices, (enum price_kind)kind)
                                        ? (enum price_kind)kind
                                        : stand_in((enum price_kind)kind);

        if (n->of[kind] == 0)
            continue;
        if (price_set_has(prices, use))
            money_sum_add(&parts[cost_of((enum price_kind)kind)], prices->of[use],
                          n->of[kind]);
        else if (kind != PRICE_REQUEST)
            return missing(use);
    }
    return NULL;
}

static bool
round_one(const money_sum *sum, const struct factors *f, money_amount *ret)
{
    money_amount part;

    return money_round(sum, 1, f->all, f->count, &part, ret);
}

/* What the tokens that the cache gave or took would have cost without it, less what they
 * did cost. */
static bool
cache_saving(const price_set *prices, const struct counts *n, const money_sum *parts,
             const struct factors *f, money_amount *ret)
{
    money_sum plain = { { 0 } }, paid = { { 0 } };
    money_amount without, with;

    for (unsigned kind = PRICE_CACHE_READ; kind <= PRICE_CACHE_WRITE_1H; kind++)
        if (n->of[kind] > 0 && price_set_has(prices, PRICE_INPUT))
            money_sum_add(&plain, prices->of[PRICE_INPUT], n->of[kind]);
    for (unsigned part = LENS_COST_CACHE_READ; part <= LENS_COST_CACHE_WRITE_1H; part++)
        money_sum_add_sum(&paid, &parts[part]);
    if (!round_one(&plain, f, &without) || !round_one(&paid, f, &with))
        return false;
    *ret = without - with;
    return true;
}

bill
price_bill(const price_row *r, const int64_t usage[LENS_USAGE_COUNT], bool partial,
           const price_options *options)
{
    money_sum parts[LENS_COST_COUNT] = { 0 };
    bill b = { .why = NULL };
    const price_set *selected;
    price_set prices;
    struct factors f;
    struct counts n;
    ratio tier;

    if (r == NULL)
        b.why = "the model is not in the price table";
    else
        b.why = count(usage, partial, &n);
    if (b.why != NULL)
        return b;
    selected = price_select(r, options, n.input, &tier, &b.why);
    if (selected == NULL)
        return b;
    prices = with_fee(r, selected);
    b.why = sum_up(&prices, &n, parts);
    if (b.why != NULL)
        return b;
    f = all_factors(r, options, tier);
    if (!money_round(parts, LENS_COST_COUNT, f.all, f.count, b.by, &b.total) ||
        !cache_saving(&prices, &n, parts, &f, &b.cache_saving))
        b.why = "the amount is too large";
    return b;
}

/* ---- bounds ---- */

static bool
dearest(const price_set *s, const enum price_kind *kinds, unsigned count, int64_t tokens,
        money_price *ret)
{
    bool any = false;

    *ret = 0;
    for (unsigned i = 0; i < count; i++) {
        if (!price_set_has(s, kinds[i]))
            continue;
        any = true;
        *ret = MAX(*ret, s->of[kinds[i]]);
    }
    return any || tokens == 0;
}

static bool
bound_of(const price_row *r, const price_set *prices, int64_t input, int64_t output,
         const struct factors *f, money_amount *most)
{
    static const enum price_kind in[] = { PRICE_INPUT,          PRICE_CACHE_READ,
                                          PRICE_CACHE_WRITE_5M, PRICE_CACHE_WRITE_1H,
                                          PRICE_INPUT_AUDIO,    PRICE_INPUT_IMAGE };
    static const enum price_kind out[] = { PRICE_OUTPUT, PRICE_REASONING,
                                           PRICE_OUTPUT_AUDIO, PRICE_OUTPUT_IMAGE };
    money_sum sum = { { 0 } };
    const price_set fee = with_fee(r, prices), *s = &fee;
    money_price of_input, of_output;
    money_amount total;

    if (!dearest(s, in, G_N_ELEMENTS(in), input, &of_input) ||
        !dearest(s, out, G_N_ELEMENTS(out), output, &of_output))
        return false;
    money_sum_add(&sum, of_input, input);
    money_sum_add(&sum, of_output, output);
    if (price_set_has(s, PRICE_REQUEST))
        money_sum_add(&sum, s->of[PRICE_REQUEST], 1);
    if (!round_one(&sum, f, &total))
        return false;
    *most = MAX(*most, total + 1); /* the rounding of a bill may go up */
    return true;
}

static bool
bound_of_steps(const price_row *r, const price_set *base, const GArray *steps,
               int64_t input, int64_t output, const struct factors *f, money_amount *most)
{
    bool fine = bound_of(r, base, input, output, f, most);

    for (guint i = 0; fine && steps != NULL && i < steps->len; i++) {
        const struct price_step *s = &g_array_index(steps, struct price_step, i);

        if (input > s->tokens)
            fine = bound_of(r, &s->prices, input, output, f, most);
    }
    return fine;
}

bool
price_worst(const price_row *r, int64_t input, int64_t output, bool any_tier,
            const price_options *options, money_amount *ret)
{
    struct factors f = { .count = 0 };
    money_amount most = 0;
    bool fine;

    for (unsigned i = 0; i < options->factor_count; i++)
        add_factor(&f, options->factors[i]);
    if (!any_tier)
        add_surcharges(&f, r, options);
    for (guint i = 0; any_tier && r->surcharges != NULL && i < r->surcharges->len; i++) {
        const ratio more = g_array_index(r->surcharges, struct price_surcharge, i).factor;

        if (more.num > more.den)
            add_factor(&f, more);
    }
    fine = bound_of_steps(r, &r->prices, r->steps, input, output, &f, &most);
    for (guint i = 0; any_tier && fine && r->tiers != NULL && i < r->tiers->len; i++) {
        const struct price_tier *t = &g_array_index(r->tiers, struct price_tier, i);
        struct factors with = f;

        if (!t->own)
            add_factor(&with, t->factor);
        fine = t->own
                   ? bound_of_steps(r, &t->prices, t->steps, input, output, &f, &most)
                   : bound_of_steps(r, &r->prices, r->steps, input, output, &with, &most);
    }
    *ret = most;
    return fine;
}
