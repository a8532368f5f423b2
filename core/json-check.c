#include "json-check.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

enum { DEPTH_MAX = 256 };

struct check {
    const char *at;
    const char *why;
    bool object[DEPTH_MAX]; /* kinds of what is open */
    int depth;
};

static bool
refuse(struct check *c, const char *why)
{
    c->why = why;
    return false;
}

static void
skip_space(struct check *c)
{
    c->at += strspn(c->at, " \t\n\r");
}

static bool
take_string(struct check *c)
{
    if (*c->at != '"')
        return refuse(c, "a string in double quotes");
    for (c->at++; *c->at != '"'; c->at++) {
        if ((unsigned char)*c->at < 0x20)
            return refuse(c, "the end of a string, without control characters in it");
        if (*c->at != '\\')
            continue;
        c->at++;
        if (*c->at == '\0' || strchr("\"\\/bfnrtu", *c->at) == NULL)
            return refuse(c, "one of \"\\/bfnrtu after a backslash");
        for (int digit = 1; *c->at == 'u' && digit <= 4; digit++) {
            if (!g_ascii_isxdigit(c->at[digit]))
                return refuse(c, "four hexadecimal digits");
            if (digit == 4)
                c->at += 4;
        }
    }
    c->at++;
    return true;
}

static bool
take_digits(struct check *c)
{
    if (!g_ascii_isdigit(*c->at))
        return refuse(c, "a digit");
    while (g_ascii_isdigit(*c->at))
        c->at++;
    return true;
}

static bool
take_number(struct check *c)
{
    c->at += *c->at == '-';
    if (*c->at == '0')
        c->at++;
    else if (!take_digits(c))
        return refuse(c, "a value");
    if (*c->at == '.') {
        c->at++;
        if (!take_digits(c))
            return false;
    }
    if (*c->at == 'e' || *c->at == 'E') {
        c->at++;
        c->at += *c->at == '+' || *c->at == '-';
        return take_digits(c);
    }
    return true;
}

static bool
take_scalar(struct check *c)
{
    static const char *const words[] = { "true", "false", "null" };

    if (*c->at == '"')
        return take_string(c);
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++) {
        if (g_str_has_prefix(c->at, words[i])) {
            c->at += strlen(words[i]);
            return true;
        }
    }
    return take_number(c);
}

/* A member's name and colon. */
static bool
take_name(struct check *c)
{
    skip_space(c);
    if (!take_string(c))
        return false;
    skip_space(c);
    if (*c->at != ':')
        return refuse(c, "a colon");
    c->at++;
    return true;
}

/* Opens what begins here, down to a scalar or an empty container. */
static bool
take_opening(struct check *c)
{
    for (;;) {
        skip_space(c);
        if (*c->at != '[' && *c->at != '{')
            return take_scalar(c);
        if (c->depth == DEPTH_MAX)
            return refuse(c, "no more than 256 levels");
        c->object[c->depth++] = *c->at == '{';
        c->at++;
        skip_space(c);
        if (*c->at == (c->object[c->depth - 1] ? '}' : ']')) {
            c->at++;
            c->depth--;
            return true;
        }
        if (c->object[c->depth - 1] && !take_name(c))
            return false;
    }
}

/* Closes what ends here; true when a further value follows. */
static bool
take_closing(struct check *c)
{
    for (; c->depth > 0; c->depth--) {
        const bool object = c->object[c->depth - 1];

        skip_space(c);
        if (*c->at == ',') {
            c->at++;
            return !object || take_name(c);
        }
        if (*c->at != (object ? '}' : ']'))
            return refuse(c, object ? "a comma or }" : "a comma or ]");
        c->at++;
    }
    return false;
}

const char *
json_check(const char *text, size_t *ret_at)
{
    struct check c = { .at = text };

    do {
        if (!take_opening(&c))
            break;
    } while (take_closing(&c));
    skip_space(&c);
    if (c.why == NULL && *c.at != '\0')
        c.why = "nothing behind the value";
    if (c.why == NULL && !g_utf8_validate(text, -1, NULL))
        c.why = "UTF-8";
    *ret_at = (size_t)(c.at - text);
    return c.why;
}
