#include "chunk.h"

#include <string.h>

#include "openai.h"

void
chunk_clear(struct chunk *c)
{
    /* The pieces are written before they are read: clearing them would cost more than
     * reading the message. */
    memset(c, 0, offsetof(struct chunk, piece));
    c->tokens = -1;
}

static uint32_t
class_of(uint32_t kind)
{
    switch (kind) {
    case LENS_EV_TEXT:
        return LENS_MSG_TEXT;
    case LENS_EV_REASONING:
        return LENS_MSG_REASONING;
    case LENS_EV_REFUSAL:
        return LENS_MSG_REFUSAL;
    case LENS_EV_TOOL:
        return LENS_MSG_TOOL;
    case LENS_EV_FINISH:
        return LENS_MSG_FINISH;
    default:
        return 0;
    }
}

void
chunk_add(struct chunk *c, const struct piece *p)
{
    if (p->text.raw.size == 0 && p->name.raw.size == 0)
        return;
    c->classes |= class_of(p->kind);
    if (c->direct != NULL) {
        if (c->status == LENS_OK)
            c->status = emit_piece(c->direct, p);
    } else if (c->count < PIECE_MAX) {
        c->piece[c->count++] = *p;
    } else {
        c->overflow = true;
    }
}

void
chunk_add_text(struct chunk *c, uint32_t kind, uint32_t lane,
               const struct lens_json_string *text)
{
    const struct piece p = { .kind = kind, .lane = lane, .text = *text };

    chunk_add(c, &p);
}

int
read_member(struct lens_json *j, struct lens_bytes *ret_key, struct key_room *room)
{
    if (!lens_json_member(j, ret_key))
        return 0;
    if (memchr(ret_key->data, '\\', ret_key->size) != NULL &&
        ret_key->size <= sizeof room->text) {
        const struct lens_json_string key = { *ret_key, 1 };

        ret_key->size = lens_json_unescape(&key, room->text);
        ret_key->data = room->text;
    }
    return 1;
}

void
read_string(struct lens_json *j, struct lens_json_string *ret)
{
    if (!lens_json_string(j, ret))
        *ret = (struct lens_json_string){ 0 };
}

void
read_raw(struct lens_json *j, struct lens_bytes *ret)
{
    const enum lens_json_type type = lens_json_peek(j);

    if (!lens_json_raw(j, ret) || type == LENS_JSON_NULL)
        *ret = (struct lens_bytes){ 0 };
}

int64_t
read_count(struct lens_json *j)
{
    int64_t count = 0;

    if (lens_json_peek(j) != LENS_JSON_ARRAY) {
        lens_json_skip(j);
        return -1;
    }
    for (lens_json_array(j); lens_json_element(j); count++)
        lens_json_skip(j);
    return count;
}
