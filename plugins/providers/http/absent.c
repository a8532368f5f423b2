#include "absent.h"

#include <string.h>

enum { DEPTH_MAX = 64 };

struct copy {
    const char *at, *end;
    struct lens_text *out;
    int depth;
};

static void
skip_space(struct copy *c)
{
    while (c->at < c->end && strchr(" \t\r\n", *c->at) != NULL && *c->at != '\0')
        c->at++;
}

static void
truncate_to(struct lens_text *t, size_t size)
{
    t->size = size;
    if (t->data != NULL)
        t->data[size] = '\0';
}

/* 0: it holds nothing but what is missing. */
static int
copy_string(struct copy *c)
{
    const char *start = ++c->at;
    int missing = 0, rest = 0;

    lens_text_add(c->out, "\"");
    for (; c->at < c->end && *c->at != '"'; c->at++) {
        if (*c->at == ABSENT[0]) {
            missing = 1;
            continue;
        }
        rest = 1;
        lens_text_add_bytes(c->out, c->at, 1);
        if (*c->at == '\\' && c->at + 1 < c->end)
            lens_text_add_bytes(c->out, ++c->at, 1);
    }
    if (c->at < c->end)
        c->at++;
    lens_text_add(c->out, "\"");
    (void)start;
    return rest || !missing;
}

static int copy_value(struct copy *c);

/* Members or elements up to the closing bracket. */
static void
copy_list(struct copy *c, char closing)
{
    int kept = 0;

    lens_text_add_bytes(c->out, c->at++, 1);
    c->depth++;
    for (;;) {
        const size_t before = c->out->size;
        int present = 1;

        skip_space(c);
        if (c->at >= c->end || *c->at == closing)
            break;
        if (kept)
            lens_text_add(c->out, ",");
        if (closing == '}') {
            if (*c->at == '"')
                copy_string(c);
            skip_space(c);
            if (c->at < c->end && *c->at == ':')
                lens_text_add_bytes(c->out, c->at++, 1);
        }
        present = copy_value(c);
        if (present)
            kept = 1;
        else
            truncate_to(c->out, before);
        skip_space(c);
        if (c->at >= c->end || *c->at != ',')
            break;
        c->at++;
        skip_space(c);
        if (c->at < c->end && *c->at == closing) /* for the check to find */
            lens_text_add(c->out, ",");
    }
    c->depth--;
    if (c->at < c->end && *c->at == closing)
        lens_text_add_bytes(c->out, c->at++, 1);
}

/* A number or a word, up to what ends it. */
static int
copy_word(struct copy *c)
{
    const char *start = c->at;

    while (c->at < c->end && strchr(",]} \t\r\n", *c->at) == NULL)
        c->at++;
    if (c->at == start && c->at < c->end) /* no value at all: for the check to find */
        c->at++;
    lens_text_add_bytes(c->out, start, (size_t)(c->at - start));
    return !(c->at - start == 1 && *start == ABSENT[0]);
}

static int
copy_value(struct copy *c)
{
    skip_space(c);
    if (c->at >= c->end)
        return 1;
    if (*c->at == '"')
        return copy_string(c);
    if ((*c->at == '{' || *c->at == '[') && c->depth < DEPTH_MAX) {
        copy_list(c, *c->at == '{' ? '}' : ']');
        return 1;
    }
    return copy_word(c);
}

void
absent_remove(const struct lens_text *json, struct lens_text *ret)
{
    const char *text = lens_text_get(json);
    struct copy c = { text, text + json->size, ret, 0 };

    if (memchr(text, ABSENT[0], json->size) == NULL) {
        lens_text_add_bytes(ret, text, json->size);
        return;
    }
    if (!copy_value(&c)) {
        truncate_to(ret, 0);
        lens_text_add(ret, "null");
    }
    skip_space(&c);
    if (c.at < c.end) /* for the check to find */
        lens_text_add_bytes(ret, c.at, (size_t)(c.end - c.at));
}
