/* message: what one event of the stream, or the whole answer, says. An event is read to
 * its end before anything is told, because a broken one has to be dropped whole. */
#include <string.h>

#include "message.h"
#include "sdk/failure.h"
#include "sdk/members.h"

/* ---- telling ---- */

static lens_status
tell_text(struct cohere_stream *s, uint32_t kind, const struct lens_json_string *text,
          uint32_t *classes)
{
    if (text->raw.size == 0)
        return LENS_OK;
    *classes |= kind == LENS_EV_TEXT ? LENS_MSG_TEXT : LENS_MSG_REASONING;
    return lens_stream_text(&s->stream, kind, 0, 0, NULL, text);
}

/* The list of a whole answer. */
static lens_status
tell_parts(struct cohere_stream *s, struct lens_bytes parts, uint32_t *classes)
{
    struct lens_json j;
    lens_status st = LENS_OK;

    lens_json_begin(&j, parts.data, parts.size);
    for (lens_json_array(&j); st == LENS_OK && lens_json_element(&j);) {
        struct message part;

        memset(&part, 0, sizeof part);
        cohere_read_content(&j, &part);
        st = tell_text(s, LENS_EV_REASONING, &part.thinking, classes);
        if (st == LENS_OK)
            st = tell_text(s, LENS_EV_TEXT, &part.text, classes);
    }
    return st;
}

static void
read_call(struct lens_json *j, struct lens_json_string *name,
          struct lens_json_string *arguments)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "function")) {
            read_call(j, name, arguments);
        } else if (LENS_KEY(key, "name")) {
            lens_read_string(j, name);
        } else if (LENS_KEY(key, "arguments")) {
            if (lens_json_peek(j) == LENS_JSON_STRING)
                lens_read_string(j, arguments);
            else
                lens_read_raw(j, &arguments->raw);
        } else {
            lens_json_skip(j);
        }
    }
}

/* Without an index a name starts the next call, and anything else continues it. */
static uint32_t
call_index(struct cohere_stream *s, int64_t said, int named)
{
    if (said >= 0 && said < UINT32_MAX) {
        if (said >= s->next_tool)
            s->next_tool = (uint32_t)said + 1;
        return (uint32_t)said;
    }
    if (named || s->next_tool == 0)
        s->next_tool++;
    return s->next_tool - 1;
}

static lens_status
tell_call(struct cohere_stream *s, struct lens_json *j, int64_t index, uint32_t *classes)
{
    struct lens_json_string name, arguments;

    memset(&name, 0, sizeof name);
    memset(&arguments, 0, sizeof arguments);
    read_call(j, &name, &arguments);
    if (name.raw.size == 0 && arguments.raw.size == 0)
        return LENS_OK;
    *classes |= LENS_MSG_TOOL;
    return lens_stream_text(&s->stream, LENS_EV_TOOL, 0,
                            call_index(s, index, name.raw.size > 0), &name, &arguments);
}

static lens_status
tell_calls(struct cohere_stream *s, const struct message *m, uint32_t *classes)
{
    struct lens_json j;
    lens_status st = LENS_OK;

    if (m->tool_calls.size == 0)
        return LENS_OK;
    lens_json_begin(&j, m->tool_calls.data, m->tool_calls.size);
    if (lens_json_peek(&j) != LENS_JSON_ARRAY)
        return tell_call(s, &j, m->index, classes);
    for (lens_json_array(&j); st == LENS_OK && lens_json_element(&j);)
        st = tell_call(s, &j, -1, classes);
    return st;
}

static lens_status
tell_output(struct cohere_stream *s, const struct message *m, uint32_t *classes)
{
    lens_status st = lens_stream_id(&s->stream, &m->id);

    if (st == LENS_OK)
        st = tell_text(s, LENS_EV_REASONING, &m->thinking, classes);
    if (st == LENS_OK)
        st = tell_text(s, LENS_EV_REASONING, &m->tool_plan, classes);
    if (st == LENS_OK)
        st = tell_text(s, LENS_EV_TEXT, &m->text, classes);
    if (st == LENS_OK && m->parts.size > 0)
        st = tell_parts(s, m->parts, classes);
    if (st == LENS_OK)
        st = tell_calls(s, m, classes);
    if (*classes & LENS_MSG_OUTPUT)
        s->stream.flags |= LENS_STREAM_OUTPUT;
    return st;
}

/* ERROR, TIMEOUT and their kin: the answer broke off. */
static int
is_failure(const struct lens_json_string *finish)
{
    return LENS_KEY(finish->raw, "TIMEOUT") ||
           (finish->raw.size >= 5 && memcmp(finish->raw.data, "ERROR", 5) == 0);
}

static uint32_t
failure_kind(const struct message *m, struct lens_bytes message)
{
    const struct lens_complaint c = { .type = m->finish.raw, .message = message };

    if (LENS_KEY(m->finish.raw, "ERROR_TOXIC"))
        return LENS_KIND_BLOCKED;
    if (LENS_KEY(m->finish.raw, "ERROR_LIMIT"))
        return LENS_KIND_CONTEXT_LENGTH;
    return lens_failure_kind(&c);
}

static lens_status
tell_failure(struct cohere_stream *s, const struct message *m)
{
    struct lens_failure f = { .struct_size = (uint32_t)sizeof f,
                              .error_class = LENS_CLASS_STREAM_ERROR,
                              .retry_after_ns = -1,
                              .code = m->finish.raw };
    struct lens_json_string words = { { NULL, 0 }, 0 };
    char room[512];
    struct lens_json j;

    lens_json_begin(&j, m->error.data, m->error.size);
    if (m->error.size > 0 && lens_json_peek(&j) == LENS_JSON_OBJECT)
        return lens_stream_complain(&s->stream, m->error);
    if (s->stream.flags & LENS_STREAM_FAILED)
        return LENS_OK;
    s->stream.flags |= LENS_STREAM_FAILED;
    if (m->error.size > 0)
        lens_read_string(&j, &words);
    f.message = words.raw;
    if (words.escaped && words.raw.size <= sizeof room)
        f.message = (struct lens_bytes){ room, lens_json_unescape(&words, room) };
    f.kind = failure_kind(m, f.message);
    if (f.kind == LENS_KIND_BLOCKED && !(s->stream.flags & LENS_STREAM_OUTPUT))
        f.error_class = LENS_CLASS_BLOCKED;
    f.retryable = lens_failure_retryable(f.kind);
    return s->stream.sink->fault(s->stream.sink, &f);
}

/* Finish, usage and what went wrong. */
static lens_status
tell_end(struct cohere_stream *s, const struct message *m, uint32_t *classes)
{
    lens_status st = LENS_OK;

    if (m->finish.raw.size > 0) {
        *classes |= LENS_MSG_FINISH;
        st = lens_stream_text(&s->stream, LENS_EV_FINISH, 0, 0, NULL, &m->finish);
    }
    if (m->usage.size > 0) {
        *classes |= LENS_MSG_USAGE;
        cohere_usage_read(s, m->usage);
    }
    if (st == LENS_OK)
        st = cohere_usage_tell(s);
    if (st == LENS_OK && (is_failure(&m->finish) || m->error.size > 0)) {
        *classes |= LENS_MSG_ERROR;
        st = tell_failure(s, m);
    }
    return st;
}

/* The type stands in the JSON; proxies drop event lines. */
static int
type_is(const struct message *m, const struct lens_frame *f, const char *name)
{
    const struct lens_bytes type = m->type.raw.size > 0 ? m->type.raw : f->name;

    return type.size == strlen(name) && memcmp(type.data, name, type.size) == 0;
}

static int
is_done_mark(struct lens_bytes data)
{
    return data.size >= 6 && memcmp(data.data, "[DONE]", 6) == 0;
}

static lens_status
on_message(struct lens_stream *stream, const struct lens_frame *f)
{
    struct cohere_stream *s = (struct cohere_stream *)stream;
    struct message m;
    uint32_t classes = 0;
    lens_status st;

    if (is_done_mark(f->data))
        return lens_stream_message(stream, LENS_MSG_OTHER, f, -1);
    if (!cohere_read_message(f->data, &m))
        return lens_stream_broken(stream, f);
    /* `{"message":"words"}`, `{"error":..}` or an event of that name: a complaint. */
    if (type_is(&m, f, "error") || (f->flags & LENS_FRAME_ERROR_FIELD) ||
        (m.type.raw.size == 0 && m.finish.raw.size == 0 &&
         (m.words.raw.size > 0 || m.error.size > 0))) {
        st = lens_stream_complain(stream, f->data);
        return st == LENS_OK ? lens_stream_message(stream, LENS_MSG_ERROR, f, -1) : st;
    }
    if (type_is(&m, f, "debug"))
        return lens_stream_message(stream, LENS_MSG_OTHER, f, -1);
    if (m.role || type_is(&m, f, "message-start"))
        classes |= LENS_MSG_ROLE;
    st = tell_output(s, &m, &classes);
    if (st == LENS_OK && (type_is(&m, f, "message-end") || m.finish.raw.size > 0)) {
        st = tell_end(s, &m, &classes);
        classes |= LENS_MSG_DONE;
    }
    return st == LENS_OK ? lens_stream_message(stream, classes, f, -1) : st;
}

static lens_status
on_document(struct lens_stream *stream, struct lens_bytes json)
{
    struct cohere_stream *s = (struct cohere_stream *)stream;
    struct message m;
    uint32_t classes = 0;
    lens_status st = LENS_OK;

    if (!cohere_read_message(json, &m))
        return lens_stream_broken_document(stream, json);
    if (stream->streamed)
        st = lens_stream_warn(stream, LENS_WARN_NOT_STREAMED);
    if (st != LENS_OK)
        return st;
    if (m.words.raw.size > 0 || (m.error.size > 0 && m.finish.raw.size == 0))
        return lens_stream_complain(stream, json);
    st = tell_output(s, &m, &classes);
    if (st == LENS_OK && classes == 0 && !m.role && m.finish.raw.size == 0)
        return lens_stream_fault(stream, LENS_CLASS_PROTOCOL_ERROR, LENS_KIND_PROTOCOL,
                                 "the answer has no message");
    return st == LENS_OK ? tell_end(s, &m, &classes) : st;
}

/* Clients of Cohere take a [DONE] behind the end, too. */
static lens_status
after_done(struct lens_stream *stream, const struct lens_frame *f)
{
    return is_done_mark(f->data) ? LENS_OK
                                 : lens_stream_warn(stream, LENS_WARN_DATA_AFTER_DONE);
}

/* Usage comes with the last event alone, so there is nothing left to tell. */
const struct lens_stream_ops cohere_stream_ops = {
    .content_type = "text/event-stream",
    .message = on_message,
    .document = on_document,
    .after_done = after_done,
};
