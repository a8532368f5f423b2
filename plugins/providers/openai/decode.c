/* decode: one message of an answer, or the document that it is, told to the sink. */
#include <string.h>

#include "openai.h"

static struct lens_bytes
trimmed(struct lens_bytes b)
{
    while (b.size > 0 && strchr(" \t\r\n", b.data[0]) != NULL)
        b.data++, b.size--;
    while (b.size > 0 && strchr(" \t\r\n", b.data[b.size - 1]) != NULL)
        b.size--;
    return b;
}

/* The echo of the prompt is the first text of each choice. */
static bool
is_echo(struct stream *s, const struct piece *p)
{
    const uint64_t lane = UINT64_C(1) << (p->lane < 63 ? p->lane : 63);
    const bool first = s->provider->echo && !(s->echoed & lane);

    s->echoed |= lane;
    return first;
}

/* Leaves out pieces that only look like output. */
static void
settle(struct stream *s, struct chunk *c)
{
    uint32_t left = 0;
    unsigned kept = 0;

    for (unsigned i = 0; i < c->count; i++) {
        struct piece *p = &c->piece[i];

        if ((p->kind == LENS_EV_TEXT && is_echo(s, p)) ||
            (p->kind == LENS_EV_TOOL && !tools_settle(s, p)))
            continue;
        left |= p->kind == LENS_EV_TEXT   ? LENS_MSG_TEXT
                : p->kind == LENS_EV_TOOL ? LENS_MSG_TOOL
                                          : 0;
        if (kept != i)
            c->piece[kept] = *p;
        kept++;
    }
    c->count = kept;
    c->classes &= ~(uint32_t)(LENS_MSG_TEXT | LENS_MSG_TOOL) | left;
}

static lens_status
tell_pieces(struct stream *s, struct lens_bytes json, struct chunk *c)
{
    lens_status st = LENS_OK;

    if (c->overflow) {
        chunk_clear(c);
        c->direct = s;
        chat_read(s, json, c);
        return c->status;
    }
    settle(s, c);
    for (unsigned i = 0; i < c->count && st == LENS_OK; i++)
        st = emit_piece(s, &c->piece[i]);
    return st;
}

/* Running totals (continuous_usage_stats) say how many tokens a chunk brings. */
static void
count_tokens(struct stream *s, struct chunk *c)
{
    const int64_t before = s->counted_output;

    if (!c->has_choices || s->usage.output < 0)
        return;
    s->counted_output = s->usage.output;
    if (c->tokens < 0 && (s->lanes & (s->lanes - 1)) == 0 &&
        (before >= 0 || c->finished == 0) && s->usage.output >= before)
        c->tokens = s->usage.output - (before > 0 ? before : 0);
}

bool
decode_all_finished(const struct stream *s)
{
    return s->lanes != 0 && (s->lanes & ~s->finished) == 0;
}

static lens_status
tell_usage(struct stream *s, struct chunk *c)
{
    const bool final =
        c->whole || !c->has_choices || (c->finished != 0 && decode_all_finished(s));
    struct lens_bytes usage = c->usage;

    if (usage.size == 0)
        usage = c->choice_usage.size > 0 ? c->choice_usage : c->groq_usage;
    if (usage.size == 0)
        return LENS_OK;
    c->classes |= LENS_MSG_USAGE;
    usage_merge(s, usage, final);
    count_tokens(s, c);
    return s->usage_final ? usage_tell(s) : LENS_OK;
}

static lens_status
tell_server_times(struct stream *s, const struct chunk *c)
{
    lens_status st = LENS_OK;

    if (c->timings.size > 0)
        st = lens_emit_numbers(s->base.sink, c->timings, NULL, "");
    if (st == LENS_OK && c->metrics.size > 0)
        st = lens_emit_numbers(s->base.sink, c->metrics, NULL, "");
    if (st == LENS_OK && c->stats.size > 0)
        st = lens_emit_numbers(s->base.sink, c->stats, NULL, "");
    return st == LENS_OK && c->groq_usage.size > 0
               ? lens_emit_numbers(s->base.sink, c->groq_usage, "_time", "_s")
               : st;
}

/* A reason to finish that tells of a failure without saying more. */
static bool
finishes_in_error(const struct stream *s, const struct chunk *c)
{
    for (unsigned i = 0; s->provider->error_finishes && i < c->count; i++)
        if (c->piece[i].kind == LENS_EV_FINISH && LENS_KEY(c->piece[i].text.raw, "error"))
            return true;
    return false;
}

/* Tells everything but the message itself. */
static lens_status
tell_chunk(struct stream *s, struct lens_bytes json, struct chunk *c)
{
    const bool error = c->error.size > 0 || (c->error_body && !c->has_choices);
    lens_status st = emit_identity(s, c);

    s->lanes |= c->lanes;
    s->finished |= c->finished;
    if (st == LENS_OK && (c->count > 0 || c->overflow))
        st = tell_pieces(s, json, c);
    if (st == LENS_OK)
        st = tell_usage(s, c);
    if (st == LENS_OK)
        st = tell_server_times(s, c);
    if (st == LENS_OK && error) {
        if (c->classes & LENS_MSG_OUTPUT)
            s->base.flags |= LENS_STREAM_OUTPUT;
        c->classes |= LENS_MSG_ERROR;
        st = lens_stream_complain(&s->base, json);
    } else if (st == LENS_OK && finishes_in_error(s, c)) {
        c->classes |= LENS_MSG_ERROR;
        st = lens_stream_fault(&s->base, LENS_CLASS_STREAM_ERROR, LENS_KIND_SERVER,
                               "the model ended with an error");
    }
    s->next_tool += c->new_tools;
    return st;
}

/* `event: error`: the data is an error whatever its form. */
static bool
names_error(const struct lens_frame *f)
{
    return f->name.size == 5 && memcmp(f->name.data, "error", 5) == 0;
}

static lens_status
chat_message(struct stream *s, const struct lens_frame *f)
{
    struct chunk c;
    lens_status st;

    chunk_clear(&c);
    if (!chat_read(s, f->data, &c)) {
        if (!names_error(f))
            return lens_stream_broken(&s->base, f);
        chunk_clear(&c);
    }
    if ((f->flags & LENS_FRAME_ERROR_FIELD) || names_error(f))
        c.error_body = true;
    if ((f->flags & LENS_FRAME_BARE) && c.whole)
        return decode_whole(s, f->data);
    st = tell_chunk(s, f->data, &c);
    return st == LENS_OK ? lens_stream_message(&s->base, c.classes, f, c.tokens) : st;
}

/* ---- the end ---- */

/* Counts that were only provisional when the stream failed are told with a warning. */
lens_status
decode_settle_usage(struct stream *s)
{
    lens_status st = usage_tell(s);

    if (st == LENS_OK && s->usage_said && !s->usage_final &&
        (s->base.flags & LENS_STREAM_FAILED))
        st = lens_stream_warn(&s->base, LENS_WARN_USAGE_PARTIAL);
    return st;
}

lens_status
decode_done(struct stream *s, const struct lens_frame *f, uint32_t classes)
{
    const lens_status st = decode_settle_usage(s);

    return st == LENS_OK ? lens_stream_message(&s->base, classes | LENS_MSG_DONE, f, -1)
                         : st;
}

static bool
is_done_mark(const struct lens_bytes *data)
{
    const struct lens_bytes b = trimmed(*data);

    return b.size >= 6 && memcmp(b.data, "[DONE]", 6) == 0;
}

/* Some servers end a Responses stream with [DONE] too: that is no data. */
lens_status
decode_after_done(struct lens_stream *base, const struct lens_frame *f)
{
    struct stream *s = (struct stream *)base;

    if (is_done_mark(&f->data) && !s->done_mark) {
        s->done_mark = true;
        return LENS_OK;
    }
    return lens_stream_warn(base, LENS_WARN_DATA_AFTER_DONE);
}

lens_status
decode_message(struct lens_stream *base, const struct lens_frame *f)
{
    struct stream *s = (struct stream *)base;
    const bool responses = s->provider->api == API_RESPONSES;

    if (f->data.size <= 64 && is_done_mark(&f->data)) {
        s->done_mark = true;
        return responses ? lens_stream_message(base, LENS_MSG_OTHER, f, -1)
                         : decode_done(s, f, 0);
    }
    return responses ? responses_message(s, f) : chat_message(s, f);
}

static lens_status
whole_chat(struct stream *s, struct lens_bytes json)
{
    struct chunk c;
    lens_status st;

    chunk_clear(&c);
    if (!chat_read(s, json, &c))
        return lens_stream_broken_document(&s->base, json);
    c.whole = true;
    st = tell_chunk(s, json, &c);
    if (st == LENS_OK)
        st = emit_not_streamed(s);
    if (st == LENS_OK && !c.has_choices && !c.empty_choices)
        st = lens_stream_fault(&s->base, LENS_CLASS_PROTOCOL_ERROR, LENS_KIND_PROTOCOL,
                               "the answer has no choices");
    return st;
}

lens_status
decode_whole(struct stream *s, struct lens_bytes json)
{
    struct lens_bytes one = json;
    struct lens_json first;
    lens_status st = LENS_OK;

    /* Some gateways wrap a lone error into an array. */
    if (lens_json_find(json.data, json.size, "0", &first))
        lens_json_raw(&first, &one);
    s->base.flags |= LENS_STREAM_MESSAGES;
    st = s->provider->api == API_RESPONSES    ? responses_whole(s, one)
         : s->provider->api == API_EMBEDDINGS ? embeddings_document(s, one)
                                              : whole_chat(s, one);
    if (st == LENS_OK)
        st = decode_settle_usage(s);
    if (st == LENS_OK)
        s->base.flags |= LENS_STREAM_DONE;
    return st;
}

lens_status
decode_document(struct lens_stream *base, struct lens_bytes json)
{
    return decode_whole((struct stream *)base, json);
}
