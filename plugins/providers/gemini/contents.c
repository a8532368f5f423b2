/* contents: the turns of a prompt as Google writes them. */
#include "gemini.h"
#include "sdk/media.h"
#include "sdk/merge.h"
#include "sdk/turns.h"

static void
write_bytes(struct lens_writer *w, struct lens_bytes b)
{
    lens_write_string(w, b.data, b.size);
}

static void
write_medium(struct lens_writer *w, const struct lens_part *p)
{
    const struct lens_medium m = lens_medium_of(p);

    if (m.url.size > 0) {
        lens_write(w, "{\"fileData\":{\"mimeType\":");
        write_bytes(w, m.mime);
        lens_write(w, ",\"fileUri\":");
        write_bytes(w, m.url);
    } else {
        lens_write(w, "{\"inlineData\":{\"mimeType\":");
        write_bytes(w, m.mime);
        lens_write(w, ",\"data\":\"");
        lens_medium_write(w, &m);
        lens_write(w, "\"");
    }
    lens_write(w, "}}");
}

/* A name is what Google matches calls and results by. */
static void
write_tool(struct lens_writer *w, const struct lens_part *p, const char *kind,
           const char *value, const char *wrap)
{
    const bool object = lens_is_object(p->data);

    lens_write(w, "{\"");
    lens_write(w, kind);
    lens_write(w, "\":{\"name\":");
    write_bytes(w, p->name.size > 0 ? p->name : p->id);
    lens_write(w, ",\"");
    lens_write(w, value);
    lens_write(w, "\":");
    if (object) {
        lens_write_bytes(w, p->data.data, p->data.size);
    } else {
        lens_write(w, "{\"");
        lens_write(w, wrap);
        lens_write(w, "\":");
        write_bytes(w, p->data);
        lens_write(w, "}");
    }
    lens_write(w, "}}");
}

static lens_status
write_part(struct lens_writer *w, const struct lens_part *p)
{
    switch (p->kind) {
    case LENS_PART_TEXT:
    case LENS_PART_JSON:
        lens_write(w, "{\"text\":");
        write_bytes(w, p->data);
        lens_write(w, "}");
        return LENS_OK;
    case LENS_PART_IMAGE:
    case LENS_PART_AUDIO:
    case LENS_PART_FILE:
        write_medium(w, p);
        return LENS_OK;
    case LENS_PART_TOOL_CALL:
        write_tool(w, p, "functionCall", "args", "arguments");
        return LENS_OK;
    case LENS_PART_TOOL_RESULT:
        write_tool(w, p, "functionResponse", "response", "result");
        return LENS_OK;
    default:
        return LENS_E_UNSUPPORTED;
    }
}

/* The parts of one turn, behind those that stand there already; past reasoning is not
 * sent again. */
static lens_status
write_parts(struct lens_writer *w, const struct lens_turn *t, bool *first)
{
    lens_status st = LENS_OK;

    for (uint32_t i = 0; i < t->part_count && st == LENS_OK; i++) {
        if (lens_part_at(t, i)->kind == LENS_PART_REASONING)
            continue;
        lens_write(w, *first ? "" : ",");
        *first = false;
        st = write_part(w, lens_part_at(t, i));
    }
    return st;
}

static bool
is_system(const struct lens_ask *ask, uint32_t i)
{
    return lens_turn_at(ask, i)->role == LENS_ROLE_SYSTEM;
}

static lens_status
write_system(struct lens_writer *w, const struct lens_ask *ask)
{
    bool first = true;
    lens_status st = LENS_OK;

    lens_write(w, ",\"systemInstruction\":{\"parts\":[");
    for (uint32_t i = 0; i < ask->turn_count && st == LENS_OK; i++)
        if (is_system(ask, i))
            st = write_parts(w, lens_turn_at(ask, i), &first);
    lens_write(w, "]}");
    return st;
}

lens_status
contents_write(struct lens_writer *w, const struct lens_ask *ask)
{
    uint32_t systems = 0, written = 0;
    lens_status st = LENS_OK;
    bool apart, first;

    for (uint32_t i = 0; i < ask->turn_count; i++)
        systems += is_system(ask, i);
    /* A prompt of nothing but instructions is asked as a question. */
    apart = systems < ask->turn_count;
    lens_write(w, "\"contents\":[");
    for (uint32_t i = 0; i < ask->turn_count && st == LENS_OK; i++) {
        const struct lens_turn *t = lens_turn_at(ask, i);

        if (apart && is_system(ask, i))
            continue;
        lens_write(w, written++ > 0 ? "," : "");
        lens_write(w, t->role == LENS_ROLE_ASSISTANT ? "{\"role\":\"model\",\"parts\":["
                                                     : "{\"role\":\"user\",\"parts\":[");
        first = true;
        st = write_parts(w, t, &first);
        lens_write(w, "]}");
    }
    lens_write(w, "]");
    return st == LENS_OK && apart && systems > 0 ? write_system(w, ask) : st;
}
