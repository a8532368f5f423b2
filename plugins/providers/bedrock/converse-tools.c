/* converse-tools: tools and the choice among them, from OpenAI's form. */
#include "bedrock.h"
#include "sdk/object.h"
#include "sdk/tools.h"

static void
write_raw(struct lens_writer *w, struct lens_bytes b)
{
    lens_write_bytes(w, b.data, b.size);
}

static void
write_tool(struct lens_writer *w, const struct lens_tool *t)
{
    lens_write(w, "{\"toolSpec\":{\"name\":\"");
    write_raw(w, t->name.raw);
    if (t->description.raw.size > 0) {
        lens_write(w, "\",\"description\":\"");
        write_raw(w, t->description.raw);
    }
    lens_write(w, "\",\"inputSchema\":{\"json\":");
    if (t->parameters.size > 0)
        write_raw(w, t->parameters);
    else
        lens_write(w, "{\"type\":\"object\"}");
    lens_write(w, "}}}");
}

static void
write_choice(struct lens_writer *w, struct lens_bytes choice)
{
    struct lens_json_string name = { 0 };
    const int found = lens_tool_choice(choice, &name);

    if (found < 0) {
        lens_write(w, ",\"toolChoice\":");
        write_raw(w, choice);
    } else if (found == LENS_CHOICE_AUTO) {
        lens_write(w, ",\"toolChoice\":{\"auto\":{}}");
    } else if (found == LENS_CHOICE_ANY) {
        lens_write(w, ",\"toolChoice\":{\"any\":{}}");
    } else if (found == LENS_CHOICE_FUNCTION) {
        lens_write(w, ",\"toolChoice\":{\"tool\":{\"name\":\"");
        write_raw(w, name.raw);
        lens_write(w, "\"}}");
    }
}

void
converse_tools(const struct provider *p, const struct lens_ask *ask,
               struct lens_object *o)
{
    struct lens_writer *w = o->w;
    struct lens_json_string name;
    struct lens_tool tool;
    struct lens_bytes raw;
    struct lens_json j;
    unsigned count = 0;

    /* There is no word for "none": without tools none is called. */
    if (ask->tools.size == 0 ||
        lens_tool_choice(ask->tool_choice, &name) == LENS_CHOICE_NONE)
        return;
    lens_object_name(o, "toolConfig");
    lens_write(w, "{\"tools\":[");
    lens_json_begin(&j, ask->tools.data, ask->tools.size);
    for (lens_json_array(&j); lens_json_element(&j);) {
        const bool plain = lens_tool_read(&j, &tool, &raw);

        lens_write(w, count++ > 0 ? "," : "");
        if (plain)
            write_tool(w, &tool);
        else
            write_raw(w, raw); /* {"toolSpec":{..}} or {"cachePoint":{..}} */
    }
    if (p->cache & CACHE_TOOLS && count > 0)
        converse_cache_point(p, w);
    lens_write(w, "]");
    write_choice(w, ask->tool_choice);
    lens_write(w, "}");
}
