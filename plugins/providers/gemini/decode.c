/* decode: one message of an answer, or the document that it is, told to the sink. */
#include <stdlib.h>

#include "gemini.h"

#include "sdk/emit.h"

/* promptFeedback may also say nothing but ratings. */
static void
read_feedback(struct lens_json *j, struct message *m)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (!lens_read_object(j))
        return;
    m->feedback = true;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "blockReason"))
            lens_read_string(j, &m->block_reason);
        else
            lens_json_skip(j);
    }
    if (LENS_KEY(m->block_reason.raw, "BLOCK_REASON_UNSPECIFIED"))
        m->block_reason = (struct lens_json_string){ 0 };
}

static void
read_member(struct stream *s, struct lens_json *j, struct lens_bytes key,
            struct message *m)
{
    if (LENS_KEY(key, "candidates")) {
        candidates_read(s, j, m);
    } else if (LENS_KEY(key, "usageMetadata") || LENS_KEY(key, "metadata")) {
        usage_read(j, m);
    } else if (LENS_KEY(key, "promptFeedback")) {
        read_feedback(j, m);
    } else if (LENS_KEY(key, "error")) {
        lens_read_raw(j, &m->error);
    } else if (LENS_KEY(key, "responseId")) {
        lens_read_string(j, &m->id);
    } else if (LENS_KEY(key, "modelVersion")) {
        lens_read_string(j, &m->model);
    } else if (LENS_KEY(key, "serviceTier")) {
        lens_read_string(j, &m->tier);
    } else {
        m->embedding = m->embedding || LENS_KEY(key, "embedding") ||
                       LENS_KEY(key, "embeddings") || LENS_KEY(key, "predictions");
        lens_json_skip(j);
    }
}

/* False: not JSON. What is JSON but no object leaves the message empty. */
static bool
read_message(struct stream *s, struct lens_bytes json, struct message *m)
{
    struct lens_bytes key;
    struct lens_key_room room;
    struct lens_json j;

    memset(m, 0, sizeof *m);
    usage_clear(&m->usage);
    lens_json_begin(&j, json.data, json.size);
    if (lens_json_peek(&j) != LENS_JSON_OBJECT)
        return lens_json_skip(&j) && lens_json_end(&j);
    for (lens_json_object(&j); lens_read_member(&j, &key, &room);)
        read_member(s, &j, key, m);
    return lens_json_end(&j);
}

static lens_status
tell_block(struct stream *s, struct message *m)
{
    static const char words[] = "the prompt was blocked";
    const struct lens_bytes message = { words, sizeof words - 1 };

    if (m->block_reason.raw.size == 0 || (s->base.flags & LENS_STREAM_FAILED))
        return LENS_OK;
    m->classes |= LENS_MSG_ERROR;
    s->usage_final = true;
    s->base.flags |= LENS_STREAM_FAILED;
    return lens_emit_fault(s->base.sink,
                           s->base.flags & LENS_STREAM_OUTPUT ? LENS_CLASS_STREAM_ERROR
                                                              : LENS_CLASS_BLOCKED,
                           LENS_KIND_BLOCKED, -1, message, m->block_reason.raw);
}

/* Tells everything but the message itself. */
static lens_status
tell(struct stream *s, struct message *m)
{
    lens_status st = m->status;

    if (st == LENS_OK)
        st = lens_stream_id(&s->base, &m->id);
    if (st == LENS_OK)
        st = lens_stream_model(&s->base, &m->model);
    if (st == LENS_OK)
        st = candidates_tell(s, m);
    if (m->classes & LENS_MSG_OUTPUT)
        s->base.flags |= LENS_STREAM_OUTPUT;
    if (st == LENS_OK)
        st = tell_block(s, m);
    if (m->has_usage) {
        m->classes |= LENS_MSG_USAGE;
        usage_merge(s, &m->usage);
    }
    if (st == LENS_OK)
        st = usage_tier(s, m->tier.raw);
    if (st == LENS_OK && m->error.size > 0) {
        m->classes |= LENS_MSG_ERROR;
        st = lens_stream_complain(&s->base, m->error);
    }
    return st == LENS_OK && s->usage_final ? usage_tell(s) : st;
}

/* ---- documents ---- */

static bool
says_anything(const struct message *m)
{
    return m->candidates || m->feedback || m->error.size > 0 || m->has_usage ||
           m->embedding;
}

/* What came in one piece is complete. */
static lens_status
end_document(struct stream *s, bool understood)
{
    lens_status st = LENS_OK;

    s->usage_final = true;
    if (s->base.streamed)
        st = lens_stream_warn(&s->base, LENS_WARN_NOT_STREAMED);
    if (st == LENS_OK && !understood)
        st = lens_stream_fault(&s->base, LENS_CLASS_PROTOCOL_ERROR, LENS_KIND_PROTOCOL,
                               "the answer has no candidates");
    return st == LENS_OK ? usage_tell(s) : st;
}

static bool
is_array(struct lens_bytes json, struct lens_json *j)
{
    lens_json_begin(j, json.data, json.size);
    return lens_json_peek(j) == LENS_JSON_ARRAY;
}

static bool
is_json(struct lens_bytes json)
{
    struct lens_json j;

    lens_json_begin(&j, json.data, json.size);
    return lens_json_skip(&j) && lens_json_end(&j);
}

/* One answer; or a list of them, which is what an array stream is as a whole and how it
 * wraps its errors. */
static lens_status
on_document(struct lens_stream *base, struct lens_bytes json)
{
    struct stream *s = (struct stream *)base;
    struct lens_bytes one;
    struct lens_json j;
    struct message m;
    bool understood = false;
    lens_status st = LENS_OK;

    if (!is_json(json))
        return lens_stream_broken_document(base, json);
    if (!is_array(json, &j)) {
        read_message(s, json, &m);
        st = tell(s, &m);
        return st == LENS_OK ? end_document(s, says_anything(&m)) : st;
    }
    for (lens_json_array(&j); lens_json_element(&j);) {
        lens_json_raw(&j, &one);
        read_message(s, one, &m);
        understood = understood || says_anything(&m);
        if (st == LENS_OK)
            st = tell(s, &m);
    }
    return st == LENS_OK ? end_document(s, understood) : st;
}

/* ---- messages ---- */

static bool
is_done_mark(struct lens_bytes data)
{
    return data.size == 6 && memcmp(data.data, "[DONE]", 6) == 0;
}

/* Some gateways put each message, or an error, into an array of one. */
static struct lens_bytes
unwrapped(struct lens_bytes json)
{
    struct lens_bytes one;
    struct lens_json j;

    if (is_array(json, &j) && lens_json_find(json.data, json.size, "0", &j) &&
        lens_json_raw(&j, &one) && is_json(json))
        return one;
    return json;
}

static lens_status
on_message(struct lens_stream *base, const struct lens_frame *f)
{
    struct stream *s = (struct stream *)base;
    struct message m;
    lens_status st;

    if (is_done_mark(f->data)) /* of gateways */
        return lens_stream_message(base, LENS_MSG_OTHER, f, -1);
    if (!read_message(s, unwrapped(f->data), &m))
        return lens_stream_broken(base, f);
    if (f->flags & LENS_FRAME_ERROR_FIELD && m.error.size == 0)
        m.error = f->data;
    /* A whole answer where a stream should be; a bare error is a message. */
    if (f->flags & LENS_FRAME_BARE && m.error.size == 0 &&
        !(base->flags & LENS_STREAM_OUTPUT)) {
        st = on_document(base, f->data);
        base->flags |= LENS_STREAM_DONE;
        return st;
    }
    st = tell(s, &m);
    return st == LENS_OK ? lens_stream_message(base, m.classes, f, -1) : st;
}

/* There is no terminal message: the end of the body after a reason to finish is one. */
static int
is_whole(const struct lens_stream *base)
{
    const struct stream *s = (const struct stream *)base;

    return s->lanes != 0 && (s->lanes & ~s->finished) == 0 ? LENS_STREAM_AS_USUAL : 0;
}

/* Counts that were only provisional when the stream failed are told with a warning. */
static lens_status
settle_usage(struct lens_stream *base)
{
    struct stream *s = (struct stream *)base;
    lens_status st = usage_tell(s);

    if (st == LENS_OK && s->usage_said && !s->usage_final &&
        (base->flags & LENS_STREAM_FAILED))
        st = lens_stream_warn(base, LENS_WARN_USAGE_PARTIAL);
    return st;
}

/* ---- life cycle ---- */

static const struct lens_stream_ops sse_ops = {
    .content_type = "text/event-stream",
    .message = on_message,
    .document = on_document,
    .is_whole = is_whole,
    .settle = settle_usage,
};

/* Nothing in its type tells an array stream from a document. */
static const struct lens_stream_ops array_ops = {
    .content_type = "",
    .message = on_message,
    .document = on_document,
    .is_whole = is_whole,
    .settle = settle_usage,
};

/* A bigger room is given back when the decoder is used again. */
enum { PIECES_KEPT = 256 };

static void
drop_pieces(struct stream *s)
{
    if (s->pieces != NULL)
        s->base.host->grow(s->base.host, s->pieces, s->piece_room * sizeof *s->pieces, 0);
    s->pieces = NULL;
    s->piece_room = 0;
}

lens_status
gemini_stream_reset(void *stream, int32_t streamed)
{
    struct stream *s = stream;

    if (s->piece_room > PIECES_KEPT)
        drop_pieces(s);
    lens_stream_start(&s->base, streamed && s->provider->api != API_EMBED);
    s->usage_said = s->usage_final = s->usage_told = false;
    s->tier_told = false;
    s->lanes = s->finished = 0;
    s->next_tool = 0;
    usage_clear(&s->usage);
    return LENS_OK;
}

lens_status
gemini_stream_open(void *self, int32_t streamed, void **ret_stream)
{
    const struct provider *p = self;
    const bool array = p->api == API_ARRAY;
    struct stream *s = calloc(1, sizeof *s);

    if (s == NULL)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    s->provider = p;
    lens_stream_init(&s->base, p->host, array ? LENS_FRAME_ARRAY : LENS_FRAME_SSE,
                     array ? &array_ops : &sse_ops);
    gemini_stream_reset(s, streamed);
    *ret_stream = s;
    return LENS_OK;
}

void
gemini_stream_close(void *stream)
{
    struct stream *s = stream;

    if (s == NULL)
        return;
    drop_pieces(s);
    lens_stream_clear(&s->base);
    free(s);
}
