#include "mock-http.h"

#include <string.h>
#include <strings.h>

/* Size and extensions of one chunk. */
enum { CHUNK_LINE_MAX = 4096 };

static bool
bytes_are(struct lens_bytes b, const char *text)
{
    return b.size == strlen(text) && strncasecmp(b.data, text, b.size) == 0;
}

/* tchar of RFC 9110, 5.6.2. */
static bool
is_token(const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)data[i];
        const bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

        if (!letter && !(c >= '0' && c <= '9') &&
            (c == 0 || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return size > 0;
}

static bool
is_field_value(const char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (data[i] == '\0' || data[i] == '\r')
            return false;
    return true;
}

struct lens_bytes
http_header(const struct http_request *r, const char *name)
{
    for (uint32_t i = 0; i < r->header_count; i++)
        if (bytes_are(r->headers[i].name, name))
            return r->headers[i].value;
    return (struct lens_bytes){ "", 0 };
}

/* Whether a comma-separated list holds `word`. */
static bool
list_has(struct lens_bytes list, const char *word)
{
    size_t at = 0;

    while (at < list.size) {
        size_t end = at, last;

        while (end < list.size && list.data[end] != ',')
            end++;
        last = end;
        while (at < last && (list.data[at] == ' ' || list.data[at] == '\t'))
            at++;
        while (last > at && (list.data[last - 1] == ' ' || list.data[last - 1] == '\t'))
            last--;
        if (bytes_are((struct lens_bytes){ list.data + at, last - at }, word))
            return true;
        at = end + 1;
    }
    return false;
}

/* Size of the head with its empty line; 0: not complete. Lines may end with a bare LF
 * (RFC 9112, 2.2). */
static size_t
head_end(const char *data, size_t size, size_t *scanned)
{
    size_t at = *scanned;

    while (at < size) {
        const char *lf = memchr(data + at, '\n', size - at);

        if (lf == NULL)
            break;
        at = (size_t)(lf - data) + 1;
        if (at < size && data[at] == '\n')
            return at + 1;
        if (at + 1 < size && data[at] == '\r' && data[at + 1] == '\n')
            return at + 2;
    }
    /* The last LF may be the first half of the end. */
    *scanned = size > 2 ? size - 2 : 0;
    return 0;
}

/* "GET /path HTTP/1.1" without its line end. */
static int
parse_request_line(const char *line, size_t size, struct http_request *ret)
{
    const char *space = memchr(line, ' ', size);
    const char *second;
    size_t rest;

    if (space == NULL || !is_token(line, (size_t)(space - line)))
        return 400;
    ret->method = (struct lens_bytes){ line, (size_t)(space - line) };
    rest = size - ret->method.size - 1;
    second = memchr(space + 1, ' ', rest);
    if (second == NULL || second == space + 1)
        return 400;
    ret->target = (struct lens_bytes){ space + 1, (size_t)(second - space - 1) };
    for (size_t i = 0; i < ret->target.size; i++)
        if ((unsigned char)ret->target.data[i] <= ' ' || ret->target.data[i] == 0x7f)
            return 400;
    rest -= ret->target.size + 1;
    if (rest != 8 || memcmp(second + 1, "HTTP/", 5) != 0 || second[7] != '.')
        return 400;
    if (second[6] != '1' || (second[8] != '0' && second[8] != '1'))
        return second[6] >= '0' && second[6] <= '9' ? 505 : 400;
    ret->minor = second[8] - '0';
    return HTTP_READY;
}

static int
parse_header(const char *line, size_t size, struct http_request *ret)
{
    const char *colon = memchr(line, ':', size);
    size_t start, end = size;

    if (ret->header_count == HTTP_HEADERS_MAX)
        return 431;
    if (colon == NULL || !is_token(line, (size_t)(colon - line)))
        return 400;
    start = (size_t)(colon - line) + 1;
    while (start < end && (line[start] == ' ' || line[start] == '\t'))
        start++;
    while (end > start && (line[end - 1] == ' ' || line[end - 1] == '\t'))
        end--;
    if (!is_field_value(line + start, end - start))
        return 400;
    ret->headers[ret->header_count++] = (struct lens_pair){
        .name = { line, (size_t)(colon - line) },
        .value = { line + start, end - start },
    };
    return HTTP_READY;
}

static bool
parse_decimal(struct lens_bytes text, uint64_t *ret)
{
    uint64_t value = 0;

    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || value > HTTP_BODY_MAX * 10ull)
            return false;
        value = value * 10 + (uint64_t)(text.data[i] - '0');
    }
    *ret = value;
    return text.size > 0;
}

/* How the body is framed and what becomes of the connection (RFC 9112, 6.3 and 9.3). */
static int
understand_head(struct http_request *ret)
{
    const struct lens_bytes coding = http_header(ret, "transfer-encoding");
    const struct lens_bytes expect = http_header(ret, "expect");
    bool has_length = false;

    for (uint32_t i = 0; i < ret->header_count; i++) {
        uint64_t length;

        if (!bytes_are(ret->headers[i].name, "content-length"))
            continue;
        if (!parse_decimal(ret->headers[i].value, &length) ||
            (has_length && length != ret->content_length))
            return 400;
        ret->content_length = length;
        has_length = true;
    }
    if (coding.size > 0) {
        if (has_length || ret->minor == 0)
            return 400;
        if (!bytes_are(coding, "chunked"))
            return 501;
        ret->chunked = true;
    }
    if (ret->content_length > HTTP_BODY_MAX)
        return 413;
    if (expect.size > 0 && !bytes_are(expect, "100-continue"))
        return 417;
    ret->expects_continue = expect.size > 0 && ret->minor > 0;
    ret->keep_alive = ret->minor > 0
                          ? !list_has(http_header(ret, "connection"), "close")
                          : list_has(http_header(ret, "connection"), "keep-alive");
    return HTTP_READY;
}

static int
parse_head(const char *data, size_t start, size_t size, struct http_request *ret)
{
    bool first = true;

    for (size_t at = start; at < size;) {
        const char *lf = memchr(data + at, '\n', size - at);
        size_t length = (size_t)(lf - (data + at));
        const size_t next = at + length + 1;
        int status;

        if (length > 0 && data[at + length - 1] == '\r')
            length--;
        if (length == 0)
            break;
        status = first ? parse_request_line(data + at, length, ret)
                       : parse_header(data + at, length, ret);
        if (status != HTTP_READY)
            return status;
        first = false;
        at = next;
    }
    return first ? 400 : understand_head(ret);
}

/* One "SIZE[;extension]" line at `at`; 0: more bytes are needed, -1: broken. */
static int
parse_chunk_line(const char *data, size_t size, size_t at, size_t *ret_length,
                 size_t *ret_next)
{
    const char *lf = memchr(data + at, '\n', size - at);
    size_t length = 0, digits = 0;

    if ((lf != NULL ? (size_t)(lf - data) : size) - at > CHUNK_LINE_MAX)
        return -1;
    if (lf == NULL)
        return 0;
    for (size_t i = at; data + i < lf; i++, digits++) {
        const unsigned char c = (unsigned char)data[i];

        if (c >= '0' && c <= '9')
            length = length * 16 + (c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            length = length * 16 + ((c | 0x20) - 'a' + 10u);
        else if (c == ';' || c == '\r' || c == ' ' || c == '\t')
            break;
        else
            return -1;
        if (length > HTTP_BODY_MAX)
            return -1;
    }
    if (digits == 0)
        return -1;
    *ret_length = length;
    *ret_next = (size_t)(lf - data) + 1;
    return 1;
}

/* Where the line break behind a chunk's data ends; 0: more bytes, or broken. */
static size_t
skip_line_break(const char *data, size_t size, size_t at, bool *ret_broken)
{
    *ret_broken = false;
    if (at < size && data[at] == '\n')
        return at + 1;
    if (at + 1 < size && data[at] == '\r' && data[at + 1] == '\n')
        return at + 2;
    *ret_broken = (at < size && data[at] != '\r') || at + 1 < size;
    return 0;
}

/* The data moves only now that all of it is here, so that a parse can be repeated. */
static void
join_chunks(char *data, size_t size, const struct http_progress *progress,
            struct http_request *ret)
{
    size_t to = progress->head_size, at = to, length, next;
    bool broken;

    while (parse_chunk_line(data, size, at, &length, &next) == 1 && length > 0) {
        memmove(data + to, data + next, length);
        to += length;
        at = skip_line_break(data, size, next + length, &broken);
    }
    ret->body =
        (struct lens_bytes){ data + progress->head_size, to - progress->head_size };
}

/* Trailer lines behind the last chunk, up to an empty line; they are ignored. */
static int
parse_trailer(char *data, size_t size, struct http_progress *progress, size_t at,
              struct http_request *ret)
{
    while (at < size) {
        const char *lf = memchr(data + at, '\n', size - at);
        const size_t next = lf != NULL ? (size_t)(lf - data) + 1 : 0;

        if (lf == NULL)
            break;
        if (next - progress->chunk > HTTP_HEAD_MAX)
            return 431;
        if (next - at == 1 || (next - at == 2 && data[at] == '\r')) {
            join_chunks(data, size, progress, ret);
            ret->size = next;
            return HTTP_READY;
        }
        at = next;
    }
    return size - progress->chunk > HTTP_HEAD_MAX ? 431 : HTTP_MORE;
}

static int
parse_chunked(char *data, size_t size, struct http_progress *progress,
              struct http_request *ret)
{
    if (progress->chunk == 0)
        progress->chunk = progress->head_size;
    for (;;) {
        size_t length = 0, next = 0, end;
        bool broken;
        const int line = parse_chunk_line(data, size, progress->chunk, &length, &next);

        if (line <= 0)
            return line < 0 ? 400 : HTTP_MORE;
        if (length == 0)
            return parse_trailer(data, size, progress, next, ret);
        if (next + length - progress->head_size > HTTP_BODY_MAX)
            return 413;
        end = next + length > size ? 0
                                   : skip_line_break(data, size, next + length, &broken);
        if (end == 0)
            return next + length <= size && broken ? 400 : HTTP_MORE;
        progress->chunk = end;
    }
}

int
http_request_parse(char *data, size_t size, struct http_progress *progress,
                   struct http_request *ret)
{
    size_t start = 0;
    int status;

    if (progress->need > size)
        return HTTP_MORE;
    ret->header_count = 0;
    ret->content_length = 0;
    ret->size = 0;
    ret->chunked = ret->expects_continue = ret->keep_alive = false;
    ret->body = (struct lens_bytes){ "", 0 };
    /* Empty lines before a request are skipped (RFC 9112, 2.2). */
    while (start < size && start < 8 && (data[start] == '\r' || data[start] == '\n'))
        start++;
    if (progress->scanned < start)
        progress->scanned = start;
    if (progress->head_size == 0) {
        const size_t end = head_end(data, size, &progress->scanned);

        if (end == 0)
            return size > HTTP_HEAD_MAX ? 431 : HTTP_MORE;
        if (end > HTTP_HEAD_MAX)
            return 431;
        progress->head_size = end;
    }
    status = parse_head(data, start, progress->head_size, ret);
    if (status != HTTP_READY)
        return status;
    if (ret->chunked)
        return parse_chunked(data, size, progress, ret);
    progress->need = progress->head_size + (size_t)ret->content_length;
    if (progress->need > size)
        return HTTP_MORE;
    ret->body =
        (struct lens_bytes){ data + progress->head_size, (size_t)ret->content_length };
    ret->size = progress->need;
    return HTTP_READY;
}
