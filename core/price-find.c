/* Which row prices a model: provider-aware, exact ids first, never a guess unsaid. */
#include <string.h>

#include "price.h"

/* ---- providers ---- */

const char *
price_provider_name(const price_book *b, const char *name)
{
    for (guint i = 0; name != NULL && i < b->tables->len; i++) {
        const price_table *t = b->tables->pdata[i];
        const char *own = g_hash_table_lookup(t->names, name);

        if (own != NULL)
            return own;
    }
    return name;
}

bool
price_knows_provider(const price_book *b, const char *name)
{
    const char *own = price_provider_name(b, name);

    for (guint i = 0; own != NULL && i < b->tables->len; i++) {
        const price_table *t = b->tables->pdata[i];

        for (guint k = 0; k < t->rows->len; k++) {
            const price_row *r = t->rows->pdata[k];

            if (g_strcmp0(price_provider_name(b, r->provider), own) == 0)
                return true;
        }
    }
    return false;
}

ratio
price_batch_factor(const price_book *b, const price_row *r)
{
    const char *own = price_provider_name(b, r->provider);

    for (guint i = 0; own != NULL && i < b->tables->len; i++) {
        const price_table *t = b->tables->pdata[i];
        const ratio *factor = g_hash_table_lookup(t->halves, own);

        if (factor != NULL)
            return *factor;
    }
    return (ratio){ 0, 0 };
}

/* ---- ids ---- */

static bool
is_day(const char *text, const char *form)
{
    unsigned number[3] = { 0 }, part = 0;

    for (; *form != '\0'; form++, text++) {
        if (*form == '-') {
            part++;
            if (*text != '-')
                return false;
        } else {
            if (!g_ascii_isdigit(*text))
                return false;
            number[part] = number[part] * 10 + (unsigned)(*text - '0');
        }
    }
    if (part == 0) {
        number[2] = number[0] % 100;
        number[1] = number[0] / 100 % 100;
        number[0] /= 10000;
    }
    return *text == '\0' && number[0] >= 2019 && number[0] < 2100 &&
           g_date_valid_dmy((GDateDay)number[2], (GDateMonth)number[1],
                            (GDateYear)number[0]);
}

/* "gpt-4o-2024-08-06", "claude-haiku-4-5-20251001", "claude-sonnet-4-5@20250929" without
 * their day; NULL: it has none. Caller frees. */
static char *
without_date(const char *id)
{
    const size_t size = id != NULL ? strlen(id) : 0;

    if (size > 11 && id[size - 11] == '-' && is_day(id + size - 10, "yyyy-mm-dd"))
        return g_strndup(id, size - 11);
    if (size > 9 && (id[size - 9] == '-' || id[size - 9] == '@') &&
        is_day(id + size - 8, "yyyymmdd"))
        return g_strndup(id, size - 9);
    return NULL;
}

/* ---- rows ---- */

struct search {
    const price_book *book;
    const char *provider; /* its own name; NULL: any */
    bool whole;           /* only rows that are called exactly so */
    int day;
    price_match found;
};

/* Among rows of one model the newest that holds on the day, else the last that did. */
static const price_row *
choose(const GPtrArray *rows, int day, bool *ret_expired)
{
    const price_row *valid = NULL, *past = NULL;

    for (guint i = 0; i < rows->len; i++) {
        const price_row *r = rows->pdata[i];

        if (r->from > day)
            continue;
        if (r->to != 0 && r->to < day) {
            if (past == NULL || r->to >= past->to)
                past = r;
        } else if (valid == NULL || r->from >= valid->from) {
            valid = r;
        }
    }
    *ret_expired = valid == NULL && past != NULL;
    return valid != NULL ? valid : past;
}

static bool
is_called(const price_row *r, const char *id)
{
    if (strcmp(r->model, id) == 0)
        return true;
    for (guint i = 0; r->ids != NULL && i < r->ids->len; i++)
        if (strcmp(r->ids->pdata[i], id) == 0)
            return true;
    return false;
}

static void
keep_provider(const struct search *s, const GPtrArray *all, const char *id,
              GPtrArray *rows)
{
    const char *only = NULL;
    bool whole = false;

    for (guint i = 0; i < all->len; i++) {
        const price_row *r = all->pdata[i];

        if (s->whole && !is_called(r, id))
            continue;
        if (s->provider == NULL || r->provider == NULL ||
            g_strcmp0(price_provider_name(s->book, r->provider), s->provider) == 0) {
            whole |= strcmp(r->model, id) == 0;
            g_ptr_array_add(rows, all->pdata[i]);
        }
    }
    /* A row that is called exactly so comes before those of whom it is a part. */
    for (guint i = rows->len; whole && i-- > 0;)
        if (strcmp(((const price_row *)rows->pdata[i])->model, id) != 0)
            g_ptr_array_remove_index(rows, i);
    for (guint i = 0; s->provider == NULL && i < rows->len; i++) {
        const price_row *r = rows->pdata[i];
        const char *own = price_provider_name(s->book, r->provider);

        if (only != NULL && g_strcmp0(only, own) != 0) {
            g_ptr_array_set_size(rows, 0); /* more than one provider has it */
            return;
        }
        only = own;
    }
}

static bool
take(struct search *s, const price_table *t, const GPtrArray *all, const char *id,
     enum price_how how)
{
    g_autoptr(GPtrArray) rows = g_ptr_array_new();
    bool expired;

    keep_provider(s, all, id, rows);
    s->found.row = choose(rows, s->day, &expired);
    if (s->found.row == NULL)
        return false;
    s->found.table = t;
    s->found.how = how;
    s->found.expired = expired;
    return true;
}

static bool
find_id(struct search *s, const price_table *t, const char *id, enum price_how how)
{
    const GPtrArray *all = id != NULL ? g_hash_table_lookup(t->by_id, id) : NULL;

    return all != NULL && take(s, t, all, id, how);
}

static bool
fits(const struct price_pattern *p, const char *id)
{
    switch (p->kind) {
    case PATTERN_STARTS:
        return g_str_has_prefix(id, p->text);
    case PATTERN_ENDS:
        return g_str_has_suffix(id, p->text);
    default:
        return strstr(id, p->text) != NULL;
    }
}

static bool
find_pattern(struct search *s, const price_table *t, const char *id)
{
    g_autoptr(GPtrArray) fitting = g_ptr_array_new();

    for (guint i = 0; id != NULL && i < t->rows->len; i++) {
        const price_row *r = t->rows->pdata[i];
        bool any = false;

        for (guint k = 0; r->patterns != NULL && k < r->patterns->len; k++)
            any |= fits(&g_array_index(r->patterns, struct price_pattern, k), id);
        if (any && (fitting->len == 0 ||
                    strcmp(((const price_row *)fitting->pdata[0])->model, r->model) == 0))
            g_ptr_array_add(fitting, t->rows->pdata[i]);
    }
    return fitting->len > 0 && take(s, t, fitting, id, PRICE_BY_PATTERN);
}

price_match
price_find(const price_book *b, const char *provider, const char *returned,
           const char *asked, int day)
{
    struct search s = { .book = b, .day = day };
    g_autofree char *returned_undated = without_date(returned);
    g_autofree char *asked_undated = without_date(asked);

    if (provider != NULL && price_knows_provider(b, provider))
        s.provider = price_provider_name(b, provider);
    s.whole = provider != NULL && s.provider == NULL;
    for (guint i = 0; i < b->tables->len; i++) {
        const price_table *t = b->tables->pdata[i];

        if (find_id(&s, t, returned, PRICE_EXACT) || find_id(&s, t, asked, PRICE_EXACT) ||
            find_id(&s, t, returned_undated, PRICE_UNDATED) ||
            find_id(&s, t, asked_undated, PRICE_UNDATED))
            break;
    }
    for (guint i = 0; s.found.row == NULL && i < b->tables->len; i++)
        if (!find_pattern(&s, b->tables->pdata[i], returned))
            find_pattern(&s, b->tables->pdata[i], asked);
    s.found.any_provider = s.whole;
    return s.found;
}
