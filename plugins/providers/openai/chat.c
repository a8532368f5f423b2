/* chat: messages of chat and completions, streamed or whole. One reader serves both apis
 * and all their dialects, for servers mix them. */
#include <string.h>

#include "openai.h"

/* Tokens behind a `logprobs` member: one entry a token. */
static int64_t
count_logprobs(struct lens_json *j)
{
    struct lens_bytes key;
    struct lens_key_room room;
    int64_t count = -1;

    if (lens_json_peek(j) != LENS_JSON_OBJECT) {
        lens_json_skip(j);
        return -1;
    }
    for (lens_json_object(j); lens_read_member(j, &key, &room);) {
        if (LENS_KEY(key, "content") || LENS_KEY(key, "tokens"))
            count = lens_read_count(j);
        else
            lens_json_skip(j);
    }
    return count;
}

struct choice {
    struct lens_json_string text, finish;
    struct lens_bytes message;
    int64_t index, ids, logprobs;
    bool delta;
    unsigned first; /* of its pieces */
};

/* The index may stand behind the delta, and in the second pass pieces do not wait. */
static void
look_for_index(struct lens_json j, int64_t *ret)
{
    struct lens_bytes key;
    struct lens_key_room room;

    for (lens_json_object(&j); lens_read_member(&j, &key, &room);) {
        if (LENS_KEY(key, "index"))
            lens_json_int(&j, ret);
        else
            lens_json_skip(&j);
    }
}

static void
read_choice_members(struct stream *s, struct chunk *c, struct lens_json *j,
                    struct choice *ch)
{
    struct lens_bytes key;
    struct lens_key_room room;

    for (lens_json_object(j); lens_read_member(j, &key, &room);) {
        if (LENS_KEY(key, "delta")) {
            ch->delta = lens_json_peek(j) == LENS_JSON_OBJECT;
            c->count = ch->first;
            delta_read(s, c, j, (uint32_t)ch->index);
        } else if (LENS_KEY(key, "index")) {
            lens_json_int(j, &ch->index);
        } else if (LENS_KEY(key, "finish_reason")) {
            lens_read_string(j, &ch->finish);
        } else if (LENS_KEY(key, "text")) {
            lens_read_string(j, &ch->text);
        } else if (LENS_KEY(key, "message")) {
            lens_read_raw(j, &ch->message);
        } else if (LENS_KEY(key, "logprobs")) {
            ch->logprobs = count_logprobs(j);
        } else if (LENS_KEY(key, "token_ids")) {
            ch->ids = lens_read_count(j);
        } else if (LENS_KEY(key, "usage")) {
            lens_read_raw(j, &c->choice_usage);
        } else {
            lens_json_skip(j);
        }
    }
}

static void
read_choice(struct stream *s, struct chunk *c, struct lens_json *j, unsigned position)
{
    struct choice ch = { .index = position, .ids = -1, .logprobs = -1 };
    struct lens_json inner;

    if (lens_json_peek(j) != LENS_JSON_OBJECT) {
        lens_json_skip(j);
        return;
    }
    ch.first = c->count;
    if (c->direct != NULL)
        look_for_index(*j, &ch.index);
    read_choice_members(s, c, j, &ch);
    if (j->bad)
        return;
    if (ch.index < 0 || ch.index > INT32_MAX)
        ch.index = position;
    if (!ch.delta && ch.message.size > 0) {
        c->whole = true;
        lens_json_begin(&inner, ch.message.data, ch.message.size);
        delta_read(s, c, &inner, (uint32_t)ch.index);
    }
    chunk_add_text(c, LENS_EV_TEXT, (uint32_t)ch.index, &ch.text);
    chunk_add_text(c, LENS_EV_FINISH, (uint32_t)ch.index, &ch.finish);
    for (unsigned i = ch.first; i < c->count; i++)
        c->piece[i].lane = (uint32_t)ch.index;

    const uint64_t lane = UINT64_C(1) << (ch.index < 63 ? ch.index : 63);

    c->lanes |= lane;
    if (ch.finish.raw.size > 0)
        c->finished |= lane;
    if (ch.ids >= 0 || ch.logprobs >= 0)
        c->tokens =
            (c->tokens < 0 ? 0 : c->tokens) + (ch.ids >= 0 ? ch.ids : ch.logprobs);
}

static void
read_choices(struct stream *s, struct chunk *c, struct lens_json *j)
{
    unsigned count = 0;

    c->count = 0;
    if (lens_json_peek(j) != LENS_JSON_ARRAY) {
        lens_json_skip(j);
        return;
    }
    for (lens_json_array(j); lens_json_element(j); count++)
        read_choice(s, c, j, count);
    c->has_choices = count > 0;
    c->empty_choices = count == 0;
}

/* Groq puts usage and its request id into a member of its own. */
static void
read_groq(struct chunk *c, struct lens_json *j)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (lens_json_peek(j) != LENS_JSON_OBJECT) {
        lens_json_skip(j);
        return;
    }
    for (lens_json_object(j); lens_read_member(j, &key, &room);) {
        if (LENS_KEY(key, "usage"))
            lens_read_raw(j, &c->groq_usage);
        else if (LENS_KEY(key, "error"))
            lens_read_raw(j, &c->error);
        else
            lens_json_skip(j);
    }
}

/* Members that are rare or stand off the hot path. False: none of them. */
static bool
read_rare(struct chunk *c, struct lens_json *j, const struct lens_bytes *key)
{
    struct lens_json_string text;

    if (LENS_KEY(*key, "timings")) {
        lens_read_raw(j, &c->timings);
    } else if (LENS_KEY(*key, "metrics")) {
        lens_read_raw(j, &c->metrics);
    } else if (LENS_KEY(*key, "stats")) {
        lens_read_raw(j, &c->stats);
    } else if (LENS_KEY(*key, "x_groq")) {
        read_groq(c, j);
    } else if (LENS_KEY(*key, "type")) {
        lens_read_string(j, &text);
        c->error_body = c->error_body || LENS_KEY(text.raw, "error");
    } else if (LENS_KEY(*key, "detail") || LENS_KEY(*key, "error_code")) {
        c->error_body = true;
        lens_json_skip(j);
    } else {
        return false;
    }
    return true;
}

static void
read_error(struct lens_json *j, struct chunk *c)
{
    const enum lens_json_type type = lens_json_peek(j);

    lens_read_raw(j, &c->error);
    if ((type != LENS_JSON_OBJECT && type != LENS_JSON_STRING &&
         type != LENS_JSON_ARRAY) ||
        (type == LENS_JSON_STRING && c->error.size <= 2))
        c->error = (struct lens_bytes){ 0 };
}

static void
read_members(struct stream *s, struct chunk *c, struct lens_json *j)
{
    struct lens_json_string text;
    struct lens_bytes key;
    struct lens_key_room room;

    for (lens_json_object(j); lens_read_member(j, &key, &room);) {
        if (LENS_KEY(key, "choices")) {
            read_choices(s, c, j);
        } else if (LENS_KEY(key, "id")) {
            lens_read_string(j, &c->id);
        } else if (LENS_KEY(key, "model")) {
            lens_read_string(j, &c->model);
        } else if (LENS_KEY(key, "object")) {
            lens_read_string(j, &text);
            c->error_body = c->error_body || LENS_KEY(text.raw, "error");
        } else if (LENS_KEY(key, "usage")) {
            lens_read_raw(j, &c->usage);
        } else if (LENS_KEY(key, "service_tier")) {
            lens_read_string(j, &c->tier);
        } else if (LENS_KEY(key, "error")) {
            read_error(j, c);
        } else if (!read_rare(c, j, &key)) {
            lens_json_skip(j);
        }
    }
}

bool
chat_read(struct stream *s, struct lens_bytes json, struct chunk *c)
{
    struct lens_json j;

    lens_json_begin(&j, json.data, json.size);
    if (lens_json_peek(&j) == LENS_JSON_OBJECT)
        read_members(s, c, &j);
    else
        lens_json_skip(&j);
    return lens_json_end(&j);
}
