/* What decoding one chunk of each protocol costs, JSON included: time, allocations, and
 * the mere call into the plugin. The first argument is a directory of plugins. One JSON
 * object on stdout, the kinds of chunk one by one on stderr. */
#include <stdio.h>
#include <string.h>

#include "chrono.h"
#include "host.h"

/* Every allocation of the process passes here. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
static uint64_t allocations;

void *
malloc(size_t size)
{
    allocations++;
    return __libc_malloc(size);
}

void *
calloc(size_t count, size_t size)
{
    allocations++;
    return __libc_calloc(count, size);
}

void *
realloc(void *old, size_t size)
{
    allocations++;
    return __libc_realloc(old, size);
}

struct counter {
    struct lens_sink sink; /* first: the plugin's pointer is ours */
    uint64_t events, messages;
};

static lens_status
on_event(struct lens_sink *sink, const struct lens_event *e)
{
    (void)e;
    ((struct counter *)sink)->events++;
    return LENS_OK;
}

static lens_status
on_message(struct lens_sink *sink, uint32_t classes, uint64_t start, uint64_t end,
           int64_t tokens)
{
    (void)classes;
    (void)start;
    (void)end;
    (void)tokens;
    ((struct counter *)sink)->messages++;
    return LENS_OK;
}

static lens_status
on_fault(struct lens_sink *sink, const struct lens_failure *f)
{
    (void)sink;
    g_printerr("fault: %.*s\n", (int)f->message.size, f->message.data);
    return LENS_E_FAILED;
}

struct cost {
    double ns, allocations;
};

/* Best of several rounds: the machine has other things to do. */
static struct cost
measure(const plugin *p, void *self, const char *wire, size_t size, uint32_t wants)
{
    enum { ROUNDS = 9, CHUNKS = 20000 };
    const struct lens_provider *ops = &p->ops.provider;
    struct counter c = { .sink = { .struct_size = sizeof c.sink,
                                   .wants = wants,
                                   .event = on_event,
                                   .message = on_message,
                                   .fault = on_fault } };
    struct cost best = { 1e9, 0 };

    for (int round = 0; round < ROUNDS; round++) {
        void *stream = NULL;
        uint64_t before;
        int64_t start_ns;

        ops->stream_open(self, 1, &stream);
        ops->decode(stream, wire, size, &c.sink); /* room for escapes stays */
        before = allocations;
        start_ns = chrono_now();
        for (int i = 0; i < CHUNKS; i++)
            ops->decode(stream, wire, size, &c.sink);
        best.ns = MIN(best.ns, (double)(chrono_now() - start_ns) / CHUNKS);
        best.allocations = (double)(allocations - before) / CHUNKS;
        ops->stream_close(stream);
    }
    if (size > 0 && c.messages != (uint64_t)ROUNDS * (CHUNKS + 1))
        g_printerr("%" G_GUINT64_FORMAT " messages, expected %d\n", c.messages,
                   ROUNDS * (CHUNKS + 1));
    return best;
}

static const struct {
    const char *provider;
    unsigned api;
    const char *name, *wire;
    size_t size;         /* 0: that of a text */
    const char *options; /* as in --provider; NULL: none */
} chunks[] = {
    { "openai", 0, "chat, small (140 bytes)",
      "data: "
      "{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,"
      "\"delta\":{\"content\":\" river\"},\"finish_reason\":null}]}\n\n" },
    { "openai", 0, "chat, as OpenAI (330 bytes)",
      "data: "
      "{\"id\":\"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT\",\"object\":\"chat.completion."
      "chunk\",\"created\":1741569952,\"model\":\"gpt-4.1-2025-04-14\",\"service_tier\":"
      "\"default\",\"system_fingerprint\":\"fp_44709d6fcb\",\"choices\":[{\"index\":0,"
      "\"delta\":{\"content\":\" river\"},\"logprobs\":null,\"finish_reason\":null}],"
      "\"usage\":null,\"obfuscation\":\"aZ3kQ0d8\"}\n\n" },
    { "openai", 0, "chat, as vLLM (180 bytes)",
      "data: {\"id\":\"chatcmpl-v\",\"object\":\"chat.completion.chunk\",\"created\":1,"
      "\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" river\\n\"},"
      "\"logprobs\":null,\"finish_reason\":null}]}\n\n" },
    { "anthropic", 0, "anthropic, text (140 bytes)",
      "event: content_block_delta\n"
      "data: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":"
      "\"text_delta\",\"text\":\" river\"}           }\n\n",
      0, NULL },
    { "anthropic", 0, "anthropic, tool (160 bytes)",
      "event: content_block_delta\n"
      "data: {\"type\":\"content_block_delta\",\"index\":1,\"delta\":{\"type\":"
      "\"input_json_delta\",\"partial_json\":\"{\\\"city\\\": \\\"B\"}}\n\n",
      0, NULL },
    { "gemini", 0, "gemini (297 bytes)",
      "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\" river\"}],\"role"
      "\":\"model\"},\"index\":0}],\"usageMetadata\":{\"promptTokenCount\":8,\"candi"
      "datesTokenCount\":5,\"totalTokenCount\":13,\"promptTokensDetails\":[{\"modali"
      "ty\":\"TEXT\",\"tokenCount\":8}]},\"modelVersion\":\"gemini-2.5-flash\",\"res"
      "ponseId\":\"8NQjaYT1Lo\"}\015\012\015\012",
      297 },
    { "bedrock", 0, "bedrock converse (169 bytes)",
      "\000\000\000\251\000\000\000W\355\032\346\331\013:event-type\007\000\021conte"
      "ntBlockDelta\015:content-type\007\000\020application/json\015:message-type"
      "\007\000\005event{\"contentBlockIndex\":0,\"delta\":{\"text\":\" river\"},\"p"
      "\":\"abcdefghij\"}9n\256\374",
      169 },
    { "bedrock", 1, "bedrock invoke (234 bytes)",
      "\000\000\000\352\000\000\000K\346H\230\017\013:event-type\007\000\005chunk"
      "\015:content-type\007\000\020application/json\015:message-type\007\000\005eve"
      "nt{\"bytes\":\"eyJ0eXBlIjoiY29udGVudF9ibG9ja19kZWx0YSIsImluZGV4IjowLCJkZWx0YS"
      "I6eyJ0eXBlIjoidGV4dF9kZWx0YSIsInRleHQiOiIgcml2ZXIifX0=\",\"p\":\"abcdefgh\"}H"
      "\266\177\245",
      234 },
    { "cohere", 0, "cohere (120 bytes)",
      "event: content-delta\ndata: {\"type\":\"content-delta\",\"index\":0,\"delta\":{"
      "\"message\":{\"content\":{\"text\":\" river\"}}}}\n\n",
      0, NULL },
    { "mistral", 0, "mistral, parts (270 bytes)",
      "data: {\"id\":\"m1\",\"object\":\"chat.completion.chunk\",\"created\":1741569952,"
      "\"model\":\"magistral-small-latest\",\"choices\":[{\"index\":0,\"delta\":{"
      "\"content\":[{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":"
      "\" river\"}]}]},\"finish_reason\":null}],\"p\":\"abcdefghijklmno\"}\n\n",
      0, NULL },
    { "ollama", 0, "ollama (130 bytes)",
      "{\"model\":\"llama3.2\",\"created_at\":\"2026-01-01T00:00:00.000001Z\","
      "\"message\":"
      "{\"role\":\"assistant\",\"content\":\" river\"},\"done\":false}\n",
      0, NULL },
    { "tgi", 0, "tgi (120 bytes)",
      "data:{\"index\":1,\"token\":{\"id\":9010,\"text\":\" "
      "river\",\"logprob\":-0.1015625,"
      "\"special\":false},\"generated_text\":null,\"details\":null}\n\n",
      0, NULL },
    { "http", 0, "http, eight paths (330 bytes)",
      "data: "
      "{\"id\":\"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT\",\"object\":\"chat.completion."
      "chunk\",\"created\":1741569952,\"model\":\"gpt-4.1-2025-04-14\",\"service_tier\":"
      "\"default\",\"system_fingerprint\":\"fp_44709d6fcb\",\"choices\":[{\"index\":0,"
      "\"delta\":{\"content\":\" river\"},\"logprobs\":null,\"finish_reason\":null}],"
      "\"usage\":null,\"obfuscation\":\"aZ3kQ0d8\"}\n\n",
      0,
      "url=http://127.0.0.1:1,text_path=choices[#].delta.content,"
      "reasoning_path=choices[#].delta.reasoning,finish_path=choices[#].finish_reason,"
      "model_path=model,id_path=id,input_tokens_path=usage.prompt_tokens,"
      "output_tokens_path=usage.completion_tokens,error_path=error" },
};

static instance *
open_provider(registry *plugins, const char *name, unsigned api, const char *settings,
              option_values **ret_options, GError **error)
{
    const plugin *p = registry_find(plugins, LENS_KIND_OF_PROVIDER, name, error);

    if (p == NULL)
        return NULL;
    *ret_options = option_values_new(&p->ops.provider.options, name);
    if (settings != NULL && !option_values_set_list(*ret_options, settings, error))
        return NULL;
    if (!option_values_finish(*ret_options, false, error))
        return NULL;
    return provider_open(p, api, *ret_options, 0, error);
}

/* One kind of chunk, with and without its content. */
static bool
measure_row(registry *plugins, unsigned row, struct cost *worst, GError **error)
{
    g_autoptr(option_values) options = NULL;
    g_autoptr(instance) i = open_provider(plugins, chunks[row].provider, chunks[row].api,
                                          chunks[row].options, &options, error);
    const char *wire = chunks[row].wire;
    const size_t size = chunks[row].size > 0 ? chunks[row].size : strlen(wire);
    struct cost with, without;

    if (i == NULL)
        return false;
    with = measure(i->plugin, i->self, wire, size, LENS_WANT_CONTENT);
    without = measure(i->plugin, i->self, wire, size, 0);
    g_printerr("%-28s %10.0f %10.0f\n", chunks[row].name, with.ns, without.ns);
    worst->ns = MAX(worst->ns, with.ns);
    worst->allocations = MAX(worst->allocations, with.allocations);
    return true;
}

/* The mere call into the plugin. */
static double
measure_call(registry *plugins)
{
    g_autoptr(option_values) options = NULL;
    g_autoptr(instance) i =
        open_provider(plugins, chunks[0].provider, chunks[0].api, NULL, &options, NULL);

    return measure(i->plugin, i->self, "", 0, 0).ns;
}

int
main(int argc, char **argv)
{
    const char *const dirs[] = { argc > 1 ? argv[1] : ".", NULL };
    g_autoptr(GError) error = NULL;
    registry *plugins = registry_new(dirs, false);
    struct cost chat = { 0 }, other = { 0 };

    g_printerr("%-28s %10s %10s\n", "one chunk, ns", "content", "without");
    for (unsigned k = 0; k < G_N_ELEMENTS(chunks); k++) {
        struct cost *worst = g_str_equal(chunks[k].provider, "openai") ? &chat : &other;

        if (!measure_row(plugins, k, worst, &error)) {
            g_printerr("%s\n", error->message);
            return 1;
        }
    }
    printf("{\"chunk_ns\":%.1f,\"other_ns\":%.1f,\"allocations_per_chunk\":%.4f,"
           "\"call_ns\":%.1f}\n",
           chat.ns, other.ns, MAX(chat.allocations, other.allocations),
           measure_call(plugins));
    return 0;
}
