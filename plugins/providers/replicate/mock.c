/* mock: how `lens mock` speaks predictions. Nothing is kept between requests: what the
 * stream has to know stands in its address. */
#include <stdlib.h>
#include <string.h>

#include "replicate.h"
#include "sdk/failure.h"
#include "sdk/members.h"
#include "sdk/mock-kit.h"

/* scratch[WHAT]: what a request is that gets its answer at once, as a list of models
 * does; scratch[HOST]...: the Host header, where it fits. */
enum { WHAT = 0, PRINTED = 1, OUTPUT = 2, HOST = 3 };
enum { LIST = 0, CREATE, GET };
enum { HOST_ROOM = (8 - HOST) * sizeof(uint64_t) };

/* ---- recognising ---- */

static void
read_input(struct lens_json *j, struct lens_mock_turn *turn, int *limit)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "prompt"))
            lens_mock_read_prompt(j, turn);
        else if (LENS_KEY(key, "max_tokens") || LENS_KEY(key, "max_new_tokens"))
            *limit = lens_mock_read_limit(j, turn);
        else
            lens_json_skip(j);
    }
}

static int
read_request(struct lens_bytes body, struct lens_mock_turn *turn, int *input, int *limit)
{
    struct lens_json j;
    struct lens_bytes key;
    struct lens_key_room room;
    int32_t value;

    lens_json_begin(&j, body.data, body.size);
    if (!lens_read_object(&j))
        return 0;
    while (lens_read_member(&j, &key, &room)) {
        if (LENS_KEY(key, "version")) {
            lens_mock_read_model(&j, turn);
        } else if (LENS_KEY(key, "input")) {
            *input = lens_json_peek(&j) == LENS_JSON_OBJECT;
            read_input(&j, turn, limit);
        } else if (LENS_KEY(key, "stream")) {
            turn->stream = lens_json_bool(&j, &value) && value;
        } else {
            lens_json_skip(&j);
        }
    }
    return lens_json_end(&j);
}

/* The model in ".../models/OWNER/NAME/predictions". */
static void
take_model(struct lens_bytes path, struct lens_mock_turn *turn)
{
    static const char before[] = "/models/";
    const char *at = memmem(path.data, path.size, before, sizeof before - 1);
    const char *end =
        at == NULL ? NULL
                   : memmem(at, (size_t)(path.data + path.size - at), "/predictions", 12);
    size_t used = 0;

    if (end == NULL)
        return;
    for (at += sizeof before - 1; at < end && used + 1 < sizeof turn->model; at++)
        if (strchr("\"\\%", *at) == NULL && (unsigned char)*at >= 0x20)
            turn->model[used++] = *at;
    turn->model[used] = '\0';
}

static void
keep_host(const struct lens_mock_request *r, struct lens_mock_turn *turn)
{
    const struct lens_bytes host =
        lens_header(r->headers, r->header_count, r->header_size, "host");
    char *room = (char *)&turn->scratch[HOST];

    if (host.size == 0 || host.size >= HOST_ROOM)
        return;
    for (size_t i = 0; i < host.size; i++)
        if (strchr("\"\\/", host.data[i]) != NULL || (unsigned char)host.data[i] < 0x21)
            return;
    memcpy(room, host.data, host.size);
}

static lens_status
create(const struct lens_mock_request *r, struct lens_mock_turn *turn, const char **why)
{
    int input = 0, limit = 1;

    take_model(r->path, turn);
    keep_host(r, turn);
    *why = "the body is not a JSON object";
    if (!read_request(r->body, turn, &input, &limit))
        return LENS_E_PROTOCOL;
    *why = "input is required";
    if (!input)
        return LENS_E_PROTOCOL;
    *why = "max_tokens must be an integer of at least 1";
    if (!limit)
        return LENS_E_PROTOCOL;
    if (turn->stream) {
        turn->api = LENS_MOCK_MODELS;
        turn->scratch[WHAT] = CREATE;
    }
    return LENS_OK;
}

/* A number of an address's query; `otherwise` when it is not there. */
static int64_t
number_in(struct lens_bytes path, const char *name, int64_t otherwise)
{
    const char *at = memmem(path.data, path.size, name, strlen(name));
    int64_t value = 0;
    int digits = 0;

    if (at == NULL)
        return otherwise;
    for (at += strlen(name);
         at < path.data + path.size && *at >= '0' && *at <= '9' && digits < 15; at++) {
        value = value * 10 + (*at - '0');
        digits++;
    }
    return digits > 0 ? value : otherwise;
}

static int
path_has(const struct lens_mock_request *r, const char *part)
{
    return memmem(r->path.data, r->path.size, part, strlen(part)) != NULL;
}

static lens_status
recognise(const struct lens_mock_request *r, struct lens_mock_turn *turn,
          const char **why)
{
    lens_mock_turn_begin(turn, 0);
    turn->usage = 1;
    if (lens_mock_method_is(r, "POST") && lens_mock_path_ends(r, "/predictions"))
        return create(r, turn, why);
    if (!lens_mock_method_is(r, "GET"))
        return LENS_E_UNSUPPORTED;
    if (path_has(r, "/v1/predictions/mock/stream?")) {
        turn->stream = 1;
        turn->input_tokens = number_in(r->path, "in=", 1);
        turn->max_output = number_in(r->path, "max=", -1);
        return LENS_OK;
    }
    if (path_has(r, "/v1/predictions/mock?")) {
        turn->api = LENS_MOCK_MODELS;
        turn->scratch[WHAT] = GET;
        turn->input_tokens = number_in(r->path, "in=", 1);
        turn->max_output = number_in(r->path, "max=", -1);
        return LENS_OK;
    }
    if (lens_mock_path_ends(r, "/v1/account")) {
        turn->api = LENS_MOCK_MODELS;
        return LENS_OK;
    }
    return LENS_E_UNSUPPORTED;
}

/* ---- encoding ---- */

static void
event(struct lens_mock_out *o, const char *name)
{
    lens_write(&o->w, "event: ");
    lens_write(&o->w, name);
    lens_write(&o->w, "\nid: ");
    lens_write_int(&o->w, o->turn->now_s);
    lens_write(&o->w, ":");
    lens_write_int(&o->w, (int64_t)o->turn->scratch[PRINTED]++);
    lens_write(&o->w, "\n");
}

/* Each line of the text is a data line of its own. */
static void
output(struct lens_mock_out *o)
{
    const char *at = o->step->text.data, *end = at + o->step->text.size;

    event(o, "output");
    for (;;) {
        const char *line = at == end ? NULL : memchr(at, '\n', (size_t)(end - at));
        const char *stop = line == NULL ? end : line;

        lens_write(&o->w, "data: ");
        lens_write_bytes(&o->w, at, (size_t)(stop - at));
        lens_write(&o->w, "\n");
        if (line == NULL)
            break;
        at = line + 1;
    }
    lens_write(&o->w, "\n");
}

static void
done(struct lens_mock_out *o)
{
    event(o, "done");
    lens_write(&o->w, "data: {}\n\n");
}

static void
error(struct lens_mock_out *o)
{
    event(o, "error");
    lens_write(&o->w, "data: {\"detail\":");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, "}\n\n");
}

static void
link(struct lens_mock_out *o, const char *name, const char *route)
{
    const char *host = (const char *)&o->turn->scratch[HOST];

    lens_write(&o->w, "\"");
    lens_write(&o->w, name);
    lens_write(&o->w, "\":\"");
    if (*host != '\0') {
        lens_write(&o->w, "http://");
        lens_write(&o->w, host);
    }
    lens_write(&o->w, "/v1/predictions/mock");
    lens_write(&o->w, route);
    lens_write(&o->w, "?in=");
    lens_write_int(&o->w, o->turn->input_tokens);
    if (o->turn->max_output >= 0) {
        lens_write(&o->w, "&max=");
        lens_write_int(&o->w, o->turn->max_output);
    }
    lens_write(&o->w, "\"");
}

static void
begin_prediction(struct lens_mock_out *o, const char *status)
{
    lens_write(&o->w, "{\"id\":");
    lens_mock_id(o, "");
    lens_write(&o->w, ",\"model\":\"");
    lens_write(&o->w, o->turn->model);
    lens_write(&o->w,
               "\",\"version\":\"hidden\",\"error\":null,\"logs\":\"\",\"status\":\"");
    lens_write(&o->w, status);
    lens_write(&o->w, "\"");
}

static void
metrics(struct lens_mock_out *o, int64_t input_tokens, int64_t output_tokens)
{
    lens_mock_number(o, ",\"metrics\":{\"input_token_count\":", input_tokens);
    lens_mock_number(o, ",\"output_token_count\":", output_tokens);
    lens_write(&o->w, ",\"predict_time\":0.5}");
}

static void
whole(struct lens_mock_out *o)
{
    begin_prediction(o, "succeeded");
    lens_write(&o->w, ",\"output\":[");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, "]");
    metrics(o, o->step->input_tokens, o->step->output_tokens);
    lens_write(&o->w, "}");
}

static void
fresh(struct lens_mock_out *o)
{
    begin_prediction(o, "starting");
    lens_write(&o->w, ",\"output\":null,\"urls\":{");
    link(o, "get", "");
    lens_write(&o->w, ",");
    link(o, "stream", "/stream");
    lens_write(&o->w, "}}");
}

/* How much the stream said is not kept: what it was allowed to say stands for it. */
static void
finished(struct lens_mock_out *o)
{
    begin_prediction(o, "succeeded");
    lens_write(&o->w, ",\"output\":null");
    metrics(o, o->turn->input_tokens, o->turn->max_output < 0 ? 32 : o->turn->max_output);
    lens_write(&o->w, "}");
}

static void
at_once(struct lens_mock_out *o)
{
    if (o->turn->scratch[WHAT] == CREATE) {
        fresh(o);
    } else if (o->turn->scratch[WHAT] == GET) {
        finished(o);
    } else {
        lens_write(&o->w, "{\"type\":\"user\",\"username\":\"mock\",\"name\":");
        lens_mock_string(o, o->step->text);
        lens_write(&o->w, "}");
    }
}

static void
refusal(struct lens_mock_out *o)
{
    lens_write(&o->w, "{\"title\":\"Error\",\"status\":");
    lens_write_int(&o->w, o->step->status);
    lens_write(&o->w, ",\"detail\":");
    lens_mock_string(o, o->step->text);
    lens_write(&o->w, "}");
}

static lens_status
encode(struct lens_mock_turn *turn, const struct lens_mock_step *step,
       struct lens_buffer *buffer, lens_mock_append_fn append)
{
    static void (*const steps[])(struct lens_mock_out *) = {
        [LENS_STEP_TEXT] = output,     [LENS_STEP_FINISH] = done,
        [LENS_STEP_ERROR] = error,     [LENS_STEP_WHOLE] = whole,
        [LENS_STEP_REFUSED] = refusal, [LENS_STEP_MODELS] = at_once,
    };
    struct lens_mock_out o;

    lens_mock_out_begin(&o, turn, step, buffer, append);
    if (step->kind < sizeof steps / sizeof steps[0] && steps[step->kind] != NULL)
        steps[step->kind](&o);
    return lens_write_end(&o.w);
}

const struct lens_mock replicate_mock = {
    .struct_size = sizeof replicate_mock,
    .recognise = recognise,
    .encode = encode,
};
