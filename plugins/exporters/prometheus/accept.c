/* Which format a scraper likes best (RFC 9110, 12.5.1). */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "exposition.h"

const char *
exposition_type(enum exposition format)
{
    static const char *const types[] = {
        [EXPOSE_TEXT] = "text/plain; version=0.0.4; charset=utf-8",
        [EXPOSE_OPENMETRICS] =
            "application/openmetrics-text; version=1.0.0; charset=utf-8",
        [EXPOSE_PROTOBUF] =
            ("application/vnd.google.protobuf; "
             "proto=io.prometheus.client.MetricFamily; encoding=delimited"),
    };

    return types[format];
}

static struct lens_bytes
trim(const char *at, size_t size)
{
    while (size > 0 && (*at == ' ' || *at == '\t'))
        at++, size--;
    while (size > 0 && (at[size - 1] == ' ' || at[size - 1] == '\t'))
        size--;
    return (struct lens_bytes){ at, size };
}

/* Cuts the part up to `stop` off the front of `rest`. */
static struct lens_bytes
next_part(struct lens_bytes *rest, char stop)
{
    const char *end = memchr(rest->data, stop, rest->size);
    const size_t size = end != NULL ? (size_t)(end - rest->data) : rest->size;
    const struct lens_bytes part = trim(rest->data, size);

    rest->data += end != NULL ? size + 1 : size;
    rest->size -= end != NULL ? size + 1 : size;
    return part;
}

static int
is(struct lens_bytes part, const char *text)
{
    return part.size == strlen(text) && strncasecmp(part.data, text, part.size) == 0;
}

static int
starts(struct lens_bytes part, const char *text)
{
    return part.size >= strlen(text) && strncasecmp(part.data, text, strlen(text)) == 0;
}

/* A media range that we have, EXPOSITIONS: none of them. Versions that we do not write
 * are none of ours either. */
static enum exposition
format_of(struct lens_bytes range, double *ret_q)
{
    const struct lens_bytes type = next_part(&range, ';');
    enum exposition format =
        is(type, "application/openmetrics-text")      ? EXPOSE_OPENMETRICS
        : is(type, "application/vnd.google.protobuf") ? EXPOSE_PROTOBUF
        : is(type, "text/plain") || is(type, "*/*") || is(type, "text/*") ? EXPOSE_TEXT
                                                                          : EXPOSITIONS;

    *ret_q = 1;
    while (range.size > 0) {
        const struct lens_bytes p = next_part(&range, ';');

        if (starts(p, "q=") && p.size < 16) {
            char number[16] = "";

            memcpy(number, p.data + 2, p.size - 2);
            *ret_q = strtod(number, NULL);
        } else if (starts(p, "version=") &&
                   !is(p, format == EXPOSE_TEXT ? "version=0.0.4" : "version=1.0.0") &&
                   !is(p, format == EXPOSE_TEXT ? "version=1.0.0" : "version=0.0.1")) {
            format = EXPOSITIONS;
        } else if ((starts(p, "proto=") &&
                    !is(p, "proto=io.prometheus.client.MetricFamily")) ||
                   (starts(p, "encoding=") && !is(p, "encoding=delimited"))) {
            format = EXPOSITIONS;
        }
    }
    return format;
}

enum exposition
exposition_choose(const char *accept, size_t size)
{
    struct lens_bytes rest = { accept, size };
    enum exposition best = EXPOSE_TEXT;
    double best_q = 0;

    while (rest.size > 0) {
        double q;
        const enum exposition format = format_of(next_part(&rest, ','), &q);

        if (format != EXPOSITIONS && q > best_q) {
            best = format;
            best_q = q;
        }
    }
    return best;
}
