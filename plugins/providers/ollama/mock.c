/* mock: how `lens mock` speaks chat and generate. */
#include <string.h>

#include "ollama.h"
#include "sdk/members.h"

/* ---- recognising ---- */

static void
read_options(struct lens_json *j, struct lens_mock_turn *turn)
{
    struct lens_bytes key;
    struct lens_key_room room;
    int64_t limit;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (!LENS_KEY(key, "num_predict"))
            lens_json_skip(j);
        else if (lens_json_int(j, &limit) && limit > 0) /* -1: no limit */
            turn->max_output = limit;
    }
}

static int
read_request(struct lens_bytes body, struct lens_mock_turn *turn, int *prompt)
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
        else if (LENS_KEY(key, "messages") || LENS_KEY(key, "prompt"))
            *prompt = lens_mock_read_prompt(&j, turn);
        else if (LENS_KEY(key, "stream"))
            turn->stream = !lens_json_bool(&j, &value) || value;
        else if (LENS_KEY(key, "options"))
            read_options(&j, turn);
        else
            lens_json_skip(&j);
    }
    return lens_json_end(&j);
}

static lens_status
recognise(const struct lens_mock_request *r, struct lens_mock_turn *turn,
          const char **why)
{
    int prompt = 0;

    lens_mock_turn_begin(turn, OLLAMA_CHAT);
    if (lens_mock_method_is(r, "GET") && lens_mock_path_ends(r, "/api/tags")) {
        turn->api = LENS_MOCK_MODELS;
        return LENS_OK;
    }
    if (!lens_mock_method_is(r, "POST"))
        return LENS_E_UNSUPPORTED;
    if (lens_mock_path_ends(r, "/api/generate"))
        turn->api = OLLAMA_GENERATE;
    else if (!lens_mock_path_ends(r, "/api/chat"))
        return LENS_E_UNSUPPORTED;
    turn->stream = 1;
    turn->usage = 1;
    *why = "invalid character in request body: expected a JSON object";
    if (!read_request(r->body, turn, &prompt))
        return LENS_E_PROTOCOL;
    *why = turn->api == OLLAMA_CHAT ? "messages is required" : "prompt is required";
    return prompt ? LENS_OK : LENS_E_PROTOCOL;
}

/* ---- encoding ---- */

static void
open_line(struct lens_mock_out *o)
{
    lens_write(&o->w, "{\"model\":\"");
    lens_write(&o->w, o->turn->model);
    lens_write(&o->w, "\",\"created_at\":");
    lens_write_time(&o->w, o->turn->now_s);
}

static void
calls(struct lens_mock_out *o, struct lens_bytes name, struct lens_bytes arguments)
{
    struct lens_json j;
    int object;

    lens_json_begin(&j, arguments.data, arguments.size);
    object =
        lens_json_peek(&j) == LENS_JSON_OBJECT && lens_json_skip(&j) && lens_json_end(&j);
    lens_write(&o->w, ",\"tool_calls\":[{\"function\":{\"name\":");
    lens_mock_string(o, name);
    lens_write(&o->w, ",\"arguments\":");
    if (object)
        lens_write_bytes(&o->w, arguments.data, arguments.size);
    else
        lens_write(&o->w, "{}");
    lens_write(&o->w, "}}]");
}

/* Text, thinking and a call of one line; empty ones that need not be there are left out.
 */
static void
output(struct lens_mock_out *o, struct lens_bytes text, struct lens_bytes thinking,
       struct lens_bytes name, struct lens_bytes arguments)
{
    const int chat = o->turn->api == OLLAMA_CHAT;

    lens_write(&o->w, chat ? ",\"message\":{\"role\":\"assistant\",\"content\":"
                           : ",\"response\":");
    lens_mock_string(o, text);
    if (thinking.size > 0) {
        lens_write(&o->w, ",\"thinking\":");
        lens_mock_string(o, thinking);
    }
    if (name.size > 0)
        calls(o, name, arguments);
    lens_write(&o->w, chat ? "}" : "");
}

static void
line(struct lens_mock_out *o, struct lens_bytes text, struct lens_bytes thinking,
     struct lens_bytes name, struct lens_bytes arguments)
{
    open_line(o);
    output(o, text, thinking, name, arguments);
    lens_write(&o->w, ",\"done\":false}\n");
}

/* A mock has no model to load; the times are those of 1 ms a token. */
static void
end(struct lens_mock_out *o, struct lens_bytes finish)
{
    const struct lens_mock_step *s = o->step;
    const int64_t prompt_ns = s->input_tokens * 10000,
                  eval_ns = s->output_tokens * 1000000;

    lens_write(&o->w, ",\"done\":true,\"done_reason\":\"");
    lens_write(&o->w, lens_mock_finish_is(finish, "length") ? "length" : "stop");
    lens_mock_number(o, "\",\"total_duration\":", 1000000 + prompt_ns + eval_ns);
    lens_mock_number(o, ",\"load_duration\":", 1000000);
    lens_mock_number(o, ",\"prompt_eval_count\":", s->input_tokens);
    lens_mock_number(o, ",\"prompt_eval_duration\":", prompt_ns);
    lens_mock_number(o, ",\"eval_count\":", s->output_tokens);
    lens_mock_number(o, ",\"eval_duration\":", eval_ns);
    lens_write(&o->w, "}");
}

static void
complain(struct lens_mock_out *o)
{
    lens_write(&o->w, "{\"error\":");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, "}");
}

static void
models(struct lens_mock_out *o)
{
    lens_write(&o->w, "{\"models\":[{\"name\":");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, ",\"model\":");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, ",\"size\":0,\"details\":{\"format\":\"gguf\"}}]}");
}

static lens_status
encode(struct lens_mock_turn *turn, const struct lens_mock_step *step,
       struct lens_buffer *buffer, lens_mock_append_fn append)
{
    const struct lens_bytes none = { NULL, 0 };
    struct lens_mock_out o;

    lens_mock_out_begin(&o, turn, step, buffer, append);
    if (step->kind == LENS_STEP_TEXT) {
        line(&o, step->text, none, none, none);
    } else if (step->kind == LENS_STEP_REASONING) {
        line(&o, none, step->text, none, none);
    } else if (step->kind == LENS_STEP_FINISH) {
        if (step->name.size > 0) /* calls come whole, when all of one is known */
            line(&o, none, none, step->name, step->arguments);
        open_line(&o);
        output(&o, none, none, none, none);
        end(&o, step->text);
        lens_write(&o.w, "\n");
    } else if (step->kind == LENS_STEP_WHOLE) {
        open_line(&o);
        output(&o, step->text, step->reasoning, step->name, step->arguments);
        end(&o, step->finish);
    } else if (step->kind == LENS_STEP_ERROR) {
        complain(&o);
        lens_write(&o.w, "\n");
    } else if (step->kind == LENS_STEP_REFUSED) {
        complain(&o);
    } else if (step->kind == LENS_STEP_MODELS) {
        models(&o);
    }
    return lens_write_end(&o.w);
}

const struct lens_mock ollama_mock = {
    .struct_size = sizeof ollama_mock,
    .recognise = recognise,
    .encode = encode,
};
