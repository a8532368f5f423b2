#include "reference-json.h"

#include <glib.h>
#include <string.h>

struct text {
    const char *at, *end;
    unsigned depth;
    bool lone_surrogate;
};

static bool value(struct text *t);

static void
space(struct text *t)
{
    while (t->at < t->end && strchr(" \t\r\n", *t->at) != NULL && *t->at != '\0')
        t->at++;
}

static bool
take(struct text *t, const char *word)
{
    const size_t size = strlen(word);

    if ((size_t)(t->end - t->at) < size || memcmp(t->at, word, size) != 0)
        return false;
    t->at += size;
    return true;
}

static bool
digits(struct text *t)
{
    const char *begin = t->at;

    while (t->at < t->end && g_ascii_isdigit(*t->at))
        t->at++;
    return t->at > begin;
}

static bool
number(struct text *t)
{
    take(t, "-");
    if (!take(t, "0") && !digits(t))
        return false;
    if (take(t, ".") && !digits(t))
        return false;
    if (take(t, "e") || take(t, "E")) {
        if (!take(t, "+"))
            take(t, "-");
        return digits(t);
    }
    return true;
}

/* Four hex digits, or -1. */
static int
hex(struct text *t)
{
    int code = 0;

    if (t->end - t->at < 4)
        return -1;
    for (int i = 0; i < 4; i++, t->at++) {
        if (!g_ascii_isxdigit(*t->at))
            return -1;
        code = code * 16 + g_ascii_xdigit_value(*t->at);
    }
    return code;
}

static bool
string(struct text *t)
{
    bool high = false; /* the last thing was a high surrogate */

    if (!take(t, "\""))
        return false;
    for (;;) {
        int code = -1;

        if (t->at == t->end || (unsigned char)*t->at < 0x20)
            return false;
        if (take(t, "\"")) {
            t->lone_surrogate |= high;
            return true;
        }
        if (take(t, "\\u")) {
            code = hex(t);
            if (code < 0)
                return false;
        } else if (take(t, "\\")) {
            if (t->at == t->end || *t->at == '\0' || !strchr("\"\\/bfnrt", *t->at))
                return false;
            t->at++;
        } else {
            t->at++;
        }
        if (high != (code >= 0xdc00 && code < 0xe000))
            t->lone_surrogate = true;
        high = code >= 0xd800 && code < 0xdc00;
    }
}

static bool
container(struct text *t, bool object)
{
    if (++t->depth > 256)
        return false;
    t->at++;
    space(t);
    if (!take(t, object ? "}" : "]")) {
        do {
            space(t);
            if (object) {
                if (!string(t))
                    return false;
                space(t);
                if (!take(t, ":"))
                    return false;
            }
            if (!value(t))
                return false;
        } while (take(t, ","));
        if (!take(t, object ? "}" : "]"))
            return false;
    }
    t->depth--;
    return true;
}

static bool
value(struct text *t)
{
    bool ok;

    space(t);
    if (t->at == t->end)
        return false;
    if (*t->at == '{' || *t->at == '[')
        ok = container(t, *t->at == '{');
    else if (*t->at == '"')
        ok = string(t);
    else
        ok = take(t, "true") || take(t, "false") || take(t, "null") || number(t);
    space(t);
    return ok;
}

struct verdict
reference_json(const char *data, size_t size)
{
    struct text t = { data, data + size, 0, false };
    struct verdict v = { false, false };

    if (!g_utf8_validate(data, (gssize)size, NULL))
        return v;
    take(&t, "\xef\xbb\xbf");
    v.valid = value(&t) && t.at == t.end;
    v.lone_surrogate = t.lone_surrogate;
    return v;
}
