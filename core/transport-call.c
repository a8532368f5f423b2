/* Blocking calls off the measurement: the preflight connection and side calls. */
#include <string.h>

#include "error.h"
#include "secret.h"
#include "transport-curl.h"

/* Of a side call: more is no list of models. */
enum { HEAD_LIMIT = 256 * 1024 };

static const char *
advice(CURLcode code, bool by_proxy)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
        return "check the name of the proxy";
    case CURLE_COULDNT_RESOLVE_HOST:
        return "check the host name, or name its address with --resolve";
    case CURLE_COULDNT_CONNECT:
        return by_proxy ? "is the proxy running there?" : "is the server running there?";
    case CURLE_OPERATION_TIMEDOUT:
        return "is the address right, or --connect-timeout too short?";
    case CURLE_PEER_FAILED_VERIFICATION:
        return "name its authority with --cacert, or skip the check with --insecure";
    case CURLE_SSL_CONNECT_ERROR:
        return "does the server speak TLS on this port?";
    default:
        return "--no-preflight starts the load all the same";
    }
}

static void
set_error(GError **error, const plan_target *target, CURLcode code, const char *words)
{
    g_autofree char *clean =
        secret_redact(words[0] != '\0' ? words : curl_easy_strerror(code), -1);

    if (strncmp(clean, "SSL", 3) == 0 && code == CURLE_OPERATION_TIMEDOUT)
        code = CURLE_SSL_CONNECT_ERROR; /* connected, then no answer to the handshake */
    g_set_error(error, LENS_ERROR, LENS_ERROR_REACH, "target %s: cannot reach %s: %s; %s",
                target->name, target->url, clean, advice(code, target->proxy != NULL));
}

bool
transport_preflight(const plan_target *target, GError **error)
{
    struct curl_slist *resolve = easy_resolve_list(target);
    CURL *easy = curl_easy_init();
    char words[CURL_ERROR_SIZE] = "";
    CURLcode code;

    easy_setup(easy, target, resolve);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, words);
    curl_easy_setopt(easy, CURLOPT_URL, target->url);
    curl_easy_setopt(easy, CURLOPT_CONNECT_ONLY, 1L);
    curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
    curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
    code = curl_easy_perform(easy);
    curl_easy_cleanup(easy);
    curl_slist_free_all(resolve);
    if (code != CURLE_OK)
        set_error(error, target, code, words);
    return code == CURLE_OK;
}

struct collected {
    GString *body;
    size_t limit, head_size;
    bool too_large;
};

static size_t
on_body(char *data, size_t one, size_t size, void *user)
{
    struct collected *c = user;

    (void)one;
    c->too_large = c->body->len + size > c->limit;
    if (c->too_large)
        return 0;
    g_string_append_len(c->body, data, (gssize)size);
    return size;
}

static size_t
on_head(char *data, size_t one, size_t size, void *user)
{
    struct collected *c = user;

    (void)data;
    (void)one;
    c->head_size += size;
    c->too_large = c->head_size > HEAD_LIMIT;
    return c->too_large ? 0 : size;
}

static void
set_call_error(GError **error, const plan_target *target, const char *url,
               const struct collected *c, CURLcode code, const char *words)
{
    if (c->too_large)
        g_set_error(error, LENS_ERROR, LENS_ERROR_REACH,
                    "target %s: the answer of %s is too large", target->name, url);
    else
        set_error(error, target, code, words);
}

bool
transport_call(const plan_target *target, const struct lens_request *request,
               size_t limit, long *ret_status, GString *body, GError **error)
{
    struct collected collected = { .body = body, .limit = limit };
    struct curl_slist *resolve = easy_resolve_list(target);
    struct curl_slist *headers = easy_header_list(request);
    CURL *easy = curl_easy_init();
    char words[CURL_ERROR_SIZE] = "";
    CURLcode code;

    easy_setup(easy, target, resolve);
    easy_request(easy, request, headers);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, words);
    curl_easy_setopt(easy, CURLOPT_URL, request->url.data);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &collected);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &collected);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, 30000L);
    code = curl_easy_perform(easy);
    if (code == CURLE_OK)
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, ret_status);
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
    curl_slist_free_all(resolve);
    if (code != CURLE_OK)
        set_call_error(error, target, request->url.data, &collected, code, words);
    return code == CURLE_OK;
}
