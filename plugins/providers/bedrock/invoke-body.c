/* invoke-body: the bodies of InvokeModel, each in the form of the model's vendor. */
#include "bedrock.h"
#include "sdk/messages.h"
#include "sdk/object.h"
#include "sdk/turns.h"

/* The names that vendors have for the same. */
struct names {
    const char *limit, *temperature, *top_p, *top_k, *stop;
};

static const struct names llama = { "max_gen_len", "temperature", "top_p", NULL, NULL };
static const struct names titan = { "maxTokenCount", "temperature", "topP", NULL,
                                    "stopSequences" };
static const struct names nova = { "maxTokens", "temperature", "topP", "topK",
                                   "stopSequences" };
static const struct names mistral = { "max_tokens", "temperature", "top_p", "top_k",
                                      "stop" };
static const struct names cohere = { "max_tokens", "temperature", "p", "k",
                                     "stop_sequences" };
static const struct names chat = { "max_tokens", "temperature", "top_p", NULL, "stop" };
static const struct names openai = { "max_completion_tokens", "temperature", "top_p",
                                     NULL, "stop" };

static void
write_sampling(const struct lens_ask *ask, const struct names *n, struct lens_object *o)
{
    if (ask->set & LENS_SET_MAX_OUTPUT)
        lens_object_int(o, n->limit, ask->max_output);
    if (ask->set & LENS_SET_TEMPERATURE)
        lens_object_double(o, n->temperature, ask->temperature);
    if (ask->set & LENS_SET_TOP_P)
        lens_object_double(o, n->top_p, ask->top_p);
    if (ask->set & LENS_SET_TOP_K && n->top_k != NULL)
        lens_object_int(o, n->top_k, ask->top_k);
    if (n->stop != NULL)
        lens_object_stops(o, n->stop, ask);
}

/* One text and the parameters beside it. */
static lens_status
write_prompt(const struct lens_ask *ask, const char *member, const struct names *n,
             struct lens_writer *w)
{
    struct lens_object o = { .w = w, .started = 1 };
    lens_status st;

    lens_write(w, "{\"");
    lens_write(w, member);
    lens_write(w, "\":");
    st = lens_messages_prompt(w, ask);
    write_sampling(ask, n, &o);
    lens_write(w, "}");
    return st;
}

static lens_status
write_titan(const struct lens_ask *ask, struct lens_writer *w)
{
    struct lens_object o = { .w = w, .started = 1 };
    struct lens_object inner = lens_object_inside(&o, "textGenerationConfig");
    lens_status st;

    lens_write(w, "{\"inputText\":");
    st = lens_messages_prompt(w, ask);
    write_sampling(ask, &titan, &inner);
    lens_object_end(&inner);
    lens_write(w, "}");
    return st;
}

static lens_status
write_nova(const struct provider *p, const struct lens_ask *ask, struct lens_writer *w)
{
    struct lens_object o = { .w = w, .started = 1 };
    struct lens_object inner = lens_object_inside(&o, "inferenceConfig");
    lens_status st;

    lens_write(w, "{\"schemaVersion\":\"messages-v1\",");
    st = converse_messages(p, ask, w);
    write_sampling(ask, &nova, &inner);
    lens_object_end(&inner);
    converse_tools(p, ask, &o);
    lens_write(w, "}");
    return st;
}

static lens_status
write_chat(const struct provider *p, const struct lens_ask *ask, const struct names *n,
           struct lens_writer *w)
{
    struct lens_object o = { .w = w, .started = 1 };
    lens_status st;

    lens_write(w, "{\"messages\":");
    st = lens_messages_chat(w, ask);
    write_sampling(ask, n, &o);
    lens_object_raw(&o, "tools", ask->tools);
    lens_object_raw(&o, "tool_choice", ask->tool_choice);
    lens_object_raw(&o, "response_format", ask->response_format);
    lens_object_opt_text(&o, "reasoning_effort", p->host, "reasoning_effort");
    lens_write(w, "}");
    return st;
}

lens_status
invoke_body(const struct provider *p, const struct lens_ask *ask, struct lens_writer *w)
{
    switch (p->last_family) {
    case FAMILY_ANTHROPIC:
        return invoke_claude_body(p, ask, w);
    case FAMILY_NOVA:
        return write_nova(p, ask, w);
    case FAMILY_LLAMA:
        return write_prompt(ask, "prompt", &llama, w);
    case FAMILY_TITAN:
        return write_titan(ask, w);
    case FAMILY_MISTRAL:
        return write_prompt(ask, "prompt", &mistral, w);
    case FAMILY_COHERE:
        return write_prompt(ask, "message", &cohere, w);
    case FAMILY_OPENAI:
        return write_chat(p, ask, &openai, w);
    default:
        return write_chat(p, ask, &chat, w);
    }
}
