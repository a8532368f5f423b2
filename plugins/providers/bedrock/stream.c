/* stream: the decoder of one answer around its messages. */
#include <stdlib.h>

#include "bedrock.h"
#include "sdk/emit.h"
#include "sdk/failure.h"

static bool
is_json(struct lens_bytes json)
{
    struct lens_json j;

    lens_json_begin(&j, json.data, json.size);
    return lens_json_skip(&j) && lens_json_end(&j);
}

static bool
is_event(const struct lens_frame *f)
{
    return f->type.size == 0 || LENS_KEY(f->type, "event");
}

static lens_status
on_message(struct lens_stream *base, const struct lens_frame *f)
{
    struct stream *s = (struct stream *)base;

    if (s->ended)
        return lens_stream_warn(base, LENS_WARN_DATA_AFTER_DONE);
    if (!is_event(f)) {
        s->ended = true; /* by an exception or error */
        return error_frame(s, f);
    }
    if (LENS_KEY(f->name, "initial-response"))
        return lens_stream_message(base, LENS_MSG_OTHER, f, -1);
    return s->provider->api == API_INVOKE ? invoke_chunk(s, f)
                                          : converse_event(s, f->name, f->data, f);
}

/* The counts follow the end of the message. */
static lens_status
after_done(struct lens_stream *base, const struct lens_frame *f)
{
    struct stream *s = (struct stream *)base;

    if (!is_event(f))
        return lens_stream_warn(base, LENS_WARN_DATA_AFTER_DONE);
    return s->provider->api == API_INVOKE ? invoke_chunk(s, f)
                                          : converse_event(s, f->name, f->data, f);
}

static lens_status
on_document(struct lens_stream *base, struct lens_bytes json)
{
    struct stream *s = (struct stream *)base;
    lens_status st;

    if (!is_json(json))
        return lens_stream_broken_document(base, json);
    st = s->provider->api == API_INVOKE ? invoke_document(s, json)
                                        : converse_document(s, json);
    if (st == LENS_OK && base->streamed)
        st = lens_stream_warn(base, LENS_WARN_NOT_STREAMED);
    return st;
}

static int
is_whole(const struct lens_stream *base)
{
    const struct stream *s = (const struct stream *)base;

    return s->stopped || s->message.stopped;
}

/* Counts that were only provisional when the stream failed are told with a warning. */
static lens_status
settle(struct lens_stream *base)
{
    struct stream *s = (struct stream *)base;
    lens_status st;

    if (s->claude)
        return anthropic_settle(&s->message, base, true);
    st = counts_tell(s);
    if (st == LENS_OK && s->counted && !s->final && (base->flags & LENS_STREAM_FAILED))
        st = lens_stream_warn(base, LENS_WARN_USAGE_PARTIAL);
    return st;
}

static int64_t
number_in(const struct lens_head *h, const char *name)
{
    const struct lens_bytes value =
        lens_header(h->headers, h->header_count, h->header_size, name);
    struct lens_json j;
    int64_t number = -1;

    lens_json_begin(&j, value.data, value.size);
    if (value.size > 0)
        lens_read_tokens(&j, &number);
    return number;
}

/* An invocation without a stream has its counts here. */
static lens_status
read_counts(struct stream *s, const struct lens_head *h)
{
    const int64_t latency = number_in(h, "x-amzn-bedrock-invocation-latency");
    struct counts *c = &s->header_counts;

    c->input = number_in(h, "x-amzn-bedrock-input-token-count");
    c->output = number_in(h, "x-amzn-bedrock-output-token-count");
    c->cache_read = number_in(h, "x-amzn-bedrock-cache-read-input-token-count");
    c->cache_write = number_in(h, "x-amzn-bedrock-cache-write-input-token-count");
    return latency >= 0 ? lens_stream_extra(&s->base, "server_latency_ms", latency)
                        : LENS_OK;
}

lens_status
bedrock_head(void *stream, const struct lens_head *h, struct lens_sink *sink)
{
    struct stream *s = stream;
    lens_status st = lens_stream_head(stream, h, sink);
    struct lens_event tier = { .struct_size = sizeof tier, .kind = LENS_EV_TIER };

    if (st != LENS_OK)
        return st;
    s->base.sink = sink;
    st = read_counts(s, h);
    s->base.sink = NULL;
    tier.text = lens_header(h->headers, h->header_count, h->header_size,
                            "x-amzn-bedrock-service-tier");
    return st == LENS_OK && tier.text.size > 0 ? sink->event(sink, &tier) : st;
}

/* ---- life cycle ---- */

static const struct lens_stream_ops ops = {
    .content_type = "application/vnd.amazon.eventstream",
    .message = on_message,
    .document = on_document,
    .after_done = after_done,
    .is_whole = is_whole,
    .settle = settle,
};

enum { PLAIN_KEPT = 256 * 1024 };

static void
drop_plain(struct stream *s)
{
    if (s->plain != NULL)
        s->base.host->grow(s->base.host, s->plain, s->plain_size, 0);
    s->plain = NULL;
    s->plain_size = 0;
}

lens_status
bedrock_stream_reset(void *stream, int32_t streamed)
{
    struct stream *s = stream;

    lens_stream_start(&s->base, streamed);
    counts_clear(&s->counts);
    counts_clear(&s->header_counts);
    s->counted = s->final = s->told = s->stopped = s->claude = s->ended = false;
    s->tools = 0;
    anthropic_message_clear(&s->message);
    if (s->plain_size > PLAIN_KEPT)
        drop_plain(s);
    return LENS_OK;
}

lens_status
bedrock_stream_open(void *self, int32_t streamed, void **ret_stream)
{
    const struct provider *p = self;
    struct stream *s = calloc(1, sizeof *s);

    if (s == NULL)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    s->provider = p;
    lens_stream_init(&s->base, p->host, LENS_FRAME_EVENTSTREAM, &ops);
    bedrock_stream_reset(s, streamed);
    *ret_stream = s;
    return LENS_OK;
}

void
bedrock_stream_close(void *stream)
{
    struct stream *s = stream;

    if (s == NULL)
        return;
    drop_plain(s);
    lens_stream_clear(&s->base);
    free(s);
}
