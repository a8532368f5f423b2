#include "transport-curl.h"

#include <errno.h>
#include <string.h>

#include <lens/provider.h>

#include "sample.h"

struct explanation {
    CURLcode code;
    uint32_t kind, where;
};

/* Where `where` is HTTP the answer had not begun; later it is STREAM. */
static const struct explanation EXPLANATIONS[] = {
    { CURLE_COULDNT_RESOLVE_HOST, LENS_KIND_DNS, WHERE_CONNECT },
    { CURLE_COULDNT_RESOLVE_PROXY, LENS_KIND_DNS, WHERE_CONNECT },
    { CURLE_COULDNT_CONNECT, LENS_KIND_CONNECT, WHERE_CONNECT },
    { CURLE_INTERFACE_FAILED, LENS_KIND_CONNECT, WHERE_CONNECT },
    { CURLE_PROXY, LENS_KIND_CONNECT, WHERE_CONNECT },
    { CURLE_SSL_CONNECT_ERROR, LENS_KIND_TLS, WHERE_CONNECT },
    { CURLE_PEER_FAILED_VERIFICATION, LENS_KIND_TLS, WHERE_CONNECT },
    { CURLE_SSL_CERTPROBLEM, LENS_KIND_TLS, WHERE_CONNECT },
    { CURLE_SSL_CIPHER, LENS_KIND_TLS, WHERE_CONNECT },
    { CURLE_SSL_CACERT_BADFILE, LENS_KIND_TLS, WHERE_CONNECT },
    { CURLE_SSL_ISSUER_ERROR, LENS_KIND_TLS, WHERE_CONNECT },
    { CURLE_SSL_INVALIDCERTSTATUS, LENS_KIND_TLS, WHERE_CONNECT },
    { CURLE_SSL_CLIENTCERT, LENS_KIND_TLS, WHERE_CONNECT },
    { CURLE_USE_SSL_FAILED, LENS_KIND_TLS, WHERE_CONNECT },
    { CURLE_OPERATION_TIMEDOUT, LENS_KIND_TIMEOUT, WHERE_CLIENT },
    { CURLE_GOT_NOTHING, LENS_KIND_NETWORK, WHERE_HTTP },
    { CURLE_RECV_ERROR, LENS_KIND_NETWORK, WHERE_HTTP },
    { CURLE_SEND_ERROR, LENS_KIND_NETWORK, WHERE_HTTP },
    { CURLE_HTTP2_STREAM, LENS_KIND_NETWORK, WHERE_HTTP },
    { CURLE_PARTIAL_FILE, LENS_KIND_TRUNCATED, WHERE_STREAM },
    { CURLE_OUT_OF_MEMORY, LENS_KIND_TOO_LARGE, WHERE_CLIENT },
};

/* An orderly TCP end without TLS's own is still an end. */
static bool
is_plain_end(CURLcode code, const char *words)
{
    return code == CURLE_RECV_ERROR && strstr(words, "unexpected eof") != NULL;
}

/* Whether libcurl took the end of the connection for the end of what it read, where the
 * socket had told our look of an error instead. */
static bool
is_end_of_input(CURLcode code, const exchange *x)
{
    if (code == CURLE_OK)
        return !x->private->chunked && x->http_version < 20 &&
               exchange_header(x, "content-length") == NULL;
    return code == CURLE_PARTIAL_FILE || code == CURLE_GOT_NOTHING;
}

bool
transport_out_of_resources(CURLcode code, long os_error)
{
    return code == CURLE_OUT_OF_MEMORY ||
           ((code == CURLE_COULDNT_CONNECT || code == CURLE_FAILED_INIT) &&
            (os_error == EMFILE || os_error == ENFILE || os_error == EADDRNOTAVAIL ||
             os_error == ENOBUFS || os_error == ENOMEM));
}

void
transport_explain(CURLcode code, const exchange *x, struct exchange_end *ret)
{
    const struct exchange_private *private = x->private;

    *ret = (struct exchange_end){ 0 };
    if (private->broken != 0 && is_end_of_input(code, x)) {
        ret->kind = LENS_KIND_NETWORK;
        ret->where = private->head_done ? WHERE_STREAM : WHERE_HTTP;
        ret->detail = g_strerror(private->broken);
        ret->closed_early = true;
        return;
    }
    if (code == CURLE_OK)
        return;
    ret->detail = private->error[0] != '\0' ? private->error : curl_easy_strerror(code);
    ret->closed_early = true;
    if (private->abort_kind != LENS_KIND_NONE) {
        ret->kind = private->abort_kind;
        ret->where = WHERE_CLIENT;
        ret->detail = private->abort_detail;
        return;
    }
    if (is_plain_end(code, private->error)) {
        ret->kind = private->head_done ? LENS_KIND_TRUNCATED : LENS_KIND_NETWORK;
        ret->where = private->head_done ? WHERE_STREAM : WHERE_HTTP;
        return;
    }
    ret->kind = LENS_KIND_PROTOCOL;
    ret->where = WHERE_HTTP;
    for (size_t i = 0; i < G_N_ELEMENTS(EXPLANATIONS); i++) {
        if (EXPLANATIONS[i].code == code) {
            ret->kind = EXPLANATIONS[i].kind;
            ret->where = EXPLANATIONS[i].where;
        }
    }
    if (code == CURLE_RECV_ERROR && strstr(private->error, "chunked-encoding") != NULL)
        ret->kind = LENS_KIND_PROTOCOL; /* libcurl has no result of its own for it */
    if (ret->where == WHERE_HTTP && private->head_done)
        ret->where = WHERE_STREAM;
    if (ret->kind == LENS_KIND_TIMEOUT)
        ret->detail = TRANSPORT_CONNECT_TIMEOUT;
}
