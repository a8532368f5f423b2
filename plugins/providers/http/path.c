#include "path.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The compiler at work on one option. */
struct reader {
    struct tree *tree;
    const char *start, *at;
    char *why;
    size_t why_size;
};

static int fail(struct reader *r, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int
fail(struct reader *r, const char *format, ...)
{
    va_list args;
    int used;

    used = snprintf(r->why, r->why_size, "`%.80s`, column %zu: ", r->start,
                    (size_t)(r->at - r->start) + 1);
    va_start(args, format);
    if (used > 0 && (size_t)used < r->why_size)
        vsnprintf(r->why + used, r->why_size - (size_t)used, format, args);
    va_end(args);
    return 0;
}

static int
is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static void
skip_space(struct reader *r)
{
    while (is_space(*r->at))
        r->at++;
}

static int
same(struct lens_bytes a, struct lens_bytes b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* ---- the tree ---- */

/* The node behind an equal step, or a new one; 0: no room. */
static uint32_t
follow(struct tree *t, uint32_t node, const struct step *wanted)
{
    struct step *s;

    for (uint32_t i = t->nodes[node].steps; i != 0; i = t->steps[i].next) {
        s = &t->steps[i];
        if (s->kind == wanted->kind && s->index == wanted->index &&
            s->negated == wanted->negated && s->has_value == wanted->has_value &&
            same(s->name, wanted->name) && same(s->value, wanted->value))
            return s->target;
    }
    if (t->node_count == sizeof t->nodes / sizeof t->nodes[0] ||
        t->step_count == sizeof t->steps / sizeof t->steps[0])
        return 0;
    s = &t->steps[t->step_count];
    *s = *wanted;
    s->target = t->node_count++;
    s->next = t->nodes[node].steps;
    t->nodes[s->target] = (struct node){ 0 };
    t->nodes[node].steps = t->step_count++;
    return s->target;
}

static int
put_goal(struct tree *t, uint32_t node, uint32_t slot, uint32_t rank,
         struct lens_bytes event)
{
    struct goal *g;

    if (t->goal_count == sizeof t->goals / sizeof t->goals[0])
        return 0;
    g = &t->goals[t->goal_count];
    *g = (struct goal){ slot, rank, t->nodes[node].goals, event };
    t->nodes[node].goals = t->goal_count++;
    t->given[slot / 32] |= UINT32_C(1) << slot % 32;
    return 1;
}

void
tree_init(struct tree *t)
{
    memset(t, 0, sizeof *t);
    t->node_count = t->step_count = t->goal_count = 1;
}

void
tree_clear(struct tree *t)
{
    for (uint32_t i = 0; i < t->text_count; i++)
        free(t->texts[i]);
    t->text_count = 0;
}

int
tree_has(const struct tree *t, uint32_t slot)
{
    return (t->given[slot / 32] >> slot % 32 & 1) != 0;
}

/* ---- the language ---- */

static int64_t
number_of(struct lens_bytes digits)
{
    int64_t value = 0;

    if (digits.size == 0 || digits.size > 9)
        return -1;
    for (size_t i = 0; i < digits.size; i++) {
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return -1;
        value = value * 10 + (digits.data[i] - '0');
    }
    return value;
}

/* Text in either kind of quotes; a backslash is not special, there are two kinds. */
static int
read_quoted(struct reader *r, struct lens_bytes *ret)
{
    const char quote = *r->at;
    const char *end = strchr(r->at + 1, quote);

    if (end == NULL)
        return fail(r, "the quote has no end");
    *ret = (struct lens_bytes){ r->at + 1, (size_t)(end - r->at - 1) };
    r->at = end + 1;
    return 1;
}

/* A name or a bare value: up to what ends it. */
static struct lens_bytes
read_word(struct reader *r, const char *ends)
{
    const char *start = r->at;

    while (*r->at != '\0' && !is_space(*r->at) && strchr(ends, *r->at) == NULL)
        r->at++;
    return (struct lens_bytes){ start, (size_t)(r->at - start) };
}

/* `type=="text"`, `@.type != 'x'`, `(a.b==3)`, `tool` */
static int
read_filter(struct reader *r, struct step *s)
{
    int bracket;

    s->kind = STEP_FILTER;
    skip_space(r);
    bracket = *r->at == '(';
    r->at += bracket;
    skip_space(r);
    if (strncmp(r->at, "@.", 2) == 0)
        r->at += 2;
    s->name = read_word(r, "=!<>()]'\"[");
    if (s->name.size == 0)
        return fail(r, "expected a member, for instance [?type==\"text\"]");
    skip_space(r);
    if (*r->at == '=' || (*r->at == '!' && r->at[1] == '=')) {
        s->negated = *r->at == '!';
        r->at++;
        r->at += *r->at == '=';
        s->has_value = 1;
        skip_space(r);
        if (*r->at == '"' || *r->at == '\'') {
            if (!read_quoted(r, &s->value))
                return 0;
        } else {
            s->value = read_word(r, ")]");
        }
        if (s->value.size == 0)
            return fail(r, "expected a value to compare with");
    } else if (*r->at == '<' || *r->at == '>' || *r->at == '[') {
        return fail(r, "a filter compares a member by == or != only");
    }
    skip_space(r);
    if (bracket && *r->at++ != ')')
        return fail(r, "expected ) at the end of the filter");
    skip_space(r);
    return *r->at == ']' ? 1 : fail(r, "expected ] at the end of the filter");
}

/* What stands in brackets; the cursor is behind the opening one. */
static int
read_bracket(struct reader *r, struct step *s)
{
    skip_space(r);
    if (*r->at == '?') {
        r->at++;
        if (!read_filter(r, s))
            return 0;
    } else if (*r->at == '*' || *r->at == '#') {
        s->kind = *r->at++ == '*' ? STEP_ALL : STEP_CHOICE;
    } else if (*r->at == '"' || *r->at == '\'') {
        s->kind = STEP_MEMBER;
        if (!read_quoted(r, &s->name))
            return 0;
    } else if (*r->at == '-') {
        return fail(r, "elements are counted from the front: use [0], or [*] for all");
    } else {
        s->kind = STEP_ELEMENT;
        s->index = number_of(read_word(r, "]:,"));
        if (s->index < 0)
            return fail(r,
                        "expected an index, *, #, a quoted name or ?member==\"value\"");
    }
    skip_space(r);
    if (*r->at != ']')
        return fail(r, *r->at == ':' || *r->at == ','
                           ? "slices and lists are not known: use [*]"
                           : "expected ]");
    r->at++;
    return 1;
}

/* What stands behind a dot, or at the front. */
static int
read_name(struct reader *r, struct step *s)
{
    const struct lens_bytes name = read_word(r, ".[]|");

    if (name.size == 0)
        return fail(r, *r->at == '.' ? "`..` is not known: name each step"
                                     : "expected the name of a member");
    s->kind = STEP_MEMBER;
    s->name = name;
    s->index = number_of(name);
    if (name.size == 1 && name.data[0] == '*')
        s->kind = STEP_ALL;
    else if (name.size == 1 && name.data[0] == '#')
        s->kind = STEP_CHOICE;
    if (s->kind != STEP_MEMBER)
        s->name = (struct lens_bytes){ 0 };
    return 1;
}

static int
read_steps(struct reader *r, uint32_t *node)
{
    int first = 1, steps = 0;

    if (*r->at == '$') {
        r->at++;
        first = 0;
    }
    while (*r->at != '\0' && *r->at != '|' && !is_space(*r->at)) {
        struct step s = { .index = -1 };

        if (*r->at == '[') {
            r->at++;
            if (!read_bracket(r, &s))
                return 0;
        } else {
            if (*r->at == '.' && !first)
                r->at++;
            else if (!first || *r->at == '.' || *r->at == ']')
                return fail(r, "expected . or [ between two steps");
            if (!read_name(r, &s))
                return 0;
        }
        first = 0;
        if (++steps > 32)
            return fail(r, "more than 32 steps");
        *node = follow(r->tree, *node, &s);
        if (*node == 0)
            return fail(r, "too many paths in one configuration");
    }
    return first ? fail(r, "expected a path, for instance choices[0].text") : 1;
}

static int
read_alternative(struct reader *r, uint32_t slot, uint32_t rank)
{
    struct lens_bytes event = { 0 };
    uint32_t node = 0;

    skip_space(r);
    if (strncmp(r->at, "event:", 6) == 0) {
        r->at += 6;
        event = read_word(r, "|");
        if (event.size == 0)
            return fail(r, "expected the name of an SSE event behind event:");
        skip_space(r);
    }
    if (!read_steps(r, &node))
        return 0;
    skip_space(r);
    if (*r->at != '\0' && *r->at != '|')
        return fail(r, "expected | or the end of the path");
    if (!put_goal(r->tree, node, slot, rank, event))
        return fail(r, "too many paths in one configuration");
    return 1;
}

int
tree_add(struct tree *t, uint32_t slot, const char *text, char *why, size_t size)
{
    struct reader r = { .tree = t, .why = why, .why_size = size };
    char *copy;
    uint32_t rank = 0;

    r.start = r.at = text;
    if (t->text_count == sizeof t->texts / sizeof t->texts[0])
        return fail(&r, "too many paths in one configuration");
    copy = strdup(text);
    if (copy == NULL)
        return fail(&r, "out of memory");
    t->texts[t->text_count++] = copy;
    r.start = r.at = copy;
    for (;;) {
        if (!read_alternative(&r, slot, rank++))
            return 0;
        if (*r.at == '\0')
            return 1;
        if (rank == 8)
            return fail(&r, "more than 8 alternatives");
        r.at++;
    }
}
