/* mock-http: the request side of HTTP/1.1 (RFC 9112) for the mock: bytes in, requests
 * out.
 *
 * Pure: no socket, no allocation. Whatever a client sends ends in a request, a refusal or
 * a wish for more bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lens/abi.h>

#define HTTP_HEADERS_MAX 128
#define HTTP_HEAD_MAX (64 * 1024)
#define HTTP_BODY_MAX (64 * 1024 * 1024)

/* What has been understood of a request that is not complete; zero at its start. */
struct http_progress {
    size_t scanned;   /* the end of the head is not before this */
    size_t head_size; /* 0: head incomplete */
    size_t need;      /* total size, when the head says it */
    size_t chunk;     /* start of the next chunk's size line; 0: none yet */
};

struct http_request {
    struct lens_bytes method, target;
    struct lens_pair headers[HTTP_HEADERS_MAX];
    uint32_t header_count;
    struct lens_bytes body;
    size_t size; /* bytes that the request took */
    int minor;   /* of HTTP/1.x */
    bool keep_alive;
    bool chunked;
    bool expects_continue;
    uint64_t content_length;
};

/* Not a status: what else http_request_parse answers. */
enum { HTTP_MORE = 0, HTTP_READY = 200 };

/* Looks at the first request in `data`, which must start at the same byte in every call
 * for one request. HTTP_READY: `ret` points into `data`, where a chunked body has been
 * joined. HTTP_MORE: call again with more bytes; `ret` holds the head once
 * `progress->head_size` is set. Else the status to refuse the request with: 400, 413,
 * 417, 431, 501 or 505. */
int http_request_parse(char *data, size_t size, struct http_progress *progress,
                       struct http_request *ret);

/* Value of a header, name in lower case; an empty one when missing. */
struct lens_bytes http_header(const struct http_request *r, const char *name);
