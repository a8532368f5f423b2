/* mock-chat: chat and completions, as OpenAI and vLLM send them. */
#include "mock.h"

/* scratch[0]: tool calls that were started. */
enum { CALLS = 0 };

static void
open_chunk(struct lens_mock_out *o)
{
    lens_write(&o->w, "data: {\"id\":");
    lens_mock_id(o, "chatcmpl-");
    lens_write(&o->w, ",\"object\":\"chat.completion.chunk\"");
    mock_model(o);
    lens_write(&o->w, ",\"system_fingerprint\":\"fp_lens\",\"choices\":[");
}

/* With usage asked for, every chunk but the last says null. */
static void
close_chunk(struct lens_mock_out *o)
{
    lens_write(&o->w, o->turn->usage ? "],\"usage\":null}\n\n" : "]}\n\n");
}

static void
text_chunk(struct lens_mock_out *o, const char *member)
{
    open_chunk(o);
    lens_write(&o->w, "{\"index\":0,");
    if (o->turn->scratch[MOCK_AZURE] != 0)
        lens_write(&o->w, "\"content_filter_results\":{\"hate\":{\"filtered\":false,"
                          "\"severity\":\"safe\"}},");
    lens_write(&o->w, "\"delta\":{\"");
    lens_write(&o->w, member);
    lens_write(&o->w, "\":");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, "},\"logprobs\":null,\"finish_reason\":null}");
    close_chunk(o);
}

static void
call_id(struct lens_mock_out *o, uint64_t nth)
{
    lens_mock_id(o, nth == 0   ? "call_0"
                    : nth == 1 ? "call_1"
                    : nth == 2 ? "call_2"
                               : "call_3");
}

/* Name and id come once, then only arguments. */
static void
tool_chunk(struct lens_mock_out *o, struct lens_bytes name, struct lens_bytes arguments)
{
    uint64_t *calls = &o->turn->scratch[CALLS];

    if (name.size > 0 || *calls == 0)
        ++*calls;
    open_chunk(o);
    lens_write(&o->w, "{\"index\":0,\"delta\":{\"tool_calls\":[{\"index\":");
    lens_write_int(&o->w, (int64_t)*calls - 1);
    if (name.size > 0) {
        lens_write(&o->w, ",\"id\":");
        call_id(o, *calls - 1);
        lens_write(&o->w, ",\"type\":\"function\",\"function\":{\"name\":");
        lens_mock_string(o, name);
        lens_write(&o->w, ",\"arguments\":");
    } else {
        lens_write(&o->w, ",\"function\":{\"arguments\":");
    }
    lens_mock_string(o, arguments);
    lens_write(&o->w, "}}]},\"logprobs\":null,\"finish_reason\":null}");
    close_chunk(o);
}

/* The first chunk is about the prompt alone: no choice, no id. */
static void
prompt_filter(struct lens_mock_out *o)
{
    if (o->turn->scratch[MOCK_AZURE] == 0)
        return;
    lens_write(&o->w, "data: {\"choices\":[],\"created\":0,\"id\":\"\",\"model\":\"\","
                      "\"object\":\"\",\"prompt_filter_results\":[{\"prompt_index\":0,"
                      "\"content_filter_results\":{\"hate\":{\"filtered\":false,"
                      "\"severity\":\"safe\"}}}]}\n\n");
}

static void
begin(struct lens_mock_out *o)
{
    prompt_filter(o);
    open_chunk(o);
    lens_write(&o->w, "{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\","
                      "\"refusal\":null},\"logprobs\":null,\"finish_reason\":null}");
    close_chunk(o);
}

static void
finish(struct lens_mock_out *o)
{
    open_chunk(o);
    lens_write(&o->w, "{\"index\":0,\"delta\":{},\"logprobs\":null,\"finish_reason\":");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, "}");
    close_chunk(o);
    if (o->turn->usage) {
        open_chunk(o);
        lens_write(&o->w, "],\"usage\":");
        mock_usage(o);
        lens_write(&o->w, "}\n\n");
    }
    lens_write(&o->w, "data: [DONE]\n\n");
}

static void
error(struct lens_mock_out *o)
{
    lens_write(&o->w, "data: {\"error\":");
    mock_error(o);
    lens_write(&o->w, "}\n\n");
}

static void
whole(struct lens_mock_out *o)
{
    const struct lens_mock_step *s = o->step;

    lens_write(&o->w, "{\"id\":");
    lens_mock_id(o, "chatcmpl-");
    lens_write(&o->w, ",\"object\":\"chat.completion\"");
    mock_model(o);
    lens_write(&o->w, ",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\","
                      "\"content\":");
    if (s->name.size > 0 && s->text.size == 0)
        lens_write(&o->w, "null");
    else
        lens_mock_string(o, s->text);
    lens_write(&o->w, ",\"refusal\":null,\"annotations\":[]");
    if (s->reasoning.size > 0) {
        lens_write(&o->w, ",\"reasoning_content\":");
        lens_mock_string(o, s->reasoning);
    }
    if (s->name.size > 0) {
        lens_write(&o->w, ",\"tool_calls\":[{\"id\":");
        call_id(o, 0);
        lens_write(&o->w, ",\"type\":\"function\",\"function\":{\"name\":");
        lens_mock_string(o, s->name);
        lens_write(&o->w, ",\"arguments\":");
        lens_mock_string(o, s->arguments);
        lens_write(&o->w, "}}]");
    }
    lens_write(&o->w, "},\"logprobs\":null,\"finish_reason\":");
    lens_mock_string(o, s->finish);
    lens_write(&o->w, "}],\"usage\":");
    mock_usage(o);
    lens_write(&o->w,
               ",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_lens\"}");
}

void
mock_chat(struct lens_mock_out *o)
{
    switch (o->step->kind) {
    case LENS_STEP_BEGIN:
        begin(o);
        break;
    case LENS_STEP_REASONING:
        text_chunk(o, "reasoning_content");
        break;
    case LENS_STEP_TEXT:
        text_chunk(o, "content");
        break;
    case LENS_STEP_TOOL:
        if (o->step->name.size > 0)
            tool_chunk(o, o->step->name, (struct lens_bytes){ "", 0 });
        if (o->step->text.size > 0)
            tool_chunk(o, (struct lens_bytes){ "", 0 }, o->step->text);
        break;
    case LENS_STEP_FINISH:
        finish(o);
        break;
    case LENS_STEP_ERROR:
        error(o);
        break;
    case LENS_STEP_WHOLE:
        whole(o);
        break;
    default:
        break;
    }
}

/* ---- completions: text only ---- */

static void
open_text(struct lens_mock_out *o, const char *before)
{
    lens_write(&o->w, before);
    lens_write(&o->w, "{\"id\":");
    lens_mock_id(o, "cmpl-");
    lens_write(&o->w, ",\"object\":\"text_completion\"");
    mock_model(o);
    lens_write(&o->w, ",\"choices\":[");
}

static void
text_choice(struct lens_mock_out *o, struct lens_bytes text,
            struct lens_bytes finish_reason)
{
    lens_write(&o->w, "{\"text\":");
    lens_mock_string(o, text);
    lens_write(&o->w, ",\"index\":0,\"logprobs\":null,\"finish_reason\":");
    if (finish_reason.size > 0)
        lens_mock_string(o, finish_reason);
    else
        lens_write(&o->w, "null");
    lens_write(&o->w, "}");
}

static void
finish_text(struct lens_mock_out *o)
{
    open_text(o, "data: ");
    text_choice(o, (struct lens_bytes){ "", 0 }, o->step->text);
    close_chunk(o);
    if (o->turn->usage) {
        open_text(o, "data: ");
        lens_write(&o->w, "],\"usage\":");
        mock_usage(o);
        lens_write(&o->w, "}\n\n");
    }
    lens_write(&o->w, "data: [DONE]\n\n");
}

void
mock_completions(struct lens_mock_out *o)
{
    switch (o->step->kind) {
    case LENS_STEP_REASONING:
    case LENS_STEP_TEXT:
    case LENS_STEP_TOOL: /* this api has no other place for output */
        open_text(o, "data: ");
        text_choice(o, o->step->text, (struct lens_bytes){ "", 0 });
        close_chunk(o);
        break;
    case LENS_STEP_FINISH:
        finish_text(o);
        break;
    case LENS_STEP_ERROR:
        error(o);
        break;
    case LENS_STEP_WHOLE:
        open_text(o, "");
        text_choice(o, o->step->text.size > 0 ? o->step->text : o->step->arguments,
                    o->step->finish);
        lens_write(&o->w, "],\"usage\":");
        mock_usage(o);
        lens_write(&o->w, "}");
        break;
    default:
        break;
    }
}
