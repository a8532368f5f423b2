/* money: exact amounts of dollars. Prices are whole numbers of 10^-30 USD, amounts whole
 * numbers of 10^-12 USD; sums in between are 512 bits wide, so nothing is lost before the
 * one rounding at the end. Any thread. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Of one token or one request, in 10^-30 USD; below 3.4e8 USD. */
__extension__ typedef unsigned __int128 money_price;
/* In 10^-12 USD. */
__extension__ typedef __int128 money_amount;

/* A factor: 1.1 is 11/10. */
typedef struct ratio {
    uint64_t num, den;
} ratio;

/* A sum of price times count, times factors: 512 bits, lowest word first. */
enum { MONEY_WORDS = 8 };
typedef struct money_sum {
    uint64_t word[MONEY_WORDS];
} money_sum;

/* Reads "0.15", "1.5e-07": a decimal number, not negative, times 10^`shift` (-6 for a
 * price of a million tokens). `ret_exact` (may be NULL, then it must be exact): false
 * when digits beyond 10^-30 USD were dropped. */
bool money_price_parse(const char *text, int shift, money_price *ret, bool *ret_exact);
/* A price as dollars times 10^`shift`, without trailing zeros. Caller frees. */
char *money_price_text(money_price price, int shift);
/* Reads "1.1", "0.5", "11/10": more than 0, at most 18 digits on each side. */
bool ratio_parse(const char *text, ratio *ret);
char *ratio_text(ratio r);
/* Reads an amount of dollars, not negative, at most 10^-12 exact. */
bool money_amount_parse(const char *text, money_amount *ret);
/* Dollars as a decimal without exponent and trailing zeros: "0.005615", "-1.5", "0".
 * Caller frees. */
char *money_amount_text(money_amount amount);
/* numerator / denominator, rounded half to even; denominator > 0. */
money_amount money_divide(money_amount numerator, uint64_t denominator);

/* sum += price * count; count is not negative. */
void money_sum_add(money_sum *sum, money_price price, int64_t count);
void money_sum_add_sum(money_sum *sum, const money_sum *more);
/* Rounds the parts times all factors to amounts: the total half to even, once; the parts
 * so that they sum up to it (what is left over goes to the largest remainders). false:
 * too large to be an amount. At most 16 parts, 6 factors. */
bool money_round(const money_sum *parts, unsigned count, const ratio *factors,
                 unsigned factor_count, money_amount *ret_parts, money_amount *ret_total);
