/* The request that a plugin describes: method, URL, headers, body; checked here, so that
 * no plugin can put a second request or a broken header on the wire. */
#include <string.h>

#include "host.h"
#include "secret.h"

enum { METHOD_MAX = 32, URL_MAX = 64 * 1024, HEADERS_MAX = 256 * 1024 };

void
lens_request_init(struct lens_request *r)
{
    *r = (struct lens_request){ 0 };
    r->headers = g_ptr_array_new_with_free_func(g_free);
}

void
lens_request_reset(struct lens_request *r)
{
    r->method.size = 0;
    r->url.size = 0;
    r->body.size = 0;
    r->header_bytes = 0;
    g_ptr_array_set_size(r->headers, 0);
    r->failed = false;
    r->why = NULL;
}

void
lens_request_clear(struct lens_request *r)
{
    buffer_clear(&r->method);
    buffer_clear(&r->url);
    buffer_clear(&r->body);
    g_clear_pointer(&r->headers, g_ptr_array_unref);
    *r = (struct lens_request){ 0 };
}

/* The first reason stands. */
static lens_status
refuse(struct lens_request *r, lens_status status, const char *why)
{
    if (!r->failed)
        r->why = why;
    r->failed = true;
    return status;
}

/* RFC 9110, 5.6.2. */
static bool
is_token(const char *text)
{
    if (text == NULL || *text == '\0')
        return false;
    for (; *text != '\0'; text++)
        if (!g_ascii_isalnum(*text) && strchr("!#$%&'*+-.^_`|~", *text) == NULL)
            return false;
    return true;
}

/* RFC 9110, 5.5: no control characters but the tab. */
static bool
is_field_value(const char *text)
{
    if (text == NULL)
        return false;
    for (; *text != '\0'; text++) {
        const unsigned char c = (unsigned char)*text;

        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static bool
is_url(const char *text)
{
    if (text == NULL || (g_ascii_strncasecmp(text, "http://", 7) != 0 &&
                         g_ascii_strncasecmp(text, "https://", 8) != 0))
        return false;
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= 0x20 || *text == 0x7f)
            return false;
    return true;
}

lens_status
lens_request_line(struct lens_request *r, const char *method, const char *url)
{
    lens_status status;

    if (!is_token(method) || strlen(method) > METHOD_MAX)
        return refuse(r, LENS_E_FAILED, "the method is not a token");
    if (!is_url(url))
        return refuse(
            r, LENS_E_FAILED,
            "the URL does not begin with http:// or https://, or holds spaces or "
            "control characters");
    if (strlen(url) > URL_MAX)
        return refuse(r, LENS_E_TOO_LARGE, "the URL is longer than 64 KiB");
    r->method.size = 0;
    r->url.size = 0;
    status = buffer_append(&r->method, method, strlen(method));
    if (status == LENS_OK)
        status = buffer_append(&r->url, url, strlen(url));
    return status == LENS_OK ? status : refuse(r, status, "out of memory for the URL");
}

static bool
is_one_of(const char *name, const char *const *list)
{
    for (; *list != NULL; list++)
        if (g_ascii_strcasecmp(name, *list) == 0)
            return true;
    return false;
}

/* Takes out an earlier header of the same name, where two make no sense: what the user
 * adds comes last and wins. */
static void
drop_earlier(struct lens_request *r, const char *name)
{
    const size_t size = strlen(name);

    for (unsigned i = 0; i < r->headers->len; i++) {
        const char *line = g_ptr_array_index(r->headers, i);

        if (g_ascii_strncasecmp(line, name, size) == 0 &&
            (line[size] == ':' || line[size] == ';')) {
            g_ptr_array_remove_index(r->headers, i);
            return;
        }
    }
}

lens_status
lens_request_header(struct lens_request *r, const char *name, const char *value,
                    uint32_t flags)
{
    static const char *const single[] = { "accept",           "authorization",
                                          "content-type",     "host",
                                          "user-agent",       "x-api-key",
                                          "content-encoding", NULL };
    static const char *const framing[] = { "content-length", "transfer-encoding", NULL };

    if (!is_token(name))
        return refuse(r, LENS_E_FAILED, "the name of a header is not a token");
    if (!is_field_value(value))
        return refuse(r, LENS_E_FAILED,
                      "the value of a header holds a line break or a control character");
    if (is_one_of(name, framing))
        return refuse(
            r, LENS_E_FAILED,
            "the headers Content-Length and Transfer-Encoding belong to the host");
    r->header_bytes += strlen(name) + strlen(value) + 4;
    if (r->header_bytes > HEADERS_MAX)
        return refuse(r, LENS_E_TOO_LARGE, "the headers are longer than 256 KiB");
    if (flags & LENS_HEADER_SECRET)
        secret_register(value);
    if (is_one_of(name, single))
        drop_earlier(r, name);
    /* "Name;" is libcurl's spelling of a header without a value. */
    g_ptr_array_add(r->headers, *value == '\0' ? g_strconcat(name, ";", NULL)
                                               : g_strconcat(name, ": ", value, NULL));
    return LENS_OK;
}

lens_status
lens_request_body(struct lens_request *r, const void *data, size_t size)
{
    const lens_status status = buffer_append(&r->body, data, size);

    if (status == LENS_OK)
        return status;
    return refuse(r, status,
                  status == LENS_E_TOO_LARGE ? "the body is longer than 64 MiB"
                                             : "out of memory for the body");
}
