/* mock: how `lens mock` speaks Mistral's chat: thoughts are parts of a list, usage rides
 * on the chunk with the reason to finish, chunks are padded. */
#include <string.h>

#include "mistral.h"
#include "sdk/mock-kit.h"

/* ---- recognising ---- */

struct found {
    int prompt, limit;
};

static int
read_request(struct lens_bytes body, struct lens_mock_turn *turn, struct found *f)
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
            f->prompt = lens_mock_read_prompt(&j, turn);
        else if (LENS_KEY(key, "stream"))
            turn->stream = lens_json_bool(&j, &value) && value;
        else if (LENS_KEY(key, "max_tokens"))
            f->limit = lens_mock_read_limit(&j, turn);
        else
            lens_json_skip(&j);
    }
    return lens_json_end(&j);
}

static lens_status
recognise(const struct lens_mock_request *r, struct lens_mock_turn *turn,
          const char **why)
{
    struct found f = { .limit = 1 };

    lens_mock_turn_begin(turn, 0);
    if (lens_mock_method_is(r, "GET") && lens_mock_path_ends(r, "/models")) {
        turn->api = LENS_MOCK_MODELS;
        return LENS_OK;
    }
    if (!lens_mock_method_is(r, "POST") || !lens_mock_path_ends(r, "/chat/completions"))
        return LENS_E_UNSUPPORTED;
    turn->usage = 1;
    *why = "the request body is not a JSON object";
    if (!read_request(r->body, turn, &f))
        return LENS_E_PROTOCOL;
    *why = "messages: Field required";
    if (!f.prompt)
        return LENS_E_PROTOCOL;
    *why = "max_tokens: Input should be greater than or equal to 1";
    return f.limit ? LENS_OK : LENS_E_PROTOCOL;
}

/* ---- encoding ---- */

static void
head(struct lens_mock_out *o, const char *object)
{
    lens_write(&o->w, "{\"id\":");
    lens_mock_id(o, "");
    lens_write(&o->w, ",\"object\":\"");
    lens_write(&o->w, object);
    lens_mock_number(o, "\",\"created\":", o->turn->now_s);
    lens_write(&o->w, ",\"model\":\"");
    lens_write(&o->w, o->turn->model);
    lens_write(&o->w, "\",\"choices\":[{\"index\":0,");
}

static void
open_chunk(struct lens_mock_out *o)
{
    lens_write(&o->w, "data: ");
    head(o, "chat.completion.chunk");
    lens_write(&o->w, "\"delta\":{");
}

static void
close_chunk(struct lens_mock_out *o)
{
    lens_write(&o->w, "},\"finish_reason\":null}],\"p\":\"abcdefghijkl\"}\n\n");
}

static void
usage(struct lens_mock_out *o)
{
    const struct lens_mock_step *s = o->step;

    lens_mock_number(o, ",\"usage\":{\"prompt_tokens\":", s->input_tokens);
    lens_mock_number(o, ",\"total_tokens\":", s->input_tokens + s->output_tokens);
    lens_mock_number(o, ",\"completion_tokens\":", s->output_tokens);
    if (s->cached_tokens > 0) {
        lens_mock_number(
            o, ",\"prompt_tokens_details\":{\"cached_tokens\":", s->cached_tokens);
        lens_write(&o->w, "}");
    }
    if (s->reasoning_tokens > 0) {
        lens_mock_number(o, ",\"completion_tokens_details\":{\"reasoning_tokens\":",
                         s->reasoning_tokens);
        lens_write(&o->w, "}");
    }
    lens_write(&o->w, "}");
}

static void
thinking(struct lens_mock_out *o, struct lens_bytes text)
{
    lens_write(&o->w,
               "{\"type\":\"thinking\",\"thinking\":[{\"type\":\"text\",\"text\":");
    lens_mock_string(o, text);
    lens_write(&o->w, "}]}");
}

static void
call(struct lens_mock_out *o, struct lens_bytes arguments)
{
    lens_write(&o->w, ",\"tool_calls\":[{\"id\":");
    lens_mock_id(o, "c");
    lens_write(&o->w, ",\"type\":\"function\",\"function\":{\"name\":");
    lens_mock_string(o, o->step->name);
    lens_write(&o->w, ",\"arguments\":");
    lens_mock_string(o, arguments);
    lens_write(&o->w, "},\"index\":0}]");
}

static void
finish_reason(struct lens_mock_out *o, struct lens_bytes reason)
{
    lens_write(&o->w, "},\"finish_reason\":");
    lens_mock_string(o, reason);
    lens_write(&o->w, "}]");
    usage(o);
}

static void
finish(struct lens_mock_out *o)
{
    open_chunk(o);
    lens_write(&o->w, "\"content\":\"\"");
    finish_reason(o, o->step->text);
    lens_write(&o->w, ",\"p\":\"abcd\"}\n\ndata: [DONE]\n\n");
}

static void
whole(struct lens_mock_out *o)
{
    const struct lens_mock_step *s = o->step;

    head(o, "chat.completion");
    lens_write(&o->w, "\"message\":{\"role\":\"assistant\",\"content\":");
    if (s->reasoning.size > 0) {
        lens_write(&o->w, "[");
        thinking(o, s->reasoning);
        lens_write(&o->w, ",{\"type\":\"text\",\"text\":");
        lens_mock_string(o, s->text);
        lens_write(&o->w, "}]");
    } else {
        lens_mock_string(o, s->text);
    }
    if (s->name.size > 0)
        call(o, s->arguments);
    finish_reason(o, s->finish);
    lens_write(&o->w, "}");
}

/* Its machine codes are numbers; the type tells. */
static void
complain(struct lens_mock_out *o)
{
    static const struct {
        uint32_t kind;
        const char *type, *code;
    } words[] = {
        { LENS_KIND_RATE_LIMIT, "rate_limited", "\"1300\"" },
        { LENS_KIND_QUOTA, "insufficient_quota", "\"1113\"" },
        { LENS_KIND_OVERLOADED, "service_unavailable", "\"3505\"" },
        { LENS_KIND_AUTH, "unauthorized", "\"1100\"" },
        { LENS_KIND_NOT_FOUND, "invalid_model", "\"1500\"" },
        { LENS_KIND_INVALID_REQUEST, "invalid_request_error", "null" },
        { LENS_KIND_CONTEXT_LENGTH, "invalid_request_prompt", "\"3051\"" },
    };
    const char *type = "internal_server_error", *code = "\"1000\"";

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i].kind == o->step->error_kind) {
            type = words[i].type;
            code = words[i].code;
        }
    }
    lens_write(&o->w, "{\"object\":\"error\",\"message\":");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, ",\"type\":\"");
    lens_write(&o->w, type);
    lens_write(&o->w, "\",\"param\":null,\"code\":");
    lens_write(&o->w, code);
    lens_write(&o->w, "}");
}

static void
output(struct lens_mock_out *o)
{
    open_chunk(o);
    lens_write(&o->w, "\"content\":");
    if (o->step->kind == LENS_STEP_REASONING) {
        lens_write(&o->w, "[");
        thinking(o, o->step->text);
        lens_write(&o->w, "]");
    } else if (o->step->kind == LENS_STEP_TOOL) {
        lens_write(&o->w, "\"\"");
        call(o, o->step->text);
    } else {
        lens_mock_string(o, o->step->text);
    }
    close_chunk(o);
}

static lens_status
encode(struct lens_mock_turn *turn, const struct lens_mock_step *step,
       struct lens_buffer *buffer, lens_mock_append_fn append)
{
    struct lens_mock_out o;

    lens_mock_out_begin(&o, turn, step, buffer, append);
    switch (step->kind) {
    case LENS_STEP_BEGIN:
        open_chunk(&o);
        lens_write(&o.w, "\"role\":\"assistant\",\"content\":\"\"");
        close_chunk(&o);
        break;
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
        lens_write(&o.w, "data: ");
        complain(&o);
        lens_write(&o.w, "\n\n");
        break;
    case LENS_STEP_REFUSED:
        complain(&o);
        break;
    case LENS_STEP_MODELS:
        lens_write(&o.w, "{\"object\":\"list\",\"data\":[{\"id\":");
        lens_mock_string(&o, step->text);
        lens_write(&o.w, ",\"object\":\"model\",\"owned_by\":\"lens\","
                         "\"capabilities\":{\"completion_chat\":true}}]}");
        break;
    default:
        break;
    }
    return lens_write_end(&o.w);
}

const struct lens_mock mistral_mock = {
    .struct_size = sizeof mistral_mock,
    .recognise = recognise,
    .encode = encode,
};
