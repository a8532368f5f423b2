#include <math.h>
#include <string.h>

#include "csv.h"
#include "write.h"

void
cell_next(struct text *t, uint32_t column)
{
    if (column > 0)
        text_add(t, ",");
}

void
cell_string(struct text *t, const char *string)
{
    if (strpbrk(string, ",\"\r\n") == NULL) {
        text_add(t, string);
        return;
    }
    text_add(t, "\"");
    for (const char *quote; (quote = strchr(string, '"')) != NULL; string = quote + 1) {
        text_put(t, string, (size_t)(quote - string));
        text_add(t, "\"\"");
    }
    text_add(t, string);
    text_add(t, "\"");
}

void
cell_int(struct text *t, int64_t integer)
{
    struct lens_writer w;

    lens_write_begin(&w, t, text_put);
    lens_write_int(&w, integer);
    lens_write_end(&w);
}

void
cell_double(struct text *t, double number)
{
    struct lens_writer w;

    if (!isfinite(number))
        return;
    lens_write_begin(&w, t, text_put);
    lens_write_double(&w, number);
    lens_write_end(&w);
}
