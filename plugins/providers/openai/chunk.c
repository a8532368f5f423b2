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
