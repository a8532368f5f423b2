/* mock: how `lens mock` speaks the Messages API, at all doors. */
#include <string.h>

#include "anthropic.h"
#include "mock.h"
#include "sdk/failure.h"
#include "sdk/members.h"

/* ---- recognising ---- */

static bool
has_header(const struct lens_mock_request *r, const char *name)
{
    return lens_header(r->headers, r->header_count, r->header_size, name).size > 0;
}

/* Vertex says the model and the method in the path. */
static bool
read_vertex_path(const struct lens_mock_request *r, struct lens_mock_turn *turn)
{
    static const char mark[] = "/publishers/anthropic/models/";
    const char *start = memmem(r->path.data, r->path.size, mark, sizeof mark - 1), *end;
    size_t size;

    if (start == NULL)
        return false;
    start += sizeof mark - 1;
    end = memchr(start, ':', (size_t)(r->path.data + r->path.size - start));
    if (end == NULL)
        return false;
    size = (size_t)(end - start);
    turn->stream = lens_mock_path_ends(r, ":streamRawPredict");
    turn->scratch[MOCK_COUNTING] = size == 12 && memcmp(start, "count-tokens", 12) == 0;
    if (size > 0 && size < sizeof turn->model && memchr(start, '"', size) == NULL &&
        memchr(start, '\\', size) == NULL) {
        memcpy(turn->model, start, size);
        turn->model[size] = '\0';
    }
    return true;
}

struct found {
    bool prompt, limit, broken_limit;
};

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
        else if (LENS_KEY(key, "messages"))
            f->prompt = lens_mock_read_prompt(&j, turn);
        else if (LENS_KEY(key, "stream"))
            turn->stream = lens_json_bool(&j, &value) && value;
        else if (LENS_KEY(key, "max_tokens")) {
            f->limit = lens_json_peek(&j) != LENS_JSON_NULL;
            f->broken_limit = !lens_mock_read_limit(&j, turn);
        } else
            lens_json_skip(&j);
    }
    return lens_json_end(&j);
}

static lens_status
check(const struct found *f, bool counting, const char **why)
{
    *why = "messages: Field required";
    if (!f->prompt)
        return LENS_E_PROTOCOL;
    *why = "max_tokens: Field required";
    if (!f->limit && !counting)
        return LENS_E_PROTOCOL;
    *why = "max_tokens: Input should be an integer greater than or equal to 1";
    return f->broken_limit ? LENS_E_PROTOCOL : LENS_OK;
}

static lens_status
recognise(const struct lens_mock_request *r, struct lens_mock_turn *turn,
          const char **why)
{
    struct found f = { 0 };

    lens_mock_turn_begin(turn, 0);
    turn->usage = 1;
    /* OpenAI's list lies at the same path. */
    if (lens_mock_method_is(r, "GET") && lens_mock_path_ends(r, "/models") &&
        has_header(r, "anthropic-version")) {
        turn->api = LENS_MOCK_MODELS;
        return LENS_OK;
    }
    if (!lens_mock_method_is(r, "POST"))
        return LENS_E_UNSUPPORTED;
    if (lens_mock_path_ends(r, "/messages/count_tokens"))
        turn->scratch[MOCK_COUNTING] = 1;
    else if (!lens_mock_path_ends(r, "/messages") && !read_vertex_path(r, turn))
        return LENS_E_UNSUPPORTED;
    *why = "the request body is not a JSON object";
    if (!read_request(r->body, turn, &f))
        return LENS_E_PROTOCOL;
    if (turn->scratch[MOCK_COUNTING] != 0) {
        turn->stream = 0;
        turn->max_output = 1; /* an answer at once */
    }
    return check(&f, turn->scratch[MOCK_COUNTING] != 0, why);
}

/* ---- encoding ---- */

static lens_status
encode(struct lens_mock_turn *turn, const struct lens_mock_step *step,
       struct lens_buffer *buffer, lens_mock_append_fn append)
{
    struct lens_mock_out o;

    lens_mock_out_begin(&o, turn, step, buffer, append);
    mock_write(&o);
    return lens_write_end(&o.w);
}

const struct lens_mock anthropic_mock = {
    .struct_size = sizeof anthropic_mock,
    .recognise = recognise,
    .encode = encode,
};
