/* AWS Signature Version 4: the string to sign and the headers. What is canonical of a
 * request stands in auth-sigv4-canonical.c. */
#include <string.h>
#include <strings.h>
#include <time.h>

#include "auth-sigv4.h"

/* A default port is not part of the Host header. */
static void
drop_port(struct lens_bytes *host, const char *port)
{
    const size_t size = strlen(port);

    if (host->size > size && memcmp(host->data + host->size - size, port, size) == 0)
        host->size -= size;
}

/* Takes the URL apart; a fragment is not sent. */
int
sigv4_split(const char *url, struct sigv4_url *ret)
{
    const char *host = strstr(url, "://");
    const char *end = strchr(url, '#');
    struct sigv4_url u = { 0 };
    const char *path, *query;

    if (host == NULL ||
        (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0))
        return 0;
    host += 3;
    end = end == NULL ? url + strlen(url) : end;
    path = host + strcspn(host, "/?#");
    query = memchr(path, '?', (size_t)(end - path));
    for (const char *at = host; at < path; at++) /* user info is not sent as a host */
        if (*at == '@')
            host = at + 1;
    u.host = (struct lens_bytes){ host, (size_t)(path - host) };
    u.path = (struct lens_bytes){ path, (size_t)((query == NULL ? end : query) - path) };
    if (query != NULL)
        u.query = (struct lens_bytes){ query + 1, (size_t)(end - query - 1) };
    drop_port(&u.host, strncasecmp(url, "https", 5) == 0 ? ":443" : ":80");
    *ret = u;
    return 1;
}

/* "20150830T123600Z". */
void
sigv4_date(int64_t unix_ns, char ret[17])
{
    const time_t seconds = (time_t)(unix_ns / 1000000000);
    struct tm utc;

    gmtime_r(&seconds, &utc);
    strftime(ret, 17, "%Y%m%dT%H%M%SZ", &utc);
}

static void
signing_key(const struct lens_auth_sigv4 *what, const char *date, unsigned char key[32])
{
    struct lens_text first = { 0 };

    lens_text_add(&first, "AWS4");
    lens_text_add_bytes(&first, what->keys.secret.data, what->keys.secret.size);
    lens_auth_hmac_sha256(first.data, first.size, date, 8, key);
    lens_auth_hmac_sha256(key, 32, what->region, strlen(what->region), key);
    lens_auth_hmac_sha256(key, 32, what->service, strlen(what->service), key);
    lens_auth_hmac_sha256(key, 32, "aws4_request", 12, key);
    lens_text_clear(&first);
}

/* The value of Authorization. */
static void
authorization(const struct lens_auth_sigv4 *what, const char *date,
              const struct lens_text *canonical, const char *signed_headers,
              struct lens_text *ret)
{
    static const char digits[] = "0123456789abcdef";
    struct lens_text scope = { 0 }, to_sign = { 0 };
    unsigned char key[32], signature[32];
    char hash[65];

    lens_text_add_bytes(&scope, date, 8);
    lens_text_add(&scope, "/");
    lens_text_add(&scope, what->region);
    lens_text_add(&scope, "/");
    lens_text_add(&scope, what->service);
    lens_text_add(&scope, "/aws4_request");
    lens_auth_sha256_hex(canonical->data, canonical->size, hash);
    lens_text_add(&to_sign, "AWS4-HMAC-SHA256\n");
    lens_text_add(&to_sign, date);
    lens_text_add(&to_sign, "\n");
    lens_text_add(&to_sign, lens_text_get(&scope));
    lens_text_add(&to_sign, "\n");
    lens_text_add(&to_sign, hash);
    signing_key(what, date, key);
    lens_auth_hmac_sha256(key, sizeof key, to_sign.data, to_sign.size, signature);
    explicit_bzero(key, sizeof key);

    lens_text_add(ret, "AWS4-HMAC-SHA256 Credential=");
    lens_text_add_bytes(ret, what->keys.key_id.data, what->keys.key_id.size);
    lens_text_add(ret, "/");
    lens_text_add(ret, lens_text_get(&scope));
    lens_text_add(ret, ", SignedHeaders=");
    lens_text_add(ret, signed_headers);
    lens_text_add(ret, ", Signature=");
    for (size_t i = 0; i < sizeof signature; i++) {
        lens_text_add_bytes(ret, &digits[signature[i] >> 4], 1);
        lens_text_add_bytes(ret, &digits[signature[i] & 15], 1);
    }
    ret->failed |= scope.failed | to_sign.failed;
    lens_text_clear(&scope);
    lens_text_clear(&to_sign);
}

/* Adds the headers of a signature that was worked out. */
static lens_status
add_headers(const struct sigv4_parts *parts, const struct lens_auth_sigv4 *what,
            const struct lens_text *value,
            lens_status (*add)(void *to, const char *name, const char *value,
                               uint32_t flags),
            void *to)
{
    lens_status status = LENS_OK;

    if (!parts->date_given)
        status = add(to, "x-amz-date", parts->date, 0);
    if (status == LENS_OK && parts->add_hash)
        status = add(to, "x-amz-content-sha256", parts->hash, 0);
    if (status == LENS_OK && parts->add_token) {
        struct lens_text token = { 0 };

        lens_text_add_bytes(&token, what->keys.session_token.data,
                            what->keys.session_token.size);
        status = token.failed ? LENS_E_NOMEM
                              : add(to, "x-amz-security-token", lens_text_get(&token),
                                    LENS_HEADER_SECRET);
        lens_text_clear(&token);
    }
    /* Of no use to who sees it: it is bound to this request and these minutes. */
    if (status == LENS_OK)
        status = add(to, "authorization", lens_text_get(value), 0);
    return status;
}

lens_status
lens_auth_sigv4(const struct lens_auth_sigv4 *what,
                lens_status (*add)(void *to, const char *name, const char *value,
                                   uint32_t flags),
                void *to)
{
    struct sigv4_parts parts = { 0 };
    struct lens_text value = { 0 };
    lens_status status = sigv4_parts_make(&parts, what);

    if (status == LENS_OK) {
        authorization(what, parts.date, &parts.canonical,
                      lens_text_get(&parts.signed_headers), &value);
        status = value.failed ? LENS_E_NOMEM : add_headers(&parts, what, &value, add, to);
    }
    sigv4_parts_clear(&parts);
    lens_text_clear(&value);
    return status;
}

lens_status
lens_auth_sigv4_canonical(const struct lens_auth_sigv4 *what, struct lens_text *ret)
{
    struct sigv4_parts parts = { 0 };
    const lens_status status = sigv4_parts_make(&parts, what);

    if (status == LENS_OK)
        lens_text_add_bytes(ret, parts.canonical.data, parts.canonical.size);
    sigv4_parts_clear(&parts);
    return status == LENS_OK && ret->failed ? LENS_E_NOMEM : status;
}

struct described {
    const struct lens_host *host;
    struct lens_request *request;
};

static lens_status
add_to_request(void *to, const char *name, const char *value, uint32_t flags)
{
    const struct described *d = to;

    return d->host->req_header(d->request, name, value, flags);
}

lens_status
lens_auth_sign_request(const struct lens_host *host, const struct lens_auth_sigv4 *what,
                       struct lens_request *request)
{
    struct described d = { host, request };

    return lens_auth_sigv4(what, add_to_request, &d);
}
