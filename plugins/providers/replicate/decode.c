/* decode: the answer of the create call, then the events of the stream. */
#include <stdlib.h>
#include <string.h>

#include "replicate.h"
#include "sdk/head.h"
#include "sdk/members.h"
#include "sdk/utf8.h"

static int
is_event(const struct lens_frame *f, const char *name)
{
    return f->name.size == strlen(name) && memcmp(f->name.data, name, f->name.size) == 0;
}

static lens_status
tell_text(struct lens_stream *s, const char *text, size_t size)
{
    /* Plain text: what looks like an escape is none. */
    const struct lens_json_string plain = { { text, size }, 0 };

    return lens_stream_text(s, LENS_EV_TEXT, 0, 0, NULL, &plain);
}

/* Bytes that are no UTF-8 become U+FFFD, each an event of its own. */
static lens_status
tell_plain(struct lens_stream *s, struct lens_bytes text)
{
    const char *at = text.data, *end = at + text.size, *from = at;
    lens_status st = LENS_OK;

    while (st == LENS_OK && at < end) {
        const unsigned size = lens_utf8_length(at, end);

        at += size;
        if (size > 0)
            continue;
        st = tell_text(s, from, (size_t)(at - from));
        if (st == LENS_OK)
            st = tell_text(s, "\xef\xbf\xbd", 3);
        from = ++at;
    }
    return st == LENS_OK ? tell_text(s, from, (size_t)(at - from)) : st;
}

static lens_status
on_output(struct lens_stream *s, const struct lens_frame *f)
{
    lens_status st = LENS_OK;

    if (f->data.size == 0)
        return lens_stream_message(s, LENS_MSG_OTHER, f, -1);
    if (s->sink->wants & LENS_WANT_CONTENT)
        st = tell_plain(s, f->data);
    return st == LENS_OK ? lens_stream_message(s, LENS_MSG_TEXT, f, -1) : st;
}

/* `{}`, or with the reason why there is no more. */
static lens_status
on_done(struct lens_stream *s, const struct lens_frame *f)
{
    struct lens_json_string reason = { { "", 0 }, 0 };
    struct lens_json j;
    lens_status st = LENS_OK;

    if (lens_json_find(f->data.data, f->data.size, "reason", &j))
        lens_read_string(&j, &reason);
    if (lens_json_is(&reason.raw, "canceled"))
        st = lens_stream_fault(s, LENS_CLASS_STREAM_ERROR, LENS_KIND_CANCELLED,
                               "the prediction was canceled");
    else if (lens_json_is(&reason.raw, "error"))
        st = lens_stream_fault(s, LENS_CLASS_STREAM_ERROR, LENS_KIND_SERVER,
                               "the prediction failed");
    if (st != LENS_OK)
        return st;
    if (reason.raw.size > 0)
        st = lens_stream_text(s, LENS_EV_FINISH, 0, 0, NULL, &reason);
    return st == LENS_OK
               ? lens_stream_message(
                     s, LENS_MSG_DONE | (reason.raw.size > 0 ? LENS_MSG_FINISH : 0), f,
                     -1)
               : st;
}

static lens_status
on_error(struct lens_stream *s, const struct lens_frame *f)
{
    lens_status st = lens_stream_complain(s, f->data);

    return st == LENS_OK ? lens_stream_message(s, LENS_MSG_ERROR, f, -1) : st;
}

static lens_status
message(struct lens_stream *s, const struct lens_frame *f)
{
    if (f->flags & LENS_FRAME_BARE)
        return on_error(s, f);
    if (is_event(f, "output"))
        return on_output(s, f);
    if (is_event(f, "done"))
        return on_done(s, f);
    if (is_event(f, "error") || f->flags & LENS_FRAME_ERROR_FIELD)
        return on_error(s, f);
    return lens_stream_message(s, LENS_MSG_OTHER, f, -1);
}

const struct lens_stream_ops replicate_stream_ops = {
    .content_type = "text/event-stream",
    .message = message,
    .document = replicate_document,
};

/* ---- life cycle ---- */

lens_status
replicate_stream_reset(void *stream, int32_t streamed)
{
    struct replicate_stream *s = stream;

    lens_stream_start(&s->stream, streamed);
    lens_framer_reset(&s->creates, LENS_FRAME_ARRAY);
    s->heads = 0;
    s->creating = 0;
    return LENS_OK;
}

lens_status
replicate_stream_open(void *self, int32_t streamed, void **ret_stream)
{
    const struct replicate *p = self;
    struct replicate_stream *s = calloc(1, sizeof *s);

    if (s == NULL)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    lens_stream_init(&s->stream, p->host, LENS_FRAME_SSE, &replicate_stream_ops);
    lens_framer_init(&s->creates, p->host, LENS_FRAME_ARRAY);
    *ret_stream = s;
    return replicate_stream_reset(s, streamed);
}

void
replicate_stream_close(void *stream)
{
    struct replicate_stream *s = stream;

    if (s == NULL)
        return;
    lens_framer_clear(&s->creates);
    lens_stream_clear(&s->stream);
    free(s);
}

/* ---- the two answers ---- */

lens_status
replicate_head(void *stream, const struct lens_head *h, struct lens_sink *sink)
{
    struct replicate_stream *s = stream;

    s->creating = s->heads++ == 0 && s->stream.streamed &&
                  lens_head_is(h->content_type, "application/json");
    if (!s->creating)
        return lens_stream_head(stream, h, sink);
    return lens_head_tell(sink, h->headers, h->header_count, h->header_size,
                          &(struct lens_bytes){ 0 });
}

static lens_status
on_prediction(void *user, const struct lens_frame *f)
{
    struct replicate_stream *s = user;

    if (s->stream.flags & LENS_STREAM_MESSAGES)
        return LENS_OK;
    return replicate_created(s, f->data);
}

static lens_status
settle(struct replicate_stream *s, lens_status st)
{
    if (st >= LENS_OK || s->stream.flags & LENS_STREAM_FAILED)
        return LENS_OK;
    if (st == LENS_E_PROTOCOL)
        return lens_stream_fault(&s->stream, LENS_CLASS_PROTOCOL_ERROR,
                                 LENS_KIND_PROTOCOL, "the answer is not a prediction");
    return s->stream.host->fail(s->stream.host, st,
                                "the prediction is larger than the host allows");
}

lens_status
replicate_decode(void *stream, const void *data, size_t size, struct lens_sink *sink)
{
    struct replicate_stream *s = stream;
    lens_status st;

    if (!s->creating)
        return lens_stream_decode(stream, data, size, sink);
    s->stream.sink = sink;
    st = settle(s, lens_framer_feed(&s->creates, data, size, on_prediction, s));
    s->stream.sink = NULL;
    return st;
}

lens_status
replicate_finish(void *stream, struct lens_sink *sink)
{
    struct replicate_stream *s = stream;
    lens_status st = LENS_OK;

    if (!s->creating)
        return lens_stream_finish(stream, sink);
    /* The stream was never followed. */
    s->stream.sink = sink;
    if (!(s->stream.flags & (LENS_STREAM_DONE | LENS_STREAM_FAILED)))
        st = lens_stream_fault(&s->stream, LENS_CLASS_TRUNCATED, LENS_KIND_TRUNCATED,
                               "the answer ended before the stream began");
    s->stream.sink = NULL;
    return st;
}
