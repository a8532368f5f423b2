#include "line.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_STRING 8192 /* the protocol allows 64 KiB */

void
lines_rewind(struct lines *l)
{
    text_rewind(&l->text);
    l->count = 0;
    l->failed = 0;
}

void
lines_clear(struct lines *l)
{
    text_clear(&l->text);
    free(l->starts);
    *l = (struct lines){ 0 };
}

size_t
lines_start(const struct lines *l, uint32_t nth)
{
    return nth < l->count ? l->starts[nth] : l->text.size;
}

/* ---- escapes ---- */

/* Bytes up to the first one that may need care. */
static size_t
plain_run(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;

    while (*c > ' ' && *c != ',' && *c != '=' && *c != '\\' && *c != 0x7f)
        c++;
    return (size_t)(c - (const unsigned char *)text);
}

/* A backslash escapes what follows, so that a literal one cannot stand in front of what
 * needs an escape, nor at the end: it becomes a slash there. Line ends and other control
 * characters become spaces. */
static void
put_escaped(struct lines *l, const char *text, const char *special)
{
    for (;; text++) {
        const size_t run = plain_run(text);
        char next;

        text_put(&l->text, text, run);
        text += run;
        if (*text == '\0')
            return;
        next = text[1 + strspn(text + 1, "\\")]; /* behind this run of them */
        if (*text == '\\' && (next == '\0' || (unsigned char)next <= ' ' ||
                              next == 0x7f || strchr(special, next) != NULL))
            text_put(&l->text, "/", 1);
        else if ((unsigned char)*text < ' ' || *text == 0x7f)
            text_put(&l->text, "\\ ", 2);
        else {
            if (strchr(special, *text) != NULL)
                text_put(&l->text, "\\", 1);
            text_put(&l->text, text, 1);
        }
    }
}

#define KEY ",= "

void
line_begin(struct lines *l, const char *measurement)
{
    if (l->count == l->capacity) {
        const uint32_t wanted = l->capacity * 2 + 1024;
        size_t *grown = realloc(l->starts, wanted * sizeof *grown);

        if (grown == NULL) {
            l->failed = 1;
            return;
        }
        l->starts = grown;
        l->capacity = wanted;
    }
    l->starts[l->count++] = l->text.size;
    l->fields = 0;
    put_escaped(l, measurement, ", ");
}

void
line_tag(struct lines *l, const char *key, const char *value)
{
    if (value == NULL || *value == '\0')
        return;
    text_byte(&l->text, ',');
    put_escaped(l, key, KEY);
    text_byte(&l->text, '=');
    put_escaped(l, value, KEY);
}

static void
put_key(struct lines *l, const char *key)
{
    text_byte(&l->text, l->fields++ == 0 ? ' ' : ',');
    put_escaped(l, key, KEY);
    text_byte(&l->text, '=');
}

void
line_float(struct lines *l, const char *key, double value)
{
    if (!isfinite(value))
        return;
    put_key(l, key);
    text_double(&l->text, value);
}

/* As printf's "%lld.%09lld" without the zeroes at the end, but for one. */
void
line_seconds(struct lines *l, const char *key, int64_t ns)
{
    uint64_t rest = (uint64_t)llabs(ns % 1000000000);
    char digits[9];
    size_t size = sizeof digits;

    put_key(l, key);
    if (ns < 0)
        text_byte(&l->text, '-');
    text_int(&l->text, llabs(ns / 1000000000));
    text_byte(&l->text, '.');
    for (size_t i = sizeof digits; i-- > 0; rest /= 10)
        digits[i] = (char)('0' + rest % 10);
    while (size > 1 && digits[size - 1] == '0')
        size--;
    text_put(&l->text, digits, size);
}

void
line_int(struct lines *l, const char *key, int64_t value)
{
    put_key(l, key);
    text_int(&l->text, value);
    text_byte(&l->text, 'i');
}

void
line_bool(struct lines *l, const char *key, int32_t value)
{
    put_key(l, key);
    text_add(&l->text, value ? "true" : "false");
}

void
line_string(struct lines *l, const char *key, const char *value)
{
    size_t size;

    if (value == NULL)
        return;
    size = strlen(value);
    if (size > MOST_STRING)
        for (size = MOST_STRING; ((unsigned char)value[size] & 0xc0) == 0x80;)
            size--; /* not half a character */
    put_key(l, key);
    text_byte(&l->text, '"');
    for (size_t i = 0; i < size; i++) {
        if (value[i] == '"' || value[i] == '\\')
            text_byte(&l->text, '\\');
        text_byte(&l->text, (unsigned char)value[i] < ' ' ? ' ' : value[i]);
    }
    text_byte(&l->text, '"');
}

void
line_end(struct lines *l, int64_t unix_ns)
{
    if (l->count > 0 && l->fields == 0) {
        l->text.size = l->starts[l->count - 1];
    } else {
        text_byte(&l->text, ' ');
        text_int(&l->text, unix_ns);
        text_byte(&l->text, '\n');
    }
    l->failed |= l->text.failed;
}

const char *
line_bad_key(const char *key)
{
    if (*key == '\0')
        return "it is empty";
    if (*key == '_')
        return "names that start with _ are InfluxDB's own";
    if (strcmp(key, "time") == 0)
        return "time is the point's own";
    for (; *key != '\0'; key++)
        if ((unsigned char)*key < ' ' || *key == 0x7f)
            return "it has a control character";
    return NULL;
}
