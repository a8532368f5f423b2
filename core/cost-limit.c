/* Whether a limit of a run's cost can be kept for a target: its requests need a price and
 * a cap on their output. */
#include "cost-limit.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "error.h"

/* A member like max_tokens, max_completion_tokens or maxOutputTokens, at any depth. */
static void
find_caps(JsonNode *n, const char *name, struct output_bound *b)
{
    static const char *const choices[] = { "n", "best_of", "candidateCount", NULL };

    if (JSON_NODE_HOLDS_OBJECT(n)) {
        JsonObjectIter iter;
        const char *key;
        JsonNode *value;

        json_object_iter_init(&iter, json_node_get_object(n));
        while (json_object_iter_next(&iter, &key, &value))
            find_caps(value, key, b);
    }
    if (name == NULL || JSON_NODE_HOLDS_OBJECT(n))
        return;
    if (g_str_has_prefix(name, "max") && strcasestr(name, "token") != NULL) {
        if (JSON_NODE_HOLDS_VALUE(n) && json_node_get_value_type(n) == G_TYPE_INT64)
            b->cap = MAX(b->cap, json_node_get_int(n));
        else
            b->open = true;
    }
    if (JSON_NODE_HOLDS_VALUE(n) && g_strv_contains(choices, name))
        b->choices = MAX(b->choices, json_node_get_int(n));
}

struct output_bound
output_bound_of(const plan_target *t)
{
    struct output_bound b = { .choices = MAX(t->n, 1) };
    g_autoptr(JsonNode) extra =
        t->extra != NULL ? json_from_string(t->extra, NULL) : NULL;

    if (extra != NULL)
        find_caps(extra, NULL, &b);
    b.open |= t->max_tokens < 0;
    return b;
}

bool
cost_limit_allows(const plan_target *t, costing *prices, int day, GError **error)
{
    if (output_bound_of(t).open) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "--max-cost: target %s has no limit of its output tokens: give "
                    "max_tokens as a number",
                    t->name);
        return false;
    }
    if (costing_is_self_hosted(prices)) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "--max-cost: target %s is paid by the hour (gpu_hour_usd), its "
                    "requests have no price: limit it with --duration",
                    t->name);
        return false;
    }
    if (costing_worst(prices, 1, 1, true, day) < 0) {
        const char *model = t->price_model != NULL ? t->price_model : t->model;

        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "--max-cost: target %s: no price of a request is known for model %s: "
                    "name a priced one with price_model, or give a table with --pricing",
                    t->name, model != NULL ? model : "(none)");
        return false;
    }
    return true;
}
