/* tools: tools and output format, in the vendor's form or in OpenAI's. */
#include "sdk/tools.h"

#include <string.h>

#include "anthropic.h"
#include "sdk/body.h"
#include "sdk/merge.h"

static void
write_json_string(struct lens_writer *w, const struct lens_json_string *text)
{
    lens_write(w, "\"");
    lens_write_bytes(w, text->raw.data, text->raw.size);
    lens_write(w, "\"");
}

static void
write_function(struct lens_writer *w, const struct lens_tool *tool)
{
    lens_write(w, "{\"name\":");
    write_json_string(w, &tool->name);
    if (tool->description.raw.size > 0) {
        lens_write(w, ",\"description\":");
        write_json_string(w, &tool->description);
    }
    lens_write(w, ",\"input_schema\":");
    if (tool->parameters.size > 0)
        lens_write_bytes(w, tool->parameters.data, tool->parameters.size);
    else
        lens_write(w, "{\"type\":\"object\"}");
}

static int64_t
count_elements(struct lens_bytes list)
{
    struct lens_json j;
    int64_t count = 0;

    lens_json_begin(&j, list.data, list.size);
    for (lens_json_array(&j); lens_json_element(&j); count++)
        lens_json_skip(&j);
    return count;
}

/* A tool in the vendor's own form, with a breakpoint behind it. */
static void
write_marked(const struct provider *p, struct lens_writer *w, struct lens_bytes raw)
{
    const char *mark = p->cache_1h
                           ? "{\"cache_control\":{\"type\":\"ephemeral\",\"ttl\":\"1h\"}}"
                           : "{\"cache_control\":{\"type\":\"ephemeral\"}}";
    const struct lens_bytes over = { mark, strlen(mark) };

    if (lens_is_object(raw))
        lens_write_merged(w, raw, over);
    else
        lens_write_bytes(w, raw.data, raw.size);
}

static void
write_list(const struct provider *p, struct lens_writer *w, struct lens_bytes tools)
{
    const int64_t count = count_elements(tools);
    int64_t left = count;
    struct lens_tool tool;
    struct lens_bytes raw;
    struct lens_json j;

    lens_write(w, "[");
    lens_json_begin(&j, tools.data, tools.size);
    for (lens_json_array(&j); lens_json_element(&j); left--) {
        const bool marked = (p->cache & CACHE_TOOLS) && left == 1;

        lens_write(w, left == count ? "" : ",");
        if (lens_tool_read(&j, &tool, &raw)) {
            write_function(w, &tool);
            if (marked) {
                lens_write(w, ",\"cache_control\":");
                content_cache_control(p, w);
            }
            lens_write(w, "}");
        } else if (marked) {
            write_marked(p, w, raw);
        } else {
            lens_write_bytes(w, raw.data, raw.size);
        }
    }
    lens_write(w, "]");
}

static void
write_choice(struct lens_body *b, struct lens_bytes choice)
{
    struct lens_json_string name;
    const int kind = lens_tool_choice(choice, &name);

    if (kind == LENS_CHOICE_NONE_GIVEN || !lens_body_member(b, "tool_choice"))
        return;
    switch (kind) {
    case LENS_CHOICE_AUTO:
        lens_write(&b->w, "{\"type\":\"auto\"}");
        break;
    case LENS_CHOICE_NONE:
        lens_write(&b->w, "{\"type\":\"none\"}");
        break;
    case LENS_CHOICE_ANY:
        lens_write(&b->w, "{\"type\":\"any\"}");
        break;
    case LENS_CHOICE_FUNCTION:
        lens_write(&b->w, "{\"type\":\"tool\",\"name\":");
        write_json_string(&b->w, &name);
        lens_write(&b->w, "}");
        break;
    default: /* the vendor's own form */
        lens_write_bytes(&b->w, choice.data, choice.size);
    }
}

/* OpenAI's `{"type":"json_schema","json_schema":{"schema":{..}}}`, or the vendor's own
 * object; other formats of OpenAI's have no place here. */
static struct lens_bytes
schema_of(struct lens_bytes format)
{
    struct lens_bytes schema = { NULL, 0 };
    struct lens_json j;

    if (format.size > 0 &&
        (lens_json_find(format.data, format.size, "json_schema.schema", &j) ||
         lens_json_find(format.data, format.size, "schema", &j)))
        lens_json_raw(&j, &schema);
    return schema;
}

static void
write_output_config(const struct provider *p, struct lens_body *b,
                    struct lens_bytes format)
{
    const struct lens_bytes schema = schema_of(format);

    if ((p->effort == NULL && schema.size == 0) || !lens_body_member(b, "output_config"))
        return;
    lens_write(&b->w, "{");
    if (p->effort != NULL) {
        lens_write(&b->w, "\"effort\":");
        lens_write_string(&b->w, p->effort, strlen(p->effort));
    }
    if (schema.size > 0) {
        lens_write(&b->w, p->effort != NULL ? "," : "");
        lens_write(&b->w, "\"format\":{\"type\":\"json_schema\",\"schema\":");
        lens_write_bytes(&b->w, schema.data, schema.size);
        lens_write(&b->w, "}");
    }
    lens_write(&b->w, "}");
}

void
tools_write(const struct provider *p, const struct lens_ask *ask, struct lens_body *b)
{
    write_output_config(p, b, ask->response_format);
    if (ask->tools.size > 0 && lens_body_member(b, "tools"))
        write_list(p, &b->w, ask->tools);
    write_choice(b, ask->tool_choice);
}
