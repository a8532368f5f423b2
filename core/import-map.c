/* Which column holds which field: what the user says, what is known of other tools, what
 * names tell. */
#include <json-glib/json-glib.h>
#include <string.h>

#include "error.h"
#include "import-fields.h"
#include "import.h"
#include "option.h"

#define NS 1.0
#define US 1e3
#define MS 1e6
#define SECOND 1e9

const struct field_info import_fields[FIELD_COUNT] = {
    [FIELD_START] = { "start", FIELD_MOMENT },
    [FIELD_DUE] = { "due", FIELD_MOMENT },
    [FIELD_END] = { "end", FIELD_MOMENT },
    [FIELD_TTFT] = { "ttft", FIELD_TIME },
    [FIELD_TTFB] = { "ttfb", FIELD_TIME },
    [FIELD_E2E] = { "e2e", FIELD_TIME },
    [FIELD_TPOT] = { "tpot", FIELD_TIME },
    [FIELD_ITL] = { "itl", FIELD_TIMES },
    [FIELD_INPUT_TOKENS] = { "input_tokens", FIELD_NUMBER },
    [FIELD_OUTPUT_TOKENS] = { "output_tokens", FIELD_NUMBER },
    [FIELD_CACHED_TOKENS] = { "cached_tokens", FIELD_NUMBER },
    [FIELD_REASONING_TOKENS] = { "reasoning_tokens", FIELD_NUMBER },
    [FIELD_OK] = { "ok", FIELD_FLAG },
    [FIELD_CANCELLED] = { "cancelled", FIELD_FLAG },
    [FIELD_ERROR] = { "error", FIELD_TEXT },
    [FIELD_ERROR_KIND] = { "error_kind", FIELD_TEXT },
    [FIELD_STATUS] = { "status", FIELD_NUMBER },
    [FIELD_MODEL] = { "model", FIELD_TEXT },
    [FIELD_TARGET] = { "target", FIELD_TEXT },
    [FIELD_STAGE] = { "stage", FIELD_TEXT },
    [FIELD_PHASE] = { "phase", FIELD_TEXT },
    [FIELD_ID] = { "id", FIELD_TEXT },
    [FIELD_FINISH] = { "finish", FIELD_TEXT },
};

static const struct {
    const char *suffix;
    double ns;
} units[] = {
    { "_unix_ns", NS }, { "_unix_us", US },     { "_unix_ms", MS },  { "_unix", SECOND },
    { "_ns", NS },      { "_us", US },          { "_ms", MS },       { "_s", SECOND },
    { "_sec", SECOND }, { "_seconds", SECOND }, { "_msec", MS },     { "_millis", MS },
    { "_nanos", NS },   { " (ms)", MS },        { " (s)", SECOND },  { "(ms)", MS },
    { "(s)", SECOND },  { "_in_ms", MS },       { "_in_s", SECOND },
};

double
import_unit_of(const char *name, size_t *ret_stem)
{
    for (size_t i = 0; i < G_N_ELEMENTS(units); i++)
        if (g_str_has_suffix(name, units[i].suffix)) {
            *ret_stem = strlen(name) - strlen(units[i].suffix);
            return units[i].ns;
        }
    *ret_stem = strlen(name);
    return 0;
}

static bool
has_unit(enum import_field field)
{
    const enum field_kind kind = import_fields[field].kind;

    return kind == FIELD_MOMENT || kind == FIELD_TIME || kind == FIELD_TIMES;
}

/* "ttft_ms" is the field ttft in ms. FIELD_COUNT: there is no such field. */
static enum import_field
field_of(const char *name, double *ret_unit_ns)
{
    size_t stem;
    const double unit_ns = import_unit_of(name, &stem);

    for (int f = 0; f < FIELD_COUNT; f++) {
        const char *field = import_fields[f].name;

        *ret_unit_ns = 0;
        if (g_ascii_strcasecmp(name, field) == 0)
            return (enum import_field)f;
        *ret_unit_ns = unit_ns;
        if (unit_ns > 0 && has_unit((enum import_field)f) && strlen(field) == stem &&
            g_ascii_strncasecmp(name, field, stem) == 0)
            return (enum import_field)f;
    }
    return FIELD_COUNT;
}

static bool
unknown_field(const char *name, GError **error)
{
    const char *names[FIELD_COUNT + 1] = { NULL };
    const char *near;
    g_autofree char *all = NULL;
    size_t stem;
    g_autofree char *base = NULL;

    for (int f = 0; f < FIELD_COUNT; f++)
        names[f] = import_fields[f].name;
    all = g_strjoinv(" ", (char **)names);
    import_unit_of(name, &stem);
    base = g_strndup(name, stem);
    near = nearest_name(base, names);
    if (near != NULL)
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "--map: unknown field '%s', did you mean '%s'?", name, near);
    else
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "--map: unknown field '%s', expected one of: %s (times with _s, _ms, "
                    "_us or _ns)",
                    name, all);
    return false;
}

static const char *
find_column(const char *const *columns, const char *name)
{
    for (; *columns != NULL; columns++)
        if (g_ascii_strcasecmp(*columns, name) == 0)
            return *columns;
    return NULL;
}

/* Sets `field` if the column is there; "x" may stand for {"value", "unit"}. */
static bool
use_column(import_map *m, enum import_field field, double unit_ns, const char *name,
           const char *const *columns)
{
    g_autofree char *value = g_strconcat(name, ".value", NULL);
    const char *column = find_column(columns, name);
    size_t stem;

    if (column == NULL)
        column = find_column(columns, value);
    if (column == NULL)
        return false;
    if (unit_ns == 0 && has_unit(field))
        unit_ns = import_unit_of(column, &stem);
    g_free(m->fields[field].column);
    m->fields[field].column = g_strdup(column);
    m->fields[field].unit_ns = unit_ns;
    return true;
}

static bool
unknown_column(const char *name, const char *const *columns, GError **error)
{
    const char *near = nearest_name(name, columns);
    g_autofree char *all = g_strjoinv(", ", (char **)columns);

    if (near != NULL)
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "--map: there is no column '%s', did you mean '%s'?", name, near);
    else
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "--map: there is no column '%s', the file has: %s", name, all);
    return false;
}

/* `asked`: fields that the user decided on. */
static bool
map_one(import_map *m, const char *text, const char *const *columns, bool *asked,
        GError **error)
{
    const char *equals = strchr(text, '=');
    g_autofree char *name = NULL;
    enum import_field field;
    double unit_ns;

    if (equals == NULL) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "--map %s: expected FIELD=COLUMN, for instance ttft_ms=first_token",
                    text);
        return false;
    }
    name = g_strstrip(g_strndup(text, (gsize)(equals - text)));
    field = field_of(name, &unit_ns);
    if (field == FIELD_COUNT)
        return unknown_field(name, error);
    asked[field] = true;
    if (equals[1] == '\0')
        return true;
    return use_column(m, field, unit_ns, equals + 1, columns) ||
           unknown_column(equals + 1, columns, error);
}

static bool
map_asked(import_map *m, const char *const *texts, const char *const *columns,
          bool *asked, GError **error)
{
    for (; texts != NULL && *texts != NULL; texts++) {
        g_auto(GStrv) parts = g_strsplit(*texts, ",", -1);

        for (char **part = parts; *part != NULL; part++)
            if (**part != '\0' && !map_one(m, *part, columns, asked, error))
                return false;
    }
    return true;
}

static void
map_known(import_map *m, const struct known_column *known, const char *const *columns,
          const bool *asked)
{
    for (; known->field != NULL; known++) {
        double unit_ns;
        const enum import_field field = field_of(known->field, &unit_ns);

        if (!asked[field] && m->fields[field].column == NULL)
            use_column(m, field, unit_ns, known->column, columns);
    }
}

static void
map_dialect(import_map *m, const char *const *columns, const bool *asked)
{
    for (const struct dialect *d = import_dialects; d->name != NULL; d++) {
        bool found = true;

        for (const char *const *sign = d->signs; *sign != NULL; sign++)
            found = found && find_column(columns, *sign) != NULL;
        if (!found)
            continue;
        map_known(m, d->columns, columns, asked);
        m->dialect = d->name;
        return;
    }
}

/* A column that is called like a field, "ttft_ms" or "start". */
static void
map_same_names(import_map *m, const char *const *columns, const bool *asked)
{
    for (const char *const *c = columns; *c != NULL; c++) {
        g_autofree char *name = g_strdelimit(g_strdup(*c), "- ", '_');
        double unit_ns;
        const enum import_field field = field_of(name, &unit_ns);

        if (field < FIELD_COUNT && !asked[field] && m->fields[field].column == NULL &&
            (unit_ns > 0 || import_fields[field].kind == FIELD_MOMENT ||
             !has_unit(field)))
            use_column(m, field, unit_ns, *c, columns);
    }
}

static bool
check_units(const import_map *m, const char *const *columns, GError **error)
{
    for (int f = 0; f < FIELD_COUNT; f++) {
        const char *column = m->fields[f].column, *name = import_fields[f].name;

        if (column == NULL || m->fields[f].unit_ns > 0 ||
            import_fields[f].kind == FIELD_MOMENT || !has_unit((enum import_field)f) ||
            g_str_has_suffix(column, ".value"))
            continue;
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "--map %s=%s: the unit is not known, say %s_s=%s or %s_ms=%s", name,
                    column, name, column, name, column);
        return false;
    }
    if (m->fields[FIELD_TTFT].column == NULL && m->fields[FIELD_E2E].column == NULL &&
        m->fields[FIELD_END].column == NULL) {
        g_autofree char *all = g_strjoinv(", ", (char **)columns);

        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "no column is known for ttft or e2e: name them by --map "
                    "ttft_ms=COLUMN,e2e_ms=COLUMN; the file has: %s",
                    all);
        return false;
    }
    return true;
}

bool
import_map_make(const char *const *texts, const char *const *columns, import_map *ret_map,
                GError **error)
{
    import_map m = { 0 };
    bool asked[FIELD_COUNT] = { false };

    if (!map_asked(&m, texts, columns, asked, error)) {
        import_map_clear(&m);
        return false;
    }
    map_dialect(&m, columns, asked);
    map_same_names(&m, columns, asked);
    map_known(&m, import_common_columns, columns, asked);
    if (!check_units(&m, columns, error)) {
        import_map_clear(&m);
        return false;
    }
    *ret_map = m;
    return true;
}

void
import_map_clear(import_map *m)
{
    for (int f = 0; f < FIELD_COUNT; f++)
        g_free(m->fields[f].column);
    *m = (import_map){ 0 };
}

char *
import_map_to_json(const import_map *m)
{
    g_autoptr(JsonNode) root = json_node_new(JSON_NODE_OBJECT);
    JsonObject *object = json_object_new();

    for (int f = 0; f < FIELD_COUNT; f++)
        if (m->fields[f].column != NULL)
            json_object_set_string_member(object, import_fields[f].name,
                                          m->fields[f].column);
    json_node_take_object(root, object);
    return json_to_string(root, false);
}
