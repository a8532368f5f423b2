/* Google's application default credentials. */
#include <stdio.h>
#include <string.h>

#include "auth-private.h"

#define CLOUD_SCOPE "https://www.googleapis.com/auth/cloud-platform"
#define TOKEN_URL "https://oauth2.googleapis.com/token"
#define GRANT_TYPE "urn:ietf:params:oauth:grant-type:jwt-bearer"

enum { STEP_FILE = 0, STEP_METADATA };

/* ---- service account ---- */

static void
add_json_string(struct lens_text *t, const char *before, const struct lens_text *value)
{
    lens_text_add(t, before);
    for (size_t i = 0; i < value->size; i++) {
        if (strchr("\"\\", value->data[i]) != NULL && value->data[i] != '\0')
            lens_text_add(t, "\\");
        lens_text_add_bytes(t, value->data + i, 1);
    }
    lens_text_add(t, "\"");
}

struct account {
    struct lens_text email, key_id, key, url;
};

static void
account_clear(struct account *account)
{
    lens_text_clear(&account->email);
    lens_text_clear(&account->key_id);
    lens_text_clear(&account->key);
    lens_text_clear(&account->url);
}

static lens_status
make_assertion(struct lens_auth *a, const struct account *account, int64_t unix_ns,
               struct lens_text *ret)
{
    const char *scope = a->options.google.scope;
    struct lens_text header = { 0 }, claims = { 0 }, scopes = { 0 };
    char times[64];
    lens_status status;

    lens_text_add(&scopes, scope == NULL ? CLOUD_SCOPE : scope);
    lens_text_add(&header, "{\"alg\":\"RS256\",\"typ\":\"JWT\"");
    if (account->key_id.size > 0)
        add_json_string(&header, ",\"kid\":\"", &account->key_id);
    lens_text_add(&header, "}");
    add_json_string(&claims, "{\"iss\":\"", &account->email);
    add_json_string(&claims, ",\"scope\":\"", &scopes);
    add_json_string(&claims, ",\"aud\":\"", &account->url);
    snprintf(times, sizeof times, ",\"iat\":%lld,\"exp\":%lld}",
             (long long)(unix_ns / 1000000000), (long long)(unix_ns / 1000000000 + 3600));
    lens_text_add(&claims, times);
    status = lens_auth_jwt_rs256(lens_text_bytes(&header), lens_text_bytes(&claims),
                                 lens_text_bytes(&account->key), ret);
    lens_text_clear(&header);
    lens_text_clear(&claims);
    lens_text_clear(&scopes);
    return status;
}

static lens_status
ask_for_account(struct lens_auth *a, const char *path, int64_t unix_ns,
                struct lens_request *request)
{
    const struct lens_bytes json = lens_text_bytes(&a->ready);
    struct account account = { 0 };
    struct lens_text assertion = { 0 }, form = { 0 };
    lens_status status;

    if (!auth_json_string(json, "token_uri", &account.url))
        lens_text_add(&account.url, TOKEN_URL);
    auth_json_string(json, "private_key_id", &account.key_id);
    if (!auth_json_string(json, "client_email", &account.email) ||
        !auth_json_string(json, "private_key", &account.key)) {
        status = auth_give_up(a, path, " has no client_email or no private_key", NULL);
    } else {
        status = make_assertion(a, &account, unix_ns, &assertion);
        if (status == LENS_E_CONFIG)
            status = auth_give_up(a, path, ": private_key is not an RSA key in PEM form",
                                  NULL);
    }
    if (status == LENS_OK) {
        lens_text_add_form(&form, "grant_type", GRANT_TYPE, strlen(GRANT_TYPE));
        lens_text_add_form(&form, "assertion", assertion.data, assertion.size);
        status = auth_post_form(a, account.url.data, &form, request);
    }
    lens_text_clear(&assertion);
    lens_text_clear(&form);
    account_clear(&account);
    return status;
}

/* ---- a user's own login ---- */

static lens_status
ask_for_user(struct lens_auth *a, const char *path, struct lens_request *request)
{
    static const char *const members[] = { "client_id", "client_secret",
                                           "refresh_token" };
    const struct lens_bytes json = lens_text_bytes(&a->ready);
    struct lens_text form = { 0 }, value = { 0 };
    lens_status status = LENS_OK;

    lens_text_add_form(&form, "grant_type", "refresh_token", 13);
    for (size_t i = 0; status == LENS_OK && i < 3; i++) {
        if (auth_json_string(json, members[i], &value))
            lens_text_add_form(&form, members[i], value.data, value.size);
        else
            status = auth_give_up(a, path, " has no ", members[i], NULL);
    }
    if (status == LENS_OK) {
        if (!auth_json_string(json, "token_uri", &value)) {
            lens_text_reset(&value);
            lens_text_add(&value, TOKEN_URL);
        }
        status = auth_post_form(a, lens_text_get(&value), &form, request);
    }
    lens_text_clear(&form);
    lens_text_clear(&value);
    return status;
}

/* ---- metadata server ---- */

static lens_status
ask_metadata(struct lens_auth *a, struct lens_request *request)
{
    const struct lens_host *host = a->host;
    const char *server =
        auth_setting(a, NULL, "GCE_METADATA_HOST", "metadata.google.internal");
    const char *scope = a->options.google.scope;
    struct lens_text url = { 0 };
    lens_status status;

    a->step = STEP_METADATA;
    scope = scope == NULL ? CLOUD_SCOPE : scope;
    lens_text_add(&url, "http://");
    lens_text_add(&url, server);
    lens_text_add(&url, "/computeMetadata/v1/instance/service-accounts/default/token"
                        "?scopes=");
    lens_text_add_percent(&url, scope, strlen(scope), "");
    status = url.failed ? LENS_E_NOMEM : host->req_line(request, "GET", url.data);
    if (status == LENS_OK)
        status = host->req_header(request, "Metadata-Flavor", "Google", 0);
    lens_text_clear(&url);
    return status;
}

/* ---- the order ---- */

/* Reads the file of credentials into `ready` and its name into `path`.
 * LENS_E_UNSUPPORTED: there is none. LENS_DONE: gave up. */
static lens_status
read_credentials(struct lens_auth *a, struct lens_text *path)
{
    const char *named = auth_setting(a, a->options.google.credentials_file,
                                     "GOOGLE_APPLICATION_CREDENTIALS", NULL);
    struct lens_bytes text;

    if (named != NULL) {
        lens_text_add(path, named);
    } else {
        lens_text_add(path, auth_setting(a, NULL, "CLOUDSDK_CONFIG", "~/.config/gcloud"));
        lens_text_add(path, "/application_default_credentials.json");
    }
    if (path->failed)
        return LENS_E_NOMEM;
    if (a->host->read_file(a->host, path->data, &text) != LENS_OK)
        return named == NULL
                   ? LENS_E_UNSUPPORTED
                   : auth_give_up(a, "cannot read the credentials file ", named, NULL);
    lens_text_add_bytes(&a->ready, text.data, text.size);
    return a->ready.failed ? LENS_E_NOMEM : LENS_OK;
}

static lens_status
ask_by_type(struct lens_auth *a, const char *path, const struct lens_call *call,
            struct lens_request *request)
{
    struct lens_text type = { 0 };
    lens_status status;

    a->step = STEP_FILE;
    if (!auth_json_string(lens_text_bytes(&a->ready), "type", &type))
        status = auth_give_up(a, path,
                              " is not a credentials file of Google: it has no "
                              "`type`",
                              NULL);
    else if (strcmp(type.data, "service_account") == 0)
        status = ask_for_account(a, path, call->unix_ns, request);
    else if (strcmp(type.data, "authorized_user") == 0)
        status = ask_for_user(a, path, request);
    else
        status = auth_give_up(a, path, ": credentials of the type ", type.data,
                              " are not supported; use a service account, or a token "
                              "from a command",
                              NULL);
    lens_text_clear(&type);
    return status;
}

static lens_status
google_describe(struct lens_auth *a, const struct lens_call *call,
                struct lens_request *request)
{
    struct lens_text path = { 0 };
    lens_status status = read_credentials(a, &path);

    if (status == LENS_OK)
        status = ask_by_type(a, path.data, call, request);
    else if (status == LENS_E_UNSUPPORTED)
        status = ask_metadata(a, request);
    lens_text_clear(&path);
    return status;
}

/* Google asks for one more try after this error. */
static int
is_internal(const struct lens_answer *answer)
{
    struct lens_text error = { 0 };
    const int internal = auth_json_string(answer->body, "error", &error) &&
                         (strcmp(error.data, "internal_failure") == 0 ||
                          strcmp(error.data, "server_error") == 0);

    lens_text_clear(&error);
    return internal || answer->status >= 500;
}

static lens_status
google_decode(struct lens_auth *a, const struct lens_answer *answer,
              struct lens_sink *sink)
{
    const int metadata = a->step == STEP_METADATA;
    struct lens_text project = { 0 };
    lens_status status;

    if (is_internal(answer) && a->tries++ == 0)
        return auth_continue(sink, "{\"again\":true}");
    if (metadata && answer->status == 0) {
        auth_give_up(a,
                     "no Google credentials found: set credentials_file or "
                     "GOOGLE_APPLICATION_CREDENTIALS, or run `gcloud auth "
                     "application-default login`; no metadata server answers here",
                     NULL);
        return auth_tell_fault(a, sink);
    }
    if (!metadata &&
        !auth_json_string(lens_text_bytes(&a->ready), "project_id", &project))
        auth_json_string(lens_text_bytes(&a->ready), "quota_project_id", &project);
    status = auth_oauth_answer(
        a, metadata ? "Google's metadata server" : "Google's token server", answer,
        lens_text_bytes(&project), sink);
    lens_text_clear(&project);
    return status;
}

struct lens_auth *
lens_auth_google_new(const struct lens_host *host,
                     const struct lens_auth_google_options *options)
{
    static const struct lens_auth_chain chain = { google_describe, google_decode };
    struct lens_auth *a = auth_new(host, &chain);

    if (a != NULL)
        a->options.google = *options;
    return a;
}
