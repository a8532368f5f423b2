/* mock: how `lens mock` speaks generateContent, as AI Studio and Vertex AI do. */
#include "gemini.h"
#include "sdk/merge.h"
#include "sdk/mock-kit.h"

/* scratch[0]: what the request asks for; [1]: elements of an array that were sent. */
enum { METHOD = 0, ELEMENTS = 1 };
enum { METHOD_GENERATE = 0, METHOD_COUNT, METHOD_EMBED };

/* ---- recognising ---- */

static void
read_config(struct lens_json *j, struct lens_mock_turn *turn, bool *broken)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "maxOutputTokens"))
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
        return "Invalid JSON payload received.";
    for (lens_json_object(&j); lens_read_member(&j, &key, &room);) {
        if (LENS_KEY(key, "contents") || LENS_KEY(key, "content") ||
            LENS_KEY(key, "instances") || LENS_KEY(key, "requests"))
            prompt = lens_mock_read_prompt(&j, turn) || prompt;
        else if (LENS_KEY(key, "generationConfig"))
            read_config(&j, turn, &broken);
        else
            lens_json_skip(&j);
    }
    if (!lens_json_end(&j))
        return "Invalid JSON payload received.";
    if (broken)
        return "max_output_tokens must be positive.";
    return prompt ? NULL : "* GenerateContentRequest.contents: contents is not specified";
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

static bool
method_is(struct lens_bytes method, const char *name)
{
    return method.size == strlen(name) && memcmp(method.data, name, method.size) == 0;
}

/* Whether the method is ours. */
static bool
read_method(struct lens_bytes method, struct lens_bytes query,
            struct lens_mock_turn *turn)
{
    const bool sse =
        query.size > 0 && memmem(query.data, query.size, "alt=sse", 7) != NULL;

    turn->usage = 1;
    if (method_is(method, "streamGenerateContent")) {
        turn->stream = 1;
        turn->api = sse ? API_SSE : API_ARRAY;
        return true;
    }
    if (method_is(method, "generateContent"))
        return true;
    turn->max_output = 0;
    turn->api = API_EMBED;
    turn->scratch[METHOD] =
        method_is(method, "countTokens") ? METHOD_COUNT : METHOD_EMBED;
    return method_is(method, "countTokens") || method_is(method, "embedContent") ||
           method_is(method, "batchEmbedContents");
}

static lens_status
recognise(const struct lens_mock_request *r, struct lens_mock_turn *turn,
          const char **why)
{
    static const char folder[] = "/models/";
    const char *path = r->path.data, *end = path + r->path.size;
    const char *query = memchr(path, '?', r->path.size);
    const char *last = query != NULL ? query : end, *at, *colon;

    lens_mock_turn_begin(turn, API_SSE);
    if (lens_mock_method_is(r, "GET") && lens_mock_path_ends(r, "/models")) {
        turn->api = LENS_MOCK_MODELS;
        return memmem(path, r->path.size, "/v1beta", 7) != NULL ? LENS_OK
                                                                : LENS_E_UNSUPPORTED;
    }
    at = memmem(path, (size_t)(last - path), folder, sizeof folder - 1);
    colon = memrchr(path, ':', (size_t)(last - path));
    if (!lens_mock_method_is(r, "POST") || at == NULL || colon == NULL || colon < at)
        return LENS_E_UNSUPPORTED;
    if (!read_method((struct lens_bytes){ colon + 1, (size_t)(last - colon - 1) },
                     (struct lens_bytes){ last, (size_t)(end - last) }, turn))
        return LENS_E_UNSUPPORTED;
    copy_model(at + sizeof folder - 1, colon, turn);
    *why = read_body(r, turn);
    return *why == NULL ? LENS_OK : LENS_E_PROTOCOL;
}

/* ---- encoding ---- */

static void
write_usage(struct lens_mock_out *o)
{
    const struct lens_mock_step *s = o->step;
    const int64_t visible = s->output_tokens - s->reasoning_tokens;

    lens_mock_number(o, ",\"usageMetadata\":{\"promptTokenCount\":", s->input_tokens);
    lens_mock_number(o, ",\"candidatesTokenCount\":", visible);
    lens_mock_number(o, ",\"totalTokenCount\":", s->input_tokens + s->output_tokens);
    if (s->cached_tokens > 0)
        lens_mock_number(o, ",\"cachedContentTokenCount\":", s->cached_tokens);
    lens_mock_number(o,
                     ",\"promptTokensDetails\":[{\"modality\":\"TEXT\",\"tokenCount\":",
                     s->input_tokens);
    lens_write(&o->w, "}]");
    if (s->reasoning_tokens > 0)
        lens_mock_number(o, ",\"thoughtsTokenCount\":", s->reasoning_tokens);
    lens_write(&o->w, "}");
}

static void
write_tail(struct lens_mock_out *o)
{
    lens_write(&o->w, ",\"modelVersion\":\"");
    lens_write(&o->w, o->turn->model);
    lens_write(&o->w, "\",\"responseId\":");
    lens_mock_id(o, "");
    lens_write(&o->w, "}");
}

/* Framing: an event of its own, an element of the array, or nothing. */
static void
open_message(struct lens_mock_out *o)
{
    if (o->turn->stream && o->turn->api == API_SSE)
        lens_write(&o->w, "data: ");
    else if (o->turn->stream)
        lens_write(&o->w, o->turn->scratch[ELEMENTS]++ > 0 ? ",\r\n" : "[");
}

static void
close_message(struct lens_mock_out *o)
{
    if (o->turn->stream)
        lens_write(&o->w, o->turn->api == API_SSE ? "\r\n\r\n" : "\n");
}

static void
write_text_part(struct lens_mock_out *o, struct lens_bytes text, bool thought)
{
    lens_write(&o->w, "{\"text\":");
    lens_mock_string(o, text);
    lens_write(&o->w, thought ? ",\"thought\":true}" : "}");
}

static void
write_call(struct lens_mock_out *o)
{
    lens_write(&o->w, "{\"functionCall\":{\"name\":");
    lens_mock_string(o, o->step->name);
    lens_write(&o->w, ",\"args\":");
    if (lens_is_object(o->step->arguments))
        lens_write_bytes(&o->w, o->step->arguments.data, o->step->arguments.size);
    else
        lens_write(&o->w, "{}"); /* cut by the limit */
    lens_write(&o->w, "}}");
}

static const char *
reason_of(struct lens_bytes finish)
{
    return lens_mock_finish_is(finish, "length") ? "MAX_TOKENS" : "STOP";
}

static void
write_fragment(struct lens_mock_out *o, struct lens_bytes text)
{
    open_message(o);
    lens_write(&o->w, "{\"candidates\":[{\"content\":{\"parts\":[");
    write_text_part(o, text, o->step->kind == LENS_STEP_REASONING);
    lens_write(&o->w, "],\"role\":\"model\"},\"index\":0}]");
    write_usage(o);
    write_tail(o);
    close_message(o);
}

/* A call comes whole: its pieces wait for the end. */
static void
write_end(struct lens_mock_out *o)
{
    const bool call = o->step->name.size > 0;

    open_message(o);
    lens_write(&o->w, "{\"candidates\":[{\"content\":{\"parts\":[");
    if (call)
        write_call(o);
    else
        write_text_part(o, (struct lens_bytes){ "", 0 }, false);
    lens_write(&o->w, "],\"role\":\"model\"},\"finishReason\":\"");
    lens_write(&o->w, reason_of(o->step->finish));
    lens_write(&o->w, "\",\"index\":0}]");
    write_usage(o);
    write_tail(o);
    close_message(o);
    if (o->turn->api == API_ARRAY)
        lens_write(&o->w, "]");
}

static void
write_whole(struct lens_mock_out *o)
{
    const struct lens_mock_step *s = o->step;
    bool first = true;

    lens_write(&o->w, "{\"candidates\":[{\"content\":{\"parts\":[");
    if (s->reasoning.size > 0) {
        write_text_part(o, s->reasoning, true);
        first = false;
    }
    if (s->text.size > 0) {
        lens_write(&o->w, first ? "" : ",");
        write_text_part(o, s->text, false);
        first = false;
    }
    if (s->name.size > 0) {
        lens_write(&o->w, first ? "" : ",");
        write_call(o);
    }
    lens_write(&o->w, "],\"role\":\"model\"},\"finishReason\":\"");
    lens_write(&o->w, reason_of(s->finish));
    lens_write(&o->w, "\",\"index\":0}]");
    write_usage(o);
    write_tail(o);
}

/* ---- errors ---- */

static const struct {
    uint32_t kind;
    int32_t status;
    const char *name;
} statuses[] = {
    { LENS_KIND_RATE_LIMIT, 429, "RESOURCE_EXHAUSTED" },
    { LENS_KIND_QUOTA, 429, "RESOURCE_EXHAUSTED" },
    { LENS_KIND_OVERLOADED, 503, "UNAVAILABLE" },
    { LENS_KIND_TIMEOUT, 504, "DEADLINE_EXCEEDED" },
    { LENS_KIND_AUTH, 401, "UNAUTHENTICATED" },
    { LENS_KIND_PERMISSION, 403, "PERMISSION_DENIED" },
    { LENS_KIND_NOT_FOUND, 404, "NOT_FOUND" },
    { LENS_KIND_INVALID_REQUEST, 400, "INVALID_ARGUMENT" },
    { LENS_KIND_CONTEXT_LENGTH, 400, "INVALID_ARGUMENT" },
    { LENS_KIND_SERVER, 500, "INTERNAL" },
};

static void
write_error(struct lens_mock_out *o)
{
    const struct lens_mock_step *s = o->step;
    size_t at = sizeof statuses / sizeof statuses[0] - 1;

    for (size_t i = 0; i < at; i++)
        if (statuses[i].kind == s->error_kind)
            at = i;
    lens_mock_number(
        o, "{\"error\":{\"code\":", s->status >= 400 ? s->status : statuses[at].status);
    lens_write(&o->w, ",\"message\":");
    lens_mock_string(o, s->text);
    lens_write(&o->w, ",\"status\":\"");
    lens_write(&o->w, statuses[at].name);
    lens_write(&o->w, "\"");
    if (s->error_kind == LENS_KIND_RATE_LIMIT)
        lens_write(&o->w, ",\"details\":[{\"@type\":\"type.googleapis.com/"
                          "google.rpc.RetryInfo\",\"retryDelay\":\"1s\"}]");
    lens_write(&o->w, "}}");
}

/* Before the first element the error opens the array, too. */
static void
write_stream_error(struct lens_mock_out *o)
{
    open_message(o);
    write_error(o);
    close_message(o);
    if (o->turn->api == API_ARRAY)
        lens_write(&o->w, "]");
}

static void
write_models(struct lens_mock_out *o)
{
    lens_write(&o->w, "{\"models\":[{\"name\":\"models/");
    lens_write_bytes(&o->w, o->step->text.data, o->step->text.size);
    lens_write(&o->w, "\",\"displayName\":\"mock\",\"supportedGenerationMethods\":"
                      "[\"generateContent\",\"countTokens\"]}]}");
}

static void
write_side_call(struct lens_mock_out *o)
{
    if (o->turn->scratch[METHOD] == METHOD_COUNT) {
        lens_mock_number(o, "{\"totalTokens\":", o->step->input_tokens);
        lens_write(&o->w, "}");
    } else {
        lens_write(&o->w, "{\"embedding\":{\"values\":[0.1,0.2,0.3]}");
        lens_mock_number(
            o, ",\"usageMetadata\":{\"promptTokenCount\":", o->step->input_tokens);
        lens_mock_number(o, ",\"totalTokenCount\":", o->step->input_tokens);
        lens_write(&o->w, "}}");
    }
}

static lens_status
encode(struct lens_mock_turn *turn, const struct lens_mock_step *step,
       struct lens_buffer *buffer, lens_mock_append_fn append)
{
    struct lens_mock_out o;

    lens_mock_out_begin(&o, turn, step, buffer, append);
    switch (step->kind) {
    case LENS_STEP_BEGIN:
        turn->scratch[ELEMENTS] = 0;
        break;
    case LENS_STEP_REASONING:
    case LENS_STEP_TEXT:
        write_fragment(&o, step->text);
        break;
    case LENS_STEP_TOOL: /* comes whole, at the end */
        write_fragment(&o, (struct lens_bytes){ "", 0 });
        break;
    case LENS_STEP_FINISH:
        write_end(&o);
        break;
    case LENS_STEP_WHOLE:
        if (turn->scratch[METHOD] == METHOD_GENERATE)
            write_whole(&o);
        else
            write_side_call(&o);
        break;
    case LENS_STEP_ERROR:
        write_stream_error(&o);
        break;
    case LENS_STEP_REFUSED:
        write_error(&o);
        break;
    case LENS_STEP_MODELS:
        write_models(&o);
        break;
    default:
        break;
    }
    return lens_write_end(&o.w);
}

const struct lens_mock gemini_mock = {
    .struct_size = sizeof gemini_mock,
    .recognise = recognise,
    .encode = encode,
};
