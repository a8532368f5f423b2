/* embeddings: texts in, vectors out; never streamed. */
#include <string.h>

#include "openai.h"
#include "sdk/body.h"
#include "sdk/emit.h"
#include "sdk/turns.h"

/* All texts of a turn as one string. LENS_E_UNSUPPORTED: it holds something else. */
static lens_status
write_turn(struct lens_writer *w, const struct lens_turn *t)
{
    struct lens_ask one = {
        .struct_size = sizeof one, .turns = t, .turn_count = 1, .turn_size = sizeof *t
    };

    for (uint32_t i = 0; i < t->part_count; i++)
        if (lens_part_at(t, i)->kind != LENS_PART_TEXT &&
            lens_part_at(t, i)->kind != LENS_PART_JSON)
            return LENS_E_UNSUPPORTED;
    lens_write_prompt(w, &one);
    return LENS_OK;
}

/* Each turn is a text of its own. */
static lens_status
write_input(struct lens_writer *w, const struct lens_ask *ask)
{
    lens_status st = LENS_OK;

    if (ask->turn_count == 1)
        return write_turn(w, lens_turn_at(ask, 0));
    for (uint32_t i = 0; i < ask->turn_count && st == LENS_OK; i++) {
        lens_write(w, i == 0 ? "[" : ",");
        st = write_turn(w, lens_turn_at(ask, i));
    }
    lens_write(w, ask->turn_count > 0 ? "]" : "\"\"");
    return st;
}

lens_status
embeddings_write(const struct provider *p, const struct lens_ask *ask,
                 struct lens_body *b)
{
    lens_status st = LENS_OK;

    if (lens_body_member(b, "input"))
        st = write_input(&b->w, ask);
    if (st != LENS_OK)
        return st;
    lens_body_text(b, "encoding_format", p->encoding);
    if (p->dimensions > 0)
        lens_body_int(b, "dimensions", p->dimensions);
    return LENS_OK;
}

struct answer {
    struct lens_json_string model, id;
    struct lens_bytes usage, data, error;
};

static bool
read_answer(struct lens_bytes json, struct answer *a)
{
    struct lens_json j;
    struct lens_bytes key;
    struct lens_key_room room;

    memset(a, 0, sizeof *a);
    lens_json_begin(&j, json.data, json.size);
    if (lens_read_object(&j))
        while (lens_read_member(&j, &key, &room)) {
            if (LENS_KEY(key, "data"))
                lens_read_raw(&j, &a->data);
            else if (LENS_KEY(key, "usage"))
                lens_read_raw(&j, &a->usage);
            else if (LENS_KEY(key, "model"))
                lens_read_string(&j, &a->model);
            else if (LENS_KEY(key, "id"))
                lens_read_string(&j, &a->id);
            else if (LENS_KEY(key, "error"))
                lens_read_raw(&j, &a->error);
            else
                lens_json_skip(&j);
        }
    return lens_json_end(&j);
}

/* Vectors, and the length of one: a list of numbers, or base64 of 32-bit floats. */
static void
measure(struct lens_bytes data, int64_t *ret_count, int64_t *ret_length)
{
    struct lens_json_string text;
    struct lens_bytes key;
    struct lens_key_room room;
    struct lens_json j;

    *ret_count = 0;
    *ret_length = -1;
    lens_json_begin(&j, data.data, data.size);
    for (lens_json_array(&j); lens_json_element(&j); ++*ret_count) {
        if (!lens_read_object(&j))
            continue;
        while (lens_read_member(&j, &key, &room)) {
            if (!LENS_KEY(key, "embedding")) {
                lens_json_skip(&j);
            } else if (lens_json_peek(&j) == LENS_JSON_STRING) {
                lens_read_string(&j, &text);
                while (text.raw.size > 0 && text.raw.data[text.raw.size - 1] == '=')
                    text.raw.size--;
                *ret_length = (int64_t)(text.raw.size * 3 / 4 / 4);
            } else {
                *ret_length = lens_read_count(&j);
            }
        }
    }
}

static lens_status
tell_vectors(struct stream *s, struct lens_bytes data)
{
    int64_t count, length;
    lens_status st;

    measure(data, &count, &length);
    st = lens_stream_extra(&s->base, "embeddings", count);
    return st == LENS_OK && length >= 0
               ? lens_stream_extra(&s->base, "dimensions", length)
               : st;
}

lens_status
embeddings_document(struct stream *s, struct lens_bytes json)
{
    struct lens_stream *base = &s->base;
    struct answer a;
    lens_status st;

    if (!read_answer(json, &a))
        return lens_stream_broken_document(base, json);
    st = lens_stream_id(base, &a.id);
    if (st == LENS_OK)
        st = lens_stream_model(base, &a.model);
    if (st == LENS_OK && a.usage.size > 0) {
        usage_merge(s, a.usage, true);
        /* Nothing is generated, and the bill needs to know that. */
        if (s->usage.output < 0 && s->usage.input >= 0)
            s->usage.output = 0;
        st = usage_tell(s);
    }
    if (st == LENS_OK && a.error.size > 0)
        return lens_stream_complain(base, json);
    if (st == LENS_OK && (a.data.size == 0 || a.data.data[0] != '['))
        return lens_stream_fault(base, LENS_CLASS_PROTOCOL_ERROR, LENS_KIND_PROTOCOL,
                                 "the answer has no vectors");
    return st == LENS_OK ? tell_vectors(s, a.data) : st;
}
