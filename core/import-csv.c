/* Rows of a CSV file (RFC 4180): a head with names; separated by comma, semicolon or
 * tab, whichever the head has most of. */
#include <string.h>

#include "error.h"
#include "import-private.h"

struct csv {
    const char *at, *end, *path;
    uint64_t line;
    char separator;
};

static char
find_separator(const char *text, const char *end)
{
    static const char candidates[] = { ',', ';', '\t' };
    size_t counts[3] = { 0 }, best = 0;

    for (; text < end && *text != '\n'; text++)
        for (size_t i = 0; i < 3; i++)
            counts[i] += *text == candidates[i];
    for (size_t i = 1; i < 3; i++)
        if (counts[i] > counts[best])
            best = i;
    return candidates[best];
}

/* Behind the opening quote. */
static bool
read_quoted(struct csv *c, GString *cell, GError **error)
{
    const uint64_t line = c->line;

    for (; c->at < c->end; c->at++) {
        if (*c->at == '"' && (c->at + 1 == c->end || c->at[1] != '"')) {
            c->at++;
            return true;
        }
        if (*c->at == '"')
            c->at++;
        c->line += *c->at == '\n';
        g_string_append_c(cell, *c->at);
    }
    return import_fail(c->path, line, error, "the quote is never closed");
}

static bool
read_cell(struct csv *c, GString *cell, GError **error)
{
    g_string_truncate(cell, 0);
    if (c->at < c->end && *c->at == '"') {
        c->at++;
        if (!read_quoted(c, cell, error))
            return false;
    }
    while (c->at < c->end && *c->at != c->separator && *c->at != '\n')
        g_string_append_c(cell, *c->at++);
    if ((c->at == c->end || *c->at == '\n') && cell->len > 0 &&
        cell->str[cell->len - 1] == '\r')
        g_string_truncate(cell, cell->len - 1);
    return true;
}

/* false without an error: the file has ended. */
static bool
read_record(struct csv *c, GPtrArray *cells, GError **error)
{
    g_autoptr(GString) cell = g_string_new(NULL);

    g_ptr_array_set_size(cells, 0);
    while (c->at < c->end && (*c->at == '\n' || *c->at == '\r')) /* empty lines */
        c->line += *c->at++ == '\n';
    if (c->at == c->end)
        return false;
    for (;;) {
        if (!read_cell(c, cell, error))
            return false;
        g_ptr_array_add(cells, g_strdup(cell->str));
        if (c->at == c->end || *c->at == '\n')
            return true;
        c->at++;
    }
}

static void
fill_row(import_row *row, const GPtrArray *names, const GPtrArray *cells)
{
    g_hash_table_remove_all(row->cells);
    for (guint i = 0; i < cells->len; i++)
        import_row_put(row, g_strstrip(g_strdup(names->pdata[i])),
                       g_strstrip(g_strdup(cells->pdata[i])));
}

bool
import_each_csv(const char *path, const char *text, size_t size, import_row_fn fn,
                void *data, GError **error)
{
    g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) cells = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GHashTable) table = import_cells_new();
    struct csv c = { .path = path, .line = 1 };
    import_row row = { .cells = table };
    GError *broken = NULL;

    /* An empty file has no text at all. */
    c.at = size == 0 ? "" : text;
    c.end = c.at + size;
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
        c.at += 3;
    c.separator = find_separator(c.at, c.end);
    if (!read_record(&c, names, &broken)) {
        if (broken == NULL)
            return import_fail(path, 1, error,
                               "is empty, expected a line with the names "
                               "of the columns");
        g_propagate_error(error, broken);
        return false;
    }
    while (c.at < c.end && read_record(&c, cells, &broken)) {
        row.line = c.line;
        for (guint i = 0; i < cells->len; i++) /* lines inside of quotes */
            for (const char *s = cells->pdata[i]; *s != '\0'; s++)
                row.line -= *s == '\n';
        if (cells->len != names->len)
            return import_fail(path, row.line, error, "has %u cells, the head has %u",
                               cells->len, names->len);
        fill_row(&row, names, cells);
        if (!fn(&row, data, error))
            return false;
    }
    if (broken != NULL)
        g_propagate_error(error, broken);
    return broken == NULL;
}
