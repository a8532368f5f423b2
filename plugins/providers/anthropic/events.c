#include "events.h"

#include <string.h>

#include "sdk/members.h"

/* Members of an event, of all types at once: the type may stand behind them. */
struct event {
    struct lens_json_string type;
    int64_t index;
    struct lens_bytes message, block, usage, error; /* raw */
    /* of `delta` */
    struct lens_json_string text, thinking, arguments, stop_reason;
    struct lens_bytes stop_details;
};

void
anthropic_message_clear(struct anthropic_message *m)
{
    memset(m, 0, sizeof *m);
    anthropic_counts_clear(&m->counts);
}

static void
read_delta(struct lens_json *j, struct event *e)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "text"))
            lens_read_string(j, &e->text);
        else if (LENS_KEY(key, "thinking"))
            lens_read_string(j, &e->thinking);
        else if (LENS_KEY(key, "partial_json"))
            lens_read_string(j, &e->arguments);
        else if (LENS_KEY(key, "stop_reason"))
            lens_read_string(j, &e->stop_reason);
        else if (LENS_KEY(key, "stop_details"))
            lens_read_raw(j, &e->stop_details);
        else
            lens_json_skip(j);
    }
}

/* False: not JSON. */
static bool
read_event(struct lens_bytes json, struct event *e)
{
    struct lens_json j;
    struct lens_bytes key;
    struct lens_key_room room;

    memset(e, 0, sizeof *e);
    lens_json_begin(&j, json.data, json.size);
    if (lens_read_object(&j))
        while (lens_read_member(&j, &key, &room)) {
            if (LENS_KEY(key, "type"))
                lens_read_string(&j, &e->type);
            else if (LENS_KEY(key, "index"))
                lens_json_int(&j, &e->index);
            else if (LENS_KEY(key, "delta"))
                read_delta(&j, e);
            else if (LENS_KEY(key, "message"))
                lens_read_raw(&j, &e->message);
            else if (LENS_KEY(key, "content_block"))
                lens_read_raw(&j, &e->block);
            else if (LENS_KEY(key, "usage"))
                lens_read_raw(&j, &e->usage);
            else if (LENS_KEY(key, "error"))
                lens_read_raw(&j, &e->error);
            else
                lens_json_skip(&j);
        }
    return lens_json_end(&j);
}

/* `{"type":"refusal","category":"cyber","explanation":".."}` */
static lens_status
tell_refusal(struct lens_stream *s, struct lens_bytes details)
{
    struct lens_event e = { .struct_size = sizeof e,
                            .kind = LENS_EV_EXTRA,
                            .code = 2,
                            .name = { "refusal_category", 16 } };
    struct lens_json_string category;
    struct lens_json j;

    if (details.size == 0 ||
        !lens_json_find(details.data, details.size, "category", &j) ||
        !lens_json_string(&j, &category) || category.escaped || category.raw.size == 0)
        return LENS_OK;
    e.text = category.raw;
    return s->sink->event(s->sink, &e);
}

static lens_status
tell_stop(struct anthropic_message *m, struct lens_stream *s,
          const struct lens_json_string *reason, struct lens_bytes details,
          uint32_t *classes)
{
    lens_status st;

    if (reason->raw.size == 0)
        return LENS_OK;
    *classes |= LENS_MSG_FINISH;
    m->stopped = true;
    m->refused = LENS_KEY(reason->raw, "refusal");
    st = lens_stream_text(s, LENS_EV_FINISH, 0, 0, NULL, reason);
    return st == LENS_OK && m->refused ? tell_refusal(s, details) : st;
}

/* A refusal before any output refuses the prompt; after it, it is only a stop reason. */
static lens_status
tell_blocked(struct anthropic_message *m, struct lens_stream *s)
{
    return m->refused && !(s->flags & LENS_STREAM_OUTPUT)
               ? lens_stream_fault(s, LENS_CLASS_BLOCKED, LENS_KIND_BLOCKED,
                                   "the prompt was refused (stop_reason refusal)")
               : LENS_OK;
}

/* ---- a whole message, which message_start brings too ---- */

struct whole {
    struct lens_json_string type, id, model, stop_reason;
    struct lens_bytes content, usage, stop_details, error;
    bool role;
};

static bool
read_whole(struct lens_bytes json, struct whole *w)
{
    struct lens_json_string role;
    struct lens_json j;
    struct lens_bytes key;
    struct lens_key_room room;

    memset(w, 0, sizeof *w);
    lens_json_begin(&j, json.data, json.size);
    if (lens_read_object(&j))
        while (lens_read_member(&j, &key, &room)) {
            if (LENS_KEY(key, "type"))
                lens_read_string(&j, &w->type);
            else if (LENS_KEY(key, "id"))
                lens_read_string(&j, &w->id);
            else if (LENS_KEY(key, "model"))
                lens_read_string(&j, &w->model);
            else if (LENS_KEY(key, "stop_reason"))
                lens_read_string(&j, &w->stop_reason);
            else if (LENS_KEY(key, "content"))
                lens_read_raw(&j, &w->content);
            else if (LENS_KEY(key, "usage"))
                lens_read_raw(&j, &w->usage);
            else if (LENS_KEY(key, "stop_details"))
                lens_read_raw(&j, &w->stop_details);
            else if (LENS_KEY(key, "error"))
                lens_read_raw(&j, &w->error);
            else if (LENS_KEY(key, "role")) {
                lens_read_string(&j, &role);
                w->role = role.raw.size > 0;
            } else
                lens_json_skip(&j);
        }
    return lens_json_end(&j);
}

static lens_status
tell_content(struct anthropic_message *m, struct lens_stream *s,
             struct lens_bytes content, uint32_t *classes)
{
    struct anthropic_block b;
    struct lens_json j;
    int64_t index = 0;
    lens_status st = LENS_OK;

    lens_json_begin(&j, content.data, content.size);
    if (lens_json_peek(&j) != LENS_JSON_ARRAY)
        return LENS_OK;
    for (lens_json_array(&j); st == LENS_OK && lens_json_element(&j); index++) {
        anthropic_block_read(&j, &b);
        st = anthropic_block_tell(m, s, &b, index, classes);
    }
    return st;
}

static lens_status
tell_whole(struct anthropic_message *m, struct lens_stream *s, const struct whole *w,
           bool final, uint32_t *classes)
{
    lens_status st = lens_stream_id(s, &w->id);

    if (w->role)
        *classes |= LENS_MSG_ROLE;
    if (st == LENS_OK)
        st = lens_stream_model(s, &w->model);
    if (st == LENS_OK)
        st = tell_content(m, s, w->content, classes);
    if (st == LENS_OK)
        st = tell_stop(m, s, &w->stop_reason, w->stop_details, classes);
    if (st == LENS_OK && w->usage.size > 0) {
        *classes |= LENS_MSG_USAGE;
        st = anthropic_usage_merge(m, s, w->usage, final);
    }
    return st;
}

static bool
is_error(const struct whole *w)
{
    return LENS_KEY(w->type.raw, "error") || (w->error.size > 0 && w->content.size == 0);
}

lens_status
anthropic_document(struct anthropic_message *m, struct lens_stream *s,
                   struct lens_bytes json)
{
    struct whole w;
    uint32_t classes = 0;
    lens_status st;

    if (!read_whole(json, &w))
        return lens_stream_broken_document(s, json);
    st = tell_whole(m, s, &w, true, &classes);
    if (classes & LENS_MSG_OUTPUT)
        s->flags |= LENS_STREAM_OUTPUT;
    if (st == LENS_OK)
        st = anthropic_settle(m, s, false);
    if (st == LENS_OK && is_error(&w))
        st = lens_stream_complain(s, json);
    else if (st == LENS_OK && s->streamed)
        st = lens_stream_warn(s, LENS_WARN_NOT_STREAMED);
    if (st == LENS_OK)
        st = tell_blocked(m, s);
    if (st == LENS_OK && w.content.size == 0)
        st = lens_stream_fault(s, LENS_CLASS_PROTOCOL_ERROR, LENS_KIND_PROTOCOL,
                               "the answer has no content");
    return st;
}

/* ---- events ---- */

static lens_status
on_start(struct anthropic_message *m, struct lens_stream *s, const struct event *e,
         uint32_t *classes)
{
    struct whole w;

    if (e->message.size == 0 || !read_whole(e->message, &w))
        return LENS_OK;
    return tell_whole(m, s, &w, false, classes);
}

static lens_status
on_block(struct anthropic_message *m, struct lens_stream *s, const struct event *e,
         uint32_t *classes)
{
    struct anthropic_block b;
    struct lens_json j;

    lens_json_begin(&j, e->block.data, e->block.size);
    anthropic_block_read(&j, &b);
    return anthropic_block_tell(m, s, &b, e->index, classes);
}

static lens_status
on_delta(struct anthropic_message *m, struct lens_stream *s, const struct event *e,
         uint32_t *classes)
{
    if (e->text.raw.size > 0) {
        *classes |= LENS_MSG_TEXT;
        return lens_stream_text(s, LENS_EV_TEXT, 0, 0, NULL, &e->text);
    }
    if (e->thinking.raw.size > 0) {
        *classes |= LENS_MSG_REASONING;
        return lens_stream_text(s, LENS_EV_REASONING, 0, 0, NULL, &e->thinking);
    }
    if (e->arguments.raw.size > 0) {
        *classes |= LENS_MSG_TOOL;
        return lens_stream_text(s, LENS_EV_TOOL, 0, anthropic_tool_of(m, e->index), NULL,
                                &e->arguments);
    }
    return LENS_OK; /* a signature, a citation, an empty fragment */
}

static lens_status
on_message_delta(struct anthropic_message *m, struct lens_stream *s,
                 const struct event *e, uint32_t *classes)
{
    lens_status st = tell_stop(m, s, &e->stop_reason, e->stop_details, classes);

    if (st == LENS_OK && e->usage.size > 0) {
        *classes |= LENS_MSG_USAGE;
        st = anthropic_usage_merge(m, s, e->usage, true);
    }
    return st == LENS_OK && m->final ? anthropic_usage_tell(m, s) : st;
}

static lens_status
on_stop(struct anthropic_message *m, struct lens_stream *s, uint32_t *classes)
{
    lens_status st = anthropic_settle(m, s, true);

    *classes |= LENS_MSG_DONE;
    return st == LENS_OK ? tell_blocked(m, s) : st;
}

static lens_status
on_error(struct anthropic_message *m, struct lens_stream *s, struct lens_bytes json,
         uint32_t *classes)
{
    const lens_status st = lens_stream_complain(s, json);

    *classes |= LENS_MSG_ERROR;
    return st == LENS_OK ? anthropic_settle(m, s, true) : st;
}

/* The type from the JSON; proxies drop the name of the event. */
static struct lens_bytes
type_of(const struct event *e, const struct lens_frame *frame)
{
    const struct lens_bytes error = { "error", 5 };

    if (e->type.raw.size > 0)
        return e->type.raw;
    if (e->error.size > 0 || (frame->flags & LENS_FRAME_ERROR_FIELD))
        return error;
    return frame->name;
}

lens_status
anthropic_event(struct anthropic_message *m, struct lens_stream *s,
                struct lens_bytes json, const struct lens_frame *frame)
{
    struct event e;
    struct lens_bytes type;
    uint32_t classes = 0;
    lens_status st = LENS_OK;

    if (!read_event(json, &e)) {
        if (!LENS_KEY(frame->name, "error") && !(frame->flags & LENS_FRAME_ERROR_FIELD))
            return lens_stream_broken(s, frame);
        memset(&e, 0, sizeof e);
    }
    type = type_of(&e, frame);
    if ((frame->flags & LENS_FRAME_BARE) && LENS_KEY(type, "message")) {
        st = anthropic_document(m, s, json);
        s->flags |= LENS_STREAM_DONE;
        return st;
    }
    if (LENS_KEY(type, "content_block_delta"))
        st = on_delta(m, s, &e, &classes);
    else if (LENS_KEY(type, "content_block_start"))
        st = on_block(m, s, &e, &classes);
    else if (LENS_KEY(type, "ping"))
        classes = LENS_MSG_PING;
    else if (LENS_KEY(type, "message_start"))
        st = on_start(m, s, &e, &classes);
    else if (LENS_KEY(type, "message_delta"))
        st = on_message_delta(m, s, &e, &classes);
    else if (LENS_KEY(type, "message_stop"))
        st = on_stop(m, s, &classes);
    else if (LENS_KEY(type, "error"))
        st = on_error(m, s, json, &classes);
    return st == LENS_OK ? lens_stream_message(s, classes, frame, -1) : st;
}
