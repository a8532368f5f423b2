#include <stdlib.h>
#include <string.h>

#include "json-scan.h"

/* No more digits than these decide how a double is rounded; what follows only matters by
 * being zero or not. */
#define DIGITS_KEPT 768

/* A number as digits times a power of ten. */
struct decimal {
    char digits[DIGITS_KEPT + 1]; /* without zeros in front */
    size_t count;
    int64_t exponent;
    int negative;
};

static void
add_digit(struct decimal *d, char digit, int in_fraction)
{
    if (digit == '0' && d->count == 0) {
        d->exponent -= in_fraction;
    } else if (d->count < DIGITS_KEPT) {
        d->digits[d->count++] = digit;
        d->exponent -= in_fraction;
    } else {
        if (digit != '0')
            d->digits[DIGITS_KEPT] = '1';
        d->exponent += !in_fraction;
    }
}

/* The written exponent, held far inside of what 64 bits can hold. */
static int64_t
read_exponent(const char *at, const char *end)
{
    const int negative = *at == '-';
    int64_t value = 0;

    for (at += *at == '-' || *at == '+'; at < end; at++)
        if (value < INT64_C(1000000000000))
            value = value * 10 + (*at - '0');
    return negative ? -value : value;
}

static void
read_decimal(struct lens_bytes text, struct decimal *d)
{
    const char *at = text.data, *end = at + text.size;
    int in_fraction = 0;

    d->count = 0;
    d->exponent = 0;
    d->digits[DIGITS_KEPT] = '0';
    d->negative = *at == '-';
    for (at += d->negative; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.')
            in_fraction = 1;
        else
            add_digit(d, *at, in_fraction);
    }
    if (at < end)
        d->exponent += read_exponent(at + 1, end);
}

/* Whole numbers of up to 18 digits, which is nearly all of them. */
static int
read_short_int(struct lens_bytes text, int64_t *ret)
{
    const int negative = text.data[0] == '-';
    int64_t value = 0;

    if (text.size > 18)
        return 0;
    for (size_t i = (size_t)negative; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return 0;
        value = value * 10 + (text.data[i] - '0');
    }
    *ret = negative ? -value : value;
    return 1;
}

int
lens_number_to_int(struct lens_bytes text, int64_t *ret)
{
    struct decimal d;
    uint64_t value = 0, limit;

    if (read_short_int(text, ret))
        return 1;
    read_decimal(text, &d);
    if (d.count == DIGITS_KEPT && d.digits[DIGITS_KEPT] != '0')
        return 0;
    while (d.count > 0 && d.digits[d.count - 1] == '0') {
        d.count--;
        d.exponent++;
    }
    if (d.count == 0) {
        *ret = 0;
        return 1;
    }
    if (d.exponent < 0 || d.exponent > 19 || d.count + (size_t)d.exponent > 19)
        return 0;
    for (size_t i = 0; i < d.count; i++)
        value = value * 10 + (uint64_t)(d.digits[i] - '0');
    for (; d.exponent > 0; d.exponent--)
        value *= 10;
    limit = (uint64_t)INT64_MAX + (uint64_t)d.negative;
    if (value > limit)
        return 0;
    *ret = d.negative ? (int64_t)(0 - value) : (int64_t)value;
    return 1;
}

/* Mantissa and power of ten are both exact in a double here, so one operation rounds
 * once. */
static int
read_exact_double(const struct decimal *d, double *ret)
{
    static const double powers[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                     1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                     1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };
    uint64_t mantissa = 0;

    if (d->count > 15 || d->exponent < -22 || d->exponent > 22)
        return 0;
    for (size_t i = 0; i < d->count; i++)
        mantissa = mantissa * 10 + (uint64_t)(d->digits[i] - '0');
    *ret = d->exponent < 0 ? (double)mantissa / powers[-d->exponent]
                           : (double)mantissa * powers[d->exponent];
    return 1;
}

double
lens_number_to_double(struct lens_bytes text)
{
    /* Digits, one that stands for all that were left out, "e", exponent. */
    char plain[DIGITS_KEPT + 32];
    struct decimal d;
    double value;
    int64_t exponent;
    size_t used;

    read_decimal(text, &d);
    if (!read_exact_double(&d, &value)) {
        memcpy(plain, d.digits, d.count);
        used = d.count;
        exponent = d.exponent;
        if (d.count == DIGITS_KEPT && d.digits[DIGITS_KEPT] != '0') {
            plain[used++] = '1';
            exponent--;
        }
        if (exponent > 100000)
            exponent = 100000;
        if (exponent < -100000)
            exponent = -100000;
        plain[used++] = 'e';
        if (exponent < 0) {
            plain[used++] = '-';
            exponent = -exponent;
        }
        for (int64_t unit = 100000; unit > 0; unit /= 10)
            plain[used++] = (char)('0' + exponent / unit % 10);
        plain[used] = '\0';
        /* Without a decimal point the locale has no say. */
        value = strtod(plain, NULL);
    }
    return d.negative ? -value : value;
}
