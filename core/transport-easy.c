#include "transport-curl.h"

#include <string.h>

static void
set_http_version(CURL *easy, const plan_target *target)
{
    const bool clear = target->url != NULL && g_str_has_prefix(target->url, "http://");
    long version = CURL_HTTP_VERSION_2TLS;

    if (target->http == HTTP_1_1)
        version = CURL_HTTP_VERSION_1_1;
    else if (target->http == HTTP_2)
        version = clear ? CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE : CURL_HTTP_VERSION_2TLS;
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version);
}

static void
set_tls(CURL *easy, const plan_target *target)
{
    if (target->insecure) {
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 0L);
        curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
    }
    if (target->cacert != NULL)
        curl_easy_setopt(easy, CURLOPT_CAINFO, target->cacert);
    if (target->cert != NULL)
        curl_easy_setopt(easy, CURLOPT_SSLCERT, target->cert);
    if (target->key != NULL)
        curl_easy_setopt(easy, CURLOPT_SSLKEY, target->key);
}

struct curl_slist *
easy_resolve_list(const plan_target *target)
{
    struct curl_slist *list = NULL;

    for (char **entry = target->resolve; entry != NULL && *entry != NULL; entry++)
        list = curl_slist_append(list, *entry);
    return list;
}

void
easy_setup(CURL *easy, const plan_target *target, struct curl_slist *resolve)
{
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_USERAGENT, "lens/" LENS_VERSION);
    /* Asking for identity keeps the arrival times; libcurl still decodes what comes
     * unasked. */
    curl_easy_setopt(easy, CURLOPT_ACCEPT_ENCODING, target->compressed ? "" : "identity");
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(target->connect_timeout_ns / 1000000));
    /* Messages of a stream are small; a buffer a stream is most of what a stream costs.
     */
    if (target->stream)
        curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, 1024L);
    set_http_version(easy, target);
    set_tls(easy, target);
    if (target->proxy != NULL)
        curl_easy_setopt(easy, CURLOPT_PROXY, target->proxy);
    if (target->is_mock)
        curl_easy_setopt(easy, CURLOPT_NOPROXY, "*");
    if (resolve != NULL)
        curl_easy_setopt(easy, CURLOPT_RESOLVE, resolve);
    if (target->multiplex)
        curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
}

struct curl_slist *
easy_header_list(const struct lens_request *request)
{
    /* libcurl would wait for a 100 (Continue) with bodies over 1 MB. */
    struct curl_slist *list = curl_slist_append(NULL, "Expect:");

    for (unsigned i = 0; i < request->headers->len; i++)
        list = curl_slist_append(list, request->headers->pdata[i]);
    return list;
}

void
easy_request(CURL *easy, const struct lens_request *request, struct curl_slist *headers)
{
    const char *method = request->method.data;

    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    if (strcmp(method, "GET") == 0) {
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
        return;
    }
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST,
                     strcmp(method, "POST") == 0 ? NULL : method);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS,
                     request->body.data != NULL ? request->body.data : "");
}
