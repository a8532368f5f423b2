/* converse: the events and the whole answers of Converse. */
#include "bedrock.h"

/* What an event brings, read but not yet told. */
struct brought {
    struct lens_json_string text, reasoning, redacted, name, arguments, stop;
    struct lens_bytes usage, metrics, tier, performance; /* raw */
    int64_t block;
    bool media, role, tool;
};

static bool
is_json(struct lens_bytes json)
{
    struct lens_json j;

    lens_json_begin(&j, json.data, json.size);
    return lens_json_skip(&j) && lens_json_end(&j);
}

/* {"text"} or {"reasoningText":{"text"}}, signature aside; or what is hidden. */
static void
read_reasoning(struct lens_json *j, struct brought *b)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "text"))
            lens_read_string(j, &b->reasoning);
        else if (LENS_KEY(key, "reasoningText"))
            read_reasoning(j, b);
        else if (LENS_KEY(key, "redactedContent"))
            lens_read_string(j, &b->redacted);
        else
            lens_json_skip(j);
    }
}

/* A fragment of arguments is text; a whole answer has them as JSON. */
static void
read_tool(struct lens_json *j, struct brought *b)
{
    struct lens_bytes key;
    struct lens_key_room room;

    b->tool = true;
    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "name"))
            lens_read_string(j, &b->name);
        else if (!LENS_KEY(key, "input"))
            lens_json_skip(j);
        else if (lens_json_peek(j) == LENS_JSON_STRING)
            lens_read_string(j, &b->arguments);
        else
            lens_read_raw(j, &b->arguments.raw);
    }
}

/* A delta, the start of a block, or a block. */
static void
read_block(struct lens_json *j, struct brought *b)
{
    struct lens_bytes key, raw;
    struct lens_key_room room;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "text")) {
            lens_read_string(j, &b->text);
        } else if (LENS_KEY(key, "toolUse")) {
            read_tool(j, b);
        } else if (LENS_KEY(key, "reasoningContent")) {
            read_reasoning(j, b);
        } else if (LENS_KEY(key, "image") || LENS_KEY(key, "video") ||
                   LENS_KEY(key, "audio")) {
            lens_read_raw(j, &raw);
            b->media = memmem(raw.data, raw.size, "\"bytes\"", 7) != NULL;
        } else {
            lens_json_skip(j);
        }
    }
}

static void
read_event(struct lens_bytes json, struct brought *b)
{
    struct lens_bytes key;
    struct lens_key_room room;
    struct lens_json j;

    memset(b, 0, sizeof *b);
    lens_json_begin(&j, json.data, json.size);
    if (lens_json_peek(&j) != LENS_JSON_OBJECT)
        return;
    for (lens_json_object(&j); lens_read_member(&j, &key, &room);) {
        if (LENS_KEY(key, "delta") || LENS_KEY(key, "start"))
            read_block(&j, b);
        else if (LENS_KEY(key, "contentBlockIndex"))
            lens_json_int(&j, &b->block);
        else if (LENS_KEY(key, "stopReason"))
            lens_read_string(&j, &b->stop);
        else if (LENS_KEY(key, "usage"))
            lens_read_raw(&j, &b->usage);
        else if (LENS_KEY(key, "metrics"))
            lens_read_raw(&j, &b->metrics);
        else if (LENS_KEY(key, "serviceTier"))
            lens_read_raw(&j, &b->tier);
        else if (LENS_KEY(key, "performanceConfig"))
            lens_read_raw(&j, &b->performance);
        else
            lens_json_skip(&j);
    }
}

/* The number of the call that a block is; a start begins one. */
static uint32_t
number_of_call(struct stream *s, const struct brought *b)
{
    const uint32_t most = sizeof s->tool_block / sizeof s->tool_block[0];
    const uint32_t known = s->tools < most ? s->tools : most;

    if (b->name.raw.size > 0 || s->tools == 0) {
        if (s->tools < most)
            s->tool_block[s->tools] = b->block;
        return s->tools++;
    }
    for (uint32_t i = known; i > 0; i--)
        if (s->tool_block[i - 1] == b->block)
            return i - 1;
    return s->tools - 1;
}

static lens_status
tell_block(struct stream *s, const struct brought *b, uint32_t *classes)
{
    lens_status st = LENS_OK;

    if (b->text.raw.size > 0) {
        *classes |= LENS_MSG_TEXT;
        st = lens_stream_text(&s->base, LENS_EV_TEXT, 0, 0, NULL, &b->text);
    }
    if (b->reasoning.raw.size > 0 || b->redacted.raw.size > 0)
        *classes |= LENS_MSG_REASONING;
    if (st == LENS_OK && b->reasoning.raw.size > 0)
        st = lens_stream_text(&s->base, LENS_EV_REASONING, 0, 0, NULL, &b->reasoning);
    if (b->media)
        *classes |= LENS_MSG_MEDIA;
    if (st == LENS_OK && b->tool && (b->name.raw.size > 0 || b->arguments.raw.size > 0)) {
        *classes |= LENS_MSG_TOOL;
        st = lens_stream_text(&s->base, LENS_EV_TOOL, 0, number_of_call(s, b), &b->name,
                              &b->arguments);
    }
    return st;
}

/* {"type":"priority"}; where there is none, the latency that is paid for. */
static lens_status
tell_tier(struct stream *s, const struct brought *b)
{
    struct lens_json_string word;
    struct lens_json j;

    if (lens_json_find(b->tier.data, b->tier.size, "type", &j) &&
        lens_json_string(&j, &word))
        return lens_stream_word(&s->base, LENS_EV_TIER, &word);
    if (lens_json_find(b->performance.data, b->performance.size, "latency", &j) &&
        lens_json_string(&j, &word) && LENS_KEY(word.raw, "optimized"))
        return lens_stream_word(&s->base, LENS_EV_TIER, &word);
    return LENS_OK;
}

static lens_status
tell_metadata(struct stream *s, const struct brought *b, uint32_t *classes)
{
    lens_status st = LENS_OK;

    if (b->usage.size > 0) {
        *classes |= LENS_MSG_USAGE;
        s->final = true;
        counts_read_usage(s, b->usage);
        st = counts_tell(s);
    }
    if (st == LENS_OK && b->metrics.size > 0)
        st = counts_tell_time(s, b->metrics, "latencyMs", "server_latency_ms");
    return st == LENS_OK ? tell_tier(s, b) : st;
}

static lens_status
tell_stop(struct stream *s, const struct brought *b, uint32_t *classes)
{
    if (b->stop.raw.size == 0)
        return LENS_OK;
    *classes |= LENS_MSG_FINISH;
    s->stopped = true;
    return lens_stream_text(&s->base, LENS_EV_FINISH, 0, 0, NULL, &b->stop);
}

/* What follows the end of the message: metadata, and nothing that fails it. */
static lens_status
tell_after_stop(struct stream *s, const struct brought *b, const struct lens_frame *f)
{
    uint32_t classes = 0;
    lens_status st;

    if (b->usage.size == 0 && b->metrics.size == 0)
        return lens_stream_warn(&s->base, LENS_WARN_DATA_AFTER_DONE);
    st = tell_metadata(s, b, &classes);
    return st == LENS_OK ? lens_stream_message(&s->base, classes, f, -1) : st;
}

lens_status
converse_event(struct stream *s, struct lens_bytes name, struct lens_bytes json,
               const struct lens_frame *f)
{
    struct brought b;
    uint32_t classes = 0;
    lens_status st;

    if (!is_json(json))
        return lens_stream_broken(&s->base, f);
    read_event(json, &b);
    if (s->base.flags & LENS_STREAM_DONE)
        return tell_after_stop(s, &b, f);
    if (LENS_KEY(name, "messageStart"))
        classes |= LENS_MSG_ROLE;
    if (LENS_KEY(name, "messageStop"))
        classes |= LENS_MSG_DONE;
    st = tell_block(s, &b, &classes);
    if (st == LENS_OK)
        st = tell_stop(s, &b, &classes);
    if (st == LENS_OK)
        st = tell_metadata(s, &b, &classes);
    return st == LENS_OK ? lens_stream_message(&s->base, classes, f, -1) : st;
}

/* ---- whole answers ---- */

static lens_status
tell_content(struct stream *s, struct lens_bytes json)
{
    struct brought b;
    struct lens_json j;
    uint32_t classes = 0;
    lens_status st = LENS_OK;

    if (!lens_json_find(json.data, json.size, "output.message.content", &j) ||
        lens_json_peek(&j) != LENS_JSON_ARRAY)
        return LENS_OK;
    for (lens_json_array(&j); lens_json_element(&j);) {
        memset(&b, 0, sizeof b);
        read_block(&j, &b);
        if (st == LENS_OK)
            st = tell_block(s, &b, &classes);
    }
    return st;
}

lens_status
converse_document(struct stream *s, struct lens_bytes json)
{
    struct brought b;
    uint32_t classes = 0;
    lens_status st;

    read_event(json, &b);
    st = tell_content(s, json);
    if (st == LENS_OK)
        st = tell_stop(s, &b, &classes);
    if (st == LENS_OK)
        st = tell_metadata(s, &b, &classes);
    if (st == LENS_OK && !s->stopped && b.usage.size == 0)
        st = lens_stream_fault(&s->base, LENS_CLASS_PROTOCOL_ERROR, LENS_KIND_PROTOCOL,
                               "the answer has no output");
    return st;
}
