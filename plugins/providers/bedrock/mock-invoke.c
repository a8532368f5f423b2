/* mock-invoke: InvokeModel of Claude: Anthropic's events, each in base64 inside a chunk.
 */
#include "mock.h"
#include "sdk/merge.h"

/* An event in the making. */
struct event {
    struct lens_text text;
    struct lens_writer w;
};

static void
begin(struct event *e, const char *start)
{
    e->text = (struct lens_text){ 0 };
    lens_write_begin(&e->w, &e->text, lens_text_put);
    lens_write(&e->w, start);
}

static void
send(struct lens_mock_out *o, struct event *e)
{
    struct lens_text payload = { 0 };

    lens_write(&e->w, "}");
    lens_write_end(&e->w);
    lens_text_add(&payload, "{\"bytes\":\"");
    lens_text_add_base64(&payload, e->text.data, e->text.size);
    lens_text_add(&payload, "\",\"p\":\"abcdefgh\"}");
    if (e->text.failed)
        o->w.status = LENS_E_NOMEM;
    lens_text_clear(&e->text);
    mock_frame(o, "chunk", &payload);
}

static void
write_index(struct lens_mock_out *o, struct event *e)
{
    lens_write(&e->w, ",\"index\":");
    lens_write_int(&e->w, (int64_t)o->turn->scratch[MOCK_BLOCK]);
}

static void
close_block(struct lens_mock_out *o)
{
    struct event e;

    begin(&e, "{\"type\":\"content_block_stop\"");
    write_index(o, &e);
    send(o, &e);
}

static void
open_block(struct lens_mock_out *o, const char *block)
{
    struct event e;

    begin(&e, "{\"type\":\"content_block_start\"");
    write_index(o, &e);
    lens_write(&e.w, ",\"content_block\":");
    lens_write(&e.w, block);
    send(o, &e);
}

static void
write_delta(struct lens_mock_out *o, const char *open, struct lens_bytes text)
{
    struct event e;

    begin(&e, "{\"type\":\"content_block_delta\"");
    write_index(o, &e);
    lens_write(&e.w, ",\"delta\":");
    lens_write(&e.w, open);
    lens_write_string(&e.w, text.data, text.size);
    lens_write(&e.w, "}");
    send(o, &e);
}

static void
write_usage(struct lens_mock_out *o, struct lens_writer *w, int64_t output)
{
    lens_write(w, "{\"input_tokens\":");
    lens_write_int(w, o->step->input_tokens - o->step->cached_tokens);
    lens_write(w, ",\"cache_read_input_tokens\":");
    lens_write_int(w, o->step->cached_tokens);
    lens_write(w, ",\"cache_creation_input_tokens\":0,\"output_tokens\":");
    lens_write_int(w, output);
    lens_write(w, "}");
}

static void
write_identity(struct lens_mock_out *o, struct lens_writer *w)
{
    lens_write(w, "\"id\":\"msg_bdrk_");
    lens_write_int(w, (int64_t)(o->turn->id & 0xffffff));
    lens_write(w, "\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"");
    lens_write(w, o->turn->model);
    lens_write(w, "\"");
}

static void
write_begin(struct lens_mock_out *o)
{
    struct event e;

    begin(&e, "{\"type\":\"message_start\",\"message\":{");
    write_identity(o, &e.w);
    lens_write(&e.w, ",\"content\":[],\"stop_reason\":null,\"usage\":");
    write_usage(o, &e.w, 1);
    lens_write(&e.w, "}");
    send(o, &e);
}

static void
write_tool(struct lens_mock_out *o)
{
    struct event e;

    if (o->step->name.size > 0) {
        mock_needs_block(o, MOCK_BLOCK_TOOL, close_block);
        begin(&e, "{\"type\":\"content_block_start\"");
        write_index(o, &e);
        lens_write(&e.w, ",\"content_block\":{\"type\":\"tool_use\",\"id\":\"toolu_");
        lens_write_int(&e.w, (int64_t)(o->turn->id & 0xffffff));
        lens_write(&e.w, "\",\"name\":");
        lens_write_string(&e.w, o->step->name.data, o->step->name.size);
        lens_write(&e.w, ",\"input\":{}}");
        send(o, &e);
    }
    if (o->step->text.size > 0)
        write_delta(o, "{\"type\":\"input_json_delta\",\"partial_json\":", o->step->text);
}

static const char *
reason_of(struct lens_bytes finish)
{
    return lens_mock_finish_is(finish, "length")       ? "max_tokens"
           : lens_mock_finish_is(finish, "tool_calls") ? "tool_use"
                                                       : "end_turn";
}

static void
write_finish(struct lens_mock_out *o)
{
    const struct lens_mock_step *s = o->step;
    struct event e;

    if (o->turn->scratch[MOCK_OPEN] != MOCK_BLOCK_NONE)
        close_block(o);
    begin(&e, "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"");
    lens_write(&e.w, reason_of(s->finish));
    lens_write(&e.w, "\",\"stop_sequence\":null},\"usage\":{\"output_tokens\":");
    lens_write_int(&e.w, s->output_tokens);
    lens_write(&e.w, "}");
    send(o, &e);
    begin(&e, "{\"type\":\"message_stop\",\"amazon-bedrock-invocationMetrics\":{"
              "\"inputTokenCount\":");
    lens_write_int(&e.w, s->input_tokens - s->cached_tokens);
    lens_write(&e.w, ",\"outputTokenCount\":");
    lens_write_int(&e.w, s->output_tokens);
    lens_write(&e.w, ",\"cacheReadInputTokenCount\":");
    lens_write_int(&e.w, s->cached_tokens);
    lens_write(&e.w, ",\"invocationLatency\":20,\"firstByteLatency\":10}");
    send(o, &e);
}

static void
write_whole(struct lens_mock_out *o)
{
    const struct lens_mock_step *s = o->step;
    const char *comma = "";

    lens_write(&o->w, "{");
    write_identity(o, &o->w);
    lens_write(&o->w, ",\"content\":[");
    if (s->reasoning.size > 0) {
        lens_write(&o->w, "{\"type\":\"thinking\",\"thinking\":");
        lens_mock_string(o, s->reasoning);
        lens_write(&o->w, ",\"signature\":\"c2ln\"}");
        comma = ",";
    }
    if (s->text.size > 0) {
        lens_write(&o->w, comma);
        lens_write(&o->w, "{\"type\":\"text\",\"text\":");
        lens_mock_string(o, s->text);
        lens_write(&o->w, "}");
        comma = ",";
    }
    if (s->name.size > 0) {
        lens_write(&o->w, comma);
        lens_write(&o->w, "{\"type\":\"tool_use\",\"id\":\"toolu_1\",\"name\":");
        lens_mock_string(o, s->name);
        lens_write(&o->w, ",\"input\":");
        if (lens_is_object(s->arguments))
            lens_write_bytes(&o->w, s->arguments.data, s->arguments.size);
        else
            lens_write(&o->w, "{}"); /* cut by the limit */
        lens_write(&o->w, "}");
    }
    lens_write(&o->w, "],\"stop_reason\":\"");
    lens_write(&o->w, reason_of(s->finish));
    lens_write(&o->w, "\",\"stop_sequence\":null,\"usage\":");
    write_usage(o, &o->w, s->output_tokens);
    lens_write(&o->w, "}");
}

void
mock_invoke(struct lens_mock_out *o)
{
    switch (o->step->kind) {
    case LENS_STEP_BEGIN:
        write_begin(o);
        break;
    case LENS_STEP_REASONING:
        if (mock_needs_block(o, MOCK_BLOCK_REASONING, close_block))
            open_block(o, "{\"type\":\"thinking\",\"thinking\":\"\"}");
        write_delta(o, "{\"type\":\"thinking_delta\",\"thinking\":", o->step->text);
        break;
    case LENS_STEP_TEXT:
        if (mock_needs_block(o, MOCK_BLOCK_TEXT, close_block))
            open_block(o, "{\"type\":\"text\",\"text\":\"\"}");
        write_delta(o, "{\"type\":\"text_delta\",\"text\":", o->step->text);
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
