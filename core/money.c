#include "money.h"

#include <string.h>

enum { PRICE_DECIMALS = 30, AMOUNT_DECIMALS = 12, PARTS_MAX = 16 };

#define PRICE_MAX (~(money_price)0)
#define AMOUNT_MAX ((money_amount)(~(money_price)0 >> 1))

/* ---- wide numbers ---- */

static void
wide_add(money_sum *to, const money_sum *more)
{
    unsigned carry = 0;

    for (unsigned i = 0; i < MONEY_WORDS; i++) {
        const money_price sum = (money_price)to->word[i] + more->word[i] + carry;

        to->word[i] = (uint64_t)sum;
        carry = (unsigned)(sum >> 64);
    }
}

static void
wide_subtract(money_sum *from, const money_sum *less)
{
    unsigned borrow = 0;

    for (unsigned i = 0; i < MONEY_WORDS; i++) {
        const money_price taken = (money_price)less->word[i] + borrow;

        borrow = from->word[i] < taken;
        from->word[i] = (uint64_t)(from->word[i] - taken);
    }
}

static int
wide_compare(const money_sum *a, const money_sum *b)
{
    for (unsigned i = MONEY_WORDS; i-- > 0;)
        if (a->word[i] != b->word[i])
            return a->word[i] < b->word[i] ? -1 : 1;
    return 0;
}

static void
wide_multiply(money_sum *by, uint64_t factor)
{
    uint64_t carry = 0;

    for (unsigned i = 0; i < MONEY_WORDS; i++) {
        const money_price product = (money_price)by->word[i] * factor + carry;

        by->word[i] = (uint64_t)product;
        carry = (uint64_t)(product >> 64);
    }
}

/* Rounds down. */
static void
wide_divide(money_sum *by, uint64_t divisor)
{
    uint64_t rest = 0;

    for (unsigned i = MONEY_WORDS; i-- > 0;) {
        const money_price part = (money_price)rest << 64 | by->word[i];

        by->word[i] = (uint64_t)(part / divisor);
        rest = (uint64_t)(part % divisor);
    }
}

static bool
wide_to_amount(const money_sum *from, money_amount *ret)
{
    for (unsigned i = 2; i < MONEY_WORDS; i++)
        if (from->word[i] != 0)
            return false;
    if (from->word[1] >> 63 != 0)
        return false;
    *ret = (money_amount)((money_price)from->word[1] << 64 | from->word[0]);
    return true;
}

/* ---- reading and writing ---- */

struct decimal {
    money_price digits;
    int exponent; /* of ten */
    bool exact;
};

/* Digits beyond what fits are counted, not kept. */
static bool
read_digit(struct decimal *d, char c, bool fraction)
{
    const unsigned digit = (unsigned)(c - '0');

    if (d->digits > (PRICE_MAX - digit) / 10 || !d->exact) {
        d->exact &= digit == 0;
        d->exponent += !fraction;
        return d->exponent < 1000;
    }
    d->digits = d->digits * 10 + digit;
    d->exponent -= fraction;
    return true;
}

static bool
read_decimal(const char *text, struct decimal *ret)
{
    bool any = false, fraction = false;

    *ret = (struct decimal){ .exact = true };
    for (; g_ascii_isdigit(*text) || (*text == '.' && !fraction); text++) {
        if (*text == '.') {
            fraction = true;
        } else {
            any = true;
            if (!read_digit(ret, *text, fraction))
                return false;
        }
    }
    if (any && (*text == 'e' || *text == 'E')) {
        char *end;
        gint64 exponent;

        text++;
        if (!g_ascii_isdigit(text[*text == '-' || *text == '+']))
            return false;
        exponent = g_ascii_strtoll(text, &end, 10);
        if (exponent < -400 || exponent > 400)
            return false;
        ret->exponent += (int)exponent;
        text = end;
    }
    return any && *text == '\0';
}

/* digits * 10^exponent, whole; digits that fall off are noted. */
static bool
scale(struct decimal *d, int shift, money_price *ret)
{
    money_price value = d->digits;

    shift += d->exponent;
    for (; shift > 0 && value != 0; shift--) {
        if (value > PRICE_MAX / 10)
            return false;
        value *= 10;
    }
    for (; shift < 0 && value != 0; shift++) {
        d->exact &= value % 10 == 0;
        value /= 10;
    }
    *ret = value;
    return true;
}

bool
money_price_parse(const char *text, int shift, money_price *ret, bool *ret_exact)
{
    struct decimal d;
    money_price value;

    if (!read_decimal(text, &d) || !scale(&d, PRICE_DECIMALS + shift, &value) ||
        (ret_exact == NULL && !d.exact))
        return false;
    *ret = value;
    if (ret_exact != NULL)
        *ret_exact = d.exact;
    return true;
}

bool
money_amount_parse(const char *text, money_amount *ret)
{
    struct decimal d;
    money_price value;

    if (!read_decimal(text, &d) || !scale(&d, AMOUNT_DECIMALS, &value) || !d.exact ||
        value > (money_price)AMOUNT_MAX)
        return false;
    *ret = (money_amount)value;
    return true;
}

/* `value` has `decimals` of them. */
static char *
write_decimal(money_price value, int decimals, bool negative)
{
    char digits[80];
    char *at = digits + sizeof digits;
    bool shown = false;

    *--at = '\0';
    for (int i = 0; value != 0 || i <= decimals; i++) {
        const char digit = (char)('0' + (int)(value % 10));

        if (i == decimals && i > 0 && shown)
            *--at = '.';
        shown |= digit != '0' || i >= decimals;
        if (shown)
            *--at = digit;
        value /= 10;
    }
    return g_strconcat(negative ? "-" : "", at, NULL);
}

char *
money_price_text(money_price price, int shift)
{
    return write_decimal(price, PRICE_DECIMALS - shift, false);
}

char *
money_amount_text(money_amount amount)
{
    const money_price size = amount < 0 ? -(money_price)amount : (money_price)amount;

    return write_decimal(size, AMOUNT_DECIMALS, amount < 0);
}

static uint64_t
power_of_ten(int exponent)
{
    uint64_t power = 1;

    while (exponent-- > 0)
        power *= 10;
    return power;
}

/* One side of a ratio: digits, and how many of them stand behind the point. */
static bool
read_side(const char *text, ratio *ret)
{
    struct decimal d;

    if (!read_decimal(text, &d) || !d.exact)
        return false;
    for (; d.digits != 0 && d.digits % 10 == 0; d.exponent++)
        d.digits /= 10;
    if (d.exponent < -18 || d.exponent > 18 || d.digits == 0 ||
        d.digits > power_of_ten(18))
        return false;
    if (d.exponent > 0 && d.digits > power_of_ten(18) / power_of_ten(d.exponent))
        return false;
    ret->num = (uint64_t)d.digits * power_of_ten(MAX(d.exponent, 0));
    ret->den = power_of_ten(MAX(-d.exponent, 0));
    return true;
}

static uint64_t
common_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        const uint64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

static ratio
reduced(money_price num, money_price den)
{
    const uint64_t by = common_divisor((uint64_t)num, (uint64_t)den);

    return (ratio){ (uint64_t)num / by, (uint64_t)den / by };
}

bool
ratio_parse(const char *text, ratio *ret)
{
    const char *slash = strchr(text, '/');
    g_autofree char *head =
        slash != NULL ? g_strndup(text, (size_t)(slash - text)) : NULL;
    ratio over, under = { 1, 1 };

    if (!read_side(head != NULL ? head : text, &over) ||
        (slash != NULL && !read_side(slash + 1, &under)))
        return false;
    if ((money_price)over.num * under.den > UINT64_MAX ||
        (money_price)over.den * under.num > UINT64_MAX)
        return false;
    *ret = reduced((money_price)over.num * under.den, (money_price)over.den * under.num);
    return true;
}

char *
ratio_text(ratio r)
{
    uint64_t rest = r.den, scaled = 1;

    for (; rest % 10 == 0; rest /= 10)
        scaled *= 10;
    for (; rest % 2 == 0 && scaled < power_of_ten(17); rest /= 2)
        scaled *= 10;
    for (; rest % 5 == 0 && scaled < power_of_ten(17); rest /= 5)
        scaled *= 10;
    if (rest == 1 && scaled % r.den == 0) {
        int decimals = 0;

        for (uint64_t d = scaled; d > 1; d /= 10)
            decimals++;
        return write_decimal((money_price)r.num * (scaled / r.den), decimals, false);
    }
    return g_strdup_printf("%" G_GUINT64_FORMAT "/%" G_GUINT64_FORMAT, r.num, r.den);
}

/* ---- sums ---- */

money_amount
money_divide(money_amount numerator, uint64_t denominator)
{
    const bool negative = numerator < 0;
    const money_price size = negative ? -(money_price)numerator : (money_price)numerator;
    money_price result = size / denominator;
    const money_price twice = size % denominator * 2;

    if (twice > denominator || (twice == denominator && (result & 1) != 0))
        result++;
    return negative ? -(money_amount)result : (money_amount)result;
}

void
money_sum_add(money_sum *sum, money_price price, int64_t count)
{
    money_sum more = { { (uint64_t)price, (uint64_t)(price >> 64) } };

    wide_multiply(&more, (uint64_t)count);
    wide_add(sum, &more);
}

void
money_sum_add_sum(money_sum *sum, const money_sum *more)
{
    wide_add(sum, more);
}

/* From price units and unreduced factors to amounts: what everything is divided by. */
struct divisor {
    uint64_t by[8];
    unsigned count;
    money_sum whole;
};

static void
make_divisor(struct divisor *d, const ratio *factors, unsigned count)
{
    d->by[0] = power_of_ten(PRICE_DECIMALS - AMOUNT_DECIMALS);
    d->count = 1;
    for (unsigned i = 0; i < count; i++)
        d->by[d->count++] = factors[i].den;
    d->whole = (money_sum){ { 1 } };
    for (unsigned i = 0; i < d->count; i++)
        wide_multiply(&d->whole, d->by[i]);
}

/* The quotient, rounded down; `sum` becomes the rest. */
static bool
divide(const struct divisor *d, money_sum *sum, money_amount *ret)
{
    money_sum whole = *sum;

    for (unsigned i = 0; i < d->count; i++)
        wide_divide(&whole, d->by[i]);
    if (!wide_to_amount(&whole, ret))
        return false;
    for (unsigned i = 0; i < d->count; i++)
        wide_multiply(&whole, d->by[i]);
    wide_subtract(sum, &whole);
    return true;
}

/* Whether a rest rounds up beside the quotient that it was left by. */
static bool
rounds_up(const struct divisor *d, const money_sum *rest, money_amount quotient)
{
    money_sum twice = *rest;
    int half;

    wide_add(&twice, rest);
    half = wide_compare(&twice, &d->whole);
    return half > 0 || (half == 0 && quotient % 2 != 0);
}

bool
money_round(const money_sum *parts, unsigned count, const ratio *factors,
            unsigned factor_count, money_amount *ret_parts, money_amount *ret_total)
{
    struct divisor d;
    money_sum rests[PARTS_MAX], all = { { 0 } };
    money_amount amounts[PARTS_MAX] = { 0 }, total, left;

    g_assert(count <= PARTS_MAX && factor_count + 1 < G_N_ELEMENTS(d.by));
    make_divisor(&d, factors, factor_count);
    for (unsigned i = 0; i < count; i++) {
        rests[i] = parts[i];
        for (unsigned k = 0; k < factor_count; k++)
            wide_multiply(&rests[i], factors[k].num);
        wide_add(&all, &rests[i]);
    }
    if (!divide(&d, &all, &total) || total == AMOUNT_MAX)
        return false;
    total += rounds_up(&d, &all, total);
    left = total;
    for (unsigned i = 0; i < count; i++) {
        divide(&d, &rests[i], &amounts[i]); /* smaller than the whole, which did fit */
        left -= amounts[i];
    }
    for (; left > 0; left--) {
        unsigned most = 0;

        for (unsigned i = 1; i < count; i++)
            if (wide_compare(&rests[i], &rests[most]) > 0)
                most = i;
        amounts[most]++;
        rests[most] = (money_sum){ { 0 } };
    }
    memcpy(ret_parts, amounts, count * sizeof *amounts);
    *ret_total = total;
    return true;
}
