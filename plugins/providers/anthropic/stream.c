/* stream: the decoder of one answer around the events. */
#include <stdlib.h>
#include <string.h>

#include "anthropic.h"
#include "sdk/members.h"

struct stream {
    struct lens_stream base; /* first: the SDK's part */
    struct anthropic_message message;
    bool done_mark;
};

/* Gateways that come from OpenAI's protocol end this one with [DONE], too. */
static bool
is_done_mark(struct lens_bytes data)
{
    return data.size >= 6 && data.size <= 16 && memcmp(data.data, "[DONE]", 6) == 0;
}

static lens_status
on_message(struct lens_stream *base, const struct lens_frame *f)
{
    struct stream *s = (struct stream *)base;

    if (is_done_mark(f->data))
        return lens_stream_message(base, LENS_MSG_OTHER, f, -1);
    return anthropic_event(&s->message, base, f->data, f);
}

static lens_status
on_document(struct lens_stream *base, struct lens_bytes json)
{
    struct stream *s = (struct stream *)base;

    return anthropic_document(&s->message, base, json);
}

static lens_status
after_done(struct lens_stream *base, const struct lens_frame *f)
{
    struct stream *s = (struct stream *)base;

    if (is_done_mark(f->data) && !s->done_mark) {
        s->done_mark = true;
        return LENS_OK;
    }
    return lens_stream_warn(base, LENS_WARN_DATA_AFTER_DONE);
}

static int
is_whole(const struct lens_stream *base)
{
    return ((const struct stream *)base)->message.stopped;
}

static lens_status
settle(struct lens_stream *base)
{
    struct stream *s = (struct stream *)base;

    return anthropic_settle(&s->message, base, true);
}

static const struct lens_stream_ops operations = {
    .content_type = "text/event-stream",
    .message = on_message,
    .document = on_document,
    .after_done = after_done,
    .is_whole = is_whole,
    .settle = settle,
};

lens_status
anthropic_stream_open(void *self, int32_t streamed, void **ret_stream)
{
    const struct provider *p = self;
    struct stream *s = calloc(1, sizeof *s);

    if (s == NULL)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    lens_stream_init(&s->base, p->host, LENS_FRAME_SSE, &operations);
    *ret_stream = s;
    return anthropic_stream_reset(s, streamed);
}

lens_status
anthropic_stream_reset(void *stream, int32_t streamed)
{
    struct stream *s = stream;

    lens_stream_start(&s->base, streamed);
    anthropic_message_clear(&s->message);
    s->done_mark = false;
    return LENS_OK;
}

void
anthropic_stream_close(void *stream)
{
    struct stream *s = stream;

    if (s == NULL)
        return;
    lens_stream_clear(&s->base);
    free(s);
}
