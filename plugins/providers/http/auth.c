/* auth: who asks. What has to be fetched is fetched by the SDK's chains. */
#include <stdlib.h>
#include <string.h>

#include "http.h"
#include "sdk/request.h"
#include "sdk/turns.h"

static const char *
option(const struct http *p, const char *name)
{
    const char *value = p->host->opt_string(p->host, name, 0);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

static lens_status
refuse(const struct http *p, const char *text)
{
    return p->host->fail(p->host, LENS_E_CONFIG, text);
}

/* `text` becomes the value of the header. */
static lens_status
set_authorization(struct http *p, const char *prefix, const char *text)
{
    p->authorization = lens_secret_join(prefix, text);
    return p->authorization != NULL
               ? LENS_OK
               : p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
}

static lens_status
open_basic(struct http *p, const char *user, const char *password)
{
    struct lens_text pair = { 0 }, encoded = { 0 };
    lens_status st = LENS_E_NOMEM;

    if (user == NULL)
        return refuse(p, "option username is missing: the user of auth=basic");
    lens_text_add(&pair, user);
    lens_text_add(&pair, ":");
    lens_text_add(&pair, password);
    lens_text_add_base64(&encoded, pair.data, pair.size);
    if (!pair.failed && !encoded.failed)
        st = set_authorization(p, "Basic ", lens_text_get(&encoded));
    lens_text_clear(&pair);
    lens_text_clear(&encoded);
    return st;
}

/* What is configured directly. */
static lens_status
open_key(struct http *p, const char *key)
{
    const char *prefix = option(p, "auth_prefix");

    if (key == NULL && p->auth != AUTH_BASIC)
        return refuse(p, "option auth wants a key: name one with --api-key-env NAME or "
                         "--api-key-file FILE");
    p->auth_header = "Authorization";
    if (p->auth == AUTH_BASIC)
        return open_basic(p, option(p, "username"), key != NULL ? key : "");
    if (p->auth == AUTH_BEARER)
        return set_authorization(p, "Bearer ", key);
    p->auth_header = option(p, "auth_header");
    if (p->auth_header == NULL)
        return refuse(p, "option auth_header is missing: the header of auth=header, for "
                         "instance X-API-Key");
    return set_authorization(p, prefix != NULL ? prefix : "", key);
}

static void
open_chain(struct http *p)
{
    const struct lens_auth_aws_options aws = {
        .struct_size = (uint32_t)sizeof aws,
        .profile = option(p, "profile"),
        .credentials_file = option(p, "credentials_file"),
    };
    const struct lens_auth_google_options google = {
        .struct_size = (uint32_t)sizeof google,
        .credentials_file = option(p, "credentials_file"),
        .scope = option(p, "scope"),
    };
    const struct lens_auth_oauth_options oauth = {
        .struct_size = (uint32_t)sizeof oauth,
        .token_url = option(p, "token_url"),
        .tenant = option(p, "tenant"),
        .client_id = option(p, "client_id"),
        .client_secret = option(p, "client_secret"),
        .scope = option(p, "scope"),
    };
    const struct lens_auth_token_options token = {
        .struct_size = (uint32_t)sizeof token,
        .command = option(p, "token_command"),
        .file = option(p, "token_file"),
    };

    if (p->auth == AUTH_SIGV4)
        p->chain = lens_auth_aws_new(p->host, &aws);
    else if (p->auth == AUTH_GOOGLE)
        p->chain = lens_auth_google_new(p->host, &google);
    else if (p->auth == AUTH_ENTRA)
        p->chain = lens_auth_oauth_new(p->host, &oauth);
    else if (p->auth == AUTH_TOKEN)
        p->chain = lens_auth_token_new(p->host, &token);
    else
        p->chain = lens_auth_managed_identity_new(p->host, option(p, "scope"),
                                                  option(p, "client_id"));
}

lens_status
http_auth_open(struct http *p)
{
    static const char *const names[] = { "none",  "bearer", "header", "basic",
                                         "sigv4", "google", "entra",  "managed_identity",
                                         "token" };
    const char *chosen = option(p, "auth"), *key = option(p, "api_key");

    p->auth = key != NULL ? AUTH_BEARER : AUTH_NONE; /* auto */
    for (int i = 0; i < 9 && chosen != NULL; i++)
        if (strcmp(chosen, names[i]) == 0)
            p->auth = (enum auth)i;
    if (p->auth == AUTH_NONE)
        return LENS_OK;
    if (p->auth <= AUTH_BASIC)
        return open_key(p, key);
    p->service = option(p, "service");
    p->region = option(p, "region");
    if (p->auth == AUTH_SIGV4 && p->service == NULL)
        return refuse(p, "option service is missing: what auth=sigv4 signs for, for "
                         "instance execute-api");
    if (p->auth == AUTH_TOKEN && option(p, "token_command") == NULL &&
        option(p, "token_file") == NULL)
        return refuse(p, "option token_command or token_file is missing: where "
                         "auth=token gets its token");
    open_chain(p);
    return p->chain != NULL ? LENS_OK
                            : p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
}

/* ---- a request ---- */

/* What is sent is signed: the configured headers, and those of the ask. */
static lens_status
sign(const struct http *p, const struct lens_ask *ask, const char *url,
     struct lens_bytes body, struct lens_request *r)
{
    struct lens_pair headers[HEADERS_MAX + 32];
    struct lens_auth_sigv4 what = { .method = p->method,
                                    .url = url,
                                    .headers = headers,
                                    .body = body,
                                    .service = p->service,
                                    .unix_ns = ask->unix_ns };
    char region[64];

    if (!lens_auth_aws_read(ask->credential, &what.keys))
        return LENS_OK; /* a dry run */
    for (uint32_t i = 0; i < p->header_count; i++) {
        struct lens_pair *h = &headers[what.header_count++];

        h->name = (struct lens_bytes){ p->headers[i].name, strlen(p->headers[i].name) };
        h->value =
            (struct lens_bytes){ p->headers[i].value, strlen(p->headers[i].value) };
    }
    for (uint32_t i = 0; i < ask->header_count && i < 32; i++)
        headers[what.header_count++] = *lens_header_at(ask, i);
    what.region = p->region;
    if (p->region == NULL && what.keys.region.size > 0 &&
        what.keys.region.size < sizeof region) {
        memcpy(region, what.keys.region.data, what.keys.region.size);
        region[what.keys.region.size] = '\0';
        what.region = region;
    }
    if (what.region == NULL)
        return p->host->fail(p->host, LENS_E_FAILED,
                             "option region is missing: what auth=sigv4 signs for, for "
                             "instance us-east-1");
    return lens_auth_sign_request(p->host, &what, r);
}

lens_status
http_auth_add(const struct http *p, const struct lens_ask *ask, const char *url,
              struct lens_bytes body, struct lens_request *r)
{
    if (p->authorization != NULL)
        return p->host->req_header(r, p->auth_header, p->authorization,
                                   LENS_HEADER_SECRET);
    if (p->auth == AUTH_SIGV4)
        return sign(p, ask, url, body, r);
    if (p->chain != NULL)
        return lens_auth_bearer_add(p->host, ask->credential, r);
    return LENS_OK;
}
