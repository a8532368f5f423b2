#include "transport-ask.h"

#include <string.h>

#include "chrono.h"
#include "error.h"
#include "secret.h"
#include "transport-curl.h"

enum { HEAD_LIMIT = 256 * 1024, ANSWER_MS = 30000 };
static const int64_t CONNECT_NS = 5 * NS_PER_S;

/* ---- the reply ---- */

void
transport_reply_init(struct transport_reply *r)
{
    r->status = 0;
    r->body = g_string_new(NULL);
    r->head = g_string_new(NULL);
    r->headers = g_array_new(FALSE, FALSE, sizeof(struct lens_pair));
}

static void
wipe(GString *text)
{
    explicit_bzero(text->str, text->allocated_len);
    g_string_free(text, TRUE);
}

void
transport_reply_clear(struct transport_reply *r)
{
    wipe(r->body);
    wipe(r->head);
    g_array_unref(r->headers);
}

/* The head is whole now, so pointers into it hold. */
static void
find_headers(struct transport_reply *r)
{
    const char *line = r->head->str;

    for (const char *end; (end = strstr(line, "\r\n")) != NULL; line = end + 2) {
        const char *colon = memchr(line, ':', (size_t)(end - line));
        struct lens_pair pair;

        if (colon == NULL)
            continue;
        pair.name = (struct lens_bytes){ line, (size_t)(colon - line) };
        for (colon++; colon < end && (*colon == ' ' || *colon == '\t'); colon++)
            ;
        pair.value = (struct lens_bytes){ colon, (size_t)(end - colon) };
        g_array_append_val(r->headers, pair);
    }
}

struct collected {
    struct transport_reply *reply;
    size_t limit;
    bool too_large;
};

static size_t
on_body(char *data, size_t one, size_t size, void *user)
{
    struct collected *c = user;

    (void)one;
    c->too_large = c->reply->body->len + size > c->limit;
    if (c->too_large)
        return 0;
    g_string_append_len(c->reply->body, data, (gssize)size);
    return size;
}

static size_t
on_head(char *data, size_t one, size_t size, void *user)
{
    struct collected *c = user;

    (void)one;
    if (size > 5 && memcmp(data, "HTTP/", 5) == 0)
        g_string_truncate(c->reply->head, 0); /* an interim answer came before */
    c->too_large = c->reply->head->len + size > HEAD_LIMIT;
    if (c->too_large)
        return 0;
    g_string_append_len(c->reply->head, data, (gssize)size);
    return size;
}

/* ---- the exchange ---- */

/* An address, or a port that is the scheme's own, is written in more than one way; then
 * they count as different, which is the safe side. */
bool
transport_same_origin(const char *a, const char *b)
{
    g_autoptr(GUri) left = a == NULL ? NULL : g_uri_parse(a, G_URI_FLAGS_NONE, NULL);
    g_autoptr(GUri) right = b == NULL ? NULL : g_uri_parse(b, G_URI_FLAGS_NONE, NULL);
    const bool tls = left != NULL && strcmp(g_uri_get_scheme(left), "https") == 0;
    const int usual = tls ? 443 : 80;

    return left != NULL && right != NULL && g_uri_get_host(left) != NULL &&
           g_uri_get_host(right) != NULL &&
           strcmp(g_uri_get_scheme(left), g_uri_get_scheme(right)) == 0 &&
           g_ascii_strcasecmp(g_uri_get_host(left), g_uri_get_host(right)) == 0 &&
           (g_uri_get_port(left) < 0 ? usual : g_uri_get_port(left)) ==
               (g_uri_get_port(right) < 0 ? usual : g_uri_get_port(right));
}

/* Metadata services: no proxy could reach them, and none should see what they say. */
static bool
is_link_local(const char *url)
{
    static const char *const begins[] = { "http://169.254.", "http://[fd00:ec2::",
                                          "http://metadata.google.internal" };

    for (unsigned i = 0; i < G_N_ELEMENTS(begins); i++)
        if (g_ascii_strncasecmp(url, begins[i], strlen(begins[i])) == 0)
            return true;
    return false;
}

/* A shallow copy with what differs off the measurement. */
static plan_target
settings_for(const plan_target *target, const char *url)
{
    plan_target t = *target;

    t.stream = false;
    t.connect_timeout_ns =
        t.connect_timeout_ns > 0 ? MIN(t.connect_timeout_ns, CONNECT_NS) : CONNECT_NS;
    if (!transport_same_origin(target->url, url)) {
        t.cert = t.key = NULL;
        t.http = HTTP_AUTO;
        t.is_mock = false;
    }
    t.url = (char *)url;
    return t;
}

bool
transport_ask(const plan_target *target, const struct lens_request *request, size_t limit,
              struct transport_reply *ret, GError **error)
{
    const plan_target settings = settings_for(target, request->url.data);
    struct collected collected = { .reply = ret, .limit = limit };
    struct curl_slist *resolve = easy_resolve_list(&settings);
    struct curl_slist *headers = easy_header_list(request);
    CURL *easy = curl_easy_init();
    char words[CURL_ERROR_SIZE] = "";
    CURLcode code;

    easy_setup(easy, &settings, resolve);
    easy_request(easy, request, headers);
    if (is_link_local(request->url.data))
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, words);
    curl_easy_setopt(easy, CURLOPT_URL, request->url.data);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &collected);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &collected);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)ANSWER_MS);
    code = curl_easy_perform(easy);
    if (code == CURLE_OK) {
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &ret->status);
        find_headers(ret);
    } else {
        g_autofree char *clean =
            secret_redact(words[0] != '\0' ? words : curl_easy_strerror(code), -1);
        g_autofree char *url = secret_redact(request->url.data, -1);

        g_set_error(error, LENS_ERROR, LENS_ERROR_REACH, "cannot reach %s: %s", url,
                    collected.too_large ? "the answer is too large" : clean);
    }
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    curl_slist_free_all(resolve);
    return code == CURLE_OK;
}
