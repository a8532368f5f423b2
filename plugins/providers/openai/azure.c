/* azure: the same protocols behind Azure's doors: where they lie and who may enter. */
#include <stdlib.h>
#include <string.h>

#include "openai.h"
#include "sdk/auth.h"
#include "sdk/request.h"
#include "sdk/text.h"

static const char *
given(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

/* ---- the URL ---- */

static size_t
without(const char *text, size_t size, const char *end)
{
    const size_t length = strlen(end);

    while (size > 0 && text[size - 1] == '/')
        size--;
    return size >= length && memcmp(text + size - length, end, length) == 0
               ? size - length
               : size;
}

/* What stands behind "/openai/deployments/", if that is there. */
static const char *
deployment_in(const char *url, size_t size)
{
    static const char mark[] = "/openai/deployments/";
    const char *found = memmem(url, size, mark, sizeof mark - 1);

    return found != NULL ? found + sizeof mark - 1 : NULL;
}

/* Any URL that the portal shows becomes the resource's endpoint. False: out of memory. */
static bool
take_url(struct azure *a, const char *url)
{
    size_t size = strcspn(url, "?");
    const char *named = deployment_in(url, size);

    a->query = strdup(url + size);
    if (named != NULL) {
        const char *end = memchr(named, '/', (size_t)(url + size - named));

        a->of_url = strndup(named, (size_t)((end != NULL ? end : url + size) - named));
        if (a->of_url == NULL)
            return false;
        size = (size_t)(named - url) - strlen("/openai/deployments/");
    }
    for (int i = 0; i < API_COUNT; i++)
        size = without(url, size, openai_routes[i]);
    size = without(url, size, "/openai/v1");
    size = without(url, size, "/openai");
    a->endpoint = strndup(url, size);
    return a->endpoint != NULL && a->query != NULL;
}

/* A date is a version of the classic interface; v1 knows "preview" at most. */
static bool
is_classic(const struct azure *a)
{
    if (a->of_url != NULL)
        return true;
    if (a->api_version != NULL)
        return a->api_version[0] >= '0' && a->api_version[0] <= '9';
    return strstr(a->query, "api-version=2") != NULL;
}

/* `?api-version=V` in front of what the URL had. */
static void
add_query(const struct azure *a, struct lens_text *t)
{
    const char *rest = a->query;

    if (a->api_version != NULL && strstr(a->query, "api-version=") == NULL) {
        lens_text_add(t, "?api-version=");
        lens_text_add_percent(t, a->api_version, strlen(a->api_version), "");
        if (rest[0] == '?') {
            lens_text_add(t, "&");
            rest++;
        }
    }
    lens_text_add(t, rest);
}

/* Responses and the list of models are no matter of one deployment. */
static bool
needs_deployment(enum api api)
{
    return api == API_CHAT || api == API_COMPLETIONS || api == API_EMBEDDINGS;
}

char *
azure_url(const struct provider *p, enum api api, struct lens_bytes model)
{
    const struct azure *a = &p->azure;
    struct lens_bytes name = model;
    struct lens_text t = { 0 };
    char *url;

    if (a->deployment != NULL)
        name = (struct lens_bytes){ a->deployment, strlen(a->deployment) };
    lens_text_add(&t, a->endpoint);
    lens_text_add(&t, a->classic ? "/openai" : "/openai/v1");
    if (a->classic && needs_deployment(api)) {
        lens_text_add(&t, "/deployments/");
        lens_text_add_percent(&t, name.data, name.size, "");
    }
    lens_text_add(&t, api < API_COUNT ? openai_routes[api] : "/models");
    add_query(a, &t);
    url = t.failed ? NULL : strdup(lens_text_get(&t));
    lens_text_clear(&t);
    return url;
}

/* ---- who may enter ---- */

static struct lens_auth *
entra(const struct lens_host *h)
{
    const struct lens_auth_oauth_options o = {
        .struct_size = sizeof o,
        .tenant = given(h->opt_string(h, "tenant", 0)),
        .client_id = given(h->opt_string(h, "client_id", 0)),
        .client_secret = given(h->opt_string(h, "client_secret", 0)),
    };

    return lens_auth_oauth_new(h, &o);
}

static struct lens_auth *
by_command(const struct lens_host *h)
{
    const struct lens_auth_token_options o = {
        .struct_size = sizeof o,
        .command = given(h->opt_string(h, "token_command", 0)),
    };

    return lens_auth_token_new(h, &o);
}

static lens_status
take_auth(struct provider *p)
{
    const struct lens_host *h = p->host;
    const char *way = h->opt_string(h, "auth", 0);
    const char *token = given(h->opt_string(h, "token", 0));
    const bool fetched = strcmp(way, "key") != 0;

    if (strcmp(way, "command") == 0 &&
        given(h->opt_string(h, "token_command", 0)) == NULL)
        return h->fail(
            h, LENS_E_CONFIG,
            "auth=command needs token_command, for instance \"az account "
            "get-access-token --resource https://cognitiveservices.azure.com\"");
    if (strcmp(way, "entra") == 0)
        p->azure.auth = entra(h);
    else if (strcmp(way, "managed_identity") == 0)
        p->azure.auth = lens_auth_managed_identity_new(
            h, NULL, given(h->opt_string(h, "client_id", 0)));
    else if (strcmp(way, "command") == 0)
        p->azure.auth = by_command(h);
    else if (token != NULL)
        p->authorization = lens_secret_join("Bearer ", token);
    else
        p->azure.api_key = given(h->opt_string(h, "api_key", 0));
    if ((fetched && p->azure.auth == NULL) ||
        (!fetched && token != NULL && p->authorization == NULL))
        return h->fail(h, LENS_E_NOMEM, "out of memory");
    return LENS_OK;
}

lens_status
azure_open(struct provider *p, const char *url)
{
    const struct lens_host *h = p->host;
    struct azure *a = &p->azure;

    if (!take_url(a, url))
        return h->fail(h, LENS_E_NOMEM, "out of memory");
    a->api_version = given(h->opt_string(h, "api_version", 0));
    a->deployment = given(h->opt_string(h, "deployment", 0));
    if (a->deployment == NULL)
        a->deployment = a->of_url;
    a->classic = is_classic(a);
    if (a->classic && a->api_version == NULL && strstr(a->query, "api-version=") == NULL)
        return h->fail(h, LENS_E_CONFIG,
                       "a URL with a deployment needs api_version, for instance "
                       "api_version=2024-10-21");
    return take_auth(p);
}

void
azure_close(struct azure *a)
{
    free(a->endpoint);
    free(a->query);
    free(a->of_url);
    lens_auth_free(a->auth);
}
