/* invoke-plain: bodies of models whose protocol has no events: Llama, Titan, Mistral,
 * Cohere, and those that look like OpenAI's chat. One reader knows the members of all; no
 * two of them mean different things. */
#include "bedrock.h"

struct plain {
    struct lens_json_string text, reasoning, finish, name, arguments;
    struct lens_bytes outputs, choices, usage; /* raw */
    int64_t input, output;
    bool finished; /* is_finished of Cohere */
};

static void
read_plain(struct lens_json *j, struct plain *p)
{
    struct lens_json_string event = { 0 };
    struct lens_bytes key;
    struct lens_key_room room;
    int32_t flag;

    for (lens_json_object(j); lens_read_member(j, &key, &room);) {
        if (LENS_KEY(key, "generation") || LENS_KEY(key, "outputText") ||
            LENS_KEY(key, "text"))
            lens_read_string(j, &p->text);
        else if (LENS_KEY(key, "stop_reason") || LENS_KEY(key, "completionReason") ||
                 LENS_KEY(key, "finish_reason"))
            lens_read_string(j, &p->finish);
        else if (LENS_KEY(key, "prompt_token_count") ||
                 LENS_KEY(key, "inputTextTokenCount"))
            lens_read_tokens(j, &p->input);
        else if (LENS_KEY(key, "generation_token_count") ||
                 LENS_KEY(key, "totalOutputTextTokenCount") ||
                 LENS_KEY(key, "tokenCount"))
            lens_read_tokens(j, &p->output);
        else if (LENS_KEY(key, "outputs") || LENS_KEY(key, "results") ||
                 LENS_KEY(key, "generations"))
            lens_read_raw(j, &p->outputs);
        else if (LENS_KEY(key, "choices"))
            lens_read_raw(j, &p->choices);
        else if (LENS_KEY(key, "usage"))
            lens_read_raw(j, &p->usage);
        else if (LENS_KEY(key, "is_finished"))
            p->finished = lens_json_bool(j, &flag) && flag;
        else if (LENS_KEY(key, "event_type"))
            lens_read_string(j, &event);
        else
            lens_json_skip(j);
    }
    /* The end of Cohere's stream repeats all of it. */
    if (LENS_KEY(event.raw, "stream-end"))
        p->text = (struct lens_json_string){ 0 };
}

/* The first call of a list; others follow in messages of their own. */
static void
read_calls(struct lens_json *j, struct plain *p)
{
    struct lens_bytes raw;
    struct lens_json inner;

    lens_read_raw(j, &raw);
    if (lens_json_find(raw.data, raw.size, "0.function.name", &inner))
        lens_read_string(&inner, &p->name);
    if (lens_json_find(raw.data, raw.size, "0.function.arguments", &inner))
        lens_read_string(&inner, &p->arguments);
}

/* A delta or a message of OpenAI's chat. */
static void
read_delta(struct lens_json *j, struct plain *p)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "content"))
            lens_read_string(j, &p->text);
        else if (LENS_KEY(key, "reasoning") || LENS_KEY(key, "reasoning_content"))
            lens_read_string(j, &p->reasoning);
        else if (LENS_KEY(key, "tool_calls"))
            read_calls(j, p);
        else
            lens_json_skip(j);
    }
}

static void
read_choice(struct lens_json *j, struct plain *p)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "delta") || LENS_KEY(key, "message"))
            read_delta(j, p);
        else if (LENS_KEY(key, "text"))
            lens_read_string(j, &p->text);
        else if (LENS_KEY(key, "finish_reason") || LENS_KEY(key, "stop_reason"))
            lens_read_string(j, &p->finish);
        else
            lens_json_skip(j);
    }
}

static lens_status
tell_pieces(struct stream *s, uint32_t lane, const struct plain *p, uint32_t *classes)
{
    lens_status st = LENS_OK;

    if (p->reasoning.raw.size > 0) {
        *classes |= LENS_MSG_REASONING;
        st = lens_stream_text(&s->base, LENS_EV_REASONING, lane, 0, NULL, &p->reasoning);
    }
    if (st == LENS_OK && p->text.raw.size > 0) {
        *classes |= LENS_MSG_TEXT;
        st = lens_stream_text(&s->base, LENS_EV_TEXT, lane, 0, NULL, &p->text);
    }
    if (st == LENS_OK && (p->name.raw.size > 0 || p->arguments.raw.size > 0)) {
        *classes |= LENS_MSG_TOOL;
        if (p->name.raw.size > 0 || s->tools == 0)
            s->tools++;
        st = lens_stream_text(&s->base, LENS_EV_TOOL, lane, s->tools - 1, &p->name,
                              &p->arguments);
    }
    if (st == LENS_OK && p->finish.raw.size > 0) {
        *classes |= LENS_MSG_FINISH;
        s->stopped = true;
        st = lens_stream_text(&s->base, LENS_EV_FINISH, lane, 0, NULL, &p->finish);
    }
    return st;
}

/* Each choice, or each output, in its own lane. */
static lens_status
tell_list(struct stream *s, struct lens_bytes list, bool choices, struct plain *sum,
          uint32_t *classes)
{
    struct lens_json j;
    struct plain one;
    uint32_t lane = 0;
    lens_status st = LENS_OK;

    lens_json_begin(&j, list.data, list.size);
    if (lens_json_peek(&j) != LENS_JSON_ARRAY)
        return LENS_OK;
    for (lens_json_array(&j); lens_json_element(&j); lane++) {
        memset(&one, 0, sizeof one);
        one.input = one.output = -1;
        if (choices)
            read_choice(&j, &one);
        else if (lens_json_peek(&j) == LENS_JSON_OBJECT)
            read_plain(&j, &one);
        else
            lens_json_skip(&j);
        if (one.output >= 0)
            sum->output = one.output;
        if (st == LENS_OK)
            st = tell_pieces(s, lane, &one, classes);
    }
    return st;
}

/* OpenAI's names, with the cache inside of the input. */
static void
read_usage(struct lens_bytes usage, struct plain *p)
{
    struct lens_json j;

    if (lens_json_find(usage.data, usage.size, "prompt_tokens", &j))
        lens_read_tokens(&j, &p->input);
    if (lens_json_find(usage.data, usage.size, "completion_tokens", &j))
        lens_read_tokens(&j, &p->output);
}

/* The metrics of AWS, which may stand in the same message, win. */
static void
take_counts(struct stream *s, const struct plain *p)
{
    if (s->final && s->counted)
        return;
    if (p->input >= 0)
        s->counts.input = p->input;
    if (p->output >= 0)
        s->counts.output = p->output;
    if (p->input >= 0 || p->output >= 0) {
        s->counted = true;
        s->told = false;
    }
}

lens_status
plain_message(struct stream *s, struct lens_bytes json, const struct lens_frame *f)
{
    struct plain p = { .input = -1, .output = -1 };
    struct lens_json j;
    uint32_t classes = 0;
    lens_status st;

    lens_json_begin(&j, json.data, json.size);
    if (lens_json_peek(&j) == LENS_JSON_OBJECT)
        read_plain(&j, &p);
    st = tell_pieces(s, 0, &p, &classes);
    if (st == LENS_OK && p.choices.size > 0)
        st = tell_list(s, p.choices, true, &p, &classes);
    if (st == LENS_OK && p.outputs.size > 0)
        st = tell_list(s, p.outputs, false, &p, &classes);
    read_usage(p.usage, &p);
    take_counts(s, &p);
    if (classes & LENS_MSG_OUTPUT)
        s->base.flags |= LENS_STREAM_OUTPUT;
    if (st != LENS_OK || f == NULL)
        return st;
    if (s->final) { /* the metrics came: this is the last chunk */
        classes |= LENS_MSG_USAGE | LENS_MSG_DONE;
        st = counts_tell(s);
    }
    return st == LENS_OK ? lens_stream_message(&s->base, classes, f, -1) : st;
}
