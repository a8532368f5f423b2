#include "http1.h"

#include <string.h>

#include "http1-fields.h"

void
http1_begin(http1 *h, GArray *headers, GString *text)
{
    http1_clear(h);
    *h = (http1){ .state = HTTP1_STATUS_LINE, .headers = headers, .text = text };
}

void
http1_clear(http1 *h)
{
    if (h->line != NULL)
        g_string_free(h->line, TRUE);
    h->line = NULL;
}

static enum http1_step
refuse(http1 *h, const char *why)
{
    h->state = HTTP1_BROKEN;
    h->why = why;
    return HTTP1_BAD;
}

static void
skip(struct lens_bytes *data, size_t size)
{
    data->data += size;
    data->size -= size;
}

/* ---- lines ---- */

/* A whole line without its end, in place where it was not cut. */
static bool
take_line(http1 *h, struct lens_bytes *data, struct lens_bytes *ret_line)
{
    const char *lf = memchr(data->data, '\n', data->size);
    const size_t size = lf != NULL ? (size_t)(lf - data->data) : data->size;

    *ret_line = (struct lens_bytes){ data->data, size };
    if (lf == NULL || (h->line != NULL && h->line->len > 0)) {
        if (h->line == NULL)
            h->line = g_string_new(NULL);
        g_string_append_len(h->line, data->data, (gssize)size);
        *ret_line = (struct lens_bytes){ h->line->str, h->line->len };
    }
    skip(data, size + (lf != NULL));
    if (lf == NULL)
        return false;
    if (ret_line->size > 0 && ret_line->data[ret_line->size - 1] == '\r')
        ret_line->size--;
    return true;
}

static void
drop_line(http1 *h)
{
    if (h->line != NULL)
        g_string_truncate(h->line, 0);
}

/* ---- the head ---- */

static const char NO_STATUS_LINE[] =
    "the answer does not begin with a status line of HTTP/1";

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* What has come of the first line can still become one of HTTP/1. */
static bool
may_be_status_line(const char *data, size_t size)
{
    static const char form[] = "HTTP/1.";

    return memcmp(data, form, MIN(size, sizeof form - 1)) == 0;
}

/* "HTTP/1.1 200 OK"; the words, and the space before them, may be missing. */
static bool
read_status_line(http1 *h, const char *line, size_t size)
{
    if (size < 12 || !may_be_status_line(line, size) || !is_digit(line[7]) ||
        line[8] != ' ' || !is_digit(line[9]) || !is_digit(line[10]) ||
        !is_digit(line[11]) || line[9] == '0' || (size > 12 && line[12] != ' '))
        return false;
    h->version = (uint16_t)(10 + (line[7] - '0'));
    h->status =
        (uint16_t)((line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0'));
    return true;
}

static bool
is_space(char c)
{
    return c == ' ' || c == '\t';
}

static struct lens_bytes
trimmed(const char *data, const char *end)
{
    while (data < end && is_space(*data))
        data++;
    while (end > data && is_space(end[-1]))
        end--;
    return (struct lens_bytes){ data, (size_t)(end - data) };
}

/* RFC 9112, 5.2: a line that begins with a space goes on with the value before it. */
static void
fold(http1 *h, struct lens_bytes more)
{
    struct lens_pair *last =
        &g_array_index(h->headers, struct lens_pair, h->headers->len - 1);

    if (more.size == 0)
        return;
    if (last->value.size > 0) {
        g_string_append_c(h->text, ' ');
        last->value.size++;
    }
    g_string_append_len(h->text, more.data, (gssize)more.size);
    last->value.size += more.size;
}

/* Offsets, because the text moves while it grows. */
static void
add_header(http1 *h, const char *name, size_t name_size, struct lens_bytes value)
{
    struct lens_pair pair;

    pair.name.data = GSIZE_TO_POINTER(h->text->len);
    pair.name.size = name_size;
    g_string_append_len(h->text, name, (gssize)name_size);
    pair.value.data = GSIZE_TO_POINTER(h->text->len);
    pair.value.size = value.size;
    g_string_append_len(h->text, value.data, (gssize)value.size);
    g_array_append_val(h->headers, pair);
}

/* A line that is no header at all is read over, as all clients do. */
static bool
read_header(http1 *h, struct lens_bytes line)
{
    const char *end = line.data + line.size;
    const char *colon = memchr(line.data, ':', line.size);
    const char *name_end = colon;

    if (memchr(line.data, '\0', line.size) != NULL)
        return false;
    if (is_space(line.data[0]) && h->headers->len > 0) {
        fold(h, trimmed(line.data, end));
        return true;
    }
    if (colon == NULL)
        return true;
    while (name_end > line.data && is_space(name_end[-1]))
        name_end--;
    if (name_end > line.data)
        add_header(h, line.data, (size_t)(name_end - line.data), trimmed(colon + 1, end));
    return true;
}

static enum http1_step
end_head(http1 *h)
{
    struct http1_fields fields;

    if (h->status == 101)
        return refuse(h, "the server switches protocols (101), which was not asked for");
    if (h->status < 200) { /* 100 (Continue), 103 (Early Hints) */
        h->state = HTTP1_STATUS_LINE;
        g_array_set_size(h->headers, 0);
        g_string_truncate(h->text, 0);
        return HTTP1_MORE;
    }
    h->why = http1_read_fields(h->headers, h->text->str, h->version, &fields);
    if (h->why != NULL)
        return refuse(h, h->why);
    h->keep = fields.keep;
    h->chunked = fields.chunked;
    if (h->status == 204 || h->status == 304) {
        h->state = HTTP1_OVER;
    } else if (fields.chunked) {
        h->state = HTTP1_CHUNK_SIZE;
        h->left = 0;
    } else if (fields.coded || fields.length < 0) {
        h->state = HTTP1_UNTIL_CLOSE;
        h->keep = false;
    } else {
        h->left = (uint64_t)fields.length;
        h->state = h->left > 0 ? HTTP1_LENGTH : HTTP1_OVER;
    }
    return HTTP1_HEAD;
}

static enum http1_step
on_head_line(http1 *h, struct lens_bytes line)
{
    if (h->state == HTTP1_STATUS_LINE) {
        if (!read_status_line(h, line.data, line.size))
            return refuse(h, NO_STATUS_LINE);
        h->state = HTTP1_HEADERS;
        return HTTP1_MORE;
    }
    if (line.size == 0)
        return end_head(h);
    return read_header(h, line) ? HTTP1_MORE : refuse(h, "a header holds a NUL byte");
}

static enum http1_step
next_of_head(http1 *h, struct lens_bytes *data)
{
    while (data->size > 0) {
        const size_t before = data->size;
        enum http1_step step = HTTP1_MORE;
        struct lens_bytes line;
        bool whole;

        if (h->state == HTTP1_STATUS_LINE && (h->line == NULL || h->line->len == 0) &&
            !may_be_status_line(data->data, data->size))
            return refuse(h, NO_STATUS_LINE);
        whole = take_line(h, data, &line);
        h->head_size += before - data->size;
        if (h->head_size > HTTP1_HEAD_LIMIT) {
            h->state = HTTP1_BROKEN;
            return HTTP1_TOO_LARGE;
        }
        if (!whole && h->state == HTTP1_STATUS_LINE &&
            !may_be_status_line(h->line->str, h->line->len))
            return refuse(h, NO_STATUS_LINE);
        if (!whole)
            return HTTP1_MORE;
        if (h->state == HTTP1_TRAILERS) {
            if (line.size == 0) {
                h->state = HTTP1_OVER;
                step = HTTP1_END;
            }
        } else {
            step = on_head_line(h, line);
        }
        drop_line(h);
        if (step != HTTP1_MORE)
            return step;
    }
    return HTTP1_MORE;
}

/* ---- chunks ---- */

static int
hex_value(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 9112, 7.1: digits, then nothing, white space or extensions. */
static const char *
read_chunk_size(http1 *h, const char *line, size_t size)
{
    size_t digits = 0;

    h->left = 0;
    for (; digits < size && hex_value(line[digits]) >= 0; digits++) {
        if (h->left > (UINT64_MAX >> 5))
            return "Too long hexadecimal number in chunked-encoding";
        h->left = h->left << 4 | (uint64_t)hex_value(line[digits]);
    }
    if (digits == 0 || (digits < size && line[digits] != ';' && !is_space(line[digits])))
        return "Illegal or missing hexadecimal sequence in chunked-encoding";
    return NULL;
}

static enum http1_step
on_chunk_size(http1 *h, const char *line, size_t size)
{
    const char *why = read_chunk_size(h, line, size);

    if (why != NULL)
        return refuse(h, why);
    h->state = h->left > 0 ? HTTP1_CHUNK_DATA : HTTP1_TRAILERS;
    return HTTP1_MORE;
}

static enum http1_step
next_chunk_size(http1 *h, struct lens_bytes *data)
{
    struct lens_bytes line;
    enum http1_step step;

    if ((h->line == NULL || h->line->len == 0) && data->size > 0 &&
        hex_value(data->data[0]) < 0)
        return refuse(h, "Illegal or missing hexadecimal sequence in chunked-encoding");
    if (!take_line(h, data, &line) && line.size <= HTTP1_LINE_LIMIT + 1)
        return HTTP1_MORE;
    step = on_chunk_size(h, line.data, line.size);
    if (step == HTTP1_MORE && line.size > HTTP1_LINE_LIMIT)
        return refuse(h, "the extensions of a chunk are over 16 KiB");
    drop_line(h);
    return step;
}

/* The line end behind the data of a chunk; a lone LF will do. */
static enum http1_step
next_chunk_end(http1 *h, struct lens_bytes *data)
{
    struct lens_bytes line;

    if (data->data[0] != '\n' && data->data[0] != '\r')
        return refuse(h, "Malformed encoding found in chunked-encoding");
    if (h->line != NULL && h->line->len > 0 && data->data[0] != '\n')
        return refuse(h, "Malformed encoding found in chunked-encoding");
    if (data->data[0] == '\r' && data->size > 1 && data->data[1] != '\n')
        return refuse(h, "Malformed encoding found in chunked-encoding");
    if (!take_line(h, data, &line))
        return HTTP1_MORE; /* the CR alone */
    drop_line(h);
    h->state = HTTP1_CHUNK_SIZE;
    return HTTP1_MORE;
}

/* ---- all ---- */

static void
take_part(http1 *h, struct lens_bytes *data, struct lens_bytes *ret_part)
{
    *ret_part = *data;
    if (h->state != HTTP1_UNTIL_CLOSE && ret_part->size > h->left)
        ret_part->size = (size_t)h->left;
    h->left -= h->state != HTTP1_UNTIL_CLOSE ? ret_part->size : 0;
    skip(data, ret_part->size);
    if (h->state != HTTP1_UNTIL_CLOSE && h->left == 0)
        h->state = h->state == HTTP1_CHUNK_DATA ? HTTP1_CHUNK_END : HTTP1_OVER;
}

enum http1_step
http1_next(http1 *h, struct lens_bytes *data, struct lens_bytes *ret_part)
{
    enum http1_step step = HTTP1_MORE;

    h->begun |= data->size > 0;
    for (;;) {
        if (h->state == HTTP1_OVER)
            return HTTP1_END;
        if (h->state == HTTP1_BROKEN)
            return HTTP1_BAD;
        if (data->size == 0)
            return HTTP1_MORE;
        switch (h->state) {
        case HTTP1_STATUS_LINE:
        case HTTP1_HEADERS:
        case HTTP1_TRAILERS:
            step = next_of_head(h, data);
            break;
        case HTTP1_CHUNK_SIZE:
            step = next_chunk_size(h, data);
            break;
        case HTTP1_CHUNK_END:
            step = next_chunk_end(h, data);
            break;
        default:
            take_part(h, data, ret_part);
            return HTTP1_BODY;
        }
        if (step != HTTP1_MORE)
            return step;
    }
}

bool
http1_may_close(const http1 *h)
{
    return h->state == HTTP1_UNTIL_CLOSE || h->state == HTTP1_OVER;
}

const char *
http1_missing(const http1 *h)
{
    switch (h->state) {
    case HTTP1_STATUS_LINE:
    case HTTP1_HEADERS:
        return h->begun ? "the connection was closed within the head of the answer"
                        : "Empty reply from server";
    case HTTP1_LENGTH:
        return "transfer closed with bytes remaining to read";
    default:
        return "transfer closed with outstanding read data remaining";
    }
}
