/* mock-responses: the events of the Responses api in the order in which OpenAI sends
 * them. */
#include <stdbool.h>

#include "mock.h"

/* What stands in the turn's scratch. */
enum { SEQUENCE = 0, INDEX = 1, OPEN = 2 };
/* The item that is open. */
enum { ITEM_NONE = 0, ITEM_REASONING, ITEM_MESSAGE, ITEM_CALL };

static const struct lens_bytes nothing = { "", 0 };

static void
text(struct lens_mock_out *o, const char *json)
{
    lens_write(&o->w, json);
}

/* `event: T`, and `data:` up to the sequence number. */
static void
open_event(struct lens_mock_out *o, const char *type)
{
    text(o, "event: ");
    text(o, type);
    text(o, "\ndata: {\"type\":\"");
    text(o, type);
    text(o, "\",\"sequence_number\":");
    lens_write_int(&o->w, (int64_t)o->turn->scratch[SEQUENCE]++);
}

static void
close_event(struct lens_mock_out *o)
{
    text(o, "}\n\n");
}

static void
write_index(struct lens_mock_out *o)
{
    text(o, ",\"output_index\":");
    lens_write_int(&o->w, (int64_t)o->turn->scratch[INDEX]);
}

static const char *
item_prefix(uint64_t kind, uint64_t index)
{
    static const char *const calls[] = { "fc_0", "fc_1", "fc_2", "fc_3" };

    if (kind == ITEM_REASONING)
        return "rs_";
    return kind == ITEM_MESSAGE ? "msg_" : calls[index & 3];
}

static void
item_id(struct lens_mock_out *o)
{
    lens_mock_id(o, item_prefix(o->turn->scratch[OPEN], o->turn->scratch[INDEX]));
}

static void
write_item_place(struct lens_mock_out *o)
{
    text(o, ",\"item_id\":");
    item_id(o);
    write_index(o);
}

/* ---- the response object ---- */

static void
write_message_content(struct lens_mock_out *o, struct lens_bytes content)
{
    text(o, "{\"type\":\"output_text\",\"text\":");
    lens_mock_string(o, content);
    text(o, ",\"annotations\":[],\"logprobs\":[]}");
}

/* One finished or fresh item: `content` is its text, summary or arguments. */
static void
write_item(struct lens_mock_out *o, uint64_t kind, bool done, struct lens_bytes name,
           struct lens_bytes content)
{
    static const char *const status[] = { "\"status\":\"in_progress\"",
                                          "\"status\":\"completed\"" };

    text(o, "{\"id\":");
    lens_mock_id(o, item_prefix(kind, o->turn->scratch[INDEX]));
    switch (kind) {
    case ITEM_REASONING:
        text(o, ",\"type\":\"reasoning\",\"summary\":[");
        if (done) {
            text(o, "{\"type\":\"summary_text\",\"text\":");
            lens_mock_string(o, content);
            text(o, "}");
        }
        text(o, "]}");
        return;
    case ITEM_MESSAGE:
        text(o, ",\"type\":\"message\",\"role\":\"assistant\",");
        text(o, status[done]);
        text(o, ",\"content\":[");
        if (done)
            write_message_content(o, content);
        text(o, "]}");
        return;
    default:
        text(o, ",\"type\":\"function_call\",");
        text(o, status[done]);
        text(o, ",\"call_id\":");
        lens_mock_id(o, "call_");
        text(o, ",\"name\":");
        lens_mock_string(o, name);
        text(o, ",\"arguments\":");
        lens_mock_string(o, content);
        text(o, "}");
    }
}

static void
write_usage(struct lens_mock_out *o)
{
    const struct lens_mock_step *s = o->step;

    text(o, "{\"input_tokens\":");
    lens_write_int(&o->w, s->input_tokens);
    text(o, ",\"input_tokens_details\":{\"cached_tokens\":");
    lens_write_int(&o->w, s->cached_tokens > 0 ? s->cached_tokens : 0);
    text(o, "},\"output_tokens\":");
    lens_write_int(&o->w, s->output_tokens);
    text(o, ",\"output_tokens_details\":{\"reasoning_tokens\":");
    lens_write_int(&o->w, s->reasoning_tokens > 0 ? s->reasoning_tokens : 0);
    text(o, "},\"total_tokens\":");
    lens_write_int(&o->w, s->input_tokens + s->output_tokens);
    text(o, "}");
}

/* All that was said, as the list of a finished response. */
static void
write_output(struct lens_mock_out *o, struct lens_bytes visible)
{
    const struct lens_mock_step *s = o->step;
    const char *comma = "";

    o->turn->scratch[INDEX] = 0;
    text(o, "[");
    if (s->reasoning.size > 0) {
        write_item(o, ITEM_REASONING, true, nothing, s->reasoning);
        o->turn->scratch[INDEX]++;
        comma = ",";
    }
    if (s->name.size == 0 || visible.size > 0) {
        text(o, comma);
        write_item(o, ITEM_MESSAGE, true, nothing, visible);
        o->turn->scratch[INDEX]++;
        comma = ",";
    }
    if (s->name.size > 0) {
        text(o, comma);
        write_item(o, ITEM_CALL, true, s->name, s->arguments);
    }
    text(o, "]");
}

enum state { STATE_STARTED, STATE_ENDED, STATE_FAILED };

static bool
hit_limit(const struct lens_mock_out *o)
{
    const struct lens_bytes f =
        o->step->kind == LENS_STEP_WHOLE ? o->step->finish : o->step->text;

    return f.size == 6 && memcmp(f.data, "length", 6) == 0;
}

static void
write_response(struct lens_mock_out *o, enum state state, struct lens_bytes visible)
{
    const bool cut = state == STATE_ENDED && hit_limit(o);

    text(o, "{\"id\":");
    lens_mock_id(o, "resp_");
    text(o, ",\"object\":\"response\",\"created_at\":");
    lens_write_int(&o->w, o->turn->now_s);
    text(o, ",\"model\":\"");
    text(o, o->turn->model);
    text(o, "\",\"status\":\"");
    text(o, state == STATE_STARTED  ? "in_progress"
            : state == STATE_FAILED ? "failed"
            : cut                   ? "incomplete"
                                    : "completed");
    text(o, "\",\"error\":");
    if (state == STATE_FAILED)
        mock_error(o);
    else
        text(o, "null");
    text(o, ",\"incomplete_details\":");
    text(o, cut ? "{\"reason\":\"max_output_tokens\"}" : "null");
    text(o, ",\"instructions\":null,\"metadata\":{},\"parallel_tool_calls\":true,"
            "\"temperature\":1.0,\"tool_choice\":\"auto\",\"tools\":[],\"top_p\":1.0,"
            "\"max_output_tokens\":");
    if (o->turn->max_output >= 0)
        lens_write_int(&o->w, o->turn->max_output);
    else
        text(o, "null");
    text(o, ",\"previous_response_id\":null,\"store\":false,\"truncation\":\"disabled\","
            "\"service_tier\":\"default\",\"output\":");
    if (state == STATE_ENDED)
        write_output(o, visible);
    else
        text(o, "[]");
    text(o, ",\"usage\":");
    if (state == STATE_ENDED)
        write_usage(o);
    else
        text(o, "null");
    text(o, "}");
}

/* ---- events ---- */

static void
state_event(struct lens_mock_out *o, const char *type, enum state state,
            struct lens_bytes visible)
{
    open_event(o, type);
    text(o, ",\"response\":");
    write_response(o, state, visible);
    close_event(o);
}

static void
part_event(struct lens_mock_out *o, const char *type, bool summary,
           struct lens_bytes content)
{
    open_event(o, type);
    write_item_place(o);
    text(o,
         summary ? ",\"summary_index\":0,\"part\":" : ",\"content_index\":0,\"part\":");
    if (summary) {
        text(o, "{\"type\":\"summary_text\",\"text\":");
        lens_mock_string(o, content);
        text(o, "}");
    } else {
        write_message_content(o, content);
    }
    close_event(o);
}

static void
item_event(struct lens_mock_out *o, const char *type, bool done, struct lens_bytes name,
           struct lens_bytes content)
{
    open_event(o, type);
    write_index(o);
    text(o, ",\"item\":");
    write_item(o, o->turn->scratch[OPEN], done, name, content);
    close_event(o);
}

static void
open_item(struct lens_mock_out *o, uint64_t kind, struct lens_bytes name)
{
    o->turn->scratch[OPEN] = kind;
    item_event(o, "response.output_item.added", false, name, nothing);
    if (kind == ITEM_REASONING)
        part_event(o, "response.reasoning_summary_part.added", true, nothing);
    else if (kind == ITEM_MESSAGE)
        part_event(o, "response.content_part.added", false, nothing);
}

/* A fragment, or with `done` the whole text of the open item. */
static void
text_event(struct lens_mock_out *o, bool done, struct lens_bytes content)
{
    switch (o->turn->scratch[OPEN]) {
    case ITEM_REASONING:
        open_event(o, done ? "response.reasoning_summary_text.done"
                           : "response.reasoning_summary_text.delta");
        write_item_place(o);
        text(o, ",\"summary_index\":0");
        text(o, done ? ",\"text\":" : ",\"delta\":");
        break;
    case ITEM_MESSAGE:
        open_event(o, done ? "response.output_text.done" : "response.output_text.delta");
        write_item_place(o);
        text(o, ",\"content_index\":0,\"logprobs\":[]");
        text(o, done ? ",\"text\":" : ",\"delta\":");
        break;
    default:
        open_event(o, done ? "response.function_call_arguments.done"
                           : "response.function_call_arguments.delta");
        write_item_place(o);
        text(o, done ? ",\"arguments\":" : ",\"delta\":");
        break;
    }
    lens_mock_string(o, content);
    close_event(o);
}

/* What was said in the open item, as far as the host tells. */
static struct lens_bytes
open_content(const struct lens_mock_out *o)
{
    const struct lens_mock_step *s = o->step;

    if (o->turn->scratch[OPEN] == ITEM_REASONING)
        return s->reasoning;
    if (o->turn->scratch[OPEN] == ITEM_CALL)
        return s->arguments;
    return LENS_HAS(s, struct lens_mock_step, said) ? s->said : nothing;
}

static void
close_item(struct lens_mock_out *o)
{
    const uint64_t kind = o->turn->scratch[OPEN];
    const struct lens_bytes content = open_content(o);

    if (kind == ITEM_NONE)
        return;
    text_event(o, true, content);
    if (kind == ITEM_REASONING)
        part_event(o, "response.reasoning_summary_part.done", true, content);
    else if (kind == ITEM_MESSAGE)
        part_event(o, "response.content_part.done", false, content);
    item_event(o, "response.output_item.done", true, o->step->name, content);
    o->turn->scratch[OPEN] = ITEM_NONE;
    o->turn->scratch[INDEX]++;
}

static void
fragment(struct lens_mock_out *o, uint64_t kind)
{
    if (o->turn->scratch[OPEN] != kind) {
        close_item(o);
        open_item(o, kind, nothing);
    }
    text_event(o, false, o->step->text);
}

static void
tool(struct lens_mock_out *o)
{
    if (o->step->name.size > 0 || o->turn->scratch[OPEN] != ITEM_CALL) {
        close_item(o);
        open_item(o, ITEM_CALL, o->step->name);
    }
    if (o->step->text.size > 0)
        text_event(o, false, o->step->text);
}

static void
finish(struct lens_mock_out *o)
{
    struct lens_bytes visible = nothing;

    if (LENS_HAS(o->step, struct lens_mock_step, said))
        visible = o->step->said;
    close_item(o);
    state_event(o, hit_limit(o) ? "response.incomplete" : "response.completed",
                STATE_ENDED, visible);
}

static void
error(struct lens_mock_out *o)
{
    open_event(o, "error");
    text(o, ",\"error\":");
    mock_error(o);
    close_event(o);
}

void
mock_responses(struct lens_mock_out *o)
{
    switch (o->step->kind) {
    case LENS_STEP_BEGIN:
        state_event(o, "response.created", STATE_STARTED, nothing);
        state_event(o, "response.in_progress", STATE_STARTED, nothing);
        break;
    case LENS_STEP_REASONING:
        fragment(o, ITEM_REASONING);
        break;
    case LENS_STEP_TEXT:
        fragment(o, ITEM_MESSAGE);
        break;
    case LENS_STEP_TOOL:
        tool(o);
        break;
    case LENS_STEP_FINISH:
        finish(o);
        break;
    case LENS_STEP_ERROR:
        error(o);
        break;
    case LENS_STEP_WHOLE:
        write_response(o, STATE_ENDED, o->step->text);
        break;
    default:
        break;
    }
}
