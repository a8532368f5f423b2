#include "slo.h"

#include <math.h>
#include <string.h>

#include "error.h"
#include "option.h"

/* Numbers of the result itself; they take no stat. */
static const struct {
    const char *id, *unit;
} numbers[] = {
    { "errors", "ratio" },
    { "goodput", "ratio" },
    { "requests_per_s", "req/s" },
    { "output_tokens_per_s", "tok/s" },
    { "input_tokens_per_s", "tok/s" },
};
static const char *const stats[] = { "min", "mean", "stddev", "p50", "p75",   "p90",
                                     "p95", "p99",  "p99_9",  "max", "count", NULL };
static const struct {
    const char *suffix, *unit;
    double factor; /* to the unit */
} suffixes[] = {
    { "", "ms", 1 },       { "ns", "ms", 1e-6 },    { "us", "ms", 1e-3 },
    { "ms", "ms", 1 },     { "s", "ms", 1e3 },      { "m", "ms", 6e4 },
    { "h", "ms", 3.6e6 },  { "", "ratio", 1 },      { "%", "ratio", 1e-2 },
    { "", "tok/s", 1 },    { "tok/s", "tok/s", 1 }, { "/s", "tok/s", 1 },
    { "", "req/s", 1 },    { "req/s", "req/s", 1 }, { "/s", "req/s", 1 },
    { "", "requests", 1 },
};

static bool refuse(GError **error, const char *text, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

static bool
refuse(GError **error, const char *text, const char *format, ...)
{
    g_autofree char *why = NULL;
    va_list list;

    va_start(list, format);
    why = g_strdup_vprintf(format, list);
    va_end(list);
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE, "slo '%s': %s", text, why);
    return false;
}

static const char *
number_unit(const char *id)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++) {
        if (strcmp(numbers[i].id, id) == 0)
            return numbers[i].unit;
    }
    return NULL;
}

static const char *
nearest_metric(const char *word)
{
    const char *names[METRIC_COUNT + G_N_ELEMENTS(numbers) + 1];
    unsigned used = 0;

    for (unsigned m = 0; m < METRIC_COUNT; m++)
        names[used++] = metric_get((enum metric)m)->id;
    for (unsigned i = 0; i < G_N_ELEMENTS(numbers); i++)
        names[used++] = numbers[i].id;
    names[used] = NULL;
    return nearest_name(word, names);
}

static bool
check_stat(slo *s, GError **error)
{
    const char *near;

    g_strdelimit(s->stat, ".", '_');
    if (g_strv_contains(stats, s->stat) || !isnan(metric_quantile_of(s->stat)))
        return true;
    near = nearest_name(s->stat, stats);
    return refuse(error, s->text, "'%s' is no statistic, did you mean '%s'", s->stat,
                  near != NULL ? near : "p99");
}

/* Splits "METRIC.STAT" and finds what it is. */
static bool
take_name(slo *s, const char *name, GError **error)
{
    const char *dot = strchr(name, '.');
    const enum metric m = metric_from_id(
        s->metric = dot != NULL ? g_strndup(name, (gsize)(dot - name)) : g_strdup(name));
    const char *near;

    s->stat = dot != NULL ? g_strdup(dot + 1) : NULL;
    s->unit = number_unit(s->metric);
    if (s->unit != NULL) {
        return dot == NULL || refuse(error, s->text, "'%s' has no statistics, write '%s'",
                                     s->metric, s->metric);
    }
    if (m == METRIC_COUNT) {
        near = nearest_metric(s->metric);
        return near != NULL
                   ? refuse(error, s->text, "'%s' is no metric, did you mean '%s'",
                            s->metric, near)
                   : refuse(error, s->text,
                            "'%s' is no metric, expected one like ttft, itl, "
                            "tpot, e2e, errors or goodput",
                            s->metric);
    }
    s->unit = metric_get(m)->unit;
    s->per_request = s->stat == NULL;
    if (s->per_request)
        return m != METRIC_LAG || refuse(error, s->text,
                                         "'lag' belongs to the client and not to a "
                                         "request, write 'lag.p99'");
    if (!check_stat(s, error))
        return false;
    if (strcmp(s->stat, "count") == 0)
        s->unit = "requests";
    return true;
}

static bool
take_value(slo *s, const char *value, GError **error)
{
    char *end;
    const double number = g_ascii_strtod(value, &end);

    if (end == value || !isfinite(number) || !g_ascii_isdigit(end[-1]) ||
        g_ascii_isalpha(value[0]) || strpbrk(value, "xX") != NULL)
        return refuse(error, s->text, "'%s' is no number, expected one like %s", value,
                      strcmp(s->unit, "ms") == 0      ? "500ms"
                      : strcmp(s->unit, "ratio") == 0 ? "1%"
                                                      : "1000");
    if (number < 0)
        return refuse(error, s->text, "'%s' is below 0", value);
    for (unsigned i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        if (strcmp(suffixes[i].suffix, end) == 0 &&
            strcmp(suffixes[i].unit, s->unit) == 0) {
            s->value = number * suffixes[i].factor;
            return strcmp(s->unit, "ratio") != 0 || s->value <= 1 ||
                   refuse(error, s->text, "'%s' is more than 100%%, write '%g%%'", value,
                          number);
        }
    }
    return refuse(error, s->text, "'%s' does not fit, '%s' is told in %s", end, s->metric,
                  strcmp(s->unit, "ms") == 0      ? "ns, us, ms, s, m or h"
                  : strcmp(s->unit, "ratio") == 0 ? "% or as a ratio"
                                                  : s->unit);
}

static char *
without_spaces(const char *text)
{
    GString *out = g_string_new(NULL);

    for (; *text != '\0'; text++) {
        if (!g_ascii_isspace(*text))
            g_string_append_c(out, *text);
    }
    return g_string_free(out, FALSE);
}

slo *
slo_parse(const char *text, GError **error)
{
    slo *s = g_new0(slo, 1);
    g_autofree char *name = NULL;
    const char *op;

    s->text = without_spaces(text);
    op = strpbrk(s->text, "<>=");
    if (op == NULL || op == s->text || *op == '=') {
        refuse(error, s->text,
               "expected METRIC.STAT OP VALUE, like ttft.p99<500ms, with "
               "one of < <= > >=");
        slo_free(s);
        return NULL;
    }
    s->op =
        *op == '<' ? (op[1] == '=' ? SLO_LE : SLO_LT) : (op[1] == '=' ? SLO_GE : SLO_GT);
    name = g_strndup(s->text, (gsize)(op - s->text));
    if (!take_name(s, name, error) ||
        !take_value(s, op + (op[1] == '=' ? 2 : 1), error)) {
        slo_free(s);
        return NULL;
    }
    return s;
}

void
slo_free(slo *s)
{
    if (s == NULL)
        return;
    g_free(s->text);
    g_free(s->metric);
    g_free(s->stat);
    g_free(s);
}

bool
slo_met(const slo *s, double value)
{
    if (isnan(value))
        return false;
    switch (s->op) {
    case SLO_LT:
        return value < s->value;
    case SLO_LE:
        return value <= s->value;
    case SLO_GT:
        return value > s->value;
    case SLO_GE:
        return value >= s->value;
    }
    return false;
}
