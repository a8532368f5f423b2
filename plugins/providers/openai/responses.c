/* responses: the typed events of the Responses api. */
#include <string.h>

#include "items.h"

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
    struct lens_bytes timings; /* of llama.cpp, beside the response */
    int64_t output_index, tokens;
    bool media;
};

static bool
read_event(struct lens_bytes json, struct event *e)
{
    struct lens_json j;
    struct lens_bytes key;
    struct lens_key_room room;
    struct lens_json_string text;

    lens_json_begin(&j, json.data, json.size);
    if (lens_json_peek(&j) != LENS_JSON_OBJECT) {
        lens_json_skip(&j);
        return lens_json_end(&j);
    }
    for (lens_json_object(&j); lens_read_member(&j, &key, &room);) {
        if (LENS_KEY(key, "type")) {
            lens_read_string(&j, &e->type);
        } else if (LENS_KEY(key, "delta")) {
            lens_read_string(&j, &e->delta);
        } else if (LENS_KEY(key, "output_index")) {
            lens_json_int(&j, &e->output_index);
        } else if (LENS_KEY(key, "text") || LENS_KEY(key, "arguments") ||
                   LENS_KEY(key, "refusal") || LENS_KEY(key, "input")) {
            lens_read_string(&j, &e->text);
        } else if (LENS_KEY(key, "item")) {
            lens_read_raw(&j, &e->item);
        } else if (LENS_KEY(key, "response")) {
            lens_read_raw(&j, &e->response);
        } else if (LENS_KEY(key, "error")) {
            lens_read_raw(&j, &e->error);
        } else if (LENS_KEY(key, "timings")) {
            lens_read_raw(&j, &e->timings);
        } else if (LENS_KEY(key, "logprobs")) {
            e->tokens = lens_read_count(&j);
        } else if (LENS_KEY(key, "partial_image_b64")) {
            lens_read_string(&j, &text);
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
        item_add(c, t->kind, t->kind == LENS_EV_TOOL ? e->output_index : 0, NULL,
                 &e->delta);
        if (c->count > 0)
            mark_streamed(s, t->kind, e->output_index);
        break;
    case ACT_LATE:
        if (!was_streamed(s, t->kind, e->output_index))
            item_add(c, t->kind, t->kind == LENS_EV_TOOL ? e->output_index : 0, NULL,
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
        item_read(e->item, &it);
        if (!item_is_call(&it) || it.name.raw.size == 0)
            break;
        if (!(s->items_named & bit_of(e->output_index)))
            item_add(c, LENS_EV_TOOL, e->output_index, &it.name, NULL);
        s->items_named |= bit_of(e->output_index);
        if (t->act == ACT_ITEM_END && !was_streamed(s, LENS_EV_TOOL, e->output_index))
            item_add(c, LENS_EV_TOOL, e->output_index, NULL, &it.arguments);
        break;
    default:
        break;
    }
}

static lens_status
failed_event(struct stream *s, const struct lens_frame *f)
{
    const lens_status st = lens_stream_complain(&s->base, f->data);

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
        response_read(e->response, c, &r);
    if (r.status.raw.size == 0) {
        r.status.raw.data = strchr(t->name, '.') + 1;
        r.status.raw.size = strlen(r.status.raw.data);
    }
    if (r.error.size == 0)
        r.error = e->error;
    st = response_tell(s, c, &r);
    if (st == LENS_OK && e->timings.size > 0)
        st = lens_emit_numbers(s->base.sink, e->timings, NULL, "");
    if (st != LENS_OK)
        return st;
    if (s->base.flags & LENS_STREAM_FAILED)
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
        return lens_stream_broken(&s->base, f);
    t = find_type(&e, f);
    if ((f->flags & LENS_FRAME_ERROR_FIELD) || (t != NULL && t->act == ACT_ERROR) ||
        (t == NULL && e.error.size > 0))
        return failed_event(s, f);
    if (t == NULL && (f->flags & LENS_FRAME_BARE))
        return decode_whole(s, f->data);
    if (t == NULL)
        return lens_stream_message(&s->base, LENS_MSG_OTHER, f, -1);
    if (t->act == ACT_END)
        return end_event(s, f, &e, t, &c);
    if (t->act == ACT_STATE && e.response.size > 0 && response_read(e.response, &c, &r)) {
        st = emit_identity(s, &c);
        if (c.usage.size > 0)
            usage_merge(s, c.usage, false);
    }
    add_event(s, &e, t, &c);
    for (unsigned i = 0; i < c.count && st == LENS_OK; i++)
        st = emit_piece(s, &c.piece[i]);
    if (t->act == ACT_PING)
        c.classes |= LENS_MSG_PING;
    return st == LENS_OK
               ? lens_stream_message(&s->base, c.classes, f, e.tokens > 0 ? e.tokens : -1)
               : st;
}
