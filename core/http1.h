/* http1: the answers of HTTP/1.1, from bytes to head and body (RFC 9112), as a client
 * that does not trust its server reads them. Sans I/O; bytes may be cut anywhere.
 *
 * 1xx answers but 101 are read over; folded headers are joined; a body ends by its
 * length, its last chunk or the end of the connection. Refused are lengths that
 * contradict each other, chunk sizes that are none, NUL bytes and heads over
 * HTTP1_HEAD_LIMIT. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include <lens/plugin.h>

enum {
    HTTP1_HEAD_LIMIT = 256 * 1024, /* of all heads and trailers of one answer */
    HTTP1_LINE_LIMIT = 16 * 1024   /* of a chunk's size with its extensions */
};

enum http1_step {
    HTTP1_MORE, /* all was taken, the answer goes on */
    HTTP1_HEAD, /* the final head is complete: version, status, headers */
    HTTP1_BODY, /* a part of the body, in place */
    HTTP1_END,  /* the answer is complete; what follows does not belong to it */
    HTTP1_BAD,  /* not HTTP: `why` */
    HTTP1_TOO_LARGE
};

enum http1_state {
    HTTP1_STATUS_LINE,
    HTTP1_HEADERS,
    HTTP1_LENGTH,
    HTTP1_UNTIL_CLOSE,
    HTTP1_CHUNK_SIZE,
    HTTP1_CHUNK_DATA,
    HTTP1_CHUNK_END,
    HTTP1_TRAILERS,
    HTTP1_OVER,
    HTTP1_BROKEN
};

typedef struct http1 {
    enum http1_state state;
    uint16_t version; /* 10, 11 */
    uint16_t status;
    bool chunked, keep; /* keep: the connection may serve again */
    bool begun;         /* a byte of the answer has come */
    uint64_t left;      /* of the body, or of the chunk */
    size_t head_size;   /* bytes of heads and trailers so far */
    GString *line;      /* a line that was cut; NULL: none */
    const char *why;    /* HTTP1_BAD; static */
    /* Borrowed: struct lens_pair whose data are offsets into `text`. */
    GArray *headers;
    GString *text;
} http1;

/* Begins an answer whose headers go to `headers` and `text`. */
void http1_begin(http1 *h, GArray *headers, GString *text);
/* Frees what a cut line left behind. */
void http1_clear(http1 *h);
/* Takes bytes from the front of `data` until something is to be said. `ret_part` is set
 * with HTTP1_BODY. */
enum http1_step http1_next(http1 *h, struct lens_bytes *data,
                           struct lens_bytes *ret_part);
/* Whether the end of the connection is a proper end of the answer. */
bool http1_may_close(const http1 *h);
/* What was missing when the connection ended, for people. */
const char *http1_missing(const http1 *h);
