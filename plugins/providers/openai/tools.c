/* tools: keeps calls apart where servers number them badly. OpenAI names a call once and
 * counts up; others repeat the name with every fragment, or give each call number 0. */
#include "openai.h"

uint32_t
tools_id(const struct lens_json_string *id)
{
    uint32_t hash = UINT32_C(2166136261); /* FNV-1a */

    if (id->raw.size == 0)
        return 0;
    for (size_t i = 0; i < id->raw.size; i++)
        hash = (hash ^ (unsigned char)id->raw.data[i]) * UINT32_C(16777619);
    return hash != 0 ? hash : 1;
}

bool
tools_settle(struct stream *s, struct piece *p)
{
    struct call *call;

    if (p->lane != 0 || p->code >= CALLS_MAX)
        return true;
    call = &s->calls[p->code];
    if (p->name.raw.size > 0 && p->id != 0 && call->id != 0 && p->id != call->id) {
        call->named = false;
        call->again++;
    } else if (call->named) {
        p->name = (struct lens_json_string){ 0 };
    }
    if (p->id != 0)
        call->id = p->id;
    call->named = call->named || p->name.raw.size > 0;
    p->code += call->again * CALLS_MAX;
    return p->name.raw.size > 0 || p->text.raw.size > 0;
}
