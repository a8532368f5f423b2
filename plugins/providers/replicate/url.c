/* url: addresses, and which of them may see the token. */
#include <string.h>
#include <strings.h>

#include "replicate.h"

/* The base without a slash at its end, with /v1. */
static void
add_base(const struct replicate *p, struct lens_text *ret)
{
    size_t size = strlen(p->url);

    while (size > 0 && p->url[size - 1] == '/')
        size--;
    lens_text_add_bytes(ret, p->url, size);
    if (size < 3 || memcmp(p->url + size - 3, "/v1", 3) != 0)
        lens_text_add(ret, "/v1");
}

void
replicate_route(const struct replicate *p, const char *route, struct lens_text *ret)
{
    add_base(p, ret);
    lens_text_add(ret, route);
}

/* Length of "scheme://host:port". */
static size_t
origin_size(const char *url)
{
    const char *host = strstr(url, "://");

    return host == NULL ? 0 : (size_t)(host + 3 - url) + strcspn(host + 3, "/?#");
}

int
replicate_resolve(const struct replicate *p, struct lens_bytes link,
                  struct lens_text *ret)
{
    if (link.size == 0 || memchr(link.data, '\0', link.size) != NULL)
        return 0;
    lens_text_reset(ret);
    if (*link.data == '/')
        lens_text_add_bytes(ret, p->url, origin_size(p->url));
    lens_text_add_bytes(ret, link.data, link.size);
    return !ret->failed && (strncasecmp(ret->data, "https://", 8) == 0 ||
                            strncasecmp(ret->data, "http://", 7) == 0);
}

/* "a.replicate.com" and "replicate.com", with any port, without user info. */
static int
is_vendor(const char *host, size_t size)
{
    static const char name[] = "replicate.com";
    const char *port = memchr(host, ':', size);

    if (memchr(host, '@', size) != NULL)
        return 0;
    if (port != NULL)
        size = (size_t)(port - host);
    return size >= sizeof name - 1 &&
           strncasecmp(host + size - (sizeof name - 1), name, sizeof name - 1) == 0 &&
           (size == sizeof name - 1 || host[size - sizeof name] == '.');
}

int
replicate_is_trusted(const struct replicate *p, const char *url)
{
    const size_t size = origin_size(url);

    if (size == 0)
        return 0;
    if (size == origin_size(p->url) && strncasecmp(url, p->url, size) == 0)
        return 1;
    return strncasecmp(url, "https://", 8) == 0 && is_vendor(url + 8, size - 8);
}
