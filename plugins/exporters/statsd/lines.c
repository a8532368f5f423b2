#include "lines.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* Letters, digits, `_`, `-`; dots only where they divide a name. */
static size_t
add_clean(char *to, size_t used, size_t room, const char *text, const char *more)
{
    for (; *text != '\0' && used + 1 < room; text++) {
        const unsigned char c = (unsigned char)*text;

        to[used++] = isalnum(c) || c >= 0x80 || strchr(more, c) != NULL ? (char)c : '_';
    }
    to[used] = '\0';
    return used;
}

static size_t
add(char *to, size_t used, size_t room, const char *text)
{
    const size_t size = strlen(text);

    if (used + size + 1 > room)
        return used;
    memcpy(to + used, text, size + 1);
    return used + size;
}

static void
make_tags(const struct pair_text *pairs, size_t count, struct series_name *ret)
{
    size_t used = 0;

    for (size_t i = 0; i < count; i++) {
        if (pairs[i].value == NULL || pairs[i].value[0] == '\0')
            continue;
        used = add(ret->tags, used, sizeof ret->tags, used == 0 ? "|#" : ",");
        used = add_clean(ret->tags, used, sizeof ret->tags, pairs[i].key, "_-./");
        used = add(ret->tags, used, sizeof ret->tags, ":");
        used = add_clean(ret->tags, used, sizeof ret->tags, pairs[i].value, "_-./:");
    }
}

void
series_name_make(const struct lines *l, const struct pair_text *pairs, size_t count,
                 struct series_name *ret)
{
    size_t used = 0;

    memset(ret, 0, sizeof *ret);
    if (l->dialect == DIALECT_DATADOG) {
        make_tags(pairs, count, ret);
        return;
    }
    if (l->series == SERIES_NAME && count > 2)
        count = 2;
    for (size_t i = 0; l->series != SERIES_NONE && i < count; i++) {
        if (pairs[i].value == NULL || pairs[i].value[0] == '\0')
            continue;
        if (l->series == SERIES_TAGS) {
            used = add(ret->suffix, used, sizeof ret->suffix, ";");
            used = add_clean(ret->suffix, used, sizeof ret->suffix, pairs[i].key, "_-.");
            used = add(ret->suffix, used, sizeof ret->suffix, "=");
            used =
                add_clean(ret->suffix, used, sizeof ret->suffix, pairs[i].value, "_-.");
        } else {
            used = add(ret->suffix, used, sizeof ret->suffix, ".");
            used = add_clean(ret->suffix, used, sizeof ret->suffix, pairs[i].value, "_-");
        }
    }
}

/* Whole numbers without a point; others in the shortest form that is exact to 9 digits.
 */
static void
print_value(char *ret, size_t size, double value)
{
    if (value == floor(value) && fabs(value) < 1e15)
        snprintf(ret, size, "%.0f", value);
    else
        snprintf(ret, size, "%.9g", value);
}

void
line_put(struct lines *l, const struct series_name *series, const char *name,
         const struct pair_text *extra, double value, const char *type)
{
    char line[2048], number[40];
    size_t used = 0;

    if (!isfinite(value))
        return;
    print_value(number, sizeof number, value);
    used = add_clean(line, used, sizeof line, l->prefix, "_-.");
    used = add_clean(line, used, sizeof line, name, "_-.");
    if (extra != NULL && l->dialect == DIALECT_STATSD && l->series != SERIES_TAGS) {
        used = add(line, used, sizeof line, ".");
        used = add_clean(line, used, sizeof line, extra->value, "_-");
    }
    used = add(line, used, sizeof line, series->suffix);
    if (extra != NULL && l->dialect == DIALECT_STATSD && l->series == SERIES_TAGS) {
        used = add(line, used, sizeof line, ";");
        used = add_clean(line, used, sizeof line, extra->key, "_-.");
        used = add(line, used, sizeof line, "=");
        used = add_clean(line, used, sizeof line, extra->value, "_-.");
    }
    used = add(line, used, sizeof line, ":");
    used = add(line, used, sizeof line, number);
    used = add(line, used, sizeof line, "|");
    used = add(line, used, sizeof line, type);
    used = add(line, used, sizeof line, series->tags);
    if (extra != NULL && l->dialect == DIALECT_DATADOG) {
        used = add(line, used, sizeof line, series->tags[0] == '\0' ? "|#" : ",");
        used = add_clean(line, used, sizeof line, extra->key, "_-./");
        used = add(line, used, sizeof line, ":");
        used = add_clean(line, used, sizeof line, extra->value, "_-./:");
    }
    datagram_line(l->out, line, used);
}
