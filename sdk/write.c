#include "write.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "utf8.h"

void
lens_write_begin(struct lens_writer *w, void *to,
                 lens_status (*put)(void *to, const void *data, size_t size))
{
    w->to = to;
    w->put = put;
    w->status = LENS_OK;
    w->used = 0;
}

static void
send(struct lens_writer *w, const void *data, size_t size)
{
    if (w->status >= 0 && size > 0) {
        const lens_status st = w->put(w->to, data, size);

        if (st < 0)
            w->status = st;
    }
}

static void
flush(struct lens_writer *w)
{
    send(w, w->piece, w->used);
    w->used = 0;
}

void
lens_write_bytes(struct lens_writer *w, const void *data, size_t size)
{
    if (size > sizeof w->piece - w->used)
        flush(w);
    if (size > sizeof w->piece) {
        send(w, data, size);
    } else if (size > 0) {
        memcpy(w->piece + w->used, data, size);
        w->used += size;
    }
}

void
lens_write(struct lens_writer *w, const char *text)
{
    lens_write_bytes(w, text, strlen(text));
}

/* Two digits at a time, up to `end`; returns where they begin. */
static char *
put_digits(char *end, uint64_t rest)
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";

    while (rest >= 100) {
        end -= 2;
        memcpy(end, pairs + 2 * (rest % 100), 2);
        rest /= 100;
    }
    if (rest >= 10) {
        end -= 2;
        memcpy(end, pairs + 2 * rest, 2);
    } else {
        *--end = (char)('0' + rest);
    }
    return end;
}

size_t
lens_digits_int(int64_t value, char ret[LENS_DIGITS])
{
    char digits[24], *const end = digits + sizeof digits;
    char *at = put_digits(end, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);

    if (value < 0)
        *--at = '-';
    memcpy(ret, at, (size_t)(end - at));
    return (size_t)(end - at);
}

void
lens_write_int(struct lens_writer *w, int64_t value)
{
    char digits[LENS_DIGITS] = "";

    lens_write_bytes(w, digits, lens_digits_int(value, digits));
}

/* Digits of value * 10^decimals, when that is a whole number: a quotient of two exact
 * doubles is rounded as a reader of the digits would. 0: it is none. */
static size_t
whole_digits(double value, unsigned decimals, char ret[LENS_DIGITS])
{
    static const double powers[] = { 1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9 };
    const double scaled = nearbyint(value * powers[decimals]);
    char *at = ret;
    uint64_t rest, power = 1, fraction;

    if (!(fabs(scaled) < 9e15) || scaled / powers[decimals] != value)
        return 0;
    rest = (uint64_t)fabs(scaled);
    for (unsigned i = 0; i < decimals; i++)
        power *= 10;
    if (scaled < 0)
        *at++ = '-';
    at += lens_digits_int((int64_t)(rest / power), at);
    fraction = rest % power;
    if (fraction == 0)
        return (size_t)(at - ret);
    put_digits(at + 1 + decimals, fraction + power); /* a 1 in front keeps zeroes */
    *at = '.';
    for (at += 1 + decimals; at[-1] == '0';)
        at--;
    return (size_t)(at - ret);
}

/* Nearly all numbers are times in ms or counts. 0: it is not short. */
static size_t
short_digits(double value, char ret[LENS_DIGITS])
{
    size_t size;

    if (value != 0 && (fabs(value) < 1e-4 || fabs(value) >= 1e15))
        return 0;
    if (value == 0 && signbit(value))
        return 0;
    size = whole_digits(value, 6, ret);
    return size > 0 ? size : whole_digits(value, 9, ret);
}

size_t
lens_digits_double(double value, char ret[LENS_DIGITS])
{
    char text[LENS_DIGITS];
    const size_t size = short_digits(value, ret);

    if (size > 0)
        return size;
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    /* Some locales have a decimal comma, or a point of several bytes. */
    for (char *at = text; *at != '\0'; at++) {
        if (strchr("+-0123456789e", *at) == NULL) {
            char *rest = at + strspn(at, ".,");

            if (rest == at)
                rest = at + strcspn(at, "0123456789");
            *at = '.';
            if (rest > at + 1)
                memmove(at + 1, rest, strlen(rest) + 1);
            break;
        }
    }
    memcpy(ret, text, strlen(text)); /* NOLINT: no string */
    return strlen(text);
}

void
lens_write_double(struct lens_writer *w, double value)
{
    char digits[LENS_DIGITS] = "";

    /* JSON has no word for these. */
    if (!isfinite(value))
        lens_write(w, "null");
    else
        lens_write_bytes(w, digits, lens_digits_double(value, digits));
}

/* The escape of an ASCII byte; returns its length, 0 when it stands for itself. */
static size_t
escape(char c, char out[6])
{
    static const char named[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt",
                      hex[] = "0123456789abcdef";
    const char *found = memchr(named, c, sizeof named - 1);

    out[0] = '\\';
    if (found != NULL) {
        out[1] = letters[found - named];
        return 2;
    }
    if ((unsigned char)c >= 0x20 && c != 0x7f)
        return 0;
    out[1] = 'u';
    out[2] = out[3] = '0';
    out[4] = hex[(unsigned char)c >> 4];
    out[5] = hex[c & 15];
    return 6;
}

/* Nearly all of a prompt. */
static const char *
skip_plain(const char *at, const char *end)
{
    while (at < end && (unsigned char)(*at - 0x20) < 0x5f && *at != '"' && *at != '\\')
        at++;
    return at;
}

static void
write_escaped(struct lens_writer *w, const void *data, size_t size)
{
    const char *at = size > 0 ? data : "", *end = at + size, *plain = at;

    while ((at = skip_plain(at, end)) < end) {
        const unsigned length = lens_utf8_length(at, end);
        char escaped[6] = { '\xef', '\xbf', '\xbd' };
        const size_t extra = length == 0 ? 3 : length == 1 ? escape(*at, escaped) : 0;

        if (extra > 0) {
            lens_write_bytes(w, plain, (size_t)(at - plain));
            lens_write_bytes(w, escaped, extra);
            plain = at + 1;
        }
        at += length > 0 ? length : 1;
    }
    if (size > 0)
        lens_write_bytes(w, plain, (size_t)(at - plain));
}

void
lens_write_time(struct lens_writer *w, int64_t unix_s)
{
    const time_t seconds = (time_t)unix_s;
    char text[64] = "\"1970-01-01T00:00:00Z\"";
    struct tm tm;

    if (gmtime_r(&seconds, &tm) != NULL)
        strftime(text, sizeof text, "\"%Y-%m-%dT%H:%M:%SZ\"", &tm);
    lens_write(w, text);
}

void
lens_write_string(struct lens_writer *w, const void *data, size_t size)
{
    lens_write_bytes(w, "\"", 1);
    write_escaped(w, data, size);
    lens_write_bytes(w, "\"", 1);
}

void
lens_write_prompt(struct lens_writer *w, const struct lens_ask *ask)
{
    const char *joint = "\"";

    for (uint32_t t = 0; t < ask->turn_count; t++) {
        const struct lens_turn *turn =
            (const void *)((const char *)ask->turns + (size_t)t * ask->turn_size);

        for (uint32_t i = 0; i < turn->part_count; i++) {
            const struct lens_part *part =
                (const void *)((const char *)turn->parts + (size_t)i * turn->part_size);

            if (part->kind != LENS_PART_TEXT)
                continue;
            lens_write(w, joint);
            write_escaped(w, part->data.data, part->data.size);
            joint = "\\n";
        }
    }
    lens_write(w, *joint == '"' ? "\"\"" : "\"");
}

void
lens_write_base64(struct lens_writer *w, const void *data, size_t size)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = data;

    for (size_t i = 0; i < size; i += 3) {
        const size_t left = size - i;
        const uint32_t group = (uint32_t)in[i] << 16 |
                               (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) |
                               (left > 2 ? in[i + 2] : 0);
        const char out[4] = { digits[group >> 18], digits[group >> 12 & 63],
                              left > 1 ? digits[group >> 6 & 63] : '=',
                              left > 2 ? digits[group & 63] : '=' };

        lens_write_bytes(w, out, sizeof out);
    }
}

lens_status
lens_write_end(struct lens_writer *w)
{
    flush(w);
    return w->status;
}
