#include "side-call-args.h"

#include <json-glib/json-glib.h>

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

static void
append_text(GString *text, const struct lens_turn *turn)
{
    for (uint32_t i = 0; i < turn->part_count; i++)
        if (turn->parts[i].kind == LENS_PART_TEXT)
            g_string_append_len(text, turn->parts[i].data.data,
                                (gssize)turn->parts[i].data.size);
}

static void
add_string(JsonBuilder *b, const char *name, const char *value)
{
    g_autofree char *valid = g_utf8_make_valid(value, -1);

    json_builder_set_member_name(b, name);
    json_builder_add_string_value(b, valid);
}

static char *
finish(JsonBuilder *b)
{
    g_autoptr(JsonNode) root = NULL;

    json_builder_end_object(b);
    root = json_builder_get_root(b);
    return json_to_string(root, FALSE);
}

static JsonBuilder *
begin(const char *model)
{
    JsonBuilder *b = json_builder_new();

    json_builder_begin_object(b);
    if (model != NULL)
        add_string(b, "model", model);
    return b;
}

char *
side_call_chat_args(const prompt *p, const char *model)
{
    g_autoptr(JsonBuilder) b = begin(model);

    json_builder_set_member_name(b, "messages");
    json_builder_begin_array(b);
    for (uint32_t i = 0; i < p->turn_count; i++) {
        g_autoptr(GString) text = g_string_new(NULL);

        append_text(text, &p->turns[i]);
        json_builder_begin_object(b);
        add_string(b, "role", role_name(p->turns[i].role));
        add_string(b, "content", text->str);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
    return finish(b);
}

char *
side_call_text_args(const prompt *p, const char *model)
{
    g_autoptr(JsonBuilder) b = begin(model);
    g_autoptr(GString) text = g_string_new(NULL);

    for (uint32_t i = 0; i < p->turn_count; i++) {
        if (i > 0)
            g_string_append_c(text, '\n');
        append_text(text, &p->turns[i]);
    }
    add_string(b, "text", text->str);
    return finish(b);
}
