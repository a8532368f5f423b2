#include "tools.h"

#include "members.h"

struct found {
    struct lens_tool tool;
    struct lens_bytes function;
    int is_function;
};

static void
read_members(struct lens_bytes object, struct found *f)
{
    struct lens_json j;
    struct lens_bytes key;
    struct lens_key_room room;
    struct lens_json_string type;

    lens_json_begin(&j, object.data, object.size);
    for (lens_json_object(&j); lens_read_member(&j, &key, &room);) {
        if (LENS_KEY(key, "function")) {
            lens_read_raw(&j, &f->function);
        } else if (LENS_KEY(key, "type")) {
            lens_read_string(&j, &type);
            f->is_function = LENS_KEY(type.raw, "function");
        } else if (LENS_KEY(key, "name")) {
            lens_read_string(&j, &f->tool.name);
        } else if (LENS_KEY(key, "description")) {
            lens_read_string(&j, &f->tool.description);
        } else if (LENS_KEY(key, "parameters")) {
            lens_read_raw(&j, &f->tool.parameters);
        } else {
            lens_json_skip(&j);
        }
    }
}

int
lens_tool_read(struct lens_json *j, struct lens_tool *ret, struct lens_bytes *ret_raw)
{
    const enum lens_json_type type = lens_json_peek(j);
    struct found f;

    memset(&f, 0, sizeof f);
    if (!lens_json_raw(j, ret_raw) || type != LENS_JSON_OBJECT)
        return 0;
    read_members(*ret_raw, &f);
    if (!f.is_function)
        return 0;
    if (f.function.size > 0)
        read_members(f.function, &f);
    *ret = f.tool;
    return f.tool.name.raw.size > 0;
}

int
lens_tools_are_plain(struct lens_bytes tools)
{
    struct lens_json j;
    struct lens_tool tool;
    struct lens_bytes raw;
    int count = 0, plain = 1;

    lens_json_begin(&j, tools.data, tools.size);
    if (lens_json_peek(&j) != LENS_JSON_ARRAY)
        return 0;
    for (lens_json_array(&j); lens_json_element(&j); count++)
        plain &= lens_tool_read(&j, &tool, &raw);
    return plain && count > 0 && !j.bad;
}

static int
choice_of_word(struct lens_bytes word)
{
    if (LENS_KEY(word, "auto"))
        return LENS_CHOICE_AUTO;
    if (LENS_KEY(word, "none"))
        return LENS_CHOICE_NONE;
    return LENS_KEY(word, "required") || LENS_KEY(word, "any") ? LENS_CHOICE_ANY : -1;
}

int
lens_tool_choice(struct lens_bytes choice, struct lens_json_string *ret_name)
{
    struct lens_json j;
    struct lens_json_string word;
    struct lens_tool tool;
    struct lens_bytes raw;

    if (choice.size == 0)
        return LENS_CHOICE_NONE_GIVEN;
    lens_json_begin(&j, choice.data, choice.size);
    if (lens_json_peek(&j) == LENS_JSON_STRING && lens_json_string(&j, &word))
        return choice_of_word(word.raw);
    if (!lens_tool_read(&j, &tool, &raw))
        return -1;
    *ret_name = tool.name;
    return LENS_CHOICE_FUNCTION;
}
