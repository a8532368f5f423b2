/* What a provider asks, and its mock on the other side of it. */
#include <stdlib.h>
#include <string.h>

#include "harness-private.h"
#include "json.h"

static struct lens_bytes
bytes(const char *text)
{
    struct lens_bytes b = { text, strlen(text) };

    return b;
}

int
lens_harness_describe(struct lens_harness *h, const struct lens_provider *p, void *self,
                      uint32_t api, int32_t streamed)
{
    const struct lens_part part = { .kind = LENS_PART_TEXT,
                                    .data = bytes("say \"hi\" \xc3\xa9\n") };
    const struct lens_turn turn = { .role = LENS_ROLE_USER,
                                    .parts = &part,
                                    .part_count = 1,
                                    .part_size = (uint32_t)sizeof part };
    const struct lens_bytes stop = bytes("\n\n");
    struct lens_request request = { h };
    struct lens_json j;
    const struct lens_api *described =
        (const void *)((const char *)p->apis + (size_t)api * p->api_size);
    const struct lens_ask ask = {
        .struct_size = (uint32_t)sizeof ask,
        .flags = streamed ? LENS_ASK_STREAM : 0,
        .id = 7,
        .task = described->task,
        .set =
            LENS_SET_TEMPERATURE | LENS_SET_TOP_P | LENS_SET_SEED | LENS_SET_MAX_OUTPUT,
        .model = bytes("model-x"),
        .turns = &turn,
        .turn_count = 1,
        .turn_size = (uint32_t)sizeof turn,
        .temperature = 0.7,
        .top_p = 0.9,
        .seed = 42,
        .max_output = 64,
        .stop = &stop,
        .stop_count = 1,
        .stop_size = (uint32_t)sizeof stop,
        .header_size = (uint32_t)sizeof(struct lens_pair),
        .unix_ns = INT64_C(1700000000000000000),
    };

    lens_harness_forget(h);
    if (!lens_harness_settle(h, "describe", p->describe(self, &ask, &request)))
        return 0;
    if (h->method.size == 0 || strncmp(h->url.data, "http", 4) != 0)
        return lens_harness_problem(h, "describe gives no request line: `%s %s`",
                                    h->method.data, h->url.data);
    if (h->body.size > 0 && (h->body.data[0] == '{' || h->body.data[0] == '[')) {
        lens_json_begin(&j, h->body.data, h->body.size);
        if (!lens_json_skip(&j) || !lens_json_end(&j))
            return lens_harness_problem(h, "describe writes a body that is not JSON: %s",
                                        h->body.data);
    }
    return h->problem[0] == '\0';
}

/* ---- the mock ---- */

/* "Name: value" lines as pairs; returns how many. */
static uint32_t
split_headers(const char *text, struct lens_pair *ret, uint32_t room)
{
    uint32_t count = 0;

    while (*text != '\0' && count < room) {
        const size_t line = strcspn(text, "\n"), name = strcspn(text, ":");

        ret[count].name.data = text;
        ret[count].name.size = name;
        ret[count].value.data = text + name + 2;
        ret[count++].value.size = line - name - 2;
        text += line + 1;
    }
    return count;
}

static int
recognise(struct lens_harness *h, const struct lens_mock *mock, const char *method,
          struct lens_mock_turn *turn)
{
    const char *host = strstr(h->url.data, "://");
    const char *path = host != NULL ? strchr(host + 3, '/') : NULL;
    struct lens_pair headers[64];
    const char *why = NULL;
    lens_status st;
    const struct lens_mock_request request = {
        .struct_size = (uint32_t)sizeof request,
        .method = bytes(method),
        .path = bytes(path != NULL ? path : "/"),
        .headers = headers,
        .header_count = split_headers(h->headers.data, headers, 64),
        .header_size = (uint32_t)sizeof headers[0],
        .body = { h->body.data, h->body.size },
    };

    memset(turn, 0, sizeof *turn);
    turn->struct_size = (uint32_t)sizeof *turn;
    turn->now_s = 1700000000;
    turn->id = 7;
    st = mock->recognise(&request, turn, &why);
    if (st == LENS_E_PROTOCOL)
        return lens_harness_problem(h, "mock: recognise calls its own request wrong: %s",
                                    why != NULL ? why : "without a reason");
    if (st < 0)
        return lens_harness_problem(h, "mock: recognise does not know its own request");
    return 1;
}

struct encoder {
    struct lens_harness *harness;
    const struct lens_mock *mock;
    struct lens_mock_turn *turn;
    struct lens_buffer buffer;
};

static int
encode(struct encoder *e, uint32_t kind, const char *text)
{
    struct lens_mock_step step = {
        .struct_size = (uint32_t)sizeof step,
        .kind = kind,
        .text = bytes(text),
        .error_kind = LENS_KIND_RATE_LIMIT,
        .status = 429,
        .input_tokens = 9,
        .output_tokens = 3,
        .finish = bytes("stop"),
    };
    const lens_status st =
        e->mock->encode(e->turn, &step, &e->buffer, e->harness->host.append);

    if (e->harness->injected != NULL)
        return lens_harness_settle(e->harness, "mock encode", st);
    return st >= 0 || lens_harness_problem(
                          e->harness, "mock: encode of step %u returns %d", kind, st);
}

static int
answer_is(struct lens_harness *h, const char *how, const char *text)
{
    if (h->faults > 0)
        return lens_harness_problem(h, "the mock's %s answer is a fault:\n%s", how,
                                    h->events.data);
    if (strcmp(h->answer.data, text) != 0)
        return lens_harness_problem(h, "the mock's %s answer reads `%s`, expected `%s`",
                                    how, h->answer.data, text);
    if (text[0] != '\0' && h->output_tokens >= 0 && h->output_tokens != 3)
        return lens_harness_problem(h, "the mock's %s answer has %lld tokens, expected 3",
                                    how, (long long)h->output_tokens);
    return 1;
}

/* Reads the answer that names where the stream is, and asks for that. */
static int
follow(struct lens_harness *h, const struct lens_provider *p, void *self,
       struct lens_sheet *first)
{
    const struct lens_head head = { .struct_size = (uint32_t)sizeof head,
                                    .status = 200,
                                    .content_type = bytes("application/json"),
                                    .header_size = (uint32_t)sizeof(struct lens_pair) };
    struct lens_sink *sink = lens_harness_sink(h, LENS_WANT_CONTENT);
    struct lens_call call = { .struct_size = (uint32_t)sizeof call,
                              .kind = LENS_CALL_FOLLOW_UP };
    struct lens_request request = { h };
    struct lens_sheet args = { 0 };
    void *stream = NULL;
    int ok;

    lens_harness_forget(h);
    ok = lens_harness_settle(h, "stream_open", p->stream_open(self, 1, &stream)) &&
         (p->head == NULL ||
          lens_harness_settle(h, "head", p->head(stream, &head, sink))) &&
         lens_harness_settle(h, "decode",
                             p->decode(stream, first->data, first->size, sink));
    if (stream != NULL)
        p->stream_close(stream);
    if (ok && (h->follow_up.size == 0 || p->call_describe == NULL))
        ok = lens_harness_problem(h, "the mock's first answer names no stream: %s",
                                  first->data);
    if (ok && p->call_describe != NULL) {
        lens_sheet_add(&args, h->follow_up.data, h->follow_up.size);
        lens_harness_forget(h);
        call.args = (struct lens_bytes){ args.data, args.size };
        ok = lens_harness_settle(h, "call_describe",
                                 p->call_describe(self, &call, &request));
    }
    lens_sheet_clear(&args);
    return ok;
}

/* A request may get its output by a second one: what answers the first is told at once,
 * like a list of models. */
static int
recognise_stream(struct lens_harness *h, const struct lens_provider *p, void *self,
                 struct encoder *e)
{
    struct lens_sheet *stream = e->buffer.text, first = { 0 };
    int ok = recognise(h, e->mock, h->method.data, e->turn);

    if (ok && e->turn->api == LENS_MOCK_MODELS) {
        e->buffer.text = &first;
        ok = encode(e, LENS_STEP_MODELS, "model-x") && follow(h, p, self, &first) &&
             recognise(h, e->mock, h->method.data, e->turn);
        e->buffer.text = stream;
        lens_sheet_clear(&first);
    }
    return ok;
}

/* The streamed answer, and the same broken off by an in-band error. */
static int
mock_streams(struct lens_harness *h, const struct lens_provider *p, void *self,
             struct encoder *e, struct lens_harness_answer *answer)
{
    static const char *const fragments[] = { "Hel", "lo \"\xc3\xa9", "\"\n!" };
    int ok = encode(e, LENS_STEP_BEGIN, "");

    for (int i = 0; ok && i < 3; i++)
        ok = encode(e, LENS_STEP_TEXT, fragments[i]);
    ok = ok && encode(e, LENS_STEP_FINISH, "stop");
    answer->body = e->buffer.text->data;
    answer->size = e->buffer.text->size;
    return ok &&
           lens_harness_decode(h, p, self, answer, answer->size, 0, LENS_WANT_CONTENT) &&
           answer_is(h, "streamed", "Hello \"\xc3\xa9\"\n!");
}

static int
mock_error(struct lens_harness *h, const struct lens_provider *p, void *self,
           struct encoder *e, struct lens_harness_answer *answer)
{
    struct lens_sheet text = { 0 };
    int ok;

    e->buffer.text = &text;
    ok = encode(e, LENS_STEP_BEGIN, "") && encode(e, LENS_STEP_TEXT, "Hel") &&
         encode(e, LENS_STEP_ERROR, "slow down");
    answer->body = text.data;
    answer->size = text.size;
    ok = ok && lens_harness_decode(h, p, self, answer, text.size, 0, LENS_WANT_CONTENT);
    if (ok && h->fault_class != LENS_CLASS_STREAM_ERROR)
        ok = lens_harness_problem(h, "an error in the mock's stream is class %u, not %d",
                                  h->fault_class, LENS_CLASS_STREAM_ERROR);
    e->buffer.text = NULL;
    lens_sheet_clear(&text);
    return ok;
}

/* Vectors and ranks hold no text. */
static int
generates_text(const struct lens_provider *p, uint32_t api)
{
    const struct lens_api *described =
        (const void *)((const char *)p->apis + (size_t)api * p->api_size);

    return described->task != LENS_TASK_EMBEDDING && described->task != LENS_TASK_RERANK;
}

static int
mock_whole(struct lens_harness *h, const struct lens_provider *p, void *self,
           uint32_t api, struct encoder *e)
{
    struct lens_harness_answer answer = { .status = 200,
                                          .content_type = "application/json" };
    struct lens_sheet text = { 0 };
    int ok;

    e->buffer.text = &text;
    ok = lens_harness_describe(h, p, self, api, 0) &&
         recognise(h, e->mock, h->method.data, e->turn) &&
         encode(e, LENS_STEP_WHOLE, "Hello");
    if (ok && e->turn->stream)
        ok = lens_harness_problem(h, "mock: a request without stream is taken for one");
    answer.body = text.data;
    answer.size = text.size;
    ok = ok &&
         lens_harness_decode(h, p, self, &answer, text.size, 0, LENS_WANT_CONTENT) &&
         answer_is(h, "whole", generates_text(p, api) ? "Hello" : "");
    e->buffer.text = NULL;
    lens_sheet_clear(&text);
    return ok;
}

static int
mock_refused(struct lens_harness *h, const struct lens_provider *p, void *self,
             struct encoder *e)
{
    struct lens_answer answer = { .struct_size = (uint32_t)sizeof answer,
                                  .status = 429,
                                  .header_size = (uint32_t)sizeof(struct lens_pair) };
    struct lens_sheet text = { 0 };
    int ok;

    e->buffer.text = &text;
    ok = encode(e, LENS_STEP_REFUSED, "slow down");
    answer.body.data = text.data;
    answer.body.size = text.size;
    if (ok) {
        lens_harness_forget(h);
        ok = lens_harness_settle(
            h, "classify",
            p->classify(self, &answer, lens_harness_sink(h, LENS_WANT_CONTENT)));
    }
    if (ok && h->fault_kind != LENS_KIND_RATE_LIMIT)
        ok = lens_harness_problem(h, "the mock's 429 is classified as kind %u, not %d",
                                  h->fault_kind, LENS_KIND_RATE_LIMIT);
    e->buffer.text = NULL;
    lens_sheet_clear(&text);
    return ok;
}

int
lens_harness_mock(struct lens_harness *h, const struct lens_provider *p, void *self,
                  uint32_t api, struct lens_sheet *ret_stream)
{
    const struct lens_api *described =
        (const void *)((const char *)p->apis + (size_t)api * p->api_size);
    const int32_t streamed = (described->flags & LENS_API_NO_STREAM) == 0;
    struct lens_mock_turn turn;
    struct encoder e = { h, p->mock, &turn, { h, ret_stream } };
    struct lens_harness_answer answer = { .streamed = 1,
                                          .status = 200,
                                          .content_type = described->content_type };

    if (streamed) {
        if (!lens_harness_describe(h, p, self, api, 1) ||
            !recognise_stream(h, p, self, &e))
            return 0;
        if (turn.api != api)
            return lens_harness_problem(
                h, "mock: recognise takes its own request for api %u, it is %u", turn.api,
                api);
        if (!turn.stream)
            return lens_harness_problem(h, "mock: a request for a stream is not seen");
        if (!mock_streams(h, p, self, &e, &answer) ||
            !mock_error(h, p, self, &e, &answer))
            return 0;
    }
    return mock_whole(h, p, self, api, &e) && mock_refused(h, p, self, &e);
}
