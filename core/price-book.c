/* The tables of an invocation. */
#include <string.h>

#include <json-glib/json-glib.h>

#include "chrono.h"
#include "error.h"
#include "presets.h"
#include "price.h"

enum { SIZE_LIMIT = 64 * 1024 * 1024, OLD_DAYS = 60 };

/* A JSON object is ours when it has a list `prices` or says so; text that is neither JSON
 * object nor list is YAML. */
static bool
is_own_form(const char *text)
{
    const char *at = text + strspn(text, " \t\r\n");
    g_autoptr(JsonNode) root = NULL;
    JsonNode *schema, *prices;
    JsonObject *o;

    if (*at == '[')
        return false;
    if (*at != '{')
        return true;
    root = json_from_string(at, NULL);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root))
        return at[1 + strspn(at + 1, " \t\r\n")] != '"'; /* {prices: ...} */
    o = json_node_get_object(root);
    schema = json_object_get_member(o, "schema");
    prices = json_object_get_member(o, "prices");
    return (prices != NULL && JSON_NODE_HOLDS_ARRAY(prices)) ||
           (schema != NULL && json_node_get_value_type(schema) == G_TYPE_STRING &&
            g_str_has_prefix(json_node_get_string(schema), "lens."));
}

price_table *
price_table_take(const char *text, size_t size, const char *name, GError **error)
{
    if (g_str_has_prefix(text, "\xef\xbb\xbf")) { /* a byte-order mark */
        text += 3;
        size -= 3;
    }
    return is_own_form(text) ? price_table_parse(text, size, name, error)
                             : price_table_import(text, size, name, error);
}

price_table *
price_table_read(const char *path, GError **error)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) broken = NULL;
    size_t size;

    if (!g_file_get_contents(path, &text, &size, &broken)) {
        const char *cause = strrchr(broken->message, ':');

        g_set_error(error, LENS_ERROR, LENS_ERROR_FILE, "cannot read %s%s", path,
                    cause != NULL ? cause : "");
        return NULL;
    }
    if (size > SIZE_LIMIT) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "%s: larger than 64 MiB, is this the right file?", path);
        return NULL;
    }
    return price_table_take(text, size, path, error);
}

static bool
read_tables(price_book *b, const char *const *files, GError **error)
{
    g_autofree char *shipped = data_file_path("prices.yaml");
    price_table *t;

    for (unsigned i = 0; files != NULL && files[i] != NULL; i++) {
        t = price_table_read(files[i], error);
        if (t == NULL)
            return false;
        g_ptr_array_insert(b->tables, 0, t);
    }
    if (shipped == NULL) {
        g_warning("prices.yaml is not where lens was installed: only --pricing is used");
        return true;
    }
    t = price_table_read(shipped, error);
    if (t == NULL)
        return false;
    g_free(t->name);
    t->name = g_strdup("prices.yaml");
    g_ptr_array_add(b->tables, t);
    return true;
}

price_book *
price_book_load(const char *const *files, GError **error)
{
    price_book *b = g_new0(price_book, 1);

    b->tables = g_ptr_array_new_with_free_func((GDestroyNotify)price_table_free);
    if (read_tables(b, files, error))
        return b;
    price_book_free(b);
    return NULL;
}

void
price_book_free(price_book *b)
{
    if (b == NULL)
        return;
    g_ptr_array_unref(b->tables);
    g_free(b);
}

static unsigned
days_between(int from, int to)
{
    g_autoptr(GDate) a =
        g_date_new_dmy((GDateDay)(from % 100), (GDateMonth)(from / 100 % 100),
                       (GDateYear)(from / 10000));
    g_autoptr(GDate) b = g_date_new_dmy(
        (GDateDay)(to % 100), (GDateMonth)(to / 100 % 100), (GDateYear)(to / 10000));

    return (unsigned)MAX(g_date_days_between(a, b), 0);
}

void
price_book_warn_age(const price_book *b, int today)
{
    static gsize once;

    for (guint i = 0; i < b->tables->len; i++) {
        const price_table *t = b->tables->pdata[i];
        const int day = price_day_parse(t->date);
        const unsigned age = day != 0 && today != 0 ? days_between(day, today) : 0;

        if (age <= OLD_DAYS || !g_once_init_enter(&once))
            continue;
        g_warning("the prices in %s are of %s, %u days old: give newer ones with "
                  "--pricing FILE",
                  t->name, t->date, age);
        g_once_init_leave(&once, 1);
    }
}
