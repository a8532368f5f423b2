/* cmd-cost: `lens cost`, what a usage, many of them, or a stored run costs. */
#include <stdio.h>
#include <string.h>

#include "chrono.h"
#include "command.h"
#include "cost.h"
#include "error.h"
#include "json-check.h"
#include "plain-text.h"

bool
cost_day(const args *a, int *ret, GError **error)
{
    const char *at = args_string(a, "at", 0);

    *ret = at != NULL ? price_day_parse(at) : price_day_of(chrono_wall());
    if (*ret == 0)
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "--at: expected a date, for instance 2026-07-24");
    return *ret != 0;
}

price_book *
cost_book(const args *a, GError **error)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new();

    for (unsigned i = 0; i < args_count(a, "pricing"); i++)
        g_ptr_array_add(files, (void *)args_string(a, "pricing", i));
    g_ptr_array_add(files, NULL);
    return price_book_load((const char *const *)files->pdata, error);
}

void
cost_say_match(const price_match *m, const char *model)
{
    static GHashTable *said;
    g_autofree char *plain = NULL, *last = NULL;

    if (said == NULL)
        said = g_hash_table_new(g_direct_hash, g_direct_equal);
    if (m->row == NULL || g_hash_table_contains(said, m->row))
        return;
    g_hash_table_add(said, (void *)m->row);
    plain = plain_text(model != NULL ? model : "-", -1);
    last = price_day_text(m->row->to);
    if (m->how == PRICE_UNDATED)
        g_message("%s: priced as %s, its id without the date", plain, m->row->model);
    if (m->how == PRICE_BY_PATTERN)
        g_warning("%s: priced as %s by a pattern of %s: a guess", plain, m->row->model,
                  m->table->name);
    if (m->expired)
        g_warning("the price of %s in %s was valid until %s", m->row->model,
                  m->table->name, last);
}

/* ---- one bill ---- */

static void
print_bill(const price_book *b, const cost_query *q, const bill *paid,
           const price_match *m)
{
    g_autofree char *total = paid->why == NULL ? money_amount_text(paid->total) : NULL;
    g_autofree char *plain = plain_text(q->model, -1);

    if (m->row != NULL)
        printf("%-16s%s of %s, prices of %s (%s)\n", "model", m->row->model,
               m->row->provider != NULL ? price_provider_name(b, m->row->provider) : "-",
               m->table->date != NULL ? m->table->date : "no date", m->table->name);
    else
        printf("%-16s%s\n", "model", plain);
    for (unsigned i = 0; paid->why == NULL && i < LENS_COST_COUNT; i++) {
        g_autofree char *text = money_amount_text(paid->by[i]);

        if (paid->by[i] != 0)
            printf("%-16s%s\n", cost_kind_name(i), text);
    }
    if (paid->why == NULL)
        printf("%-16s%s USD\n", "total", total);
    else
        printf("%-16sunknown: %s\n", "total", paid->why);
}

static bool
read_query(const args *a, cost_query *q, GError **error)
{
    const char *usage = args_string(a, "usage", 0);
    const char *mult = args_string(a, "multiplier", 0);
    g_autoptr(JsonNode) root = NULL;
    const char *model = args_string(a, "model", 0);
    size_t at = 0;

    if (model == NULL || *model == '\0' || usage == NULL) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "cost: needs --model NAME and --usage JSON, or - for JSON lines, "
                    "or a run file");
        return false;
    }
    if (json_check(usage, &at) != NULL ||
        (root = json_from_string(usage, NULL)) == NULL) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "--usage: expected JSON, for instance '{\"in\":2006,\"out\":300}'");
        return false;
    }
    if (mult != NULL && !ratio_parse(mult, &q->mult)) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "--multiplier: expected a factor above 0, for instance 1.1");
        return false;
    }
    q->model = g_strdup(model);
    q->provider = g_strdup(args_string(a, "provider", 0));
    q->tier = g_strdup(args_string(a, "tier", 0));
    q->batch = args_bool(a, "batch");
    if (cost_usage_parse(q, root, error))
        return true;
    g_prefix_error(error, "--"); /* it begins with "usage: " */
    return false;
}

/* Flags of one bill say nothing about lines, which have their own, or about a run. */
static bool
refuse_flags(const args *a, const char *what, GError **error)
{
    static const char *const flags[] = { "model", "provider", "usage",
                                         "tier",  "batch",    "multiplier" };

    for (unsigned i = 0; i < G_N_ELEMENTS(flags); i++) {
        if (!args_is_set(a, flags[i]))
            continue;
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    strcmp(what, "-") == 0
                        ? "--%s is of no use with -: each line has its own members"
                        : "--%s is of no use with a run file: each of its requests has "
                          "its own",
                    flags[i]);
        return false;
    }
    return true;
}

static int
one(const args *a, const price_book *b, int day)
{
    GError *error = NULL;
    cost_query q;
    price_match m;
    bill paid;

    cost_query_init(&q);
    if (!read_query(a, &q, &error)) {
        cost_query_clear(&q);
        return args_fail(a, error);
    }
    paid = cost_bill(b, &q, day, &m);
    cost_say_match(&m, q.model);
    if (args_bool(a, "json")) {
        g_autofree char *text = cost_answer(&q, b, &paid, &m);

        puts(text);
    } else {
        print_bill(b, &q, &paid, &m);
    }
    cost_query_clear(&q);
    return EXIT_OK;
}

int
cmd_cost(const args *a)
{
    const char *what = args_positional(a, 0);
    g_autoptr(price_book) b = NULL;
    GError *error = NULL;
    int day;

    if ((what != NULL && !refuse_flags(a, what, &error)) || !cost_day(a, &day, &error) ||
        (b = cost_book(a, &error)) == NULL)
        return args_fail(a, error);
    price_book_warn_age(b, price_day_of(chrono_wall()));
    if (what == NULL)
        return one(a, b, day);
    if (strcmp(what, "-") == 0)
        return cost_lines(a, b, day);
    return cost_run(a, b, what);
}
