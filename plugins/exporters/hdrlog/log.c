#include "log.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "text.h"

#define MS INT64_C(1000000)

/* Milliseconds since the start as "12.345", as the log tells all times. */
static void
put_seconds(struct text *to, int64_t ms)
{
    char text[40];

    snprintf(text, sizeof text, "%" PRId64 ".%03d", ms / 1000, (int)(ms % 1000));
    text_add(to, text);
}

void
log_head(struct text *to, int64_t start_unix_ns)
{
    const time_t seconds = start_unix_ns / 1000000000;
    char date[64] = "";
    struct tm utc;

    /* The names of the C locale, as Java writes them. */
    static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
    static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

    if (gmtime_r(&seconds, &utc) != NULL)
        snprintf(date, sizeof date, ", %s %s %02d %02d:%02d:%02d UTC %d",
                 days[utc.tm_wday], months[utc.tm_mon], utc.tm_mday, utc.tm_hour,
                 utc.tm_min, utc.tm_sec, utc.tm_year + 1900);
    text_add(to, "#[Histogram log format version 1.3]\n#[StartTime: ");
    put_seconds(to, start_unix_ns / MS);
    text_add(to, " (seconds since epoch)");
    text_add(to, date);
    text_add(to, "]\n#[BaseTime: ");
    put_seconds(to, start_unix_ns / MS);
    text_add(to, " (seconds since epoch)]\n"
                 "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
                 "\"Interval_Compressed_Histogram\"\n");
}

void
log_line(struct text *to, const char *tag, int64_t begin_ns, int64_t end_ns,
         double max_ms, const struct lens_bytes *hdr_v2)
{
    struct lens_text base64 = { 0 };
    char max[40];

    lens_text_add_base64(&base64, hdr_v2->data, hdr_v2->size);
    text_add(to, "Tag=");
    text_add(to, tag);
    text_add(to, ",");
    put_seconds(to, begin_ns / MS);
    text_add(to, ",");
    put_seconds(to, end_ns / MS - begin_ns / MS);
    snprintf(max, sizeof max, ",%.3f,", isfinite(max_ms) ? max_ms : 0);
    text_add(to, max);
    text_put(to, base64.data, base64.size);
    text_add(to, "\n");
    to->failed |= base64.failed;
    lens_text_clear(&base64);
}

/* ---- going on ---- */

static int64_t
file_size(const struct output *o)
{
    return o->regular ? lseek(o->fd, 0, SEEK_END) : -1;
}

lens_status
log_go_on(struct output *o, const struct text *head)
{
    const int64_t size = file_size(o);
    char found[512];

    if (size < (int64_t)head->size || head->size > sizeof found ||
        pread(o->fd, found, head->size, 0) != (ssize_t)head->size ||
        memcmp(found, head->data, head->size) != 0)
        return LENS_E_UNSUPPORTED;
    o->size = size;
    return LENS_OK;
}

/* The start of a line's interval in ms; -1: it is none. */
static int64_t
start_of(const char *line)
{
    const char *comma = strncmp(line, "Tag=", 4) == 0 ? strchr(line, ',') : NULL;
    char *end;
    double seconds;

    if (comma == NULL)
        return -1;
    seconds = strtod(comma + 1, &end);
    return end != comma + 1 && *end == ',' ? (int64_t)llround(seconds * 1000) : -1;
}

int
log_cut(struct output *o, int64_t begin_ns)
{
    const int copy = o->regular ? dup(o->fd) : -1;
    FILE *file = copy >= 0 ? fdopen(copy, "r") : NULL;
    int64_t good = 0;
    char *line = NULL;
    size_t room = 0;
    ssize_t size;
    int result;

    if (file == NULL)
        return o->regular ? -1 : 0;
    rewind(file);
    while ((size = getline(&line, &room, file)) > 0 && line[size - 1] == '\n' &&
           start_of(line) < begin_ns / MS)
        good += size;
    free(line);
    result = ftruncate(o->fd, good);
    fclose(file);
    o->size = good;
    return result == 0 && lseek(o->fd, 0, SEEK_END) >= 0 ? 0 : -1;
}
