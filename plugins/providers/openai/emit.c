/* emit: what was read of a message becomes events. */
#include <string.h>

#include "openai.h"

lens_status
emit_piece(struct stream *s, const struct piece *p)
{
    return lens_stream_text(&s->base, p->kind, p->lane, p->code, &p->name, &p->text);
}

static lens_status
emit_tier(struct stream *s, const struct lens_json_string *tier)
{
    if (tier->raw.size == 0 || tier->raw.size >= sizeof s->tier ||
        (strlen(s->tier) == tier->raw.size &&
         memcmp(s->tier, tier->raw.data, tier->raw.size) == 0))
        return LENS_OK;
    memcpy(s->tier, tier->raw.data, tier->raw.size);
    s->tier[tier->raw.size] = '\0';
    return lens_stream_word(&s->base, LENS_EV_TIER, tier);
}

lens_status
emit_identity(struct stream *s, const struct chunk *c)
{
    lens_status st = lens_stream_id(&s->base, &c->id);

    if (st == LENS_OK)
        st = lens_stream_model(&s->base, &c->model);
    return st == LENS_OK ? emit_tier(s, &c->tier) : st;
}

lens_status
emit_not_streamed(struct stream *s)
{
    return s->base.streamed ? lens_stream_warn(&s->base, LENS_WARN_NOT_STREAMED)
                            : LENS_OK;
}
