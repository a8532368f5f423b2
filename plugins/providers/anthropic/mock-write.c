/* mock-write: the answers of `lens mock`, as Anthropic sends them. */
#include "mock.h"

/* The block that is open: values of scratch[MOCK_OPEN]. */
enum { BLOCK_NONE = 0, BLOCK_THINKING, BLOCK_TEXT, BLOCK_TOOL };

/* Usage as it is known so far; `output` at least. */
static void
write_usage(struct lens_mock_out *o, int64_t output, int64_t thinking)
{
    const struct lens_mock_step *s = o->step;

    lens_mock_number(o, "{\"input_tokens\":", s->input_tokens - s->cached_tokens);
    lens_write(&o->w, ",\"cache_creation_input_tokens\":0");
    lens_mock_number(o, ",\"cache_read_input_tokens\":", s->cached_tokens);
    lens_write(&o->w, ",\"cache_creation\":{\"ephemeral_5m_input_tokens\":0,"
                      "\"ephemeral_1h_input_tokens\":0}");
    lens_mock_number(o, ",\"output_tokens\":", output);
    if (thinking > 0) {
        lens_mock_number(o, ",\"output_tokens_details\":{\"thinking_tokens\":", thinking);
        lens_write(&o->w, "}");
    }
    lens_write(&o->w, ",\"service_tier\":\"standard\"}");
}

/* Everything up to `content`. */
static void
open_message(struct lens_mock_out *o)
{
    lens_write(&o->w, "{\"id\":");
    lens_mock_id(o, "msg_");
    lens_write(&o->w, ",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"");
    lens_write(&o->w, o->turn->model);
    lens_write(&o->w, "\",\"content\":[");
}

static void
open_event(struct lens_mock_out *o, const char *type)
{
    lens_write(&o->w, "event: ");
    lens_write(&o->w, type);
    lens_write(&o->w, "\ndata: {\"type\":\"");
    lens_write(&o->w, type);
    lens_write(&o->w, "\"");
}

static void
close_event(struct lens_mock_out *o)
{
    lens_write(&o->w, "}\n\n");
}

static void
begin(struct lens_mock_out *o)
{
    open_event(o, "message_start");
    lens_write(&o->w, ",\"message\":");
    open_message(o);
    lens_write(&o->w, "],\"stop_reason\":null,\"stop_sequence\":null,\"usage\":");
    write_usage(o, 1, 0);
    lens_write(&o->w, "}");
    close_event(o);
    open_event(o, "ping");
    close_event(o);
}

static void
block_event(struct lens_mock_out *o, const char *type)
{
    open_event(o, type);
    lens_mock_number(o, ",\"index\":", (int64_t)o->turn->scratch[MOCK_INDEX]);
}

static void
open_delta(struct lens_mock_out *o, const char *type, const char *member)
{
    block_event(o, "content_block_delta");
    lens_write(&o->w, ",\"delta\":{\"type\":\"");
    lens_write(&o->w, type);
    lens_write(&o->w, "\",\"");
    lens_write(&o->w, member);
    lens_write(&o->w, "\":");
}

static void
delta(struct lens_mock_out *o, const char *type, const char *member,
      struct lens_bytes text)
{
    open_delta(o, type, member);
    lens_mock_string(o, text);
    lens_write(&o->w, "}");
    close_event(o);
}

static void
close_block(struct lens_mock_out *o)
{
    uint64_t *open = &o->turn->scratch[MOCK_OPEN];

    if (*open == BLOCK_NONE)
        return;
    if (*open == BLOCK_THINKING)
        delta(o, "signature_delta", "signature", (struct lens_bytes){ "bGVucw==", 8 });
    block_event(o, "content_block_stop");
    close_event(o);
    *open = BLOCK_NONE;
    o->turn->scratch[MOCK_INDEX]++;
}

static void
write_call_start(struct lens_mock_out *o, struct lens_bytes name)
{
    lens_write(&o->w, "{\"type\":\"tool_use\",\"id\":");
    lens_mock_id(o, "toolu_");
    lens_write(&o->w, ",\"name\":");
    lens_mock_string(o, name);
    lens_write(&o->w, ",\"input\":");
}

/* Opens a block of this kind, unless it is open. */
static void
need_block(struct lens_mock_out *o, uint64_t kind)
{
    uint64_t *open = &o->turn->scratch[MOCK_OPEN];

    if (*open == kind && (kind != BLOCK_TOOL || o->step->name.size == 0))
        return;
    close_block(o);
    *open = kind;
    block_event(o, "content_block_start");
    lens_write(&o->w, ",\"content_block\":");
    if (kind == BLOCK_THINKING) {
        lens_write(&o->w, "{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\"\"}");
    } else if (kind == BLOCK_TEXT) {
        lens_write(&o->w, "{\"type\":\"text\",\"text\":\"\"}");
    } else {
        write_call_start(o, o->step->name);
        lens_write(&o->w, "{}}");
    }
    close_event(o);
}

static void
tool(struct lens_mock_out *o)
{
    need_block(o, BLOCK_TOOL);
    if (o->step->text.size > 0)
        delta(o, "input_json_delta", "partial_json", o->step->text);
}

static void
write_stop_reason(struct lens_mock_out *o, struct lens_bytes finish)
{
    lens_write(&o->w, "\"stop_reason\":\"");
    lens_write(&o->w, lens_mock_finish_is(finish, "length")       ? "max_tokens"
                      : lens_mock_finish_is(finish, "tool_calls") ? "tool_use"
                                                                  : "end_turn");
    lens_write(&o->w, "\",\"stop_sequence\":null");
}

static void
finish(struct lens_mock_out *o)
{
    close_block(o);
    open_event(o, "message_delta");
    lens_write(&o->w, ",\"delta\":{");
    write_stop_reason(o, o->step->text);
    lens_write(&o->w, "},\"usage\":");
    write_usage(o, o->step->output_tokens, o->step->reasoning_tokens);
    close_event(o);
    open_event(o, "message_stop");
    close_event(o);
}

static void
write_error(struct lens_mock_out *o)
{
    static const struct {
        uint32_t kind;
        const char *type;
    } types[] = {
        { LENS_KIND_RATE_LIMIT, "rate_limit_error" },
        { LENS_KIND_QUOTA, "billing_error" },
        { LENS_KIND_OVERLOADED, "overloaded_error" },
        { LENS_KIND_TIMEOUT, "timeout_error" },
        { LENS_KIND_AUTH, "authentication_error" },
        { LENS_KIND_PERMISSION, "permission_error" },
        { LENS_KIND_NOT_FOUND, "not_found_error" },
        { LENS_KIND_TOO_LARGE, "request_too_large" },
        { LENS_KIND_INVALID_REQUEST, "invalid_request_error" },
        { LENS_KIND_CONTEXT_LENGTH, "invalid_request_error" },
    };
    const char *type = "api_error";

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].kind == o->step->error_kind)
            type = types[i].type;
    lens_write(&o->w, "{\"type\":\"error\",\"error\":{\"type\":\"");
    lens_write(&o->w, type);
    lens_write(&o->w, "\",\"message\":");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, "},\"request_id\":");
    lens_mock_id(o, "req_");
    lens_write(&o->w, "}");
}

static void
error_event(struct lens_mock_out *o)
{
    lens_write(&o->w, "event: error\ndata: ");
    write_error(o);
    lens_write(&o->w, "\n\n");
}

static void
write_whole_content(struct lens_mock_out *o)
{
    const struct lens_mock_step *s = o->step;
    const char *comma = "";

    if (s->reasoning.size > 0) {
        lens_write(&o->w, "{\"type\":\"thinking\",\"thinking\":");
        lens_mock_string(o, s->reasoning);
        lens_write(&o->w, ",\"signature\":\"bGVucw==\"}");
        comma = ",";
    }
    if (s->text.size > 0 || s->name.size == 0) {
        lens_write(&o->w, comma);
        lens_write(&o->w, "{\"type\":\"text\",\"text\":");
        lens_mock_string(o, s->text);
        lens_write(&o->w, "}");
        comma = ",";
    }
    if (s->name.size == 0)
        return;
    lens_write(&o->w, comma);
    write_call_start(o, s->name);
    /* Arguments that a limit cut are no JSON, and a whole answer has none then. */
    if (s->arguments.size > 0 && !lens_mock_finish_is(s->finish, "length"))
        lens_write_bytes(&o->w, s->arguments.data, s->arguments.size);
    else
        lens_write(&o->w, "{}");
    lens_write(&o->w, "}");
}

static void
whole(struct lens_mock_out *o)
{
    if (o->turn->scratch[MOCK_COUNTING] != 0) {
        lens_mock_number(o, "{\"input_tokens\":", o->step->input_tokens);
        lens_write(&o->w, "}");
        return;
    }
    open_message(o);
    write_whole_content(o);
    lens_write(&o->w, "],");
    write_stop_reason(o, o->step->finish);
    lens_write(&o->w, ",\"usage\":");
    write_usage(o, o->step->output_tokens, o->step->reasoning_tokens);
    lens_write(&o->w, "}");
}

static void
models(struct lens_mock_out *o)
{
    lens_write(&o->w, "{\"data\":[{\"type\":\"model\",\"id\":");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, ",\"display_name\":");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, ",\"created_at\":\"2026-01-01T00:00:00Z\"}],\"has_more\":false,"
                      "\"first_id\":");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, ",\"last_id\":");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, "}");
}

void
mock_write(struct lens_mock_out *o)
{
    switch (o->step->kind) {
    case LENS_STEP_BEGIN:
        begin(o);
        break;
    case LENS_STEP_REASONING:
        need_block(o, BLOCK_THINKING);
        delta(o, "thinking_delta", "thinking", o->step->text);
        break;
    case LENS_STEP_TEXT:
        need_block(o, BLOCK_TEXT);
        delta(o, "text_delta", "text", o->step->text);
        break;
    case LENS_STEP_TOOL:
        tool(o);
        break;
    case LENS_STEP_FINISH:
        finish(o);
        break;
    case LENS_STEP_ERROR:
        error_event(o);
        break;
    case LENS_STEP_WHOLE:
        whole(o);
        break;
    case LENS_STEP_REFUSED:
        write_error(o);
        break;
    case LENS_STEP_MODELS:
        models(o);
        break;
    default:
        break;
    }
}
