#include "answer.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "json.h"

static const struct answer_rule other_5xx = { .from = 500,
                                              .to = 599,
                                              .act = ANSWER_LATER };
static const struct answer_rule other = { .act = ANSWER_GIVE_UP };

int
answer_holds(const struct lens_bytes *bytes, const char *text)
{
    const size_t size = strlen(text);

    for (size_t i = 0; i + size <= bytes->size; i++)
        if (strncasecmp(bytes->data + i, text, size) == 0)
            return 1;
    return 0;
}

const struct answer_rule *
answer_rule_for(const struct answer_rule *rules, size_t count,
                const struct lens_http_answer *answer)
{
    for (size_t i = 0; i < count; i++) {
        const struct answer_rule *r = &rules[i];

        if (answer->status >= r->from && answer->status <= r->to &&
            (r->text == NULL || answer_holds(&answer->body, r->text)))
            return r;
    }
    return answer->status >= 500 ? &other_5xx : &other;
}

struct lens_bytes
answer_header(const struct lens_http_answer *answer, const char *name)
{
    const size_t size = strlen(name);
    const char *at = (const char *)answer->headers;

    for (uint32_t i = 0; i < answer->header_count; i++, at += answer->header_size) {
        const struct lens_pair *h = (const struct lens_pair *)(const void *)at;

        if (h->name.size == size && strncasecmp(h->name.data, name, size) == 0)
            return h->value;
    }
    return (struct lens_bytes){ "", 0 };
}

/* ---- the message ---- */

struct line {
    char *at;
    size_t left; /* without the final NUL */
};

/* Runs of white space and control characters become one space. */
static void
put(struct line *l, const char *data, size_t size)
{
    for (size_t i = 0; i < size && l->left > 0; i++) {
        const unsigned char c = (unsigned char)data[i];
        const int blank = c <= ' ' || c == 0x7f;

        if (blank && (i == 0 || (unsigned char)data[i - 1] <= ' '))
            continue;
        *l->at++ = blank ? ' ' : (char)c;
        l->left--;
    }
    *l->at = '\0';
}

static void
put_text(struct line *l, const char *text)
{
    const size_t size = strlen(text);

    for (size_t i = 0; i < size && l->left > 0; i++, l->left--)
        *l->at++ = text[i];
    *l->at = '\0';
}

static int
put_member(struct line *l, const struct lens_bytes *body, const char *member)
{
    struct lens_json_string found;
    struct lens_json j;
    char text[512];

    if (!lens_json_find(body->data, body->size, member, &j) ||
        !lens_json_string(&j, &found) || found.raw.size == 0)
        return 0;
    if (found.raw.size > sizeof text)
        found.raw.size = sizeof text;
    put_text(l, ": ");
    put(l, text, lens_json_unescape(&found, text));
    return 1;
}

/* Not half a character at the end. */
static void
cut_clean(char *text)
{
    size_t size = strlen(text);
    size_t start = size;

    while (start > 0 && ((unsigned char)text[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0 || ((unsigned char)text[start - 1] & 0x80) == 0)
        return;
    start--;
    if (size - start < ((unsigned char)text[start] >= 0xf0   ? 4u
                        : (unsigned char)text[start] >= 0xe0 ? 3u
                                                             : 2u))
        text[start] = '\0';
}

void
answer_say(const char *name, const struct lens_http_answer *answer,
           const struct answer_rule *rule, const char *const *members, char *ret,
           size_t size)
{
    struct line l = { ret, size - 1 };
    struct line said = { ret, 0 };
    char status[64];
    int found = 0;

    *ret = '\0';
    snprintf(status, sizeof status, " answered %d", (int)answer->status);
    put_text(&l, name);
    put_text(&l, status);
    for (; members != NULL && *members != NULL && !found; members++)
        found = put_member(&l, &answer->body, *members);
    if (!found && answer->body.size > 0) {
        put_text(&l, ": ");
        said = (struct line){ l.at, l.left < 300 ? l.left : 300 };
        put(&said, answer->body.data, answer->body.size);
        cut_clean(l.at);
        l.left -= strlen(l.at);
        l.at += strlen(l.at);
    }
    if (rule->advice != NULL) {
        put_text(&l, "; ");
        put_text(&l, rule->advice);
    }
    cut_clean(ret);
}
