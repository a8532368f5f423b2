/* mock: how `lens mock` speaks v2 chat. */
#include <string.h>

#include "cohere.h"
#include "sdk/members.h"
#include "sdk/mock-kit.h"

/* scratch[OPEN]: what is open, scratch[INDEX]: number of the next block, scratch[CALLS]:
 * calls that were started. */
enum { OPEN = 0, INDEX = 1, CALLS = 2 };
enum { NOTHING = 0, THINKING, TEXT, CALL };

/* ---- recognising ---- */

static int
read_request(struct lens_bytes body, struct lens_mock_turn *turn, int *prompt, int *limit)
{
    struct lens_json j;
    struct lens_bytes key;
    struct lens_key_room room;
    int32_t value;

    lens_json_begin(&j, body.data, body.size);
    if (!lens_read_object(&j))
        return 0;
    while (lens_read_member(&j, &key, &room)) {
        if (LENS_KEY(key, "model"))
            lens_mock_read_model(&j, turn);
        else if (LENS_KEY(key, "messages"))
            *prompt = lens_mock_read_prompt(&j, turn);
        else if (LENS_KEY(key, "stream"))
            turn->stream = lens_json_bool(&j, &value) && value;
        else if (LENS_KEY(key, "max_tokens"))
            *limit = lens_mock_read_limit(&j, turn);
        else
            lens_json_skip(&j);
    }
    return lens_json_end(&j);
}

static lens_status
recognise(const struct lens_mock_request *r, struct lens_mock_turn *turn,
          const char **why)
{
    int prompt = 0, limit = 1;

    lens_mock_turn_begin(turn, 0);
    if (lens_mock_method_is(r, "GET") && lens_mock_path_ends(r, "/v1/models")) {
        turn->api = LENS_MOCK_MODELS;
        return LENS_OK;
    }
    if (!lens_mock_method_is(r, "POST") || !lens_mock_path_ends(r, "/v2/chat"))
        return LENS_E_UNSUPPORTED;
    turn->usage = 1;
    *why = "invalid request: the body is not a JSON object";
    if (!read_request(r->body, turn, &prompt, &limit))
        return LENS_E_PROTOCOL;
    *why = "invalid request: list of messages must not be empty";
    if (!prompt)
        return LENS_E_PROTOCOL;
    *why = "invalid request: max_tokens must be an integer of at least 1";
    return limit ? LENS_OK : LENS_E_PROTOCOL;
}

/* ---- encoding ---- */

static void
usage(struct lens_mock_out *o)
{
    const struct lens_mock_step *s = o->step;

    lens_mock_number(o, "{\"billed_units\":{\"input_tokens\":", s->input_tokens);
    lens_mock_number(o, ",\"output_tokens\":", s->output_tokens);
    lens_mock_number(o, "},\"tokens\":{\"input_tokens\":", s->input_tokens);
    lens_mock_number(o, ",\"output_tokens\":", s->output_tokens);
    lens_mock_number(o, "},\"cached_tokens\":", s->cached_tokens);
    lens_write(&o->w, "}");
}

static const char *
finish_reason(struct lens_bytes finish)
{
    if (lens_mock_finish_is(finish, "length"))
        return "MAX_TOKENS";
    return lens_mock_finish_is(finish, "tool_calls") ? "TOOL_CALL" : "COMPLETE";
}

static void
event(struct lens_mock_out *o, const char *type)
{
    lens_write(&o->w, "event: ");
    lens_write(&o->w, type);
    lens_write(&o->w, "\ndata: {\"type\":\"");
    lens_write(&o->w, type);
    lens_write(&o->w, "\"");
}

static void
indexed(struct lens_mock_out *o, const char *type, uint64_t index)
{
    event(o, type);
    lens_write(&o->w, ",\"index\":");
    lens_write_int(&o->w, (int64_t)index);
}

/* Ends the block or call that is open. */
static void
close_block(struct lens_mock_out *o)
{
    uint64_t *scratch = o->turn->scratch;

    if (scratch[OPEN] == NOTHING)
        return;
    if (scratch[OPEN] == CALL)
        indexed(o, "tool-call-end", scratch[CALLS] - 1);
    else
        indexed(o, "content-end", scratch[INDEX]++);
    lens_write(&o->w, "}\n\n");
    scratch[OPEN] = NOTHING;
}

static void
content(struct lens_mock_out *o, uint64_t kind, const char *member)
{
    uint64_t *scratch = o->turn->scratch;

    if (scratch[OPEN] != kind) {
        close_block(o);
        scratch[OPEN] = kind;
        indexed(o, "content-start", scratch[INDEX]);
        lens_write(&o->w, ",\"delta\":{\"message\":{\"content\":{\"type\":\"");
        lens_write(&o->w, member);
        lens_write(&o->w, "\",\"");
        lens_write(&o->w, member);
        lens_write(&o->w, "\":\"\"}}}}\n\n");
    }
    indexed(o, "content-delta", scratch[INDEX]);
    lens_write(&o->w, ",\"delta\":{\"message\":{\"content\":{\"");
    lens_write(&o->w, member);
    lens_write(&o->w, "\":");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, "}}}}\n\n");
}

static void
call_id(struct lens_mock_out *o, uint64_t nth)
{
    char prefix[] = "call_0_";

    prefix[5] = (char)('0' + nth % 10);
    lens_mock_id(o, prefix);
}

static void
tool(struct lens_mock_out *o)
{
    uint64_t *scratch = o->turn->scratch;

    if (o->step->name.size > 0 || scratch[OPEN] != CALL) {
        close_block(o);
        scratch[OPEN] = CALL;
        indexed(o, "tool-call-start", scratch[CALLS]);
        lens_write(&o->w, ",\"delta\":{\"message\":{\"tool_calls\":{\"id\":");
        call_id(o, scratch[CALLS]);
        lens_write(&o->w, ",\"type\":\"function\",\"function\":{\"name\":");
        lens_mock_string(o, o->step->name);
        lens_write(&o->w, ",\"arguments\":\"\"}}}}}\n\n");
        scratch[CALLS]++;
    }
    if (o->step->text.size == 0)
        return;
    indexed(o, "tool-call-delta", scratch[CALLS] - 1);
    lens_write(&o->w,
               ",\"delta\":{\"message\":{\"tool_calls\":{\"function\":{\"arguments\":");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, "}}}}}\n\n");
}

static void
begin(struct lens_mock_out *o)
{
    lens_write(&o->w, "event: message-start\ndata: {\"id\":");
    lens_mock_id(o, "");
    lens_write(&o->w, ",\"type\":\"message-start\",\"delta\":{\"message\":{\"role\":"
                      "\"assistant\",\"content\":[],\"tool_plan\":\"\",\"tool_calls\":[],"
                      "\"citations\":[]}}}\n\n");
}

static void
finish(struct lens_mock_out *o)
{
    close_block(o);
    event(o, "message-end");
    lens_write(&o->w, ",\"delta\":{\"finish_reason\":\"");
    lens_write(&o->w, finish_reason(o->step->text));
    lens_write(&o->w, "\",\"usage\":");
    usage(o);
    lens_write(&o->w, "}}\n\n");
}

static void
error(struct lens_mock_out *o)
{
    event(o, "message-end");
    lens_write(&o->w, ",\"delta\":{\"error\":");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, o->step->error_kind == LENS_KIND_TIMEOUT
                          ? ",\"finish_reason\":\"TIMEOUT\"}}\n\n"
                          : ",\"finish_reason\":\"ERROR\"}}\n\n");
}

static void
whole(struct lens_mock_out *o)
{
    const struct lens_mock_step *s = o->step;

    lens_write(&o->w, "{\"id\":");
    lens_mock_id(o, "");
    lens_write(&o->w, ",\"finish_reason\":\"");
    lens_write(&o->w, finish_reason(s->finish));
    lens_write(&o->w, "\",\"message\":{\"role\":\"assistant\",\"content\":[");
    if (s->reasoning.size > 0) {
        lens_write(&o->w, "{\"type\":\"thinking\",\"thinking\":");
        lens_mock_string(o, s->reasoning);
        lens_write(&o->w, s->text.size > 0 ? "}," : "}");
    }
    if (s->text.size > 0) {
        lens_write(&o->w, "{\"type\":\"text\",\"text\":");
        lens_mock_string(o, s->text);
        lens_write(&o->w, "}");
    }
    lens_write(&o->w, "]");
    if (s->name.size > 0) {
        lens_write(&o->w, ",\"tool_calls\":[{\"id\":");
        call_id(o, 0);
        lens_write(&o->w, ",\"type\":\"function\",\"function\":{\"name\":");
        lens_mock_string(o, s->name);
        lens_write(&o->w, ",\"arguments\":");
        lens_mock_string(o, s->arguments);
        lens_write(&o->w, "}}]");
    }
    lens_write(&o->w, "},\"usage\":");
    usage(o);
    lens_write(&o->w, "}");
}

static void
refusal(struct lens_mock_out *o)
{
    lens_write(&o->w, "{\"id\":");
    lens_mock_id(o, "");
    lens_write(&o->w, ",\"message\":");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, "}");
}

static void
models(struct lens_mock_out *o)
{
    lens_write(&o->w, "{\"models\":[{\"name\":");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, ",\"endpoints\":[\"chat\"],\"finetuned\":false,"
                      "\"context_length\":128000}],\"next_page_token\":\"\"}");
}

static lens_status
encode(struct lens_mock_turn *turn, const struct lens_mock_step *step,
       struct lens_buffer *buffer, lens_mock_append_fn append)
{
    static void (*const steps[])(struct lens_mock_out *) = {
        [LENS_STEP_BEGIN] = begin,   [LENS_STEP_TOOL] = tool,
        [LENS_STEP_FINISH] = finish, [LENS_STEP_ERROR] = error,
        [LENS_STEP_WHOLE] = whole,   [LENS_STEP_REFUSED] = refusal,
        [LENS_STEP_MODELS] = models,
    };
    struct lens_mock_out o;

    lens_mock_out_begin(&o, turn, step, buffer, append);
    if (step->kind == LENS_STEP_REASONING)
        content(&o, THINKING, "thinking");
    else if (step->kind == LENS_STEP_TEXT)
        content(&o, TEXT, "text");
    else if (step->kind < sizeof steps / sizeof steps[0] && steps[step->kind] != NULL)
        steps[step->kind](&o);
    return lens_write_end(&o.w);
}

const struct lens_mock cohere_mock = {
    .struct_size = sizeof cohere_mock,
    .recognise = recognise,
    .encode = encode,
};
