#include "request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "turns.h"

static size_t
without_slashes(const char *base, size_t size)
{
    while (size > 0 && base[size - 1] == '/')
        size--;
    return size;
}

char *
lens_url_join(const char *base, const char *route)
{
    const char *query = base + strcspn(base, "?");
    const size_t route_size = strlen(route);
    size_t size = without_slashes(base, (size_t)(query - base));
    size_t length;
    char *url;

    if (size >= route_size && memcmp(base + size - route_size, route, route_size) == 0)
        size -= route_size;
    length = size + route_size + strlen(query) + 1;
    url = malloc(length);
    if (url != NULL)
        snprintf(url, length, "%.*s%s%s", (int)size, base, route, query);
    return url;
}

char *
lens_secret_join(const char *prefix, const char *secret)
{
    const size_t length = strlen(prefix) + strlen(secret) + 1;
    char *text = malloc(length);

    if (text != NULL)
        snprintf(text, length, "%s%s", prefix, secret);
    return text;
}

void
lens_secret_free(char *secret)
{
    if (secret != NULL)
        explicit_bzero(secret, strlen(secret));
    free(secret);
}

static lens_status
add_header(const struct lens_host *host, const struct lens_pair *h,
           struct lens_request *r)
{
    const size_t size = h->name.size + h->value.size + 2;
    char *copy = malloc(size), *value;
    lens_status st;

    if (copy == NULL)
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    value = copy + h->name.size + 1;
    memcpy(copy, h->name.data, h->name.size);
    copy[h->name.size] = '\0';
    memcpy(value, h->value.data, h->value.size);
    value[h->value.size] = '\0';
    st = host->req_header(r, copy, value, 0);
    free(copy);
    return st;
}

lens_status
lens_request_headers(const struct lens_host *host, const struct lens_ask *ask,
                     struct lens_request *r)
{
    lens_status st = LENS_OK;

    for (uint32_t i = 0; i < ask->header_count && st == LENS_OK; i++)
        st = add_header(host, lens_header_at(ask, i), r);
    return st;
}

lens_status
lens_request_begin(const struct lens_host *host, const struct lens_ask *ask,
                   const char *url, const char *stream_type, const char *authorization,
                   struct lens_request *r)
{
    const int stream = (ask->flags & LENS_ASK_STREAM) != 0;
    lens_status st = host->req_line(r, "POST", url);

    if (st == LENS_OK)
        st = host->req_header(r, "Content-Type", "application/json", 0);
    if (st == LENS_OK)
        st = host->req_header(r, "Accept", stream ? stream_type : "application/json", 0);
    if (st == LENS_OK && authorization != NULL)
        st = host->req_header(r, "Authorization", authorization, LENS_HEADER_SECRET);
    return st;
}

lens_status
lens_request_get(const struct lens_host *host, const char *url, const char *authorization,
                 struct lens_request *r)
{
    lens_status st = host->req_line(r, "GET", url);

    if (st == LENS_OK)
        st = host->req_header(r, "Accept", "application/json", 0);
    if (st == LENS_OK && authorization != NULL)
        st = host->req_header(r, "Authorization", authorization, LENS_HEADER_SECRET);
    return st;
}
