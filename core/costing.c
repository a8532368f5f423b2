#include "costing.h"

#include <pthread.h>
#include <string.h>

#include "plain-text.h"

struct costing {
    const price_book *book;
    char *provider, *model, *price_model;
    char *region; /* of the host's name; NULL: it says none */
    ratio factor;
    bool self_hosted;
    pthread_mutex_t lock; /* of what follows; once a request */
    GHashTable *found;    /* "DAY MODEL" to struct price_match */
    GHashTable *said;     /* price_row */
};

/* "eu" of https://eu.api.example.com: the first of at least three labels. */
static char *
region_of(const char *url)
{
    g_autoptr(GUri) uri = url != NULL ? g_uri_parse(url, G_URI_FLAGS_NONE, NULL) : NULL;
    const char *host = uri != NULL ? g_uri_get_host(uri) : NULL;
    const char *dot = host != NULL ? strchr(host, '.') : NULL;

    if (dot == NULL || strchr(dot + 1, '.') == NULL || g_hostname_is_ip_address(host))
        return NULL;
    return g_strndup(host, (size_t)(dot - host));
}

costing *
costing_new(const costing_setup *setup)
{
    costing *c = g_new0(costing, 1);

    c->book = setup->book;
    c->provider = g_strdup(setup->provider);
    c->model = g_strdup(setup->model);
    c->price_model = g_strdup(setup->price_model);
    c->region = region_of(setup->url);
    c->self_hosted = setup->self_hosted;
    if (setup->multiplier == NULL || !ratio_parse(setup->multiplier, &c->factor))
        c->factor = (ratio){ 1, 1 };
    pthread_mutex_init(&c->lock, NULL);
    c->found = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    c->said = g_hash_table_new(g_direct_hash, g_direct_equal);
    return c;
}

void
costing_free(costing *c)
{
    if (c == NULL)
        return;
    g_free(c->provider);
    g_free(c->model);
    g_free(c->price_model);
    g_free(c->region);
    g_hash_table_unref(c->found);
    g_hash_table_unref(c->said);
    pthread_mutex_destroy(&c->lock);
    g_free(c);
}

bool
costing_is_self_hosted(const costing *c)
{
    return c->self_hosted;
}

/* ---- the row ---- */

/* "openai/gpt-4o" says the provider, too. */
static price_match
find_named(const costing *c, int day)
{
    const char *slash = strchr(c->price_model, '/');
    price_match m = price_find(c->book, c->provider, NULL, c->price_model, day);

    if (m.row == NULL && slash != NULL) {
        g_autofree char *provider =
            g_strndup(c->price_model, (size_t)(slash - c->price_model));

        if (price_knows_provider(c->book, provider))
            m = price_find(c->book, provider, NULL, slash + 1, day);
    }
    if (m.row == NULL)
        m = price_find(c->book, NULL, NULL, c->price_model, day);
    return m;
}

static void
say(costing *c, const price_match *m, const char *model)
{
    g_autofree char *plain = plain_text(model != NULL ? model : "-", -1);
    g_autofree char *last = NULL;

    if (m->row == NULL || g_hash_table_contains(c->said, m->row))
        return;
    g_hash_table_add(c->said, (void *)m->row);
    last = price_day_text(m->row->to);
    if (m->how == PRICE_UNDATED)
        g_info("%s: priced as %s, its id without the date", plain, m->row->model);
    if (m->how == PRICE_BY_PATTERN)
        g_warning("%s: priced as %s by a pattern of %s: a guess", plain, m->row->model,
                  m->table->name);
    if (m->any_provider && c->price_model == NULL)
        g_message("%s: priced as %s of %s, no price of provider %s is known", plain,
                  m->row->model,
                  m->row->provider != NULL
                      ? price_provider_name(c->book, m->row->provider)
                      : m->table->name,
                  c->provider);
    if (m->expired)
        g_warning("the price of %s in %s was valid until %s", m->row->model,
                  m->table->name, last);
}

price_match
costing_find(costing *c, const char *returned, int day)
{
    g_autofree char *key =
        g_strdup_printf("%d %s", day, returned != NULL ? returned : "");
    const price_match *known;
    price_match m;

    if (c->self_hosted || c->book == NULL)
        return (price_match){ 0 };
    pthread_mutex_lock(&c->lock);
    known = g_hash_table_lookup(c->found, key);
    if (known != NULL) {
        m = *known;
    } else {
        m = c->price_model != NULL
                ? find_named(c, day)
                : price_find(c->book, c->provider, returned, c->model, day);
        say(c, &m, returned != NULL ? returned : c->model);
        if (g_hash_table_size(c->found) < 4096) /* a server may make up any name */
            g_hash_table_insert(c->found, g_steal_pointer(&key), g_memdup2(&m, sizeof m));
    }
    pthread_mutex_unlock(&c->lock);
    return m;
}

price_options
costing_options(const costing *c, const price_row *row)
{
    price_options options = { .factors = { c->factor },
                              .factor_count = 1,
                              .region = c->region };

    options.batch_factor = price_batch_factor(c->book, row);
    return options;
}

/* ---- bills ---- */

/* Embeddings: nothing comes out that is counted, or costs anything. */
static bool
has_no_output(const price_row *r)
{
    return price_set_has(&r->prices, PRICE_OUTPUT) && r->prices.of[PRICE_OUTPUT] == 0;
}

static bill
bill_of(costing *c, const price_match *m, const attempt *a)
{
    price_options options = { 0 };
    int64_t usage[LENS_USAGE_COUNT];

    memcpy(usage, a->usage, sizeof usage);
    if (m->row != NULL && usage[LENS_USAGE_OUTPUT] < 0 && has_no_output(m->row))
        usage[LENS_USAGE_OUTPUT] = 0;
    if (m->row != NULL) {
        options = costing_options(c, m->row);
        options.tier = a->tier;
        options.extra_json = a->extra_json;
    }
    return price_bill(m->row, usage, a->usage_partial, &options);
}

static bool
fits(const bill *b)
{
    return b->why == NULL && b->total <= INT64_MAX && b->cache_saving >= INT64_MIN &&
           b->cache_saving <= INT64_MAX;
}

static price_match
match_of(costing *c, const sample *s, const attempt *a, int day)
{
    return costing_find(c, a->served_model,
                        day != 0 ? day : price_day_of(s->start_unix_ns));
}

int64_t
costing_of_attempt(costing *c, const sample *s, const attempt *a, int day)
{
    const price_match m = match_of(c, s, a, day);
    bill b;

    if (m.row == NULL)
        return -1;
    b = bill_of(c, &m, a);
    if (fits(&b))
        return (int64_t)b.total;
    return sample_used_tokens(s, a) ? -1 : 0;
}

static void
forget(sample *s)
{
    for (unsigned i = 0; i < LENS_COST_COUNT; i++)
        s->cost[i] = -1;
    s->cost_total = -1;
    s->cache_saving = 0;
}

void
costing_price(costing *c, sample *s, int day)
{
    int64_t cost[LENS_COST_COUNT] = { 0 }, total = 0, saving = 0;

    forget(s);
    if (c == NULL || c->self_hosted)
        return;
    for (uint32_t i = 0; i < s->attempt_count; i++) {
        const attempt *a = &s->attempts[i];
        const price_match m = match_of(c, s, a, day);
        const bill b = bill_of(c, &m, a);

        if (m.row == NULL)
            return;
        if (!fits(&b)) {
            if (sample_used_tokens(s, a))
                return;
            continue; /* it was refused, or never got there */
        }
        for (unsigned k = 0; k < LENS_COST_COUNT; k++)
            cost[k] += (int64_t)b.by[k];
        if (__builtin_add_overflow(total, (int64_t)b.total, &total) ||
            __builtin_add_overflow(saving, (int64_t)b.cache_saving, &saving))
            return;
    }
    memcpy(s->cost, cost, sizeof cost);
    s->cost_total = total;
    s->cache_saving = saving;
}

int64_t
costing_worst(costing *c, int64_t input, int64_t output, bool any_tier, int day)
{
    const price_match m = costing_find(c, NULL, day);
    price_options options;
    money_amount worst;

    if (m.row == NULL)
        return -1;
    options = costing_options(c, m.row);
    if (!price_worst(m.row, input, output, any_tier, &options, &worst) ||
        worst > INT64_MAX / 4)
        return -1;
    return (int64_t)worst;
}

/* ---- the limit of a run ---- */

void
ledger_init(ledger *l, int64_t limit)
{
    l->limit = limit;
    atomic_init(&l->committed, 0);
    atomic_init(&l->settled, 0);
    atomic_init(&l->reached, false);
}

static bool
goes_in(const ledger *l, long long taken, int64_t worst)
{
    return worst >= 0 && taken <= l->limit && worst <= l->limit - taken;
}

enum ledger_answer
ledger_reserve(ledger *l, int64_t worst)
{
    long long committed = atomic_load(&l->committed);

    while (goes_in(l, committed, worst)) {
        if (atomic_compare_exchange_weak(&l->committed, &committed, committed + worst))
            return LEDGER_TAKEN;
    }
    if (goes_in(l, atomic_load(&l->settled), worst))
        return LEDGER_LATER;
    atomic_store(&l->reached, true);
    return LEDGER_OVER;
}

void
ledger_settle(ledger *l, int64_t reserved, int64_t spent)
{
    /* In this order nobody sees more settled than committed when it is less. */
    atomic_fetch_add(&l->committed, spent - reserved);
    atomic_fetch_add(&l->settled, spent);
}
