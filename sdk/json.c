#include "json.h"

#include <endian.h>
#include <string.h>

#include "json-scan.h"
#include "utf8.h"

/* What is known of the level at the cursor, in lens_json.level. */
enum {
    LEVEL_BEGUN = 0,
    LEVEL_FRESH = 1, /* nothing was read yet */
    LEVEL_ABSENT = 2 /* the value was no container: the walk ends at once */
};

/* Levels that can be walked, and levels that can be skipped. */
#define DEPTH_LIMIT 256
#define SKIP_LIMIT 16384

static int
fail(struct lens_json *j)
{
    j->bad = 1;
    j->at = j->end;
    return 0;
}

static void
skip_space(struct lens_json *j)
{
    while (j->at < j->end &&
           (*j->at == ' ' || *j->at == '\n' || *j->at == '\t' || *j->at == '\r'))
        j->at++;
}

/* The first byte from `at` that is a quote, a backslash, a control character or not
 * ASCII. Eight bytes a step: setting the high bit of each byte that matches. A borrow can
 * only mark bytes behind a true match, so the lowest mark is exact. */
static const char *
find_special(const char *at, const char *end)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), highs = ones << 7;

    for (; end - at >= 8; at += 8) {
        uint64_t word, quote, slash, marks;

        memcpy(&word, at, sizeof word);
        word = le64toh(word);
        quote = word ^ ones * '"';
        slash = word ^ ones * '\\';
        marks = ((quote - ones) & ~quote) | ((slash - ones) & ~slash) |
                ((word - ones * 0x20) & ~word) | word;
        marks &= highs;
        if (marks != 0)
            return at + (__builtin_ctzll(marks) >> 3);
    }
    while (at < end && *at != '"' && *at != '\\' && (signed char)*at >= 0x20)
        at++;
    return at;
}

/* Bytes of the escape at the backslash `at`; 0 when there is no such escape. */
static size_t
escape_length(const char *at, const char *end)
{
    uint32_t code;

    if (end - at < 2)
        return 0;
    if (at[1] == 'u')
        return lens_json_hex(at + 2, end, &code) ? 6 : 0;
    return at[1] != '\0' && strchr("\"\\/bfnrt", at[1]) != NULL ? 2 : 0;
}

/* Reads the string at the cursor, which stands on its quote. */
static int
read_string(struct lens_json *j, struct lens_json_string *ret)
{
    const char *at = j->at + 1;

    ret->raw.data = at;
    ret->escaped = 0;
    for (;;) {
        size_t step;

        at = find_special(at, j->end);
        if (at == j->end)
            return fail(j);
        if (*at == '"')
            break;
        if (*at == '\\') {
            ret->escaped = 1;
            step = escape_length(at, j->end);
        } else {
            step = (signed char)*at < 0 ? lens_utf8_length(at, j->end) : 0;
        }
        if (step == 0)
            return fail(j);
        at += step;
    }
    ret->raw.size = (size_t)(at - ret->raw.data);
    j->at = at + 1;
    return 1;
}

static const char *
skip_digits(const char *at, const char *end)
{
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at;
}

/* Checks the number at the cursor against RFC 8259, 6. */
static int
read_number(struct lens_json *j, struct lens_bytes *ret)
{
    const char *at = j->at, *digits;

    if (at < j->end && *at == '-')
        at++;
    digits = at;
    at = skip_digits(at, j->end);
    if (at == digits || (*digits == '0' && at - digits > 1))
        return fail(j);
    if (at < j->end && *at == '.') {
        digits = ++at;
        at = skip_digits(at, j->end);
        if (at == digits)
            return fail(j);
    }
    if (at < j->end && (*at == 'e' || *at == 'E')) {
        at++;
        if (at < j->end && (*at == '+' || *at == '-'))
            at++;
        digits = at;
        at = skip_digits(at, j->end);
        if (at == digits)
            return fail(j);
    }
    ret->data = j->at;
    ret->size = (size_t)(at - j->at);
    j->at = at;
    return 1;
}

static int
read_word(struct lens_json *j, const char *word, size_t size)
{
    if ((size_t)(j->end - j->at) < size || memcmp(j->at, word, size) != 0)
        return fail(j);
    j->at += size;
    return 1;
}

void
lens_json_begin(struct lens_json *j, const void *data, size_t size)
{
    j->at = size > 0 ? data : "";
    j->end = j->at + size;
    j->depth = 0;
    j->bad = 0;
    if (size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0)
        j->at += 3;
}

int
lens_json_end(struct lens_json *j)
{
    skip_space(j);
    return !j->bad && j->at == j->end;
}

enum lens_json_type
lens_json_peek(struct lens_json *j)
{
    skip_space(j);
    if (j->at == j->end)
        return LENS_JSON_NONE;
    switch (*j->at) {
    case '"':
        return LENS_JSON_STRING;
    case '{':
        return LENS_JSON_OBJECT;
    case '[':
        return LENS_JSON_ARRAY;
    case 't':
    case 'f':
        return LENS_JSON_BOOL;
    case 'n':
        return LENS_JSON_NULL;
    default:
        return *j->at == '-' || (*j->at >= '0' && *j->at <= '9') ? LENS_JSON_NUMBER
                                                                 : LENS_JSON_NONE;
    }
}

/* A reader that does not walk what it entered must not push us out of the array. */
static void
push(struct lens_json *j, uint8_t level)
{
    if (j->depth < sizeof j->level)
        j->level[j->depth++] = level;
}

static int
enter(struct lens_json *j, enum lens_json_type type)
{
    if (lens_json_peek(j) != type || j->depth >= DEPTH_LIMIT) {
        if (j->depth >= DEPTH_LIMIT)
            fail(j);
        lens_json_skip(j);
        push(j, LEVEL_ABSENT);
        return 0;
    }
    push(j, LEVEL_FRESH);
    j->at++;
    return 1;
}

/* Steps to the next item of the container at the cursor, or behind its `close`. */
static int
next(struct lens_json *j, char close)
{
    uint8_t *level;

    if (j->depth == 0)
        return 0;
    level = &j->level[j->depth - 1];
    if (*level == LEVEL_ABSENT || j->bad) {
        j->depth--;
        return 0;
    }
    skip_space(j);
    if (j->at < j->end && *j->at == close) {
        j->at++;
        j->depth--;
        return 0;
    }
    if (*level == LEVEL_BEGUN) {
        if (j->at == j->end || *j->at != ',') {
            j->depth--;
            return fail(j);
        }
        j->at++;
    }
    *level = LEVEL_BEGUN;
    return 1;
}

int
lens_json_object(struct lens_json *j)
{
    return enter(j, LENS_JSON_OBJECT);
}

int
lens_json_array(struct lens_json *j)
{
    return enter(j, LENS_JSON_ARRAY);
}

/* Reads the key of a member and its colon. */
static int
read_key(struct lens_json *j, struct lens_bytes *ret)
{
    struct lens_json_string key;

    skip_space(j);
    if (j->at == j->end || *j->at != '"' || !read_string(j, &key))
        return fail(j);
    skip_space(j);
    if (j->at == j->end || *j->at != ':')
        return fail(j);
    j->at++;
    *ret = key.raw;
    return 1;
}

int
lens_json_member(struct lens_json *j, struct lens_bytes *ret_key)
{
    if (!next(j, '}'))
        return 0;
    if (read_key(j, ret_key))
        return 1;
    j->depth--;
    return 0;
}

int
lens_json_element(struct lens_json *j)
{
    return next(j, ']');
}

static int
skip_scalar(struct lens_json *j)
{
    struct lens_json_string string;
    struct lens_bytes number;

    switch (lens_json_peek(j)) {
    case LENS_JSON_NULL:
        return read_word(j, "null", 4);
    case LENS_JSON_BOOL:
        return *j->at == 't' ? read_word(j, "true", 4) : read_word(j, "false", 5);
    case LENS_JSON_NUMBER:
        return read_number(j, &number);
    case LENS_JSON_STRING:
        return read_string(j, &string);
    default:
        return fail(j);
    }
}

/* Containers around the cursor while skipping, a bit each: 1 is an object. */
struct nest {
    uint32_t depth;
    uint64_t objects[SKIP_LIMIT / 64];
};

static int
in_object(const struct nest *n)
{
    return (int)(n->objects[(n->depth - 1) / 64] >> ((n->depth - 1) % 64) & 1);
}

static int
go_in(struct lens_json *j, struct nest *n)
{
    const uint64_t bit = UINT64_C(1) << (n->depth % 64);

    if (n->depth == SKIP_LIMIT)
        return fail(j);
    if (n->depth % 64 == 0)
        n->objects[n->depth / 64] = 0;
    if (*j->at == '{')
        n->objects[n->depth / 64] |= bit;
    else
        n->objects[n->depth / 64] &= ~bit;
    n->depth++;
    j->at++;
    return 1;
}

/* Behind a value: leaves what closes here, and steps to the next value. */
static int
go_on(struct lens_json *j, struct nest *n)
{
    struct lens_bytes key;

    while (n->depth > 0) {
        const int object = in_object(n);

        skip_space(j);
        if (j->at < j->end && *j->at == (object ? '}' : ']')) {
            n->depth--;
            j->at++;
            continue;
        }
        if (j->at == j->end || *j->at != ',')
            return fail(j);
        j->at++;
        return !object || read_key(j, &key);
    }
    return 1;
}

/* Without recursion: how deep an answer goes is its sender's choice. */
static int
skip_container(struct lens_json *j)
{
    struct lens_bytes key;
    struct nest n;

    n.depth = 0;
    do {
        const enum lens_json_type type = lens_json_peek(j);

        if (type != LENS_JSON_OBJECT && type != LENS_JSON_ARRAY) {
            if (!skip_scalar(j))
                return 0;
        } else {
            if (!go_in(j, &n))
                return 0;
            skip_space(j);
            if (j->at == j->end || (*j->at != '}' && *j->at != ']')) {
                if (type == LENS_JSON_OBJECT && !read_key(j, &key))
                    return 0;
                continue;
            }
        }
        if (!go_on(j, &n))
            return 0;
    } while (n.depth > 0);
    return 1;
}

int
lens_json_skip(struct lens_json *j)
{
    enum lens_json_type type;

    if (j->bad)
        return 0;
    type = lens_json_peek(j);
    return type == LENS_JSON_OBJECT || type == LENS_JSON_ARRAY ? skip_container(j)
                                                               : skip_scalar(j);
}

int
lens_json_raw(struct lens_json *j, struct lens_bytes *ret)
{
    const char *begin;

    skip_space(j);
    begin = j->at;
    if (!lens_json_skip(j))
        return 0;
    ret->data = begin;
    ret->size = (size_t)(j->at - begin);
    return 1;
}

int
lens_json_string(struct lens_json *j, struct lens_json_string *ret)
{
    if (lens_json_peek(j) == LENS_JSON_STRING)
        return read_string(j, ret);
    lens_json_skip(j);
    return 0;
}

int
lens_json_bool(struct lens_json *j, int32_t *ret)
{
    if (lens_json_peek(j) == LENS_JSON_BOOL) {
        const int32_t value = *j->at == 't';

        if (!lens_json_skip(j))
            return 0;
        *ret = value;
        return 1;
    }
    lens_json_skip(j);
    return 0;
}

int
lens_json_int(struct lens_json *j, int64_t *ret)
{
    struct lens_bytes text;

    if (lens_json_peek(j) == LENS_JSON_NUMBER)
        return read_number(j, &text) && lens_number_to_int(text, ret);
    lens_json_skip(j);
    return 0;
}

int
lens_json_double(struct lens_json *j, double *ret)
{
    struct lens_bytes text;

    if (lens_json_peek(j) == LENS_JSON_NUMBER) {
        if (!read_number(j, &text))
            return 0;
        *ret = lens_number_to_double(text);
        return 1;
    }
    lens_json_skip(j);
    return 0;
}
