/* plugin: the three providers, their options and the exported symbol. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "openai.h"
#include "sdk/request.h"

#define COMMON_OPTIONS                                                                \
    { "include_usage",                                                                \
      LENS_OPT_BOOL,                                                                  \
      0,                                                                              \
      "true",                                                                         \
      NULL,                                                                           \
      NULL,                                                                           \
      NULL,                                                                           \
      "asks for token counts in streams (stream_options.include_usage)" },            \
        { "max_tokens_name",                                                          \
          LENS_OPT_CHOICE,                                                            \
          0,                                                                          \
          "auto",                                                                     \
          "auto|max_tokens|max_completion_tokens|max_output_tokens",                  \
          NULL,                                                                       \
          NULL,                                                                       \
          "name of the member that limits the output; auto: what the api calls it" }, \
        { "reasoning_effort",                                                         \
          LENS_OPT_STRING,                                                            \
          0,                                                                          \
          NULL,                                                                       \
          NULL,                                                                       \
          NULL,                                                                       \
          NULL,                                                                       \
          "how long a reasoning model may think, for instance low or high" },         \
        { "service_tier",                                                             \
          LENS_OPT_STRING,                                                            \
          0,                                                                          \
          NULL,                                                                       \
          NULL,                                                                       \
          NULL,                                                                       \
          NULL,                                                                       \
          "tier that is asked for, for instance default, flex or priority" },         \
        { "encoding_format",                                                          \
          LENS_OPT_CHOICE,                                                            \
          0,                                                                          \
          "auto",                                                                     \
          "auto|float|base64",                                                        \
          NULL,                                                                       \
          NULL,                                                                       \
          "form of the numbers (embeddings); auto: base64, with compat float" },      \
        { "dimensions",                                                               \
          LENS_OPT_INT,                                                               \
          0,                                                                          \
          "0",                                                                        \
          "0..1000000",                                                               \
          NULL,                                                                       \
          NULL,                                                                       \
          "length of each vector (embeddings); 0: the model's own" },                 \
    {                                                                                 \
        "store", LENS_OPT_BOOL, 0, "false", NULL, NULL, NULL,                         \
            "lets the server keep the answer (responses)"                             \
    }

static const struct lens_option openai_options[] = {
    { "url", LENS_OPT_URL, 0, "https://api.openai.com/v1", NULL, NULL, "OPENAI_BASE_URL",
      "base URL, with or without /v1" },
    { "api_key", LENS_OPT_SECRET, 0, NULL, NULL, NULL, "OPENAI_API_KEY",
      "key, sent as Authorization: Bearer" },
    { "organization", LENS_OPT_STRING, 0, NULL, NULL, NULL, "OPENAI_ORG_ID",
      "organization that is billed (OpenAI-Organization)" },
    { "project", LENS_OPT_STRING, 0, NULL, NULL, NULL, "OPENAI_PROJECT_ID",
      "project that is billed (OpenAI-Project)" },
    { "include_obfuscation", LENS_OPT_BOOL, 0, "false", NULL, NULL, NULL,
      "lets the server pad events against traffic analysis (responses)" },
    COMMON_OPTIONS,
};

static const struct lens_option compat_options[] = {
    { "url", LENS_OPT_URL, LENS_OPT_REQUIRED, NULL, NULL, NULL, NULL,
      "base URL, with or without /v1, for instance http://127.0.0.1:8000" },
    { "api_key", LENS_OPT_SECRET, 0, NULL, NULL, NULL, NULL,
      "key, sent as Authorization: Bearer" },
    { "reasoning_outside", LENS_OPT_BOOL, 0, "false", NULL, NULL, NULL,
      "the server counts reasoning tokens outside of completion_tokens (xAI)" },
    { "echo", LENS_OPT_BOOL, 0, "false", NULL, NULL, NULL,
      "asks for the prompt in front of the answer; it is not counted as output" },
    COMMON_OPTIONS,
};

static const struct lens_option azure_options[] = {
    { "url", LENS_OPT_URL, LENS_OPT_REQUIRED, NULL, NULL, NULL, "AZURE_OPENAI_ENDPOINT",
      "endpoint of the resource, for instance https://NAME.openai.azure.com" },
    { "api_key", LENS_OPT_SECRET, 0, NULL, NULL, NULL, "AZURE_OPENAI_API_KEY",
      "key, sent as api-key" },
    { "token", LENS_OPT_SECRET, 0, NULL, NULL, NULL, "AZURE_OPENAI_AD_TOKEN",
      "Entra token, sent as Authorization: Bearer; wins over api_key" },
    { "auth", LENS_OPT_CHOICE, 0, "key", "key|entra|managed_identity|command", NULL, NULL,
      "key: api_key or token; else a token that is fetched and renewed" },
    { "token_command", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "prints a token and is run again before it ends (auth=command)" },
    { "tenant", LENS_OPT_STRING, 0, NULL, NULL, NULL, "AZURE_TENANT_ID",
      "tenant of the application (auth=entra)" },
    { "client_id", LENS_OPT_STRING, 0, NULL, NULL, NULL, "AZURE_CLIENT_ID",
      "application, or the identity that the user assigned (auth=managed_identity)" },
    { "client_secret", LENS_OPT_SECRET, 0, NULL, NULL, NULL, "AZURE_CLIENT_SECRET",
      "secret of the application (auth=entra)" },
    { "deployment", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "deployment that is asked; else the model's name" },
    { "api_version", LENS_OPT_STRING, 0, NULL, NULL, NULL, "OPENAI_API_VERSION",
      "for instance 2024-10-21; a date means the path with deployments, else v1" },
    { "include_obfuscation", LENS_OPT_BOOL, 0, "false", NULL, NULL, NULL,
      "lets the server pad events against traffic analysis (responses)" },
    COMMON_OPTIONS,
};

static const struct lens_api apis[API_COUNT] = {
    { "chat", "chat completions", LENS_TASK_CHAT, 0, "text/event-stream" },
    { "completions", "legacy text completions", LENS_TASK_COMPLETION, 0,
      "text/event-stream" },
    { "responses", "responses", LENS_TASK_CHAT, 0, "text/event-stream" },
    { "embeddings", "embeddings", LENS_TASK_EMBEDDING, LENS_API_NO_STREAM, NULL },
};

const char *const openai_routes[API_COUNT] = { "/chat/completions", "/completions",
                                               "/responses", "/embeddings" };

static size_t
without_slashes(const char *base, size_t size)
{
    while (size > 0 && base[size - 1] == '/')
        size--;
    return size;
}

/* The size of `base` without the route, where someone gave the whole URL. */
static size_t
without_route(const char *base, const char *host, size_t size)
{
    for (int i = 0; i < API_COUNT; i++) {
        const size_t route = strlen(openai_routes[i]);

        if (base + size >= host + route &&
            memcmp(base + size - route, openai_routes[i], route) == 0)
            return size - route;
    }
    return size;
}

/* "http://host:8000" gets /v1; any path is taken as it stands. A query stays behind. */
static char *
join_url(const char *base, const char *route)
{
    const char *query = base + strcspn(base, "?");
    const char *scheme = strstr(base, "://");
    const char *host = scheme != NULL ? scheme + 3 : base;
    const size_t whole = without_slashes(base, (size_t)(query - base));
    const bool bare =
        base + whole <= host || memchr(host, '/', whole - (size_t)(host - base)) == NULL;
    const size_t size = without_route(base, host, whole);
    const char *version = bare ? "/v1" : "";
    const size_t length = size + strlen(version) + strlen(route) + strlen(query) + 1;
    char *url = malloc(length);

    if (url != NULL)
        snprintf(url, length, "%.*s%s%s%s", (int)size, base, version, route, query);
    return url;
}

static const char *
limit_name(const struct provider *p, const char *chosen)
{
    if (chosen != NULL && strcmp(chosen, "auto") != 0)
        return chosen;
    if (p->api == API_RESPONSES)
        return "max_output_tokens";
    return p->api == API_CHAT && !p->compat ? "max_completion_tokens" : "max_tokens";
}

static void
provider_close(void *self)
{
    struct provider *p = self;

    if (p == NULL)
        return;
    free(p->url);
    free(p->models_url);
    lens_secret_free(p->authorization);
    azure_close(&p->azure);
    free(p);
}

static void
read_options(struct provider *p)
{
    const struct lens_host *h = p->host;
    const char *encoding = h->opt_string(h, "encoding_format", 0);

    p->encoding = strcmp(encoding, "auto") != 0 ? encoding
                  : p->compat                   ? "float"
                                                : "base64";
    p->dimensions = h->opt_int(h, "dimensions");
    p->include_usage = h->opt_int(h, "include_usage") != 0;
    p->store = h->opt_int(h, "store") != 0;
    p->tier = h->opt_string(h, "service_tier", 0);
    p->effort = h->opt_string(h, "reasoning_effort", 0);
    p->limit_name = limit_name(p, h->opt_string(h, "max_tokens_name", 0));
    if (p->compat) {
        p->reasoning_outside = h->opt_int(h, "reasoning_outside") != 0;
        p->echo = h->opt_int(h, "echo") != 0;
        return;
    }
    p->obfuscation = h->opt_int(h, "include_obfuscation") != 0;
    if (!p->is_azure) {
        p->organization = h->opt_string(h, "organization", 0);
        p->project = h->opt_string(h, "project", 0);
    }
}

/* False: out of memory. */
static bool
make_urls(struct provider *p, const char *url, const char *key)
{
    p->url = join_url(url, openai_routes[p->api]);
    p->models_url = join_url(url, "/models");
    if (key != NULL && key[0] != '\0') {
        p->authorization = lens_secret_join("Bearer ", key);
        return p->url != NULL && p->models_url != NULL && p->authorization != NULL;
    }
    return p->url != NULL && p->models_url != NULL;
}

/* `kind`: the empty provider with its dialect set. */
static lens_status
open_provider(const struct lens_host *h, const struct lens_provider_args *args,
              struct provider kind, void **ret_self)
{
    const char *url = h->opt_string(h, "url", 0);
    const char *key = h->opt_string(h, "api_key", 0);
    struct provider *p;
    lens_status st = LENS_OK;

    if (args->api >= API_COUNT)
        return h->fail(h, LENS_E_UNSUPPORTED, "no such api");
    if (url == NULL)
        return h->fail(h, LENS_E_CONFIG, "option url is missing");
    p = malloc(sizeof *p);
    if (p == NULL)
        return h->fail(h, LENS_E_NOMEM, "out of memory");
    *p = kind;
    p->host = h;
    p->api = (enum api)args->api;
    read_options(p);
    if (p->is_azure)
        st = azure_open(p, url);
    else if (!make_urls(p, url, key))
        st = h->fail(h, LENS_E_NOMEM, "out of memory");
    if (st != LENS_OK) {
        provider_close(p);
        return st;
    }
    *ret_self = p;
    return LENS_OK;
}

static lens_status
open_openai(const struct lens_host *h, const struct lens_provider_args *args,
            void **ret_self)
{
    return open_provider(h, args, (struct provider){ 0 }, ret_self);
}

static lens_status
open_azure(const struct lens_host *h, const struct lens_provider_args *args,
           void **ret_self)
{
    return open_provider(h, args, (struct provider){ .is_azure = true }, ret_self);
}

static lens_status
open_compat(const struct lens_host *h, const struct lens_provider_args *args,
            void **ret_self)
{
    return open_provider(h, args, (struct provider){ .compat = true }, ret_self);
}

#define OPERATIONS(own_options, own_open, own_mock)                                     \
    .struct_size = sizeof(struct lens_provider), .options = LENS_SCHEMA(own_options),   \
    .apis = apis, .api_count = API_COUNT, .api_size = sizeof apis[0], .open = own_open, \
    .close = provider_close, .describe = openai_describe,                               \
    .stream_open = openai_stream_open, .stream_close = openai_stream_close,             \
    .stream_reset = openai_stream_reset, .head = lens_stream_head,                      \
    .decode = lens_stream_decode, .finish = lens_stream_finish,                         \
    .classify = openai_classify, .call_describe = openai_call_describe,                 \
    .call_decode = openai_call_decode, .mock = own_mock

enum {
    COMMON_CAPABILITIES = LENS_CAP_USAGE | LENS_CAP_CACHED_USAGE | LENS_CAP_TOOLS |
                          LENS_CAP_IMAGES | LENS_CAP_SERVER_TIMES
};

static const struct lens_provider openai_provider = {
    .capabilities = COMMON_CAPABILITIES,
    OPERATIONS(openai_options, open_openai, &openai_mock),
};

static const struct lens_provider azure_provider = {
    .capabilities = COMMON_CAPABILITIES,
    OPERATIONS(azure_options, open_azure, &azure_mock),
};

static const struct lens_provider compat_provider = {
    .capabilities = COMMON_CAPABILITIES | LENS_CAP_FORCE_LENGTH,
    OPERATIONS(compat_options, open_compat, &openai_mock),
};

static const struct lens_plugin compat = {
    LENS_PLUGIN_HEAD,
    LENS_KIND_OF_PROVIDER,
    0,
    "compat",
    "1.0.0",
    "any server that speaks OpenAI's protocols: vLLM, SGLang, llama.cpp, gateways",
    &compat_provider,
    NULL,
};

static const struct lens_plugin azure = {
    LENS_PLUGIN_HEAD,
    LENS_KIND_OF_PROVIDER,
    0,
    "azure",
    "1.0.0",
    "OpenAI's models in Azure, by deployments or by v1",
    &azure_provider,
    &compat,
};

static const struct lens_plugin openai = {
    LENS_PLUGIN_HEAD, LENS_KIND_OF_PROVIDER, 0,      "openai", "1.0.0",
    "OpenAI",         &openai_provider,      &azure,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &openai;
}
