#include "value.h"

#include <string.h>

/* Bytes of `string`; `ret_plain` says whether none of them needs quotes. */
static size_t
measure(const char *string, int *ret_plain)
{
    const char *at = string;
    int plain = 1;

    for (; *at != '\0'; at++)
        plain &= *at != ',' && *at != '"' && *at != '\r' && *at != '\n';
    *ret_plain = plain;
    return (size_t)(at - string);
}

void
text_to_csv(const char *string, struct text *t)
{
    int plain;
    const size_t size = measure(string, &plain);

    if (plain) {
        text_put(t, string, size);
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
    switch (v->kind) {
    case VALUE_INT:
        text_int(t, v->integer);
        break;
    case VALUE_DOUBLE:
        text_double(t, v->number);
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
