#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <string.h>

#include "money.h"

/* ---- reading and writing ---- */

static void
prices_keep_every_digit(void **state)
{
    static const struct {
        const char *text;
        int shift;
        const char *dollars; /* of one */
    } cases[] = {
        { "0.15", -6, "0.00000015" },
        { "1.5e-07", 0, "0.00000015" },
        { "2.8e-09", 0, "0.0000000028" },
        { "0.003625", -6, "0.000000003625" },
        { "2.9999999999999997e-07", 0, "0.00000029999999999999997" },
        { "5", -6, "0.000005" },
        { "1E2", 0, "100" },
        { "0", -6, "0" },
        { "000.10", 0, "0.1" },
        { "12.000", 0, "12" },
        { ".5", 0, "0.5" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = NULL;
        money_price price;

        assert_true(money_price_parse(cases[i].text, cases[i].shift, &price, NULL));
        text = money_price_text(price, 0);
        assert_string_equal(text, cases[i].dollars);
    }
}

static void
refuses_what_is_no_price(void **state)
{
    static const char *const cases[] = {
        "",
        "-1",
        "+1",
        "1,5",
        "0x10",
        "1e",
        "e5",
        "1.2.3",
        " 1",
        "1 ",
        "inf",
        "nan",
        "1e99",
        ".",
        "1e-99",
        "$1",
        "1e+",
        "1e9999999999999",
        "99999999999999999999999999999999999999999999",
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        money_price price = 7;

        assert_false(money_price_parse(cases[i], 0, &price, NULL));
        assert_true(price == 7);
    }
}

static void
says_when_digits_were_dropped(void **state)
{
    money_price price;
    bool exact;

    (void)state;
    assert_true(money_price_parse("1.23456789e-25", 0, &price, &exact));
    assert_false(exact);
    assert_true(price == 123456);
}

static void
amounts_are_plain_decimals(void **state)
{
    static const struct {
        money_amount amount;
        const char *text;
    } cases[] = {
        { 0, "0" },
        { 1, "0.000000000001" },
        { 5615000000, "0.005615" },
        { -1500000000000, "-1.5" },
        { 1000000000000, "1" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = money_amount_text(cases[i].amount);

        assert_string_equal(text, cases[i].text);
    }
}

static void
factors_are_exact(void **state)
{
    static const struct {
        const char *text;
        uint64_t num, den;
        const char *shown;
    } cases[] = {
        { "1.1", 11, 10, "1.1" },   { "0.5", 1, 2, "0.5" },    { "2", 2, 1, "2" },
        { "5/3", 5, 3, "5/3" },     { "1.10", 11, 10, "1.1" }, { "1e2", 100, 1, "100" },
        { "0.85", 17, 20, "0.85" }, { "2.5/0.5", 5, 1, "5" },
    };
    ratio r;

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = NULL;

        assert_true(ratio_parse(cases[i].text, &r));
        assert_int_equal(r.num, cases[i].num);
        assert_int_equal(r.den, cases[i].den);
        text = ratio_text(r);
        assert_string_equal(text, cases[i].shown);
    }
    assert_false(ratio_parse("0", &r));
    assert_false(ratio_parse("-1", &r));
    assert_false(ratio_parse("1/0", &r));
    assert_false(ratio_parse("1e300", &r));
    assert_false(ratio_parse("x", &r));
}

/* ---- rounding ---- */

static money_amount
total_of(const char *price, int64_t count, const char *factor)
{
    money_sum sum = { { 0 } };
    money_amount part, total;
    money_price p;
    ratio f = { 1, 1 };

    assert_true(money_price_parse(price, 0, &p, NULL));
    assert_true(factor == NULL || ratio_parse(factor, &f));
    money_sum_add(&sum, p, count);
    assert_true(money_round(&sum, 1, &f, 1, &part, &total));
    assert_true(part == total);
    return total;
}

static void
rounds_half_to_even_once(void **state)
{
    (void)state;
    assert_true(total_of("0.5e-12", 1, NULL) == 0);
    assert_true(total_of("1.5e-12", 1, NULL) == 2);
    assert_true(total_of("2.5e-12", 1, NULL) == 2);
    assert_true(total_of("2.500000000000000001e-12", 1, NULL) == 3);
    assert_true(total_of("3.5e-12", 1, NULL) == 4);
    assert_true(total_of("0.1e-12", 5, NULL) == 0); /* not 5 times the rounded 0.1 */
    assert_true(total_of("0.1e-12", 15, NULL) == 2);
    assert_true(total_of("2.8e-09", 1, "1.1") == 3080);
    assert_true(total_of("1e-12", 1, "1/3") == 0);
    assert_true(total_of("1e-12", 5, "1/2") == 2);
    assert_true(total_of("1e-12", 7, "1/2") == 4);
}

static void
parts_sum_up_to_the_total(void **state)
{
    money_sum parts[3] = { 0 };
    money_amount by[3], total;
    money_price third;

    (void)state;
    assert_true(money_price_parse("0.4e-12", 0, &third, NULL));
    for (int i = 0; i < 3; i++)
        money_sum_add(&parts[i], third, 1);
    assert_true(money_round(parts, 3, NULL, 0, by, &total));
    assert_true(total == 1); /* 1.2 */
    assert_true(by[0] == 1 && by[1] == 0 && by[2] == 0);
}

static void
huge_counts_stay_exact(void **state)
{
    g_autofree char *text = money_amount_text(total_of("0.00001", INT64_MAX, "1.1"));
    money_sum sum = { { 0 } };
    money_amount part, total;
    const ratio huge[] = { { 1000000000000000000u, 1 }, { 1000000000000000000u, 1 } };

    (void)state;
    assert_string_equal(text, "101457092405402.533877");
    money_sum_add(&sum, (money_price)1 << 120, INT64_MAX);
    assert_false(money_round(&sum, 1, huge, 2, &part, &total));
}

static void
divides_half_to_even(void **state)
{
    (void)state;
    assert_true(money_divide(5, 2) == 2);
    assert_true(money_divide(7, 2) == 4);
    assert_true(money_divide(-5, 2) == -2);
    assert_true(money_divide(-7, 2) == -4);
    assert_true(money_divide(10, 3) == 3);
    assert_true(money_divide(11, 3) == 4);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prices_keep_every_digit),
        cmocka_unit_test(refuses_what_is_no_price),
        cmocka_unit_test(says_when_digits_were_dropped),
        cmocka_unit_test(amounts_are_plain_decimals),
        cmocka_unit_test(factors_are_exact),
        cmocka_unit_test(rounds_half_to_even_once),
        cmocka_unit_test(parts_sum_up_to_the_total),
        cmocka_unit_test(huge_counts_stay_exact),
        cmocka_unit_test(divides_half_to_even),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
