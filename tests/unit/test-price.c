#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "costing.h"
#include "price.h"

/* ---- a book of our own ---- */

static const char table[] =
    "schema: lens.prices/1\n"
    "date: 2026-07-24\n"
    "providers:\n"
    "  one: {names: [uno], batch: 0.5}\n"
    "  two: {}\n"
    "prices:\n"
    "  - {model: plain, provider: one, input: 2, cache_read: 0.5, output: 8}\n"
    "  - {model: writes, provider: one, input: 3, cache_read: 0.3,\n"
    "     cache_write_5m: 3.75, cache_write_1h: 6, output: 15,\n"
    "     surcharges: {geo: {us: 1.1}}}\n"
    "  - {model: thinks, provider: uno, input: 1, output: 4, reasoning: 10}\n"
    "  - {model: hears, provider: one, input: 1, input_audio: 100, input_image: 10,\n"
    "     output: 2, output_audio: 200, request: 0.01}\n"
    "  - {model: cliff, provider: one, input: 1, cache_read: 0.1, output: 4,\n"
    "     above: [{tokens: 1000, input: 2, cache_read: 0.2, output: 6},\n"
    "             {tokens: 2000, input: 3, output: 9}],\n"
    "     tiers: {flex: 0.5, priority: {input: 10, output: 40}}}\n"
    "  - {model: two/shared, provider: two, input: 7, output: 7}\n"
    "  - {model: shared, provider: one, input: 5, output: 5}\n"
    "  - {model: old, provider: one, from: 2026-01-01, to: 2026-03-31, input: 1, output: "
    "1}\n"
    "  - {model: old, provider: one, from: 2026-04-01, to: 2026-06-30, input: 2, output: "
    "2}\n";

static price_book *
book_of(const char *text, const char *more)
{
    price_book *b = g_new0(price_book, 1);
    GError *error = NULL;
    const char *const texts[] = { more, text };

    b->tables = g_ptr_array_new_with_free_func((GDestroyNotify)price_table_free);
    for (int i = 0; i < 2; i++) {
        price_table *t;

        if (texts[i] == NULL)
            continue;
        t = *texts[i] == '{' || *texts[i] == '['
                ? price_table_import(texts[i], strlen(texts[i]), "more", &error)
                : price_table_parse(texts[i], strlen(texts[i]), "table", &error);
        if (t == NULL)
            fail_msg("%s", error->message);
        g_ptr_array_add(b->tables, t);
    }
    return b;
}

static int
setup(void **state)
{
    *state = book_of(table, NULL);
    return 0;
}

static int
teardown(void **state)
{
    price_book_free(*state);
    return 0;
}

/* ---- looking up ---- */

static const char *
found(const price_book *b, const char *provider, const char *returned, const char *asked,
      enum price_how how)
{
    const price_match m = price_find(b, provider, returned, asked, 20260724);

    if (m.row != NULL)
        assert_int_equal(m.how, how);
    return m.row != NULL ? m.row->model : "-";
}

static void
exact_ids_come_first(void **state)
{
    const price_book *b = *state;

    assert_string_equal(found(b, "one", "plain", "writes", PRICE_EXACT), "plain");
    assert_string_equal(found(b, "one", "plain-v2", "writes", PRICE_EXACT), "writes");
    assert_string_equal(found(b, "one", "writes-2026-01-05", "plain", PRICE_EXACT),
                        "plain");
    assert_string_equal(found(b, "one", "writes-2026-01-05", "x", PRICE_UNDATED),
                        "writes");
    assert_string_equal(found(b, "one", NULL, "writes-20260105", PRICE_UNDATED),
                        "writes");
    assert_string_equal(found(b, "one", NULL, "writes@20260105", PRICE_UNDATED),
                        "writes");
}

static void
guesses_nothing(void **state)
{
    static const char *const ids[] = { "plai",           "plain2",         "plain-2026",
                                       "plain-20261305", "plain-latest",   "Plain",
                                       "plain-99",       "plain-12345678", "" };
    const price_book *b = *state;

    for (size_t i = 0; i < G_N_ELEMENTS(ids); i++)
        assert_null(price_find(b, "one", NULL, ids[i], 20260724).row);
    assert_null(price_find(b, "one", NULL, NULL, 20260724).row);
}

static void
providers_keep_their_own_models(void **state)
{
    const price_book *b = *state;

    assert_string_equal(found(b, "two", NULL, "shared", PRICE_EXACT), "two/shared");
    assert_string_equal(found(b, "one", NULL, "shared", PRICE_EXACT), "shared");
    assert_string_equal(found(b, "uno", NULL, "shared", PRICE_EXACT), "shared");
    assert_string_equal(found(b, NULL, NULL, "shared", PRICE_EXACT), "shared");
    assert_string_equal(found(b, NULL, NULL, "two/shared", PRICE_EXACT), "two/shared");
    assert_string_equal(found(b, "two", NULL, "plain", PRICE_EXACT), "-");
    assert_true(price_find(b, "gate", NULL, "plain", 20260724).any_provider);
    assert_string_equal(found(b, "gate", NULL, "plain", PRICE_EXACT), "plain");
}

static void
days_choose_the_row(void **state)
{
    const price_book *b = *state;
    const price_match march = price_find(b, "one", NULL, "old", 20260331);
    const price_match april = price_find(b, "one", NULL, "old", 20260401);
    const price_match later = price_find(b, "one", NULL, "old", 20270101);

    assert_null(price_find(b, "one", NULL, "old", 20251231).row);
    assert_int_equal(march.row->to, 20260331);
    assert_int_equal(april.row->from, 20260401);
    assert_false(april.expired);
    assert_ptr_equal(later.row, april.row);
    assert_true(later.expired);
}

/* ---- billing ---- */

/* What is not told is set, then told. */
#pragma GCC diagnostic ignored "-Woverride-init"
struct usage {
    int64_t in, read, write, write_1h, out, reasoning, in_audio, in_image, out_audio;
};
#define USAGE(...)                    \
    ((struct usage){ .in = -1,        \
                     .read = -1,      \
                     .write = -1,     \
                     .write_1h = -1,  \
                     .out = -1,       \
                     .reasoning = -1, \
                     .in_audio = -1,  \
                     .in_image = -1,  \
                     .out_audio = -1, \
                     __VA_ARGS__ })

static bill
bill_with(const price_book *b, const char *model, struct usage u,
          const price_options *options)
{
    int64_t usage[LENS_USAGE_COUNT];

    for (unsigned i = 0; i < LENS_USAGE_COUNT; i++)
        usage[i] = -1;
    usage[LENS_USAGE_INPUT] = u.in;
    usage[LENS_USAGE_CACHE_READ] = u.read;
    usage[LENS_USAGE_CACHE_WRITE] = u.write;
    usage[LENS_USAGE_CACHE_WRITE_1H] = u.write_1h;
    usage[LENS_USAGE_OUTPUT] = u.out;
    usage[LENS_USAGE_REASONING] = u.reasoning;
    usage[LENS_USAGE_INPUT_AUDIO] = u.in_audio;
    usage[LENS_USAGE_INPUT_IMAGE] = u.in_image;
    usage[LENS_USAGE_OUTPUT_AUDIO] = u.out_audio;
    return price_bill(price_find(b, NULL, NULL, model, 20260724).row, usage, false,
                      options);
}

static void
costs(const price_book *b, const char *model, struct usage u, const char *expected)
{
    const price_options none = { .tier = NULL };
    const bill paid = bill_with(b, model, u, &none);
    g_autofree char *text = NULL;
    money_amount sum = 0;

    if (expected == NULL) {
        assert_non_null(paid.why);
        return;
    }
    if (paid.why != NULL)
        fail_msg("%s: %s", model, paid.why);
    text = money_amount_text(paid.total);
    assert_string_equal(text, expected);
    for (unsigned i = 0; i < LENS_COST_COUNT; i++)
        sum += paid.by[i];
    assert_true(sum == paid.total);
}

static void
nothing_is_counted_twice(void **state)
{
    const price_book *b = *state;

    /* 10 at 2, 90 at 0.5, 5 at 8, each of a million */
    costs(b, "plain", USAGE(.in = 100, .read = 90, .out = 5, .reasoning = 3), "0.000105");
    /* 100 at 3, 20 at 0.3, 30 at 3.75, 50 at 6, 10 at 15 */
    costs(b, "writes",
          USAGE(.in = 200, .read = 20, .write = 80, .write_1h = 50, .out = 10),
          "0.0008685");
    costs(b, "thinks", USAGE(.in = 10, .out = 7, .reasoning = 4), "0.000062");
    /* 3 audio at 100, 5 image at 10, 2 text at 1, 4 audio at 200, 6 text at 2, 0.01 */
    costs(b, "hears",
          USAGE(.in = 10, .in_audio = 3, .in_image = 5, .out = 10, .out_audio = 4),
          "0.011164");
}

static void
missing_subsets_are_none_and_counts_unknown(void **state)
{
    const price_book *b = *state;

    costs(b, "plain", USAGE(.in = 100, .out = 5), "0.00024");
    costs(b, "plain", USAGE(.in = 0, .out = 0), "0");
    costs(b, "plain", USAGE(.in = 100), NULL);
    costs(b, "plain", USAGE(.out = 100), NULL);
    costs(b, "nothing", USAGE(.in = 1, .out = 1), NULL);
    costs(b, "thinks", USAGE(.in = 100, .read = 40, .out = 0), "0.0001"); /* as input */
    costs(b, "plain", USAGE(.in = 100, .write = 1, .out = 5), NULL);
    costs(b, "plain", USAGE(.in = 100, .write = 0, .out = 5), "0.00024");
    costs(b, "writes", USAGE(.in = 60, .write_1h = 50, .out = 0), "0.00033");
}

static void
counts_that_contradict_cost_nothing_known(void **state)
{
    const price_book *b = *state;

    costs(b, "writes", USAGE(.in = 10, .read = 11, .out = 0), NULL);
    costs(b, "writes", USAGE(.in = 10, .read = 6, .write = 5, .out = 0), NULL);
    costs(b, "writes", USAGE(.in = 10, .write = 5, .write_1h = 6, .out = 0), NULL);
    costs(b, "thinks", USAGE(.in = 1, .out = 5, .reasoning = 6), NULL);
    costs(b, "writes", USAGE(.in = INT64_MAX, .read = INT64_MAX, .write = 1, .out = 0),
          NULL);
}

static void
a_step_is_a_cliff(void **state)
{
    const price_book *b = *state;

    costs(b, "cliff", USAGE(.in = 1000, .read = 500, .out = 10), "0.00059");
    costs(b, "cliff", USAGE(.in = 1001, .read = 500, .out = 10), "0.001162");
    costs(b, "cliff", USAGE(.in = 2000, .out = 10), "0.00406");
    costs(b, "cliff", USAGE(.in = 2001, .read = 2001, .out = 10), "0.006093");
}

static void
tiers_and_factors(void **state)
{
    const price_book *b = *state;
    const struct usage small = USAGE(.in = 100, .out = 10);
    const struct {
        const char *tier;
        bool batch;
        const char *model;
        struct usage usage;
        const char *extra, *expected;
    } cases[] = {
        { "flex", false, "cliff", small, NULL, "0.00007" },
        { "FLEX", false, "cliff", small, NULL, "0.00007" },
        { "default", false, "cliff", small, NULL, "0.00014" },
        { "ON_DEMAND", false, "cliff", small, NULL, "0.00014" },
        { "flex", false, "cliff", USAGE(.in = 1001, .out = 0), NULL, "0.001001" },
        { "priority", false, "cliff", small, NULL, "0.0014" },
        { "priority", false, "cliff", USAGE(.in = 1001, .out = 0), NULL, NULL },
        { "scale", false, "cliff", small, NULL, NULL },
        { "flex", false, "plain", small, NULL, NULL },
        { NULL, true, "plain", small, NULL, "0.00014" },
        { "batch", false, "plain", small, NULL, "0.00014" },
        { NULL, true, "two/shared", small, NULL, NULL },
        { NULL, false, "writes", small, "{\"geo\":\"us\"}", "0.000495" },
        { NULL, false, "writes", small, "{\"geo\":\"eu\"}", "0.00045" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const price_match m = price_find(b, NULL, NULL, cases[i].model, 20260724);
        const price_options options = { .tier = cases[i].tier,
                                        .batch = cases[i].batch,
                                        .batch_factor = price_batch_factor(b, m.row),
                                        .extra_json = cases[i].extra };
        const bill paid = bill_with(b, cases[i].model, cases[i].usage, &options);
        g_autofree char *text = paid.why == NULL ? money_amount_text(paid.total) : NULL;

        if (cases[i].expected == NULL)
            assert_null(text);
        else
            assert_string_equal(text != NULL ? text : "unknown", cases[i].expected);
    }
}

static void
the_cache_saves_or_costs(void **state)
{
    const price_options none = { .tier = NULL };
    const bill read =
        bill_with(*state, "writes", USAGE(.in = 100, .read = 100, .out = 0), &none);
    const bill wrote =
        bill_with(*state, "writes", USAGE(.in = 100, .write = 100, .out = 0), &none);

    assert_true(read.cache_saving == 270000000);
    assert_true(wrote.cache_saving == -75000000);
}

static void
billed_units_take_the_place_of_tokens(void **state)
{
    const price_options none = { .tier = NULL };
    int64_t usage[LENS_USAGE_COUNT];
    bill paid;

    for (unsigned i = 0; i < LENS_USAGE_COUNT; i++)
        usage[i] = -1;
    usage[LENS_USAGE_INPUT] = 507;
    usage[LENS_USAGE_OUTPUT] = 10;
    usage[LENS_USAGE_BILLED_INPUT] = 5;
    usage[LENS_USAGE_BILLED_OUTPUT] = 10;
    paid = price_bill(price_find(*state, NULL, NULL, "plain", 20260724).row, usage, false,
                      &none);
    assert_true(paid.total == 90000000);
    usage[LENS_USAGE_BILLED_OUTPUT] = -1;
    usage[LENS_USAGE_OUTPUT] = -1;
    paid = price_bill(price_find(*state, NULL, NULL, "plain", 20260724).row, usage, false,
                      &none);
    assert_non_null(paid.why);
}

static void
the_worst_case_is_never_passed(void **state)
{
    static const char *const models[] = { "plain", "writes", "thinks", "hears", "cliff" };
    const price_options none = { .tier = NULL };
    uint64_t draw = 1;

    for (unsigned i = 0; i < 5000; i++) {
        const char *model = models[i % G_N_ELEMENTS(models)];
        const price_row *row = price_find(*state, NULL, NULL, model, 20260724).row;
        money_amount worst;
        struct usage u;
        bill paid;

        draw = draw * 6364136223846793005u + 1442695040888963407u;
        u = USAGE(.in = (int64_t)(draw >> 40) % 3000, .out = (int64_t)(draw >> 20) % 500);
        u.read = u.in / 3;
        u.write = i % 5 == 1 ? u.in / 4 : 0;
        u.reasoning = u.out / 2;
        paid = bill_with(*state, model, u, &none);
        assert_null(paid.why);
        assert_true(price_worst(row, u.in, u.out, false, &none, &worst));
        assert_true(paid.total <= worst);
    }
}

/* ---- other forms ---- */

static void
reads_one_object_a_model(void **state)
{
    static const char text[] =
        "{\"sample_spec\":{\"input_cost_per_token\":1},"
        "\"a\":{\"litellm_provider\":\"one\",\"input_cost_per_token\":1e-06,"
        "\"output_cost_per_token\":4e-06,\"cache_read_input_token_cost\":1e-07,"
        "\"cache_read_input_token_cost_batches\":5e-08,"
        "\"input_cost_per_token_above_200k_tokens\":2e-06,"
        "\"output_cost_per_token_above_200k_tokens\":8e-06,"
        "\"cache_creation_input_token_cost\":1.25e-06,"
        "\"cache_creation_input_token_cost_above_1hr\":2e-06,"
        "\"input_cost_per_token_batches\":5e-07,\"output_cost_per_token_batches\":2e-06,"
        "\"input_cost_per_token_priority\":3e-06,\"output_cost_per_token_priority\":4e-"
        "06,"
        "\"output_cost_per_image\":0.04},"
        "\"r\":{\"tiered_pricing\":[{\"range\":[0,1000],\"input_cost_per_token\":1e-06,"
        "\"output_cost_per_token\":1e-06},{\"range\":[1000,9999],"
        "\"input_cost_per_token\":5e-06,\"output_cost_per_token\":5e-06}]}}";
    g_autoptr(price_book) b = book_of(table, text);
    const price_row *row = price_find(b, "one", NULL, "a", 20260724).row;

    (void)state;
    assert_non_null(row);
    assert_null(price_find(b, NULL, NULL, "sample_spec", 20260724).row);
    costs(b, "a", USAGE(.in = 200000, .read = 0, .out = 1), "0.200004");
    costs(b, "a", USAGE(.in = 200001, .read = 0, .out = 1), "0.40001");
    costs(b, "a", USAGE(.in = 10, .write = 10, .write_1h = 4, .out = 0), "0.0000155");
    costs(b, "r", USAGE(.in = 1001, .out = 0), "0.005005");
    assert_int_equal(row->tiers->len, 2);
    for (guint i = 0; i < 2; i++) {
        const struct price_tier *t = &g_array_index(row->tiers, struct price_tier, i);

        assert_int_equal(t->own, strcmp(t->name, "priority") == 0);
    }
}

/* What a tier does not name has no discount in it, but writes go with the rest. */
static void
tiers_of_one_object_a_model(void **state)
{
    static const char text[] =
        "{\"fallback_generalizations\":{\"x\":{\"input_cost_per_token\":1}},"
        "\"t\":{\"input_cost_per_token\":4e-06,\"output_cost_per_token\":8e-06,"
        "\"cache_read_input_token_cost\":1e-06,\"cache_creation_input_token_cost\":5e-06,"
        "\"input_cost_per_token_batches\":2e-06,\"output_cost_per_token_batches\":4e-06,"
        "\"input_cost_per_token_flex\":2e-06,\"output_cost_per_token_flex\":4e-06,"
        "\"cache_read_input_token_cost_flex\":5e-07,"
        "\"input_cost_per_token_ultrafast\":4e-05,"
        "\"output_cost_per_token_ultrafast\":8e-05}}";
    g_autoptr(price_book) b = book_of(table, text);
    const struct {
        const char *tier;
        int64_t read, write;
        const char *usd;
    } cases[] = {
        { "batch", 0, 0, "0.0002" },     { "batch", 100, 0, "0.0002" },
        { "batch", 0, 100, NULL },       { "flex", 100, 0, "0.00005" },
        { "flex", 0, 100, "0.00025" },   { "ultrafast", 0, 0, "0.004" },
        { "ultrafast", 10, 0, "0.004" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const price_options options = { .tier = cases[i].tier };
        const bill paid = bill_with(
            b, "t",
            USAGE(.in = 100, .read = cases[i].read, .write = cases[i].write, .out = 0),
            &options);
        g_autofree char *usd = paid.why == NULL ? money_amount_text(paid.total) : NULL;

        if (g_strcmp0(usd, cases[i].usd) != 0)
            fail_msg("%s, %d read: %s (%s)", cases[i].tier, (int)cases[i].read, usd,
                     paid.why);
    }
}

static void
a_region_has_its_surcharge(void **state)
{
    static const char more[] =
        "prices: [{model: r, input: 1, output: 1, surcharges: {region: {eu: 2}}}]\n";
    g_autoptr(price_book) b = book_of(table, more);
    const price_options cases[] = { { .region = "eu" },
                                    { .extra_json = "{\"region\":\"EU\"}" },
                                    { .region = "eu",
                                      .extra_json = "{\"region\":\"us\"}" },
                                    { .region = "us" },
                                    { .extra_json = "not an object" } };
    const price_row *row = price_find(b, NULL, NULL, "r", 20260724).row;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const bill paid = bill_with(b, "r", USAGE(.in = 1, .out = 0), &cases[i]);
        money_amount most;

        assert_null(paid.why);
        assert_int_equal(paid.total, i < 2 ? 2000000 : 1000000);
        assert_true(price_worst(row, 1, 0, false, &cases[i], &most));
        assert_true(most >= paid.total);
    }
}

static void
the_fee_of_a_request_holds_in_all_steps(void **state)
{
    static const char more[] =
        "prices: [{model: fee, input: 1, output: 1, request: 0.5,\n"
        "  above: [{tokens: 10, input: 2, output: 2}], tiers: {flex: {input: 3, output: "
        "3},\n"
        "  half: 0.5}}]\n";
    g_autoptr(price_book) b = book_of(table, more);
    const price_options flex = { .tier = "flex" };
    const price_row *row = price_find(b, NULL, NULL, "fee", 20260724).row;
    money_amount most;
    bill paid;

    (void)state;
    costs(b, "fee", USAGE(.in = 10, .out = 0), "0.50001");
    costs(b, "fee", USAGE(.in = 11, .out = 0), "0.500022");
    paid = bill_with(b, "fee", USAGE(.in = 10, .out = 0), &flex);
    assert_null(paid.why);
    assert_true(paid.total == INT64_C(500030000000));
    assert_true(price_worst(row, 11, 0, true, &flex, &most));
    assert_true(most >= INT64_C(500033000000));
}

static void
reads_models_by_provider(void **state)
{
    static const char text[] =
        "[{\"id\":\"one\",\"models\":[{\"id\":\"m\",\"match\":{\"or\":[{\"equals\":\"m-"
        "x\"},"
        "{\"starts_with\":\"m-y\"}]},\"prices\":{\"input_mtok\":{\"base\":1,\"tiers\":"
        "[{\"start\":100,\"price\":2}]},\"output_mtok\":4,\"requests_kcount\":5}},"
        "{\"id\":\"d\",\"match\":{\"equals\":\"d\"},\"prices\":[{\"prices\":"
        "{\"input_mtok\":1,\"output_mtok\":1}},{\"constraint\":{\"start_date\":"
        "\"2026-07-01\"},\"prices\":{\"input_mtok\":3,\"output_mtok\":3}},"
        "{\"constraint\":{\"start_time\":\"00:30:00Z\",\"end_time\":\"16:30:00Z\"},"
        "\"prices\":{\"input_mtok\":9,\"output_mtok\":9}}]}]}]";
    g_autoptr(price_book) b = book_of(table, text);
    const price_match guess = price_find(b, "one", NULL, "m-yes", 20260724);

    (void)state;
    costs(b, "m", USAGE(.in = 100, .out = 1), "0.005104");
    costs(b, "m-x", USAGE(.in = 101, .out = 1), "0.005206");
    assert_int_equal(guess.how, PRICE_BY_PATTERN);
    assert_string_equal(guess.row->model, "m");
    costs(b, "d", USAGE(.in = 1, .out = 0), "0.000003");
    assert_int_equal(price_find(b, "one", NULL, "d", 20260630).row->from, 0);
}

static void
refuses_broken_tables(void **state)
{
    static const char *const texts[] = {
        "prices: 5",
        "prices: [{input: 1}]",
        "prices: [{model: a}]",
        "prices: [{model: a, input: -1}]",
        "prices: [{model: a, input: x}]",
        "prices: [{model: a, inptu: 1}]",
        "prices: [{model: a, input: 1, from: 2026-13-01}]",
        "prices: [{model: a, input: 1, from: 2026-02-01, to: 2026-01-01}]",
        "prices: [{model: a, input: 1, above: [{input: 2}]}]",
        "prices: [{model: a, input: 1, tiers: {flex: 0}}]",
        "prices: []\nother: 1",
        "models: []",
        "",
        "{}",
        "[]",
        "[1]",
        "{\"a\":1}",
        "{\"a\":{\"b\":[}",
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        const size_t size = strlen(texts[i]);
        price_table *t = *texts[i] == '{' || *texts[i] == '['
                             ? price_table_import(texts[i], size, "t", &error)
                             : price_table_parse(texts[i], size, "t", &error);

        if (t != NULL)
            fail_msg("taken: %s", texts[i]);
        assert_true(g_str_has_prefix(error->message, "t:"));
    }
}

/* ---- the limit ---- */

static void
the_ledger_holds(void **state)
{
    ledger l;

    (void)state;
    ledger_init(&l, 100);
    assert_int_equal(ledger_reserve(&l, 60), LEDGER_TAKEN);
    assert_int_equal(ledger_reserve(&l, 41), LEDGER_LATER); /* 60 may become less */
    ledger_settle(&l, 60, 10);
    assert_int_equal(ledger_reserve(&l, 41), LEDGER_TAKEN);
    assert_int_equal(ledger_reserve(&l, 91), LEDGER_OVER);
    assert_true(l.reached);
    assert_int_equal(ledger_reserve(&l, 49), LEDGER_TAKEN); /* exactly the limit */
    ledger_settle(&l, 41, 41);                              /* nobody knows: it stays */
    assert_int_equal(ledger_reserve(&l, -1), LEDGER_OVER);
}

/* Many at once: what is committed never passes the limit, and all comes back. */
enum { SPENDERS = 4, SPENDINGS = 20000, LIMIT = 1000 };

static void *
spend(void *data)
{
    ledger *l = data;
    unsigned seed = (unsigned)(uintptr_t)pthread_self();
    intptr_t spent = 0;

    for (unsigned i = 0; i < SPENDINGS; i++) {
        const int64_t worst = 1 + rand_r(&seed) % (LIMIT / 2);
        const int64_t paid = rand_r(&seed) % 200 == 0 ? 1 : 0;

        if (ledger_reserve(l, worst) != LEDGER_TAKEN)
            continue;
        if (atomic_load(&l->committed) > LIMIT)
            return (void *)(intptr_t)-1;
        ledger_settle(l, worst, paid);
        spent += paid;
    }
    return (void *)spent;
}

static void
the_ledger_holds_with_threads(void **state)
{
    pthread_t threads[SPENDERS];
    intptr_t spent = 0;
    ledger l;

    (void)state;
    ledger_init(&l, LIMIT);
    for (unsigned i = 0; i < SPENDERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, spend, &l), 0);
    for (unsigned i = 0; i < SPENDERS; i++) {
        void *own;

        assert_int_equal(pthread_join(threads[i], &own), 0);
        assert_true((intptr_t)own >= 0);
        spent += (intptr_t)own;
    }
    assert_int_equal(l.committed, spent);
    assert_int_equal(l.settled, spent);
    assert_true(spent > 0 && spent <= LIMIT);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(exact_ids_come_first, setup, teardown),
        cmocka_unit_test_setup_teardown(guesses_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(providers_keep_their_own_models, setup, teardown),
        cmocka_unit_test_setup_teardown(days_choose_the_row, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_counted_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(missing_subsets_are_none_and_counts_unknown,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(counts_that_contradict_cost_nothing_known, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_step_is_a_cliff, setup, teardown),
        cmocka_unit_test_setup_teardown(tiers_and_factors, setup, teardown),
        cmocka_unit_test_setup_teardown(the_cache_saves_or_costs, setup, teardown),
        cmocka_unit_test_setup_teardown(billed_units_take_the_place_of_tokens, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(the_worst_case_is_never_passed, setup, teardown),
        cmocka_unit_test(reads_one_object_a_model),
        cmocka_unit_test(tiers_of_one_object_a_model),
        cmocka_unit_test(a_region_has_its_surcharge),
        cmocka_unit_test(the_fee_of_a_request_holds_in_all_steps),
        cmocka_unit_test(reads_models_by_provider),
        cmocka_unit_test(refuses_broken_tables),
        cmocka_unit_test(the_ledger_holds),
        cmocka_unit_test(the_ledger_holds_with_threads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
