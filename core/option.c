#include "option.h"

#include <string.h>

#include "error.h"
#include "option-private.h"
#include "secret.h"

static void
slot_clear(void *data)
{
    option_slot *slot = data;

    g_clear_pointer(&slot->values, g_ptr_array_unref);
}

static GPtrArray *
values_new(void)
{
    return g_ptr_array_new_with_free_func((GDestroyNotify)option_value_free);
}

static option_slot *
slot_at(const option_values *v, unsigned index)
{
    return &g_array_index(v->slots, option_slot, index);
}

static option_slot *
find(const option_values *v, const char *name)
{
    for (unsigned i = 0; i < v->slots->len; i++)
        if (strcmp(slot_at(v, i)->option.name, name) == 0)
            return slot_at(v, i);
    return NULL;
}

option_values *
option_values_new(const struct lens_schema *schema, const char *owner)
{
    option_values *v = g_new0(option_values, 1);

    v->schema = schema;
    v->owner = g_strdup(owner);
    v->slots = g_array_new(FALSE, TRUE, sizeof(option_slot));
    g_array_set_clear_func(v->slots, slot_clear);
    for (uint32_t i = 0; i < schema->count; i++) {
        const option_slot slot = { .option = option_at(schema, i),
                                   .values = values_new() };

        g_array_append_val(v->slots, slot);
    }
    return v;
}

option_values *
option_values_copy(const option_values *v)
{
    option_values *copy = option_values_new(v->schema, v->owner);

    copy->finished = v->finished;
    for (unsigned i = 0; i < v->slots->len; i++) {
        const option_slot *from = slot_at(v, i);
        option_slot *to = slot_at(copy, i);

        to->source = from->source;
        to->ignore_variable = from->ignore_variable;
        for (unsigned n = 0; n < from->values->len; n++) {
            option_value *value =
                g_memdup2(g_ptr_array_index(from->values, n), sizeof(option_value));

            value->text = g_strdup(value->text);
            value->secret = g_strdup(value->secret);
            g_ptr_array_add(to->values, value);
        }
    }
    return copy;
}

void
option_values_free(option_values *v)
{
    if (v == NULL)
        return;
    g_array_unref(v->slots);
    g_free(v->owner);
    g_free(v);
}

static bool
refuse_name(const option_values *v, const char *name, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    const char *near;

    for (unsigned i = 0; i < v->slots->len; i++)
        g_ptr_array_add(names, (char *)slot_at(v, i)->option.name);
    g_ptr_array_add(names, NULL);
    near = nearest_name(name, (const char *const *)names->pdata);
    if (near != NULL) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "%s has no option `%s`; did you mean `%s`?", v->owner, name, near);
    } else if (names->len == 1) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "%s has no option `%s`; it has none at all", v->owner, name);
    } else {
        g_autofree char *list = g_strjoinv(", ", (char **)names->pdata);

        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "%s has no option `%s`; it has %s", v->owner, name, list);
    }
    return false;
}

static bool
slot_add(const option_values *v, option_slot *slot, const char *text, const char *origin,
         GError **error)
{
    option_value *value = option_value_parse(&slot->option, text, error);

    if (value == NULL) {
        g_prefix_error(error, "%s: option %s%s: ", v->owner, slot->option.name, origin);
        return false;
    }
    if ((slot->option.flags & LENS_OPT_REPEATABLE) == 0)
        g_ptr_array_set_size(slot->values, 0);
    g_ptr_array_add(slot->values, value);
    return true;
}

bool
option_values_set(option_values *v, const char *name, const char *text, GError **error)
{
    option_slot *slot = find(v, name);

    g_return_val_if_fail(!v->finished, false);
    if (slot == NULL)
        return refuse_name(v, name, error);
    if (!slot_add(v, slot, text, "", error))
        return false;
    slot->source = SOURCE_USER;
    return true;
}

void
option_values_unset(option_values *v, const char *name)
{
    option_slot *slot = find(v, name);

    if (slot == NULL)
        return;
    g_ptr_array_set_size(slot->values, 0);
    slot->source = SOURCE_NONE;
}

/* Cuts the next item off: up to a comma that has no backslash before it, which is taken
 * out. */
static char *
next_item(const char **list)
{
    GString *item = g_string_new(NULL);
    const char *at = *list;

    for (; *at != '\0' && *at != ','; at++) {
        if (*at == '\\' && at[1] == ',')
            at++;
        g_string_append_c(item, *at);
    }
    *list = *at == ',' ? at + 1 : NULL;
    return g_string_free(item, FALSE);
}

bool
option_values_set_list(option_values *v, const char *list, GError **error)
{
    if (*list == '\0')
        return true;
    while (list != NULL) {
        g_autofree char *item = next_item(&list);
        char *name = g_strchug(item);
        char *equals = strchr(item, '=');

        if (equals == NULL || equals == name) {
            /* Without a key the item may be a secret in the wrong place. */
            g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                        "%s: expected key=value items with commas between, one has no %s "
                        "(a comma inside a value is written \\,)",
                        v->owner, equals == NULL ? "`=`" : "key");
            return false;
        }
        *equals = '\0';
        if (!option_values_set(v, name, equals + 1, error))
            return false;
    }
    return true;
}

void
option_values_ignore_variable(option_values *v, const char *name)
{
    option_slot *slot = find(v, name);

    if (slot != NULL)
        slot->ignore_variable = true;
}

/* A variable may hold an address in place of a URL: "gpu-box",
 * ":11434", "0.0.0.0:11434". What is missing is taken from the fallback. */
static char *
url_of_address(const char *text, const char *fallback)
{
    g_autoptr(GUri) usual =
        fallback != NULL ? g_uri_parse(fallback, G_URI_FLAGS_NONE, NULL) : NULL;
    g_autofree char *start = NULL;
    g_autoptr(GUri) given = NULL;

    if (strstr(text, "://") != NULL || usual == NULL)
        return NULL;
    start = g_strdup_printf("%s://%s%s", g_uri_get_scheme(usual),
                            *text == ':' ? g_uri_get_host(usual) : "", text);
    given = g_uri_parse(start, G_URI_FLAGS_NONE, NULL);
    if (given == NULL || g_uri_get_port(given) >= 0)
        return g_steal_pointer(&start);
    return g_uri_join(G_URI_FLAGS_NONE, g_uri_get_scheme(given),
                      g_uri_get_userinfo(given), g_uri_get_host(given),
                      g_uri_get_port(usual), g_uri_get_path(given),
                      g_uri_get_query(given), g_uri_get_fragment(given));
}

/* The environment, then the fallback. A secret keeps the variable's name as its text. */
static bool
fill_unset(const option_values *v, option_slot *slot, GError **error)
{
    const char *variable = slot->ignore_variable ? NULL : slot->option.variable;
    const char *text = variable == NULL ? NULL : g_getenv(variable);

    if (text != NULL && *text != '\0') {
        const bool secret = slot->option.type == LENS_OPT_SECRET;
        g_autofree char *spec = secret ? g_strconcat("env:", variable, NULL) : NULL;
        g_autofree char *origin = g_strdup_printf(" (environment variable %s)", variable);
        g_autofree char *url = slot->option.type == LENS_OPT_URL
                                   ? url_of_address(text, slot->option.fallback)
                                   : NULL;

        slot->source = SOURCE_VARIABLE;
        return slot_add(v, slot, secret ? spec : url != NULL ? url : text, origin, error);
    }
    if (slot->option.fallback != NULL) {
        slot->source = SOURCE_FALLBACK;
        return slot_add(v, slot, slot->option.fallback, " (its fallback)", error);
    }
    if (slot->option.flags & LENS_OPT_REQUIRED) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "%s: option %s is required (%s); give %s=%s%s%s", v->owner,
                    slot->option.name, slot->option.help, slot->option.name,
                    slot->option.type == LENS_OPT_SECRET ? "env:VAR" : "VALUE",
                    variable == NULL ? "" : " or set the environment variable ",
                    variable == NULL ? "" : variable);
        return false;
    }
    return true;
}

static bool
resolve_secrets(const option_values *v, option_slot *slot, GError **error)
{
    for (unsigned i = 0; i < slot->values->len; i++) {
        option_value *value = g_ptr_array_index(slot->values, i);

        if (value->secret != NULL)
            continue;
        value->secret = secret_resolve(value->text, true, error);
        if (value->secret == NULL) {
            g_prefix_error(error, "%s: option %s: ", v->owner, slot->option.name);
            return false;
        }
    }
    return true;
}

bool
option_values_finish(option_values *v, bool resolve, GError **error)
{
    g_return_val_if_fail(!v->finished, false);
    for (unsigned i = 0; i < v->slots->len; i++) {
        option_slot *slot = slot_at(v, i);

        if (slot->source == SOURCE_NONE && !fill_unset(v, slot, error))
            return false;
        if (resolve && slot->option.type == LENS_OPT_SECRET &&
            !resolve_secrets(v, slot, error))
            return false;
    }
    v->finished = true;
    return true;
}

bool
option_values_resolve(const option_values *v, GError **error)
{
    for (unsigned i = 0; i < v->slots->len; i++) {
        option_slot *slot = slot_at(v, i);

        if (slot->option.type == LENS_OPT_SECRET && !resolve_secrets(v, slot, error))
            return false;
    }
    return true;
}

bool
option_values_finished(const option_values *v)
{
    return v->finished;
}

const struct lens_schema *
option_values_schema(const option_values *v)
{
    return v->schema;
}

bool
option_values_has(const option_values *v, const char *name)
{
    return find(v, name) != NULL;
}

bool
option_values_is_set(const option_values *v, const char *name)
{
    const option_slot *slot = find(v, name);

    return slot != NULL && slot->source == SOURCE_USER;
}

unsigned
option_values_count(const option_values *v, const char *name)
{
    const option_slot *slot = find(v, name);

    return slot == NULL ? 0 : slot->values->len;
}

static const option_value *
nth_value(const option_values *v, const char *name, unsigned nth)
{
    const option_slot *slot = find(v, name);

    return slot == NULL || nth >= slot->values->len
               ? NULL
               : g_ptr_array_index(slot->values, nth);
}

const char *
option_values_string(const option_values *v, const char *name, unsigned nth)
{
    const option_slot *slot = find(v, name);
    const option_value *value = nth_value(v, name, nth);

    if (value == NULL)
        return NULL;
    if (slot->option.type == LENS_OPT_SECRET)
        return value->secret == NULL ? "" : value->secret;
    return value->text;
}

int64_t
option_values_int(const option_values *v, const char *name)
{
    const option_value *value = nth_value(v, name, 0);

    return value == NULL ? 0 : value->integer;
}

double
option_values_double(const option_values *v, const char *name)
{
    const option_slot *slot = find(v, name);
    const option_value *value = nth_value(v, name, 0);

    if (value == NULL)
        return 0;
    return slot->option.type == LENS_OPT_DOUBLE ? value->number : (double)value->integer;
}
