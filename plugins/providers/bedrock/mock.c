#include "mock.h"

#include "sdk/eventstream.h"

/* ---- recognising ---- */

static void
read_limits(struct lens_json *j, struct lens_mock_turn *turn, bool *broken)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "maxTokens") || LENS_KEY(key, "maxTokenCount"))
            *broken = !lens_mock_read_limit(j, turn) || *broken;
        else
            lens_json_skip(j);
    }
}

static const char *
read_body(const struct lens_mock_request *r, struct lens_mock_turn *turn)
{
    bool prompt = false, broken = false;
    struct lens_bytes key;
    struct lens_key_room room;
    struct lens_json j;

    lens_json_begin(&j, r->body.data, r->body.size);
    if (lens_json_peek(&j) != LENS_JSON_OBJECT)
        return "Unexpected content: the body is not a JSON object";
    for (lens_json_object(&j); lens_read_member(&j, &key, &room);) {
        if (LENS_KEY(key, "messages") || LENS_KEY(key, "prompt") ||
            LENS_KEY(key, "inputText") || LENS_KEY(key, "message") ||
            LENS_KEY(key, "input"))
            prompt = lens_mock_read_prompt(&j, turn) || prompt;
        else if (LENS_KEY(key, "inferenceConfig") ||
                 LENS_KEY(key, "textGenerationConfig"))
            read_limits(&j, turn, &broken);
        else if (LENS_KEY(key, "max_tokens") || LENS_KEY(key, "max_gen_len") ||
                 LENS_KEY(key, "max_completion_tokens"))
            broken = !lens_mock_read_limit(&j, turn) || broken;
        else
            lens_json_skip(&j);
    }
    if (!lens_json_end(&j))
        return "Unexpected content: the body is not a JSON object";
    if (broken)
        return "The value at maxTokens must be an integer of at least 1";
    return prompt ? NULL : "The value at messages is null or missing";
}

static int
digit_of(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The model of a path, decoded; characters that JSON would have to escape are left out.
 */
static void
copy_model(const char *from, const char *end, struct lens_mock_turn *turn)
{
    size_t used = 0;

    for (; from < end && used + 1 < sizeof turn->model; from++) {
        char c = *from;

        if (c == '%' && end - from > 2 && digit_of(from[1]) >= 0 &&
            digit_of(from[2]) >= 0) {
            c = (char)(digit_of(from[1]) << 4 | digit_of(from[2]));
            from += 2;
        }
        if ((unsigned char)c >= 0x20 && (unsigned char)c < 0x7f && c != '"' && c != '\\')
            turn->model[used++] = c;
    }
    if (used > 0)
        turn->model[used] = '\0';
}

static const struct {
    const char *end;
    uint32_t api, stream;
} routes[] = {
    { "/converse-stream", API_CONVERSE, 1 },
    { "/converse", API_CONVERSE, 0 },
    { "/invoke-with-response-stream", API_INVOKE, 1 },
    { "/invoke", API_INVOKE, 0 },
};

static lens_status
recognise(const struct lens_mock_request *r, struct lens_mock_turn *turn,
          const char **why)
{
    static const char folder[] = "/model/";
    const char *path = r->path.data;
    const char *query = memchr(path, '?', r->path.size);
    const char *last = query != NULL ? query : path + r->path.size;
    const char *at = memmem(path, r->path.size, folder, sizeof folder - 1);
    const char *slash = memrchr(path, '/', (size_t)(last - path));

    lens_mock_turn_begin(turn, API_CONVERSE);
    if (lens_mock_method_is(r, "GET") && lens_mock_path_ends(r, "/foundation-models")) {
        turn->api = LENS_MOCK_MODELS;
        return LENS_OK;
    }
    if (!lens_mock_method_is(r, "POST") || at == NULL || slash == NULL ||
        slash < at + sizeof folder - 1)
        return LENS_E_UNSUPPORTED;
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (!lens_mock_path_ends(r, routes[i].end))
            continue;
        turn->api = routes[i].api;
        turn->stream = routes[i].stream;
        turn->usage = 1;
        copy_model(at + sizeof folder - 1, slash, turn);
        *why = read_body(r, turn);
        return *why == NULL ? LENS_OK : LENS_E_PROTOCOL;
    }
    return LENS_E_UNSUPPORTED;
}

/* ---- encoding ---- */

void
mock_frame(struct lens_mock_out *o, const char *event, struct lens_text *payload)
{
    const struct lens_frame_string headers[] = {
        { ":event-type", event },
        { ":content-type", "application/json" },
        { ":message-type", "event" },
    };
    struct lens_text frame = { 0 };

    lens_write_frame(&frame, headers, 3, lens_text_bytes(payload));
    if (frame.failed || payload->failed)
        o->w.status = LENS_E_NOMEM;
    lens_write_bytes(&o->w, frame.data, frame.size);
    lens_text_clear(&frame);
    lens_text_clear(payload);
}

bool
mock_needs_block(struct lens_mock_out *o, uint64_t kind,
                 void (*close)(struct lens_mock_out *))
{
    uint64_t *scratch = o->turn->scratch;

    if (scratch[MOCK_OPEN] == kind)
        return false;
    if (scratch[MOCK_OPEN] != MOCK_BLOCK_NONE) {
        close(o);
        scratch[MOCK_BLOCK]++;
    }
    scratch[MOCK_OPEN] = kind;
    return true;
}

/* Names as the service has them: in headers with a capital, in frames without. */
const char *
mock_exception_of(uint32_t kind)
{
    switch (kind) {
    case LENS_KIND_RATE_LIMIT:
        return "ThrottlingException";
    case LENS_KIND_QUOTA:
        return "ServiceQuotaExceededException";
    case LENS_KIND_OVERLOADED:
        return "ServiceUnavailableException";
    case LENS_KIND_TIMEOUT:
        return "ModelTimeoutException";
    case LENS_KIND_AUTH:
        return "UnrecognizedClientException";
    case LENS_KIND_PERMISSION:
        return "AccessDeniedException";
    case LENS_KIND_NOT_FOUND:
        return "ResourceNotFoundException";
    case LENS_KIND_INVALID_REQUEST:
    case LENS_KIND_CONTEXT_LENGTH:
        return "ValidationException";
    default:
        return "InternalServerException";
    }
}

/* An exception frame ends the stream. */
static void
write_exception(struct lens_mock_out *o)
{
    char name[64];
    const struct lens_frame_string headers[] = {
        { ":exception-type", name },
        { ":content-type", "application/json" },
        { ":message-type", "exception" },
    };
    struct lens_text payload = { 0 }, frame = { 0 };
    struct lens_writer w;

    strncpy(name, mock_exception_of(o->step->error_kind), sizeof name - 1);
    name[sizeof name - 1] = '\0';
    name[0] = (char)(name[0] + ('a' - 'A'));
    lens_write_begin(&w, &payload, lens_text_put);
    lens_write(&w, "{\"message\":");
    lens_write_string(&w, o->step->text.data, o->step->text.size);
    lens_write(&w, "}");
    lens_write_end(&w);
    lens_write_frame(&frame, headers, 3, lens_text_bytes(&payload));
    lens_write_bytes(&o->w, frame.data, frame.size);
    lens_text_clear(&payload);
    lens_text_clear(&frame);
}

static void
write_refusal(struct lens_mock_out *o)
{
    lens_write(&o->w, "{\"__type\":\"");
    lens_write(&o->w, mock_exception_of(o->step->error_kind));
    lens_write(&o->w, "\",\"message\":");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, "}");
}

static void
write_models(struct lens_mock_out *o)
{
    lens_write(&o->w, "{\"modelSummaries\":[{\"modelId\":");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, ",\"responseStreamingSupported\":true}]}");
}

static lens_status
encode(struct lens_mock_turn *turn, const struct lens_mock_step *step,
       struct lens_buffer *buffer, lens_mock_append_fn append)
{
    struct lens_mock_out o;

    lens_mock_out_begin(&o, turn, step, buffer, append);
    if (step->kind == LENS_STEP_REFUSED)
        write_refusal(&o);
    else if (step->kind == LENS_STEP_MODELS)
        write_models(&o);
    else if (step->kind == LENS_STEP_ERROR)
        write_exception(&o);
    else if (turn->api == API_CONVERSE)
        mock_converse(&o);
    else
        mock_invoke(&o);
    return lens_write_end(&o.w);
}

/* ---- heads ---- */

static lens_status
write_headers(struct lens_mock_turn *turn, const struct lens_mock_step *step,
              struct lens_buffer *buffer, lens_mock_append_fn append)
{
    struct lens_mock_out o;

    lens_mock_out_begin(&o, turn, step, buffer, append);
    if (step->kind == LENS_STEP_REFUSED) {
        lens_write(&o.w, "x-amzn-errortype: ");
        lens_write(&o.w, mock_exception_of(step->error_kind));
        lens_write(&o.w, ":http://internal.amazon.com/coral/com.amazon.bedrock/\r\n");
    } else if (step->kind == LENS_STEP_WHOLE && turn->api == API_INVOKE) {
        lens_mock_number(&o, "x-amzn-bedrock-input-token-count: ",
                         step->input_tokens - step->cached_tokens);
        lens_mock_number(&o,
                         "\r\nx-amzn-bedrock-output-token-count: ", step->output_tokens);
        lens_mock_number(
            &o, "\r\nx-amzn-bedrock-cache-read-input-token-count: ", step->cached_tokens);
        lens_write(&o.w, "\r\nx-amzn-bedrock-invocation-latency: 20\r\n");
    }
    return lens_write_end(&o.w);
}

const struct lens_mock bedrock_mock = {
    .struct_size = sizeof bedrock_mock,
    .recognise = recognise,
    .encode = encode,
    .headers = write_headers,
};
