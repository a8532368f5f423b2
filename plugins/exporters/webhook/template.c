#include "template.h"

#include <stdio.h>
#include <string.h>

#include <json.h>

/* The next {{path}}; 0: none, or it is not closed. */
static int
next_place(const char *text, size_t size, size_t from, size_t *ret_open,
           size_t *ret_close)
{
    for (size_t i = from; i + 1 < size; i++)
        if (text[i] == '{' && text[i + 1] == '{') {
            *ret_open = i;
            for (size_t k = i + 2; k + 1 < size && text[k] != '\n'; k++)
                if (text[k] == '}' && text[k + 1] == '}') {
                    *ret_close = k;
                    return 1;
                }
            return 0;
        }
    *ret_open = size;
    return 0;
}

int
template_check(const char *text, size_t size, uint32_t *ret_line)
{
    size_t open, close, from = 0;

    while (next_place(text, size, from, &open, &close))
        from = close + 2;
    *ret_line = 1;
    for (size_t i = 0; i < open; i++)
        *ret_line += text[i] == '\n';
    return open == size;
}

static void
fill_one(const char *path, const struct text *event, struct text *out)
{
    struct lens_json_string string;
    struct lens_bytes raw;
    struct lens_json j;

    if (strcmp(path, "json") == 0) {
        text_put(out, event->data, event->size);
    } else if (!lens_json_find(event->data, event->size, path, &j)) {
        text_add(out, "null");
    } else if (lens_json_peek(&j) == LENS_JSON_STRING) {
        if (lens_json_string(&j, &string))
            text_put(out, string.raw.data, string.raw.size);
    } else if (lens_json_raw(&j, &raw)) {
        text_put(out, raw.data, raw.size);
    }
}

void
template_fill(const char *text, size_t size, const struct text *event, struct text *out)
{
    size_t open, close, from = 0;
    char path[256];

    text_rewind(out);
    while (next_place(text, size, from, &open, &close)) {
        size_t first = open + 2, end = close;

        text_put(out, text + from, open - from);
        while (first < end && text[first] == ' ')
            first++;
        while (end > first && text[end - 1] == ' ')
            end--;
        snprintf(path, sizeof path, "%.*s", (int)(end - first), text + first);
        fill_one(path, event, out);
        from = close + 2;
    }
    text_put(out, text + from, size - from);
}
