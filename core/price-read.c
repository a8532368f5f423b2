/* Our own form of a price table: docs/money.md. */
#include <string.h>

#include "doc.h"
#include "error.h"
#include "option.h"
#include "price.h"

enum { PER_MILLION = -6, PER_REQUEST = 0 };

/* ---- values ---- */

static bool
read_price(const doc_node *n, enum price_kind kind, price_set *to, GError **error)
{
    money_price price;

    if (doc_text(n) == NULL ||
        !money_price_parse(doc_text(n), kind == PRICE_REQUEST ? PER_REQUEST : PER_MILLION,
                           &price, NULL))
        return doc_fail(n, error, "%s: expected USD %s, for instance 0.15",
                        price_kind_name(kind),
                        kind == PRICE_REQUEST ? "of a request" : "of a million tokens");
    price_set_put(to, kind, price);
    return true;
}

static int
kind_of(const char *name)
{
    for (unsigned kind = 0; kind < PRICE_KINDS; kind++)
        if (strcmp(price_kind_name((enum price_kind)kind), name) == 0)
            return (int)kind;
    return -1;
}

static bool
unknown_key(const doc_node *key, const char *const *others, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    g_autofree char *list = NULL;
    const char *near;

    for (unsigned kind = 0; kind < PRICE_KINDS; kind++)
        g_ptr_array_add(names, (void *)price_kind_name((enum price_kind)kind));
    for (; *others != NULL; others++)
        g_ptr_array_add(names, (void *)*others);
    g_ptr_array_add(names, NULL);
    near = nearest_name(doc_text(key), (const char *const *)names->pdata);
    list = g_strjoinv(", ", (char **)names->pdata);
    return doc_fail(key, error, "unknown key '%s'%s%s%s", doc_text(key),
                    near != NULL ? ", did you mean '" : ", expected one of ",
                    near != NULL ? near : list, near != NULL ? "'?" : "");
}

static bool
read_factor(const doc_node *n, const char *what, ratio *ret, GError **error)
{
    return (doc_text(n) != NULL && ratio_parse(doc_text(n), ret)) ||
           doc_fail(n, error, "%s: expected a factor, for instance 1.1", what);
}

static bool
read_day(const doc_node *n, const char *what, int *ret, GError **error)
{
    *ret = price_day_parse(doc_text(n));
    return *ret != 0 ||
           doc_fail(n, error, "%s: expected a date, for instance 2026-07-24", what);
}

static bool
read_text(const doc_node *n, const char *what, char **ret, GError **error)
{
    if (doc_text(n) == NULL || *doc_text(n) == '\0')
        return doc_fail(n, error, "%s: expected a text", what);
    g_free(*ret);
    *ret = g_strdup(doc_text(n));
    return true;
}

/* ---- steps and tiers ---- */

static bool
read_step(const doc_node *n, GArray **to, GError **error)
{
    static const char *const others[] = { "tokens", NULL };
    price_set prices = { 0 };
    guint64 tokens = 0;

    if (doc_kind(n) != DOC_MAP)
        return doc_fail(n, error, "above: expected {tokens: N, input: USD, ...}");
    for (unsigned i = 0; i < doc_count(n); i++) {
        const int kind = kind_of(doc_key_text(n, i));
        const doc_node *value = doc_item(n, i);

        if (strcmp(doc_key_text(n, i), "tokens") == 0) {
            if (doc_text(value) == NULL ||
                !g_ascii_string_to_unsigned(doc_text(value), 10, 1, INT64_MAX, &tokens,
                                            NULL))
                return doc_fail(value, error, "tokens: expected a number, at least 1");
        } else if (kind < 0) {
            return unknown_key(doc_key(n, i), others, error);
        } else if (!read_price(value, (enum price_kind)kind, &prices, error)) {
            return false;
        }
    }
    if (tokens == 0)
        return doc_fail(n, error, "above: tokens is missing");
    price_steps_add(to, (int64_t)tokens, &prices);
    return true;
}

static bool
read_steps(const doc_node *n, GArray **to, GError **error)
{
    if (doc_kind(n) != DOC_LIST)
        return doc_fail(n, error, "above: expected a list of {tokens: N, input: USD}");
    for (unsigned i = 0; i < doc_count(n); i++)
        if (!read_step(doc_item(n, i), to, error))
            return false;
    return true;
}

static bool
read_own_tier(const doc_node *n, struct price_tier *t, GError **error)
{
    static const char *const others[] = { "above", NULL };

    t->own = true;
    for (unsigned i = 0; i < doc_count(n); i++) {
        const int kind = kind_of(doc_key_text(n, i));

        if (strcmp(doc_key_text(n, i), "above") == 0) {
            if (!read_steps(doc_item(n, i), &t->steps, error))
                return false;
        } else if (kind < 0) {
            return unknown_key(doc_key(n, i), others, error);
        } else if (!read_price(doc_item(n, i), (enum price_kind)kind, &t->prices,
                               error)) {
            return false;
        }
    }
    return true;
}

static bool
read_tiers(const doc_node *n, price_row *to, GError **error)
{
    if (doc_kind(n) != DOC_MAP)
        return doc_fail(n, error, "tiers: expected {flex: 0.5, priority: {input: USD}}");
    for (unsigned i = 0; i < doc_count(n); i++) {
        const doc_node *value = doc_item(n, i);
        struct price_tier *t = price_row_add_tier(to, doc_key_text(n, i));

        if (doc_kind(value) == DOC_MAP ? !read_own_tier(value, t, error)
                                       : !read_factor(value, t->name, &t->factor, error))
            return false;
    }
    return true;
}

/* {member: {value: factor}} */
static bool
read_surcharges(const doc_node *n, price_row *to, GError **error)
{
    if (doc_kind(n) != DOC_MAP)
        return doc_fail(n, error, "surcharges: expected {NAME: {VALUE: FACTOR}}");
    for (unsigned i = 0; i < doc_count(n); i++) {
        const doc_node *values = doc_item(n, i);

        if (doc_kind(values) != DOC_MAP)
            return doc_fail(values, error, "%s: expected {VALUE: FACTOR}",
                            doc_key_text(n, i));
        for (unsigned k = 0; k < doc_count(values); k++) {
            ratio factor;

            if (!read_factor(doc_item(values, k), doc_key_text(values, k), &factor,
                             error))
                return false;
            price_row_add_surcharge(to, doc_key_text(n, i), doc_key_text(values, k),
                                    factor);
        }
    }
    return true;
}

/* ---- rows ---- */

static bool
read_ids(const doc_node *n, price_row *to, GError **error)
{
    if (doc_kind(n) != DOC_LIST)
        return doc_fail(n, error, "ids: expected a list of model ids");
    to->ids = g_ptr_array_new_with_free_func(g_free);
    for (unsigned i = 0; i < doc_count(n); i++) {
        char *id = NULL;

        if (!read_text(doc_item(n, i), "ids", &id, error))
            return false;
        g_ptr_array_add(to->ids, id);
    }
    return true;
}

static bool
read_row_key(const doc_node *key, const doc_node *n, price_row *to, GError **error)
{
    static const char *const others[] = { "model", "provider",   "ids",  "from",
                                          "to",    "source",     "note", "above",
                                          "tiers", "surcharges", NULL };
    const char *name = doc_text(key);
    const int kind = kind_of(name);

    if (kind >= 0)
        return read_price(n, (enum price_kind)kind, &to->prices, error);
    if (strcmp(name, "model") == 0)
        return read_text(n, name, &to->model, error);
    if (strcmp(name, "provider") == 0)
        return read_text(n, name, &to->provider, error);
    if (strcmp(name, "source") == 0)
        return read_text(n, name, &to->source, error);
    if (strcmp(name, "note") == 0)
        return read_text(n, name, &to->note, error);
    if (strcmp(name, "ids") == 0)
        return to->ids != NULL || read_ids(n, to, error);
    if (strcmp(name, "from") == 0)
        return read_day(n, name, &to->from, error);
    if (strcmp(name, "to") == 0)
        return read_day(n, name, &to->to, error);
    if (strcmp(name, "above") == 0)
        return read_steps(n, &to->steps, error);
    if (strcmp(name, "tiers") == 0)
        return read_tiers(n, to, error);
    if (strcmp(name, "surcharges") == 0)
        return read_surcharges(n, to, error);
    return unknown_key(key, others, error);
}

static bool
read_row(const doc_node *n, price_table *t, GError **error)
{
    g_autoptr(price_row) row = price_row_new(NULL, NULL);

    if (doc_kind(n) != DOC_MAP)
        return doc_fail(n, error, "expected {model: NAME, input: USD, output: USD}");
    for (unsigned i = 0; i < doc_count(n); i++)
        if (!read_row_key(doc_key(n, i), doc_item(n, i), row, error))
            return false;
    if (row->model == NULL)
        return doc_fail(n, error, "model is missing");
    if (row->prices.known == 0)
        return doc_fail(n, error, "%s: no price is given", row->model);
    if (row->to != 0 && row->to < row->from)
        return doc_fail(n, error, "%s: its last day is before its first", row->model);
    price_table_add(t, g_steal_pointer(&row));
    return true;
}

/* ---- the table ---- */

/* {OWN: {names: [OTHER, ...], batch: FACTOR}} */
static bool
read_provider(const char *own, const doc_node *n, price_table *t, GError **error)
{
    const doc_node *names = doc_kind(n) == DOC_MAP ? doc_get(n, "names") : NULL;
    const doc_node *batch = doc_kind(n) == DOC_MAP ? doc_get(n, "batch") : NULL;
    ratio factor;

    if (doc_kind(n) != DOC_MAP ||
        doc_count(n) != (unsigned)((names != NULL) + (batch != NULL)) ||
        (names != NULL && doc_kind(names) != DOC_LIST))
        return doc_fail(n, error, "%s: expected {names: [NAME], batch: FACTOR}", own);
    g_hash_table_replace(t->names, g_strdup(own), g_strdup(own));
    for (unsigned i = 0; names != NULL && i < doc_count(names); i++) {
        char *name = NULL;

        if (!read_text(doc_item(names, i), "names", &name, error))
            return false;
        g_hash_table_replace(t->names, name, g_strdup(own));
    }
    if (batch != NULL) {
        if (!read_factor(batch, "batch", &factor, error))
            return false;
        g_hash_table_replace(t->halves, g_strdup(own), g_memdup2(&factor, sizeof factor));
    }
    return true;
}

static bool
read_head(const char *key, const doc_node *n, price_table *t, GError **error)
{
    int day;

    if (strcmp(key, "schema") == 0)
        return g_strcmp0(doc_text(n), "lens.prices/1") == 0 ||
               doc_fail(n, error, "schema: expected lens.prices/1");
    if (strcmp(key, "date") == 0)
        return read_day(n, key, &day, error) && read_text(n, key, &t->date, error);
    if (strcmp(key, "source") == 0)
        return read_text(n, key, &t->source, error);
    if (strcmp(key, "providers") == 0) {
        if (doc_kind(n) != DOC_MAP)
            return doc_fail(n, error, "providers: expected {NAME: {names: [NAME]}}");
        for (unsigned i = 0; i < doc_count(n); i++)
            if (!read_provider(doc_key_text(n, i), doc_item(n, i), t, error))
                return false;
        return true;
    }
    if (doc_kind(n) != DOC_LIST)
        return doc_fail(n, error, "prices: expected a list");
    for (unsigned i = 0; i < doc_count(n); i++)
        if (!read_row(doc_item(n, i), t, error))
            return false;
    return true;
}

price_table *
price_table_parse(const char *text, size_t size, const char *name, GError **error)
{
    static const char *const keys[] = { "schema",    "date",   "source",
                                        "providers", "prices", NULL };
    g_autoptr(doc) d = doc_parse(text, size, name, error);
    g_autoptr(price_table) t = price_table_new(name);
    const doc_node *root;

    if (d == NULL)
        return NULL;
    root = doc_root(d);
    if (doc_kind(root) != DOC_MAP || doc_get(root, "prices") == NULL) {
        doc_fail(root, error, "expected a price table: prices: [{model: NAME, ...}]");
        return NULL;
    }
    for (unsigned i = 0; i < doc_count(root); i++) {
        const char *key = doc_key_text(root, i);

        if (!g_strv_contains(keys, key)) {
            doc_fail(doc_key(root, i), error,
                     "unknown key '%s', expected schema, date, source, providers or "
                     "prices",
                     key);
            return NULL;
        }
        if (!read_head(key, doc_item(root, i), t, error))
            return NULL;
    }
    return g_steal_pointer(&t);
}
