#include "value.h"

#include <math.h>
#include <string.h>

void
text_to_csv(const char *string, struct text *t)
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
value_to_csv(const struct value *v, struct text *t)
{
    struct lens_writer w;

    switch (v->kind) {
    case VALUE_INT:
    case VALUE_DOUBLE:
        lens_write_begin(&w, t, text_put);
        if (v->kind == VALUE_INT)
            lens_write_int(&w, v->integer);
        else if (isfinite(v->number))
            lens_write_double(&w, v->number);
        lens_write_end(&w);
        break;
    case VALUE_BOOL:
        text_add(t, v->integer ? "true" : "false");
        break;
    case VALUE_STRING:
    case VALUE_JSON:
        text_to_csv(v->string, t);
        break;
    case VALUE_NONE:
        break;
    }
}

void
value_to_json(const struct value *v, struct lens_writer *w)
{
    switch (v->kind) {
    case VALUE_INT:
        lens_write_int(w, v->integer);
        break;
    case VALUE_DOUBLE:
        lens_write_double(w, v->number);
        break;
    case VALUE_BOOL:
        lens_write(w, v->integer ? "true" : "false");
        break;
    case VALUE_STRING:
        lens_write_string(w, v->string, strlen(v->string));
        break;
    case VALUE_JSON:
        lens_write(w, v->string);
        break;
    default:
        lens_write(w, "null");
    }
}
