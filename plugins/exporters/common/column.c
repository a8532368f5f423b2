#include "column.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "near.h"

enum rows
rows_of(const char *what)
{
    if (strcmp(what, "summary") == 0)
        return ROWS_SUMMARY;
    return strcmp(what, "intervals") == 0 ? ROWS_INTERVALS : ROWS_SAMPLES;
}

/* By column name, or by the metric's id, which stands without its unit: ttft for ttft_ms.
 */
static const struct field *
find_field(const char *word)
{
    const size_t size = strlen(word);

    for (uint32_t i = 0; i < sample_field_count; i++) {
        const struct field *f = &sample_fields[i];
        const char *name = field_column(f);

        if (strcmp(name, word) == 0 || strcmp(f->name, word) == 0 ||
            (strlen(name) == size + 3 && memcmp(name, word, size) == 0 &&
             strcmp(name + size, "_ms") == 0))
            return f;
    }
    return NULL;
}

struct column *
columns_add(struct columns *c, const char *source, const char *title)
{
    char full[128] = "";
    const struct field *field = c->rows == ROWS_SAMPLES ? find_field(source) : NULL;
    struct column *grown;

    if (c->rows == ROWS_SAMPLES ? field == NULL
                                : !result_find_source(c->rows, source, full))
        return NULL;
    grown = realloc(c->items, (c->count + 1) * sizeof *grown);
    if (grown == NULL)
        return NULL;
    c->items = grown;
    grown += c->count++;
    *grown = (struct column){
        .title = strdup(title != NULL   ? title
                        : field != NULL ? source
                                        : full),
        .field = field,
        .source = strdup(full),
        .scale = 1,
        .decimals = -1,
    };
    return grown;
}

lens_status
columns_refuse(const struct columns *c, const struct lens_host *host, const char *where,
               const char *source)
{
    const char *near = c->rows == ROWS_SAMPLES ? field_near(source) : NULL;
    char why[2048];
    size_t used;

    if (c->rows != ROWS_SAMPLES) {
        snprintf(why, sizeof why,
                 "%s: no column `%s` in the summary, expected target, stage, verdict or "
                 "paths of the summary JSON, for instance requests.ok or "
                 "latency.ttft.p99",
                 where, source);
        return host->fail(host, LENS_E_CONFIG, why);
    }
    if (near != NULL) {
        snprintf(why, sizeof why, "%s: no column `%s`; did you mean `%s`?", where, source,
                 near);
        return host->fail(host, LENS_E_CONFIG, why);
    }
    used = (size_t)snprintf(why, sizeof why, "%s: no column `%s`, expected some of",
                            where, source);
    for (uint32_t i = 0; i < sample_field_count && used < sizeof why; i++)
        used += (size_t)snprintf(why + used, sizeof why - used, " %s",
                                 field_column(&sample_fields[i]));
    return host->fail(host, LENS_E_CONFIG, why);
}

static int
add_default(void *data, const char *source)
{
    return columns_add(data, source, NULL) != NULL;
}

static lens_status
choose_listed(struct columns *c, const struct lens_host *host, const char *list)
{
    char *copy = strdup(list), *rest = copy, *word;
    lens_status status =
        copy != NULL ? LENS_OK : host->fail(host, LENS_E_NOMEM, "out of memory");

    while (status == LENS_OK && (word = strsep(&rest, "+")) != NULL)
        if (columns_add(c, word, c->rows == ROWS_SAMPLES ? word : NULL) == NULL)
            status = columns_refuse(c, host, "option columns", word);
    free(copy);
    return status;
}

lens_status
columns_choose(struct columns *c, const struct lens_host *host, enum rows rows,
               const char *list)
{
    c->rows = rows;
    if (list != NULL)
        return choose_listed(c, host, list);
    if (rows != ROWS_SAMPLES)
        result_each_source(rows, add_default, c);
    for (uint32_t i = 0; rows == ROWS_SAMPLES && i < sample_field_count; i++)
        if ((sample_fields[i].flags & (FIELD_EXTRA | FIELD_NAMED)) == 0)
            columns_add(c, field_column(&sample_fields[i]), NULL);
    return LENS_OK;
}

void
columns_clear(struct columns *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        struct column *at = &c->items[i];

        for (uint32_t k = 0; k < at->word_count; k++) {
            free(at->words[k].from);
            free(at->words[k].to);
        }
        free(at->words);
        free(at->title);
        free(at->source);
        free(at->empty);
        free(at->yes);
        free(at->no);
    }
    free(c->items);
    *c = (struct columns){ 0 };
}

/* ---- the form of a value ---- */

static void
set_word(struct value *v, const char *word)
{
    v->kind = VALUE_STRING;
    v->string = word;
}

/* "12.30": a literal of JSON that keeps its zeroes. */
static void
set_fixed(struct value *v, double number, int32_t decimals)
{
    const double power = pow(10, decimals);
    const double scaled = nearbyint(fabs(number) * power);
    char *at = v->buffer + sizeof v->buffer;
    uint64_t rest = (uint64_t)scaled;

    if (scaled > 9e15)
        return; /* as it is, then */
    *--at = '\0';
    for (int32_t i = 0; rest > 0 || i <= decimals; i++, rest /= 10) {
        if (i == decimals && i > 0)
            *--at = '.';
        *--at = (char)('0' + rest % 10);
    }
    if (number < 0 && scaled > 0)
        *--at = '-';
    v->kind = VALUE_JSON;
    v->string = at;
}

static void
give_form(const struct column *c, struct value *v)
{
    double number;

    switch (v->kind) {
    case VALUE_NONE:
        if (c->empty != NULL) {
            set_word(v, c->empty);
            if (c->empty[0] != '\0' &&
                strspn(c->empty, "0123456789.-") == strlen(c->empty))
                v->kind = VALUE_JSON;
        }
        return;
    case VALUE_BOOL:
        if (c->yes != NULL && v->integer)
            set_word(v, c->yes);
        else if (c->no != NULL && !v->integer)
            set_word(v, c->no);
        return;
    case VALUE_INT:
    case VALUE_DOUBLE:
        if (c->scale == 1 && c->decimals < 0)
            return;
        number = c->scale * (v->kind == VALUE_INT ? (double)v->integer : v->number);
        v->kind = VALUE_DOUBLE;
        v->number = number;
        if (c->decimals >= 0)
            set_fixed(v, number, c->decimals);
        return;
    default:
        for (uint32_t i = 0; i < c->word_count; i++)
            if (strcmp(c->words[i].from, v->string) == 0) {
                set_word(v, c->words[i].to);
                return;
            }
    }
}

void
column_read(const struct column *c, const struct row *row, struct value *ret)
{
    ret->kind = VALUE_NONE;
    if (c->field != NULL)
        field_read(c->field, row->sample, row->names, ret);
    else
        result_read(c->source, row, ret);
    give_form(c, ret);
}
