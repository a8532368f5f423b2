/* line: what one line of the stream, or the whole answer, says. A line is read to its end
 * before anything is told, because a broken one has to be dropped whole. */
#include <string.h>

#include "ollama.h"
#include "sdk/emit.h"
#include "sdk/members.h"

/* The server's own times and counts. */
enum { TOTAL = 0, LOAD, PROMPT_EVAL, EVAL, DURATIONS };

struct line {
    struct lens_json_string model, text, thinking, done_reason;
    struct lens_bytes tool_calls, error;
    int64_t duration_ns[DURATIONS];
    int64_t input, output;
    int32_t done, role, media;
};

static void
read_chat_message(struct lens_json *j, struct line *l)
{
    struct lens_json_string role;
    struct lens_bytes key;
    struct lens_key_room room;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "content")) {
            lens_read_string(j, &l->text);
        } else if (LENS_KEY(key, "thinking")) {
            lens_read_string(j, &l->thinking);
        } else if (LENS_KEY(key, "tool_calls")) {
            lens_read_raw(j, &l->tool_calls);
        } else if (LENS_KEY(key, "role")) {
            lens_read_string(j, &role);
            l->role = role.raw.size > 0;
        } else if (LENS_KEY(key, "images")) {
            l->media = lens_read_count(j) > 0;
        } else {
            lens_json_skip(j);
        }
    }
}

/* Members of the last line. 0: none of them. */
static int
read_end(struct lens_json *j, const struct lens_bytes *key, struct line *l)
{
    if (LENS_KEY(*key, "done_reason"))
        lens_read_string(j, &l->done_reason);
    else if (LENS_KEY(*key, "total_duration"))
        lens_read_tokens(j, &l->duration_ns[TOTAL]);
    else if (LENS_KEY(*key, "load_duration"))
        lens_read_tokens(j, &l->duration_ns[LOAD]);
    else if (LENS_KEY(*key, "prompt_eval_duration"))
        lens_read_tokens(j, &l->duration_ns[PROMPT_EVAL]);
    else if (LENS_KEY(*key, "eval_duration"))
        lens_read_tokens(j, &l->duration_ns[EVAL]);
    else if (LENS_KEY(*key, "prompt_eval_count"))
        lens_read_tokens(j, &l->input);
    else if (LENS_KEY(*key, "eval_count"))
        lens_read_tokens(j, &l->output);
    else
        return 0;
    return 1;
}

/* 0: not JSON. */
static int
read_line(struct lens_bytes json, struct line *l)
{
    struct lens_json j;
    struct lens_bytes key;
    struct lens_key_room room;

    memset(l, 0, sizeof *l);
    l->input = l->output = -1;
    for (int i = 0; i < DURATIONS; i++)
        l->duration_ns[i] = -1;
    lens_json_begin(&j, json.data, json.size);
    if (lens_json_peek(&j) != LENS_JSON_OBJECT)
        return 0;
    for (lens_json_object(&j); lens_read_member(&j, &key, &room);) {
        if (LENS_KEY(key, "message"))
            read_chat_message(&j, l);
        else if (LENS_KEY(key, "response"))
            lens_read_string(&j, &l->text);
        else if (LENS_KEY(key, "thinking"))
            lens_read_string(&j, &l->thinking);
        else if (LENS_KEY(key, "tool_calls"))
            lens_read_raw(&j, &l->tool_calls);
        else if (LENS_KEY(key, "model"))
            lens_read_string(&j, &l->model);
        else if (LENS_KEY(key, "done"))
            lens_json_bool(&j, &l->done);
        else if (LENS_KEY(key, "error"))
            lens_read_raw(&j, &l->error);
        else if (LENS_KEY(key, "image"))
            l->media = lens_json_peek(&j) == LENS_JSON_STRING, lens_json_skip(&j);
        else if (!read_end(&j, &key, l))
            lens_json_skip(&j);
    }
    return lens_json_end(&j);
}

/* ---- telling ---- */

/* Calls come whole, with an object for arguments. */
static void
read_call(struct lens_json *j, struct lens_json_string *name,
          struct lens_json_string *arguments, int64_t *index)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "function")) {
            read_call(j, name, arguments, index);
        } else if (LENS_KEY(key, "name")) {
            lens_read_string(j, name);
        } else if (LENS_KEY(key, "index")) {
            lens_read_tokens(j, index);
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

/* `tools` counts the calls of the answer: one of a later line is another one, and older
 * servers number none, or each from 0. */
static lens_status
tell_calls(struct ollama_stream *s, struct lens_bytes calls, uint32_t *classes)
{
    struct lens_json j;
    lens_status st = LENS_OK;

    lens_json_begin(&j, calls.data, calls.size);
    if (lens_json_peek(&j) != LENS_JSON_ARRAY)
        return LENS_OK;
    for (lens_json_array(&j); st == LENS_OK && lens_json_element(&j);) {
        struct lens_json_string name, arguments;
        int64_t index = -1;

        memset(&name, 0, sizeof name);
        memset(&arguments, 0, sizeof arguments);
        read_call(&j, &name, &arguments, &index);
        if (name.raw.size == 0 && arguments.raw.size == 0)
            continue;
        *classes |= LENS_MSG_TOOL;
        st = lens_stream_text(&s->stream, LENS_EV_TOOL, 0, s->tools++, &name, &arguments);
    }
    return st;
}

static lens_status
tell_output(struct ollama_stream *s, const struct line *l, uint32_t *classes)
{
    lens_status st = lens_stream_model(&s->stream, &l->model);

    if (l->media)
        *classes |= LENS_MSG_MEDIA;
    if (st == LENS_OK && l->thinking.raw.size > 0) {
        *classes |= LENS_MSG_REASONING;
        st = lens_stream_text(&s->stream, LENS_EV_REASONING, 0, 0, NULL, &l->thinking);
    }
    if (st == LENS_OK && l->text.raw.size > 0) {
        *classes |= LENS_MSG_TEXT;
        st = lens_stream_text(&s->stream, LENS_EV_TEXT, 0, 0, NULL, &l->text);
    }
    if (st == LENS_OK && l->tool_calls.size > 0)
        st = tell_calls(s, l->tool_calls, classes);
    return st;
}

static lens_status
tell_end(struct ollama_stream *s, const struct line *l, uint32_t *classes)
{
    static const char *const names[DURATIONS] = { "total_duration_ns", "load_duration_ns",
                                                  "prompt_eval_duration_ns",
                                                  "eval_duration_ns" };
    struct lens_stream *stream = &s->stream;
    lens_status st = LENS_OK;

    if (l->done_reason.raw.size > 0) {
        *classes |= LENS_MSG_FINISH;
        st = lens_stream_text(stream, LENS_EV_FINISH, 0, 0, NULL, &l->done_reason);
    }
    if (l->input >= 0 || l->output >= 0)
        *classes |= LENS_MSG_USAGE;
    if (st == LENS_OK)
        st = lens_emit_usage(stream->sink, LENS_USAGE_INPUT, l->input);
    if (st == LENS_OK)
        st = lens_emit_usage(stream->sink, LENS_USAGE_OUTPUT, l->output);
    for (int i = 0; i < DURATIONS && st == LENS_OK; i++)
        if (l->duration_ns[i] >= 0)
            st = lens_stream_extra(stream, names[i], l->duration_ns[i]);
    return st;
}

/* The one document that the body is. */
static lens_status
tell_document(struct ollama_stream *s, const struct line *l, struct lens_bytes json)
{
    struct lens_stream *stream = &s->stream;
    uint32_t classes = 0;
    lens_status st = LENS_OK;

    if (stream->streamed)
        st = lens_stream_warn(stream, LENS_WARN_NOT_STREAMED);
    if (st == LENS_OK && l->error.size > 0)
        return lens_stream_complain(stream, json);
    if (st == LENS_OK)
        st = tell_output(s, l, &classes);
    if (st == LENS_OK && !l->done)
        return lens_stream_fault(stream, LENS_CLASS_PROTOCOL_ERROR, LENS_KIND_PROTOCOL,
                                 "the answer is no message of Ollama: \"done\" is "
                                 "missing");
    return st == LENS_OK ? tell_end(s, l, &classes) : st;
}

static lens_status
on_line(struct lens_stream *stream, const struct lens_frame *f)
{
    struct ollama_stream *s = (struct ollama_stream *)stream;
    struct line l;
    uint32_t classes = 0;
    lens_status st;

    if (!read_line(f->data, &l))
        return lens_stream_broken(stream, f);
    if (l.error.size > 0) {
        st = tell_output(s, &l, &classes);
        if (classes & LENS_MSG_OUTPUT)
            stream->flags |= LENS_STREAM_OUTPUT;
        if (st == LENS_OK)
            st = lens_stream_complain(stream, f->data);
        return st == LENS_OK
                   ? lens_stream_message(stream, classes | LENS_MSG_ERROR, f, -1)
                   : st;
    }
    /* One line and a content type of JSON: the answer of a request without stream. */
    if (l.done && !s->lines && (stream->flags & LENS_STREAM_JSON)) {
        st = tell_document(s, &l, f->data);
        stream->flags |= LENS_STREAM_DONE;
        return st;
    }
    s->lines = 1;
    if (l.role)
        classes |= LENS_MSG_ROLE;
    st = tell_output(s, &l, &classes);
    if (st == LENS_OK && l.done) {
        classes |= LENS_MSG_DONE;
        st = tell_end(s, &l, &classes);
    }
    return st == LENS_OK ? lens_stream_message(stream, classes, f, -1) : st;
}

static lens_status
on_document(struct lens_stream *stream, struct lens_bytes json)
{
    struct line l;

    if (!read_line(json, &l))
        return lens_stream_broken_document(stream, json);
    return tell_document((struct ollama_stream *)stream, &l, json);
}

const struct lens_stream_ops ollama_stream_ops = {
    .content_type = "application/x-ndjson",
    .message = on_line,
    .document = on_document,
};
