/* What decoding one chat chunk costs, JSON included: time, allocations, and the mere call
 * into the plugin. The first argument is a directory of plugins. One JSON object on
 * stdout, the kinds of chunk one by one on stderr. */
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
measure(const plugin *p, void *self, const char *wire, uint32_t wants)
{
    enum { ROUNDS = 9, CHUNKS = 20000 };
    const struct lens_provider *ops = &p->ops.provider;
    struct counter c = { .sink = { .struct_size = sizeof c.sink,
                                   .wants = wants,
                                   .event = on_event,
                                   .message = on_message,
                                   .fault = on_fault } };
    const size_t size = strlen(wire);
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
    const char *name, *wire;
} chunks[] = {
    { "chat, small (140 bytes)",
      "data: "
      "{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"choices\":[{\"index\":0,"
      "\"delta\":{\"content\":\" river\"},\"finish_reason\":null}]}\n\n" },
    { "chat, as OpenAI (330 bytes)",
      "data: "
      "{\"id\":\"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT\",\"object\":\"chat.completion."
      "chunk\",\"created\":1741569952,\"model\":\"gpt-4.1-2025-04-14\",\"service_tier\":"
      "\"default\",\"system_fingerprint\":\"fp_44709d6fcb\",\"choices\":[{\"index\":0,"
      "\"delta\":{\"content\":\" river\"},\"logprobs\":null,\"finish_reason\":null}],"
      "\"usage\":null,\"obfuscation\":\"aZ3kQ0d8\"}\n\n" },
    { "chat, as vLLM (180 bytes)",
      "data: {\"id\":\"chatcmpl-v\",\"object\":\"chat.completion.chunk\",\"created\":1,"
      "\"model\":\"m\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" river\\n\"},"
      "\"logprobs\":null,\"finish_reason\":null}]}\n\n" },
};

static instance *
open_provider(registry *plugins, option_values **ret_options, GError **error)
{
    const plugin *p = registry_find(plugins, LENS_KIND_OF_PROVIDER, "openai", error);

    if (p == NULL)
        return NULL;
    *ret_options = option_values_new(&p->ops.provider.options, "provider openai");
    if (!option_values_finish(*ret_options, false, error))
        return NULL;
    return provider_open(p, 0, *ret_options, 0, error);
}

int
main(int argc, char **argv)
{
    const char *const dirs[] = { argc > 1 ? argv[1] : ".", NULL };
    g_autoptr(GError) error = NULL;
    registry *plugins = registry_new(dirs, false);
    g_autoptr(option_values) options = NULL;
    g_autoptr(instance) i = open_provider(plugins, &options, &error);
    struct cost worst = { 0 }, call;

    if (i == NULL) {
        g_printerr("%s\n", error->message);
        return 1;
    }
    g_printerr("%-28s %10s %10s\n", "one chunk, ns", "content", "without");
    for (unsigned k = 0; k < G_N_ELEMENTS(chunks); k++) {
        const struct cost with =
            measure(i->plugin, i->self, chunks[k].wire, LENS_WANT_CONTENT);
        const struct cost without = measure(i->plugin, i->self, chunks[k].wire, 0);

        g_printerr("%-28s %10.0f %10.0f\n", chunks[k].name, with.ns, without.ns);
        worst.ns = MAX(worst.ns, with.ns);
        worst.allocations = MAX(worst.allocations, with.allocations);
    }
    call = measure(i->plugin, i->self, "", 0);
    printf("{\"chunk_ns\":%.1f,\"allocations_per_chunk\":%.4f,\"call_ns\":%.1f}\n",
           worst.ns, worst.allocations, call.ns);
    return 0;
}
