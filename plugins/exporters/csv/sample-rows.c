#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "csv.h"

static int
same(const char *name, const char *word, size_t size)
{
    return strlen(name) == size && memcmp(name, word, size) == 0;
}

/* By column name, or by the metric's id, which stands without its unit: ttft for ttft_ms.
 */
static const struct field *
find_field(const char *word, size_t size)
{
    for (uint32_t i = 0; i < sample_field_count; i++) {
        const char *name = field_column(&sample_fields[i]);
        const size_t bare = strlen(name) - 3;

        if (same(name, word, size) ||
            (strlen(name) > 3 && strcmp(name + bare, "_ms") == 0 && bare == size &&
             memcmp(name, word, size) == 0))
            return &sample_fields[i];
    }
    return NULL;
}

struct choice {
    struct sample_columns *columns;
    const struct lens_host *host;
};

static lens_status
add_column(void *data, const char *name, size_t size)
{
    struct choice *c = data;
    const struct field *f = find_field(name, size);
    struct sample_column *grown;

    if (f == NULL) {
        char why[2048];
        size_t used = (size_t)snprintf(
            why, sizeof why, "option columns: no column `%.*s`, expected some of",
            (int)size, name);

        for (uint32_t i = 0; i < sample_field_count && used < sizeof why; i++)
            used += (size_t)snprintf(why + used, sizeof why - used, " %s",
                                     field_column(&sample_fields[i]));
        return c->host->fail(c->host, LENS_E_CONFIG, why);
    }
    grown = realloc(c->columns->items, (c->columns->count + 1) * sizeof *grown);
    if (grown == NULL)
        return c->host->fail(c->host, LENS_E_NOMEM, "out of memory");
    grown[c->columns->count++] =
        (struct sample_column){ .field = f, .title = name, .title_size = size };
    c->columns->items = grown;
    return LENS_OK;
}

lens_status
sample_columns_choose(struct sample_columns *c, const struct lens_host *host,
                      const char *list)
{
    struct choice choice = { .columns = c, .host = host };
    lens_status status = LENS_OK;

    if (list != NULL)
        return selection_each(list, add_column, &choice);
    for (uint32_t i = 0; i < sample_field_count && status == LENS_OK; i++) {
        const char *name = field_column(&sample_fields[i]);

        if ((sample_fields[i].flags & FIELD_EXTRA) == 0)
            status = add_column(&choice, name, strlen(name));
    }
    return status;
}

void
sample_columns_clear(struct sample_columns *c)
{
    free(c->items);
    *c = (struct sample_columns){ 0 };
}

void
sample_header(const struct sample_columns *c, struct text *t)
{
    for (uint32_t i = 0; i < c->count; i++) {
        cell_next(t, i);
        text_put(t, c->items[i].title, c->items[i].title_size);
    }
    text_add(t, "\n");
}

static void
put_value(struct text *t, const struct value *v)
{
    switch (v->kind) {
    case VALUE_INT:
        cell_int(t, v->integer);
        break;
    case VALUE_DOUBLE:
        cell_double(t, v->number);
        break;
    case VALUE_BOOL:
        text_add(t, v->integer ? "true" : "false");
        break;
    case VALUE_STRING:
    case VALUE_JSON:
        cell_string(t, v->string);
        break;
    case VALUE_NONE:
        break;
    }
}

void
sample_row(const struct sample_columns *c, const struct lens_sample *s,
           const struct run_names *names, struct text *t)
{
    for (uint32_t i = 0; i < c->count; i++) {
        struct value value;

        cell_next(t, i);
        field_read(c->items[i].field, s, names, &value);
        put_value(t, &value);
    }
    text_add(t, "\n");
}
