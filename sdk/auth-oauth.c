/* OAuth 2.0: forms, answers, and the chain of client credentials, Entra's above all. */
#include <string.h>

#include "auth-private.h"

#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

lens_status
auth_post_form(struct lens_auth *a, const char *url, const struct lens_text *form,
               struct lens_request *request)
{
    const struct lens_host *host = a->host;
    lens_status status = form->failed ? LENS_E_NOMEM : LENS_OK;

    if (status == LENS_OK)
        status = host->req_line(request, "POST", url);
    if (status == LENS_OK)
        status = host->req_header(request, "Content-Type",
                                  "application/x-www-form-urlencoded", 0);
    if (status == LENS_OK)
        status = host->req_header(request, "Accept", "application/json", 0);
    if (status == LENS_OK)
        status = host->req_body(request, lens_text_get(form), form->size);
    return status;
}

/* The end of a token: what is left of it, counted from the answer. */
static int64_t
ends_at(const struct lens_answer *answer)
{
    int64_t seconds;

    if (auth_json_int(answer->body, "expires_in", &seconds) && seconds > 0 &&
        seconds < INT64_C(1000000000))
        return answer->unix_ns + seconds * 1000000000;
    if (auth_json_int(answer->body, "expires_on", &seconds) && seconds > 0 &&
        seconds < INT64_C(9000000000))
        return seconds * 1000000000;
    return 0;
}

lens_status
auth_oauth_answer(struct lens_auth *a, const char *who, const struct lens_answer *answer,
                  struct lens_bytes project, struct lens_sink *sink)
{
    struct lens_text token = { 0 };
    lens_status status;

    if (answer->status < 200 || answer->status > 299)
        return auth_refused(a, who, answer, sink);
    if (!auth_json_string(answer->body, "access_token", &token)) {
        auth_give_up(a, who, " answered without an access_token", NULL);
        return auth_tell_fault(a, sink);
    }
    status =
        lens_auth_emit_bearer(sink, lens_text_bytes(&token), project, ends_at(answer));
    lens_text_clear(&token);
    return status;
}

/* ---- client credentials ---- */

static const char *
client(const struct lens_auth *a)
{
    const struct lens_auth_oauth_options *o = &a->options.oauth;

    return auth_setting(a, o->client_id, o->token_url == NULL ? "AZURE_CLIENT_ID" : NULL,
                        NULL);
}

/* The secret, or the assertion of a workload's identity; 0: gave up. */
static int
add_proof(struct lens_auth *a, struct lens_text *form)
{
    const struct lens_auth_oauth_options *o = &a->options.oauth;
    const int entra = o->token_url == NULL;
    const char *secret =
        auth_setting(a, o->client_secret, entra ? "AZURE_CLIENT_SECRET" : NULL, NULL);
    const char *file =
        entra ? auth_setting(a, NULL, "AZURE_FEDERATED_TOKEN_FILE", NULL) : NULL;
    struct lens_bytes assertion;

    if (secret != NULL) {
        lens_text_add_form(form, "client_secret", secret, strlen(secret));
        return 1;
    }
    if (file == NULL) {
        auth_give_up(a, "no client secret is set",
                     entra ? ": set AZURE_CLIENT_SECRET, or AZURE_FEDERATED_TOKEN_FILE"
                           : "",
                     NULL);
        return 0;
    }
    if (a->host->read_file(a->host, file, &assertion) != LENS_OK) {
        auth_give_up(a, "cannot read ", file, ", which AZURE_FEDERATED_TOKEN_FILE names",
                     NULL);
        return 0;
    }
    assertion = auth_trim(assertion);
    lens_text_add_form(form, "client_assertion_type", ASSERTION_TYPE,
                       strlen(ASSERTION_TYPE));
    lens_text_add_form(form, "client_assertion", assertion.data, assertion.size);
    return 1;
}

/* Where the token comes from; 0: gave up. */
static int
add_url(struct lens_auth *a, struct lens_text *url)
{
    const struct lens_auth_oauth_options *o = &a->options.oauth;
    const char *tenant, *authority;

    if (o->token_url != NULL) {
        lens_text_add(url, o->token_url);
        return 1;
    }
    tenant = auth_setting(a, o->tenant, "AZURE_TENANT_ID", NULL);
    authority = auth_setting(a, NULL, "AZURE_AUTHORITY_HOST",
                             "https://login.microsoftonline.com");
    if (tenant == NULL) {
        auth_give_up(a, "no Entra tenant is set: set AZURE_TENANT_ID", NULL);
        return 0;
    }
    if (strstr(authority, "://") == NULL)
        lens_text_add(url, "https://");
    lens_text_add_bytes(url, authority,
                        strlen(authority) -
                            (authority[strlen(authority) - 1] == '/' ? 1 : 0));
    lens_text_add(url, "/");
    lens_text_add_percent(url, tenant, strlen(tenant), "");
    lens_text_add(url, "/oauth2/v2.0/token");
    return 1;
}

static lens_status
oauth_describe(struct lens_auth *a, const struct lens_call *call,
               struct lens_request *request)
{
    const struct lens_auth_oauth_options *o = &a->options.oauth;
    const char *id = client(a);
    const char *scope = o->scope != NULL || o->token_url != NULL
                            ? o->scope
                            : "https://cognitiveservices.azure.com/.default";
    struct lens_text url = { 0 }, form = { 0 };
    lens_status status = LENS_DONE;

    (void)call;
    if (id == NULL)
        return auth_give_up(a, "no client id is set",
                            o->token_url == NULL ? ": set AZURE_CLIENT_ID" : "", NULL);
    lens_text_add_form(&form, "grant_type", "client_credentials", 18);
    lens_text_add_form(&form, "client_id", id, strlen(id));
    if (scope != NULL)
        lens_text_add_form(&form, "scope", scope, strlen(scope));
    if (add_url(a, &url) && add_proof(a, &form))
        status = auth_post_form(a, lens_text_get(&url), &form, request);
    lens_text_clear(&url);
    lens_text_clear(&form);
    return status;
}

static lens_status
oauth_decode(struct lens_auth *a, const struct lens_answer *answer,
             struct lens_sink *sink)
{
    const int entra = a->options.oauth.token_url == NULL;

    return auth_oauth_answer(a, entra ? "Entra" : "the token server", answer,
                             (struct lens_bytes){ "", 0 }, sink);
}

struct lens_auth *
lens_auth_oauth_new(const struct lens_host *host,
                    const struct lens_auth_oauth_options *options)
{
    static const struct lens_auth_chain chain = { oauth_describe, oauth_decode };
    struct lens_auth *a = auth_new(host, &chain);

    if (a != NULL)
        a->options.oauth = *options;
    return a;
}
