/* calls: side calls, and what a failed answer says. */
#include <stdlib.h>
#include <string.h>

#include "anthropic.h"
#include "sdk/auth.h"
#include "sdk/emit.h"
#include "sdk/members.h"
#include "sdk/models.h"
#include "sdk/request.h"
#include "sdk/text.h"
#include "sdk/write.h"

lens_status
anthropic_classify(void *self, const struct lens_answer *a, struct lens_sink *sink)
{
    (void)self;
    return lens_emit_refusal(sink, a);
}

static lens_status
describe_models(const struct provider *p, const struct lens_call *call, const char *tail,
                struct lens_request *r)
{
    char *url;
    lens_status st;

    if (p->platform != PLATFORM_ANTHROPIC)
        return LENS_E_UNSUPPORTED;
    url = url_join(p, p->query[0] == '\0' ? tail : "/models");
    if (url == NULL)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    st = lens_request_get(p->host, url, NULL, r);
    free(url);
    return st == LENS_OK ? describe_identity(p, call->credential, r) : st;
}

/* ---- counting ---- */

static lens_status
put(void *to, const void *data, size_t size)
{
    struct lens_text *t = to;

    return lens_text_put(t, data, size);
}

/* A message of a chat body: role and content stay; what the system says goes to `system`.
 */
static void
sort_message(struct lens_json *j, struct lens_writer *system,
             struct lens_writer *messages)
{
    struct lens_json_string role = { 0 };
    struct lens_bytes key, content = { 0 };
    struct lens_key_room room;
    struct lens_writer *w;
    bool instruction;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "role"))
            lens_read_string(j, &role);
        else if (LENS_KEY(key, "content"))
            lens_read_raw(j, &content);
        else
            lens_json_skip(j);
    }
    if (content.size == 0)
        return;
    instruction = LENS_KEY(role.raw, "system") || LENS_KEY(role.raw, "developer");
    w = instruction ? system : messages;
    lens_write(w, ",");
    if (instruction)
        lens_write(w, "{\"type\":\"text\",\"text\":");
    else
        lens_write(w, LENS_KEY(role.raw, "assistant")
                          ? "{\"role\":\"assistant\",\"content\":"
                          : "{\"role\":\"user\",\"content\":");
    lens_write_bytes(w, content.data, content.size);
    lens_write(w, "}");
}

/* Everything behind the comma that starts the list. */
static struct lens_bytes
list_of(const struct lens_text *t)
{
    const struct lens_bytes all = lens_text_bytes(t);

    return all.size == 0 ? all : (struct lens_bytes){ all.data + 1, all.size - 1 };
}

static lens_status
put_count_body(const struct provider *p, const struct lens_call *call,
               const struct lens_text *system, const struct lens_text *messages,
               struct lens_request *r)
{
    const struct lens_bytes instructions = list_of(system), turns = list_of(messages);
    struct lens_text body = { 0 };
    struct lens_json_string model = { { call->model.data, call->model.size }, 0 };
    struct lens_writer w;
    struct lens_json j;
    lens_status st;

    lens_write_begin(&w, &body, put);
    lens_write(&w, "{\"model\":");
    if (lens_json_find(call->args.data, call->args.size, "model", &j) &&
        lens_json_string(&j, &model)) {
        lens_write(&w, "\"");
        lens_write_bytes(&w, model.raw.data, model.raw.size);
        lens_write(&w, "\"");
    } else {
        lens_write_string(&w, call->model.data, call->model.size);
    }
    if (instructions.size > 0) {
        lens_write(&w, ",\"system\":[");
        lens_write_bytes(&w, instructions.data, instructions.size);
        lens_write(&w, "]");
    }
    lens_write(&w, ",\"messages\":[");
    lens_write_bytes(&w, turns.data, turns.size);
    lens_write(&w, "]}");
    st = lens_write_end(&w);
    if (st == LENS_OK)
        st = p->host->req_body(r, body.data, body.size);
    lens_text_clear(&body);
    return st;
}

static lens_status
write_count_body(const struct provider *p, const struct lens_call *call,
                 struct lens_request *r)
{
    struct lens_text system = { 0 }, messages = { 0 };
    struct lens_writer to_system, to_messages;
    struct lens_json j;
    lens_status st;

    if (!lens_json_find(call->args.data, call->args.size, "messages", &j))
        return p->host->fail(p->host, LENS_E_CONFIG, "nothing to count: no messages");
    lens_write_begin(&to_system, &system, put);
    lens_write_begin(&to_messages, &messages, put);
    for (lens_json_array(&j); lens_json_element(&j);)
        sort_message(&j, &to_system, &to_messages);
    st = lens_write_end(&to_system);
    if (st == LENS_OK)
        st = lens_write_end(&to_messages);
    if (st == LENS_OK)
        st = put_count_body(p, call, &system, &messages, r);
    lens_text_clear(&system);
    lens_text_clear(&messages);
    return st;
}

static lens_status
describe_count(const struct provider *p, const struct lens_call *call,
               struct lens_request *r)
{
    const struct lens_bytes counter = { "count-tokens", 12 };
    char *url = p->platform == PLATFORM_VERTEX
                    ? url_vertex_call(p, counter, ":rawPredict")
                    : url_join(p, "/messages/count_tokens");
    lens_status st;

    if (url == NULL)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    st = p->host->req_line(r, "POST", url);
    free(url);
    if (st == LENS_OK)
        st = p->host->req_header(r, "Content-Type", "application/json", 0);
    if (st == LENS_OK)
        st = describe_identity(p, call->credential, r);
    return st == LENS_OK ? write_count_body(p, call, r) : st;
}

lens_status
anthropic_call_describe(void *self, const struct lens_call *call, struct lens_request *r)
{
    const struct provider *p = self;

    switch (call->kind) {
    case LENS_CALL_MODELS:
        return describe_models(p, call, "/models?limit=1000", r);
    case LENS_CALL_HEALTH:
        return describe_models(p, call, "/models?limit=1", r);
    case LENS_CALL_COUNT:
        return describe_count(p, call, r);
    case LENS_CALL_AUTH:
        return lens_auth_describe(p->auth, call, r);
    default:
        return LENS_E_UNSUPPORTED;
    }
}

static lens_status
decode_count(const struct provider *p, const struct lens_answer *a,
             struct lens_sink *sink)
{
    struct lens_json j;
    int64_t tokens;

    if (!lens_json_find(a->body.data, a->body.size, "input_tokens", &j) ||
        !lens_json_int(&j, &tokens) || tokens < 0)
        return p->host->fail(p->host, LENS_E_PROTOCOL,
                             "the answer to count_tokens has no input_tokens");
    return lens_emit_usage(sink, LENS_USAGE_INPUT, tokens);
}

lens_status
anthropic_call_decode(void *self, uint32_t kind, const struct lens_answer *a,
                      struct lens_sink *sink)
{
    const struct provider *p = self;
    const bool good = a->status >= 200 && a->status <= 299;
    lens_status st;

    if (kind == LENS_CALL_AUTH)
        return lens_auth_decode(p->auth, a, sink);
    if (kind != LENS_CALL_MODELS && kind != LENS_CALL_HEALTH && kind != LENS_CALL_COUNT)
        return LENS_E_UNSUPPORTED;
    if (!good)
        return anthropic_classify(self, a, sink);
    if (kind == LENS_CALL_COUNT)
        return decode_count(p, a, sink);
    if (kind == LENS_CALL_HEALTH)
        return LENS_OK;
    st = lens_emit_models(sink, a->body, "data", "id");
    return st == LENS_E_PROTOCOL
               ? p->host->fail(p->host, st,
                               "the model list is not JSON with a list in \"data\"")
               : st;
}
