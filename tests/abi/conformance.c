/* A plugin of each kind, as plain as can be, built from headers of several minors. What
 * is made up in 1.1 (make-minor.sh): the operation `rank` of a provider and the service
 * `hello` of the host. */
#include <stddef.h>

#include <lens/plugin.h>

static const struct lens_host *opened_with;

/* ---- provider ---- */

static const struct lens_option provider_options[] = {
    { "url", LENS_OPT_URL, 0, "http://127.0.0.1:1", NULL, NULL, NULL, "base URL" },
    { "api_key", LENS_OPT_SECRET, 0, NULL, NULL, NULL, "LENS_CONFORMANCE_KEY", "key" },
    { "limit", LENS_OPT_INT, 0, "3", "1..9", "tokens", NULL, "a number" },
};

static const struct lens_api apis[] = {
    { "chat", "the only one", LENS_TASK_CHAT, 0, "text/plain" },
};

static lens_status
provider_open(const struct lens_host *host, const struct lens_provider_args *args,
              void **ret_self)
{
    if (args->api != 0)
        return host->fail(host, LENS_E_CONFIG, "there is one api");
    opened_with = host;
    *ret_self = &opened_with;
    return LENS_OK;
}

static void
instance_close(void *self)
{
    (void)self;
}

/* Says in a header whether the newer service of the host can be called. */
static lens_status
provider_describe(void *self, const struct lens_ask *ask, struct lens_request *request)
{
    const struct lens_host *host = opened_with;
    const char *hello = "no";

    (void)self;
    (void)ask;
#if LENS_ABI_MINOR >= 1
    if (LENS_HAS(host, struct lens_host, hello) && host->hello != NULL &&
        host->hello(host) == 11)
        hello = "yes";
#endif
    host->req_line(request, "POST", host->opt_string(host, "url", 0));
    return host->req_header(request, "X-Hello", hello, 0);
}

static lens_status
stream_open(void *self, int32_t streamed, void **ret_stream)
{
    (void)streamed;
    *ret_stream = self;
    return LENS_OK;
}

static void
stream_close(void *stream)
{
    (void)stream;
}

static lens_status
stream_decode(void *stream, const void *data, size_t size, struct lens_sink *sink)
{
    (void)stream;
    (void)data;
    return size == 0 ? LENS_OK : sink->message(sink, LENS_MSG_TEXT, 0, size, -1);
}

static lens_status
stream_finish(void *stream, struct lens_sink *sink)
{
    (void)stream;
    (void)sink;
    return LENS_OK;
}

static lens_status
provider_classify(void *self, const struct lens_answer *answer, struct lens_sink *sink)
{
    struct lens_failure failure = { 0 };

    (void)self;
    (void)answer;
    failure.struct_size = (uint32_t)sizeof failure;
    failure.error_class = LENS_CLASS_HTTP_ERROR;
    failure.kind = LENS_KIND_SERVER;
    failure.retry_after_ns = -1;
    return sink->fault(sink, &failure);
}

#if LENS_ABI_MINOR >= 1
static lens_status
provider_rank(void *self)
{
    (void)self;
    return LENS_OK;
}
#endif

static const struct lens_provider provider = {
    (uint32_t)sizeof(struct lens_provider),
    0,
    LENS_CAP_USAGE,
    LENS_SCHEMA(provider_options),
    apis,
    1,
    (uint32_t)sizeof(apis[0]),
    provider_open,
    instance_close,
    provider_describe,
    stream_open,
    stream_close,
    NULL,
    NULL,
    stream_decode,
    stream_finish,
    provider_classify,
    NULL,
    NULL,
    NULL,
#if LENS_ABI_MINOR >= 1
    provider_rank,
#endif
};

/* ---- workload ---- */

static lens_status
workload_open(const struct lens_host *host, const struct lens_workload_args *args,
              void **ret_self)
{
    (void)args;
    (void)host;
    *ret_self = &opened_with;
    return LENS_OK;
}

static lens_status
workload_next(void *self, int64_t now_ns, struct lens_arrival *arrival)
{
    (void)self;
    arrival->at_ns = now_ns;
    return LENS_DONE;
}

static const struct lens_workload workload = {
    (uint32_t)sizeof(struct lens_workload),
    LENS_WORKLOAD_OPEN,
    0,
    0,
    { NULL, 0, 0 },
    workload_open,
    instance_close,
    workload_next,
    NULL,
    NULL,
};

/* ---- exporter ---- */

static lens_status
exporter_open(const struct lens_host *host, void **ret_self)
{
    (void)host;
    *ret_self = &opened_with;
    return LENS_OK;
}

static lens_status
exporter_begin(void *self, const struct lens_run *run, uint64_t resumed)
{
    (void)self;
    (void)run;
    (void)resumed;
    return LENS_OK;
}

static lens_status
exporter_end(void *self, const struct lens_summary *summary, struct lens_delivery *ret)
{
    (void)self;
    (void)summary;
    (void)ret;
    return LENS_OK;
}

static const struct lens_exporter exporter = {
    (uint32_t)sizeof(struct lens_exporter),
    LENS_EXPORT_LAST_STATE,
    { NULL, 0, 0 },
    exporter_open,
    instance_close,
    exporter_begin,
    NULL,
    NULL,
    exporter_end,
};

static const struct lens_plugin exporter_plugin = {
    LENS_PLUGIN_HEAD,
    LENS_KIND_OF_EXPORTER,
    0,
    "conformance",
    "1",
    "says nothing",
    &exporter,
    NULL,
};
static const struct lens_plugin workload_plugin = {
    LENS_PLUGIN_HEAD, LENS_KIND_OF_WORKLOAD, 0, "conformance", "1", "sends nothing",
    &workload,        &exporter_plugin,
};
static const struct lens_plugin provider_plugin = {
    LENS_PLUGIN_HEAD, LENS_KIND_OF_PROVIDER, 0, "conformance", "1", "knows nothing",
    &provider,        &workload_plugin,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &provider_plugin;
}
