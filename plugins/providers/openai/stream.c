/* stream: the body of an answer, from its first byte to its end. */
#include <stdlib.h>
#include <string.h>

#include "openai.h"

/* Servers err about the content type, so the first byte has a word too. */
static enum mode
mode_of(const struct stream *s, char first)
{
    if (s->flags & STREAM_EVENTS)
        return MODE_SSE;
    if (!s->streamed || strchr("{[<\"", first) != NULL)
        return MODE_WHOLE;
    return MODE_SSE;
}

/* What follows the terminal message cannot fail the request. */
static lens_status
settle(struct stream *s, lens_status st)
{
    if (st >= LENS_OK)
        return st;
    if (s->flags & STREAM_DONE)
        return emit_warning(s, LENS_WARN_NO_END);
    if (st == LENS_E_TOO_LARGE)
        return s->host->fail(s->host, st,
                             "a message of the answer is larger than the host allows");
    return st;
}

static lens_status
feed(struct stream *s, const void *data, size_t size)
{
    return settle(
        s, lens_framer_feed(&s->framer, data, size,
                            s->mode == MODE_SSE ? decode_message : decode_document, s));
}

static lens_status
set_mode(struct stream *s, enum mode mode)
{
    s->mode = mode;
    lens_framer_reset(&s->framer, mode == MODE_SSE ? LENS_FRAME_SSE : LENS_FRAME_WHOLE);
    return s->held_count > 0 ? feed(s, s->held, s->held_count) : LENS_OK;
}

/* Holds back white space and a BOM until the first byte that tells the mode. */
static lens_status
look(struct stream *s, const char *data, size_t size, size_t *ret_used)
{
    for (size_t i = 0; i < size; i++) {
        const char byte = data[i];

        if (strchr(" \t\r\n\xef\xbb\xbf", byte) == NULL || byte == '\0') {
            s->flags |= STREAM_BYTES;
            *ret_used = i;
            return set_mode(s, mode_of(s, byte));
        }
        if (s->held_count == sizeof s->held) {
            *ret_used = i;
            return set_mode(s, s->streamed ? MODE_SSE : MODE_WHOLE);
        }
        s->held[s->held_count++] = byte;
    }
    *ret_used = size;
    return LENS_OK;
}

lens_status
openai_decode(void *stream, const void *data, size_t size, struct lens_sink *sink)
{
    struct stream *s = stream;
    const char *bytes = data;
    size_t used = 0;
    lens_status st = LENS_OK;

    s->sink = sink;
    if (s->mode == MODE_UNKNOWN)
        st = look(s, bytes, size, &used);
    if (st == LENS_OK && s->mode != MODE_UNKNOWN && used < size)
        st = feed(s, bytes + used, size - used);
    s->sink = NULL;
    return st;
}

/* The body ended without a terminal message. */
static lens_status
conclude(struct stream *s)
{
    lens_status st;

    if (s->flags & STREAM_FAILED)
        st = LENS_OK;
    else if (s->provider->api != API_RESPONSES && decode_all_finished(s))
        st = emit_warning(s, LENS_WARN_NO_DONE);
    else if (!(s->flags & STREAM_MESSAGES) && (s->flags & STREAM_BYTES) &&
             (s->flags & (STREAM_FOREIGN | STREAM_JSON)))
        st = emit_fault(s, LENS_CLASS_PROTOCOL_ERROR, LENS_KIND_PROTOCOL,
                        "the answer is neither an event stream nor JSON");
    else
        st = emit_fault(s, LENS_CLASS_TRUNCATED, LENS_KIND_TRUNCATED,
                        "the stream ended before its terminal message");
    return st == LENS_OK ? decode_settle_usage(s) : st;
}

lens_status
openai_finish(void *stream, struct lens_sink *sink)
{
    struct stream *s = stream;
    lens_status st = LENS_OK;

    s->sink = sink;
    if (s->mode != MODE_UNKNOWN) {
        st = settle(s, lens_framer_finish(
                           &s->framer,
                           s->mode == MODE_SSE ? decode_message : decode_document, s));
    }
    if (st == LENS_OK && !(s->flags & STREAM_DONE))
        st = conclude(s);
    s->sink = NULL;
    return st;
}

/* ---- life cycle ---- */

/* A bigger room is given back when the decoder is used again. */
enum { SCRATCH_KEPT = 64 * 1024 };

static void
start(struct stream *s, int32_t streamed)
{
    s->mode = MODE_UNKNOWN;
    s->streamed = streamed != 0;
    s->usage_said = s->usage_final = s->usage_told = false;
    s->flags = s->warned = s->next_tool = s->held_count = 0;
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
    s->host = p->host;
    lens_framer_init(&s->framer, p->host, LENS_FRAME_SSE);
    start(s, streamed);
    *ret_stream = s;
    return LENS_OK;
}

lens_status
openai_stream_reset(void *stream, int32_t streamed)
{
    struct stream *s = stream;

    start(s, streamed);
    lens_framer_reset(&s->framer, LENS_FRAME_SSE);
    if (s->scratch_size > SCRATCH_KEPT) {
        s->host->grow(s->host, s->scratch, s->scratch_size, 0);
        s->scratch = NULL;
        s->scratch_size = 0;
    }
    return LENS_OK;
}

void
openai_stream_close(void *stream)
{
    struct stream *s = stream;

    if (s == NULL)
        return;
    lens_framer_clear(&s->framer);
    if (s->scratch != NULL)
        s->host->grow(s->host, s->scratch, s->scratch_size, 0);
    free(s);
}
