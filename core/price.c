#include "price.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char *const kind_names[PRICE_KINDS] = {
    "input",        "cache_read",   "cache_write_5m", "cache_write_1h",
    "output",       "reasoning",    "input_audio",    "input_image",
    "output_audio", "output_image", "request",
};

const char *
price_kind_name(enum price_kind kind)
{
    return kind_names[kind];
}

/* ---- rows ---- */

price_row *
price_row_new(const char *model, const char *provider)
{
    price_row *r = g_new0(price_row, 1);

    r->model = g_strdup(model);
    r->provider = g_strdup(provider);
    return r;
}

static void
free_array(GArray *array)
{
    if (array != NULL)
        g_array_unref(array);
}

void
price_row_free(price_row *r)
{
    if (r == NULL)
        return;
    g_free(r->model);
    g_free(r->provider);
    g_free(r->source);
    g_free(r->note);
    if (r->ids != NULL)
        g_ptr_array_unref(r->ids);
    free_array(r->patterns);
    free_array(r->steps);
    free_array(r->tiers);
    free_array(r->surcharges);
    g_free(r);
}

void
price_set_put(price_set *s, enum price_kind kind, money_price price)
{
    s->known |= UINT32_C(1) << kind;
    s->of[kind] = price;
}

void
price_steps_add(GArray **steps, int64_t tokens, const price_set *prices)
{
    const struct price_step step = { tokens, *prices };
    guint at = 0;

    if (*steps == NULL)
        *steps = g_array_new(FALSE, FALSE, sizeof step);
    while (at < (*steps)->len &&
           g_array_index(*steps, struct price_step, at).tokens < tokens)
        at++;
    g_array_insert_val(*steps, at, step);
}

static void
clear_tier(void *data)
{
    struct price_tier *t = data;

    g_free(t->name);
    free_array(t->steps);
}

struct price_tier *
price_row_add_tier(price_row *r, const char *name)
{
    const struct price_tier fresh = { .name = g_ascii_strdown(name, -1),
                                      .factor = { 1, 1 } };

    if (r->tiers == NULL) {
        r->tiers = g_array_new(FALSE, FALSE, sizeof fresh);
        g_array_set_clear_func(r->tiers, clear_tier);
    }
    g_array_append_val(r->tiers, fresh);
    return &g_array_index(r->tiers, struct price_tier, r->tiers->len - 1);
}

static void
clear_surcharge(void *data)
{
    struct price_surcharge *s = data;

    g_free(s->member);
    g_free(s->value);
}

void
price_row_add_surcharge(price_row *r, const char *member, const char *value, ratio factor)
{
    const struct price_surcharge fresh = { g_strdup(member), g_strdup(value), factor };

    if (r->surcharges == NULL) {
        r->surcharges = g_array_new(FALSE, FALSE, sizeof fresh);
        g_array_set_clear_func(r->surcharges, clear_surcharge);
    }
    g_array_append_val(r->surcharges, fresh);
}

static void
clear_pattern(void *data)
{
    g_free(((struct price_pattern *)data)->text);
}

void
price_row_add_pattern(price_row *r, enum price_pattern_kind kind, const char *text)
{
    const struct price_pattern fresh = { kind, g_strdup(text) };

    if (r->patterns == NULL) {
        r->patterns = g_array_new(FALSE, FALSE, sizeof fresh);
        g_array_set_clear_func(r->patterns, clear_pattern);
    }
    g_array_append_val(r->patterns, fresh);
}

/* ---- tables ---- */

price_table *
price_table_new(const char *name)
{
    price_table *t = g_new0(price_table, 1);

    t->name = g_strdup(name);
    t->rows = g_ptr_array_new_with_free_func((GDestroyNotify)price_row_free);
    t->by_id = g_hash_table_new_full(g_str_hash, g_str_equal, g_free,
                                     (GDestroyNotify)g_ptr_array_unref);
    t->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    t->halves = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return t;
}

void
price_table_free(price_table *t)
{
    if (t == NULL)
        return;
    g_free(t->name);
    g_free(t->date);
    g_free(t->source);
    g_hash_table_unref(t->by_id);
    g_ptr_array_unref(t->rows);
    g_hash_table_unref(t->names);
    g_hash_table_unref(t->halves);
    g_free(t);
}

static void
index_id(price_table *t, const char *id, price_row *row)
{
    GPtrArray *rows = g_hash_table_lookup(t->by_id, id);

    if (rows == NULL) {
        rows = g_ptr_array_new();
        g_hash_table_insert(t->by_id, g_strdup(id), rows);
    }
    if (!g_ptr_array_find(rows, row, NULL))
        g_ptr_array_add(rows, row);
}

void
price_table_add(price_table *t, price_row *row)
{
    const char *slash = strchr(row->model, '/');

    g_ptr_array_add(t->rows, row);
    index_id(t, row->model, row);
    for (guint i = 0; row->ids != NULL && i < row->ids->len; i++)
        index_id(t, row->ids->pdata[i], row);
    if (slash != NULL && slash[1] != '\0') /* "groq/MODEL" is the provider's MODEL */
        index_id(t, slash + 1, row);
}

/* ---- days ---- */

int
price_day_parse(const char *text)
{
    int year, month, day, used = 0;

    if (text == NULL || strlen(text) != 10 ||
        sscanf(text, "%4d-%2d-%2d%n", &year, &month, &day, &used) != 3 || used != 10 ||
        text[4] != '-' || text[7] != '-' || year < 1970 ||
        !g_date_valid_dmy((GDateDay)day, (GDateMonth)month, (GDateYear)year))
        return 0;
    return year * 10000 + month * 100 + day;
}

char *
price_day_text(int day)
{
    return day > 0 ? g_strdup_printf("%04d-%02d-%02d", day / 10000, day / 100 % 100,
                                     day % 100)
                   : NULL;
}

int
price_day_of(int64_t unix_ns)
{
    const time_t seconds = (time_t)(unix_ns / 1000000000);
    struct tm utc;

    if (gmtime_r(&seconds, &utc) == NULL)
        return 0;
    return (utc.tm_year + 1900) * 10000 + (utc.tm_mon + 1) * 100 + utc.tm_mday;
}
