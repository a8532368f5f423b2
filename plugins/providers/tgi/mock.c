/* mock: how `lens mock` speaks generate_stream and generate. There is no place for
 * thoughts and calls in this protocol: they come as text. */
#include <string.h>

#include "sdk/members.h"
#include "tgi.h"

/* scratch[TOKENS]: events that were sent. */
enum { TOKENS = 0 };

/* ---- recognising ---- */

static void
read_parameters(struct lens_json *j, struct lens_mock_turn *turn, int *limit)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "max_new_tokens"))
            *limit = lens_mock_read_limit(j, turn);
        else
            lens_json_skip(j);
    }
}

static int
read_request(struct lens_bytes body, struct lens_mock_turn *turn, int *prompt, int *limit)
{
    struct lens_json j;
    struct lens_bytes key;
    struct lens_key_room room;

    lens_json_begin(&j, body.data, body.size);
    if (!lens_read_object(&j))
        return 0;
    while (lens_read_member(&j, &key, &room)) {
        if (LENS_KEY(key, "inputs"))
            *prompt = lens_mock_read_prompt(&j, turn);
        else if (LENS_KEY(key, "parameters"))
            read_parameters(&j, turn, limit);
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

    lens_mock_turn_begin(turn, TGI_STREAM);
    if (lens_mock_method_is(r, "GET") && lens_mock_path_ends(r, "/info")) {
        turn->api = LENS_MOCK_MODELS;
        return LENS_OK;
    }
    if (!lens_mock_method_is(r, "POST"))
        return LENS_E_UNSUPPORTED;
    if (lens_mock_path_ends(r, "/generate_stream"))
        turn->stream = 1;
    else if (!lens_mock_path_ends(r, "/generate"))
        return LENS_E_UNSUPPORTED;
    turn->usage = 1;
    *why = "Failed to parse the request body as JSON";
    if (!read_request(r->body, turn, &prompt, &limit))
        return LENS_E_PROTOCOL;
    *why = "Input validation error: `inputs` cannot be empty";
    if (!prompt)
        return LENS_E_PROTOCOL;
    *why = "Input validation error: `max_new_tokens` must be strictly positive";
    return limit ? LENS_OK : LENS_E_PROTOCOL;
}

/* ---- encoding ---- */

static void
token(struct lens_mock_out *o, struct lens_bytes text, int special)
{
    lens_mock_number(o, "data:{\"index\":", (int64_t)++o->turn->scratch[TOKENS]);
    lens_mock_number(o, ",\"token\":{\"id\":", (int64_t)o->turn->scratch[TOKENS]);
    lens_write(&o->w, ",\"text\":");
    lens_mock_string(o, text);
    lens_write(&o->w, special ? ",\"logprob\":-0.1,\"special\":true}"
                              : ",\"logprob\":-0.1,\"special\":false}");
}

static void
output(struct lens_mock_out *o)
{
    const struct lens_mock_step *s = o->step;

    token(o, s->kind == LENS_STEP_TOOL && s->name.size > 0 ? s->name : s->text, 0);
    lens_write(&o->w, ",\"generated_text\":null,\"details\":null}\n\n");
}

static void
details(struct lens_mock_out *o, struct lens_bytes finish)
{
    lens_write(&o->w, "{\"finish_reason\":\"");
    lens_write(&o->w, lens_mock_finish_is(finish, "length") ? "length" : "eos_token");
    lens_mock_number(o, "\",\"generated_tokens\":", o->step->output_tokens);
    lens_write(&o->w, ",\"seed\":null");
}

static void
finish(struct lens_mock_out *o)
{
    const struct lens_bytes end = { "</s>", 4 };

    token(o, end, 1);
    lens_write(&o->w, ",\"generated_text\":");
    lens_mock_string(o, o->step->said);
    lens_write(&o->w, ",\"details\":");
    details(o, o->step->text);
    lens_mock_number(o, ",\"input_length\":", o->step->input_tokens);
    lens_write(&o->w, "}}\n\n");
}

/* The input length stands in a header there, which a mock does not send. */
static void
whole(struct lens_mock_out *o)
{
    const struct lens_mock_step *s = o->step;

    lens_write(&o->w, "{\"generated_text\":");
    lens_mock_string(o, s->text.size > 0 ? s->text : s->arguments);
    lens_write(&o->w, ",\"details\":");
    details(o, s->finish);
    lens_mock_number(o, ",\"input_length\":", s->input_tokens);
    lens_write(&o->w, ",\"prefill\":[],\"tokens\":[]}}");
}

static void
complain(struct lens_mock_out *o)
{
    static const struct {
        uint32_t kind;
        const char *type;
    } types[] = {
        { LENS_KIND_RATE_LIMIT, "too_many_requests" },
        { LENS_KIND_OVERLOADED, "overloaded" },
        { LENS_KIND_INVALID_REQUEST, "validation" },
        { LENS_KIND_CONTEXT_LENGTH, "validation" },
    };
    const char *type = "generation";

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (types[i].kind == o->step->error_kind)
            type = types[i].type;
    lens_write(&o->w, "{\"error\":");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, ",\"error_type\":\"");
    lens_write(&o->w, type);
    lens_write(&o->w, "\"}");
}

static lens_status
encode(struct lens_mock_turn *turn, const struct lens_mock_step *step,
       struct lens_buffer *buffer, lens_mock_append_fn append)
{
    struct lens_mock_out o;

    lens_mock_out_begin(&o, turn, step, buffer, append);
    switch (step->kind) {
    case LENS_STEP_REASONING:
    case LENS_STEP_TEXT:
    case LENS_STEP_TOOL:
        output(&o);
        break;
    case LENS_STEP_FINISH:
        finish(&o);
        break;
    case LENS_STEP_WHOLE:
        whole(&o);
        break;
    case LENS_STEP_ERROR:
        lens_write(&o.w, "data:");
        complain(&o);
        lens_write(&o.w, "\n\n");
        break;
    case LENS_STEP_REFUSED:
        complain(&o);
        break;
    case LENS_STEP_MODELS:
        lens_write(&o.w, "{\"model_id\":");
        lens_mock_string(&o, step->text);
        lens_write(&o.w, ",\"max_total_tokens\":4096,\"version\":\"3.0.0\"}");
        break;
    default:
        break;
    }
    return lens_write_end(&o.w);
}

const struct lens_mock tgi_mock = {
    .struct_size = sizeof tgi_mock,
    .recognise = recognise,
    .encode = encode,
};
