/* The preflight: a connection off the measurement, blocking. */
#include <string.h>

#include "error.h"
#include "secret.h"
#include "transport-curl.h"

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
