/* mock-converse: the events and whole answers of Converse. */
#include "mock.h"
#include "sdk/merge.h"

/* A payload in the making; `p` of random length stands in all of them. */
struct payload {
    struct lens_text text;
    struct lens_writer w;
};

static void
begin(struct payload *p)
{
    p->text = (struct lens_text){ 0 };
    lens_write_begin(&p->w, &p->text, lens_text_put);
}

static void
send(struct lens_mock_out *o, struct payload *p, const char *event)
{
    static const char padding[] = "abcdefghijklmnopqrstuvwxyz";
    const size_t size = 1 + o->turn->scratch[7]++ * 7 % 25;

    lens_write(&p->w, ",\"p\":\"");
    lens_write_bytes(&p->w, padding, size);
    lens_write(&p->w, "\"}");
    lens_write_end(&p->w);
    mock_frame(o, event, &p->text);
}

static void
write_index(struct lens_mock_out *o, struct payload *p)
{
    lens_write(&p->w, "{\"contentBlockIndex\":");
    lens_write_int(&p->w, (int64_t)o->turn->scratch[MOCK_BLOCK]);
}

static void
close_block(struct lens_mock_out *o)
{
    struct payload p;

    begin(&p);
    write_index(o, &p);
    send(o, &p, "contentBlockStop");
}

static void
write_delta(struct lens_mock_out *o, const char *open, struct lens_bytes text,
            const char *close)
{
    struct payload p;

    begin(&p);
    write_index(o, &p);
    lens_write(&p.w, ",\"delta\":");
    lens_write(&p.w, open);
    lens_write_string(&p.w, text.data, text.size);
    lens_write(&p.w, close);
    send(o, &p, "contentBlockDelta");
}

static void
write_id(struct lens_mock_out *o, struct lens_writer *w)
{
    lens_write(w, "\"tooluse_");
    lens_write_int(w, (int64_t)(o->turn->id & 0xffffff));
    lens_write(w, "\"");
}

/* Only a tool's block has a start. */
static void
write_tool(struct lens_mock_out *o)
{
    struct payload p;

    if (o->step->name.size > 0) {
        mock_needs_block(o, MOCK_BLOCK_TOOL, close_block);
        begin(&p);
        write_index(o, &p);
        lens_write(&p.w, ",\"start\":{\"toolUse\":{\"toolUseId\":");
        write_id(o, &p.w);
        lens_write(&p.w, ",\"name\":");
        lens_write_string(&p.w, o->step->name.data, o->step->name.size);
        lens_write(&p.w, "}}");
        send(o, &p, "contentBlockStart");
    }
    if (o->step->text.size > 0)
        write_delta(o, "{\"toolUse\":{\"input\":", o->step->text, "}}");
}

static const char *
reason_of(struct lens_bytes finish)
{
    return lens_mock_finish_is(finish, "length")       ? "max_tokens"
           : lens_mock_finish_is(finish, "tool_calls") ? "tool_use"
                                                       : "end_turn";
}

static void
write_usage(struct lens_mock_out *o, struct lens_writer *w)
{
    const struct lens_mock_step *s = o->step;

    lens_write(w, "\"usage\":{\"inputTokens\":");
    lens_write_int(w, s->input_tokens - s->cached_tokens);
    lens_write(w, ",\"outputTokens\":");
    lens_write_int(w, s->output_tokens);
    lens_write(w, ",\"totalTokens\":");
    lens_write_int(w, s->input_tokens + s->output_tokens);
    if (s->cached_tokens > 0) {
        lens_write(w, ",\"cacheReadInputTokens\":");
        lens_write_int(w, s->cached_tokens);
        lens_write(w, ",\"cacheWriteInputTokens\":0");
    }
    lens_write(w, "},\"metrics\":{\"latencyMs\":20}");
}

static void
write_finish(struct lens_mock_out *o)
{
    struct payload p;

    if (o->turn->scratch[MOCK_OPEN] != MOCK_BLOCK_NONE)
        close_block(o);
    begin(&p);
    lens_write(&p.w, "{\"stopReason\":\"");
    lens_write(&p.w, reason_of(o->step->finish));
    lens_write(&p.w, "\"");
    send(o, &p, "messageStop");
    begin(&p);
    lens_write(&p.w, "{");
    write_usage(o, &p.w);
    send(o, &p, "metadata");
}

static void
write_begin(struct lens_mock_out *o)
{
    struct payload p;

    begin(&p);
    lens_write(&p.w, "{\"role\":\"assistant\"");
    send(o, &p, "messageStart");
}

static void
write_whole(struct lens_mock_out *o)
{
    const struct lens_mock_step *s = o->step;
    const char *comma = "";

    lens_write(&o->w, "{\"output\":{\"message\":{\"role\":\"assistant\",\"content\":[");
    if (s->reasoning.size > 0) {
        lens_write(&o->w, "{\"reasoningContent\":{\"reasoningText\":{\"text\":");
        lens_mock_string(o, s->reasoning);
        lens_write(&o->w, ",\"signature\":\"c2ln\"}}}");
        comma = ",";
    }
    if (s->text.size > 0) {
        lens_write(&o->w, comma);
        lens_write(&o->w, "{\"text\":");
        lens_mock_string(o, s->text);
        lens_write(&o->w, "}");
        comma = ",";
    }
    if (s->name.size > 0) {
        lens_write(&o->w, comma);
        lens_write(&o->w, "{\"toolUse\":{\"toolUseId\":");
        write_id(o, &o->w);
        lens_write(&o->w, ",\"name\":");
        lens_mock_string(o, s->name);
        lens_write(&o->w, ",\"input\":");
        if (lens_is_object(s->arguments))
            lens_write_bytes(&o->w, s->arguments.data, s->arguments.size);
        else
            lens_write(&o->w, "{}"); /* cut by the limit */
        lens_write(&o->w, "}}");
    }
    lens_write(&o->w, "]}},\"stopReason\":\"");
    lens_write(&o->w, reason_of(s->finish));
    lens_write(&o->w, "\",");
    write_usage(o, &o->w);
    lens_write(&o->w, "}");
}

void
mock_converse(struct lens_mock_out *o)
{
    switch (o->step->kind) {
    case LENS_STEP_BEGIN:
        write_begin(o);
        break;
    case LENS_STEP_REASONING:
        mock_needs_block(o, MOCK_BLOCK_REASONING, close_block);
        write_delta(o, "{\"reasoningContent\":{\"text\":", o->step->text, "}}");
        break;
    case LENS_STEP_TEXT:
        mock_needs_block(o, MOCK_BLOCK_TEXT, close_block);
        write_delta(o, "{\"text\":", o->step->text, "}");
        break;
    case LENS_STEP_TOOL:
        write_tool(o);
        break;
    case LENS_STEP_FINISH:
        write_finish(o);
        break;
    case LENS_STEP_WHOLE:
        write_whole(o);
        break;
    default:
        break;
    }
}
