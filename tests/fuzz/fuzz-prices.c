/* Price tables of all forms: any text is a table or one clear message, and no row of it
 * bills parts that do not sum up, or more than its worst case. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "price.h"

enum { INPUT = 300001, OUTPUT = 5000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check(bool good, const char *what, const price_row *r)
{
    if (good)
        return;
    fprintf(stderr, "%s: %s\n", r != NULL ? r->model : "-", what);
    abort();
}

static void
bill_row(const price_row *r, const char *tier)
{
    const price_options options = { .tier = tier, .batch_factor = { 1, 2 } };
    int64_t usage[LENS_USAGE_COUNT];
    money_amount sum = 0, most = 0;
    bill b;

    for (unsigned i = 0; i < LENS_USAGE_COUNT; i++)
        usage[i] = -1;
    usage[LENS_USAGE_INPUT] = INPUT;
    usage[LENS_USAGE_CACHE_READ] = 1000;
    usage[LENS_USAGE_CACHE_WRITE] = 2000;
    usage[LENS_USAGE_CACHE_WRITE_1H] = 500;
    usage[LENS_USAGE_OUTPUT] = OUTPUT;
    usage[LENS_USAGE_REASONING] = 100;
    b = price_bill(r, usage, false, &options);
    if (b.why != NULL)
        return;
    for (unsigned i = 0; i < LENS_COST_COUNT; i++) {
        check(b.by[i] >= 0, "a part is negative", r);
        sum += b.by[i];
    }
    check(sum == b.total, "the parts are not the total", r);
    if (price_worst(r, INPUT, OUTPUT, true, &options, &most))
        check(most >= b.total, "more than the worst case", r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    g_autoptr(GError) error = NULL;
    g_autoptr(price_table) t = price_table_take(text, strlen(text), "prices", &error);

    check((t == NULL) == (error != NULL), "neither a table nor a message", NULL);
    check(error == NULL || *error->message != '\0', "an empty message", NULL);
    for (guint i = 0; t != NULL && i < t->rows->len; i++) {
        const price_row *r = t->rows->pdata[i];

        bill_row(r, NULL);
        bill_row(r, "flex");
        bill_row(r, "batch");
    }
    return 0;
}
