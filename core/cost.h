/* cost: `lens cost` and `lens prices`, and how a usage is read from JSON. */
#pragma once

#include <json-glib/json-glib.h>

#include "args.h"
#include "price.h"

/* One bill that was asked for. */
typedef struct cost_query {
    char *id_json; /* as it was given; NULL: none */
    char *model, *provider;
    char *tier;
    int64_t usage[LENS_USAGE_COUNT]; /* -1: unknown */
    bool partial, batch, has_usage;
    ratio mult;
} cost_query;

void cost_query_init(cost_query *q);
void cost_query_clear(cost_query *q);
/* {"in":2006,"cache_read":1920,"out":300}, members as `lens decode` prints them; null:
 * no usage. */
bool cost_usage_parse(cost_query *q, JsonNode *usage, GError **error);
/* A line of `lens cost -`. */
bool cost_query_parse(cost_query *q, const char *line, GError **error);
/* The bill, and the row it was made from. */
bill cost_bill(const price_book *b, const cost_query *q, int day, price_match *ret);
/* {"id":...,"usd":"0.005615","by":{...},...} in one line. Caller frees. */
char *cost_answer(const cost_query *q, const price_book *b, const bill *paid,
                  const price_match *m);

/* The day of --at, or today. */
bool cost_day(const args *a, int *ret, GError **error);
/* The tables with those of --pricing. */
price_book *cost_book(const args *a, GError **error);
/* Says, once for each row, how it was found when that is not plain, and that it has
 * expired. */
void cost_say_match(const price_match *m, const char *model);
const char *price_how_name(enum price_how how); /* "exact", "undated", "pattern" */

/* cost-lines.c: JSON lines on standard input to answers. */
int cost_lines(const args *a, const price_book *b, int day);
/* cost-run.c: prices a stored run anew. */
int cost_run(const args *a, const price_book *b, const char *path);
