#include "table.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
table_add(struct table *t, const char *name, const char *type, const char *source,
          int32_t fixed)
{
    struct table_column *grown = realloc(t->items, (t->count + 1) * sizeof *grown);

    if (grown == NULL)
        return 0;
    t->items = grown;
    grown[t->count] = (struct table_column){ strdup(name), type, strdup(source), fixed };
    t->count++;
    return grown[t->count - 1].name != NULL && grown[t->count - 1].source != NULL;
}

void
table_clear(struct table *t)
{
    for (uint32_t i = 0; i < t->count; i++) {
        free(t->items[i].name);
        free(t->items[i].source);
    }
    free(t->items);
    free(t->schema);
    free(t->name);
    *t = (struct table){ 0 };
}

/* ---- statements ---- */

static void
add_quoted(struct text *sql, const char *name)
{
    text_add(sql, "\"");
    for (; *name != '\0'; name++) {
        if (*name == '"')
            text_add(sql, "\"");
        text_put(sql, name, 1);
    }
    text_add(sql, "\"");
}

void
table_name(const struct table *t, struct text *out)
{
    if (t->schema != NULL) {
        add_quoted(out, t->schema);
        text_add(out, ".");
    }
    add_quoted(out, t->name);
}

void
table_create(const struct table *t, struct text *sql)
{
    text_add(sql, "CREATE TABLE IF NOT EXISTS ");
    table_name(t, sql);
    text_add(sql, " (");
    for (uint32_t i = 0; i < t->count; i++) {
        text_add(sql, i > 0 ? ", " : "");
        add_quoted(sql, t->items[i].name);
        text_add(sql, " ");
        text_add(sql, t->items[i].type);
    }
    if (t->key != NULL) {
        text_add(sql, ", PRIMARY KEY (");
        text_add(sql, t->key);
        text_add(sql, ")");
    }
    text_add(sql, ");");
    for (uint32_t i = 0; i < t->count; i++) { /* of an earlier version */
        text_add(sql, "ALTER TABLE ");
        table_name(t, sql);
        text_add(sql, " ADD COLUMN IF NOT EXISTS ");
        add_quoted(sql, t->items[i].name);
        text_add(sql, " ");
        text_add(sql, t->items[i].type);
        text_add(sql, ";");
    }
}

static void
add_columns(const struct table *t, struct text *sql)
{
    for (uint32_t i = 0; i < t->count; i++) {
        text_add(sql, i > 0 ? ", " : "");
        add_quoted(sql, t->items[i].name);
    }
}

static void
add_staging(const struct table *t, struct text *sql)
{
    char name[80];

    snprintf(name, sizeof name, "staging_%.60s", t->name);
    add_quoted(sql, name);
}

void
table_stage(const struct table *t, struct text *sql)
{
    text_add(sql, "CREATE TEMP TABLE IF NOT EXISTS ");
    add_staging(t, sql);
    text_add(sql, " AS SELECT ");
    add_columns(t, sql);
    text_add(sql, " FROM ");
    table_name(t, sql);
    text_add(sql, " WITH NO DATA; TRUNCATE ");
    add_staging(t, sql);
}

void
table_copy(const struct table *t, struct text *sql)
{
    text_add(sql, "COPY ");
    add_staging(t, sql);
    text_add(sql, " FROM STDIN");
}

void
table_merge(const struct table *t, struct text *sql)
{
    text_add(sql, "INSERT INTO ");
    table_name(t, sql);
    text_add(sql, " (");
    add_columns(t, sql);
    text_add(sql, ") SELECT * FROM ");
    add_staging(t, sql);
    if (!t->whole || t->key == NULL) {
        text_add(sql, " ON CONFLICT DO NOTHING");
        return;
    }
    text_add(sql, " ON CONFLICT (");
    text_add(sql, t->key);
    text_add(sql, ") DO UPDATE SET ");
    for (uint32_t i = 0; i < t->count; i++) {
        text_add(sql, i > 0 ? ", " : "");
        add_quoted(sql, t->items[i].name);
        text_add(sql, " = excluded.");
        add_quoted(sql, t->items[i].name);
    }
}

/* ---- rows: PostgreSQL documentation, COPY, "Text Format" ---- */

void
row_null(struct text *out)
{
    text_add(out, "\\N");
}

void
row_text(struct text *out, const char *value)
{
    const char *plain = value;

    for (; *value != '\0'; value++) {
        const char *escape = *value == '\\'   ? "\\\\"
                             : *value == '\n' ? "\\n"
                             : *value == '\r' ? "\\r"
                             : *value == '\t' ? "\\t"
                                              : NULL;

        if (escape == NULL)
            continue;
        text_put(out, plain, (size_t)(value - plain));
        text_add(out, escape);
        plain = value + 1;
    }
    text_put(out, plain, (size_t)(value - plain));
}

void
row_number(struct text *out, double value)
{
    char number[40];

    if (!isfinite(value)) {
        row_null(out);
        return;
    }
    snprintf(number, sizeof number, "%.17g", value);
    text_add(out, number);
}

void
row_value(struct text *out, const struct value *v)
{
    char number[32];

    switch (v->kind) {
    case VALUE_INT:
        snprintf(number, sizeof number, "%lld", (long long)v->integer);
        text_add(out, number);
        break;
    case VALUE_DOUBLE:
        row_number(out, v->number);
        break;
    case VALUE_BOOL:
        text_add(out, v->integer ? "t" : "f");
        break;
    case VALUE_STRING:
    case VALUE_JSON:
        row_text(out, v->string);
        break;
    default:
        row_null(out);
    }
}

void
row_next(struct text *out, int32_t first)
{
    if (!first)
        text_add(out, "\t");
}

void
row_end(struct text *out)
{
    text_add(out, "\n");
}
