/* candidates: the parts of each candidate of a message, read in one pass and told once
 * the message is known to be JSON. */
#include "gemini.h"

/* NULL: no room, which the message remembers. */
static struct piece *
add_piece(struct stream *s, struct message *m, uint32_t kind)
{
    const struct lens_host *h = s->base.host;

    if (m->count == s->piece_room) {
        const size_t room = s->piece_room == 0 ? 16 : s->piece_room * 2;
        struct piece *grown =
            h->grow(h, s->pieces, s->piece_room * sizeof *grown, room * sizeof *grown);

        if (grown == NULL) {
            m->status = LENS_E_TOO_LARGE;
            return NULL;
        }
        s->pieces = grown;
        s->piece_room = room;
    }
    memset(&s->pieces[m->count], 0, sizeof *s->pieces);
    s->pieces[m->count].kind = kind;
    return &s->pieces[m->count++];
}

/* A call comes whole, or with streamed arguments as `partialArgs` of calls without a
 * name. */
static void
read_call(struct stream *s, struct lens_json *j, struct message *m)
{
    struct lens_json_string name = { 0 };
    struct lens_json_string arguments = { 0 }; /* JSON, taken as it stands */
    struct lens_bytes key;
    struct lens_key_room room;
    struct piece *p;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "name"))
            lens_read_string(j, &name);
        else if (LENS_KEY(key, "args") || LENS_KEY(key, "partialArgs"))
            lens_read_raw(j, &arguments.raw);
        else
            lens_json_skip(j);
    }
    if (name.raw.size == 0 && arguments.raw.size <= 2)
        return;
    m->classes |= LENS_MSG_TOOL;
    p = add_piece(s, m, LENS_EV_TOOL);
    if (p == NULL)
        return;
    p->name = name;
    p->text = arguments;
}

/* Code that the model wrote for the server to run. */
static void
read_code(struct stream *s, struct lens_json *j, struct message *m)
{
    static const struct lens_json_string name = { { "code_execution", 14 }, 0 };
    struct lens_json_string code = { 0 };
    struct lens_bytes key;
    struct lens_key_room room;
    struct piece *p;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "code"))
            lens_read_string(j, &code);
        else
            lens_json_skip(j);
    }
    if (code.raw.size == 0)
        return;
    m->classes |= LENS_MSG_TOOL;
    p = add_piece(s, m, LENS_EV_TOOL);
    if (p == NULL)
        return;
    p->name = name;
    p->text = code;
}

static void
read_part(struct stream *s, struct lens_json *j, struct message *m)
{
    struct lens_json_string text = { 0 };
    struct lens_bytes key, raw;
    struct lens_key_room room;
    struct piece *p;
    int32_t thought = 0;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "text")) {
            lens_read_string(j, &text);
        } else if (LENS_KEY(key, "thought")) {
            lens_json_bool(j, &thought);
        } else if (LENS_KEY(key, "functionCall")) {
            read_call(s, j, m);
        } else if (LENS_KEY(key, "executableCode")) {
            read_code(s, j, m);
        } else if (LENS_KEY(key, "inlineData") || LENS_KEY(key, "fileData")) {
            lens_read_raw(j, &raw);
            m->classes |= raw.size > 2 ? LENS_MSG_MEDIA : 0;
        } else {
            lens_json_skip(j);
        }
    }
    if (text.raw.size == 0)
        return;
    m->classes |= thought ? LENS_MSG_REASONING : LENS_MSG_TEXT;
    p = add_piece(s, m, thought ? LENS_EV_REASONING : LENS_EV_TEXT);
    if (p != NULL)
        p->text = text;
}

static void
read_content(struct stream *s, struct lens_json *j, struct message *m)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (!LENS_KEY(key, "parts") || lens_json_peek(j) != LENS_JSON_ARRAY) {
            lens_json_skip(j);
            continue;
        }
        for (lens_json_array(j); lens_json_element(j);)
            read_part(s, j, m);
    }
}

static uint64_t
bit_of(uint32_t lane)
{
    return UINT64_C(1) << (lane < 63 ? lane : 63);
}

static void
read_candidate(struct stream *s, struct lens_json *j, struct message *m)
{
    const size_t first = m->count;
    struct lens_json_string reason = { 0 };
    struct lens_bytes key;
    struct lens_key_room room;
    struct piece *p;
    int64_t index = 0;
    uint32_t lane;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "content"))
            read_content(s, j, m);
        else if (LENS_KEY(key, "finishReason"))
            lens_read_string(j, &reason);
        else if (LENS_KEY(key, "index"))
            lens_json_int(j, &index);
        else
            lens_json_skip(j);
    }
    lane = index > 0 && index < 1024 ? (uint32_t)index : 0;
    m->lanes |= bit_of(lane);
    if (reason.raw.size > 0 && !LENS_KEY(reason.raw, "FINISH_REASON_UNSPECIFIED")) {
        m->classes |= LENS_MSG_FINISH;
        m->finished |= bit_of(lane);
        p = add_piece(s, m, LENS_EV_FINISH);
        if (p != NULL)
            p->text = reason;
    }
    for (size_t i = first; i < m->count; i++)
        s->pieces[i].lane = lane;
}

void
candidates_read(struct stream *s, struct lens_json *j, struct message *m)
{
    if (lens_json_peek(j) != LENS_JSON_ARRAY) {
        lens_json_skip(j);
        return;
    }
    m->candidates = true;
    for (lens_json_array(j); lens_json_element(j);)
        read_candidate(s, j, m);
}

lens_status
candidates_tell(struct stream *s, const struct message *m)
{
    lens_status st = LENS_OK;

    s->lanes |= m->lanes;
    s->finished |= m->finished;
    s->usage_final = s->usage_final || m->finished != 0;
    for (size_t i = 0; i < m->count && st == LENS_OK; i++) {
        const struct piece *p = &s->pieces[i];

        /* A fragment without a name goes on with the call before it. */
        if (p->kind == LENS_EV_TOOL && (p->name.raw.size > 0 || s->next_tool == 0))
            s->next_tool++;
        st = lens_stream_text(&s->base, p->kind, p->lane,
                              p->kind == LENS_EV_TOOL ? s->next_tool - 1 : 0, &p->name,
                              &p->text);
    }
    return st;
}
