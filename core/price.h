/* price: what a model costs: dated rows from the table that comes with lens
 * (data/prices.yaml) and from --pricing files, the search for the right row, and the bill
 * of one usage. Constant once it is read; any thread. docs/money.md. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include <lens/exporter.h>
#include <lens/provider.h>

#include "money.h"

enum price_kind {
    PRICE_INPUT,
    PRICE_CACHE_READ,
    PRICE_CACHE_WRITE_5M,
    PRICE_CACHE_WRITE_1H,
    PRICE_OUTPUT,
    PRICE_REASONING,
    PRICE_INPUT_AUDIO,
    PRICE_INPUT_IMAGE,
    PRICE_OUTPUT_AUDIO,
    PRICE_OUTPUT_IMAGE,
    PRICE_REQUEST,
    PRICE_KINDS
};

/* A price for each kind that has one of its own: bit 1 << kind of `known`. */
typedef struct price_set {
    uint32_t known;
    money_price of[PRICE_KINDS]; /* of one token, of one request */
} price_set;

/* The prices of a request whose whole input is more than `tokens`. */
struct price_step {
    int64_t tokens;
    price_set prices;
};

/* A service tier: the base prices times a factor, or prices of its own. */
struct price_tier {
    char *name;
    bool own;
    ratio factor;
    price_set prices;
    GArray *steps; /* struct price_step, rising; NULL: none */
};

/* What an answer says of itself that changes its price: with `member` (of the sample's
 * extra) equal to `value` all is multiplied. */
struct price_surcharge {
    char *member, *value;
    ratio factor;
};

/* How a row names models beside its ids; only tried last, and said. */
enum price_pattern_kind { PATTERN_STARTS, PATTERN_ENDS, PATTERN_CONTAINS };
struct price_pattern {
    enum price_pattern_kind kind;
    char *text;
};

typedef struct price_row {
    char *model;      /* unique with provider and dates, "groq/llama-3.3-70b-versatile" */
    char *provider;   /* as its source calls it */
    GPtrArray *ids;   /* char: other exact ids; NULL: none */
    GArray *patterns; /* struct price_pattern; NULL: none */
    int from, to;     /* yyyymmdd, both included; 0: open */
    char *source, *note;
    price_set prices;
    GArray *steps;      /* struct price_step, rising; NULL: none */
    GArray *tiers;      /* struct price_tier; NULL: none */
    GArray *surcharges; /* struct price_surcharge; NULL: none */
} price_row;

typedef struct price_table {
    char *name; /* for messages: "prices.yaml" */
    char *date, *source;
    GPtrArray *rows;    /* price_row */
    GHashTable *by_id;  /* id to GPtrArray of price_row, with all ways to write an id */
    GHashTable *names;  /* provider's other names to its own; may be empty */
    GHashTable *halves; /* provider's own name to ratio of batch */
} price_table;

/* All tables of an invocation: those of --pricing, the last one first, then ours. */
typedef struct price_book {
    GPtrArray *tables; /* price_table */
} price_book;

/* ---- reading ---- */

/* The table that comes with lens and `files` (NULL-terminated, may be NULL). Without the
 * former: a book of the files alone, with a warning. */
price_book *price_book_load(const char *const *files, GError **error);
void price_book_free(price_book *b);
/* Says on the log, once a program, when our table is more than 60 days old at `today`. */
void price_book_warn_age(const price_book *b, int today);

price_table *price_table_new(const char *name);
void price_table_free(price_table *t);
/* Takes `row` over; fills the index. */
void price_table_add(price_table *t, price_row *row);
/* Our own form; errors begin with NAME:LINE:COLUMN. */
price_table *price_table_parse(const char *text, size_t size, const char *name,
                               GError **error);
/* The JSON forms of LiteLLM and genai-prices. */
price_table *price_table_import(const char *text, size_t size, const char *name,
                                GError **error);
/* Any of them, told apart by their form; `text` ends with a NUL after `size` bytes. */
price_table *price_table_take(const char *text, size_t size, const char *name,
                              GError **error);
/* The same of a file. */
price_table *price_table_read(const char *path, GError **error);

price_row *price_row_new(const char *model, const char *provider);
void price_row_free(price_row *r);
void price_set_put(price_set *s, enum price_kind kind, money_price price);
static inline bool
price_set_has(const price_set *s, enum price_kind kind)
{
    return (s->known >> kind & 1) != 0;
}
/* Keeps the list rising; creates it. */
void price_steps_add(GArray **steps, int64_t tokens, const price_set *prices);
struct price_tier *price_row_add_tier(price_row *r, const char *name);
void price_row_add_surcharge(price_row *r, const char *member, const char *value,
                             ratio factor);
void price_row_add_pattern(price_row *r, enum price_pattern_kind kind, const char *text);
const char *price_kind_name(enum price_kind kind); /* "input", "cache_read", ... */

/* "2026-07-24" to 20260724; 0: not a date. */
int price_day_parse(const char *text);
char *price_day_text(int day); /* 0: NULL */
int price_day_of(int64_t unix_ns);

/* ---- looking up ---- */

enum price_how {
    PRICE_NOT_FOUND,
    PRICE_EXACT,     /* the id that was asked for, or that the API returned */
    PRICE_UNDATED,   /* without its date suffix */
    PRICE_BY_PATTERN /* by a pattern of the table: a guess, to be said */
};

typedef struct price_match {
    const price_row *row; /* NULL: none */
    const price_table *table;
    enum price_how how;
    bool expired;      /* the row's last day has passed */
    bool any_provider; /* the tables do not know this provider */
} price_match;

/* Looks for what the API returned, what was asked for (either may be NULL), and each
 * without date suffix; only with rows of `provider` when the tables know it, else only
 * with rows that are called exactly so (NULL: any, if only one provider has the model).
 */
price_match price_find(const price_book *b, const char *provider, const char *returned,
                       const char *asked, int day);
/* The price for a share of a batch, where the provider has one for all; den 0: none. */
ratio price_batch_factor(const price_book *b, const price_row *r);
/* A provider's own name: "bedrock_converse" is "bedrock". */
const char *price_provider_name(const price_book *b, const char *name);
bool price_knows_provider(const price_book *b, const char *name);

/* ---- billing ---- */

typedef struct price_options {
    const char *tier; /* as the API said it; NULL: standard */
    bool batch;
    ratio batch_factor; /* of price_batch_factor */
    ratio factors[3];   /* more of them */
    unsigned factor_count;
    const char *extra_json; /* of the sample, for surcharges; NULL: none */
    const char *region;     /* that the server's name says, for those too; NULL: none */
} price_options;

typedef struct bill {
    const char *why; /* why it is unknown; NULL: it is known */
    money_amount total, by[LENS_COST_COUNT];
    money_amount cache_saving; /* against no cache at all; negative: it cost more */
} bill;

/* `usage` by LENS_USAGE_*, -1: unknown. */
bill price_bill(const price_row *r, const int64_t usage[LENS_USAGE_COUNT], bool partial,
                const price_options *options);
/* The most that a request of at most these tokens can cost: the dearest kind of each
 * side, the dearest context step that can be reached, and, with `any_tier`, the dearest
 * tier. false: it has no bound. */
bool price_worst(const price_row *r, int64_t input_tokens, int64_t output_tokens,
                 bool any_tier, const price_options *options, money_amount *ret);
/* The prices that a request of this input meets, for show; NULL: unknown. */
const price_set *price_select(const price_row *r, const price_options *options,
                              int64_t input_tokens, ratio *ret_factor,
                              const char **ret_why);
const char *cost_kind_name(unsigned kind); /* of LENS_COST_* */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(price_book, price_book_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(price_table, price_table_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(price_row, price_row_free)
