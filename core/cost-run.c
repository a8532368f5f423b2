/* `lens cost RUN`: a stored run, shown with other prices. The file stays as it is. */
#include <stdio.h>

#include "cost.h"
#include "costing.h"
#include "error.h"
#include "report.h"
#include "runfile.h"

struct repricing {
    const price_book *book;
    int day;              /* of --at; 0: that of each request */
    GHashTable *costings; /* result to costing */
};

static void
begin(result *r, void *data)
{
    struct repricing *p = data;
    const costing_setup setup = {
        .book = p->book,
        .provider = r->price_provider != NULL ? r->price_provider : r->provider,
        .model = r->model,
        .price_model = r->price_model,
        .multiplier = r->price_multiplier,
        .url = r->url,
        .self_hosted = r->gpu_hour_usd != NULL,
    };

    g_hash_table_insert(p->costings, r, costing_new(&setup));
    g_clear_pointer(&r->price_date, g_free);
}

static void
price(const result *r, sample *s, void *data)
{
    struct repricing *p = data;
    costing *prices = g_hash_table_lookup(p->costings, r);
    const int day = p->day != 0 ? p->day : price_day_of(s->start_unix_ns);

    costing_price(prices, s, day);
}

static void
set_date(result *r, struct repricing *p, int64_t start_unix_ns)
{
    const int day = p->day != 0 ? p->day : price_day_of(start_unix_ns);
    costing *prices = g_hash_table_lookup(p->costings, r);
    const price_match m = costing_find(prices, NULL, day);

    if (m.row != NULL)
        r->price_date = g_strdup(m.table->date);
    else if (!costing_is_self_hosted(prices) && !cost_of_result(r).known)
        g_message("target %s: no price of model %s is known: give a table with --pricing",
                  r->target_name, r->model != NULL ? r->model : "(none)");
}

static void
free_costing(void *data)
{
    costing_free(data);
}

int
cost_run(const args *a, const price_book *b, const char *path)
{
    GError *error = NULL;
    g_autoptr(runfile) f = runfile_open(path, false, &error);
    g_autoptr(GHashTable) costings =
        g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, free_costing);
    struct repricing p = { .book = b, .costings = costings };
    const runfile_pricer pricer = { begin, price, &p };
    g_autoptr(run_info) info = NULL;

    if (f == NULL || (args_is_set(a, "at") && !cost_day(a, &p.day, &error)))
        return args_fail(a, error);
    info = runfile_load_priced(f, &pricer, &error);
    if (info == NULL)
        return args_fail(a, error);
    for (guint i = 0; i < info->results->len; i++)
        set_date(info->results->pdata[i], &p, info->start_unix_ns);
    if (args_bool(a, "json")) {
        g_autofree char *summary = summary_json(info);

        puts(summary);
    } else {
        report_print(info, stdout);
    }
    return EXIT_OK;
}
