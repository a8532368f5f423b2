/* responses: the typed events of the Responses api, and its whole answers. */
#include <string.h>

#include "openai.h"

/* What to do with an event. */
enum act {
    ACT_DELTA,    /* `delta` is a fragment of output */
    ACT_LATE,     /* repeats a text, unless nobody streamed it */
    ACT_MEDIA,    /* data without text */
    ACT_ITEM,     /* an item starts */
    ACT_ITEM_END, /* an item is complete */
    ACT_STATE,    /* says something about the response */
    ACT_PING,
    ACT_END, /* terminal */
    ACT_ERROR
};

struct event_type {
    const char *name;
    enum act act;
    uint32_t kind; /* LENS_EV_* of its text */
};

/* Most frequent first. */
static const struct event_type types[] = {
    { "response.output_text.delta", ACT_DELTA, LENS_EV_TEXT },
    { "response.reasoning_summary_text.delta", ACT_DELTA, LENS_EV_REASONING },
    { "response.reasoning_text.delta", ACT_DELTA, LENS_EV_REASONING },
    { "response.function_call_arguments.delta", ACT_DELTA, LENS_EV_TOOL },
    { "response.refusal.delta", ACT_DELTA, LENS_EV_REFUSAL },
    { "response.custom_tool_call_input.delta", ACT_DELTA, LENS_EV_TOOL },
    { "response.mcp_call_arguments.delta", ACT_DELTA, LENS_EV_TOOL },
    { "response.mcp_call.arguments.delta", ACT_DELTA, LENS_EV_TOOL },
    { "response.code_interpreter_call_code.delta", ACT_DELTA, LENS_EV_TOOL },
    { "response.code_interpreter_call.code.delta", ACT_DELTA, LENS_EV_TOOL },
    { "response.audio.delta", ACT_MEDIA, 0 },
    { "response.audio.transcript.delta", ACT_MEDIA, 0 },
    { "response.audio_transcript.delta", ACT_MEDIA, 0 },
    { "response.output_audio.delta", ACT_MEDIA, 0 },
    { "response.output_audio_transcript.delta", ACT_MEDIA, 0 },
    { "response.image_generation_call.partial_image", ACT_MEDIA, 0 },
    { "response.output_text.done", ACT_LATE, LENS_EV_TEXT },
    { "response.refusal.done", ACT_LATE, LENS_EV_REFUSAL },
    { "response.function_call_arguments.done", ACT_LATE, LENS_EV_TOOL },
    { "response.custom_tool_call_input.done", ACT_LATE, LENS_EV_TOOL },
    { "response.output_item.added", ACT_ITEM, 0 },
    { "response.output_item.done", ACT_ITEM_END, 0 },
    { "response.created", ACT_STATE, 0 },
    { "response.queued", ACT_STATE, 0 },
    { "response.in_progress", ACT_STATE, 0 },
    { "response.completed", ACT_END, 0 },
    { "response.incomplete", ACT_END, 0 },
    { "response.failed", ACT_END, 0 },
    { "response.cancelled", ACT_END, 0 },
    { "response.canceled", ACT_END, 0 },
    { "error", ACT_ERROR, 0 },
    { "response.error", ACT_ERROR, 0 },
    { "ping", ACT_PING, 0 },
    { "keepalive", ACT_PING, 0 },
};

/* Members of an event that matter. */
struct event {
    struct lens_json_string type, delta, text;
    struct lens_bytes item, response, error;
    int64_t output_index, tokens;
    bool media;
};

static bool
read_event(struct lens_bytes json, struct event *e)
{
    struct lens_json j;
    struct lens_bytes key;
    struct key_room room;
    struct lens_json_string text;

    lens_json_begin(&j, json.data, json.size);
    if (lens_json_peek(&j) != LENS_JSON_OBJECT) {
        lens_json_skip(&j);
        return lens_json_end(&j);
    }
    for (lens_json_object(&j); read_member(&j, &key, &room);) {
        if (KEY(key, "type")) {
            read_string(&j, &e->type);
        } else if (KEY(key, "delta")) {
            read_string(&j, &e->delta);
        } else if (KEY(key, "output_index")) {
            lens_json_int(&j, &e->output_index);
        } else if (KEY(key, "text") || KEY(key, "arguments") || KEY(key, "refusal") ||
                   KEY(key, "input")) {
            read_string(&j, &e->text);
        } else if (KEY(key, "item")) {
            read_raw(&j, &e->item);
        } else if (KEY(key, "response")) {
            read_raw(&j, &e->response);
        } else if (KEY(key, "error")) {
            read_raw(&j, &e->error);
        } else if (KEY(key, "logprobs")) {
            e->tokens = read_count(&j);
        } else if (KEY(key, "partial_image_b64")) {
            read_string(&j, &text);
            e->media = text.raw.size > 0;
        } else {
            lens_json_skip(&j);
        }
    }
    return lens_json_end(&j);
}

static bool
is_name(struct lens_bytes name, const char *of)
{
    return strlen(of) == name.size && memcmp(of, name.data, name.size) == 0;
}

/* The type stands in the JSON; proxies drop `event:` lines, so that one only helps out.
 */
static const struct event_type *
find_type(const struct event *e, const struct lens_frame *f)
{
    char room[96];
    struct lens_bytes name = e->type.raw;

    if (name.size == 0)
        name = f->name;
    else if (e->type.escaped && name.size <= sizeof room)
        name = (struct lens_bytes){ room, lens_json_unescape(&e->type, room) };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (is_name(name, types[i].name))
            return &types[i];
    return NULL;
}

static uint64_t
bit_of(int64_t index)
{
    return UINT64_C(1) << (index >= 0 && index < 63 ? index : 63);
}

/* ---- items ---- */

struct item {
    struct lens_json_string type, name, arguments;
    struct lens_bytes content, summary;
};

static void
read_item(struct lens_bytes json, struct item *it)
{
    struct lens_json j;
    struct lens_bytes key;
    struct key_room room;

    lens_json_begin(&j, json.data, json.size);
    if (lens_json_peek(&j) != LENS_JSON_OBJECT)
        return;
    for (lens_json_object(&j); read_member(&j, &key, &room);) {
        if (KEY(key, "type"))
            read_string(&j, &it->type);
        else if (KEY(key, "name"))
            read_string(&j, &it->name);
        else if (KEY(key, "arguments") || KEY(key, "input") || KEY(key, "code"))
            read_string(&j, &it->arguments);
        else if (KEY(key, "content"))
            read_raw(&j, &it->content);
        else if (KEY(key, "summary"))
            read_raw(&j, &it->summary);
        else
            lens_json_skip(&j);
    }
}

/* Calls whose name the model wrote; web searches and the like are the server's. */
static bool
is_call(const struct item *it)
{
    return KEY(it->type.raw, "function_call") || KEY(it->type.raw, "custom_tool_call") ||
           KEY(it->type.raw, "mcp_call");
}

static void
add(struct chunk *c, uint32_t kind, int64_t code, const struct lens_json_string *name,
    const struct lens_json_string *text)
{
    struct piece p = { .kind = kind, .code = (uint32_t)code };

    if (name != NULL)
        p.name = *name;
    if (text != NULL)
        p.text = *text;
    chunk_add(c, &p);
}

/* A list of content parts; all their texts are of `kind`, but for refusals. */
static void
add_content(struct chunk *c, struct lens_bytes json, uint32_t kind)
{
    struct lens_json j;
    struct lens_bytes key;
    struct key_room room;

    lens_json_begin(&j, json.data, json.size);
    if (lens_json_peek(&j) != LENS_JSON_ARRAY)
        return;
    for (lens_json_array(&j); lens_json_element(&j);) {
        struct lens_json_string text = { 0 }, refusal = { 0 };

        if (lens_json_peek(&j) != LENS_JSON_OBJECT) {
            lens_json_skip(&j);
            continue;
        }
        for (lens_json_object(&j); read_member(&j, &key, &room);) {
            if (KEY(key, "text"))
                read_string(&j, &text);
            else if (KEY(key, "refusal"))
                read_string(&j, &refusal);
            else
                lens_json_skip(&j);
        }
        add(c, kind, 0, NULL, &text);
        add(c, LENS_EV_REFUSAL, 0, NULL, &refusal);
    }
}

static void
add_item(struct chunk *c, struct lens_bytes json, int64_t index)
{
    struct item it = { 0 };

    read_item(json, &it);
    if (is_call(&it)) {
        add(c, LENS_EV_TOOL, index, &it.name, &it.arguments);
    } else if (KEY(it.type.raw, "reasoning")) {
        add_content(c, it.summary, LENS_EV_REASONING);
        add_content(c, it.content, LENS_EV_REASONING);
    } else if (KEY(it.type.raw, "message")) {
        add_content(c, it.content, LENS_EV_TEXT);
    }
}

static void
add_output(struct chunk *c, struct lens_bytes output)
{
    struct lens_json j;
    struct lens_bytes raw;
    int64_t index = 0;

    lens_json_begin(&j, output.data, output.size);
    if (lens_json_peek(&j) != LENS_JSON_ARRAY)
        return;
    for (lens_json_array(&j); lens_json_element(&j); index++)
        if (lens_json_raw(&j, &raw))
            add_item(c, raw, index);
}

/* ---- the response object ---- */

struct response {
    struct lens_json_string status, reason;
    struct lens_bytes error, output;
};

static void
read_reason(struct lens_json *j, struct lens_json_string *ret)
{
    struct lens_bytes key;
    struct key_room room;

    if (lens_json_peek(j) != LENS_JSON_OBJECT) {
        lens_json_skip(j);
        return;
    }
    for (lens_json_object(j); read_member(j, &key, &room);) {
        if (KEY(key, "reason"))
            read_string(j, ret);
        else
            lens_json_skip(j);
    }
}

static void
read_object_name(struct lens_json *j, struct chunk *c)
{
    struct lens_json_string name;

    read_string(j, &name);
    c->error_body = c->error_body || KEY(name.raw, "error");
}

static bool
read_response(struct lens_bytes json, struct chunk *c, struct response *r)
{
    struct lens_json j;
    struct lens_bytes key;
    struct key_room room;

    lens_json_begin(&j, json.data, json.size);
    if (lens_json_peek(&j) != LENS_JSON_OBJECT) {
        lens_json_skip(&j);
        return lens_json_end(&j);
    }
    for (lens_json_object(&j); read_member(&j, &key, &room);) {
        if (KEY(key, "id"))
            read_string(&j, &c->id);
        else if (KEY(key, "model"))
            read_string(&j, &c->model);
        else if (KEY(key, "service_tier"))
            read_string(&j, &c->tier);
        else if (KEY(key, "usage"))
            read_raw(&j, &c->usage);
        else if (KEY(key, "status"))
            read_string(&j, &r->status);
        else if (KEY(key, "incomplete_details"))
            read_reason(&j, &r->reason);
        else if (KEY(key, "error"))
            read_raw(&j, &r->error);
        else if (KEY(key, "output"))
            read_raw(&j, &r->output);
        else if (KEY(key, "detail"))
            c->error_body = lens_json_skip(&j);
        else if (KEY(key, "object"))
            read_object_name(&j, c);
        else
            lens_json_skip(&j);
    }
    return lens_json_end(&j);
}

static bool
is_cancelled(const struct lens_json_string *status)
{
    return KEY(status->raw, "cancelled") || KEY(status->raw, "canceled");
}

/* A response that failed or was stopped is no answer, whatever its HTTP status. */
static lens_status
tell_outcome(struct stream *s, const struct response *r)
{
    if (r->error.size > 0)
        return error_tell(s, r->error);
    if (KEY(r->status.raw, "failed"))
        return emit_fault(s, LENS_CLASS_STREAM_ERROR, LENS_KIND_SERVER,
                          "the response failed without a reason");
    if (is_cancelled(&r->status))
        return emit_fault(s, LENS_CLASS_STREAM_ERROR, LENS_KIND_CANCELLED,
                          "the response was cancelled");
    return LENS_OK;
}

/* Output that nobody streamed is told from the complete response. A second pass, when
 * there are more pieces than fit, tells them as they are found. */
static lens_status
tell_output(struct stream *s, struct chunk *c, struct lens_bytes output)
{
    lens_status st = LENS_OK;

    add_output(c, output);
    if (c->overflow) {
        c->direct = s;
        c->count = 0;
        add_output(c, output);
        return c->status;
    }
    for (unsigned i = 0; i < c->count && st == LENS_OK; i++)
        st = emit_piece(s, &c->piece[i]);
    c->count = 0;
    return st;
}

static lens_status
tell_finish(struct stream *s, struct chunk *c, const struct response *r)
{
    const struct piece p = { .kind = LENS_EV_FINISH,
                             .text = r->reason.raw.size > 0 ? r->reason : r->status };

    if (p.text.raw.size == 0)
        return LENS_OK;
    c->classes |= LENS_MSG_FINISH;
    return emit_piece(s, &p);
}

static lens_status
tell_response(struct stream *s, struct chunk *c, const struct response *r)
{
    lens_status st = emit_identity(s, c);

    if (st == LENS_OK && r->output.size > 0 && !(s->flags & STREAM_OUTPUT))
        st = tell_output(s, c, r->output);
    if (st == LENS_OK)
        st = tell_finish(s, c, r);
    if (st == LENS_OK && c->usage.size > 0) {
        c->classes |= LENS_MSG_USAGE;
        usage_merge(s, c->usage, true);
        st = usage_tell(s);
    }
    return st == LENS_OK ? tell_outcome(s, r) : st;
}

lens_status
responses_whole(struct stream *s, struct lens_bytes json)
{
    struct chunk c;
    struct response r = { 0 };
    lens_status st;

    chunk_clear(&c);
    if (!read_response(json, &c, &r))
        return decode_whole_broken(s, json);
    st = tell_response(s, &c, &r);
    if (st == LENS_OK && c.error_body)
        st = error_tell(s, json);
    if (st == LENS_OK)
        st = emit_not_streamed(s);
    if (st == LENS_OK && r.output.size == 0 && r.status.raw.size == 0)
        st = emit_fault(s, LENS_CLASS_PROTOCOL_ERROR, LENS_KIND_PROTOCOL,
                        "the answer has no output");
    return st;
}

/* ---- one event ---- */

static void
mark_streamed(struct stream *s, uint32_t kind, int64_t index)
{
    if (kind == LENS_EV_TOOL)
        s->items_with_tool |= bit_of(index);
    else if (kind != LENS_EV_REASONING)
        s->items_with_text |= bit_of(index);
}

static bool
was_streamed(const struct stream *s, uint32_t kind, int64_t index)
{
    return ((kind == LENS_EV_TOOL ? s->items_with_tool : s->items_with_text) &
            bit_of(index)) != 0;
}

/* Adds what the event brings of output. */
static void
add_event(struct stream *s, const struct event *e, const struct event_type *t,
          struct chunk *c)
{
    struct item it = { 0 };

    switch (t->act) {
    case ACT_DELTA:
        add(c, t->kind, t->kind == LENS_EV_TOOL ? e->output_index : 0, NULL, &e->delta);
        if (c->count > 0)
            mark_streamed(s, t->kind, e->output_index);
        break;
    case ACT_LATE:
        if (!was_streamed(s, t->kind, e->output_index))
            add(c, t->kind, t->kind == LENS_EV_TOOL ? e->output_index : 0, NULL,
                &e->text);
        if (c->count > 0)
            mark_streamed(s, t->kind, e->output_index);
        break;
    case ACT_MEDIA:
        if (e->delta.raw.size > 0 || e->media)
            c->classes |= LENS_MSG_MEDIA;
        break;
    case ACT_ITEM:
    case ACT_ITEM_END:
        read_item(e->item, &it);
        if (!is_call(&it) || it.name.raw.size == 0)
            break;
        if (!(s->items_named & bit_of(e->output_index)))
            add(c, LENS_EV_TOOL, e->output_index, &it.name, NULL);
        s->items_named |= bit_of(e->output_index);
        if (t->act == ACT_ITEM_END && !was_streamed(s, LENS_EV_TOOL, e->output_index))
            add(c, LENS_EV_TOOL, e->output_index, NULL, &it.arguments);
        break;
    default:
        break;
    }
}

static lens_status
failed_event(struct stream *s, const struct lens_frame *f)
{
    const lens_status st = error_tell(s, f->data);

    return st == LENS_OK ? decode_done(s, f, LENS_MSG_ERROR) : st;
}

/* The terminal event; its name says the state where the object does not. */
static lens_status
end_event(struct stream *s, const struct lens_frame *f, const struct event *e,
          const struct event_type *t, struct chunk *c)
{
    struct response r = { 0 };
    lens_status st;

    if (e->response.size > 0)
        read_response(e->response, c, &r);
    if (r.status.raw.size == 0) {
        r.status.raw.data = strchr(t->name, '.') + 1;
        r.status.raw.size = strlen(r.status.raw.data);
    }
    if (r.error.size == 0)
        r.error = e->error;
    st = tell_response(s, c, &r);
    if (st != LENS_OK)
        return st;
    if (s->flags & STREAM_FAILED)
        c->classes |= LENS_MSG_ERROR;
    return decode_done(s, f, c->classes);
}

lens_status
responses_message(struct stream *s, const struct lens_frame *f)
{
    struct chunk c;
    struct event e = { .tokens = -1 };
    const struct event_type *t;
    struct response r = { 0 };
    lens_status st = LENS_OK;

    chunk_clear(&c);
    if (!read_event(f->data, &e))
        return decode_broken(s, f);
    t = find_type(&e, f);
    if ((f->flags & LENS_FRAME_ERROR_FIELD) || (t != NULL && t->act == ACT_ERROR) ||
        (t == NULL && e.error.size > 0))
        return failed_event(s, f);
    if (t == NULL && (f->flags & LENS_FRAME_BARE))
        return decode_whole(s, f->data);
    if (t == NULL)
        return emit_message(s, LENS_MSG_OTHER, f, -1);
    if (t->act == ACT_END)
        return end_event(s, f, &e, t, &c);
    if (t->act == ACT_STATE && e.response.size > 0 && read_response(e.response, &c, &r)) {
        st = emit_identity(s, &c);
        if (c.usage.size > 0)
            usage_merge(s, c.usage, false);
    }
    add_event(s, &e, t, &c);
    for (unsigned i = 0; i < c.count && st == LENS_OK; i++)
        st = emit_piece(s, &c.piece[i]);
    if (t->act == ACT_PING)
        c.classes |= LENS_MSG_PING;
    return st == LENS_OK ? emit_message(s, c.classes, f, e.tokens > 0 ? e.tokens : -1)
                         : st;
}
