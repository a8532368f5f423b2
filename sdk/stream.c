#include "stream.h"

#include <string.h>

#include "head.h"

enum { MODE_UNKNOWN = 0, MODE_STREAM, MODE_DOCUMENT };

/* Servers err about the content type, so the first byte has a word too: SSE never starts
 * like JSON, and a stream of another framing never like an error page. */
static uint32_t
mode_of(const struct lens_stream *s, char first)
{
    if (s->flags & LENS_STREAM_EVENTS)
        return MODE_STREAM;
    if (!s->streamed)
        return MODE_DOCUMENT;
    if (s->framing == LENS_FRAME_SSE)
        return strchr("{[<\"", first) != NULL ? MODE_DOCUMENT : MODE_STREAM;
    if (s->framing == LENS_FRAME_EVENTSTREAM)
        return s->flags & (LENS_STREAM_JSON | LENS_STREAM_FOREIGN) ? MODE_DOCUMENT
                                                                   : MODE_STREAM;
    return first == '<' ? MODE_DOCUMENT : MODE_STREAM;
}

/* A line that was cut says nothing, and a document needs no end of a line. */
static int
lacks_its_end(const struct lens_stream *s, const struct lens_frame *f, int alone)
{
    if (s->framing != LENS_FRAME_NDJSON)
        return 1;
    return !(alone && s->flags & LENS_STREAM_JSON) && !lens_is_cut_json(f->data);
}

static lens_status
on_message(void *user, const struct lens_frame *f)
{
    struct lens_stream *s = user;
    lens_status st;
    int alone;

    if (s->flags & LENS_STREAM_DONE)
        return s->ops->after_done != NULL
                   ? s->ops->after_done(s, f)
                   : lens_stream_warn(s, LENS_WARN_DATA_AFTER_DONE);
    alone = !(s->flags & LENS_STREAM_MESSAGES);
    s->flags |= LENS_STREAM_MESSAGES;
    if (f->flags & LENS_FRAME_UNTERMINATED && lacks_its_end(s, f, alone)) {
        st = lens_stream_warn(s, LENS_WARN_UNTERMINATED_EVENT);
        if (st != LENS_OK)
            return st;
    }
    return s->ops->message(s, f);
}

static lens_status
on_document(void *user, const struct lens_frame *f)
{
    struct lens_stream *s = user;
    lens_status st;

    s->flags |= LENS_STREAM_MESSAGES;
    st = s->ops->document(s, f->data);
    if (st == LENS_OK)
        s->flags |= LENS_STREAM_DONE;
    return st;
}

/* What follows the terminal message cannot fail the request. */
static lens_status
settle(struct lens_stream *s, lens_status st)
{
    if (st >= LENS_OK)
        return st;
    if (s->flags & LENS_STREAM_DONE)
        return lens_stream_warn(s, LENS_WARN_NO_END);
    if (st == LENS_E_TOO_LARGE)
        return s->host->fail(s->host, st,
                             "a message of the answer is larger than the host allows");
    return st;
}

static const char *
words_of_break(enum lens_framing framing)
{
    switch (framing) {
    case LENS_FRAME_EVENTSTREAM:
        return "a frame of the stream is broken: its checksum, length or headers";
    case LENS_FRAME_ARRAY:
        return "the answer is not a JSON array";
    default:
        return "the stream is broken";
    }
}

static lens_status
feed(struct lens_stream *s, const void *data, size_t size)
{
    const lens_status st =
        settle(s, lens_framer_feed(&s->framer, data, size,
                                   s->mode == MODE_STREAM ? on_message : on_document, s));

    if (st == LENS_E_PROTOCOL)
        return s->host->fail(s->host, st, words_of_break(s->framing));
    return st;
}

static lens_status
set_mode(struct lens_stream *s, uint32_t mode)
{
    s->mode = mode;
    lens_framer_reset(&s->framer, mode == MODE_STREAM ? s->framing : LENS_FRAME_WHOLE);
    return s->held_count > 0 ? feed(s, s->held, s->held_count) : LENS_OK;
}

/* Holds back white space and a BOM until the first byte that tells the mode. */
static lens_status
look(struct lens_stream *s, const char *data, size_t size, size_t *ret_used)
{
    for (size_t i = 0; i < size; i++) {
        const char byte = data[i];

        if (byte == '\0' || strchr(" \t\r\n\xef\xbb\xbf", byte) == NULL) {
            s->flags |= LENS_STREAM_BYTES;
            *ret_used = i;
            return set_mode(s, mode_of(s, byte));
        }
        if (s->held_count == sizeof s->held) {
            *ret_used = i;
            return set_mode(s, s->streamed ? MODE_STREAM : MODE_DOCUMENT);
        }
        s->held[s->held_count++] = byte;
    }
    *ret_used = size;
    return LENS_OK;
}

lens_status
lens_stream_head(void *stream, const struct lens_head *h, struct lens_sink *sink)
{
    struct lens_stream *s = stream;
    struct lens_bytes id;
    lens_status st;

    if (lens_head_is(h->content_type, s->ops->content_type))
        s->flags |= LENS_STREAM_EVENTS;
    else if (lens_head_is(h->content_type, "application/json"))
        s->flags |= LENS_STREAM_JSON;
    else if (h->content_type.size > 0)
        s->flags |= LENS_STREAM_FOREIGN;
    st = lens_head_tell(sink, h->headers, h->header_count, h->header_size, &id);
    if (id.size > 0)
        s->flags |= LENS_STREAM_HAS_ID;
    return st;
}

lens_status
lens_stream_decode(void *stream, const void *data, size_t size, struct lens_sink *sink)
{
    struct lens_stream *s = stream;
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

/* The body ended without a terminal message; `cut`: in the middle of something. */
static lens_status
conclude(struct lens_stream *s, int cut)
{
    const int whole = s->ops->is_whole != NULL ? s->ops->is_whole(s) : 0;
    lens_status st;

    if (s->flags & LENS_STREAM_FAILED)
        st = LENS_OK;
    else if (whole)
        st = whole != LENS_STREAM_AS_USUAL ? lens_stream_warn(s, LENS_WARN_NO_DONE)
             : cut                         ? lens_stream_warn(s, LENS_WARN_NO_END)
                                           : LENS_OK;
    else if (!(s->flags & LENS_STREAM_MESSAGES) && (s->flags & LENS_STREAM_BYTES) &&
             s->framing != LENS_FRAME_ARRAY && /* that one tells by itself */
             (s->flags & (LENS_STREAM_FOREIGN | LENS_STREAM_JSON)))
        st = lens_stream_fault(s, LENS_CLASS_PROTOCOL_ERROR, LENS_KIND_PROTOCOL,
                               "the answer is neither a stream nor JSON");
    else
        st = lens_stream_fault(s, LENS_CLASS_TRUNCATED, LENS_KIND_TRUNCATED,
                               "the stream ended before its terminal message");
    return st == LENS_OK && s->ops->settle != NULL ? s->ops->settle(s) : st;
}

lens_status
lens_stream_finish(void *stream, struct lens_sink *sink)
{
    struct lens_stream *s = stream;
    lens_status st = LENS_OK;
    int cut;

    s->sink = sink;
    if (s->mode != MODE_UNKNOWN)
        st = settle(
            s, lens_framer_finish(&s->framer,
                                  s->mode == MODE_STREAM ? on_message : on_document, s));
    /* A frame or element without its end was cut, whatever the framing calls that. */
    cut = st == LENS_E_PROTOCOL && s->framing != LENS_FRAME_SSE;
    if (cut)
        st = LENS_OK;
    if (st == LENS_OK && !(s->flags & LENS_STREAM_DONE))
        st = conclude(s, cut);
    s->sink = NULL;
    return st;
}

/* ---- life cycle ---- */

/* A bigger room is given back when the decoder is used again. */
enum { SCRATCH_KEPT = 64 * 1024 };

static void
drop_scratch(struct lens_stream *s)
{
    if (s->scratch != NULL)
        s->host->grow(s->host, s->scratch, s->scratch_size, 0);
    s->scratch = NULL;
    s->scratch_size = 0;
}

void
lens_stream_init(struct lens_stream *s, const struct lens_host *host,
                 enum lens_framing framing, const struct lens_stream_ops *ops)
{
    s->host = host;
    s->ops = ops;
    s->framing = framing;
    lens_framer_init(&s->framer, host, framing);
}

void
lens_stream_start(struct lens_stream *s, int32_t streamed)
{
    lens_framer_reset(&s->framer, s->framing);
    s->streamed = streamed;
    s->mode = MODE_UNKNOWN;
    s->flags = s->warned = s->held_count = 0;
    if (s->scratch_size > SCRATCH_KEPT)
        drop_scratch(s);
}

void
lens_stream_clear(struct lens_stream *s)
{
    lens_framer_clear(&s->framer);
    drop_scratch(s);
}
