#include "mock.h"

#include "openai.h"
#include "sdk/failure.h"

/* ---- recognising ---- */

static void
read_stream_options(struct lens_json *j, struct lens_mock_turn *turn)
{
    struct lens_bytes key;
    struct lens_key_room room;
    int32_t value;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "include_usage"))
            turn->usage = lens_json_bool(j, &value) && value;
        else
            lens_json_skip(j);
    }
}

struct found {
    bool prompt, broken_limit, base64;
    int64_t inputs, dimensions;
};

/* Texts of `input`: a string is one, so is a list of token numbers. */
static int64_t
count_inputs(struct lens_json j)
{
    int64_t count = 0;
    bool numbers = false;

    if (lens_json_peek(&j) != LENS_JSON_ARRAY)
        return 1;
    for (lens_json_array(&j); lens_json_element(&j); count++) {
        numbers = lens_json_peek(&j) == LENS_JSON_NUMBER;
        lens_json_skip(&j);
    }
    return numbers || count == 0 ? 1 : count;
}

static void
read_prompt(struct lens_json *j, struct lens_mock_turn *turn, struct found *f)
{
    f->inputs = count_inputs(*j);
    f->prompt = lens_mock_read_prompt(j, turn);
}

static void
read_format(struct lens_json *j, struct found *f)
{
    struct lens_json_string format;

    lens_read_string(j, &format);
    f->base64 = LENS_KEY(format.raw, "base64");
}

static bool
read_request(struct lens_bytes body, struct lens_mock_turn *turn, struct found *f)
{
    struct lens_json j;
    struct lens_bytes key;
    struct lens_key_room room;
    int32_t value;

    lens_json_begin(&j, body.data, body.size);
    if (lens_json_peek(&j) != LENS_JSON_OBJECT)
        return false;
    for (lens_json_object(&j); lens_read_member(&j, &key, &room);) {
        if (LENS_KEY(key, "model"))
            lens_mock_read_model(&j, turn);
        else if (LENS_KEY(key, "messages") || LENS_KEY(key, "prompt") ||
                 LENS_KEY(key, "input"))
            read_prompt(&j, turn, f);
        else if (LENS_KEY(key, "stream"))
            turn->stream = lens_json_bool(&j, &value) && value;
        else if (LENS_KEY(key, "stream_options"))
            read_stream_options(&j, turn);
        else if (LENS_KEY(key, "max_tokens") || LENS_KEY(key, "max_completion_tokens") ||
                 LENS_KEY(key, "max_output_tokens"))
            f->broken_limit = !lens_mock_read_limit(&j, turn) || f->broken_limit;
        else if (LENS_KEY(key, "encoding_format"))
            read_format(&j, f);
        else if (LENS_KEY(key, "dimensions"))
            lens_read_tokens(&j, &f->dimensions);
        else
            lens_json_skip(&j);
    }
    return lens_json_end(&j);
}

/* False: another path. */
static bool
find_api(const struct lens_mock_request *r, struct lens_mock_turn *turn)
{
    /* The longer one first: both end in /completions. */
    for (uint32_t i = 0; i < API_COUNT; i++) {
        if (lens_mock_path_ends(r, openai_routes[i])) {
            turn->api = i;
            return true;
        }
    }
    return false;
}

/* Vectors are made at once, and their number and length are bounded. */
static void
settle_embeddings(struct lens_mock_turn *turn, const struct found *f)
{
    const int64_t length = f->dimensions > 0 && f->dimensions < 4096 ? f->dimensions : 8;

    turn->stream = 0;
    turn->max_output = 1;
    turn->scratch[MOCK_INPUTS] = (uint64_t)(f->inputs < 2048 ? f->inputs : 2048);
    turn->scratch[MOCK_SHAPE] = (uint64_t)length * 2 + f->base64;
}

/* Anthropic lists its models at the same path. */
static bool
is_foreign(const struct lens_mock_request *r)
{
    return lens_header(r->headers, r->header_count, r->header_size, "anthropic-version")
               .size > 0;
}

lens_status
mock_recognise(const struct lens_mock_request *r, struct lens_mock_turn *turn,
               const char **why)
{
    static const char *const missing[API_COUNT] = {
        "you must provide a messages parameter",
        "you must provide a prompt parameter",
        "you must provide an input parameter",
        "you must provide an input parameter",
    };
    struct found f = { 0 };

    lens_mock_turn_begin(turn, 0);
    if (is_foreign(r))
        return LENS_E_UNSUPPORTED;
    if (lens_mock_method_is(r, "GET") && lens_mock_path_ends(r, "/models")) {
        turn->api = LENS_MOCK_MODELS;
        return LENS_OK;
    }
    if (!lens_mock_method_is(r, "POST") || !find_api(r, turn))
        return LENS_E_UNSUPPORTED;
    *why = "the request body is not a JSON object";
    if (!read_request(r->body, turn, &f))
        return LENS_E_PROTOCOL;
    *why = missing[turn->api];
    if (!f.prompt)
        return LENS_E_PROTOCOL;
    if (turn->api == API_EMBEDDINGS)
        settle_embeddings(turn, &f);
    *why = "the limit of output tokens must be an integer of at least 1";
    return f.broken_limit ? LENS_E_PROTOCOL : LENS_OK;
}

/* ---- encoding ---- */

static void
write_refusal(struct lens_mock_out *o)
{
    lens_write(&o->w, "{\"error\":");
    mock_error(o);
    lens_write(&o->w, "}");
}

static void
write_models(struct lens_mock_out *o)
{
    lens_write(&o->w, "{\"object\":\"list\",\"data\":[{\"id\":");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, ",\"object\":\"model\",\"created\":");
    lens_write_int(&o->w, o->turn->now_s);
    lens_write(&o->w, ",\"owned_by\":\"lens\"}]}");
}

lens_status
mock_encode(struct lens_mock_turn *turn, const struct lens_mock_step *step,
            struct lens_buffer *buffer, lens_mock_append_fn append)
{
    struct lens_mock_out o;

    lens_mock_out_begin(&o, turn, step, buffer, append);
    if (step->kind == LENS_STEP_REFUSED)
        write_refusal(&o);
    else if (step->kind == LENS_STEP_MODELS)
        write_models(&o);
    else if (turn->api == API_CHAT)
        mock_chat(&o);
    else if (turn->api == API_COMPLETIONS)
        mock_completions(&o);
    else if (turn->api == API_EMBEDDINGS)
        mock_embeddings(&o);
    else
        mock_responses(&o);
    return lens_write_end(&o.w);
}

const struct lens_mock openai_mock = {
    .struct_size = sizeof openai_mock,
    .recognise = mock_recognise,
    .encode = mock_encode,
};
