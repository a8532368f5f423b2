/* plugin: the provider, its options and the exported symbol. */
#include <stdlib.h>

#include "bedrock.h"
#include "sdk/request.h"

#define DEFAULT_URL "https://bedrock-runtime.us-east-1.amazonaws.com"

static const struct lens_option options[] = {
    { "url", LENS_OPT_URL, 0, DEFAULT_URL, NULL, NULL, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
      "base URL; that of the region when it is left alone" },
    { "region", LENS_OPT_STRING, 0, NULL, NULL, NULL, "AWS_REGION",
      "region; the profile's, else us-east-1, when unset" },
    { "api_key", LENS_OPT_SECRET, 0, NULL, NULL, NULL, NULL,
      "Bedrock API key, sent as Authorization: Bearer in place of a signature" },
    { "bearer_token", LENS_OPT_SECRET, 0, NULL, NULL, NULL, "AWS_BEARER_TOKEN_BEDROCK",
      "the same, where there is no api_key" },
    { "access_key_id", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "id of the key that signs; with secret_access_key" },
    { "secret_access_key", LENS_OPT_SECRET, 0, NULL, NULL, NULL, NULL,
      "key that signs; without it AWS's chain of credentials is gone through" },
    { "session_token", LENS_OPT_SECRET, 0, NULL, NULL, NULL, NULL,
      "session token of temporary keys" },
    { "profile", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "profile of ~/.aws/credentials and ~/.aws/config" },
    { "credentials_file", LENS_OPT_PATH, 0, NULL, NULL, NULL, NULL,
      "in place of ~/.aws/credentials" },
    { "credential_process", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "command that prints credentials as AWS's credential_process does" },
    { "family", LENS_OPT_CHOICE, 0, "auto",
      "auto|anthropic|nova|llama|titan|mistral|cohere|openai|chat", NULL, NULL,
      "whose form an invocation has; auto: by the model's id" },
    { "cache_in_input", LENS_OPT_CHOICE, 0, "auto", "auto|yes|no", NULL, NULL,
      "whether inputTokens holds cached tokens; auto: with OpenAI's models only" },
    { "service_tier", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "tier that is asked for: default, flex, priority or reserved" },
    { "performance", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "latency that is asked for: standard or optimized" },
    { "cache_points", LENS_OPT_STRING, LENS_OPT_REPEATABLE, NULL, NULL, NULL, NULL,
      "where breakpoints of the prompt cache go: system, tools, prompt" },
    { "cache_ttl", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "how long the cache lives: 5m or 1h" },
    { "thinking_budget", LENS_OPT_INT, 0, NULL, "1024..1000000", "tokens", NULL,
      "how many tokens Claude may think" },
    { "reasoning_effort", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "how long a reasoning model may think, for instance low or high" },
    { "guardrail_id", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "guardrail that is applied" },
    { "guardrail_version", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "its version, for instance DRAFT" },
    { "additional_fields", LENS_OPT_JSON, 0, NULL, NULL, NULL, NULL,
      "additionalModelRequestFields (converse)" },
};

static const struct lens_api apis[API_COUNT] = {
    { "converse", "Converse and ConverseStream", LENS_TASK_CHAT, 0,
      "application/vnd.amazon.eventstream" },
    { "invoke", "InvokeModel and InvokeModelWithResponseStream", LENS_TASK_CHAT, 0,
      "application/vnd.amazon.eventstream" },
};

static const char *
option(const struct provider *p, const char *name)
{
    const char *value = p->host->opt_string(p->host, name, 0);

    return value != NULL ? value : "";
}

/* Empty stays NULL: the chain asks for that. */
static const char *
option_or_null(const struct provider *p, const char *name)
{
    const char *value = option(p, name);

    return value[0] != '\0' ? value : NULL;
}

static bool
is_loopback(const char *url)
{
    const char *host = strstr(url, "://");

    host = host != NULL ? host + 3 : url;
    return strncmp(host, "127.", 4) == 0 || strncmp(host, "localhost", 9) == 0 ||
           strncmp(host, "[::1]", 5) == 0;
}

/* The region in https://bedrock-runtime.eu-west-1.amazonaws.com. */
static void
read_region(struct provider *p, const char *url)
{
    const char *end = strstr(url, ".amazonaws.com");
    const char *dot = end != NULL ? memrchr(url, '.', (size_t)(end - url)) : NULL;
    size_t size;

    if (dot == NULL)
        return;
    size = (size_t)(end - dot) - 1;
    if (size >= sizeof p->url_region)
        return;
    memcpy(p->url_region, dot + 1, size);
    p->url_region[size] = '\0';
}

static bool
settle_url(struct provider *p)
{
    const char *url = option(p, "url");
    size_t size = strcspn(url, "?");

    while (size > 0 && url[size - 1] == '/')
        size--;
    p->own_url = size != strlen(DEFAULT_URL) || memcmp(url, DEFAULT_URL, size) != 0;
    if (!p->own_url)
        return true;
    p->loopback = is_loopback(url);
    read_region(p, url);
    p->base = strndup(url, size);
    return p->base != NULL;
}

static struct lens_bytes
option_bytes(const struct provider *p, const char *name)
{
    return (struct lens_bytes){ option(p, name), strlen(option(p, name)) };
}

static bool
settle_auth(struct provider *p)
{
    const char *key = option(p, "api_key");
    const struct lens_auth_aws_options o = {
        .struct_size = sizeof o,
        .profile = option_or_null(p, "profile"),
        .credentials_file = option_or_null(p, "credentials_file"),
        .process = option_or_null(p, "credential_process"),
    };

    if (key[0] == '\0')
        key = option(p, "bearer_token");
    if (key[0] != '\0') {
        p->authorization = lens_secret_join("Bearer ", key);
        return p->authorization != NULL;
    }
    if (option(p, "secret_access_key")[0] != '\0') {
        p->keys.key_id = option_bytes(p, "access_key_id");
        p->keys.secret = option_bytes(p, "secret_access_key");
        p->keys.session_token = option_bytes(p, "session_token");
        return true;
    }
    p->auth = lens_auth_aws_new(p->host, &o);
    return p->auth != NULL;
}

/* False: a word that is none of those. */
static bool
settle_cache(struct provider *p)
{
    const char *inside = option(p, "cache_in_input");
    const int32_t count = p->host->opt_count(p->host, "cache_points");

    p->cache_inside_known = inside[0] != '\0' && strcmp(inside, "auto") != 0;
    p->cache_inside = strcmp(inside, "yes") == 0;
    for (int32_t i = 0; i < count; i++) {
        const char *place = p->host->opt_string(p->host, "cache_points", (uint32_t)i);

        if (strcmp(place, "system") == 0)
            p->cache |= CACHE_SYSTEM;
        else if (strcmp(place, "tools") == 0)
            p->cache |= CACHE_TOOLS;
        else if (strcmp(place, "prompt") == 0)
            p->cache |= CACHE_PROMPT;
        else
            return false;
    }
    return true;
}

static void
bedrock_close(void *self)
{
    struct provider *p = self;

    if (p == NULL)
        return;
    free(p->base);
    lens_secret_free(p->authorization);
    lens_auth_free(p->auth);
    free(p);
}

static lens_status
bedrock_open(const struct lens_host *h, const struct lens_provider_args *args,
             void **ret_self)
{
    struct provider *p = calloc(1, sizeof *p);

    if (p == NULL)
        return h->fail(h, LENS_E_NOMEM, "out of memory");
    p->host = h;
    p->api = (enum api)args->api;
    p->family = p->last_family = family_of_name(option(p, "family"));
    if (!settle_cache(p)) {
        bedrock_close(p);
        return h->fail(h, LENS_E_CONFIG,
                       "cache_points: expected system, tools or prompt, or several "
                       "joined by +");
    }
    if (option(p, "secret_access_key")[0] != '\0' &&
        option(p, "access_key_id")[0] == '\0') {
        bedrock_close(p);
        return h->fail(h, LENS_E_CONFIG, "secret_access_key needs an access_key_id, too");
    }
    if (!settle_url(p) || !settle_auth(p)) {
        bedrock_close(p);
        return h->fail(h, LENS_E_NOMEM, "out of memory");
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
    .api_count = API_COUNT,
    .api_size = sizeof apis[0],
    .open = bedrock_open,
    .close = bedrock_close,
    .describe = bedrock_describe,
    .stream_open = bedrock_stream_open,
    .stream_close = bedrock_stream_close,
    .stream_reset = bedrock_stream_reset,
    .head = bedrock_head,
    .decode = lens_stream_decode,
    .finish = lens_stream_finish,
    .classify = bedrock_classify,
    .call_describe = bedrock_call_describe,
    .call_decode = bedrock_call_decode,
    .mock = &bedrock_mock,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    LENS_KIND_OF_PROVIDER,
    0,
    "bedrock",
    "1.0.0",
    "AWS Bedrock: Converse and InvokeModel",
    &provider,
    NULL,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
