/* plugin: the provider, its options and the exported symbol. */
#include <stdlib.h>
#include <strings.h>

#include "gemini.h"
#include "sdk/merge.h"
#include "sdk/request.h"

static const struct lens_option options[] = {
    { "url", LENS_OPT_URL, 0, "https://generativelanguage.googleapis.com", NULL, NULL,
      "GOOGLE_GEMINI_BASE_URL", "base URL, with or without the version" },
    { "api_key", LENS_OPT_SECRET, 0, NULL, NULL, NULL, "GOOGLE_API_KEY",
      "key, sent as x-goog-api-key" },
    { "gemini_api_key", LENS_OPT_SECRET, 0, NULL, NULL, NULL, "GEMINI_API_KEY",
      "the same, where there is no api_key" },
    { "vertex", LENS_OPT_STRING, 0, NULL, NULL, NULL, "GOOGLE_GENAI_USE_VERTEXAI",
      "true: Vertex AI; unset: Vertex AI when there is a project and no key" },
    { "project", LENS_OPT_STRING, 0, NULL, NULL, NULL, "GOOGLE_CLOUD_PROJECT",
      "project on Vertex AI" },
    { "location", LENS_OPT_STRING, 0, NULL, NULL, NULL, "GOOGLE_CLOUD_LOCATION",
      "region, us, eu or global on Vertex AI; global when unset" },
    { "api_version", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "version of the API; v1beta, or v1beta1 on Vertex AI, when unset" },
    { "credentials_file", LENS_OPT_PATH, 0, NULL, NULL, NULL, NULL,
      "service account or authorized user as JSON; otherwise Google's default "
      "credentials "
      "are looked for" },
    { "token", LENS_OPT_SECRET, 0, NULL, NULL, NULL, NULL,
      "access token, sent as Authorization: Bearer" },
    { "quota_project", LENS_OPT_STRING, 0, NULL, NULL, NULL, "GOOGLE_CLOUD_QUOTA_PROJECT",
      "project whose quota is used (x-goog-user-project)" },
    { "service_tier", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "tier that is asked for, for instance flex or priority" },
    { "thinking_budget", LENS_OPT_INT, 0, NULL, "-1..1000000", "tokens", NULL,
      "how many tokens may be thought; 0: none, -1: as the model likes" },
    { "thinking_level", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "how long a newer model may think, for instance low or high" },
    { "include_thoughts", LENS_OPT_BOOL, 0, "false", NULL, NULL, NULL,
      "asks for summaries of the thoughts" },
    { "safety_threshold", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "threshold of every category of harm, for instance BLOCK_NONE or OFF" },
    { "safety_settings", LENS_OPT_JSON, 0, NULL, NULL, NULL, NULL,
      "list of safety settings, category by category" },
    { "cached_content", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "name of cached content, for instance cachedContents/ID" },
    { "candidate_count", LENS_OPT_INT, 0, NULL, "1..8", NULL, NULL,
      "how many answers are asked for" },
    { "response_mime_type", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "form of the answer, for instance application/json" },
    { "response_schema", LENS_OPT_JSON, 0, NULL, NULL, NULL, NULL,
      "JSON schema of the answer" },
    { "response_modalities", LENS_OPT_JSON, 0, NULL, NULL, NULL, NULL,
      "list of what may come, for instance [\"TEXT\",\"IMAGE\"]" },
    { "media_resolution", LENS_OPT_STRING, 0, NULL, NULL, NULL, NULL,
      "resolution of media in the prompt, for instance MEDIA_RESOLUTION_LOW" },
    { "dimensions", LENS_OPT_INT, 0, NULL, "1..100000", NULL, NULL,
      "size of an embedding (embed)" },
};

static const struct lens_api apis[API_COUNT] = {
    { "sse", "generateContent, streamed as server-sent events", LENS_TASK_CHAT, 0,
      "text/event-stream" },
    { "array", "generateContent, streamed as one JSON array", LENS_TASK_CHAT, 0,
      "application/json" },
    { "embed", "embedContent", LENS_TASK_EMBEDDING, LENS_API_NO_STREAM,
      "application/json" },
};

static bool
is_set(const char *value)
{
    return value != NULL && value[0] != '\0';
}

/* What Google's clients take for yes. */
static bool
is_yes(const char *value)
{
    return strcasecmp(value, "true") == 0 || strcmp(value, "1") == 0 ||
           strcasecmp(value, "yes") == 0;
}

static bool
wants_vertex(const struct provider *p)
{
    const char *said = p->host->opt_string(p->host, "vertex", 0);

    if (is_set(said))
        return is_yes(said);
    return p->key == NULL && is_set(p->host->opt_string(p->host, "project", 0));
}

/* Google's default credentials go to Google only; another URL needs some that are named.
 */
static bool
settle_auth(struct provider *p)
{
    const struct lens_host *h = p->host;
    const struct lens_auth_google_options o = {
        .struct_size = sizeof o,
        .credentials_file = h->opt_string(h, "credentials_file", 0),
    };
    const char *token = h->opt_string(h, "token", 0);

    if (is_set(token)) {
        p->authorization = lens_secret_join("Bearer ", token);
        return p->authorization != NULL;
    }
    if (is_set(o.credentials_file) ||
        (p->vertex && !p->own_url &&
         (p->key == NULL || is_set(h->opt_string(h, "project", 0))))) {
        p->auth = lens_auth_google_new(h, &o);
        p->key = NULL;
        return p->auth != NULL;
    }
    return true;
}

void
gemini_close(void *self)
{
    struct provider *p = self;

    if (p == NULL)
        return;
    free(p->base);
    free(p->query);
    free(p->models);
    lens_secret_free(p->authorization);
    lens_auth_free(p->auth);
    free(p);
}

lens_status
gemini_open(const struct lens_host *h, const struct lens_provider_args *args,
            void **ret_self)
{
    struct provider *p = calloc(1, sizeof *p);

    if (p == NULL)
        return h->fail(h, LENS_E_NOMEM, "out of memory");
    p->host = h;
    p->api = (enum api)args->api;
    p->key = h->opt_string(h, "api_key", 0);
    if (!is_set(p->key))
        p->key = h->opt_string(h, "gemini_api_key", 0);
    if (!is_set(p->key))
        p->key = NULL;
    p->quota_project = h->opt_string(h, "quota_project", 0);
    p->tier = h->opt_string(h, "service_tier", 0);
    p->vertex = wants_vertex(p);
    if (!url_settle(p) || !settle_auth(p)) {
        gemini_close(p);
        return h->fail(h, LENS_E_NOMEM, "out of memory");
    }
    *ret_self = p;
    return LENS_OK;
}

static const struct lens_provider provider = {
    .struct_size = sizeof provider,
    .capabilities = LENS_CAP_USAGE | LENS_CAP_CACHED_USAGE | LENS_CAP_COUNT |
                    LENS_CAP_TOOLS | LENS_CAP_IMAGES | LENS_CAP_AUDIO |
                    LENS_CAP_SERVER_TIMES,
    .options = LENS_SCHEMA(options),
    .apis = apis,
    .api_count = API_COUNT,
    .api_size = sizeof apis[0],
    .open = gemini_open,
    .close = gemini_close,
    .describe = gemini_describe,
    .stream_open = gemini_stream_open,
    .stream_close = gemini_stream_close,
    .stream_reset = gemini_stream_reset,
    .head = gemini_head,
    .decode = lens_stream_decode,
    .finish = lens_stream_finish,
    .classify = gemini_classify,
    .call_describe = gemini_call_describe,
    .call_decode = gemini_call_decode,
    .mock = &gemini_mock,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    LENS_KIND_OF_PROVIDER,
    0,
    "gemini",
    "1.0.0",
    "Google Gemini on AI Studio and Vertex AI",
    &provider,
    NULL,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
