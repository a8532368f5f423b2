#include "receiver.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
receiver_open(struct receiver *r, const struct lens_host *host, int gzip)
{
    *r = (struct receiver){
        .host = host,
        .cacert = host->opt_string(host, "cacert", 0),
        .cert = host->opt_string(host, "cert", 0),
        .key = host->opt_string(host, "key", 0),
        .proxy = host->opt_string(host, "proxy", 0),
        .timeout_ns = host->opt_int(host, "timeout"),
    };
    if (gzip && host->opt_int(host, "gzip") != 0)
        r->flags |= LENS_HTTP_GZIP;
    if (host->opt_int(host, "insecure") != 0)
        r->flags |= LENS_HTTP_INSECURE;
}

void
receiver_header(struct receiver *r, const char *name, const char *value)
{
    if (r->header_count == RECEIVER_HEADERS)
        return;
    r->headers[r->header_count++] =
        (struct lens_pair){ { name, strlen(name) }, { value, strlen(value) } };
}

lens_status
receiver_exchange(struct receiver *r, const char *method, const char *url,
                  const void *body, size_t size, struct lens_http_answer *answer)
{
    const struct lens_http_request request = {
        .struct_size = sizeof request,
        .flags = size > 0 ? r->flags : r->flags & ~(uint32_t)LENS_HTTP_GZIP,
        .method = method,
        .url = url,
        .headers = r->headers,
        .header_count = r->header_count,
        .header_size = sizeof r->headers[0],
        .body = { body, size },
        .timeout_ns = r->timeout_ns,
        .cacert = r->cacert,
        .cert = r->cert,
        .key = r->key,
        .proxy = r->proxy,
    };

    *answer = (struct lens_http_answer){ .struct_size = sizeof *answer };
    return r->host->http(r->host, &request, answer);
}

char *
receiver_join(const char *base, const char *path)
{
    size_t size = strcspn(base, "?#");
    char *url;

    while (size > 0 && base[size - 1] == '/')
        size--;
    return asprintf(&url, "%.*s%s", (int)size, base, path) >= 0 ? url : NULL;
}
