/* event: what one event of the stream, or the whole answer, says. */
#include <string.h>

#include "sdk/emit.h"
#include "sdk/members.h"
#include "tgi.h"

struct event {
    struct lens_json_string text;      /* of the token */
    struct lens_json_string generated; /* all of it, with the last event */
    struct lens_json_string finish;
    struct lens_bytes error;
    int64_t input, output;
    int32_t token, special, last;
};

static void
read_token(struct lens_json *j, struct event *e)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (!lens_read_object(j))
        return;
    e->token = 1;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "text"))
            lens_read_string(j, &e->text);
        else if (LENS_KEY(key, "special"))
            lens_json_bool(j, &e->special);
        else
            lens_json_skip(j);
    }
}

static void
read_details(struct lens_json *j, struct event *e)
{
    struct lens_bytes key;
    struct lens_key_room room;
    int64_t prefill = -1;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "finish_reason"))
            lens_read_string(j, &e->finish);
        else if (LENS_KEY(key, "generated_tokens"))
            lens_read_tokens(j, &e->output);
        else if (LENS_KEY(key, "input_length"))
            lens_read_tokens(j, &e->input);
        else if (LENS_KEY(key, "prefill"))
            prefill = lens_read_count(j);
        else
            lens_json_skip(j);
    }
    /* Only filled when decoder_input_details were asked for. */
    if (e->input < 0 && prefill > 0)
        e->input = prefill;
}

static void
read_members(struct lens_json *j, struct event *e)
{
    struct lens_bytes key;
    struct lens_key_room room;

    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "token")) {
            read_token(j, e);
        } else if (LENS_KEY(key, "generated_text")) {
            e->last = lens_json_peek(j) == LENS_JSON_STRING;
            lens_read_string(j, &e->generated);
        } else if (LENS_KEY(key, "details")) {
            read_details(j, e);
        } else if (LENS_KEY(key, "error")) {
            lens_read_raw(j, &e->error);
        } else {
            lens_json_skip(j);
        }
    }
}

/* 0: not JSON. Gateways wrap a whole answer into a list. */
static int
read_event(struct lens_bytes json, struct event *e)
{
    struct lens_json j;

    memset(e, 0, sizeof *e);
    e->input = e->output = -1;
    lens_json_begin(&j, json.data, json.size);
    if (lens_json_peek(&j) != LENS_JSON_ARRAY) {
        if (lens_read_object(&j))
            read_members(&j, e);
    } else {
        for (lens_json_array(&j); lens_json_element(&j);)
            if (lens_read_object(&j))
                read_members(&j, e);
    }
    return lens_json_end(&j);
}

/* ---- telling ---- */

static lens_status
tell_end(struct tgi_stream *s, const struct event *e, uint32_t *classes)
{
    const int64_t input = e->input >= 0 ? e->input : s->input_said;
    const int64_t output = e->output >= 0 ? e->output : s->output_said;
    lens_status st = LENS_OK;

    if (e->finish.raw.size > 0) {
        *classes |= LENS_MSG_FINISH;
        st = lens_stream_text(&s->stream, LENS_EV_FINISH, 0, 0, NULL, &e->finish);
    }
    if (input >= 0 || output >= 0)
        *classes |= LENS_MSG_USAGE;
    if (st == LENS_OK)
        st = lens_emit_usage(s->stream.sink, LENS_USAGE_INPUT, input);
    return st == LENS_OK ? lens_emit_usage(s->stream.sink, LENS_USAGE_OUTPUT, output)
                         : st;
}

static lens_status
on_event(struct lens_stream *stream, const struct lens_frame *f)
{
    struct tgi_stream *s = (struct tgi_stream *)stream;
    struct event e;
    uint32_t classes = 0;
    lens_status st = LENS_OK;

    /* The chat route ends so; here it says nothing. */
    if (f->data.size >= 6 && memcmp(f->data.data, "[DONE]", 6) == 0)
        return lens_stream_message(stream, LENS_MSG_OTHER, f, -1);
    if (!read_event(f->data, &e))
        return lens_stream_broken(stream, f);
    if (e.error.size > 0 || (f->flags & LENS_FRAME_ERROR_FIELD)) {
        st = lens_stream_complain(stream, f->data);
        return st == LENS_OK ? lens_stream_message(stream, LENS_MSG_ERROR, f, -1) : st;
    }
    if (e.text.raw.size > 0 && !e.special) {
        classes |= LENS_MSG_TEXT;
        st = lens_stream_text(stream, LENS_EV_TEXT, 0, 0, NULL, &e.text);
    }
    if (st == LENS_OK && e.last) {
        classes |= LENS_MSG_DONE;
        st = tell_end(s, &e, &classes);
    }
    return st == LENS_OK ? lens_stream_message(stream, classes, f, e.token ? 1 : -1) : st;
}

static lens_status
on_document(struct lens_stream *stream, struct lens_bytes json)
{
    struct event e;
    uint32_t classes = 0;
    lens_status st = LENS_OK;

    if (!read_event(json, &e))
        return lens_stream_broken_document(stream, json);
    if (stream->streamed)
        st = lens_stream_warn(stream, LENS_WARN_NOT_STREAMED);
    if (st != LENS_OK)
        return st;
    if (e.error.size > 0)
        return lens_stream_complain(stream, json);
    if (!e.last)
        return lens_stream_fault(stream, LENS_CLASS_PROTOCOL_ERROR, LENS_KIND_PROTOCOL,
                                 "the answer has no generated_text");
    st = lens_stream_text(stream, LENS_EV_TEXT, 0, 0, NULL, &e.generated);
    return st == LENS_OK ? tell_end((struct tgi_stream *)stream, &e, &classes) : st;
}

/* The chat route's mark may follow. */
static lens_status
after_done(struct lens_stream *stream, const struct lens_frame *f)
{
    return f->data.size >= 6 && memcmp(f->data.data, "[DONE]", 6) == 0
               ? LENS_OK
               : lens_stream_warn(stream, LENS_WARN_DATA_AFTER_DONE);
}

const struct lens_stream_ops tgi_stream_ops = {
    .content_type = "text/event-stream",
    .message = on_event,
    .document = on_document,
    .after_done = after_done,
};
