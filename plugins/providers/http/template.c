#include "template.h"

#include <stdio.h>
#include <string.h>

#include "absent.h"
#include "parameter.h"
#include "sdk/json.h"
#include "sdk/write.h"

struct render {
    enum template_form form;
    const struct lens_ask *ask;
    struct lens_text *out;
    int32_t in_string; /* JSON: the template is between quotes */
    char *why;
    size_t why_size;
};

struct placeholder {
    struct lens_bytes name, fallback;
    int32_t has_fallback;
};

static struct lens_bytes
trimmed(struct lens_bytes b)
{
    while (b.size > 0 && strchr(" \t\r\n", b.data[0]) != NULL)
        b.data++, b.size--;
    while (b.size > 0 && strchr(" \t\r\n", b.data[b.size - 1]) != NULL)
        b.size--;
    return b;
}

/* The bytes of a JSON string of `text`, without its quotes. */
static void
add_escaped(struct lens_text *out, struct lens_bytes text)
{
    struct lens_text quoted = { 0 };
    struct lens_writer w;

    lens_write_begin(&w, &quoted, lens_text_put);
    lens_write_string(&w, text.data, text.size);
    lens_write_end(&w);
    if (quoted.failed)
        out->failed = 1;
    else
        lens_text_add_bytes(out, quoted.data + 1, quoted.size - 2);
    lens_text_clear(&quoted);
}

static void
add_value(struct render *r, struct lens_bytes value, int text)
{
    if (r->form == TEMPLATE_TEXT) {
        lens_text_add_bytes(r->out, value.data, value.size);
    } else if (r->form == TEMPLATE_FORM) {
        lens_text_add_percent(r->out, value.data, value.size, "");
    } else if (r->in_string) {
        add_escaped(r->out, value);
    } else if (text) {
        lens_text_add(r->out, "\"");
        add_escaped(r->out, value);
        lens_text_add(r->out, "\"");
    } else {
        lens_text_add_bytes(r->out, value.data, value.size);
    }
}

static lens_status
put_placeholder(struct render *r, const struct placeholder *p)
{
    struct lens_text value = { 0 };
    int text = 0;
    const lens_status st = parameter_get(p->name, r->ask, &value, &text);

    if (st == LENS_E_CONFIG)
        snprintf(r->why, r->why_size, "{{%.*s}} is no parameter; there is %s",
                 (int)(p->name.size < 40 ? p->name.size : 40), p->name.data,
                 parameter_names);
    else if (st == LENS_E_UNSUPPORTED)
        snprintf(r->why, r->why_size, "the prompt has parts that {{%.*s}} cannot carry",
                 (int)p->name.size, p->name.data);
    else if (st == LENS_OK)
        add_value(r, lens_text_bytes(&value), text);
    else if (p->has_fallback)
        lens_text_add_bytes(r->out, p->fallback.data, p->fallback.size);
    else if (r->form == TEMPLATE_JSON)
        lens_text_add(r->out, ABSENT);
    r->out->failed |= value.failed;
    lens_text_clear(&value);
    return st < 0 ? st : LENS_OK;
}

/* Behind the closing braces; NULL: there are none. */
static const char *
read_placeholder(const char *at, struct placeholder *p)
{
    const char *end = strstr(at, "}}"), *bar;

    if (end == NULL)
        return NULL;
    bar = memchr(at, '|', (size_t)(end - at));
    p->has_fallback = bar != NULL;
    p->name =
        trimmed((struct lens_bytes){ at, (size_t)((bar != NULL ? bar : end) - at) });
    p->fallback = (struct lens_bytes){ 0 };
    if (bar != NULL)
        p->fallback = trimmed((struct lens_bytes){ bar + 1, (size_t)(end - bar - 1) });
    return end + 2;
}

static lens_status
put_all(struct render *r, const char *text)
{
    const char *at = text;

    while (*at != '\0') {
        struct placeholder p;
        lens_status st;

        if (strncmp(at, "{{", 2) == 0) {
            const char *past = read_placeholder(at + 2, &p);

            if (past == NULL) {
                snprintf(r->why, r->why_size, "column %zu: {{ has no }}",
                         (size_t)(at - text) + 1);
                return LENS_E_CONFIG;
            }
            st = put_placeholder(r, &p);
            if (st != LENS_OK)
                return st;
            at = past;
            continue;
        }
        if (r->form == TEMPLATE_JSON && r->in_string && *at == '\\' && at[1] != '\0') {
            lens_text_add_bytes(r->out, at, 2);
            at += 2;
            continue;
        }
        if (*at == '"')
            r->in_string = !r->in_string;
        lens_text_add_bytes(r->out, at++, 1);
    }
    return LENS_OK;
}

static lens_status
check_json(const struct lens_text *text, char *why, size_t size)
{
    struct lens_json j;

    lens_json_begin(&j, lens_text_get(text), text->size);
    lens_json_skip(&j);
    if (lens_json_end(&j))
        return LENS_OK;
    snprintf(why, size, "not JSON when it is filled in: %.200s%s", lens_text_get(text),
             text->size > 200 ? "..." : "");
    return LENS_E_CONFIG;
}

lens_status
template_render(const char *text, enum template_form form, const struct lens_ask *ask,
                struct lens_text *ret, char *why, size_t size)
{
    struct lens_text raw = { 0 };
    struct render r = {
        .form = form, .ask = ask, .out = &raw, .why = why, .why_size = size
    };
    lens_status st = put_all(&r, text);

    if (st == LENS_OK && form == TEMPLATE_JSON)
        absent_remove(&raw, ret);
    else if (st == LENS_OK)
        lens_text_add_bytes(ret, raw.data, raw.size);
    if (st == LENS_OK && (raw.failed || ret->failed)) {
        snprintf(why, size, "out of memory");
        st = LENS_E_NOMEM;
    }
    lens_text_clear(&raw);
    return st;
}

lens_status
template_check(const char *text, enum template_form form, char *why, size_t size)
{
    static const struct lens_part part = { .kind = LENS_PART_TEXT,
                                           .data = { "a\"b", 3 } };
    static const struct lens_turn turns[] = {
        { .role = LENS_ROLE_SYSTEM,
          .parts = &part,
          .part_count = 1,
          .part_size = sizeof part },
        { .role = LENS_ROLE_USER,
          .parts = &part,
          .part_count = 1,
          .part_size = sizeof part },
    };
    const struct lens_bytes stop = { "s", 1 };
    const struct lens_ask bare = { .struct_size = (uint32_t)sizeof bare };
    const struct lens_ask full = {
        .struct_size = (uint32_t)sizeof full,
        .flags = LENS_ASK_STREAM | LENS_ASK_IGNORE_EOS,
        .set = 127,
        .model = { "m", 1 },
        .turns = turns,
        .turn_count = 2,
        .turn_size = sizeof turns[0],
        .n = 1,
        .stop = &stop,
        .stop_count = 1,
        .stop_size = sizeof stop,
        .tools = { "[]", 2 },
        .tool_choice = { "\"auto\"", 6 },
        .response_format = { "{}", 2 },
    };
    const struct lens_ask *const asks[] = { &full, &bare };

    for (int i = 0; i < 2; i++) {
        struct lens_text filled = { 0 };
        lens_status st = template_render(text, form, asks[i], &filled, why, size);

        if (st == LENS_OK && form == TEMPLATE_JSON)
            st = check_json(&filled, why, size);
        lens_text_clear(&filled);
        if (st != LENS_OK)
            return st;
    }
    return LENS_OK;
}
