/* stream: the life of a decoder; the common part is the SDK's. */
#include <stdlib.h>
#include <string.h>

#include "openai.h"

static int
is_whole(const struct lens_stream *base)
{
    const struct stream *s = (const struct stream *)base;

    return s->provider->api != API_RESPONSES && decode_all_finished(s);
}

static lens_status
settle(struct lens_stream *base)
{
    return decode_settle_usage((struct stream *)base);
}

static const struct lens_stream_ops operations = {
    .content_type = "text/event-stream",
    .message = decode_message,
    .document = decode_document,
    .after_done = decode_after_done,
    .is_whole = is_whole,
    .settle = settle,
};

static void
start(struct stream *s)
{
    s->usage_said = s->usage_final = s->usage_told = s->done_mark = false;
    s->next_tool = 0;
    s->lanes = s->finished = s->echoed = 0;
    s->items_with_text = s->items_with_tool = s->items_named = 0;
    s->counted_output = -1;
    s->cost = -1;
    memset(s->calls, 0, sizeof s->calls);
    s->tier[0] = '\0';
    usage_clear(&s->usage);
}

lens_status
openai_stream_open(void *self, int32_t streamed, void **ret_stream)
{
    struct provider *p = self;
    struct stream *s = calloc(1, sizeof *s);

    if (s == NULL)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    s->provider = p;
    lens_stream_init(&s->base, p->host, LENS_FRAME_SSE, &operations);
    lens_stream_start(&s->base, streamed);
    start(s);
    *ret_stream = s;
    return LENS_OK;
}

lens_status
openai_stream_reset(void *stream, int32_t streamed)
{
    struct stream *s = stream;

    lens_stream_start(&s->base, streamed);
    start(s);
    return LENS_OK;
}

void
openai_stream_close(void *stream)
{
    struct stream *s = stream;

    if (s == NULL)
        return;
    lens_stream_clear(&s->base);
    free(s);
}
