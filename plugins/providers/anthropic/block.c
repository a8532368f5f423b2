/* block: content blocks, as they start in a stream or stand in a whole answer. */
#include <string.h>

#include "events.h"
#include "sdk/members.h"

void
anthropic_block_read(struct lens_json *j, struct anthropic_block *b)
{
    struct lens_bytes key;
    struct lens_key_room room;

    memset(b, 0, sizeof *b);
    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "type"))
            lens_read_string(j, &b->type);
        else if (LENS_KEY(key, "text"))
            lens_read_string(j, &b->text);
        else if (LENS_KEY(key, "thinking"))
            lens_read_string(j, &b->thinking);
        else if (LENS_KEY(key, "data"))
            lens_read_string(j, &b->data);
        else if (LENS_KEY(key, "name"))
            lens_read_string(j, &b->name);
        else if (LENS_KEY(key, "input"))
            lens_read_raw(j, &b->input);
        else
            lens_json_skip(j);
    }
}

/* A call starts with an empty object; only one that brings more says its arguments. */
static struct lens_json_string
arguments_of(const struct anthropic_block *b)
{
    struct lens_json_string arguments = { b->input, 0 };
    struct lens_bytes key;
    struct lens_json j;

    lens_json_begin(&j, b->input.data, b->input.size);
    if (b->input.size == 0 || lens_json_peek(&j) != LENS_JSON_OBJECT ||
        !lens_json_object(&j) || !lens_json_member(&j, &key))
        return (struct lens_json_string){ 0 };
    return arguments;
}

static bool
is_call(const struct lens_json_string *type)
{
    return LENS_KEY(type->raw, "tool_use") || LENS_KEY(type->raw, "server_tool_use") ||
           LENS_KEY(type->raw, "mcp_tool_use");
}

uint32_t
anthropic_tool_of(const struct anthropic_message *m, int64_t index)
{
    const uint32_t known = sizeof m->tool_block / sizeof m->tool_block[0];

    for (uint32_t i = m->tools < known ? m->tools : known; i > 0; i--)
        if (m->tool_block[i - 1] == index)
            return i - 1;
    return m->tools > 0 ? m->tools - 1 : 0;
}

static lens_status
tell_call(struct anthropic_message *m, struct lens_stream *s,
          const struct anthropic_block *b, int64_t index, uint32_t *classes)
{
    const struct lens_json_string arguments = arguments_of(b);

    if (m->tools < sizeof m->tool_block / sizeof m->tool_block[0])
        m->tool_block[m->tools] = index;
    m->tools++;
    if (b->name.raw.size > 0 || arguments.raw.size > 0)
        *classes |= LENS_MSG_TOOL;
    return lens_stream_text(s, LENS_EV_TOOL, 0, m->tools - 1, &b->name, &arguments);
}

lens_status
anthropic_block_tell(struct anthropic_message *m, struct lens_stream *s,
                     const struct anthropic_block *b, int64_t index, uint32_t *classes)
{
    if (is_call(&b->type))
        return tell_call(m, s, b, index, classes);
    if (LENS_KEY(b->type.raw, "text")) {
        *classes |= b->text.raw.size > 0 ? LENS_MSG_TEXT : 0;
        return lens_stream_text(s, LENS_EV_TEXT, 0, 0, NULL, &b->text);
    }
    if (LENS_KEY(b->type.raw, "thinking")) {
        *classes |= b->thinking.raw.size > 0 ? LENS_MSG_REASONING : 0;
        return lens_stream_text(s, LENS_EV_REASONING, 0, 0, NULL, &b->thinking);
    }
    /* Thoughts that nobody may read are output nevertheless. */
    if (LENS_KEY(b->type.raw, "redacted_thinking") && b->data.raw.size > 0)
        *classes |= LENS_MSG_REASONING;
    return LENS_OK;
}
