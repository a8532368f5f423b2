/* config: how the answer shall be: generationConfig, tools, safety. */
#include "gemini.h"
#include "sdk/object.h"
#include "sdk/tools.h"
#include "sdk/turns.h"

static void
write_sampling(const struct provider *p, const struct lens_ask *ask,
               struct lens_object *m)
{
    if (ask->set & LENS_SET_MAX_OUTPUT)
        lens_object_int(m, "maxOutputTokens", ask->max_output);
    if (ask->set & LENS_SET_TEMPERATURE)
        lens_object_double(m, "temperature", ask->temperature);
    if (ask->set & LENS_SET_TOP_P)
        lens_object_double(m, "topP", ask->top_p);
    if (ask->set & LENS_SET_TOP_K)
        lens_object_int(m, "topK", ask->top_k);
    if (ask->set & LENS_SET_SEED)
        lens_object_int(m, "seed", ask->seed);
    if (ask->set & LENS_SET_N)
        lens_object_int(m, "candidateCount", ask->n);
    else
        lens_object_opt_int(m, "candidateCount", p->host, "candidate_count");
    lens_object_stops(m, "stopSequences", ask);
}

/* {"type":"json_schema","json_schema":{"schema":{..}}}, as the plan has it. */
static void
write_format(const struct provider *p, const struct lens_ask *ask, struct lens_object *m)
{
    struct lens_bytes schema;
    struct lens_json j;

    if (p->host->opt_count(p->host, "response_mime_type") > 0)
        lens_object_opt_text(m, "responseMimeType", p->host, "response_mime_type");
    else if (ask->response_format.size > 0 ||
             p->host->opt_count(p->host, "response_schema") > 0)
        lens_object_text(m, "responseMimeType", "application/json");
    if (p->host->opt_count(p->host, "response_schema") > 0)
        lens_object_opt_json(m, "responseJsonSchema", p->host, "response_schema");
    else if (ask->response_format.size > 0 &&
             lens_json_find(ask->response_format.data, ask->response_format.size,
                            "json_schema.schema", &j) &&
             lens_json_raw(&j, &schema))
        lens_object_raw(m, "responseJsonSchema", schema);
    lens_object_opt_json(m, "responseModalities", p->host, "response_modalities");
    lens_object_opt_text(m, "mediaResolution", p->host, "media_resolution");
}

static void
write_thinking(const struct provider *p, struct lens_object *outer)
{
    const struct lens_host *h = p->host;
    struct lens_object m = lens_object_inside(outer, "thinkingConfig");

    lens_object_opt_int(&m, "thinkingBudget", h, "thinking_budget");
    lens_object_opt_text(&m, "thinkingLevel", h, "thinking_level");
    if (h->opt_int(h, "include_thoughts"))
        lens_object_bool(&m, "includeThoughts", 1);
    lens_object_end(&m);
}

/* ---- tools ---- */

static void
write_declaration(struct lens_writer *w, const struct lens_tool *t)
{
    lens_write(w, "{\"name\":\"");
    lens_write_bytes(w, t->name.raw.data, t->name.raw.size);
    if (t->description.raw.size > 0) {
        lens_write(w, "\",\"description\":\"");
        lens_write_bytes(w, t->description.raw.data, t->description.raw.size);
    }
    lens_write(w, "\"");
    if (t->parameters.size > 0) {
        lens_write(w, ",\"parametersJsonSchema\":");
        lens_write_bytes(w, t->parameters.data, t->parameters.size);
    }
    lens_write(w, "}");
}

/* Functions in OpenAI's form become declarations; Google's own tools stay as they are. */
static void
write_tools(struct lens_bytes tools, struct lens_object *m)
{
    struct lens_tool tool;
    struct lens_bytes raw;
    struct lens_json j;
    unsigned count = 0;

    if (tools.size == 0)
        return;
    if (!lens_tools_are_plain(tools)) {
        lens_object_raw(m, "tools", tools);
        return;
    }
    lens_object_name(m, "tools");
    lens_write(m->w, "[{\"functionDeclarations\":[");
    lens_json_begin(&j, tools.data, tools.size);
    for (lens_json_array(&j); lens_json_element(&j);) {
        if (!lens_tool_read(&j, &tool, &raw))
            continue;
        lens_write(m->w, count++ > 0 ? "," : "");
        write_declaration(m->w, &tool);
    }
    lens_write(m->w, "]}]");
}

static void
write_choice(struct lens_bytes choice, struct lens_object *m)
{
    static const char *const modes[] = { NULL, "AUTO", "NONE", "ANY", "ANY" };
    struct lens_json_string name = { 0 };
    const int found = lens_tool_choice(choice, &name);

    if (found < 0) {
        lens_object_raw(m, "toolConfig", choice);
        return;
    }
    if (found == LENS_CHOICE_NONE_GIVEN)
        return;
    lens_object_name(m, "toolConfig");
    lens_write(m->w, "{\"functionCallingConfig\":{\"mode\":\"");
    lens_write(m->w, modes[found]);
    if (found == LENS_CHOICE_FUNCTION) {
        lens_write(m->w, "\",\"allowedFunctionNames\":[\"");
        lens_write_bytes(m->w, name.raw.data, name.raw.size);
        lens_write(m->w, "\"]}}");
    } else {
        lens_write(m->w, "\"}}");
    }
}

/* ---- safety ---- */

static void
write_safety(const struct provider *p, struct lens_object *m)
{
    static const char *const categories[] = {
        "HARM_CATEGORY_HARASSMENT",
        "HARM_CATEGORY_HATE_SPEECH",
        "HARM_CATEGORY_SEXUALLY_EXPLICIT",
        "HARM_CATEGORY_DANGEROUS_CONTENT",
    };
    const struct lens_host *h = p->host;
    const char *threshold = h->opt_string(h, "safety_threshold", 0);

    if (h->opt_count(h, "safety_settings") > 0) {
        lens_object_opt_json(m, "safetySettings", h, "safety_settings");
        return;
    }
    if (threshold == NULL || threshold[0] == '\0')
        return;
    lens_object_name(m, "safetySettings");
    for (size_t i = 0; i < sizeof categories / sizeof categories[0]; i++) {
        lens_write(m->w, i == 0 ? "[{\"category\":\"" : ",{\"category\":\"");
        lens_write(m->w, categories[i]);
        lens_write(m->w, "\",\"threshold\":");
        lens_write_string(m->w, threshold, strlen(threshold));
        lens_write(m->w, "}");
    }
    lens_write(m->w, "]");
}

void
config_write(const struct provider *p, const struct lens_ask *ask, struct lens_writer *w)
{
    struct lens_object m = { .w = w, .started = 1 };
    struct lens_object inner = lens_object_inside(&m, "generationConfig");

    write_sampling(p, ask, &inner);
    write_format(p, ask, &inner);
    write_thinking(p, &inner);
    lens_object_end(&inner);
    write_tools(ask->tools, &m);
    write_choice(ask->tool_choice, &m);
    write_safety(p, &m);
    lens_object_opt_text(&m, "cachedContent", p->host, "cached_content");
    if (!p->vertex)
        lens_object_opt_text(&m, "serviceTier", p->host, "service_tier");
}
