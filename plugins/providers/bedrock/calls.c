/* calls: side calls: the list of models, counting a prompt, the health of the service,
 * and credentials. */
#include "bedrock.h"
#include "sdk/emit.h"

/* ---- counting ---- */

/* A chat message's text as a content block: a string, or parts with a text each. */
static void
write_content(struct lens_writer *w, struct lens_bytes content)
{
    struct lens_json_string text;
    struct lens_bytes key;
    struct lens_key_room room;
    struct lens_json j;
    unsigned count = 0;

    lens_json_begin(&j, content.data, content.size);
    if (lens_json_peek(&j) == LENS_JSON_STRING) {
        lens_write(w, "{\"text\":");
        lens_write_bytes(w, content.data, content.size);
        lens_write(w, "}");
        return;
    }
    for (lens_json_array(&j); lens_json_element(&j);) {
        text = (struct lens_json_string){ 0 };
        if (!lens_read_object(&j))
            continue;
        while (lens_read_member(&j, &key, &room)) {
            if (LENS_KEY(key, "text"))
                lens_read_string(&j, &text);
            else
                lens_json_skip(&j);
        }
        lens_write(w, count++ > 0 ? ",{\"text\":\"" : "{\"text\":\"");
        lens_write_bytes(w, text.raw.data, text.raw.size);
        lens_write(w, "\"}");
    }
}

static void
write_message(struct lens_writer *w, struct lens_json *j, unsigned *count)
{
    struct lens_json_string role = { 0 };
    struct lens_bytes key, content = { 0 };
    struct lens_key_room room;

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
    lens_write(w, (*count)++ > 0 ? "," : "");
    lens_write(w, LENS_KEY(role.raw, "assistant")
                      ? "{\"role\":\"assistant\",\"content\":["
                      : "{\"role\":\"user\",\"content\":[");
    write_content(w, content);
    lens_write(w, "]}");
}

static void
write_count(struct lens_bytes args, struct lens_text *to)
{
    struct lens_writer w;
    struct lens_json j;
    unsigned count = 0;

    lens_write_begin(&w, to, lens_text_put);
    lens_write(&w, "{\"input\":{\"converse\":{\"messages\":[");
    if (lens_json_find(args.data, args.size, "messages", &j) &&
        lens_json_peek(&j) == LENS_JSON_ARRAY)
        for (lens_json_array(&j); lens_json_element(&j);)
            write_message(&w, &j, &count);
    lens_write(&w, "]}}}");
    lens_write_end(&w);
}

static struct lens_bytes
model_of(const struct lens_call *call)
{
    struct lens_json_string model;
    struct lens_json j;

    if (call->model.size > 0)
        return call->model;
    if (lens_json_find(call->args.data, call->args.size, "model", &j) &&
        lens_json_string(&j, &model))
        return model.raw;
    return (struct lens_bytes){ 0 };
}

static lens_status
describe_count(const struct provider *p, const struct lens_call *call,
               struct lens_request *r)
{
    const struct lens_bytes model = model_of(call);
    struct lens_text path = { 0 }, body = { 0 };
    lens_status st;

    if (model.size == 0)
        return LENS_E_UNSUPPORTED;
    lens_text_add(&path, "/model/");
    lens_text_add_percent(&path, model.data, model.size, "");
    lens_text_add(&path, "/count-tokens");
    write_count(call->args, &body);
    st = path.failed || body.failed
             ? p->host->fail(p->host, LENS_E_NOMEM, "out of memory")
             : describe_call(p, call, path.data, false, lens_text_bytes(&body), r);
    lens_text_clear(&path);
    lens_text_clear(&body);
    return st;
}

/* ---- credentials ---- */

static bool
has_file(const struct lens_host *h, const char *path)
{
    struct lens_bytes content;

    return h->read_file(h, path, &content) == LENS_OK;
}

/* A local server needs no signature, and where nothing says otherwise an instance's
 * metadata is not asked for its sake. */
static bool
may_go_unsigned(const struct provider *p)
{
    static const char *const variables[] = { "AWS_ACCESS_KEY_ID",
                                             "AWS_PROFILE",
                                             "AWS_SHARED_CREDENTIALS_FILE",
                                             "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
                                             "AWS_CONTAINER_CREDENTIALS_FULL_URI",
                                             "AWS_WEB_IDENTITY_TOKEN_FILE",
                                             "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                                             "AWS_CONFIG_FILE" };
    static const char *const named[] = { "profile", "credentials_file",
                                         "credential_process" };
    const struct lens_host *h = p->host;

    if (!p->loopback)
        return false;
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
        if (h->opt_count(h, named[i]) > 0)
            return false;
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++)
        if (h->environment(h, variables[i]) != NULL)
            return false;
    return !has_file(h, "~/.aws/credentials") && !has_file(h, "~/.aws/config");
}

lens_status
bedrock_call_describe(void *self, const struct lens_call *call, struct lens_request *r)
{
    const struct lens_bytes none = { 0 };
    const struct provider *p = self;

    switch (call->kind) {
    case LENS_CALL_MODELS:
    case LENS_CALL_HEALTH:
        return describe_call(p, call, "/foundation-models", true, none, r);
    case LENS_CALL_COUNT:
        return describe_count(p, call, r);
    case LENS_CALL_AUTH:
        if (p->auth != NULL && call->args.size == 0 && may_go_unsigned(p))
            return LENS_E_UNSUPPORTED;
        return lens_auth_describe(p->auth, call, r);
    default:
        return LENS_E_UNSUPPORTED;
    }
}

/* ---- answers ---- */

static lens_status
tell_model(struct lens_sink *sink, const struct lens_json_string *id)
{
    char room[512];
    struct lens_event e = { .struct_size = sizeof e, .kind = LENS_EV_MODEL };

    if (id->raw.size == 0 || id->raw.size > sizeof room)
        return LENS_OK;
    e.text = (struct lens_bytes){ room, lens_json_unescape(id, room) };
    return sink->event(sink, &e);
}

static lens_status
decode_models(const struct provider *p, const struct lens_answer *a,
              struct lens_sink *sink)
{
    struct lens_json_string id;
    struct lens_bytes key;
    struct lens_key_room room;
    struct lens_json j;
    lens_status st = LENS_OK;

    if (!lens_json_find(a->body.data, a->body.size, "modelSummaries", &j))
        return p->host->fail(p->host, LENS_E_PROTOCOL,
                             "the answer holds no modelSummaries");
    for (lens_json_array(&j); lens_json_element(&j);) {
        id = (struct lens_json_string){ 0 };
        if (!lens_read_object(&j))
            continue;
        while (lens_read_member(&j, &key, &room)) {
            if (LENS_KEY(key, "modelId"))
                lens_read_string(&j, &id);
            else
                lens_json_skip(&j);
        }
        if (st == LENS_OK)
            st = tell_model(sink, &id);
    }
    return st;
}

static lens_status
decode_count(const struct provider *p, const struct lens_answer *a,
             struct lens_sink *sink)
{
    struct lens_json j;
    int64_t tokens;

    if (!lens_json_find(a->body.data, a->body.size, "inputTokens", &j) ||
        !lens_json_int(&j, &tokens) || tokens < 0)
        return p->host->fail(p->host, LENS_E_PROTOCOL, "the answer holds no inputTokens");
    return lens_emit_usage(sink, LENS_USAGE_INPUT, tokens);
}

lens_status
bedrock_classify(void *self, const struct lens_answer *a, struct lens_sink *sink)
{
    (void)self;
    return lens_emit_refusal(sink, a);
}

lens_status
bedrock_call_decode(void *self, uint32_t kind, const struct lens_answer *a,
                    struct lens_sink *sink)
{
    const struct provider *p = self;

    if (kind == LENS_CALL_AUTH)
        return lens_auth_decode(p->auth, a, sink);
    if (a->status < 200 || a->status > 299)
        return bedrock_classify(self, a, sink);
    if (kind == LENS_CALL_MODELS)
        return decode_models(p, a, sink);
    if (kind == LENS_CALL_COUNT)
        return decode_count(p, a, sink);
    return kind == LENS_CALL_HEALTH ? LENS_OK : LENS_E_UNSUPPORTED;
}
