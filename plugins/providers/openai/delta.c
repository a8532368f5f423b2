/* delta: what a delta of a stream or the message of a whole answer says, in the forms of
 * all servers. */
#include <string.h>

#include "openai.h"

/* Members of a delta or message; the last of equal keys wins. */
struct delta {
    struct lens_json_string content, reasoning, reasoning_content, refusal;
    struct lens_bytes parts, reasoning_details, tool_calls, function_call;
    bool role, media;
};

static void read_parts(struct chunk *c, struct lens_bytes json, uint32_t lane,
                       uint32_t kind);

/* `{"type":"text","text":"a"}` and `{"type":"thinking","thinking":[..]}` (Mistral);
 * other parts are references and the like, no output. */
static void
read_part(struct chunk *c, struct lens_json *j, uint32_t lane, uint32_t kind)
{
    struct lens_json_string text = { 0 };
    struct lens_bytes key, thinking = { 0 };
    struct lens_key_room room;

    if (lens_json_peek(j) != LENS_JSON_OBJECT) {
        lens_read_string(j, &text);
        chunk_add_text(c, kind, lane, &text);
        return;
    }
    for (lens_json_object(j); lens_read_member(j, &key, &room);) {
        if (LENS_KEY(key, "text"))
            lens_read_string(j, &text);
        else if (LENS_KEY(key, "thinking"))
            lens_read_raw(j, &thinking);
        else
            lens_json_skip(j);
    }
    chunk_add_text(c, kind, lane, &text);
    if (thinking.size > 0 && kind != LENS_EV_REASONING)
        read_parts(c, thinking, lane, LENS_EV_REASONING);
}

static void
read_parts(struct chunk *c, struct lens_bytes json, uint32_t lane, uint32_t kind)
{
    struct lens_json j;

    lens_json_begin(&j, json.data, json.size);
    if (lens_json_peek(&j) != LENS_JSON_ARRAY) {
        read_part(c, &j, lane, kind);
        return;
    }
    for (lens_json_array(&j); lens_json_element(&j);)
        read_part(c, &j, lane, kind);
}

/* Arguments are a string; Mistral and Ollama also send them as an object. */
static void
read_arguments(struct lens_json *j, struct lens_json_string *ret)
{
    *ret = (struct lens_json_string){ 0 };
    if (lens_json_peek(j) == LENS_JSON_STRING)
        lens_read_string(j, ret);
    else
        lens_read_raw(j, &ret->raw);
}

/* `{"name":"f","arguments":"{"}`, or `input` for the arguments of a custom tool. */
static void
read_function(struct lens_json *j, struct piece *p)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (lens_json_peek(j) != LENS_JSON_OBJECT) {
        lens_json_skip(j);
        return;
    }
    for (lens_json_object(j); lens_read_member(j, &key, &room);) {
        if (LENS_KEY(key, "name"))
            lens_read_string(j, &p->name);
        else if (LENS_KEY(key, "arguments") || LENS_KEY(key, "input"))
            read_arguments(j, &p->text);
        else
            lens_json_skip(j);
    }
}

static void
read_tool_call(struct stream *s, struct chunk *c, struct lens_json *j, uint32_t lane)
{
    struct piece p = { .kind = LENS_EV_TOOL, .lane = lane };
    struct lens_json_string id = { 0 };
    struct lens_bytes key;
    struct lens_key_room room;
    int64_t index = -1;

    if (lens_json_peek(j) != LENS_JSON_OBJECT) {
        lens_json_skip(j);
        return;
    }
    for (lens_json_object(j); lens_read_member(j, &key, &room);) {
        if (LENS_KEY(key, "index")) {
            if (!lens_json_int(j, &index))
                index = -1;
        } else if (LENS_KEY(key, "function") || LENS_KEY(key, "custom")) {
            read_function(j, &p);
        } else if (LENS_KEY(key, "id")) {
            lens_read_string(j, &id);
        } else {
            lens_json_skip(j);
        }
    }
    p.id = tools_id(&id);
    /* Without an index a name starts the next call, and anything else continues it. */
    if (index < 0) {
        if (p.name.raw.size > 0 || s->next_tool == 0)
            c->new_tools++;
        index = (int64_t)s->next_tool + c->new_tools - 1;
    }
    p.code = (uint32_t)index;
    chunk_add(c, &p);
}

static void
read_tool_calls(struct stream *s, struct chunk *c, struct lens_bytes json, uint32_t lane)
{
    struct lens_json j;

    lens_json_begin(&j, json.data, json.size);
    if (lens_json_peek(&j) != LENS_JSON_ARRAY) {
        read_tool_call(s, c, &j, lane);
        return;
    }
    for (lens_json_array(&j); lens_json_element(&j);)
        read_tool_call(s, c, &j, lane);
}

static void
read_function_call(struct chunk *c, struct lens_bytes json, uint32_t lane)
{
    struct piece p = { .kind = LENS_EV_TOOL, .lane = lane };
    struct lens_json j;

    lens_json_begin(&j, json.data, json.size);
    read_function(&j, &p);
    chunk_add(c, &p);
}

/* Whether an audio object or a list of images brings any data. */
static bool
has_media(struct lens_json *j)
{
    struct lens_json_string text;
    struct lens_bytes key;
    struct lens_key_room room;
    bool found = false;

    if (lens_json_peek(j) != LENS_JSON_OBJECT)
        return lens_read_count(j) > 0;
    for (lens_json_object(j); lens_read_member(j, &key, &room);) {
        if (LENS_KEY(key, "data") || LENS_KEY(key, "transcript")) {
            lens_read_string(j, &text);
            found = found || text.raw.size > 0;
        } else {
            lens_json_skip(j);
        }
    }
    return found;
}

static void
read_content(struct lens_json *j, struct delta *d)
{
    d->content = (struct lens_json_string){ 0 };
    d->parts = (struct lens_bytes){ 0 };
    if (lens_json_peek(j) == LENS_JSON_ARRAY)
        lens_read_raw(j, &d->parts);
    else
        lens_read_string(j, &d->content);
}

static void
read_delta_members(struct lens_json *j, struct delta *d)
{
    struct lens_json_string role;
    struct lens_bytes key;
    struct lens_key_room room;

    for (lens_json_object(j); lens_read_member(j, &key, &room);) {
        if (LENS_KEY(key, "content")) {
            read_content(j, d);
        } else if (LENS_KEY(key, "role")) {
            lens_read_string(j, &role);
            d->role = role.raw.size > 0;
        } else if (LENS_KEY(key, "reasoning_content")) {
            lens_read_string(j, &d->reasoning_content);
        } else if (LENS_KEY(key, "reasoning")) {
            lens_read_string(j, &d->reasoning);
        } else if (LENS_KEY(key, "tool_calls")) {
            lens_read_raw(j, &d->tool_calls);
        } else if (LENS_KEY(key, "refusal")) {
            lens_read_string(j, &d->refusal);
        } else if (LENS_KEY(key, "reasoning_details")) {
            lens_read_raw(j, &d->reasoning_details);
        } else if (LENS_KEY(key, "function_call")) {
            lens_read_raw(j, &d->function_call);
        } else if (LENS_KEY(key, "audio") || LENS_KEY(key, "images")) {
            d->media = has_media(j);
        } else {
            lens_json_skip(j);
        }
    }
}

/* OpenRouter's list: it repeats `reasoning`, so only what that does not say counts. An
 * encrypted thought is output without text; a signature is none. */
static void
read_reasoning_details(struct chunk *c, struct lens_bytes json, uint32_t lane)
{
    struct lens_json_string text, data;
    struct lens_json j;
    struct lens_bytes key;
    struct lens_key_room room;

    lens_json_begin(&j, json.data, json.size);
    if (lens_json_peek(&j) != LENS_JSON_ARRAY)
        return;
    for (lens_json_array(&j); lens_json_element(&j);) {
        if (lens_json_peek(&j) != LENS_JSON_OBJECT) {
            lens_json_skip(&j);
            continue;
        }
        text = data = (struct lens_json_string){ 0 };
        for (lens_json_object(&j); lens_read_member(&j, &key, &room);) {
            if (LENS_KEY(key, "text") || LENS_KEY(key, "summary"))
                lens_read_string(&j, &text);
            else if (LENS_KEY(key, "data"))
                lens_read_string(&j, &data);
            else
                lens_json_skip(&j);
        }
        chunk_add_text(c, LENS_EV_REASONING, lane, &text);
        if (data.raw.size > 0)
            c->classes |= LENS_MSG_REASONING;
    }
}

/* A delta of a stream, or the message of a whole answer. */
void
delta_read(struct stream *s, struct chunk *c, struct lens_json *j, uint32_t lane)
{
    struct delta d = { 0 };

    if (lens_json_peek(j) != LENS_JSON_OBJECT) {
        lens_json_skip(j);
        return;
    }
    read_delta_members(j, &d);
    if (j->bad)
        return;
    if (d.role)
        c->classes |= LENS_MSG_ROLE;
    if (d.media)
        c->classes |= LENS_MSG_MEDIA;
    /* Gateways send the same thoughts under both names. */
    chunk_add_text(c, LENS_EV_REASONING, lane,
                   d.reasoning_content.raw.size > 0 ? &d.reasoning_content
                                                    : &d.reasoning);
    if (d.reasoning_details.size > 0 && d.reasoning_content.raw.size == 0 &&
        d.reasoning.raw.size == 0)
        read_reasoning_details(c, d.reasoning_details, lane);
    chunk_add_text(c, LENS_EV_TEXT, lane, &d.content);
    if (d.parts.size > 0)
        read_parts(c, d.parts, lane, LENS_EV_TEXT);
    chunk_add_text(c, LENS_EV_REFUSAL, lane, &d.refusal);
    if (d.function_call.size > 0)
        read_function_call(c, d.function_call, lane);
    if (d.tool_calls.size > 0)
        read_tool_calls(s, c, d.tool_calls, lane);
}
