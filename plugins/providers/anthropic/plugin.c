/* plugin: options, life cycle and the exported symbol. */
#include <stdlib.h>
#include <string.h>

#include "anthropic.h"
#include "sdk/auth.h"
#include "sdk/request.h"
#include "sdk/text.h"

#define DEFAULT_URL "https://api.anthropic.com"

static const struct lens_option options[] = {
    { "url", LENS_OPT_URL, 0, DEFAULT_URL, NULL, NULL, "ANTHROPIC_BASE_URL",
      "base URL, with or without /v1" },
    { "api_key", LENS_OPT_SECRET, 0, NULL, NULL, NULL, "ANTHROPIC_API_KEY",
      "key, sent as x-api-key; see auth" },
    { "auth_token", LENS_OPT_SECRET, 0, NULL, NULL, NULL, "ANTHROPIC_AUTH_TOKEN",
      "token of Anthropic or a gateway, sent as Authorization: Bearer" },
    { "token", LENS_OPT_SECRET, 0, NULL, NULL, NULL, NULL,
      "access token of the platform (vertex, foundry), sent as Authorization: Bearer" },
    { "auth", LENS_OPT_CHOICE, 0, "x-api-key", "x-api-key|bearer|entra", NULL, NULL,
      "header that carries api_key; entra: a token that is fetched (foundry)" },
    { "version", LENS_OPT_STRING, 0, "2023-06-01", NULL, NULL, NULL,
      "version of the protocol (anthropic-version)" },
    { "beta", LENS_OPT_STRING, LENS_OPT_REPEATABLE, NULL, NULL, NULL, NULL,
      "beta feature that is asked for (anthropic-beta)" },
    { "thinking", LENS_OPT_CHOICE, 0, NULL, "enabled|adaptive|disabled", NULL, NULL,
      "whether the model thinks first; enabled needs thinking_budget" },
    { "thinking_budget", LENS_OPT_INT, 0, "0", "0..1000000", "tokens", NULL,
      "most tokens of thinking, at least 1024; 0: not said" },
    { "thinking_display", LENS_OPT_CHOICE, 0, NULL, "summarized|omitted", NULL, NULL,
      "what is shown of the thinking; omitted: its time looks like TTFT" },
    { "effort", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "effort of the model, for instance low or high (output_config.effort)" },
    { "service_tier", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "tier that is asked for: auto or standard_only" },
    { "inference_geo", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "where the model may run, for instance us" },
    { "speed", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "mode of inference, for instance fast (beta)" },
    { "cache", LENS_OPT_CHOICE, LENS_OPT_REPEATABLE, NULL, "auto|tools|system|prompt",
      NULL, NULL, "where prompts get a breakpoint of the cache (cache_control)" },
    { "cache_ttl", LENS_OPT_CHOICE, 0, "5m", "5m|1h", NULL, NULL,
      "how long such a prefix is kept" },
    { "platform", LENS_OPT_CHOICE, 0, "anthropic", "anthropic|vertex|foundry", NULL, NULL,
      "whose door: vertex needs project and location, foundry its url" },
    { "project", LENS_OPT_STRING, 0, NULL, NULL, NULL, "ANTHROPIC_VERTEX_PROJECT_ID",
      "project of Google Cloud (vertex)" },
    { "location", LENS_OPT_STRING, 0, NULL, NULL, NULL, "CLOUD_ML_REGION",
      "region of Google Cloud, or global (vertex)" },
    { "credentials_file", LENS_OPT_PATH, 0, NULL, NULL, NULL, NULL,
      "key file of Google (vertex); else as Google's libraries find it" },
};

static const struct lens_api apis[] = {
    { "messages", "messages", LENS_TASK_CHAT, 0, "text/event-stream" },
};

static void
anthropic_close(void *self)
{
    struct provider *p = self;

    if (p == NULL)
        return;
    free(p->base);
    free(p->query);
    free(p->betas);
    lens_secret_free(p->authorization);
    lens_auth_free(p->auth);
    free(p);
}

/* False: out of memory. */
static bool
join_betas(struct provider *p)
{
    const int32_t count = p->host->opt_count(p->host, "beta");
    struct lens_text t = { 0 };

    for (int32_t i = 0; i < count; i++) {
        lens_text_add(&t, i > 0 ? "," : "");
        lens_text_add(&t, p->host->opt_string(p->host, "beta", (uint32_t)i));
    }
    if (count > 0 && !t.failed)
        p->betas = strdup(lens_text_get(&t));
    lens_text_clear(&t);
    return count <= 0 || p->betas != NULL;
}

static void
read_cache(struct provider *p)
{
    static const char *const names[] = { "auto", "tools", "system", "prompt" };
    const int32_t count = p->host->opt_count(p->host, "cache");

    for (int32_t i = 0; i < count; i++) {
        const char *name = p->host->opt_string(p->host, "cache", (uint32_t)i);

        for (uint32_t k = 0; k < 4; k++)
            if (strcmp(name, names[k]) == 0)
                p->cache |= UINT32_C(1) << k;
    }
    p->cache_1h = strcmp(p->host->opt_string(p->host, "cache_ttl", 0), "1h") == 0;
}

static const char *
given(const char *text)
{
    return text != NULL && text[0] != '\0' ? text : NULL;
}

static void
read_options(struct provider *p)
{
    const struct lens_host *h = p->host;
    const char *platform = h->opt_string(h, "platform", 0);

    p->platform = strcmp(platform, "vertex") == 0    ? PLATFORM_VERTEX
                  : strcmp(platform, "foundry") == 0 ? PLATFORM_FOUNDRY
                                                     : PLATFORM_ANTHROPIC;
    p->api_key = given(h->opt_string(h, "api_key", 0));
    p->version = given(h->opt_string(h, "version", 0));
    p->thinking = h->opt_string(h, "thinking", 0);
    p->budget = h->opt_int(h, "thinking_budget");
    p->display = h->opt_string(h, "thinking_display", 0);
    p->effort = given(h->opt_string(h, "effort", 0));
    p->tier = given(h->opt_string(h, "service_tier", 0));
    p->geo = given(h->opt_string(h, "inference_geo", 0));
    p->speed = given(h->opt_string(h, "speed", 0));
    if (p->thinking == NULL && p->budget > 0)
        p->thinking = "enabled";
    read_cache(p);
}

static lens_status
check_options(const struct provider *p)
{
    const struct lens_host *h = p->host;
    const char *url = h->opt_string(h, "url", 0);

    if (url == NULL)
        return h->fail(h, LENS_E_CONFIG, "option url is missing");
    if (p->thinking != NULL && strcmp(p->thinking, "enabled") == 0 && p->budget < 1024)
        return h->fail(h, LENS_E_CONFIG,
                       "thinking=enabled needs thinking_budget of at least 1024 tokens");
    if (p->platform == PLATFORM_FOUNDRY && strcmp(url, DEFAULT_URL) == 0)
        return h->fail(h, LENS_E_CONFIG,
                       "platform=foundry needs its url, for instance "
                       "https://RESOURCE.services.ai.azure.com/anthropic");
    if (p->platform == PLATFORM_VERTEX &&
        (given(h->opt_string(h, "project", 0)) == NULL ||
         given(h->opt_string(h, "location", 0)) == NULL))
        return h->fail(h, LENS_E_CONFIG,
                       "platform=vertex needs project and location, for instance "
                       "location=us-east5");
    return LENS_OK;
}

static bool
has_own_url(const struct lens_host *h)
{
    return strcmp(h->opt_string(h, "url", 0), DEFAULT_URL) != 0;
}

/* False: out of memory. */
static bool
make_base(struct provider *p)
{
    const struct lens_host *h = p->host;
    char *base = url_base(h->opt_string(h, "url", 0), &p->query);

    if (p->platform == PLATFORM_VERTEX && base != NULL) {
        p->base = url_vertex(has_own_url(h) ? base : NULL, h->opt_string(h, "project", 0),
                             h->opt_string(h, "location", 0));
        free(base);
    } else {
        p->base = base;
    }
    return p->base != NULL && p->query != NULL;
}

/* Where no key is given, clouds have tokens that are fetched. False: out of memory. */
static bool
make_auth(struct provider *p)
{
    const struct lens_host *h = p->host;
    const char *way = h->opt_string(h, "auth", 0);
    const char *token = given(
        h->opt_string(h, p->platform == PLATFORM_ANTHROPIC ? "auth_token" : "token", 0));
    const struct lens_auth_google_options google = {
        .struct_size = sizeof google,
        .credentials_file = h->opt_string(h, "credentials_file", 0),
    };
    const struct lens_auth_oauth_options entra = { .struct_size = sizeof entra };

    if (token == NULL && strcmp(way, "bearer") == 0) {
        token = p->api_key;
        p->api_key = NULL;
    }
    if (token != NULL) {
        p->authorization = lens_secret_join("Bearer ", token);
        return p->authorization != NULL;
    }
    /* A URL of the user's own gets Google's token only when that is asked for. */
    if (p->platform == PLATFORM_VERTEX &&
        (!has_own_url(h) || google.credentials_file != NULL))
        p->auth = lens_auth_google_new(h, &google);
    else if (p->platform == PLATFORM_FOUNDRY && strcmp(way, "entra") == 0)
        p->auth = lens_auth_oauth_new(h, &entra);
    else
        return true;
    return p->auth != NULL;
}

static lens_status
anthropic_open(const struct lens_host *h, const struct lens_provider_args *args,
               void **ret_self)
{
    struct provider *p;
    lens_status st;

    if (args->api >= sizeof apis / sizeof apis[0])
        return h->fail(h, LENS_E_UNSUPPORTED, "no such api");
    p = calloc(1, sizeof *p);
    if (p == NULL)
        return h->fail(h, LENS_E_NOMEM, "out of memory");
    p->host = h;
    read_options(p);
    st = check_options(p);
    if (st == LENS_OK && (!join_betas(p) || !make_base(p) || !make_auth(p)))
        st = h->fail(h, LENS_E_NOMEM, "out of memory");
    if (st != LENS_OK) {
        anthropic_close(p);
        return st;
    }
    *ret_self = p;
    return LENS_OK;
}

static const struct lens_provider provider = {
    .struct_size = sizeof provider,
    .capabilities = LENS_CAP_USAGE | LENS_CAP_CACHED_USAGE | LENS_CAP_COUNT |
                    LENS_CAP_TOOLS | LENS_CAP_IMAGES | LENS_CAP_SERVER_TIMES,
    .options = LENS_SCHEMA(options),
    .apis = apis,
    .api_count = sizeof apis / sizeof apis[0],
    .api_size = sizeof apis[0],
    .open = anthropic_open,
    .close = anthropic_close,
    .describe = anthropic_describe,
    .stream_open = anthropic_stream_open,
    .stream_close = anthropic_stream_close,
    .stream_reset = anthropic_stream_reset,
    .head = lens_stream_head,
    .decode = lens_stream_decode,
    .finish = lens_stream_finish,
    .classify = anthropic_classify,
    .call_describe = anthropic_call_describe,
    .call_decode = anthropic_call_decode,
    .mock = &anthropic_mock,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    LENS_KIND_OF_PROVIDER,
    0,
    "anthropic",
    "1.0.0",
    "Anthropic's Messages API, there and on Vertex AI and Foundry",
    &provider,
    NULL,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
