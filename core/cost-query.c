/* A bill that was asked for, and its answer, as JSON. */
#include <math.h>
#include <string.h>

#include "cost.h"
#include "error.h"
#include "json-check.h"
#include "option.h"
#include "plain-text.h"

enum { EVER = 99991231 }; /* the last day: what will have begun */

static const char *const usage_names[LENS_USAGE_COUNT] = {
    NULL,       "in",        "cache_read", "cache_write", "cache_write_1h",
    "out",      "reasoning", "billed_in",  "billed_out",  "in_audio",
    "in_image", "out_audio", "out_image",
};

void
cost_query_init(cost_query *q)
{
    *q = (cost_query){ .mult = { 1, 1 } };
    for (unsigned i = 0; i < LENS_USAGE_COUNT; i++)
        q->usage[i] = -1;
}

void
cost_query_clear(cost_query *q)
{
    g_free(q->id_json);
    g_free(q->model);
    g_free(q->provider);
    g_free(q->tier);
    cost_query_init(q);
}

static bool fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool
fail(GError **error, const char *format, ...)
{
    g_autofree char *text = NULL, *plain = NULL;
    va_list list;

    va_start(list, format);
    text = g_strdup_vprintf(format, list);
    va_end(list);
    plain = plain_text(text, -1);
    g_set_error_literal(error, LENS_ERROR, LENS_ERROR_USAGE, plain);
    return false;
}

/* ---- usage ---- */

static bool
take_count(JsonNode *n, const char *name, int64_t *ret, GError **error)
{
    const GType type = JSON_NODE_HOLDS_VALUE(n) ? json_node_get_value_type(n) : 0;
    const double real = type == G_TYPE_DOUBLE ? json_node_get_double(n) : -1;

    if (JSON_NODE_HOLDS_NULL(n))
        return true; /* unknown */
    if (type == G_TYPE_INT64 && json_node_get_int(n) >= 0) {
        *ret = json_node_get_int(n);
        return true;
    }
    /* Some APIs write 10.0. */
    if (type == G_TYPE_DOUBLE && real >= 0 && real < 9e15 && real == floor(real)) {
        *ret = (int64_t)real;
        return true;
    }
    return fail(error, "usage: %s: expected a number of tokens, 0 to %" G_GINT64_FORMAT,
                name, INT64_MAX);
}

static bool
is_flag(const char *name)
{
    return strcmp(name, "usage_partial") == 0 || strcmp(name, "partial") == 0;
}

static bool
take_flag(JsonNode *n, const char *name, bool *ret, GError **error)
{
    if (JSON_NODE_HOLDS_NULL(n))
        return true;
    if (!JSON_NODE_HOLDS_VALUE(n) || json_node_get_value_type(n) != G_TYPE_BOOLEAN)
        return fail(error, "%s: expected true or false", name);
    *ret |= json_node_get_boolean(n);
    return true;
}

bool
cost_usage_parse(cost_query *q, JsonNode *usage, GError **error)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;

    if (usage == NULL || JSON_NODE_HOLDS_NULL(usage))
        return true;
    if (!JSON_NODE_HOLDS_OBJECT(usage))
        return fail(error, "usage: expected an object, for instance "
                           "{\"in\":2006,\"out\":300}");
    json_object_iter_init(&iter, json_node_get_object(usage));
    while (json_object_iter_next(&iter, &name, &value)) {
        unsigned code = 1;

        while (code < LENS_USAGE_COUNT && strcmp(usage_names[code], name) != 0)
            code++;
        if (code < LENS_USAGE_COUNT) {
            if (!take_count(value, name, &q->usage[code], error))
                return false;
        } else if (is_flag(name)) {
            if (!take_flag(value, name, &q->partial, error))
                return false;
        } else {
            const char *names[LENS_USAGE_COUNT];
            const char *near;

            memcpy(names, usage_names + 1, (LENS_USAGE_COUNT - 1) * sizeof *names);
            names[LENS_USAGE_COUNT - 1] = NULL;
            near = nearest_name(name, names);
            return fail(error, "usage: unknown member '%s'%s%s%s", name,
                        near != NULL ? ", did you mean '" : "", near != NULL ? near : "",
                        near != NULL ? "'?" : "");
        }
    }
    q->has_usage = true;
    return true;
}

/* ---- a line ---- */

static bool
take_text(JsonObject *o, const char *name, char **ret, GError **error)
{
    JsonNode *n = json_object_get_member(o, name);

    if (n == NULL || JSON_NODE_HOLDS_NULL(n))
        return true;
    if (!JSON_NODE_HOLDS_VALUE(n) || json_node_get_value_type(n) != G_TYPE_STRING)
        return fail(error, "%s: expected a string", name);
    g_free(*ret);
    *ret = json_node_dup_string(n);
    return true;
}

static bool
take_factor(JsonNode *n, ratio *ret, GError **error)
{
    g_autofree char *text = NULL;

    if (JSON_NODE_HOLDS_NULL(n))
        return true;
    if (JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_STRING)
        text = json_node_dup_string(n);
    else if (JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_INT64)
        text = g_strdup_printf("%" G_GINT64_FORMAT, json_node_get_int(n));
    else if (JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_DOUBLE)
        text = g_strdup_printf("%.15g", json_node_get_double(n));
    return (text != NULL && ratio_parse(text, ret)) ||
           fail(error, "mult: expected a factor above 0, for instance 1.1");
}

static bool
take_options(cost_query *q, JsonNode *options, GError **error)
{
    JsonObjectIter iter;
    const char *name;
    JsonNode *value;

    if (options == NULL || JSON_NODE_HOLDS_NULL(options))
        return true;
    if (!JSON_NODE_HOLDS_OBJECT(options))
        return fail(error, "options: expected an object with tier, mult or batch");
    json_object_iter_init(&iter, json_node_get_object(options));
    while (json_object_iter_next(&iter, &name, &value)) {
        bool good;

        if (strcmp(name, "tier") == 0)
            good = take_text(json_node_get_object(options), name, &q->tier, error);
        else if (strcmp(name, "mult") == 0 || strcmp(name, "multiplier") == 0)
            good = take_factor(value, &q->mult, error);
        else if (strcmp(name, "batch") == 0)
            good = take_flag(value, name, &q->batch, error);
        else
            good =
                fail(error, "options: unknown member '%s', expected tier, mult or batch",
                     name);
        if (!good)
            return false;
    }
    return true;
}

/* `lens decode` says of a stream that its usage is not final in a list. */
static void
take_warnings(cost_query *q, JsonNode *warn)
{
    JsonArray *list =
        warn != NULL && JSON_NODE_HOLDS_ARRAY(warn) ? json_node_get_array(warn) : NULL;

    for (guint i = 0; list != NULL && i < json_array_get_length(list); i++) {
        JsonNode *n = json_array_get_element(list, i);

        q->partial |= JSON_NODE_HOLDS_VALUE(n) &&
                      json_node_get_value_type(n) == G_TYPE_STRING &&
                      strcmp(json_node_get_string(n), "usage_partial") == 0;
    }
}

/* Whole numbers beyond 64 bits would wrap in the parser. */
static bool
has_huge_number(const char *line)
{
    bool quoted = false;

    for (const char *at = line; *at != '\0'; at++) {
        size_t digits;

        if (*at == '\\' && quoted && at[1] != '\0') {
            at++;
        } else if (*at == '"') {
            quoted = !quoted;
        } else if (!quoted && g_ascii_isdigit(*at)) {
            digits = strspn(at, "0123456789");
            if (digits > 19 ||
                (digits == 19 && strncmp(at, "9223372036854775807", 19) > 0))
                return true;
            at += digits - 1;
            if (at[1] == '.')
                at += 1 + strspn(at + 2, "0123456789");
        }
    }
    return false;
}

static bool
take_line(cost_query *q, JsonObject *o, GError **error)
{
    JsonNode *id = json_object_get_member(o, "id");
    JsonNode *partial = json_object_get_member(o, "usage_partial");

    if (id != NULL)
        q->id_json = json_to_string(id, FALSE);
    if (!take_text(o, "model", &q->model, error) ||
        !take_text(o, "provider", &q->provider, error) ||
        !take_options(q, json_object_get_member(o, "options"), error))
        return false;
    if (q->model == NULL)
        return fail(error, "model is missing");
    if (partial != NULL && !take_flag(partial, "usage_partial", &q->partial, error))
        return false;
    take_warnings(q, json_object_get_member(o, "warn"));
    return cost_usage_parse(q, json_object_get_member(o, "usage"), error);
}

bool
cost_query_parse(cost_query *q, const char *line, GError **error)
{
    g_autoptr(JsonNode) root = NULL;
    g_autoptr(GError) broken = NULL;
    size_t at = 0;
    const char *expected = json_check(line, &at);
    bool huge;

    if (expected != NULL)
        return fail(error, "not JSON: expected %s at byte %zu", expected, at + 1);
    root = json_from_string(line, &broken);
    if (root == NULL || !JSON_NODE_HOLDS_OBJECT(root))
        return fail(error, "expected a JSON object");
    huge = has_huge_number(line);
    if (!take_line(q, json_node_get_object(root), error) && !huge)
        return false;
    if (!huge)
        return true;
    if (q->id_json != NULL && *q->id_json != '"')
        g_clear_pointer(&q->id_json, g_free); /* it may have wrapped, too */
    g_clear_error(error);
    return fail(error, "a number is beyond %" G_GINT64_FORMAT, INT64_MAX);
}

/* ---- the answer ---- */

bill
cost_bill(const price_book *b, const cost_query *q, int day, price_match *ret)
{
    price_options options = { .tier = q->tier, .batch = q->batch };
    bill paid;

    *ret = price_find(b, q->provider, NULL, q->model, day);
    if (ret->row != NULL)
        options.batch_factor = price_batch_factor(b, ret->row);
    options.factors[options.factor_count++] = q->mult;
    paid = price_bill(ret->row, q->usage, q->partial, &options);
    if (ret->row == NULL && price_find(b, q->provider, NULL, q->model, EVER).row != NULL)
        paid.why = "the price table has no price of the model for that day";
    return paid;
}

const char *
price_how_name(enum price_how how)
{
    static const char *const names[] = { NULL, "exact", "undated", "pattern" };

    return names[how];
}

static void
put_string(GString *to, const char *name, const char *value)
{
    g_autoptr(JsonNode) node = value != NULL
                                   ? json_node_init_string(json_node_alloc(), value)
                                   : json_node_init_null(json_node_alloc());
    g_autofree char *text = json_to_string(node, FALSE);

    g_string_append_printf(to, ",\"%s\":%s", name, text);
}

char *
cost_answer(const cost_query *q, const price_book *b, const bill *paid,
            const price_match *m)
{
    GString *to = g_string_new(NULL);
    g_autofree char *total = paid->why == NULL ? money_amount_text(paid->total) : NULL;

    g_string_append_printf(to, "{\"id\":%s", q->id_json != NULL ? q->id_json : "null");
    put_string(to, "usd", total);
    if (paid->why == NULL) {
        for (unsigned i = 0; i < LENS_COST_COUNT; i++) {
            g_autofree char *text = money_amount_text(paid->by[i]);

            g_string_append_printf(to, "%s\"%s\":\"%s\"", i == 0 ? ",\"by\":{" : ",",
                                   cost_kind_name(i), text);
        }
        g_string_append_c(to, '}');
    } else {
        g_string_append(to, ",\"by\":null");
    }
    put_string(to, "why", paid->why);
    put_string(to, "price_model", m->row != NULL ? m->row->model : NULL);
    put_string(to, "price_provider",
               m->row != NULL ? price_provider_name(b, m->row->provider) : NULL);
    put_string(to, "price_date", m->table != NULL ? m->table->date : NULL);
    put_string(to, "match", price_how_name(m->how));
    g_string_append_c(to, '}');
    return g_string_free(to, FALSE);
}
