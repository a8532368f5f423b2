#include "estimate.h"

#include <string.h>

#include "chrono.h"
#include "cost-limit.h"
#include "credential.h"
#include "plan-private.h"

enum { DRAWN = 16, ASKED = 2, CHARACTERS_OF_TOKEN = 4 };

const char *
target_price_provider(const price_book *b, const plan_target *t)
{
    const char *name = t->provider.name != NULL ? t->provider.name : t->provider.kind;

    return price_knows_provider(b, name) ? name : t->provider.kind;
}

costing *
target_costing(const price_book *b, const plan_target *t)
{
    const costing_setup setup = {
        .book = b,
        .provider = target_price_provider(b, t),
        .model = t->model,
        .price_model = t->price_model,
        .multiplier = t->price_multiplier,
        .url = t->url,
        .self_hosted = t->gpu_hour_usd != NULL,
    };

    return costing_new(&setup);
}

bool
target_is_loopback(const plan_target *t)
{
    g_autoptr(GUri) uri =
        t->url != NULL ? g_uri_parse(t->url, G_URI_FLAGS_NONE, NULL) : NULL;
    const char *host = uri != NULL ? g_uri_get_host(uri) : NULL;

    return t->is_mock ||
           (host != NULL &&
            (g_str_equal(host, "localhost") || g_str_equal(host, "::1") ||
             g_str_has_suffix(host, ".localhost") ||
             (g_str_has_prefix(host, "127.") && g_hostname_is_ip_address(host))));
}

/* ---- how many, how long ---- */

static int64_t
count_requests(const plan *p, const plan_target *t, registry *plugins)
{
    int64_t count = 0;

    for (unsigned i = 0; i < p->stages->len; i++) {
        const plan_stage *s = p->stages->pdata[i];
        struct lens_estimate total;

        if (!plan_stage_has_target(s, t))
            continue;
        if (s->requests < 0 &&
            (!plan_estimate(p, s, plugins, &total, NULL) || total.arrivals < 0))
            return -1;
        count += s->requests >= 0 ? s->requests : total.arrivals;
        count += MAX(s->warmup_requests, 0);
    }
    return count;
}

static int64_t
characters(const prompt *drawn)
{
    int64_t count = 0;

    for (uint32_t i = 0; i < drawn->turn_count; i++)
        for (uint32_t k = 0; k < drawn->turns[i].part_count; k++) {
            const struct lens_bytes *text = &drawn->turns[i].parts[k].data;

            for (size_t at = 0; at < text->size; at++)
                count += ((unsigned char)text->data[at] & 0xc0) != 0x80;
        }
    return count;
}

/* The server's own count of some prompts, or a guess. */
static void
measure(const plan *p, const plan_target *t, side_call *ask, estimate *ret)
{
    g_autoptr(prompts) all = prompts_new(&p->prompts, p->seed, NULL);
    int64_t in_all = 0, in_asked = 0, tokens = 0, output = 0;
    prompt drawn = { 0 };

    ret->by = "guess";
    if (all == NULL)
        return;
    for (unsigned i = 0; i < DRAWN; i++) {
        g_autoptr(GError) why = NULL;
        int64_t told = -1;
        bool rough = false;

        prompts_draw(all, i, LENS_ITEM_ANY, &drawn);
        in_all += characters(&drawn);
        output += drawn.max_tokens >= 0 ? drawn.max_tokens : t->max_tokens;
        if (ask == NULL || i >= ASKED)
            continue;
        if (side_call_count(ask, &drawn, &told, &rough, &why) != SIDE_OK || told < 0) {
            g_info("target %s: no count of tokens: %s", t->name,
                   why != NULL ? why->message : "the provider has none");
            ask = NULL;
            continue;
        }
        ret->by = rough ? "tokenize" : "count";
        tokens += told;
        in_asked += characters(&drawn);
    }
    prompt_clear(&drawn);
    ret->output_tokens = output / DRAWN;
    if (in_asked > 0)
        ret->input_tokens =
            (int64_t)((double)tokens * (double)in_all / (double)in_asked / DRAWN + 0.5);
    else
        ret->input_tokens =
            (in_all + DRAWN * CHARACTERS_OF_TOKEN - 1) / (DRAWN * CHARACTERS_OF_TOKEN);
}

void
estimate_target(const plan *p, const plan_target *t, registry *plugins, costing *prices,
                side_call *ask, int day, estimate *ret)
{
    int64_t usage[LENS_USAGE_COUNT];
    price_options options;
    bill b;

    memset(ret, 0, sizeof *ret);
    ret->requests = count_requests(p, t, plugins);
    measure(p, t, ask, ret);
    if (costing_is_self_hosted(prices)) {
        ret->why = "paid by the hour";
        return;
    }
    ret->match = costing_find(prices, NULL, day);
    if (ret->match.row == NULL) {
        ret->why = "no price of the model is known";
        return;
    }
    for (unsigned i = 0; i < LENS_USAGE_COUNT; i++)
        usage[i] = -1;
    usage[LENS_USAGE_INPUT] = ret->input_tokens;
    usage[LENS_USAGE_OUTPUT] = ret->output_tokens;
    options = costing_options(prices, ret->match.row);
    b = price_bill(ret->match.row, usage, false, &options);
    ret->why = b.why;
    if (b.why == NULL)
        ret->usd = b.total * MAX(ret->requests, 1);
}

char *
estimate_text(const estimate *e, const price_book *b)
{
    GString *text = g_string_new(NULL);
    g_autofree char *usd = money_amount_text(e->usd);

    if (e->why != NULL)
        g_string_append_printf(text, "cost unknown (%s)", e->why);
    else
        g_string_append_printf(text, "about %s USD at most", usd);
    if (e->requests >= 0)
        g_string_append_printf(text, " for %" G_GINT64_FORMAT " requests", e->requests);
    else
        g_string_append(text, " for each request, their number is not known");
    g_string_append_printf(
        text,
        ", %" G_GINT64_FORMAT " tokens in (%s) and up to %" G_GINT64_FORMAT " out each",
        e->input_tokens,
        strcmp(e->by, "guess") == 0   ? "a guess: characters / 4"
        : strcmp(e->by, "count") == 0 ? "counted by the server"
                                      : "tokenized by the server, without its template",
        e->output_tokens);
    if (e->match.row != NULL)
        g_string_append_printf(text, "; %s of %s, prices of %s", e->match.row->model,
                               e->match.row->provider != NULL
                                   ? price_provider_name(b, e->match.row->provider)
                                   : e->match.table->name,
                               e->match.table->date != NULL ? e->match.table->date
                                                            : "no date");
    return g_string_free(text, FALSE);
}

/* A limit that a run would refuse is refused before it, too. A model that is not named is
 * only known when the server was asked. */
static bool
limit_holds(const plan *p, const plan_target *t, costing *prices, int day, GError **error)
{
    return p->max_cost == NULL || (t->model == NULL && t->price_model == NULL) ||
           cost_limit_allows(t, prices, day, error);
}

GArray *
estimates_of_plan(const plan *p, registry *plugins, const price_book *b, GError **error)
{
    g_autoptr(GArray) all = g_array_new(FALSE, TRUE, sizeof(estimate));
    const int day = price_day_of(chrono_wall());

    for (unsigned i = 0; i < p->targets->len; i++) {
        const plan_target *t = p->targets->pdata[i];
        g_autoptr(costing) prices = target_costing(b, t);
        g_autoptr(GError) why = NULL;
        g_autoptr(side_call) ask = NULL;
        estimate e;

        if (!limit_holds(p, t, prices, day, error))
            return NULL;
        if (p->online && t->url != NULL && t->model != NULL && !t->is_mock)
            ask = credential_open_call(t, plugins, p->seed, &why);
        if (why != NULL)
            g_info("target %s: no count of tokens: %s", t->name, why->message);

        estimate_target(p, t, plugins, prices, ask, day, &e);
        g_array_append_val(all, e);
    }
    return g_steal_pointer(&all);
}
