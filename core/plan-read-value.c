/* Reading the values of a plan file, and the options of plugins in it. */
#include <string.h>

#include "error.h"
#include "plain-text.h"
#include "plan-read.h"

/* ---- scalars and lists ---- */

bool
plan_read_expect_map(const doc_node *n, const char *what, GError **error)
{
    return doc_kind(n) == DOC_MAP ||
           doc_fail(n, error, "%s: expected keys and values", what);
}

/* The text of a scalar, or an error. */
const char *
plan_read_text(const doc_node *n, const char *key, GError **error)
{
    const char *text = doc_text(n);

    if (text == NULL)
        doc_fail(n, error,
                 doc_kind(n) == DOC_SCALAR ? "%s has no value" : "%s: expected one value",
                 key);
    return text;
}

/* `names` are the keys that would have been right. */
bool
plan_read_unknown_key(const doc_node *key, GPtrArray *names, GError **error)
{
    const char *near, *text = doc_text(key);
    const char *const shown = text != NULL ? text : "null";
    g_autofree char *list = NULL;

    g_ptr_array_add(names, NULL);
    near = nearest_name(text != NULL ? text : "", (const char *const *)names->pdata);
    list = g_strjoinv(", ", (char **)names->pdata);
    return doc_fail(key, error, "unknown key '%.*s', %s%s%s", plain_text_cut(shown, 60),
                    shown, near != NULL ? "did you mean '" : "expected one of: ",
                    near != NULL ? near : list, near != NULL ? "'?" : "");
}

/* {Name: value} becomes "Name: value". */
static bool
set_headers(const plan_key *key, void *base, const doc_node *n, GError **error)
{
    for (unsigned i = 0; i < doc_count(n); i++) {
        const char *value = plan_read_text(doc_item(n, i), doc_key_text(n, i), error);
        g_autofree char *header =
            value != NULL ? g_strconcat(doc_key_text(n, i), ": ", value, NULL) : NULL;

        if (header == NULL)
            return false;
        if (!plan_key_set(key, base, header, error))
            return doc_locate(doc_item(n, i), key->name, error);
    }
    return true;
}

static bool
set_list(const plan_key *key, void *base, const doc_node *n, GError **error)
{
    for (unsigned i = 0; i < doc_count(n); i++) {
        const char *text = plan_read_text(doc_item(n, i), key->name, error);

        if (text == NULL)
            return false;
        if (!plan_key_set(key, base, text, error))
            return doc_locate(doc_item(n, i), key->name, error);
    }
    return true;
}

bool
plan_read_key(const plan_key *key, void *base, const doc_node *n, GError **error)
{
    const enum doc_kind kind = doc_kind(n);
    g_autofree char *json = NULL;
    const char *text;

    if (key->store == STORE_LIST && kind == DOC_LIST)
        return set_list(key, base, n, error);
    if (key->check == plan_check_header && kind == DOC_MAP)
        return set_headers(key, base, n, error);
    if (key->type == SCALAR_OBJECT && kind == DOC_MAP)
        json = doc_to_json(n);
    text = json != NULL ? json : plan_read_text(n, key->name, error);
    if (text == NULL)
        return false;
    return plan_key_set(key, base, text, error) || doc_locate(n, key->name, error);
}

/* A map that holds nothing but keys of one table. */
bool
plan_read_keys(const plan_key *keys, void *base, const doc_node *map, const char *what,
               GError **error)
{
    if (!plan_read_expect_map(map, what, error))
        return false;
    for (unsigned i = 0; i < doc_count(map); i++) {
        const plan_key *key = plan_key_find(keys, doc_key_text(map, i));
        g_autoptr(GPtrArray) names = g_ptr_array_new();

        if (key == NULL) {
            plan_key_names(keys, names);
            return plan_read_unknown_key(doc_key(map, i), names, error);
        }
        if (!plan_read_key(key, base, doc_item(map, i), error))
            return false;
    }
    return true;
}

/* ---- options of plugins ---- */

static const struct lens_option *
find_option(const option_values *v, const char *name)
{
    const struct lens_schema *schema = option_values_schema(v);

    for (uint32_t i = 0; i < schema->count; i++) {
        const struct lens_option *o =
            (const void *)((const char *)schema->items + (size_t)i * schema->item_size);

        if (g_str_equal(o->name, name))
            return o;
    }
    return NULL;
}

static bool
set_option_text(option_values *v, const char *name, const doc_node *n, const char *text,
                GError **error)
{
    return option_values_set(v, name, text, error) || doc_locate(n, NULL, error);
}

/* Several values of a repeatable option; of another one a list written with `+`. */
static bool
set_option_list(option_values *v, const struct lens_option *o, const doc_node *n,
                GError **error)
{
    g_autoptr(GString) joined = g_string_new(NULL);

    for (unsigned i = 0; i < doc_count(n); i++) {
        const char *text = plan_read_text(doc_item(n, i), o->name, error);

        if (text == NULL)
            return false;
        if ((o->flags & LENS_OPT_REPEATABLE) != 0 &&
            !set_option_text(v, o->name, doc_item(n, i), text, error))
            return false;
        g_string_append_printf(joined, "%s%s", i > 0 ? "+" : "", text);
    }
    if ((o->flags & LENS_OPT_REPEATABLE) != 0)
        return true;
    if (o->type != LENS_OPT_STRING)
        return doc_fail(n, error, "%s takes one value", o->name);
    return set_option_text(v, o->name, n, joined->str, error);
}

bool
plan_read_option(option_values *v, const doc_node *key, const doc_node *n, GError **error)
{
    const char *name = doc_text(key);
    const struct lens_option *o = name != NULL ? find_option(v, name) : NULL;
    g_autofree char *json = NULL;
    const char *text;

    if (o == NULL) { /* the schema's own words, with the nearest name */
        option_values_set(v, name != NULL ? name : "null", "", error);
        return doc_locate(key, NULL, error);
    }
    if (o->type == LENS_OPT_JSON && doc_kind(n) != DOC_SCALAR)
        json = doc_to_json(n);
    else if (doc_kind(n) == DOC_LIST)
        return set_option_list(v, o, n, error);
    text = json != NULL ? json : plan_read_text(n, name, error);
    return text != NULL && set_option_text(v, name, n, text, error);
}

/* "NAME:k=v", or {kind: NAME, name: OF_THIS_USE, option: value}. */
bool
plan_read_choice(plugin_choice *c, registry *plugins, uint32_t kind, const doc_node *n,
                 GError **error)
{
    const doc_node *which = doc_get(n, "kind");
    const char *text;

    if (doc_kind(n) == DOC_SCALAR) {
        text = plan_read_text(n, plugin_kind_name(kind), error);
        if (text == NULL)
            return false;
        if (!plan_choice_parse(c, plugins, kind, text, error))
            return doc_locate(n, NULL, error);
        c->where = doc_place(n);
        return true;
    }
    if (which == NULL)
        return doc_fail(n, error, "expected {kind: NAME, ...} for the %s",
                        plugin_kind_name(kind));
    text = plan_read_text(which, "kind", error);
    if (text == NULL)
        return false;
    if (!plan_choice_set_kind(c, plugins, kind, text, error))
        return doc_locate(which, NULL, error);
    c->where = doc_place(n);
    for (unsigned i = 0; i < doc_count(n); i++) {
        const char *key = doc_key_text(n, i);

        if (doc_item(n, i) == which)
            continue;
        if (g_str_equal(key, "name") && !option_values_has(c->options, "name")) {
            text = plan_read_text(doc_item(n, i), "name", error);
            if (text == NULL)
                return false;
            g_free(c->name);
            c->name = g_strdup(text);
        } else if (!plan_read_option(c->options, doc_key(n, i), doc_item(n, i), error)) {
            return false;
        }
    }
    return true;
}
