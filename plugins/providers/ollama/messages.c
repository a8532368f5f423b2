/* messages: the turns of a prompt as Ollama wants them: content is one text, images stand
 * beside it, arguments of calls are objects. */
#include <string.h>

#include "ollama.h"
#include "sdk/merge.h"
#include "sdk/text.h"
#include "sdk/turns.h"

static const char *
role_name(uint32_t role)
{
    switch (role) {
    case LENS_ROLE_SYSTEM:
        return "system";
    case LENS_ROLE_ASSISTANT:
        return "assistant";
    case LENS_ROLE_TOOL:
        return "tool";
    default:
        return "user";
    }
}

static uint32_t
count_kind(const struct lens_turn *t, uint32_t kind)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < t->part_count; i++)
        count += lens_part_at(t, i)->kind == kind;
    return count;
}

/* All texts of a kind in one, by line ends. */
static void
write_texts(struct lens_writer *w, const struct lens_turn *t, uint32_t kind)
{
    struct lens_text text = { 0 };
    int started = 0;

    for (uint32_t i = 0; i < t->part_count; i++) {
        const struct lens_part *p = lens_part_at(t, i);

        if (p->kind != kind && (kind != LENS_PART_TEXT || p->kind != LENS_PART_JSON))
            continue;
        lens_text_add(&text, started ? "\n" : "");
        lens_text_add_bytes(&text, p->data.data, p->data.size);
        started = 1;
    }
    lens_write_string(w, lens_text_get(&text), text.size);
    if (text.failed)
        w->status = LENS_E_NOMEM;
    lens_text_clear(&text);
}

/* ---- images ---- */

static void
write_turn_images(struct lens_writer *w, const struct lens_turn *t, int *started)
{
    for (uint32_t i = 0; i < t->part_count; i++) {
        const struct lens_part *p = lens_part_at(t, i);
        struct lens_text text = { 0 };

        if (p->kind != LENS_PART_IMAGE)
            continue;
        lens_text_add_base64(&text, p->data.data, p->data.size);
        lens_write(w, *started ? ",\"" : ",\"images\":[\"");
        *started = 1;
        lens_write_bytes(w, lens_text_get(&text), text.size);
        lens_write(w, "\"");
        if (text.failed)
            w->status = LENS_E_NOMEM;
        lens_text_clear(&text);
    }
}

lens_status
ollama_write_images(struct lens_writer *w, const struct lens_ask *ask,
                    const struct lens_turn *turn)
{
    int started = 0;

    for (uint32_t i = 0; i < ask->turn_count; i++)
        if (turn == NULL || turn == lens_turn_at(ask, i))
            write_turn_images(w, lens_turn_at(ask, i), &started);
    if (started)
        lens_write(w, "]");
    return w->status;
}

/* ---- chat ---- */

static void
write_calls(struct lens_writer *w, const struct lens_turn *t)
{
    int started = 0;

    for (uint32_t i = 0; i < t->part_count; i++) {
        const struct lens_part *p = lens_part_at(t, i);

        if (p->kind != LENS_PART_TOOL_CALL)
            continue;
        lens_write(w, started ? "," : ",\"tool_calls\":[");
        started = 1;
        lens_write(w, "{\"function\":{\"name\":");
        lens_write_string(w, p->name.data, p->name.size);
        lens_write(w, ",\"arguments\":");
        if (lens_is_object(p->data))
            lens_write_bytes(w, p->data.data, p->data.size);
        else
            lens_write(w, "{}");
        lens_write(w, "}}");
    }
    if (started)
        lens_write(w, "]");
}

/* Each tool result is a message of its own. */
static void
write_results(struct lens_writer *w, const struct lens_turn *t, int *started)
{
    for (uint32_t i = 0; i < t->part_count; i++) {
        const struct lens_part *p = lens_part_at(t, i);

        if (p->kind != LENS_PART_TOOL_RESULT)
            continue;
        lens_write(w, *started ? "," : "");
        *started = 1;
        lens_write(w, "{\"role\":\"tool\",\"content\":");
        lens_write_string(w, p->data.data, p->data.size);
        if (p->name.size > 0) {
            lens_write(w, ",\"tool_name\":");
            lens_write_string(w, p->name.data, p->name.size);
        }
        if (p->id.size > 0) {
            lens_write(w, ",\"tool_call_id\":");
            lens_write_string(w, p->id.data, p->id.size);
        }
        lens_write(w, "}");
    }
}

static lens_status
write_turn(struct lens_writer *w, const struct lens_ask *ask, const struct lens_turn *t,
           int *started)
{
    const uint32_t results = count_kind(t, LENS_PART_TOOL_RESULT);

    for (uint32_t i = 0; i < t->part_count; i++) {
        const struct lens_part *p = lens_part_at(t, i);

        if (p->kind == LENS_PART_AUDIO || p->kind == LENS_PART_FILE ||
            (p->kind == LENS_PART_IMAGE && p->data.size == 0))
            return LENS_E_UNSUPPORTED;
    }
    write_results(w, t, started);
    if (results > 0 && results == t->part_count)
        return LENS_OK;
    lens_write(w, *started ? "," : "");
    *started = 1;
    lens_write(w, "{\"role\":\"");
    lens_write(w, role_name(t->role));
    lens_write(w, "\",\"content\":");
    write_texts(w, t, LENS_PART_TEXT);
    if (count_kind(t, LENS_PART_REASONING) > 0) {
        lens_write(w, ",\"thinking\":");
        write_texts(w, t, LENS_PART_REASONING);
    }
    ollama_write_images(w, ask, t);
    write_calls(w, t);
    lens_write(w, "}");
    return w->status;
}

lens_status
ollama_write_messages(struct lens_writer *w, const struct lens_ask *ask)
{
    int started = 0;
    lens_status st = LENS_OK;

    lens_write(w, "[");
    for (uint32_t i = 0; i < ask->turn_count && st == LENS_OK; i++)
        st = write_turn(w, ask, lens_turn_at(ask, i), &started);
    lens_write(w, "]");
    return st;
}
