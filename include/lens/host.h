/* host: what the host does for an instance. One table per instance, valid from `open` to
 * the end of `close`. Services may be called only from inside an operation of that
 * instance. */
#ifndef LENS_HOST_H
#define LENS_HOST_H

#include "abi.h"

enum { LENS_LOG_DEBUG = 1, LENS_LOG_INFO = 2, LENS_LOG_WARNING = 3 };

/* Streams of the counter-based generator: equal (seed, stream, index) give equal numbers
 * on every machine, thread and shard. Numbers from 64 on are free for plugins. */
enum {
    LENS_RAND_ARRIVAL = 1,
    LENS_RAND_LENGTH = 2,
    LENS_RAND_CONTENT = 3,
    LENS_RAND_MIX = 4,
    LENS_RAND_THINK = 5,
    LENS_RAND_CANCEL = 6,
    LENS_RAND_USER = 64
};

struct lens_request; /* a request that is being described; the host's */
struct lens_buffer;  /* bytes that are being collected; the host's */

/* Flags of a request header. */
enum { LENS_HEADER_SECRET = 1 };

/* Flags of an HTTP request of an exporter. */
enum {
    LENS_HTTP_GZIP = 1,    /* the host compresses the body and says so in a header */
    LENS_HTTP_2 = 2,       /* HTTP/2 only, with prior knowledge over http:// */
    LENS_HTTP_INSECURE = 4 /* the certificate is not checked */
};

struct lens_http_request {
    uint32_t struct_size;
    uint32_t flags;
    const char *method;
    const char *url;
    const struct lens_pair *headers;
    uint32_t header_count, header_size;
    struct lens_bytes body;
    int64_t timeout_ns; /* 0: the host's default */
    /* NULL: the system's, none. Files in PEM form. */
    const char *cacert, *cert, *key;
    const char *proxy;  /* a URL; NULL: as the environment says, "": none */
    const char *socket; /* path of a Unix socket in place of a TCP connection; or NULL */
};

struct lens_http_answer {
    uint32_t struct_size;
    int32_t status; /* 0: no answer, `error` says why */
    const struct lens_pair *headers;
    uint32_t header_count, header_size;
    struct lens_bytes body;
    int64_t retry_after_ns; /* from Retry-After in either form; -1: none */
    const char *error;
    const struct lens_pair *trailers; /* of HTTP/2, or of a chunked body */
    uint32_t trailer_count, trailer_size;
    uint32_t http_version; /* 10, 11, 20 */
    uint32_t error_kind;   /* LENS_KIND_DNS, _CONNECT, _TLS, _NETWORK or _TIMEOUT; 0 */
};

/* How `listen` binds. */
enum {
    LENS_LISTEN_REMOTE = 1 /* addresses other than loopback are allowed */
};

/* A range of a histogram that holds something: low <= value < high. */
struct lens_bucket {
    int64_t low, high;
    uint64_t count;
};
struct lens_histogram;

struct lens_host {
    uint32_t struct_size;
    uint32_t abi; /* the host's LENS_ABI */

    /* A line for the user's log. Text is shown without control characters. */
    void (*log)(const struct lens_host *, int32_t level, const char *text);
    /* Says why an operation fails; returns `why`, so that `return host->fail(...)` reads
     * well. An exporter whose verdict says that it fails may give LENS_OK. */
    lens_status (*fail)(const struct lens_host *, lens_status why, const char *text);

    /* Options of this instance by name. A name that is not in the schema is a bug of the
     * plugin and gives NULL, 0. Strings live until `close`; NULL when unset. `nth` counts
     * from 0. */
    int32_t (*opt_count)(const struct lens_host *, const char *name);
    const char *(*opt_string)(const struct lens_host *, const char *name, uint32_t nth);
    int64_t (*opt_int)(const struct lens_host *, const char *name);
    double (*opt_double)(const struct lens_host *, const char *name);

    /* Building a request; only inside `describe` and `call_describe`. A body may come in
     * parts. */
    lens_status (*req_line)(struct lens_request *, const char *method, const char *url);
    lens_status (*req_header)(struct lens_request *, const char *name, const char *value,
                              uint32_t flags);
    lens_status (*req_body)(struct lens_request *, const void *data, size_t size);

    /* Appends to a buffer that the host passed in. */
    lens_status (*append)(struct lens_buffer *, const void *data, size_t size);

    /* Grows `old` (NULL at first) of `old_size` bytes to `size`; size 0 frees and returns
     * NULL. NULL when the limit of one buffer (64 MiB) or of the process (128 MiB) is
     * passed: the old memory stays and the operation returns LENS_E_TOO_LARGE. For what a
     * server can make grow. */
    void *(*grow)(const struct lens_host *, void *old, size_t old_size, size_t size);

    /* A uniform 64-bit number: a function of the run's seed, `stream` and `index` alone.
     */
    uint64_t (*rand)(const struct lens_host *, uint32_t stream, uint64_t index);

    /* One HTTP exchange, blocking; exporters only, on the export thread. The answer is
     * the host's until the next call. The return is LENS_OK when there is an answer of
     * any status, else LENS_E_IO with `answer->error`. TLS, proxy and redaction are the
     * host's. */
    lens_status (*http)(const struct lens_host *, const struct lens_http_request *,
                        struct lens_http_answer *answer);

    /* Serves HTTP at `address` ("127.0.0.1:9464", "[::1]:0", ":9464" for loopback) on a
     * thread of the host; exporters only, in `open` or `begin`. Each request goes to the
     * exporter's `serve`, while no other operation of the instance runs. It ends with
     * `close`. LENS_E_CONFIG: not an address, or not loopback and not allowed. LENS_E_IO:
     * taken. */
    lens_status (*listen)(const struct lens_host *, const char *address, uint32_t flags,
                          uint16_t *ret_port);

    /* The ranges of a histogram that hold something, in rising order. `cursor` starts at
     * 0 and is the host's; returns 0 when there are no more. */
    int32_t (*histogram_next)(const struct lens_host *, const struct lens_histogram *,
                              uint64_t *cursor, struct lens_bucket *ret);

    /* What a credential may lie in; providers only, inside an AUTH call. The bytes live
     * until the operation returns.
     * LENS_E_IO: not there, or not readable; nothing was logged.
     * `read_file`: at most 1 MiB; a leading "~/" is the user's home.
     * `environment`: NULL when unset or empty.
     * `run`: what a command printed; split like a shell's words, but run without one; at
     * most 60 s and 1 MiB. LENS_E_FAILED: it did not exit with 0. Never in a dry run. */
    lens_status (*read_file)(const struct lens_host *, const char *path,
                             struct lens_bytes *ret);
    const char *(*environment)(const struct lens_host *, const char *name);
    lens_status (*run)(const struct lens_host *, const char *command,
                       struct lens_bytes *ret);
};

#endif
