#include "scalar.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "error.h"
#include "json-check.h"
#include "option.h"

/* Splits "MIN..MAX"; an end that is missing becomes NULL. */
static void
split_range(const char *range, char **ret_least, char **ret_most)
{
    const char *dots = range != NULL ? strstr(range, "..") : NULL;

    *ret_least = *ret_most = NULL;
    if (dots == NULL)
        return;
    if (dots > range)
        *ret_least = g_strndup(range, (size_t)(dots - range));
    if (dots[2] != '\0')
        *ret_most = g_strdup(dots + 2);
}

static bool
outside(const char *least, const char *most, const char *text, GError **error)
{
    if (least != NULL && most != NULL)
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "expected %s to %s, got '%s'",
                    least, most, text);
    else
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "expected %s%s, got '%s'",
                    least != NULL ? "at least " : "at most ",
                    least != NULL ? least : most, text);
    return false;
}

typedef bool (*parse_fn)(const char *text, int64_t *ret, GError **error);

static bool
parse_within(parse_fn parse, const char *range, const char *text, int64_t *ret,
             GError **error)
{
    g_autofree char *least = NULL, *most = NULL;
    int64_t value = 0, low = INT64_MIN, high = INT64_MAX;

    if (!parse(text, &value, error))
        return false;
    split_range(range, &least, &most);
    if ((least != NULL && !parse(least, &low, error)) ||
        (most != NULL && !parse(most, &high, error)))
        return false;
    if (value < low || value > high)
        return outside(least, most, text, error);
    *ret = value;
    return true;
}

static bool
parse_double_within(const char *range, const char *text, double *ret, GError **error)
{
    g_autofree char *least = NULL, *most = NULL;
    double value = 0, low = -INFINITY, high = INFINITY;

    if (!parse_double(text, &value, error))
        return false;
    split_range(range, &least, &most);
    if ((least != NULL && !parse_double(least, &low, error)) ||
        (most != NULL && !parse_double(most, &high, error)))
        return false;
    if (!(value >= low && value <= high))
        return outside(least, most, text, error);
    *ret = value;
    return true;
}

static bool
parse_choice(const char *choices, const char *text, int64_t *ret, GError **error)
{
    g_auto(GStrv) names = g_strsplit(choices, "|", -1);
    g_autofree char *shown = NULL;

    for (int64_t i = 0; names[i] != NULL; i++)
        if (g_str_equal(names[i], text)) {
            *ret = i;
            return true;
        }
    shown = g_strjoinv(", ", names);
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "expected one of %s, got '%s'",
                shown, text);
    return false;
}

static bool
parse_unsigned(const char *text, uint64_t *ret, GError **error)
{
    g_autoptr(GError) cause = NULL;

    if (!g_ascii_string_to_unsigned(text, 10, 0, UINT64_MAX, ret, &cause)) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "expected a number from 0 to 18446744073709551615, got '%s'", text);
        return false;
    }
    return true;
}

static bool
parse_object(const char *text, GError **error)
{
    size_t at;
    const char *expected = json_check(text, &at);

    if (expected != NULL) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "expected a JSON object: at byte %zu %s was expected", at, expected);
        return false;
    }
    if (text[strspn(text, " \t\n\r")] != '{') {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "expected a JSON object, for instance {\"top_k\": 5}");
        return false;
    }
    return true;
}

static bool
parse_list(const char *range, const char *text, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    int64_t ignored;

    for (unsigned i = 0; parts[i] != NULL; i++)
        if (!parse_within(parse_int, range, parts[i], &ignored, error))
            return false;
    if (parts[0] == NULL) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "expected numbers with commas between, for instance 1,64,256");
        return false;
    }
    return true;
}

static bool
parse_count_or_duration(const char *text, scalar_value *ret, GError **error)
{
    ret->is_duration = text[strspn(text, "0123456789")] != '\0';
    if (!ret->is_duration)
        return parse_within(parse_int, "0..", text, &ret->number, error);
    if (parse_within(parse_duration, "0s..", text, &ret->number, NULL))
        return true;
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                "expected a number of requests (10) or a duration (10s), got '%s'", text);
    return false;
}

static bool
parse_switch(const char *text, int64_t *ret, GError **error)
{
    bool on;

    if (!parse_bool(text, &on, error))
        return false;
    *ret = on;
    return true;
}

static bool
parse_int_or_off(const char *range, const char *text, int64_t *ret, GError **error)
{
    if (g_str_equal(text, "off")) {
        *ret = -1;
        return true;
    }
    if (parse_within(parse_int, range, text, ret, NULL))
        return true;
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "expected a number or off, got '%s'",
                text);
    return false;
}

static bool
parse_any(enum scalar type, const char *range, const char *text, scalar_value *ret,
          GError **error)
{
    switch (type) {
    case SCALAR_SWITCH:
        return parse_switch(text, &ret->number, error);
    case SCALAR_INT:
        return parse_within(parse_int, range, text, &ret->number, error);
    case SCALAR_DOUBLE:
        return parse_double_within(range, text, &ret->real, error);
    case SCALAR_DURATION:
        return parse_within(parse_duration, range, text, &ret->number, error);
    case SCALAR_SIZE:
        return parse_within(parse_size, range, text, &ret->number, error);
    case SCALAR_CHOICE:
        return parse_choice(range, text, &ret->number, error);
    case SCALAR_UNSIGNED:
        return parse_unsigned(text, &ret->bits, error);
    case SCALAR_OBJECT:
        return parse_object(text, error);
    case SCALAR_COUNT_OR_DURATION:
        return parse_count_or_duration(text, ret, error);
    case SCALAR_INT_OR_OFF:
        return parse_int_or_off(range, text, &ret->number, error);
    case SCALAR_INT_LIST:
        return parse_list(range, text, error);
    case SCALAR_PATH:
        if (text[0] != '\0')
            return true;
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "expected the name of a file");
        return false;
    case SCALAR_STRING:
        break;
    }
    return true;
}

bool
scalar_parse(enum scalar type, const char *range, const char *text, scalar_value *ret,
             GError **error)
{
    scalar_value value = { 0 };

    if (!g_utf8_validate(text, -1, NULL)) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "is not valid UTF-8");
        return false;
    }
    if (!parse_any(type, range, text, &value, error))
        return false;
    *ret = value;
    return true;
}
