/* converse-body: a prompt as Converse takes it. */
#include "bedrock.h"
#include "sdk/media.h"
#include "sdk/merge.h"
#include "sdk/object.h"
#include "sdk/turns.h"

static void
write_bytes(struct lens_writer *w, struct lens_bytes b)
{
    lens_write_string(w, b.data, b.size);
}

void
converse_cache_point(const struct provider *p, struct lens_writer *w)
{
    const char *ttl = p->host->opt_string(p->host, "cache_ttl", 0);

    lens_write(w, ",{\"cachePoint\":{\"type\":\"default\"");
    if (ttl != NULL && ttl[0] != '\0') {
        lens_write(w, ",\"ttl\":");
        lens_write_string(w, ttl, strlen(ttl));
    }
    lens_write(w, "}}");
}

/* {"image":{"format":"png","source":{"bytes":".."}}}; what lies elsewhere must be in S3.
 */
static lens_status
write_medium(struct lens_writer *w, const struct lens_part *p)
{
    const struct lens_medium m = lens_medium_of(p);

    if (m.url.size > 0 && (m.url.size < 5 || memcmp(m.url.data, "s3://", 5) != 0))
        return LENS_E_UNSUPPORTED;
    lens_write(w, p->kind == LENS_PART_IMAGE   ? "{\"image\":{\"format\":"
                  : p->kind == LENS_PART_AUDIO ? "{\"audio\":{\"format\":"
                                               : "{\"document\":{\"format\":");
    write_bytes(w, lens_medium_format(&m));
    if (p->kind == LENS_PART_FILE)
        lens_write(w, ",\"name\":\"document\"");
    if (m.url.size > 0) {
        lens_write(w, ",\"source\":{\"s3Location\":{\"uri\":");
        write_bytes(w, m.url);
        lens_write(w, "}}}}");
    } else {
        lens_write(w, ",\"source\":{\"bytes\":\"");
        lens_medium_write(w, &m);
        lens_write(w, "\"}}}");
    }
    return LENS_OK;
}

static void
write_call(struct lens_writer *w, const struct lens_part *p)
{
    lens_write(w, "{\"toolUse\":{\"toolUseId\":");
    write_bytes(w, p->id);
    lens_write(w, ",\"name\":");
    write_bytes(w, p->name);
    lens_write(w, ",\"input\":");
    if (lens_is_object(p->data))
        lens_write_bytes(w, p->data.data, p->data.size);
    else
        lens_write(w, "{}");
    lens_write(w, "}}");
}

static void
write_result(struct lens_writer *w, const struct lens_part *p)
{
    const bool object = lens_is_object(p->data);

    lens_write(w, "{\"toolResult\":{\"toolUseId\":");
    write_bytes(w, p->id);
    lens_write(w, object ? ",\"content\":[{\"json\":" : ",\"content\":[{\"text\":");
    if (object)
        lens_write_bytes(w, p->data.data, p->data.size);
    else
        write_bytes(w, p->data);
    lens_write(w, "}]}}");
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
        return write_medium(w, p);
    case LENS_PART_TOOL_CALL:
        write_call(w, p);
        return LENS_OK;
    case LENS_PART_TOOL_RESULT:
        write_result(w, p);
        return LENS_OK;
    default:
        return LENS_E_UNSUPPORTED;
    }
}

/* Past reasoning is not sent again: its signature is not kept. */
static lens_status
write_parts(const struct provider *p, struct lens_writer *w, const struct lens_turn *t,
            bool *first)
{
    lens_status st = LENS_OK;

    for (uint32_t i = 0; i < t->part_count && st == LENS_OK; i++) {
        const struct lens_part *part = lens_part_at(t, i);

        if (part->kind == LENS_PART_REASONING)
            continue;
        lens_write(w, *first ? "" : ",");
        *first = false;
        st = write_part(w, part);
        if (part->flags & LENS_PART_CACHE_MARK)
            converse_cache_point(p, w);
    }
    return st;
}

static bool
is_system(const struct lens_ask *ask, uint32_t i)
{
    return lens_turn_at(ask, i)->role == LENS_ROLE_SYSTEM;
}

static lens_status
write_system(const struct provider *p, const struct lens_ask *ask, struct lens_writer *w)
{
    bool first = true;
    lens_status st = LENS_OK;

    lens_write(w, ",\"system\":[");
    for (uint32_t i = 0; i < ask->turn_count && st == LENS_OK; i++)
        if (is_system(ask, i))
            st = write_parts(p, w, lens_turn_at(ask, i), &first);
    if (p->cache & CACHE_SYSTEM && !first)
        converse_cache_point(p, w);
    lens_write(w, "]");
    return st;
}

static bool
is_assistant(const struct lens_ask *ask, uint32_t i)
{
    return lens_turn_at(ask, i)->role == LENS_ROLE_ASSISTANT;
}

/* Turns of one side in a row are one message: the roles have to alternate. */
static lens_status
write_turns(const struct provider *p, const struct lens_ask *ask, bool apart,
            struct lens_writer *w)
{
    bool open = false, assistant = false, first = true;
    lens_status st = LENS_OK;

    for (uint32_t i = 0; i < ask->turn_count && st == LENS_OK; i++) {
        if (apart && is_system(ask, i))
            continue;
        if (!open || assistant != is_assistant(ask, i)) {
            assistant = is_assistant(ask, i);
            lens_write(w, open ? "]}," : "");
            lens_write(w, assistant ? "{\"role\":\"assistant\",\"content\":["
                                    : "{\"role\":\"user\",\"content\":[");
            open = first = true;
        }
        st = write_parts(p, w, lens_turn_at(ask, i), &first);
    }
    if (open && p->cache & CACHE_PROMPT && !first)
        converse_cache_point(p, w);
    lens_write(w, open ? "]}" : "");
    return st;
}

lens_status
converse_messages(const struct provider *p, const struct lens_ask *ask,
                  struct lens_writer *w)
{
    uint32_t systems = 0;
    lens_status st;
    bool apart;

    for (uint32_t i = 0; i < ask->turn_count; i++)
        systems += is_system(ask, i);
    /* A prompt of nothing but instructions is asked as a question. */
    apart = systems < ask->turn_count;
    lens_write(w, "\"messages\":[");
    st = write_turns(p, ask, apart, w);
    lens_write(w, "]");
    return st == LENS_OK && apart && systems > 0 ? write_system(p, ask, w) : st;
}

static void
write_inference(const struct lens_ask *ask, struct lens_object *outer)
{
    struct lens_object o = lens_object_inside(outer, "inferenceConfig");

    if (ask->set & LENS_SET_MAX_OUTPUT)
        lens_object_int(&o, "maxTokens", ask->max_output);
    if (ask->set & LENS_SET_TEMPERATURE)
        lens_object_double(&o, "temperature", ask->temperature);
    if (ask->set & LENS_SET_TOP_P)
        lens_object_double(&o, "topP", ask->top_p);
    lens_object_stops(&o, "stopSequences", ask);
    lens_object_end(&o);
}

/* What only some models know goes through as it is. */
static void
write_additional(const struct provider *p, const struct lens_ask *ask,
                 struct lens_object *outer)
{
    struct lens_object o = lens_object_inside(outer, "additionalModelRequestFields");
    struct lens_object thinking = lens_object_inside(&o, "thinking");

    if (p->host->opt_count(p->host, "additional_fields") > 0) {
        lens_object_opt_json(outer, "additionalModelRequestFields", p->host,
                             "additional_fields");
        return;
    }
    if (ask->set & LENS_SET_TOP_K)
        lens_object_int(&o, "top_k", ask->top_k);
    lens_object_opt_text(&o, "reasoning_effort", p->host, "reasoning_effort");
    if (p->host->opt_count(p->host, "thinking_budget") > 0) {
        lens_object_text(&thinking, "type", "enabled");
        lens_object_opt_int(&thinking, "budget_tokens", p->host, "thinking_budget");
    }
    lens_object_end(&thinking);
    lens_object_end(&o);
}

static void
write_rest(const struct provider *p, struct lens_object *o)
{
    struct lens_object performance = lens_object_inside(o, "performanceConfig");
    struct lens_object tier = lens_object_inside(o, "serviceTier");
    struct lens_object guardrail = lens_object_inside(o, "guardrailConfig");

    lens_object_opt_text(&performance, "latency", p->host, "performance");
    lens_object_end(&performance);
    lens_object_opt_text(&tier, "type", p->host, "service_tier");
    lens_object_end(&tier);
    lens_object_opt_text(&guardrail, "guardrailIdentifier", p->host, "guardrail_id");
    lens_object_opt_text(&guardrail, "guardrailVersion", p->host, "guardrail_version");
    lens_object_end(&guardrail);
}

lens_status
converse_body(const struct provider *p, const struct lens_ask *ask, struct lens_writer *w)
{
    struct lens_object o = { .w = w, .started = 1 };
    lens_status st;

    lens_write(w, "{");
    st = converse_messages(p, ask, w);
    write_inference(ask, &o);
    converse_tools(p, ask, &o);
    write_additional(p, ask, &o);
    write_rest(p, &o);
    lens_write(w, "}");
    return st;
}
