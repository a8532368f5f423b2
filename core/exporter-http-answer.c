/* What comes back from a receiver. */
#include <string.h>

#include <lens/provider.h>

#include "chrono.h"
#include "exporter-http-private.h"

#define MOST_BODY (4 * 1024 * 1024)
#define MOST_HEADERS (256 * 1024)

size_t
http_take_header(char *data, size_t size, size_t count, void *user)
{
    struct http_client *c = user;
    const size_t bytes = size * count;

    if (bytes > 5 && memcmp(data, "HTTP/", 5) == 0) { /* of the last answer, not a 100 */
        g_string_truncate(c->head, 0);
        c->head_done = false;
    } else if (!c->head_done && bytes <= 2 && (data[0] == '\r' || data[0] == '\n')) {
        c->head_done = true;
    }
    if (c->head->len + c->trailer->len + bytes > MOST_HEADERS)
        return 0;
    g_string_append_len(c->head_done ? c->trailer : c->head, data, (gssize)bytes);
    return bytes;
}

size_t
http_take_body(char *data, size_t size, size_t count, void *user)
{
    struct http_client *c = user;
    const size_t left = MOST_BODY - c->body->len;

    g_string_append_len(c->body, data, (gssize)MIN(left, size * count));
    return size * count; /* what is beyond the limit is dropped */
}

void
http_answer_begin(struct http_client *c)
{
    g_string_truncate(c->head, 0);
    g_string_truncate(c->trailer, 0);
    g_string_truncate(c->body, 0);
    c->head_done = false;
    c->why[0] = '\0';
}

static struct lens_bytes
trimmed(const char *from, const char *to)
{
    while (from < to && g_ascii_isspace(*from))
        from++;
    while (to > from && g_ascii_isspace(to[-1]))
        to--;
    return (struct lens_bytes){ from, (size_t)(to - from) };
}

static void
split(const GString *text, GArray *pairs)
{
    const char *line = text->str, *end;

    g_array_set_size(pairs, 0);
    for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        const char *colon = memchr(line, ':', (size_t)(end - line));

        if (colon != NULL && !g_str_has_prefix(line, "HTTP/")) {
            const struct lens_pair pair = { trimmed(line, colon),
                                            trimmed(colon + 1, end) };

            g_array_append_val(pairs, pair);
        }
    }
}

/* RFC 9110, 10.2.3: seconds (fractions are seen too) or a date. */
static int64_t
retry_after(const GArray *headers)
{
    for (guint i = 0; i < headers->len; i++) {
        const struct lens_pair *h = &g_array_index(headers, struct lens_pair, i);
        g_autofree char *value = NULL;
        char *end;
        double seconds;
        time_t date;

        if (h->name.size != 11 ||
            g_ascii_strncasecmp(h->name.data, "retry-after", 11) != 0)
            continue;
        value = g_strndup(h->value.data, h->value.size);
        seconds = g_ascii_strtod(value, &end);
        if (end != value && *end == '\0')
            return seconds >= 0 && seconds < 1e9 ? (int64_t)(seconds * 1e9) : -1;
        date = curl_getdate(value, NULL);
        if (date >= 0)
            return MAX((int64_t)date * NS_PER_S - chrono_wall(), 0);
    }
    return -1;
}

static uint32_t
http_version(CURL *curl)
{
    long version = 0;

    curl_easy_getinfo(curl, CURLINFO_HTTP_VERSION, &version);
    switch (version) {
    case CURL_HTTP_VERSION_1_0:
        return 10;
    case CURL_HTTP_VERSION_1_1:
        return 11;
    case CURL_HTTP_VERSION_2_0:
        return 20;
    default:
        return 0;
    }
}

void
http_answer_fill(struct http_client *c, struct lens_http_answer *answer)
{
    long status = 0;

    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    split(c->head, c->headers);
    split(c->trailer, c->trailers);
    answer->status = (int32_t)status;
    answer->headers = (const struct lens_pair *)(const void *)c->headers->data;
    answer->header_count = c->headers->len;
    answer->header_size = sizeof(struct lens_pair);
    answer->trailers = (const struct lens_pair *)(const void *)c->trailers->data;
    answer->trailer_count = c->trailers->len;
    answer->trailer_size = sizeof(struct lens_pair);
    answer->body = (struct lens_bytes){ c->body->str, c->body->len };
    answer->retry_after_ns = retry_after(c->headers);
    answer->http_version = http_version(c->curl);
}

uint32_t
http_error_kind(CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return LENS_KIND_DNS;
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
    case CURLE_PROXY:
        return LENS_KIND_CONNECT;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_INVALIDCERTSTATUS:
    case CURLE_SSL_CLIENTCERT:
    case CURLE_USE_SSL_FAILED:
        return LENS_KIND_TLS;
    case CURLE_OPERATION_TIMEDOUT:
        return LENS_KIND_TIMEOUT;
    default:
        return LENS_KIND_NETWORK;
    }
}
