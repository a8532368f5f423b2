/* mock: how `lens mock` speaks what this provider expects when nothing is configured: a
 * request with a prompt to the root or /v1, an SSE stream of {"text":".."}, usage,
 * [DONE]. */
#include "http.h"
#include "sdk/members.h"
#include "sdk/mock-kit.h"

/* ---- recognising ---- */

struct wanted {
    int prompt, limit;
};

static int
read_request(struct lens_bytes body, struct lens_mock_turn *turn, struct wanted *w)
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
        else if (LENS_KEY(key, "prompt"))
            w->prompt = lens_mock_read_prompt(&j, turn);
        else if (LENS_KEY(key, "stream"))
            turn->stream = lens_json_bool(&j, &value) && value;
        else if (LENS_KEY(key, "max_tokens"))
            w->limit = lens_mock_read_limit(&j, turn);
        else
            lens_json_skip(&j);
    }
    return lens_json_end(&j);
}

static lens_status
recognise(const struct lens_mock_request *r, struct lens_mock_turn *turn,
          const char **why)
{
    struct wanted w = { .limit = 1 };

    lens_mock_turn_begin(turn, 0);
    if (!lens_mock_method_is(r, "POST") ||
        (!LENS_KEY(r->path, "/") && !LENS_KEY(r->path, "/v1")))
        return LENS_E_UNSUPPORTED;
    turn->usage = 1;
    *why = "the request body is not a JSON object";
    if (!read_request(r->body, turn, &w))
        return LENS_E_PROTOCOL;
    *why = "prompt is missing";
    if (!w.prompt)
        return LENS_E_PROTOCOL;
    *why = "max_tokens must be an integer of at least 1";
    return w.limit ? LENS_OK : LENS_E_PROTOCOL;
}

/* ---- encoding ---- */

static void
text(struct lens_mock_out *o, struct lens_bytes words)
{
    lens_write(&o->w, "{\"text\":");
    lens_mock_string(o, words);
}

static void
usage(struct lens_mock_out *o)
{
    lens_mock_number(o, ",\"usage\":{\"input_tokens\":", o->step->input_tokens);
    lens_mock_number(o, ",\"output_tokens\":", o->step->output_tokens);
    lens_write(&o->w, "}}");
}

static void
complain(struct lens_mock_out *o)
{
    lens_write(&o->w, "{\"error\":{\"message\":");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, "}}");
}

static lens_status
encode(struct lens_mock_turn *turn, const struct lens_mock_step *step,
       struct lens_buffer *buffer, lens_mock_append_fn append)
{
    const struct lens_bytes none = { NULL, 0 };
    struct lens_mock_out o;

    lens_mock_out_begin(&o, turn, step, buffer, append);
    switch (step->kind) {
    case LENS_STEP_REASONING:
    case LENS_STEP_TEXT:
    case LENS_STEP_TOOL:
        lens_write(&o.w, "data: ");
        text(&o, step->kind == LENS_STEP_TOOL && step->name.size > 0 ? step->name
                                                                     : step->text);
        lens_write(&o.w, "}\n\n");
        break;
    case LENS_STEP_FINISH:
        lens_write(&o.w, "data: ");
        text(&o, none);
        usage(&o);
        lens_write(&o.w, "\n\ndata: [DONE]\n\n");
        break;
    case LENS_STEP_WHOLE:
        text(&o, step->text.size > 0 ? step->text : step->arguments);
        usage(&o);
        break;
    case LENS_STEP_ERROR:
        lens_write(&o.w, "data: ");
        complain(&o);
        lens_write(&o.w, "\n\n");
        break;
    case LENS_STEP_REFUSED:
        complain(&o);
        break;
    default:
        break;
    }
    return lens_write_end(&o.w);
}

const struct lens_mock http_mock = {
    .struct_size = sizeof http_mock,
    .recognise = recognise,
    .encode = encode,
};
