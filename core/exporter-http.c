#include "exporter-http.h"

#include <string.h>

#include <lens/provider.h>

#include "chrono.h"
#include "exporter-http-private.h"
#include "host.h"
#include "secret.h"

#define TIMEOUT_NS (10 * NS_PER_S)
#define LOOK_MS 100 /* for the wish to stop */
/* Before 8.0.0 the second request of a clear-text HTTP/2 connection fails: curl#10634. */
#define CURL_H2C_REUSE 0x080000

static _Thread_local const atomic_bool *stop_flag;

void
exporter_http_watch(const atomic_bool *stop)
{
    stop_flag = stop;
}

void
exporter_http_free(void *data)
{
    struct http_client *c = data;

    if (c == NULL)
        return;
    curl_easy_cleanup(c->curl);
    curl_multi_cleanup(c->multi);
    g_string_free(c->head, TRUE);
    g_string_free(c->trailer, TRUE);
    g_string_free(c->body, TRUE);
    g_array_unref(c->headers);
    g_array_unref(c->trailers);
    http_gzip_free(c);
    g_free(c->error);
    g_free(c);
}

static struct http_client *
client_of(const struct lens_host *host)
{
    instance *i = (instance *)host;
    struct http_client *c = i->http;

    if (c != NULL)
        return c;
    c = g_new0(struct http_client, 1);
    c->curl = curl_easy_init();
    c->multi = curl_multi_init();
    c->head = g_string_new(NULL);
    c->trailer = g_string_new(NULL);
    c->body = g_string_new(NULL);
    c->headers = g_array_new(FALSE, FALSE, sizeof(struct lens_pair));
    c->trailers = g_array_new(FALSE, FALSE, sizeof(struct lens_pair));
    i->http = c;
    return c;
}

int64_t
exporter_http_retry_after(const instance *i)
{
    const struct http_client *c = i->http;

    return c != NULL ? c->retry_after_ns : 0;
}

bool
exporter_http_timed_out(const instance *i)
{
    const struct http_client *c = i->http;

    return c != NULL && c->timed_out;
}

/* ---- what goes out ---- */

static struct curl_slist *
list_headers(const struct lens_http_request *r)
{
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    if ((r->flags & LENS_HTTP_GZIP) != 0)
        list = curl_slist_append(list, "Content-Encoding: gzip");
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
set_body(CURL *curl, const struct lens_http_request *r, struct lens_bytes body)
{
    curl_easy_setopt(curl, CURLOPT_URL, r->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOBODY, g_strcmp0(r->method, "HEAD") == 0 ? 1L : 0L);
    if (body.size > 0 || g_strcmp0(r->method, "POST") == 0) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.data != NULL ? body.data : "");
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.size);
    }
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, r->method);
}

static void
set_version(CURL *curl, const struct lens_http_request *r)
{
    const bool clear = g_ascii_strncasecmp(r->url, "http://", 7) == 0;

    if ((r->flags & LENS_HTTP_2) == 0) {
        curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
        return;
    }
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION,
                     clear ? CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE
                           : CURL_HTTP_VERSION_2TLS);
    if (clear && curl_version_info(CURLVERSION_NOW)->version_num < CURL_H2C_REUSE) {
        curl_easy_setopt(curl, CURLOPT_FRESH_CONNECT, 1L);
        curl_easy_setopt(curl, CURLOPT_FORBID_REUSE, 1L);
    }
}

static void
set_connection(CURL *curl, const struct lens_http_request *r)
{
    if ((r->flags & LENS_HTTP_INSECURE) != 0) {
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (r->cacert != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, r->cacert);
    if (r->cert != NULL)
        curl_easy_setopt(curl, CURLOPT_SSLCERT, r->cert);
    if (r->key != NULL)
        curl_easy_setopt(curl, CURLOPT_SSLKEY, r->key);
    if (r->proxy != NULL)
        curl_easy_setopt(curl, CURLOPT_PROXY, r->proxy);
    curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    if (r->socket != NULL)
        curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, r->socket);
}

static void
set_up(struct http_client *c, const struct lens_http_request *r, struct lens_bytes body,
       struct curl_slist *headers)
{
    CURL *curl = c->curl;

    curl_easy_reset(curl); /* keeps connections */
    set_body(curl, r, body);
    set_version(curl, r);
    set_connection(curl, r);
    c->timeout_ns = r->timeout_ns > 0 ? r->timeout_ns : TIMEOUT_NS;
    c->moved = 0;
    c->moved_ns = chrono_now();
    c->timed_out = false;
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "lens/" LENS_VERSION);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)MAX(c->timeout_ns / NS_PER_MS, 1));
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, c->why);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, http_take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, http_take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, c);
}

/* ---- the exchange ---- */

static bool
is_stopped(void)
{
    return stop_flag != NULL && atomic_load(stop_flag);
}

/* The time allowed is that without progress: a slow receiver is not a dead one. */
static bool
is_stuck(struct http_client *c)
{
    curl_off_t up = 0, down = 0;
    const int64_t now = chrono_now();

    curl_easy_getinfo(c->curl, CURLINFO_SIZE_UPLOAD_T, &up);
    curl_easy_getinfo(c->curl, CURLINFO_SIZE_DOWNLOAD_T, &down);
    if (up + down != c->moved) {
        c->moved = up + down;
        c->moved_ns = now;
    }
    c->timed_out = now - c->moved_ns > c->timeout_ns;
    return c->timed_out;
}

static CURLcode
result_of(struct http_client *c)
{
    CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(c->multi, &left)) != NULL)
        if (message->msg == CURLMSG_DONE)
            return message->data.result;
    return CURLE_ABORTED_BY_CALLBACK;
}

static CURLcode
perform(struct http_client *c)
{
    CURLcode code = CURLE_ABORTED_BY_CALLBACK;
    int running = 1;

    if (curl_multi_add_handle(c->multi, c->curl) != CURLM_OK)
        return CURLE_OUT_OF_MEMORY;
    while (curl_multi_perform(c->multi, &running) == CURLM_OK && running > 0 &&
           !is_stopped() && !is_stuck(c))
        curl_multi_poll(c->multi, NULL, 0,
                        (int)CLAMP(c->timeout_ns / NS_PER_MS / 4, 1, LOOK_MS), NULL);
    if (running == 0)
        code = result_of(c);
    curl_multi_remove_handle(c->multi, c->curl);
    return code;
}

static lens_status
refuse(struct http_client *c, const char *why, uint32_t kind,
       struct lens_http_answer *answer)
{
    g_free(c->error);
    c->error = secret_redact(why, -1);
    answer->error = c->error;
    answer->error_kind = kind;
    return LENS_E_IO;
}

static lens_status
explain(struct http_client *c, CURLcode code, struct lens_http_answer *answer)
{
    g_autofree char *text = NULL;

    if (code == CURLE_OPERATION_TIMEDOUT)
        c->timed_out = true;
    if (!c->timed_out && is_stopped())
        return refuse(c, "stopped", LENS_KIND_NETWORK, answer);
    if (!c->timed_out)
        return refuse(c, c->why[0] != '\0' ? c->why : curl_easy_strerror(code),
                      http_error_kind(code), answer);
    text = g_strdup_printf("timed out: no answer for %g s", (double)c->timeout_ns / 1e9);
    return refuse(c, text, LENS_KIND_TIMEOUT, answer);
}

static lens_status
exchange(struct http_client *c, const struct lens_http_request *request,
         struct lens_http_answer *answer)
{
    struct lens_bytes body = request->body;
    struct curl_slist *headers;
    CURLcode code;

    if (c->curl == NULL || c->multi == NULL)
        return refuse(c, "out of memory", LENS_KIND_NETWORK, answer);
    if ((request->flags & LENS_HTTP_GZIP) != 0) {
        const GByteArray *packed = http_gzip(c, body);

        if (packed == NULL)
            return refuse(c, "out of memory", LENS_KIND_NETWORK, answer);
        body = (struct lens_bytes){ (const char *)packed->data, packed->len };
    }
    http_answer_begin(c);
    c->retry_after_ns = 0;
    headers = list_headers(request);
    set_up(c, request, body, headers);
    code = perform(c);
    curl_slist_free_all(headers);
    if (code != CURLE_OK)
        return explain(c, code, answer);
    c->timed_out = false;
    http_answer_fill(c, answer);
    c->retry_after_ns = MAX(answer->retry_after_ns, 0);
    return LENS_OK;
}

lens_status
exporter_http(const struct lens_host *host, const struct lens_http_request *request,
              struct lens_http_answer *answer)
{
    /* A plugin of another minor knows shorter or longer ones. */
    const uint32_t size = MIN(answer->struct_size, (uint32_t)sizeof *answer);
    struct lens_http_answer full = { .struct_size = size, .retry_after_ns = -1 };
    struct lens_http_request asked = { 0 };
    lens_status status;

    memcpy(&asked, request, MIN(request->struct_size, (uint32_t)sizeof asked));
    status = exchange(client_of(host), &asked, &full);
    memcpy(answer, &full, size);
    return status;
}
