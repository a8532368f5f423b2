/* receiver: an HTTP server that results are sent to: its URL, TLS, proxy and headers. */
#pragma once

#include <lens/plugin.h>

#define RECEIVER_HEADERS 12

struct receiver {
    const struct lens_host *host;
    const char *cacert, *cert, *key, *proxy;
    int64_t timeout_ns;
    uint32_t flags; /* LENS_HTTP_* */
    struct lens_pair headers[RECEIVER_HEADERS];
    uint32_t header_count;
};

/* What every exporter over HTTP can be told. */
#define RECEIVER_OPTIONS                 \
    { .name = "gzip",                    \
      .type = LENS_OPT_BOOL,             \
      .fallback = "true",                \
      .help = "compress what is sent" }, \
        RECEIVER_OPTIONS_PLAIN
/* The same for bodies that are compressed in another way, or never. */
#define RECEIVER_OPTIONS_PLAIN                                                          \
    { .name = "timeout",                                                                \
      .type = LENS_OPT_DURATION,                                                        \
      .fallback = "10s",                                                                \
      .help = "longest wait for an answer of the receiver" },                           \
        { .name = "cacert",                                                             \
          .type = LENS_OPT_PATH,                                                        \
          .help = "certificates of authorities that the receiver is checked by, PEM" }, \
        { .name = "cert",                                                               \
          .type = LENS_OPT_PATH,                                                        \
          .help = "certificate of the client, PEM" },                                   \
        { .name = "key",                                                                \
          .type = LENS_OPT_PATH,                                                        \
          .help = "private key of the certificate, PEM" },                              \
        { .name = "insecure",                                                           \
          .type = LENS_OPT_BOOL,                                                        \
          .fallback = "false",                                                          \
          .help = "do not check the receiver's certificate" },                          \
    {                                                                                   \
        .name = "proxy", .type = LENS_OPT_URL,                                          \
        .help = "proxy in place of the one that the environment names"                  \
    }

/* Reads these options. `gzip`: whether it is one of them. */
void receiver_open(struct receiver *r, const struct lens_host *host, int gzip);
/* Adds a header to all requests; the strings must stay. Beyond the last place it is left
 * out. */
void receiver_header(struct receiver *r, const char *name, const char *value);
/* host->http. */
lens_status receiver_exchange(struct receiver *r, const char *method, const char *url,
                              const void *body, size_t size,
                              struct lens_http_answer *answer);

/* `base` without its query and last slashes, then `path`; malloc'd, NULL: no memory. */
char *receiver_join(const char *base, const char *path);
