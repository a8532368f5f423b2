/* candidates: the parts of each candidate of a message, told as they stand. The message
 * has been checked to be JSON before. */
#include "gemini.h"

/* One part of a candidate's content. */
struct part {
    struct lens_json_string text;
    int32_t thought;
    struct lens_bytes call, code; /* functionCall, executableCode */
    bool media;
};

static void
read_part(struct lens_json *j, struct part *p)
{
    struct lens_bytes key, raw;
    struct lens_key_room room;

    memset(p, 0, sizeof *p);
    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "text")) {
            lens_read_string(j, &p->text);
        } else if (LENS_KEY(key, "thought")) {
            lens_json_bool(j, &p->thought);
        } else if (LENS_KEY(key, "functionCall")) {
            lens_read_raw(j, &p->call);
        } else if (LENS_KEY(key, "executableCode")) {
            lens_read_raw(j, &p->code);
        } else if (LENS_KEY(key, "inlineData") || LENS_KEY(key, "fileData")) {
            lens_read_raw(j, &raw);
            p->media = p->media || raw.size > 2;
        } else {
            lens_json_skip(j);
        }
    }
}

/* A call comes whole, or with streamed arguments as `partialArgs` of calls without a
 * name. */
static lens_status
tell_function_call(struct stream *s, struct message *m, uint32_t lane,
                   struct lens_bytes json)
{
    struct lens_json_string name = { 0 };
    struct lens_json_string arguments = { 0 }; /* JSON, taken as it stands */
    struct lens_bytes key;
    struct lens_key_room room;
    struct lens_json j;

    lens_json_begin(&j, json.data, json.size);
    for (lens_json_object(&j); lens_read_member(&j, &key, &room);) {
        if (LENS_KEY(key, "name"))
            lens_read_string(&j, &name);
        else if (LENS_KEY(key, "args") || LENS_KEY(key, "partialArgs"))
            lens_read_raw(&j, &arguments.raw);
        else
            lens_json_skip(&j);
    }
    if (name.raw.size == 0 && arguments.raw.size <= 2)
        return LENS_OK;
    if (name.raw.size > 0 || s->next_tool == 0)
        s->next_tool++;
    m->classes |= LENS_MSG_TOOL;
    return lens_stream_text(&s->base, LENS_EV_TOOL, lane, s->next_tool - 1, &name,
                            &arguments);
}

/* Code that the model wrote for the server to run. */
static lens_status
tell_code(struct stream *s, struct message *m, uint32_t lane, struct lens_bytes json)
{
    static const struct lens_json_string name = { { "code_execution", 14 }, 0 };
    struct lens_json_string code = { 0 };
    struct lens_bytes key;
    struct lens_key_room room;
    struct lens_json j;

    lens_json_begin(&j, json.data, json.size);
    for (lens_json_object(&j); lens_read_member(&j, &key, &room);) {
        if (LENS_KEY(key, "code"))
            lens_read_string(&j, &code);
        else
            lens_json_skip(&j);
    }
    if (code.raw.size == 0)
        return LENS_OK;
    m->classes |= LENS_MSG_TOOL;
    return lens_stream_text(&s->base, LENS_EV_TOOL, lane, s->next_tool++, &name, &code);
}

static lens_status
tell_part(struct stream *s, struct message *m, uint32_t lane, const struct part *p)
{
    const uint32_t kind = p->thought ? LENS_EV_REASONING : LENS_EV_TEXT;
    lens_status st = LENS_OK;

    if (p->media)
        m->classes |= LENS_MSG_MEDIA;
    if (p->text.raw.size > 0) {
        m->classes |= p->thought ? LENS_MSG_REASONING : LENS_MSG_TEXT;
        st = lens_stream_text(&s->base, kind, lane, 0, NULL, &p->text);
    }
    if (st == LENS_OK && p->call.size > 0)
        st = tell_function_call(s, m, lane, p->call);
    return st == LENS_OK && p->code.size > 0 ? tell_code(s, m, lane, p->code) : st;
}

static lens_status
tell_content(struct stream *s, struct message *m, uint32_t lane, struct lens_bytes json)
{
    struct lens_bytes key;
    struct lens_key_room room;
    struct lens_json j;
    struct part p;
    lens_status st = LENS_OK;

    lens_json_begin(&j, json.data, json.size);
    for (lens_json_object(&j); lens_read_member(&j, &key, &room);) {
        if (!LENS_KEY(key, "parts") || lens_json_peek(&j) != LENS_JSON_ARRAY) {
            lens_json_skip(&j);
            continue;
        }
        for (lens_json_array(&j); lens_json_element(&j);) {
            read_part(&j, &p);
            if (st == LENS_OK)
                st = tell_part(s, m, lane, &p);
        }
    }
    return st;
}

static lens_status
tell_finish(struct stream *s, struct message *m, uint32_t lane,
            const struct lens_json_string *reason)
{
    m->classes |= LENS_MSG_FINISH;
    s->finished |= UINT64_C(1) << (lane < 63 ? lane : 63);
    s->usage_final = true;
    return lens_stream_text(&s->base, LENS_EV_FINISH, lane, 0, NULL, reason);
}

static lens_status
tell_candidate(struct stream *s, struct message *m, struct lens_json *j)
{
    struct lens_json_string reason = { 0 };
    struct lens_bytes key, content = { 0 };
    struct lens_key_room room;
    int64_t index = 0;
    uint32_t lane;
    lens_status st = LENS_OK;

    if (!lens_read_object(j))
        return LENS_OK;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "content"))
            lens_read_raw(j, &content);
        else if (LENS_KEY(key, "finishReason"))
            lens_read_string(j, &reason);
        else if (LENS_KEY(key, "index"))
            lens_json_int(j, &index);
        else
            lens_json_skip(j);
    }
    lane = index > 0 && index < 1024 ? (uint32_t)index : 0;
    s->lanes |= UINT64_C(1) << (lane < 63 ? lane : 63);
    if (content.size > 0)
        st = tell_content(s, m, lane, content);
    if (st == LENS_OK && reason.raw.size > 0 &&
        !LENS_KEY(reason.raw, "FINISH_REASON_UNSPECIFIED"))
        st = tell_finish(s, m, lane, &reason);
    return st;
}

lens_status
candidates_tell(struct stream *s, struct message *m)
{
    struct lens_json j;
    lens_status st = LENS_OK;

    lens_json_begin(&j, m->candidates.data, m->candidates.size);
    if (lens_json_peek(&j) != LENS_JSON_ARRAY)
        return LENS_OK;
    for (lens_json_array(&j); lens_json_element(&j);) {
        if (st == LENS_OK)
            st = tell_candidate(s, m, &j);
        else
            lens_json_skip(&j);
    }
    return st;
}
