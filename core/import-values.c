/* What a row says, and the sample that is made of it. */
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "import-fields.h"
#include "import-private.h"
#include "plain-text.h"

void
import_values_init(import_values *v)
{
    *v = (import_values){ .itl_ns = g_array_new(false, false, sizeof(int64_t)) };
}

void
import_values_clear(import_values *v)
{
    if (v->itl_ns != NULL)
        g_array_unref(v->itl_ns);
    v->itl_ns = NULL;
}

struct cell {
    const char *text, *path, *column;
    uint64_t line;
    double unit_ns;
};

static bool
cell_fail(const struct cell *c, const char *expected, GError **error)
{
    return import_fail(c->path, c->line, error, "%s: expected %s, got '%.*s'", c->column,
                       expected, plain_text_cut(c->text, 60), c->text);
}

/* Words that stand for nothing in exported tables. */
static bool
is_nothing(const char *text)
{
    static const char *const words[] = { "null", "none", "nan", "n/a", "-" };

    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strcasecmp(text, words[i]) == 0)
            return true;
    return false;
}

static bool
parse_number(const char *text, double *ret)
{
    char *end;

    *ret = g_ascii_strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*ret);
}

static bool
read_time(const struct cell *c, int64_t *ret_ns, GError **error)
{
    double value;

    if (!parse_number(c->text, &value) || value < 0 || value * c->unit_ns > 9e18)
        return cell_fail(c, "a time of 0 or more", error);
    *ret_ns = llround(value * c->unit_ns);
    return true;
}

static bool
read_count(const struct cell *c, int64_t *ret, GError **error)
{
    double value;

    if (!parse_number(c->text, &value) || value < 0 || value > 9e15 ||
        value != floor(value))
        return cell_fail(c, "a whole number of 0 or more", error);
    *ret = (int64_t)value;
    return true;
}

static bool
read_flag(const struct cell *c, bool *ret, GError **error)
{
    static const char *const yes[] = { "true", "1", "yes", "ok", "success" };
    static const char *const no[] = { "false", "0", "no", "failed", "error" };

    for (size_t i = 0; i < G_N_ELEMENTS(yes); i++) {
        if (g_ascii_strcasecmp(c->text, yes[i]) == 0) {
            *ret = true;
            return true;
        }
        if (g_ascii_strcasecmp(c->text, no[i]) == 0) {
            *ret = false;
            return true;
        }
    }
    return cell_fail(c, "true or false", error);
}

/* Seconds, ms, us or ns since 1970 by their size; below that seconds since any moment. */
static double
unit_by_size(double value)
{
    return value >= 1e17 ? 1 : value >= 1e14 ? 1e3 : value >= 1e11 ? 1e6 : 1e9;
}

/* Through whole seconds: a double has no room for the ns of a date. */
static int64_t
moment_ns(const char *text, double value, double unit_ns)
{
    const double seconds = floor(value * unit_ns / 1e9);

    if (unit_ns == 1 && strpbrk(text, ".eE") == NULL)
        return g_ascii_strtoll(text, NULL, 10);
    return (int64_t)seconds * INT64_C(1000000000) +
           llround((value - seconds * (1e9 / unit_ns)) * unit_ns);
}

static bool
read_moment(const struct cell *c, int64_t *ret_ns, GError **error)
{
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) date = NULL;
    g_autofree char *with_t = NULL;
    double value;

    if (parse_number(c->text, &value) && value >= 0) {
        const double unit = c->unit_ns > 0 ? c->unit_ns : unit_by_size(value);

        if (value * unit > 9e18)
            return cell_fail(c, "a time that fits 64 bits of ns", error);
        *ret_ns = moment_ns(c->text, value, unit);
        return true;
    }
    with_t = g_strdelimit(g_strdup(c->text), " ", 'T');
    date = g_date_time_new_from_iso8601(with_t, utc);
    if (date == NULL)
        return cell_fail(c, "a number or a date like 2026-01-02T03:04:05.678Z", error);
    *ret_ns = g_date_time_to_unix(date) * INT64_C(1000000000) +
              g_date_time_get_microsecond(date) * INT64_C(1000);
    return true;
}

/* "[1, 2]", "1;2" or "1 2". */
static bool
read_times(const struct cell *c, GArray *ret_ns, GError **error)
{
    g_auto(GStrv) parts = g_strsplit_set(c->text, "[],; ", -1);

    for (char **part = parts; *part != NULL; part++) {
        struct cell one = *c;
        int64_t ns;

        if (**part == '\0')
            continue;
        one.text = *part;
        if (!read_time(&one, &ns, error))
            return false;
        g_array_append_val(ret_ns, ns);
    }
    return true;
}

static double
unit_of_word(const char *word)
{
    static const struct {
        const char *word;
        double ns;
    } words[] = {
        { "ns", 1 },    { "us", 1e3 },      { "ms", 1e6 },          { "s", 1e9 },
        { "sec", 1e9 }, { "seconds", 1e9 }, { "milliseconds", 1e6 }
    };

    for (size_t i = 0; word != NULL && i < G_N_ELEMENTS(words); i++)
        if (g_ascii_strcasecmp(word, words[i].word) == 0)
            return words[i].ns;
    return 0;
}

/* Beside "x.value" stands "x.unit". */
static double
unit_beside(const import_row *row, const char *column)
{
    g_autofree char *beside = NULL;

    if (!g_str_has_suffix(column, ".value"))
        return 0;
    beside =
        g_strdup_printf("%.*s.unit", (int)(strlen(column) - strlen(".value")), column);
    return unit_of_word(g_hash_table_lookup(row->cells, beside));
}

/* false: the row has nothing there. */
static bool
find_cell(const import_map *m, enum import_field field, const import_row *row,
          const char *path, struct cell *ret)
{
    const char *column = m->fields[field].column;
    const char *text = column != NULL ? g_hash_table_lookup(row->cells, column) : NULL;

    if (text == NULL || is_nothing(text))
        return false;
    *ret = (struct cell){ text, path, column, row->line, m->fields[field].unit_ns };
    if (ret->unit_ns == 0 && import_fields[field].kind != FIELD_MOMENT)
        ret->unit_ns = unit_beside(row, column);
    return true;
}

struct slots {
    int64_t *numbers[FIELD_COUNT];
    bool *flags[FIELD_COUNT];
    const char **texts[FIELD_COUNT];
};

static struct slots
slots_of(import_values *v)
{
    return (struct slots){
        .numbers = { [FIELD_START] = &v->start_ns,
                     [FIELD_DUE] = &v->due_ns,
                     [FIELD_END] = &v->end_ns,
                     [FIELD_TTFT] = &v->ttft_ns,
                     [FIELD_TTFB] = &v->ttfb_ns,
                     [FIELD_E2E] = &v->e2e_ns,
                     [FIELD_TPOT] = &v->tpot_ns,
                     [FIELD_INPUT_TOKENS] = &v->input_tokens,
                     [FIELD_OUTPUT_TOKENS] = &v->output_tokens,
                     [FIELD_CACHED_TOKENS] = &v->cached_tokens,
                     [FIELD_REASONING_TOKENS] = &v->reasoning_tokens,
                     [FIELD_STATUS] = &v->status },
        .flags = { [FIELD_OK] = &v->ok, [FIELD_CANCELLED] = &v->cancelled },
        .texts = { [FIELD_ERROR] = &v->error,
                   [FIELD_ERROR_KIND] = &v->error_kind,
                   [FIELD_MODEL] = &v->model,
                   [FIELD_TARGET] = &v->target,
                   [FIELD_STAGE] = &v->stage,
                   [FIELD_PHASE] = &v->phase,
                   [FIELD_ID] = &v->id,
                   [FIELD_FINISH] = &v->finish },
    };
}

static bool
read_cell(import_values *v, const struct slots *slots, enum import_field field,
          const struct cell *c, GError **error)
{
    switch (import_fields[field].kind) {
    case FIELD_MOMENT:
        return read_moment(c, slots->numbers[field], error);
    case FIELD_TIME:
    case FIELD_TIMES:
        if (c->unit_ns == 0)
            return cell_fail(c, "a unit beside the value", error);
        return import_fields[field].kind == FIELD_TIME
                   ? read_time(c, slots->numbers[field], error)
                   : read_times(c, v->itl_ns, error);
    case FIELD_NUMBER:
        return read_count(c, slots->numbers[field], error);
    case FIELD_FLAG:
        g_assert(slots->flags[field] != NULL);
        return read_flag(c, slots->flags[field], error);
    case FIELD_TEXT:
        g_assert(slots->texts[field] != NULL);
        *slots->texts[field] = c->text;
        return true;
    }
    return false;
}

/* What follows from what is there. */
static void
complete(import_values *v)
{
    if (v->e2e_ns == NEVER && v->start_ns != NEVER && v->end_ns >= v->start_ns)
        v->e2e_ns = v->end_ns - v->start_ns;
    if (v->start_ns == NEVER && v->end_ns != NEVER && v->e2e_ns != NEVER)
        v->start_ns = MAX(v->end_ns - v->e2e_ns, 0);
    if (v->error != NULL || v->error_kind != NULL || v->status >= 400)
        v->ok = false;
}

bool
import_values_read(import_values *v, const import_map *m, const import_row *row,
                   const char *path, GError **error)
{
    GArray *itl = v->itl_ns;
    const struct slots slots = slots_of(v);

    g_array_set_size(itl, 0);
    *v = (import_values){ .itl_ns = itl, .ok = true };
    for (int f = 0; f < FIELD_COUNT; f++) {
        struct cell c;

        if (slots.numbers[f] != NULL)
            *slots.numbers[f] = NEVER;
        if (find_cell(m, (enum import_field)f, row, path, &c) &&
            !read_cell(v, &slots, (enum import_field)f, &c, error))
            return false;
    }
    complete(v);
    return true;
}
