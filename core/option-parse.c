/* The scalar forms of option.h. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "chrono.h"
#include "error.h"
#include "option.h"

struct unit {
    const char *name;
    int64_t factor;
};

static const struct unit duration_units[] = {
    { "ns", 1 },
    { "us", NS_PER_US },
    { "\xc2\xb5s", NS_PER_US },
    { "ms", NS_PER_MS },
    { "s", NS_PER_S },
    { "m", 60 * NS_PER_S },
    { "h", 3600 * NS_PER_S },
};

static const struct unit size_units[] = {
    { "", 1 },
    { "B", 1 },
    { "kB", 1000 },
    { "MB", 1000 * 1000 },
    { "GB", 1000 * 1000 * 1000 },
    { "KiB", 1024 },
    { "MiB", 1024 * 1024 },
    { "GiB", 1024 * 1024 * 1024 },
};

static bool
refuse(GError **error, const char *expected, const char *text)
{
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "expected %s, got `%s`", expected,
                text);
    return false;
}

/* Where "123" or "1.5" ends; NULL: that is no number. */
static const char *
number_end(const char *text)
{
    const char *at = text;

    while (g_ascii_isdigit(*at))
        at++;
    if (at == text)
        return NULL;
    if (*at == '.' && g_ascii_isdigit(at[1]))
        for (at++; g_ascii_isdigit(*at);)
            at++;
    return at;
}

/* The number up to `end` times `factor`, exact, rounded to the nearest integer. */
static bool
scale(const char *text, const char *end, int64_t factor, int64_t *ret)
{
    __int128 whole = 0, fraction = 0, weight = 1;

    for (; text < end && *text != '.'; text++) {
        whole = whole * 10 + (*text - '0');
        if (whole > INT64_MAX)
            return false;
    }
    /* Twenty digits are finer than any unit; with any factor they fit 128 bits. */
    for (int digit = 0; text + 1 < end && digit < 20; digit++) {
        fraction = fraction * 10 + (*++text - '0');
        weight *= 10;
    }
    whole = whole * factor + (fraction * factor + weight / 2) / weight;
    if (whole > INT64_MAX)
        return false;
    *ret = (int64_t)whole;
    return true;
}

static bool
parse_scaled(const char *text, const struct unit *units, size_t unit_count,
             const char *expected, int64_t *ret, GError **error)
{
    const char *end = number_end(text);

    for (size_t i = 0; end != NULL && i < unit_count; i++) {
        if (strcmp(end, units[i].name) != 0)
            continue;
        if (scale(text, end, units[i].factor, ret))
            return true;
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "`%s` is too large", text);
        return false;
    }
    return refuse(error, expected, text);
}

bool
parse_duration(const char *text, int64_t *ret_ns, GError **error)
{
    const char *end = number_end(text);

    if (strcmp(text, "0") == 0) {
        *ret_ns = 0;
        return true;
    }
    if (end != NULL && *end == '\0') {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "the duration `%s` has no unit; write %ss or %sms", text, text, text);
        return false;
    }
    return parse_scaled(text, duration_units, G_N_ELEMENTS(duration_units),
                        "a duration like 250ms, 10s, 5m or 1h", ret_ns, error);
}

bool
parse_size(const char *text, int64_t *ret_bytes, GError **error)
{
    return parse_scaled(text, size_units, G_N_ELEMENTS(size_units),
                        "a size like 64KiB, 10MiB, 1GiB, 10kB or 4096", ret_bytes, error);
}

bool
parse_int(const char *text, int64_t *ret, GError **error)
{
    const char *digits = text + (*text == '-');
    char *end;
    long long value;

    if (!g_ascii_isdigit(*digits))
        return refuse(error, "a whole number", text);
    errno = 0;
    value = strtoll(text, &end, 10);
    if (*end != '\0')
        return refuse(error, "a whole number", text);
    if (errno == ERANGE) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "`%s` is too large", text);
        return false;
    }
    *ret = value;
    return true;
}

bool
parse_double(const char *text, double *ret, GError **error)
{
    const char *digits = text + (*text == '-');
    char *end;
    double value;

    /* Neither white space, hexadecimal forms, inf nor nan. */
    if ((!g_ascii_isdigit(*digits) && *digits != '.') ||
        strspn(text, "0123456789+-.eE") != strlen(text))
        return refuse(error, "a number", text);
    value = g_ascii_strtod(text, &end);
    if (end == text || *end != '\0')
        return refuse(error, "a number", text);
    if (!isfinite(value)) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "`%s` is too large", text);
        return false;
    }
    *ret = value;
    return true;
}

bool
parse_bool(const char *text, bool *ret, GError **error)
{
    const bool value = strcmp(text, "true") == 0;

    if (!value && strcmp(text, "false") != 0)
        return refuse(error, "true or false", text);
    *ret = value;
    return true;
}

char *
format_duration(int64_t ns)
{
    static const struct unit exact[] = { { "h", 3600 * NS_PER_S },
                                         { "m", 60 * NS_PER_S } };
    static const struct unit any[] = {
        { "s", NS_PER_S }, { "ms", NS_PER_MS }, { "us", NS_PER_US }, { "ns", 1 }
    };
    const char *sign = ns < 0 ? "-" : "";
    const uint64_t size = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;

    if (size == 0)
        return g_strdup("0s");
    for (size_t i = 0; i < G_N_ELEMENTS(exact); i++) {
        if (size % (uint64_t)exact[i].factor == 0)
            return g_strdup_printf("%s%" G_GUINT64_FORMAT "%s", sign,
                                   size / (uint64_t)exact[i].factor, exact[i].name);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(any); i++) {
        char digits[G_ASCII_DTOSTR_BUF_SIZE];
        char *end;

        if (size < (uint64_t)any[i].factor)
            continue;
        g_ascii_formatd(digits, sizeof digits, "%.3f",
                        (double)size / (double)any[i].factor);
        for (end = digits + strlen(digits) - 1; *end == '0'; end--)
            *end = '\0';
        if (*end == '.')
            *end = '\0';
        return g_strdup_printf("%s%s%s", sign, digits, any[i].name);
    }
    return NULL;
}
