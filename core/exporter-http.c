#include "exporter-http.h"

#include <curl/curl.h>
#include <glib.h>
#include <string.h>

#include "chrono.h"
#include "host.h"
#include "secret.h"

#define TIMEOUT_MS 10000
#define MOST_BODY (1024 * 1024)
#define MOST_HEADERS (256 * 1024)

struct client {
    CURL *curl;
    GString *head, *body;
    GArray *headers; /* struct lens_pair, into head */
    char why[CURL_ERROR_SIZE];
    char *error; /* what the plugin was told */
};

static _Thread_local const atomic_bool *stop_flag;

void
exporter_http_watch(const atomic_bool *stop)
{
    stop_flag = stop;
}

void
exporter_http_free(void *data)
{
    struct client *c = data;

    if (c == NULL)
        return;
    curl_easy_cleanup(c->curl);
    g_string_free(c->head, TRUE);
    g_string_free(c->body, TRUE);
    g_array_unref(c->headers);
    g_free(c->error);
    g_free(c);
}

static struct client *
client_of(const struct lens_host *host)
{
    instance *i = (instance *)host;
    struct client *c = i->http;

    if (c != NULL)
        return c;
    c = g_new0(struct client, 1);
    c->curl = curl_easy_init();
    c->head = g_string_new(NULL);
    c->body = g_string_new(NULL);
    c->headers = g_array_new(FALSE, FALSE, sizeof(struct lens_pair));
    i->http = c;
    return c;
}

/* ---- what comes in ---- */

static size_t
take_header(char *data, size_t size, size_t count, void *user)
{
    struct client *c = user;

    if (size * count > 5 &&
        memcmp(data, "HTTP/", 5) == 0) /* of the last answer, not of a 100 */
        g_string_truncate(c->head, 0);
    if (c->head->len + size * count > MOST_HEADERS)
        return 0;
    g_string_append_len(c->head, data, (gssize)(size * count));
    return size * count;
}

static size_t
take_body(char *data, size_t size, size_t count, void *user)
{
    struct client *c = user;
    const size_t left = MOST_BODY - c->body->len;

    g_string_append_len(c->body, data, (gssize)MIN(left, size * count));
    return size * count; /* what is beyond the limit is dropped */
}

static int
on_progress(void *user, curl_off_t a, curl_off_t b, curl_off_t d, curl_off_t e)
{
    (void)user, (void)a, (void)b, (void)d, (void)e;
    return stop_flag != NULL && atomic_load(stop_flag);
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
split_headers(struct client *c)
{
    const char *line = c->head->str, *end;

    g_array_set_size(c->headers, 0);
    for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        const char *colon = memchr(line, ':', (size_t)(end - line));

        if (colon != NULL && !g_str_has_prefix(line, "HTTP/")) {
            const struct lens_pair pair = { trimmed(line, colon),
                                            trimmed(colon + 1, end) };

            g_array_append_val(c->headers, pair);
        }
    }
}

/* RFC 9110, 10.2.3: seconds (fractions are seen too) or a date. */
static int64_t
retry_after(const struct client *c)
{
    for (guint i = 0; i < c->headers->len; i++) {
        const struct lens_pair *h = &g_array_index(c->headers, struct lens_pair, i);
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

/* ---- what goes out ---- */

static struct curl_slist *
list_headers(const struct lens_http_request *r)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    for (uint32_t i = 0; i < r->header_count; i++) {
        const struct lens_pair *h =
            (const void *)((const char *)r->headers + (size_t)i * r->header_size);
        g_autofree char *line =
            g_strdup_printf("%.*s: %.*s", (int)h->name.size, h->name.data,
                            (int)h->value.size, h->value.data);

        g_strdelimit(line, "\r\n", ' ');
        list = curl_slist_append(list, line);
    }
    return list;
}

static void
set_up(struct client *c, const struct lens_http_request *r, struct curl_slist *headers)
{
    CURL *curl = c->curl;

    curl_easy_reset(curl); /* keeps connections */
    curl_easy_setopt(curl, CURLOPT_URL, r->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, r->method);
    curl_easy_setopt(curl, CURLOPT_NOBODY, g_strcmp0(r->method, "HEAD") == 0 ? 1L : 0L);
    if (r->body.size > 0 || g_strcmp0(r->method, "POST") == 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS,
                         r->body.data != NULL ? r->body.data : "");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body.size);
    }
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "lens/" LENS_VERSION);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
                     r->timeout_ns > 0 ? (long)MAX(r->timeout_ns / NS_PER_MS, 1)
                                       : (long)TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, c->why);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
}

static lens_status
refuse(struct client *c, const char *why, struct lens_http_answer *answer)
{
    g_free(c->error);
    c->error = secret_redact(why, -1);
    answer->error = c->error;
    return LENS_E_IO;
}

static lens_status
exchange(struct client *c, const struct lens_http_request *request,
         struct lens_http_answer *answer)
{
    struct curl_slist *headers;
    CURLcode code;
    long status = 0;

    if (c->curl == NULL)
        return refuse(c, "out of memory", answer);
    g_string_truncate(c->head, 0);
    g_string_truncate(c->body, 0);
    c->why[0] = '\0';
    headers = list_headers(request);
    set_up(c, request, headers);
    code = curl_easy_perform(c->curl);
    curl_slist_free_all(headers);
    if (code != CURLE_OK)
        return refuse(c, c->why[0] != '\0' ? c->why : curl_easy_strerror(code), answer);

    curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
    split_headers(c);
    answer->status = (int32_t)status;
    answer->headers = (const struct lens_pair *)(const void *)c->headers->data;
    answer->header_count = c->headers->len;
    answer->header_size = sizeof(struct lens_pair);
    answer->body = (struct lens_bytes){ c->body->str, c->body->len };
    answer->retry_after_ns = retry_after(c);
    return LENS_OK;
}

lens_status
exporter_http(const struct lens_host *host, const struct lens_http_request *request,
              struct lens_http_answer *answer)
{
    /* A plugin of another minor knows a shorter or longer answer. */
    const uint32_t size = MIN(answer->struct_size, (uint32_t)sizeof *answer);
    struct lens_http_answer full = { .struct_size = size, .retry_after_ns = -1 };
    const lens_status status = exchange(client_of(host), request, &full);

    memcpy(answer, &full, size);
    return status;
}
