#include "mock.h"

#include <stdbool.h>

#include "openai.h"

/* ---- recognising ---- */

static bool
path_ends(struct lens_bytes path, const char *end)
{
    const char *query = path.size > 0 ? memchr(path.data, '?', path.size) : NULL;
    size_t size = query != NULL ? (size_t)(query - path.data) : path.size;
    const size_t end_size = strlen(end);

    while (size > 0 && path.data[size - 1] == '/')
        size--;
    return size >= end_size && memcmp(path.data + size - end_size, end, end_size) == 0;
}

static bool
method_is(const struct lens_mock_request *r, const char *name)
{
    return r->method.size == strlen(name) &&
           memcmp(r->method.data, name, r->method.size) == 0;
}

/* The model's name as it stands, escapes and all; cut before anything that is not whole.
 */
static void
copy_model(struct lens_json *j, char out[static 128])
{
    struct lens_json_string name;
    size_t size;

    if (!lens_json_string(j, &name) || name.raw.size == 0)
        return;
    size = name.raw.size < 128 ? name.raw.size : 127;
    if (size < name.raw.size) {
        const char *escape = memchr(name.raw.data, '\\', size);

        if (escape != NULL)
            size = (size_t)(escape - name.raw.data);
        while (size > 0 && ((unsigned char)name.raw.data[size] & 0xc0) == 0x80)
            size--;
    }
    memcpy(out, name.raw.data, size);
    out[size] = '\0';
}

static void
read_stream_options(struct lens_json *j, struct lens_mock_turn *turn)
{
    struct lens_bytes key;
    struct lens_key_room room;
    int32_t value;

    if (lens_json_peek(j) != LENS_JSON_OBJECT) {
        lens_json_skip(j);
        return;
    }
    for (lens_json_object(j); lens_read_member(j, &key, &room);) {
        if (LENS_KEY(key, "include_usage"))
            turn->usage = lens_json_bool(j, &value) && value;
        else
            lens_json_skip(j);
    }
}

struct found {
    bool prompt, broken_limit;
};

static void
read_limit(struct lens_json *j, struct lens_mock_turn *turn, struct found *f)
{
    const enum lens_json_type type = lens_json_peek(j);
    int64_t limit;

    if (type == LENS_JSON_NULL)
        lens_json_skip(j);
    else if (lens_json_int(j, &limit) && limit >= 1)
        turn->max_output = limit;
    else
        f->broken_limit = true;
}

/* About four bytes make a token. */
static void
read_prompt(struct lens_json *j, struct lens_mock_turn *turn, struct found *f)
{
    struct lens_bytes raw;

    lens_read_raw(j, &raw);
    f->prompt = raw.size > 0;
    turn->input_tokens = raw.size > 4 ? (int64_t)(raw.size / 4) : 1;
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
            copy_model(&j, turn->model);
        else if (LENS_KEY(key, "messages") || LENS_KEY(key, "prompt") ||
                 LENS_KEY(key, "input"))
            read_prompt(&j, turn, f);
        else if (LENS_KEY(key, "stream"))
            turn->stream = lens_json_bool(&j, &value) && value;
        else if (LENS_KEY(key, "stream_options"))
            read_stream_options(&j, turn);
        else if (LENS_KEY(key, "max_tokens") || LENS_KEY(key, "max_completion_tokens") ||
                 LENS_KEY(key, "max_output_tokens"))
            read_limit(&j, turn, f);
        else
            lens_json_skip(&j);
    }
    return lens_json_end(&j);
}

static lens_status
recognise(const struct lens_mock_request *r, struct lens_mock_turn *turn,
          const char **why)
{
    static const char *const missing[API_COUNT] = {
        "you must provide a messages parameter",
        "you must provide a prompt parameter",
        "you must provide an input parameter",
    };
    struct found f = { 0 };

    turn->max_output = -1;
    turn->input_tokens = 1;
    memcpy(turn->model, "mock", sizeof "mock");
    if (method_is(r, "GET") && path_ends(r->path, "/models")) {
        turn->api = LENS_MOCK_MODELS;
        return LENS_OK;
    }
    if (!method_is(r, "POST"))
        return LENS_E_UNSUPPORTED;
    if (path_ends(r->path, "/chat/completions"))
        turn->api = API_CHAT;
    else if (path_ends(r->path, "/completions"))
        turn->api = API_COMPLETIONS;
    else if (path_ends(r->path, "/responses"))
        turn->api = API_RESPONSES;
    else
        return LENS_E_UNSUPPORTED;
    *why = "the request body is not a JSON object";
    if (!read_request(r->body, turn, &f))
        return LENS_E_PROTOCOL;
    *why = missing[turn->api];
    if (!f.prompt)
        return LENS_E_PROTOCOL;
    *why = "the limit of output tokens must be an integer of at least 1";
    return f.broken_limit ? LENS_E_PROTOCOL : LENS_OK;
}

/* ---- encoding ---- */

static lens_status
put(void *to, const void *data, size_t size)
{
    struct mock_out *o = to;

    return o->append(o->buffer, data, size);
}

static void
write_refusal(struct mock_out *o)
{
    lens_write(&o->w, "{\"error\":");
    mock_error(o);
    lens_write(&o->w, "}");
}

static void
write_models(struct mock_out *o)
{
    lens_write(&o->w, "{\"object\":\"list\",\"data\":[{\"id\":");
    mock_string(o, o->step->text);
    lens_write(&o->w, ",\"object\":\"model\",\"created\":");
    lens_write_int(&o->w, o->turn->now_s);
    lens_write(&o->w, ",\"owned_by\":\"lens\"}]}");
}

static lens_status
encode(struct lens_mock_turn *turn, const struct lens_mock_step *step,
       struct lens_buffer *buffer, mock_append_fn append)
{
    struct mock_out o;

    o.turn = turn;
    o.step = step;
    o.buffer = buffer;
    o.append = append;
    lens_write_begin(&o.w, &o, put);
    if (step->kind == LENS_STEP_REFUSED)
        write_refusal(&o);
    else if (step->kind == LENS_STEP_MODELS)
        write_models(&o);
    else if (turn->api == API_CHAT)
        mock_chat(&o);
    else if (turn->api == API_COMPLETIONS)
        mock_completions(&o);
    else
        mock_responses(&o);
    return lens_write_end(&o.w);
}

const struct lens_mock openai_mock = {
    .struct_size = sizeof openai_mock,
    .recognise = recognise,
    .encode = encode,
};
