/* The JSON forms of price tables that others keep: LiteLLM's (USD of a token, one object
 * a model) and that of genai-prices (USD of a million tokens, by provider, with steps and
 * start dates). Numbers are taken as their shortest decimals. */
#include <stdlib.h>
#include <string.h>

#include <json-glib/json-glib.h>

#include "error.h"
#include "price.h"

enum { PER_TOKEN = 0, PER_MILLION = -6, PER_THOUSAND = -3 };

/* false: not a price. */
static bool
number_of(JsonNode *n, int shift, money_price *ret)
{
    char text[G_ASCII_DTOSTR_BUF_SIZE];
    const char *decimal = text;
    double value;
    bool exact;

    if (n == NULL || !JSON_NODE_HOLDS_VALUE(n))
        return false;
    if (json_node_get_value_type(n) == G_TYPE_INT64) {
        g_snprintf(text, sizeof text, "%" G_GINT64_FORMAT, json_node_get_int(n));
    } else if (json_node_get_value_type(n) == G_TYPE_DOUBLE) {
        value = json_node_get_double(n);
        for (int digits = 15; digits <= 17; digits++) {
            g_autofree char *format = g_strdup_printf("%%.%dg", digits);

            g_ascii_formatd(text, sizeof text, format, value);
            if (g_ascii_strtod(text, NULL) == value)
                break;
        }
    } else if (json_node_get_value_type(n) == G_TYPE_STRING) {
        decimal = json_node_get_string(n);
    } else {
        return false;
    }
    return money_price_parse(decimal, shift, ret, &exact);
}

static const char *
text_member(JsonObject *o, const char *name)
{
    JsonNode *n = json_object_get_member(o, name);

    return n != NULL && json_node_get_value_type(n) == G_TYPE_STRING
               ? json_node_get_string(n)
               : NULL;
}

/* ---- one object a model, USD of a token ---- */

static const struct {
    const char *stem;
    enum price_kind kind;
} token_keys[] = {
    /* longer ones first: a key may begin like another */
    { "cache_creation_input_token_cost_above_1hr", PRICE_CACHE_WRITE_1H },
    { "cache_creation_input_token_cost", PRICE_CACHE_WRITE_5M },
    { "cache_read_input_token_cost", PRICE_CACHE_READ },
    { "input_cost_per_audio_token", PRICE_INPUT_AUDIO },
    { "input_cost_per_image_token", PRICE_INPUT_IMAGE },
    { "input_cost_per_token", PRICE_INPUT },
    { "input_cost_per_request", PRICE_REQUEST },
    { "output_cost_per_reasoning_token", PRICE_REASONING },
    { "output_cost_per_audio_token", PRICE_OUTPUT_AUDIO },
    { "output_cost_per_image_token", PRICE_OUTPUT_IMAGE },
    { "output_cost_per_token", PRICE_OUTPUT },
};

static struct price_tier *
tier_called(price_row *r, const char *name)
{
    for (guint i = 0; r->tiers != NULL && i < r->tiers->len; i++) {
        struct price_tier *t = &g_array_index(r->tiers, struct price_tier, i);

        if (strcmp(t->name, name) == 0)
            return t;
    }
    return price_row_add_tier(r, name);
}

static price_set *
step_of(GArray **steps, int64_t tokens)
{
    static const price_set none = { 0 };

    for (guint i = 0; *steps != NULL && i < (*steps)->len; i++) {
        struct price_step *s = &g_array_index(*steps, struct price_step, i);

        if (s->tokens == tokens)
            return &s->prices;
    }
    price_steps_add(steps, tokens, &none);
    return step_of(steps, tokens);
}

/* "_above_200k_tokens", "_priority", both; NULL: something else, such as a price of a
 * thing that we do not count. */
static price_set *
place_of(price_row *r, const char *rest)
{
    static const struct {
        const char *suffix, *tier;
    } tiers[] = { { "_priority", "priority" },
                  { "_flex", "flex" },
                  { "_balanced", "balanced" },
                  { "_ultrafast", "ultrafast" },
                  { "_batches", "batch" } };
    struct price_tier *tier = NULL;
    g_autofree char *head = g_strdup(rest);
    char *end;
    gint64 tokens;

    for (unsigned i = 0; i < G_N_ELEMENTS(tiers); i++) {
        if (!g_str_has_suffix(head, tiers[i].suffix))
            continue;
        tier = tier_called(r, tiers[i].tier);
        tier->own = true;
        head[strlen(head) - strlen(tiers[i].suffix)] = '\0';
        break;
    }
    if (*head == '\0')
        return tier != NULL ? &tier->prices : &r->prices;
    if (!g_str_has_prefix(head, "_above_"))
        return NULL;
    tokens = g_ascii_strtoll(head + 7, &end, 10);
    if (tokens <= 0 || strcmp(end, "k_tokens") != 0)
        return NULL;
    return step_of(tier != NULL ? &tier->steps : &r->steps, tokens * 1000);
}

static void
take_token_key(price_row *r, const char *key, JsonNode *value)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(token_keys); i++) {
        money_price price;
        price_set *to;

        if (!g_str_has_prefix(key, token_keys[i].stem))
            continue;
        if (number_of(value, PER_TOKEN, &price) &&
            (to = place_of(r, key + strlen(token_keys[i].stem))) != NULL)
            price_set_put(to, token_keys[i].kind, price);
        return;
    }
}

/* [{"range": [128000, 256000], "input_cost_per_token": ...}]: thresholds like those in
 * the names of keys. */
static void
take_ranges(price_row *r, JsonNode *list)
{
    JsonArray *ranges =
        list != NULL && JSON_NODE_HOLDS_ARRAY(list) ? json_node_get_array(list) : NULL;

    for (guint i = 0; ranges != NULL && i < json_array_get_length(ranges); i++) {
        JsonNode *n = json_array_get_element(ranges, i);
        JsonObject *o = JSON_NODE_HOLDS_OBJECT(n) ? json_node_get_object(n) : NULL;
        JsonNode *range = o != NULL ? json_object_get_member(o, "range") : NULL;
        double low;
        price_set *to;

        if (range == NULL || !JSON_NODE_HOLDS_ARRAY(range) ||
            json_array_get_length(json_node_get_array(range)) == 0)
            continue;
        low = json_array_get_double_element(json_node_get_array(range), 0);
        if (low < 0 || low > 1e15)
            continue;
        to = low < 1 ? &r->prices : step_of(&r->steps, (int64_t)low);
        for (unsigned k = 0; k < G_N_ELEMENTS(token_keys); k++) {
            money_price price;

            if (number_of(json_object_get_member(o, token_keys[k].stem), PER_TOKEN,
                          &price))
                price_set_put(to, token_keys[k].kind, price);
        }
    }
}

/* A tier whose prices are all the same multiple of the plain ones is that factor, for
 * what it does not name, too: writes to the cache, steps. */
static bool
is_factor(const price_set *base, const price_set *own, ratio *ret)
{
    money_price num = 0, den = 0;

    if (own->known == 0 || (own->known & ~base->known) != 0)
        return false;
    /* A tier that names no price of cached input has no discount on it. */
    if (price_set_has(base, PRICE_CACHE_READ) && !price_set_has(own, PRICE_CACHE_READ))
        return false;
    for (unsigned k = 0; k < PRICE_KINDS; k++) {
        const money_price a = own->of[k], b = base->of[k];

        if (!price_set_has(own, (enum price_kind)k) || (a == 0 && b == 0))
            continue;
        if (a == 0 || b == 0)
            return false;
        if (den == 0) {
            num = a;
            den = b;
        }
        /* prices of tokens are far below 2^63 of these units apart from their zeros */
        if (num / 1000000000000 * (b / 1000000000000) !=
            a / 1000000000000 * (den / 1000000000000))
            return false;
    }
    while (den != 0 && den % 10 == 0 && num % 10 == 0) {
        num /= 10;
        den /= 10;
    }
    if (den == 0 || num > UINT32_MAX || den > UINT32_MAX)
        return false;
    *ret = (ratio){ (uint64_t)num, (uint64_t)den };
    return true;
}

static void
simplify_tiers(price_row *r)
{
    for (guint i = 0; r->tiers != NULL && i < r->tiers->len; i++) {
        struct price_tier *t = &g_array_index(r->tiers, struct price_tier, i);

        if (t->own && t->steps == NULL && is_factor(&r->prices, &t->prices, &t->factor))
            t->own = false;
    }
}

/* A factor as a number: 1.1. */
static void
take_surcharge(price_row *r, JsonNode *n, const char *member, const char *value)
{
    g_autofree char *text = NULL;
    ratio factor;

    if (n == NULL || !JSON_NODE_HOLDS_VALUE(n) ||
        (json_node_get_value_type(n) != G_TYPE_DOUBLE &&
         json_node_get_value_type(n) != G_TYPE_INT64))
        return;
    text = g_strdup_printf("%.15g", json_node_get_double(n));
    if (ratio_parse(text, &factor))
        price_row_add_surcharge(r, member, value, factor);
}

static void
take_surcharges(price_row *r, JsonObject *o)
{
    JsonNode *own = json_object_get_member(o, "provider_specific_entry");
    JsonObject *entry =
        own != NULL && JSON_NODE_HOLDS_OBJECT(own) ? json_node_get_object(own) : NULL;

    take_surcharge(r,
                   json_object_get_member(o, "regional_processing_uplift_multiplier_eu"),
                   "region", "eu");
    take_surcharge(r,
                   json_object_get_member(o, "regional_processing_uplift_multiplier_us"),
                   "region", "us");
    if (entry == NULL)
        return;
    take_surcharge(r, json_object_get_member(entry, "us"), "inference_geo", "us");
    take_surcharge(r, json_object_get_member(entry, "fast"), "speed", "fast");
}

static void
take_token_model(price_table *t, const char *model, JsonObject *o)
{
    g_autoptr(price_row) row = price_row_new(model, text_member(o, "litellm_provider"));
    JsonObjectIter iter;
    const char *key;
    JsonNode *value;

    json_object_iter_init(&iter, o);
    while (json_object_iter_next(&iter, &key, &value))
        take_token_key(row, key, value);
    take_ranges(row, json_object_get_member(o, "tiered_pricing"));
    take_surcharges(row, o);
    simplify_tiers(row);
    row->source = g_strdup(text_member(o, "source"));
    if (row->prices.known != 0)
        price_table_add(t, g_steal_pointer(&row));
}

static bool
take_token_models(price_table *t, JsonObject *all, GError **error)
{
    JsonObjectIter iter;
    const char *model;
    JsonNode *value;

    json_object_iter_init(&iter, all);
    while (json_object_iter_next(&iter, &model, &value)) {
        if (g_str_equal(model, "sample_spec") ||
            g_str_equal(model, "fallback_generalizations"))
            continue;
        if (g_str_equal(model, "last_updated") &&
            json_node_get_value_type(value) == G_TYPE_STRING) {
            g_autofree char *day = g_strndup(json_node_get_string(value), 10);

            if (price_day_parse(day) != 0)
                t->date = g_steal_pointer(&day);
        }
        if (JSON_NODE_HOLDS_OBJECT(value))
            take_token_model(t, model, json_node_get_object(value));
    }
    if (t->rows->len == 0)
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "%s: no model with a price in it: expected a price table of lens, "
                    "LiteLLM or genai-prices",
                    t->name);
    return t->rows->len > 0;
}

/* ---- by provider, USD of a million tokens ---- */

static const struct {
    const char *name;
    enum price_kind kind;
    int shift;
} million_keys[] = {
    { "input_mtok", PRICE_INPUT, PER_MILLION },
    { "cache_read_mtok", PRICE_CACHE_READ, PER_MILLION },
    { "cache_write_mtok", PRICE_CACHE_WRITE_5M, PER_MILLION },
    { "cache_write_1h_mtok", PRICE_CACHE_WRITE_1H, PER_MILLION },
    { "output_mtok", PRICE_OUTPUT, PER_MILLION },
    { "output_reasoning_mtok", PRICE_REASONING, PER_MILLION },
    { "input_audio_mtok", PRICE_INPUT_AUDIO, PER_MILLION },
    { "input_image_mtok", PRICE_INPUT_IMAGE, PER_MILLION },
    { "output_audio_mtok", PRICE_OUTPUT_AUDIO, PER_MILLION },
    { "output_image_mtok", PRICE_OUTPUT_IMAGE, PER_MILLION },
    { "requests_kcount", PRICE_REQUEST, PER_THOUSAND },
};

static JsonArray *
list_member(JsonNode *n, const char *name)
{
    JsonNode *list = n != NULL && JSON_NODE_HOLDS_OBJECT(n)
                         ? json_object_get_member(json_node_get_object(n), name)
                         : NULL;

    return list != NULL && JSON_NODE_HOLDS_ARRAY(list) ? json_node_get_array(list) : NULL;
}

/* The thresholds of all kinds of a model. */
static void
find_starts(JsonObject *prices, price_row *row)
{
    for (unsigned k = 0; k < G_N_ELEMENTS(million_keys); k++) {
        JsonArray *tiers =
            list_member(json_object_get_member(prices, million_keys[k].name), "tiers");

        for (guint i = 0; tiers != NULL && i < json_array_get_length(tiers); i++) {
            JsonNode *n = json_array_get_element(tiers, i);
            JsonNode *start =
                JSON_NODE_HOLDS_OBJECT(n)
                    ? json_object_get_member(json_node_get_object(n), "start")
                    : NULL;

            if (start != NULL && JSON_NODE_HOLDS_VALUE(start) &&
                json_node_get_int(start) > 0)
                step_of(&row->steps, json_node_get_int(start));
        }
    }
}

/* The price of a kind where the input is more than `tokens`. */
static bool
price_at(JsonNode *n, int64_t tokens, int shift, money_price *ret)
{
    JsonArray *tiers = list_member(n, "tiers");
    JsonNode *best;
    int64_t best_start = -1;

    if (n == NULL || !JSON_NODE_HOLDS_OBJECT(n))
        return number_of(n, shift, ret);
    best = json_object_get_member(json_node_get_object(n), "base");
    for (guint i = 0; tiers != NULL && i < json_array_get_length(tiers); i++) {
        JsonNode *t = json_array_get_element(tiers, i);
        JsonObject *o = JSON_NODE_HOLDS_OBJECT(t) ? json_node_get_object(t) : NULL;
        JsonNode *start = o != NULL ? json_object_get_member(o, "start") : NULL;

        if (start == NULL || !JSON_NODE_HOLDS_VALUE(start) ||
            json_node_get_int(start) > tokens || json_node_get_int(start) <= best_start)
            continue;
        best_start = json_node_get_int(start);
        best = json_object_get_member(o, "price");
    }
    return number_of(best, shift, ret);
}

static void
take_prices(JsonObject *prices, int64_t tokens, price_set *to)
{
    for (unsigned k = 0; k < G_N_ELEMENTS(million_keys); k++) {
        money_price price;

        if (price_at(json_object_get_member(prices, million_keys[k].name), tokens,
                     million_keys[k].shift, &price))
            price_set_put(to, million_keys[k].kind, price);
    }
}

static void
take_match(price_row *row, JsonNode *match)
{
    static const struct {
        const char *name;
        enum price_pattern_kind kind;
    } kinds[] = { { "starts_with", PATTERN_STARTS },
                  { "ends_with", PATTERN_ENDS },
                  { "contains", PATTERN_CONTAINS } };
    JsonArray *any = list_member(match, "or");
    const char *text;

    for (guint i = 0; any != NULL && i < json_array_get_length(any); i++)
        take_match(row, json_array_get_element(any, i));
    if (match == NULL || !JSON_NODE_HOLDS_OBJECT(match))
        return;
    text = text_member(json_node_get_object(match), "equals");
    if (text != NULL) {
        if (row->ids == NULL)
            row->ids = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(row->ids, g_strdup(text));
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(kinds); i++) {
        text = text_member(json_node_get_object(match), kinds[i].name);
        if (text != NULL && *text != '\0')
            price_row_add_pattern(row, kinds[i].kind, text);
    }
}

static void
add_million_row(price_table *t, const char *provider, JsonObject *model,
                JsonObject *prices, int from)
{
    g_autoptr(price_row) row = price_row_new(text_member(model, "id"), provider);

    take_match(row, json_object_get_member(model, "match"));
    row->from = from;
    find_starts(prices, row);
    take_prices(prices, 0, &row->prices);
    for (guint i = 0; row->steps != NULL && i < row->steps->len; i++) {
        struct price_step *s = &g_array_index(row->steps, struct price_step, i);

        take_prices(prices, s->tokens, &s->prices);
    }
    if (row->prices.known != 0)
        price_table_add(t, g_steal_pointer(&row));
}

/* `prices` is an object, or a list of them with the day from which each holds. Prices of
 * hours of the day are left out: what holds at all other times stands for them. */
static void
take_million_model(price_table *t, const char *provider, JsonObject *model)
{
    JsonNode *prices = json_object_get_member(model, "prices");
    JsonArray *list;

    if (text_member(model, "id") == NULL || prices == NULL)
        return;
    if (JSON_NODE_HOLDS_OBJECT(prices)) {
        add_million_row(t, provider, model, json_node_get_object(prices), 0);
        return;
    }
    list = JSON_NODE_HOLDS_ARRAY(prices) ? json_node_get_array(prices) : NULL;
    for (guint i = 0; list != NULL && i < json_array_get_length(list); i++) {
        JsonNode *n = json_array_get_element(list, i);
        JsonObject *o = JSON_NODE_HOLDS_OBJECT(n) ? json_node_get_object(n) : NULL;
        JsonNode *of = o != NULL ? json_object_get_member(o, "prices") : NULL;
        JsonNode *limit = o != NULL ? json_object_get_member(o, "constraint") : NULL;
        const char *start = limit != NULL && JSON_NODE_HOLDS_OBJECT(limit)
                                ? text_member(json_node_get_object(limit), "start_date")
                                : NULL;

        if (of == NULL || !JSON_NODE_HOLDS_OBJECT(of) ||
            (start == NULL && limit != NULL && JSON_NODE_HOLDS_OBJECT(limit)))
            continue;
        add_million_row(t, provider, model, json_node_get_object(of),
                        start != NULL ? price_day_parse(start) : 0);
    }
}

static bool
take_providers(price_table *t, JsonArray *all, GError **error)
{
    for (guint i = 0; i < json_array_get_length(all); i++) {
        JsonNode *n = json_array_get_element(all, i);
        JsonArray *models = list_member(n, "models");
        const char *provider =
            JSON_NODE_HOLDS_OBJECT(n) ? text_member(json_node_get_object(n), "id") : NULL;

        for (guint k = 0; models != NULL && k < json_array_get_length(models); k++) {
            JsonNode *model = json_array_get_element(models, k);

            if (JSON_NODE_HOLDS_OBJECT(model))
                take_million_model(t, provider, json_node_get_object(model));
        }
    }
    if (t->rows->len == 0)
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "%s: no provider with models and prices in it: expected a price "
                    "table of lens, LiteLLM or genai-prices",
                    t->name);
    return t->rows->len > 0;
}

price_table *
price_table_import(const char *text, size_t size, const char *name, GError **error)
{
    g_autoptr(JsonParser) parser = json_parser_new();
    g_autoptr(price_table) t = price_table_new(name);
    g_autoptr(GError) broken = NULL;
    JsonNode *root;
    bool fine;

    if (!json_parser_load_from_data(parser, text, (gssize)size, &broken)) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "%s: not JSON: %s", name,
                    broken->message);
        return NULL;
    }
    root = json_parser_get_root(parser);
    if (root != NULL && JSON_NODE_HOLDS_ARRAY(root)) {
        fine = take_providers(t, json_node_get_array(root), error);
    } else if (root != NULL && JSON_NODE_HOLDS_OBJECT(root)) {
        JsonArray *providers = list_member(root, "providers");

        fine = providers != NULL
                   ? take_providers(t, providers, error)
                   : take_token_models(t, json_node_get_object(root), error);
    } else {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "%s: expected a price table: an object or a list", name);
        fine = false;
    }
    return fine ? g_steal_pointer(&t) : NULL;
}
