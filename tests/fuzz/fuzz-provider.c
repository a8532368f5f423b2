/* The decoder of a real provider: whatever the body, every way of cutting it gives the
 * same events, and every claim of an event is sound (harness-sink.c). The first byte
 * chooses plugin, api, and how the answer is announced. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eventstream.h"
#include "harness.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
expect(const struct lens_harness *h, int ok, const char *what)
{
    if (ok && h->problem[0] == '\0')
        return;
    fprintf(stderr, "%s: %s\n", what, h->problem);
    abort();
}

static void
decode(const struct lens_plugin *plugin, uint32_t api,
       const struct lens_harness_answer *answer)
{
    const struct lens_provider *p = plugin->ops;
    const struct lens_provider_args args = { (uint32_t)sizeof args, api };
    static struct lens_setting settings[64];
    static uint32_t count;
    struct lens_harness h;
    void *self = NULL;
    char *whole;

    if (count == 0)
        count = lens_harness_fill(&p->options, ".", settings, 0, 64);
    lens_harness_init(&h, &p->options, settings, count);
    lens_harness_forget(&h);
    expect(&h, p->open(&h.host, &args, &self) == LENS_OK, "open");
    expect(&h, lens_harness_decode(&h, p, self, answer, answer->size, 0, 1), "one read");
    whole = strdup(h.events.data);
    for (size_t step = 1; step <= 3; step += 2) {
        expect(&h, lens_harness_decode(&h, p, self, answer, 0, step, 1), "small reads");
        if (strcmp(whole, h.events.data) != 0) {
            fprintf(stderr, "one read:\n%s\nreads of %zu bytes:\n%s\n", whole, step,
                    h.events.data);
            abort();
        }
    }
    free(whole);
    p->close(self);
    expect(&h, h.grown == 0, "close");
    lens_harness_clear(&h);
}

/* Lines become the payloads of frames, whose checksums no fuzzer would hit upon. */
static void
frame(const uint8_t *data, size_t size, struct lens_text *ret)
{
    static const char *const events[] = {
        "chunk",       "messageStart", "contentBlockStart",   "contentBlockDelta",
        "messageStop", "metadata",     "throttlingException", ""
    };

    while (size > 0) {
        const uint8_t *end = memchr(data, '\n', size);
        const size_t line = end != NULL ? (size_t)(end - data) : size;
        const char *name = events[data[0] & 7];
        const int fails = (data[0] & 7) == 6;
        const struct lens_frame_string headers[] = {
            { fails ? ":exception-type" : ":event-type", name },
            { ":message-type", fails ? "exception" : "event" },
        };

        lens_write_frame(
            ret, headers, 2,
            (struct lens_bytes){ (const char *)data + 1, line - (line > 0) });
        data += line;
        size -= line;
        if (size > 0)
            data++, size--;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const types[] = { "text/event-stream", "application/json", "",
                                         "text/html" };
    const struct lens_plugin *plugin = lens_plugin_entry(LENS_ABI);
    const struct lens_provider *p = plugin->ops;
    struct lens_harness_answer answer = { .status = 200 };
    struct lens_text frames = { 0 };
    uint32_t api;

    if (size == 0)
        return 0;
    api = (data[0] & 3) % p->api_count;
    answer.body = data + 1;
    answer.size = size - 1;
    answer.content_type = types[data[0] >> 2 & 3];
    answer.streamed = data[0] >> 4 & 1;
    if (data[0] >> 5 & 1)
        answer.content_type = p->apis[api].content_type;
    if (data[0] >> 6 & 1) {
        frame(data + 1, size - 1, &frames);
        answer.body = (const uint8_t *)frames.data;
        answer.size = frames.size;
    }
    decode(plugin, api, &answer);
    lens_text_clear(&frames);
    return 0;
}
