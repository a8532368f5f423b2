/* items: what the items of a response carry: messages, thoughts, calls. */
#include "items.h"

#include <string.h>

void
item_read(struct lens_bytes json, struct item *it)
{
    struct lens_json j;
    struct lens_bytes key;
    struct lens_key_room room;

    lens_json_begin(&j, json.data, json.size);
    if (lens_json_peek(&j) != LENS_JSON_OBJECT)
        return;
    for (lens_json_object(&j); lens_read_member(&j, &key, &room);) {
        if (LENS_KEY(key, "type"))
            lens_read_string(&j, &it->type);
        else if (LENS_KEY(key, "name"))
            lens_read_string(&j, &it->name);
        else if (LENS_KEY(key, "arguments") || LENS_KEY(key, "input") ||
                 LENS_KEY(key, "code"))
            lens_read_string(&j, &it->arguments);
        else if (LENS_KEY(key, "content"))
            lens_read_raw(&j, &it->content);
        else if (LENS_KEY(key, "summary"))
            lens_read_raw(&j, &it->summary);
        else
            lens_json_skip(&j);
    }
}

bool
item_is_call(const struct item *it)
{
    return LENS_KEY(it->type.raw, "function_call") ||
           LENS_KEY(it->type.raw, "custom_tool_call") ||
           LENS_KEY(it->type.raw, "mcp_call");
}

void
item_add(struct chunk *c, uint32_t kind, int64_t code,
         const struct lens_json_string *name, const struct lens_json_string *text)
{
    struct piece p = { .kind = kind, .code = (uint32_t)code };

    if (name != NULL)
        p.name = *name;
    if (text != NULL)
        p.text = *text;
    chunk_add(c, &p);
}

/* A list of content parts; all their texts are of `kind`, but for refusals. */
static void
add_content(struct chunk *c, struct lens_bytes json, uint32_t kind)
{
    struct lens_json j;
    struct lens_bytes key;
    struct lens_key_room room;

    lens_json_begin(&j, json.data, json.size);
    if (lens_json_peek(&j) != LENS_JSON_ARRAY)
        return;
    for (lens_json_array(&j); lens_json_element(&j);) {
        struct lens_json_string text = { 0 }, refusal = { 0 };

        if (lens_json_peek(&j) != LENS_JSON_OBJECT) {
            lens_json_skip(&j);
            continue;
        }
        for (lens_json_object(&j); lens_read_member(&j, &key, &room);) {
            if (LENS_KEY(key, "text"))
                lens_read_string(&j, &text);
            else if (LENS_KEY(key, "refusal"))
                lens_read_string(&j, &refusal);
            else
                lens_json_skip(&j);
        }
        item_add(c, kind, 0, NULL, &text);
        item_add(c, LENS_EV_REFUSAL, 0, NULL, &refusal);
    }
}

static void
add_item(struct chunk *c, struct lens_bytes json, int64_t index)
{
    struct item it = { 0 };

    item_read(json, &it);
    if (item_is_call(&it)) {
        item_add(c, LENS_EV_TOOL, index, &it.name, &it.arguments);
    } else if (LENS_KEY(it.type.raw, "reasoning")) {
        add_content(c, it.summary, LENS_EV_REASONING);
        add_content(c, it.content, LENS_EV_REASONING);
    } else if (LENS_KEY(it.type.raw, "message")) {
        add_content(c, it.content, LENS_EV_TEXT);
    }
}

void
items_add(struct chunk *c, struct lens_bytes output)
{
    struct lens_json j;
    struct lens_bytes raw;
    int64_t index = 0;

    lens_json_begin(&j, output.data, output.size);
    if (lens_json_peek(&j) != LENS_JSON_ARRAY)
        return;
    for (lens_json_array(&j); lens_json_element(&j); index++)
        if (lens_json_raw(&j, &raw))
            add_item(c, raw, index);
}
