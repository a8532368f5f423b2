/* faulty: a provider with one fault, chosen by FAULT, that `lens plugin check` must find.
 * Its protocol is lines {"text":"..."} with {"done":true} at the end. */
#include <stdlib.h>
#include <string.h>

#include "decoder.h"
#include "emit.h"
#include <lens/plugin.h>

enum { NONE, LEAK, GROW_LEAK, SPLIT, SILENT, CRASH, HIDES, SWALLOWS, STALE };

static const struct lens_option options[] = {
    { "url", LENS_OPT_URL, 0, "http://127.0.0.1:9", NULL, NULL, NULL, "base URL" },
};
static const struct lens_api apis[] = {
    { "lines", "lines of JSON", LENS_TASK_CHAT, 0, "application/x-ndjson" },
};

static lens_status
open_provider(const struct lens_host *host, const struct lens_provider_args *args,
              void **ret_self)
{
    *ret_self = (void *)host;
    if (FAULT == GROW_LEAK && host->grow(host, NULL, 0, 100) == NULL)
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    return LENS_OK;
}

static void
close_provider(void *self)
{
    (void)self;
    /* Hidden from the compiler, which would leave it out. */
    if (FAULT == LEAK) {
        void *volatile lost = malloc(10);

        (void)lost;
    }
}

static lens_status
describe(void *self, const struct lens_ask *ask, struct lens_request *request)
{
    const struct lens_host *host = self;
    lens_status st = host->req_line(request, "POST", "http://127.0.0.1:9/lines");

    return FAULT == HIDES ? LENS_OK : st;
}

static lens_status
on_message(struct lens_decoder *d, const struct lens_frame *frame)
{
    struct lens_json_string text = { { NULL, 0 }, 0 };
    const struct lens_bytes none = { NULL, 0 };
    struct lens_bytes key;
    struct lens_json j;
    int32_t done = 0;
    lens_status st;

    lens_json_begin(&j, frame->data.data, frame->data.size);
    for (lens_json_object(&j); lens_json_member(&j, &key);) {
        if (lens_json_is(&key, "text"))
            lens_json_string(&j, &text);
        else if (lens_json_is(&key, "done"))
            lens_json_bool(&j, &done);
        else
            lens_json_skip(&j);
    }
    if (!lens_json_end(&j)) {
        if (FAULT == CRASH)
            abort();
        if (FAULT == SWALLOWS)
            return LENS_OK;
        d->over = 1;
        return lens_emit_fault(d->sink, LENS_CLASS_PROTOCOL_ERROR, LENS_KIND_PROTOCOL, -1,
                               none, none);
    }
    st = lens_emit_text(d->sink, LENS_EV_TEXT, 0, &text);
    if (st < 0)
        return st;
    return lens_decoder_message(d, frame, done ? LENS_MSG_DONE : LENS_MSG_TEXT);
}

static lens_status
stream_open(void *self, int32_t streamed, void **ret_stream)
{
    return lens_decoder_open(self, LENS_FRAME_NDJSON, streamed, on_message, ret_stream);
}

static lens_status
decode(void *stream, const void *data, size_t size, struct lens_sink *sink)
{
    /* A decoder that takes each read for whole lines. */
    if (FAULT == SPLIT && size > 0)
        ((struct lens_decoder *)stream)->framer.used = 0;
    return lens_decoder_decode(stream, data, size, sink);
}

static lens_status
finish(void *stream, struct lens_sink *sink)
{
    if (FAULT == SWALLOWS)
        return LENS_OK;
    return lens_decoder_finish(stream, sink);
}

static lens_status
reset(void *stream, int32_t streamed)
{
    return FAULT == STALE ? LENS_OK : lens_decoder_reset(stream, streamed);
}

static lens_status
classify(void *self, const struct lens_answer *answer, struct lens_sink *sink)
{
    return FAULT == SILENT ? LENS_E_FAILED : lens_emit_refusal(sink, answer);
}

static const struct lens_provider provider = {
    .struct_size = sizeof provider,
    .options = LENS_SCHEMA(options),
    .apis = apis,
    .api_count = 1,
    .api_size = sizeof apis[0],
    .open = open_provider,
    .close = close_provider,
    .describe = describe,
    .stream_open = stream_open,
    .stream_close = lens_decoder_close,
    .stream_reset = reset,
    .decode = decode,
    .finish = finish,
    .classify = classify,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD, .kind = LENS_KIND_OF_PROVIDER, .name = "faulty",
    .version = "1",   .summary = "has one fault",    .ops = &provider
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    return &plugin;
}
