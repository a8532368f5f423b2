/* cmd-prices: `lens prices`, what the price tables say. */
#include <stdio.h>
#include <string.h>

#include "chrono.h"
#include "command.h"
#include "cost.h"
#include "error.h"
#include "json-text.h"
#include "plain-text.h"

/* ---- which rows ---- */

struct shown {
    const price_row *row;
    const price_table *table;
    enum price_how how;
    bool expired;
};

static bool
holds(const price_row *r, int day)
{
    return r->from <= day && (r->to == 0 || r->to >= day);
}

static void
add_all(GArray *to, const price_book *b, const char *provider, int day)
{
    for (guint i = 0; i < b->tables->len; i++) {
        const price_table *t = b->tables->pdata[i];

        for (guint k = 0; k < t->rows->len; k++) {
            const price_row *r = t->rows->pdata[k];
            const struct shown s = { r, t, PRICE_EXACT, r->to != 0 && r->to < day };

            if ((provider == NULL || g_strcmp0(price_provider_name(b, r->provider),
                                               price_provider_name(b, provider)) == 0) &&
                (holds(r, day) || s.expired))
                g_array_append_val(to, s);
        }
    }
}

/* Every row that is called so, of whatever provider, or the one that a lookup finds. */
static void
add_model(GArray *to, const price_book *b, const char *model, const char *provider,
          int day)
{
    const price_match m = price_find(b, provider, NULL, model, day);
    const struct shown found = { m.row, m.table, m.how, m.expired };

    if (m.row != NULL) {
        g_array_append_val(to, found);
        return;
    }
    for (guint i = 0; provider == NULL && i < b->tables->len; i++) {
        const price_table *t = b->tables->pdata[i];
        const GPtrArray *rows = g_hash_table_lookup(t->by_id, model);

        for (guint k = 0; rows != NULL && k < rows->len; k++) {
            const price_row *r = rows->pdata[k];
            const struct shown s = { r, t, PRICE_EXACT, r->to != 0 && r->to < day };

            if (r->from <= day)
                g_array_append_val(to, s);
        }
    }
}

/* ---- for programs ---- */

static void
put_prices(JsonBuilder *b, const price_set *s, bool all)
{
    for (unsigned kind = 0; kind < PRICE_KINDS; kind++) {
        const bool has = price_set_has(s, (enum price_kind)kind);
        g_autofree char *text =
            has ? money_price_text(s->of[kind], kind == PRICE_REQUEST ? 0 : 6) : NULL;

        if (has || all)
            json_put_string(b, price_kind_name((enum price_kind)kind), text);
    }
}

static void
put_steps(JsonBuilder *b, const GArray *steps)
{
    json_builder_set_member_name(b, "above");
    json_builder_begin_array(b);
    for (guint i = 0; steps != NULL && i < steps->len; i++) {
        const struct price_step *s = &g_array_index(steps, struct price_step, i);

        json_builder_begin_object(b);
        json_put_int(b, "tokens", s->tokens);
        put_prices(b, &s->prices, false);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static void
put_tiers(JsonBuilder *b, const price_row *r)
{
    json_builder_set_member_name(b, "tiers");
    json_builder_begin_object(b);
    for (guint i = 0; r->tiers != NULL && i < r->tiers->len; i++) {
        const struct price_tier *t = &g_array_index(r->tiers, struct price_tier, i);
        g_autofree char *factor = t->own ? NULL : ratio_text(t->factor);

        json_builder_set_member_name(b, t->name);
        json_builder_begin_object(b);
        json_put_string(b, "factor", factor);
        if (t->own) {
            put_prices(b, &t->prices, false);
            put_steps(b, t->steps);
        }
        json_builder_end_object(b);
    }
    json_builder_end_object(b);
}

static void
put_surcharges(JsonBuilder *b, const price_row *r)
{
    json_builder_set_member_name(b, "surcharges");
    json_builder_begin_array(b);
    for (guint i = 0; r->surcharges != NULL && i < r->surcharges->len; i++) {
        const struct price_surcharge *s =
            &g_array_index(r->surcharges, struct price_surcharge, i);
        g_autofree char *factor = ratio_text(s->factor);

        json_builder_begin_object(b);
        json_put_string(b, "member", s->member);
        json_put_string(b, "value", s->value);
        json_put_string(b, "factor", factor);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

static void
put_row(JsonBuilder *b, const price_book *book, const struct shown *s)
{
    const price_row *r = s->row;
    g_autofree char *from = price_day_text(r->from), *to = price_day_text(r->to);

    json_builder_begin_object(b);
    json_put_string(b, "model", r->model);
    json_put_string(b, "provider", price_provider_name(book, r->provider));
    json_put_string(b, "from", from);
    json_put_string(b, "to", to);
    json_builder_set_member_name(b, "expired");
    json_builder_add_boolean_value(b, s->expired);
    json_put_string(b, "match", price_how_name(s->how));
    json_builder_set_member_name(b, "usd_per_million_tokens");
    json_builder_begin_object(b);
    put_prices(b, &r->prices, true);
    json_builder_end_object(b);
    put_steps(b, r->steps);
    put_tiers(b, r);
    put_surcharges(b, r);
    json_put_string(b, "table", s->table->name);
    json_put_string(b, "date", s->table->date);
    json_put_string(b, "source", r->source != NULL ? r->source : s->table->source);
    json_put_string(b, "note", r->note);
    json_builder_end_object(b);
}

static void
print_json(const price_book *book, const GArray *rows)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    g_autoptr(JsonNode) root = NULL;
    g_autofree char *text = NULL;

    json_builder_begin_object(b);
    json_put_string(b, "schema", "lens.price-list/1");
    json_put_string(b, "currency", "USD");
    json_builder_set_member_name(b, "prices");
    json_builder_begin_array(b);
    for (guint i = 0; i < rows->len; i++)
        put_row(b, book, &g_array_index(rows, struct shown, i));
    json_builder_end_array(b);
    json_builder_end_object(b);
    root = json_builder_get_root(b);
    text = json_text(root);
    fputs(text, stdout);
}

/* ---- for people ---- */

static void
print_prices(const char *name, const char *provider, const price_set *s)
{
    static const enum price_kind kinds[] = { PRICE_INPUT, PRICE_CACHE_READ,
                                             PRICE_CACHE_WRITE_5M, PRICE_CACHE_WRITE_1H,
                                             PRICE_OUTPUT };

    printf("%-29.29s %-9.9s", name, provider);
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autofree char *text = price_set_has(s, kinds[i])
                                    ? money_price_text(s->of[kinds[i]], 6)
                                    : g_strdup("-");

        printf(" %*s", i == 1 ? 8 : 7, text);
    }
    putchar('\n');
}

static void
print_more(const price_row *r)
{
    for (unsigned kind = 0; kind < PRICE_KINDS; kind++) {
        g_autofree char *text = NULL;

        if (kind <= PRICE_OUTPUT || !price_set_has(&r->prices, (enum price_kind)kind))
            continue;
        text = money_price_text(r->prices.of[kind], kind == PRICE_REQUEST ? 0 : 6);
        printf("  %s %s\n", price_kind_name((enum price_kind)kind), text);
    }
    for (guint i = 0; r->surcharges != NULL && i < r->surcharges->len; i++) {
        const struct price_surcharge *s =
            &g_array_index(r->surcharges, struct price_surcharge, i);
        g_autofree char *factor = ratio_text(s->factor);

        printf("  %s %s: times %s\n", s->member, s->value, factor);
    }
}

static void
print_row(const price_book *b, const struct shown *s, bool whole)
{
    const price_row *r = s->row;
    g_autofree char *last = price_day_text(r->to);

    print_prices(r->model,
                 r->provider != NULL ? price_provider_name(b, r->provider) : "-",
                 &r->prices);
    for (guint i = 0; r->steps != NULL && i < r->steps->len; i++) {
        const struct price_step *step = &g_array_index(r->steps, struct price_step, i);
        g_autofree char *name =
            g_strdup_printf("  input > %" G_GINT64_FORMAT, step->tokens);

        print_prices(name, "", &step->prices);
    }
    for (guint i = 0; whole && r->tiers != NULL && i < r->tiers->len; i++) {
        const struct price_tier *t = &g_array_index(r->tiers, struct price_tier, i);
        g_autofree char *name = g_strdup_printf("  tier %s", t->name);
        g_autofree char *factor = ratio_text(t->factor);

        if (t->own)
            print_prices(name, "", &t->prices);
        else
            printf("%s: times %s\n", name, factor);
    }
    if (whole)
        print_more(r);
    if (whole && r->note != NULL)
        printf("  note: %s\n", r->note);
    if (last != NULL)
        printf("  %s %s\n", s->expired ? "past its last day," : "until", last);
}

static void
print_people(const price_book *b, const GArray *rows)
{
    const price_table *last = NULL;

    printf("USD of a million tokens\n%-29s %-9s %7s %8s %7s %7s %7s\n", "model",
           "provider", "input", "cached", "write", "1 h", "output");
    for (guint i = 0; i < rows->len; i++)
        print_row(b, &g_array_index(rows, struct shown, i), rows->len < 4);
    for (guint i = 0; i < rows->len; i++) {
        const struct shown *s = &g_array_index(rows, struct shown, i);

        if (s->table == last)
            continue;
        last = s->table;
        printf("prices of %s from %s\n", last->date != NULL ? last->date : "no date",
               last->name);
        if (rows->len < 4 && (s->row->source != NULL || last->source != NULL))
            printf("source: %s\n",
                   s->row->source != NULL ? s->row->source : last->source);
    }
}

int
cmd_prices(const args *a)
{
    const char *model = args_string(a, "model", 0);
    const char *provider = args_string(a, "provider", 0);
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct shown));
    g_autoptr(price_book) b = NULL;
    GError *error = NULL;
    int day;

    if (!cost_day(a, &day, &error) || (b = cost_book(a, &error)) == NULL)
        return args_fail(a, error);
    price_book_warn_age(b, price_day_of(chrono_wall()));
    if (model != NULL)
        add_model(rows, b, model, provider, day);
    else
        add_all(rows, b, provider, day);
    if (args_bool(a, "json")) {
        print_json(b, rows);
        return EXIT_OK;
    }
    if (rows->len == 0) {
        g_autofree char *on = price_day_text(day);
        g_autofree char *what = plain_text(model != NULL      ? model
                                           : provider != NULL ? provider
                                                              : "anything",
                                           -1);

        g_message("no price is known for %s on %s", what, on);
        return EXIT_OK;
    }
    print_people(b, rows);
    return EXIT_OK;
}
