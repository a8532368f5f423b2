#include "decoder.h"

#include <stdlib.h>

#include "emit.h"

static void
begin(struct lens_decoder *d, int32_t streamed)
{
    d->streamed = streamed;
    d->over = 0;
    lens_framer_reset(&d->framer, streamed || d->framing == LENS_FRAME_NDJSON
                                      ? d->framing
                                      : LENS_FRAME_WHOLE);
}

lens_status
lens_decoder_open(const struct lens_host *host, enum lens_framing framing,
                  int32_t streamed, lens_decoder_fn on_message, void **ret_stream)
{
    struct lens_decoder *d = calloc(1, sizeof *d);

    if (d == NULL)
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    d->host = host;
    d->framing = framing;
    d->on_message = on_message;
    lens_framer_init(&d->framer, host, framing);
    begin(d, streamed);
    *ret_stream = d;
    return LENS_OK;
}

void
lens_decoder_close(void *stream)
{
    struct lens_decoder *d = stream;

    lens_framer_clear(&d->framer);
    free(d);
}

lens_status
lens_decoder_reset(void *stream, int32_t streamed)
{
    begin(stream, streamed);
    return LENS_OK;
}

static lens_status
on_frame(void *user, const struct lens_frame *frame)
{
    struct lens_decoder *d = user;

    return d->over ? LENS_OK : d->on_message(d, frame);
}

static lens_status
tell_fault(struct lens_decoder *d, uint32_t error_class, uint32_t kind)
{
    const struct lens_bytes none = { NULL, 0 };

    d->over = 1;
    return lens_emit_fault(d->sink, error_class, kind, -1, none, none);
}

/* Limits and broken frames are faults of the answer; the rest is the host's failure. */
static lens_status
settle(struct lens_decoder *d, lens_status st)
{
    if (st >= 0 || d->over)
        return st >= 0 ? LENS_OK : d->host->fail(d->host, st, "decoding was broken off");
    if (st == LENS_E_TOO_LARGE)
        return tell_fault(d, LENS_CLASS_PROTOCOL_ERROR, LENS_KIND_TOO_LARGE);
    if (st == LENS_E_PROTOCOL)
        return tell_fault(d, LENS_CLASS_PROTOCOL_ERROR, LENS_KIND_PROTOCOL);
    return d->host->fail(d->host, st, "decoding was broken off");
}

lens_status
lens_decoder_decode(void *stream, const void *data, size_t size, struct lens_sink *sink)
{
    struct lens_decoder *d = stream;

    d->sink = sink;
    if (d->over)
        return LENS_OK;
    return settle(d, lens_framer_feed(&d->framer, data, size, on_frame, d));
}

lens_status
lens_decoder_finish(void *stream, struct lens_sink *sink)
{
    struct lens_decoder *d = stream;
    lens_status st;

    d->sink = sink;
    if (d->over)
        return LENS_OK;
    st = lens_framer_finish(&d->framer, on_frame, d);
    /* A frame without its end was cut, whatever framing calls that. */
    if (!d->over && (st >= 0 || st == LENS_E_PROTOCOL))
        return tell_fault(d, LENS_CLASS_TRUNCATED, LENS_KIND_TRUNCATED);
    return settle(d, st);
}

lens_status
lens_decoder_message(struct lens_decoder *d, const struct lens_frame *frame,
                     uint32_t classes)
{
    if (classes & (LENS_MSG_DONE | LENS_MSG_ERROR))
        d->over = 1;
    if (!d->streamed)
        return LENS_OK;
    return d->sink->message(d->sink, classes != 0 ? classes : LENS_MSG_OTHER,
                            frame->start, frame->end, -1);
}
