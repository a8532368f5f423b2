/* content: the turns of a prompt as system and messages. */
#include <string.h>

#include "anthropic.h"
#include "sdk/body.h"
#include "sdk/media.h"
#include "sdk/turns.h"

void
content_cache_control(const struct provider *p, struct lens_writer *w)
{
    lens_write(w, p->cache_1h ? "{\"type\":\"ephemeral\",\"ttl\":\"1h\"}"
                              : "{\"type\":\"ephemeral\"}");
}

static void
write_bytes(struct lens_writer *w, struct lens_bytes b)
{
    lens_write_string(w, b.data, b.size);
}

static bool
is_text(const struct lens_part *part)
{
    return part->kind == LENS_PART_TEXT || part->kind == LENS_PART_JSON;
}

/* Where a medium lies, or the medium itself. */
static void
write_source(struct lens_writer *w, const struct lens_part *part)
{
    const struct lens_medium m = lens_medium_of(part);

    if (m.url.size > 0) {
        lens_write(w, "{\"type\":\"url\",\"url\":");
        write_bytes(w, m.url);
    } else {
        lens_write(w, "{\"type\":\"base64\",\"media_type\":");
        write_bytes(w, m.mime);
        lens_write(w, ",\"data\":\"");
        lens_medium_write(w, &m);
        lens_write(w, "\"");
    }
    lens_write(w, "}");
}

static void
write_call(struct lens_writer *w, const struct lens_part *part)
{
    struct lens_bytes input = part->data;

    lens_write(w, "{\"type\":\"tool_use\",\"id\":");
    write_bytes(w, part->id);
    lens_write(w, ",\"name\":");
    write_bytes(w, part->name);
    lens_write(w, ",\"input\":");
    if (input.size == 0)
        lens_write(w, "{}");
    else
        lens_write_bytes(w, input.data, input.size);
}

/* A block without its closing brace. LENS_E_UNSUPPORTED: it has no place. */
static lens_status
write_open_block(struct lens_writer *w, const struct lens_part *part)
{
    switch (part->kind) {
    case LENS_PART_TEXT:
    case LENS_PART_JSON:
        lens_write(w, "{\"type\":\"text\",\"text\":");
        write_bytes(w, part->data);
        return LENS_OK;
    case LENS_PART_IMAGE:
        lens_write(w, "{\"type\":\"image\",\"source\":");
        write_source(w, part);
        return LENS_OK;
    case LENS_PART_FILE:
        lens_write(w, "{\"type\":\"document\",\"source\":");
        write_source(w, part);
        return LENS_OK;
    case LENS_PART_TOOL_CALL:
        write_call(w, part);
        return LENS_OK;
    case LENS_PART_TOOL_RESULT:
        lens_write(w, "{\"type\":\"tool_result\",\"tool_use_id\":");
        write_bytes(w, part->id);
        lens_write(w, ",\"content\":");
        write_bytes(w, part->data);
        return LENS_OK;
    default:
        return LENS_E_UNSUPPORTED;
    }
}

/* Blocks of a list in the making. */
struct blocks {
    const struct provider *provider;
    struct lens_writer *w;
    bool first;
};

static lens_status
write_block(struct blocks *b, const struct lens_part *part, bool breakpoint)
{
    lens_status st;

    /* Thoughts go back only with their signature, which a prompt does not hold. */
    if (part->kind == LENS_PART_REASONING)
        return LENS_OK;
    lens_write(b->w, b->first ? "" : ",");
    b->first = false;
    st = write_open_block(b->w, part);
    if (breakpoint || (part->flags & LENS_PART_CACHE_MARK)) {
        lens_write(b->w, ",\"cache_control\":");
        content_cache_control(b->provider, b->w);
    }
    lens_write(b->w, "}");
    return st;
}

/* ---- system ---- */

static bool
is_system(const struct lens_turn *t)
{
    return t->role == LENS_ROLE_SYSTEM;
}

/* Parts of system turns, and the last of them. */
static uint32_t
count_system(const struct lens_ask *ask, const struct lens_part **ret_last)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < ask->turn_count; i++) {
        const struct lens_turn *t = lens_turn_at(ask, i);

        if (!is_system(t) || t->part_count == 0)
            continue;
        count += t->part_count;
        *ret_last = lens_part_at(t, t->part_count - 1);
    }
    return count;
}

static lens_status
write_system(const struct provider *p, const struct lens_ask *ask, struct lens_body *body)
{
    struct blocks b = { p, &body->w, true };
    const struct lens_part *last = NULL;
    const uint32_t count = count_system(ask, &last);
    const bool marked = (p->cache & CACHE_SYSTEM) != 0;
    lens_status st = LENS_OK;

    if (count == 0 || !lens_body_member(body, "system"))
        return LENS_OK;
    if (count == 1 && is_text(last) && !marked && !(last->flags & LENS_PART_CACHE_MARK)) {
        write_bytes(&body->w, last->data);
        return LENS_OK;
    }
    lens_write(&body->w, "[");
    for (uint32_t i = 0; i < ask->turn_count; i++) {
        const struct lens_turn *t = lens_turn_at(ask, i);

        for (uint32_t k = 0; is_system(t) && k < t->part_count && st == LENS_OK; k++) {
            const struct lens_part *part = lens_part_at(t, k);

            st = is_text(part) ? write_block(&b, part, marked && part == last)
                               : LENS_E_UNSUPPORTED;
        }
    }
    lens_write(&body->w, "]");
    return st;
}

/* ---- messages ---- */

static lens_status
write_turn(const struct provider *p, const struct lens_turn *t, bool last,
           struct lens_writer *w)
{
    struct blocks b = { p, w, true };
    const struct lens_part *only = t->part_count == 1 ? lens_part_at(t, 0) : NULL;
    lens_status st = LENS_OK;

    lens_write(w, t->role == LENS_ROLE_ASSISTANT ? "{\"role\":\"assistant\",\"content\":"
                                                 : "{\"role\":\"user\",\"content\":");
    if (only != NULL && is_text(only) && !last && !(only->flags & LENS_PART_CACHE_MARK)) {
        write_bytes(w, only->data);
    } else {
        lens_write(w, "[");
        for (uint32_t i = 0; i < t->part_count && st == LENS_OK; i++)
            st = write_block(&b, lens_part_at(t, i), last && i + 1 == t->part_count);
        lens_write(w, "]");
    }
    lens_write(w, "}");
    return st;
}

static lens_status
write_messages(const struct provider *p, const struct lens_ask *ask,
               struct lens_body *body)
{
    const bool marked = (p->cache & CACHE_PROMPT) != 0;
    bool first = true;
    lens_status st = LENS_OK;

    if (!lens_body_member(body, "messages"))
        return LENS_OK;
    lens_write(&body->w, "[");
    for (uint32_t i = 0; i < ask->turn_count && st == LENS_OK; i++) {
        const struct lens_turn *t = lens_turn_at(ask, i);

        if (is_system(t))
            continue;
        lens_write(&body->w, first ? "" : ",");
        first = false;
        st = write_turn(p, t, marked && i + 1 == ask->turn_count, &body->w);
    }
    lens_write(&body->w, "]");
    return st;
}

lens_status
content_write(const struct provider *p, const struct lens_ask *ask, struct lens_body *b)
{
    const lens_status st = write_system(p, ask, b);

    return st == LENS_OK ? write_messages(p, ask, b) : st;
}
