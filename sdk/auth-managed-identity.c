/* Azure's managed identity: of a service (IDENTITY_ENDPOINT) or of a machine. */
#include <string.h>

#include "auth-private.h"

static void
add_query(struct lens_text *url, const char *name, const char *value)
{
    lens_text_add(url, strchr(lens_text_get(url), '?') == NULL ? "?" : "&");
    lens_text_add(url, name);
    lens_text_add(url, "=");
    lens_text_add_percent(url, value, strlen(value), "");
}

static lens_status
identity_describe(struct lens_auth *a, const struct lens_call *call,
                  struct lens_request *request)
{
    const struct lens_host *host = a->host;
    const char *endpoint = auth_setting(a, NULL, "IDENTITY_ENDPOINT", NULL);
    const char *proof = auth_setting(a, NULL, "IDENTITY_HEADER", NULL);
    const char *id =
        auth_setting(a, a->options.identity.client_id, "AZURE_CLIENT_ID", NULL);
    const int service = endpoint != NULL && proof != NULL;
    struct lens_text url = { 0 };
    lens_status status;

    (void)call;
    lens_text_add(&url, service
                            ? endpoint
                            : "http://169.254.169.254/metadata/identity/oauth2/token");
    add_query(&url, "api-version", service ? "2019-08-01" : "2018-02-01");
    add_query(&url, "resource", a->options.identity.resource);
    if (id != NULL)
        add_query(&url, "client_id", id);
    status = url.failed ? LENS_E_NOMEM : host->req_line(request, "GET", url.data);
    if (status == LENS_OK)
        status = service ? host->req_header(request, "X-IDENTITY-HEADER", proof,
                                            LENS_HEADER_SECRET)
                         : host->req_header(request, "Metadata", "true", 0);
    lens_text_clear(&url);
    return status;
}

static lens_status
identity_decode(struct lens_auth *a, const struct lens_answer *answer,
                struct lens_sink *sink)
{
    return auth_oauth_answer(a, "the endpoint of the managed identity", answer,
                             (struct lens_bytes){ "", 0 }, sink);
}

struct lens_auth *
lens_auth_managed_identity_new(const struct lens_host *host, const char *resource,
                               const char *client_id)
{
    static const struct lens_auth_chain chain = { identity_describe, identity_decode };
    struct lens_auth *a = auth_new(host, &chain);

    if (a != NULL) {
        a->options.identity.resource =
            resource != NULL ? resource : "https://cognitiveservices.azure.com";
        a->options.identity.client_id = client_id;
    }
    return a;
}
