#include <string.h>
#include <strings.h>

#include "failure.h"

struct lens_bytes
lens_header(const struct lens_pair *headers, uint32_t count, uint32_t size,
            const char *name)
{
    const size_t length = strlen(name);
    struct lens_bytes none = { NULL, 0 };

    for (uint32_t i = 0; i < count; i++) {
        const struct lens_pair *pair =
            (const void *)((const char *)headers + (size_t)i * size);

        if (pair->name.size == length && strncasecmp(pair->name.data, name, length) == 0)
            return pair->value;
    }
    return none;
}

static struct lens_bytes
trim(struct lens_bytes text)
{
    while (text.size > 0 && (*text.data == ' ' || *text.data == '\t')) {
        text.data++;
        text.size--;
    }
    while (text.size > 0 &&
           (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
        text.size--;
    return text;
}

/* "57", "57.25": digits times `unit` nanoseconds; -1 when it is no such number. */
static int64_t
read_amount(struct lens_bytes text, int64_t unit)
{
    int64_t whole = 0, part = 0, scale = unit;
    size_t i = 0, digits = 0;

    text = trim(text);
    for (; i < text.size && text.data[i] >= '0' && text.data[i] <= '9'; i++, digits++)
        if (whole < INT64_MAX / unit / 10 - 9)
            whole = whole * 10 + (text.data[i] - '0');
    if (i < text.size && text.data[i] == '.') {
        for (i++; i < text.size && text.data[i] >= '0' && text.data[i] <= '9';
             i++, digits++) {
            scale /= 10;
            part += (text.data[i] - '0') * scale;
        }
    }
    return digits > 0 && i == text.size ? whole * unit + part : -1;
}

/* ---- HTTP dates (RFC 9110, 5.6.7) ---- */

struct reader {
    const char *at, *end;
};

static int
take(struct reader *r, char c)
{
    if (r->at == r->end || *r->at != c)
        return 0;
    r->at++;
    return 1;
}

static int64_t
take_number(struct reader *r, int most)
{
    int64_t value = -1;

    for (; most > 0 && r->at < r->end && *r->at >= '0' && *r->at <= '9'; most--)
        value = (value < 0 ? 0 : value * 10) + (*r->at++ - '0');
    return value;
}

/* 1 to 12, or 0. */
static int64_t
take_month(struct reader *r)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (int i = 0; r->end - r->at >= 3 && i < 12; i++) {
        if (strncasecmp(r->at, names + (size_t)i * 3, 3) == 0) {
            r->at += 3;
            return i + 1;
        }
    }
    return 0;
}

/* hh:mm:ss as seconds, or -1. */
static int64_t
take_time(struct reader *r)
{
    const int64_t hour = take_number(r, 2);
    const int64_t minute = take(r, ':') ? take_number(r, 2) : -1;
    const int64_t second = take(r, ':') ? take_number(r, 2) : -1;

    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return -1;
    return (hour * 60 + minute) * 60 + second;
}

/* Days since 1970-01-01 of a Gregorian date; years begin in March here. */
static int64_t
days_since_epoch(int64_t year, int64_t month, int64_t day)
{
    const int64_t y = month <= 2 ? year - 1 : year, era = y / 400, of_era = y % 400;
    const int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* All three forms: "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
 * "Sun Nov  6 08:49:37 1994". Seconds since 1970, or -1. */
static int64_t
read_date(struct lens_bytes text)
{
    struct reader r = { text.data, text.data + text.size };
    int64_t year, month, day, time;

    while (r.at < r.end && *r.at != ' ' && *r.at != ',')
        r.at++;
    if (take(&r, ',')) {
        char between;

        take(&r, ' ');
        day = take_number(&r, 2);
        between = take(&r, '-') ? '-' : ' ';
        if (between == ' ' && !take(&r, ' '))
            return -1;
        month = take_month(&r);
        if (!take(&r, between))
            return -1;
        year = take_number(&r, 4);
        if (between == '-' && year >= 0 && year < 100)
            year += year < 70 ? 2000 : 1900;
        time = take(&r, ' ') ? take_time(&r) : -1;
    } else {
        take(&r, ' ');
        month = take_month(&r);
        while (take(&r, ' '))
            ;
        day = take_number(&r, 2);
        time = take(&r, ' ') ? take_time(&r) : -1;
        year = take(&r, ' ') ? take_number(&r, 4) : -1;
    }
    if (year < 1970 || month < 1 || day < 1 || day > 31 || time < 0)
        return -1;
    return days_since_epoch(year, month, day) * 86400 + time;
}

int64_t
lens_retry_after(const struct lens_pair *headers, uint32_t count, uint32_t size,
                 int64_t unix_ns)
{
    const struct lens_bytes ms = lens_header(headers, count, size, "retry-after-ms");
    const struct lens_bytes after = lens_header(headers, count, size, "retry-after");
    int64_t delay = read_amount(ms, 1000000), date;

    if (delay < 0)
        delay = read_amount(after, 1000000000);
    if (delay >= 0 || after.size == 0)
        return delay;
    date = after.size > 0 ? read_date(trim(after)) : -1;
    if (date < 0)
        return -1;
    /* A year that nanoseconds cannot hold means: for ever. */
    if (date > INT64_MAX / 1000000000)
        return INT64_MAX;
    return date * 1000000000 > unix_ns ? date * 1000000000 - unix_ns : 0;
}

int
lens_should_retry(const struct lens_pair *headers, uint32_t count, uint32_t size)
{
    const struct lens_bytes value =
        trim(lens_header(headers, count, size, "x-should-retry"));

    if (value.size == 4 && strncasecmp(value.data, "true", 4) == 0)
        return 1;
    if (value.size == 5 && strncasecmp(value.data, "false", 5) == 0)
        return 0;
    return -1;
}
