#include "messages.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const struct lens_turn *
turn_at(const struct lens_ask *ask, uint32_t i)
{
    return (const struct lens_turn *)((const char *)ask->turns +
                                      (size_t)i * ask->turn_size);
}

static const struct lens_part *
part_at(const struct lens_turn *t, uint32_t i)
{
    return (const struct lens_part *)((const char *)t->parts + (size_t)i * t->part_size);
}

static void
write_bytes(struct lens_writer *w, struct lens_bytes b)
{
    lens_write_string(w, b.data, b.size);
}

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
        count += part_at(t, i)->kind == kind;
    return count;
}

/* The URL of a medium: where it lies, or its content as a data URL. */
static void
write_medium_url(struct lens_writer *w, const struct lens_part *p)
{
    if (p->url.size > 0) {
        write_bytes(w, p->url);
        return;
    }
    lens_write(w, "\"data:");
    lens_write_bytes(w, p->mime.data, p->mime.size);
    lens_write(w, ";base64,");
    lens_write_base64(w, p->data.data, p->data.size);
    lens_write(w, "\"");
}

/* "wav" of "audio/wav". */
static void
write_audio_format(struct lens_writer *w, struct lens_bytes mime)
{
    const char *slash = memchr(mime.data, '/', mime.size);

    if (slash != NULL)
        lens_write_string(w, slash + 1, (size_t)(mime.data + mime.size - slash - 1));
    else
        lens_write(w, "\"wav\"");
}

/* One entry of a content list; `responses` has other names for the same. */
static lens_status
write_part(struct lens_writer *w, const struct lens_part *p, bool responses, bool output)
{
    switch (p->kind) {
    case LENS_PART_TEXT:
    case LENS_PART_JSON:
        lens_write(w, !responses ? "{\"type\":\"text\",\"text\":"
                      : output   ? "{\"type\":\"output_text\",\"text\":"
                                 : "{\"type\":\"input_text\",\"text\":");
        write_bytes(w, p->data);
        lens_write(w, "}");
        return LENS_OK;
    case LENS_PART_IMAGE:
        lens_write(w, responses ? "{\"type\":\"input_image\",\"image_url\":"
                                : "{\"type\":\"image_url\",\"image_url\":{\"url\":");
        write_medium_url(w, p);
        lens_write(w, responses ? "}" : "}}");
        return LENS_OK;
    case LENS_PART_AUDIO:
        lens_write(w, "{\"type\":\"input_audio\",\"input_audio\":{\"data\":\"");
        lens_write_base64(w, p->data.data, p->data.size);
        lens_write(w, "\",\"format\":");
        write_audio_format(w, p->mime);
        lens_write(w, "}}");
        return LENS_OK;
    default:
        return LENS_E_UNSUPPORTED;
    }
}

static bool
is_content(const struct lens_part *p)
{
    return p->kind != LENS_PART_TOOL_CALL && p->kind != LENS_PART_TOOL_RESULT &&
           p->kind != LENS_PART_REASONING;
}

static lens_status
write_content(struct lens_writer *w, const struct lens_turn *t, bool responses)
{
    const bool output = t->role == LENS_ROLE_ASSISTANT;
    bool first = true;
    lens_status st = LENS_OK;

    if (t->part_count == 1 && part_at(t, 0)->kind == LENS_PART_TEXT) {
        write_bytes(w, part_at(t, 0)->data);
        return LENS_OK;
    }
    lens_write(w, "[");
    for (uint32_t i = 0; i < t->part_count && st == LENS_OK; i++) {
        if (!is_content(part_at(t, i)))
            continue;
        lens_write(w, first ? "" : ",");
        first = false;
        st = write_part(w, part_at(t, i), responses, output);
    }
    lens_write(w, "]");
    return st;
}

/* ---- chat ---- */

static void
write_tool_calls(struct lens_writer *w, const struct lens_turn *t)
{
    bool first = true;

    lens_write(w, ",\"tool_calls\":[");
    for (uint32_t i = 0; i < t->part_count; i++) {
        const struct lens_part *p = part_at(t, i);

        if (p->kind != LENS_PART_TOOL_CALL)
            continue;
        lens_write(w, first ? "{\"id\":" : ",{\"id\":");
        first = false;
        write_bytes(w, p->id);
        lens_write(w, ",\"type\":\"function\",\"function\":{\"name\":");
        write_bytes(w, p->name);
        lens_write(w, ",\"arguments\":");
        write_bytes(w, p->data);
        lens_write(w, "}}");
    }
    lens_write(w, "]");
}

/* Each tool result is a message of its own. */
static void
write_tool_results(struct lens_writer *w, const struct lens_turn *t, bool *first)
{
    for (uint32_t i = 0; i < t->part_count; i++) {
        const struct lens_part *p = part_at(t, i);

        if (p->kind != LENS_PART_TOOL_RESULT)
            continue;
        lens_write(w, *first ? "" : ",");
        *first = false;
        lens_write(w, "{\"role\":\"tool\",\"tool_call_id\":");
        write_bytes(w, p->id);
        lens_write(w, ",\"content\":");
        write_bytes(w, p->data);
        lens_write(w, "}");
    }
}

static lens_status
write_chat_turn(struct lens_writer *w, const struct lens_turn *t, bool *first)
{
    const uint32_t calls = count_kind(t, LENS_PART_TOOL_CALL);
    const uint32_t results = count_kind(t, LENS_PART_TOOL_RESULT);
    lens_status st = LENS_OK;

    write_tool_results(w, t, first);
    if (results == t->part_count && results > 0)
        return LENS_OK;
    lens_write(w, *first ? "" : ",");
    *first = false;
    lens_write(w, "{\"role\":\"");
    lens_write(w, role_name(t->role));
    lens_write(w, "\",\"content\":");
    if (calls > 0 && calls == t->part_count)
        lens_write(w, "null");
    else
        st = write_content(w, t, false);
    if (calls > 0)
        write_tool_calls(w, t);
    lens_write(w, "}");
    return st;
}

lens_status
lens_messages_chat(struct lens_writer *w, const struct lens_ask *ask)
{
    lens_status st = LENS_OK;
    bool first = true;

    lens_write(w, "[");
    for (uint32_t i = 0; i < ask->turn_count && st == LENS_OK; i++)
        st = write_chat_turn(w, turn_at(ask, i), &first);
    lens_write(w, "]");
    return st;
}

/* ---- completions ---- */

/* All texts in one, an empty line between the turns; NULL `out` only measures. */
static size_t
join_texts(const struct lens_ask *ask, char *out, lens_status *st)
{
    size_t size = 0;

    for (uint32_t i = 0; i < ask->turn_count; i++) {
        const struct lens_turn *t = turn_at(ask, i);

        if (i > 0) {
            if (out != NULL)
                out[size] = out[size + 1] = '\n';
            size += 2;
        }
        for (uint32_t k = 0; k < t->part_count; k++) {
            const struct lens_part *p = part_at(t, k);

            if (p->kind != LENS_PART_TEXT && p->kind != LENS_PART_JSON)
                *st = LENS_E_UNSUPPORTED;
            else if (out != NULL && p->data.size > 0)
                memcpy(out + size, p->data.data, p->data.size);
            size += p->data.size;
        }
    }
    return size;
}

lens_status
lens_messages_prompt(struct lens_writer *w, const struct lens_ask *ask)
{
    lens_status st = LENS_OK;
    const size_t size = join_texts(ask, NULL, &st);
    char *text;

    if (st != LENS_OK)
        return st;
    text = malloc(size + 1);
    if (text == NULL)
        return LENS_E_NOMEM;
    join_texts(ask, text, &st);
    lens_write_string(w, text, size);
    free(text);
    return st;
}

/* ---- responses ---- */

static void
write_item(struct lens_writer *w, const struct lens_part *p, bool *first)
{
    lens_write(w, *first ? "" : ",");
    *first = false;
    if (p->kind == LENS_PART_TOOL_CALL) {
        lens_write(w, "{\"type\":\"function_call\",\"call_id\":");
        write_bytes(w, p->id);
        lens_write(w, ",\"name\":");
        write_bytes(w, p->name);
        lens_write(w, ",\"arguments\":");
    } else {
        lens_write(w, "{\"type\":\"function_call_output\",\"call_id\":");
        write_bytes(w, p->id);
        lens_write(w, ",\"output\":");
    }
    write_bytes(w, p->data);
    lens_write(w, "}");
}

/* Messages and tool calls are items of equal rank. */
static lens_status
write_input_turn(struct lens_writer *w, const struct lens_turn *t, bool *first)
{
    uint32_t items = 0;
    lens_status st = LENS_OK;

    items = count_kind(t, LENS_PART_TOOL_CALL) + count_kind(t, LENS_PART_TOOL_RESULT);
    if (items < t->part_count) {
        lens_write(w, *first ? "" : ",");
        *first = false;
        lens_write(w, "{\"role\":\"");
        lens_write(w, role_name(t->role));
        lens_write(w, "\",\"content\":");
        st = write_content(w, t, true);
        lens_write(w, "}");
    }
    for (uint32_t i = 0; i < t->part_count; i++)
        if (!is_content(part_at(t, i)) && part_at(t, i)->kind != LENS_PART_REASONING)
            write_item(w, part_at(t, i), first);
    return st;
}

lens_status
lens_messages_input(struct lens_writer *w, const struct lens_ask *ask)
{
    lens_status st = LENS_OK;
    bool first = true;

    if (ask->turn_count == 1 && turn_at(ask, 0)->role == LENS_ROLE_USER &&
        turn_at(ask, 0)->part_count == 1 &&
        part_at(turn_at(ask, 0), 0)->kind == LENS_PART_TEXT) {
        write_bytes(w, part_at(turn_at(ask, 0), 0)->data);
        return LENS_OK;
    }
    lens_write(w, "[");
    for (uint32_t i = 0; i < ask->turn_count && st == LENS_OK; i++)
        st = write_input_turn(w, turn_at(ask, i), &first);
    lens_write(w, "]");
    return st;
}
