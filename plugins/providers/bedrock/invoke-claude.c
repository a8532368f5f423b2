/* invoke-claude: the body of an invocation of Claude: that of Anthropic's Messages, with
 * a version inside and without model and stream. */
#include "bedrock.h"
#include "sdk/media.h"
#include "sdk/merge.h"
#include "sdk/object.h"
#include "sdk/tools.h"
#include "sdk/turns.h"

/* Anthropic wants a limit. */
enum { LIMIT = 1024 };

static void
write_bytes(struct lens_writer *w, struct lens_bytes b)
{
    lens_write_string(w, b.data, b.size);
}

static void
write_raw(struct lens_writer *w, struct lens_bytes b)
{
    lens_write_bytes(w, b.data, b.size);
}

/* `,"cache_control":{..}` inside of a block. */
static void
write_cache_control(const struct provider *p, struct lens_writer *w)
{
    const char *ttl = p->host->opt_string(p->host, "cache_ttl", 0);

    lens_write(w, ",\"cache_control\":{\"type\":\"ephemeral\"");
    if (ttl != NULL && ttl[0] != '\0') {
        lens_write(w, ",\"ttl\":");
        lens_write_string(w, ttl, strlen(ttl));
    }
    lens_write(w, "}");
}

static lens_status
write_medium(struct lens_writer *w, const struct lens_part *p)
{
    const struct lens_medium m = lens_medium_of(p);

    if (m.url.size > 0)
        return LENS_E_UNSUPPORTED;
    lens_write(w, p->kind == LENS_PART_IMAGE
                      ? "{\"type\":\"image\",\"source\":{\"type\":\"base64\","
                        "\"media_type\":"
                      : "{\"type\":\"document\",\"source\":{\"type\":\"base64\","
                        "\"media_type\":");
    write_bytes(w, m.mime);
    lens_write(w, ",\"data\":\"");
    lens_medium_write(w, &m);
    lens_write(w, "\"}");
    return LENS_OK;
}

/* A block without its closing brace. */
static lens_status
write_block(struct lens_writer *w, const struct lens_part *p)
{
    switch (p->kind) {
    case LENS_PART_TEXT:
    case LENS_PART_JSON:
        lens_write(w, "{\"type\":\"text\",\"text\":");
        write_bytes(w, p->data);
        return LENS_OK;
    case LENS_PART_IMAGE:
    case LENS_PART_FILE:
        return write_medium(w, p);
    case LENS_PART_TOOL_CALL:
        lens_write(w, "{\"type\":\"tool_use\",\"id\":");
        write_bytes(w, p->id);
        lens_write(w, ",\"name\":");
        write_bytes(w, p->name);
        lens_write(w, ",\"input\":");
        if (lens_is_object(p->data))
            write_raw(w, p->data);
        else
            lens_write(w, "{}");
        return LENS_OK;
    case LENS_PART_TOOL_RESULT:
        lens_write(w, "{\"type\":\"tool_result\",\"tool_use_id\":");
        write_bytes(w, p->id);
        lens_write(w, ",\"content\":");
        write_bytes(w, p->data);
        return LENS_OK;
    default:
        return LENS_E_UNSUPPORTED;
    }
}

static lens_status
write_blocks(const struct provider *p, struct lens_writer *w, const struct lens_turn *t,
             bool mark_last, bool *first)
{
    lens_status st = LENS_OK;

    for (uint32_t i = 0; i < t->part_count && st == LENS_OK; i++) {
        const struct lens_part *part = lens_part_at(t, i);

        if (part->kind == LENS_PART_REASONING)
            continue;
        lens_write(w, *first ? "" : ",");
        *first = false;
        st = write_block(w, part);
        if (part->flags & LENS_PART_CACHE_MARK || (mark_last && i + 1 == t->part_count))
            write_cache_control(p, w);
        lens_write(w, "}");
    }
    return st;
}

static bool
is_system(const struct lens_ask *ask, uint32_t i)
{
    return lens_turn_at(ask, i)->role == LENS_ROLE_SYSTEM;
}

/* The last turn that is or is not a system turn. */
static uint32_t
last_turn(const struct lens_ask *ask, bool system)
{
    uint32_t last = 0;

    for (uint32_t i = 0; i < ask->turn_count; i++)
        if (is_system(ask, i) == system)
            last = i;
    return last;
}

static lens_status
write_system(const struct provider *p, const struct lens_ask *ask, struct lens_writer *w)
{
    bool first = true;
    lens_status st = LENS_OK;

    lens_write(w, ",\"system\":[");
    for (uint32_t i = 0; i < ask->turn_count && st == LENS_OK; i++)
        if (is_system(ask, i))
            st = write_blocks(p, w, lens_turn_at(ask, i),
                              p->cache & CACHE_SYSTEM && i == last_turn(ask, true),
                              &first);
    lens_write(w, "]");
    return st;
}

static lens_status
write_messages(const struct provider *p, const struct lens_ask *ask, bool apart,
               struct lens_writer *w)
{
    bool first_message = true, first;
    lens_status st = LENS_OK;

    lens_write(w, ",\"messages\":[");
    for (uint32_t i = 0; i < ask->turn_count && st == LENS_OK; i++) {
        const struct lens_turn *t = lens_turn_at(ask, i);

        if (apart && is_system(ask, i))
            continue;
        lens_write(w, first_message ? "" : ",");
        lens_write(w, t->role == LENS_ROLE_ASSISTANT
                          ? "{\"role\":\"assistant\",\"content\":["
                          : "{\"role\":\"user\",\"content\":[");
        first = true;
        first_message = false;
        st = write_blocks(p, w, t, p->cache & CACHE_PROMPT && i == last_turn(ask, !apart),
                          &first);
        lens_write(w, "]}");
    }
    lens_write(w, "]");
    return st;
}

static void
write_tools(const struct provider *p, struct lens_bytes tools, struct lens_object *o)
{
    struct lens_writer *w = o->w;
    struct lens_tool tool;
    struct lens_bytes raw;
    struct lens_json j;
    unsigned count = 0;
    int64_t left;

    if (tools.size == 0)
        return;
    lens_object_name(o, "tools");
    lens_write(w, "[");
    lens_json_begin(&j, tools.data, tools.size);
    left = lens_read_count(&j);
    lens_json_begin(&j, tools.data, tools.size);
    for (lens_json_array(&j); lens_json_element(&j); left--) {
        lens_write(w, count++ > 0 ? "," : "");
        if (!lens_tool_read(&j, &tool, &raw)) {
            write_raw(w, raw); /* in Anthropic's form already */
            continue;
        }
        lens_write(w, "{\"name\":\"");
        write_raw(w, tool.name.raw);
        lens_write(w, "\",\"description\":\"");
        write_raw(w, tool.description.raw);
        lens_write(w, "\",\"input_schema\":");
        if (tool.parameters.size > 0)
            write_raw(w, tool.parameters);
        else
            lens_write(w, "{\"type\":\"object\"}");
        if (p->cache & CACHE_TOOLS && left == 1)
            write_cache_control(p, w);
        lens_write(w, "}");
    }
    lens_write(w, "]");
}

static void
write_choice(struct lens_bytes choice, struct lens_object *o)
{
    static const char *const types[] = { NULL, "auto", "none", "any", "tool" };
    struct lens_json_string name = { 0 };
    const int found = lens_tool_choice(choice, &name);

    if (found < 0)
        lens_object_raw(o, "tool_choice", choice);
    if (found <= LENS_CHOICE_NONE_GIVEN)
        return;
    lens_object_name(o, "tool_choice");
    lens_write(o->w, "{\"type\":\"");
    lens_write(o->w, types[found]);
    if (found == LENS_CHOICE_FUNCTION) {
        lens_write(o->w, "\",\"name\":\"");
        write_raw(o->w, name.raw);
    }
    lens_write(o->w, "\"}");
}

static void
write_config(const struct provider *p, const struct lens_ask *ask, struct lens_object *o)
{
    const struct lens_host *h = p->host;
    struct lens_object thinking = lens_object_inside(o, "thinking");

    lens_object_int(o, "max_tokens",
                    ask->set & LENS_SET_MAX_OUTPUT ? ask->max_output : LIMIT);
    if (ask->set & LENS_SET_TEMPERATURE)
        lens_object_double(o, "temperature", ask->temperature);
    if (ask->set & LENS_SET_TOP_P)
        lens_object_double(o, "top_p", ask->top_p);
    if (ask->set & LENS_SET_TOP_K)
        lens_object_int(o, "top_k", ask->top_k);
    lens_object_stops(o, "stop_sequences", ask);
    if (h->opt_count(h, "thinking_budget") > 0) {
        lens_object_text(&thinking, "type", "enabled");
        lens_object_opt_int(&thinking, "budget_tokens", h, "thinking_budget");
    }
    lens_object_end(&thinking);
    write_tools(p, ask->tools, o);
    write_choice(ask->tool_choice, o);
}

lens_status
invoke_claude_body(const struct provider *p, const struct lens_ask *ask,
                   struct lens_writer *w)
{
    struct lens_object o = { .w = w, .started = 1 };
    uint32_t systems = 0;
    lens_status st;
    bool apart;

    for (uint32_t i = 0; i < ask->turn_count; i++)
        systems += is_system(ask, i);
    apart = systems < ask->turn_count;
    lens_write(w, "{\"anthropic_version\":\"bedrock-2023-05-31\"");
    st = write_messages(p, ask, apart, w);
    if (st == LENS_OK && apart && systems > 0)
        st = write_system(p, ask, w);
    write_config(p, ask, &o);
    lens_write(w, "}");
    return st;
}
