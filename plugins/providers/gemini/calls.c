/* calls: side calls: the list of models, counting a prompt, the health of the service,
 * and credentials. */
#include "gemini.h"
#include "sdk/request.h"

static lens_status
describe_models(const struct provider *p, const struct lens_call *call, int page_size,
                struct lens_request *r)
{
    struct lens_text url = { 0 };
    lens_status st;

    url_models(p, page_size, &url);
    st = url.failed ? p->host->fail(p->host, LENS_E_NOMEM, "out of memory")
                    : lens_request_get(p->host, url.data, NULL, r);
    lens_text_clear(&url);
    return st == LENS_OK ? describe_identity(p, call->credential, r) : st;
}

/* ---- counting ---- */

/* The text of a chat message: a string, or parts with a text each. */
static void
write_message_parts(struct lens_writer *w, struct lens_bytes content)
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
        if (text.raw.size == 0)
            continue;
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
    lens_write(w, LENS_KEY(role.raw, "assistant") ? "{\"role\":\"model\",\"parts\":["
                                                  : "{\"role\":\"user\",\"parts\":[");
    write_message_parts(w, content);
    lens_write(w, "]}");
}

struct target {
    const struct provider *provider;
    struct lens_request *request;
};

static lens_status
put_body(void *to, const void *data, size_t size)
{
    const struct target *t = to;

    return t->provider->host->req_body(t->request, data, size);
}

/* A chat body's messages as contents; roles count alike. */
static lens_status
write_count(const struct provider *p, struct lens_bytes args, struct lens_request *r)
{
    struct target t = { p, r };
    struct lens_writer w;
    struct lens_json j;
    unsigned count = 0;

    lens_write_begin(&w, &t, put_body);
    lens_write(&w, "{\"contents\":[");
    if (lens_json_find(args.data, args.size, "messages", &j) &&
        lens_json_peek(&j) == LENS_JSON_ARRAY)
        for (lens_json_array(&j); lens_json_element(&j);)
            write_message(&w, &j, &count);
    lens_write(&w, "]}");
    return lens_write_end(&w);
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
    const struct lens_host *h = p->host;
    const struct lens_bytes model = model_of(call);
    struct lens_text url = { 0 };
    lens_status st;

    if (model.size == 0 || p->whole_url || p->api == API_EMBED)
        return LENS_E_UNSUPPORTED;
    url_method(p, model, "countTokens", false, &url);
    st = url.failed ? h->fail(h, LENS_E_NOMEM, "out of memory")
                    : h->req_line(r, "POST", url.data);
    lens_text_clear(&url);
    if (st == LENS_OK)
        st = h->req_header(r, "Content-Type", "application/json", 0);
    if (st == LENS_OK)
        st = describe_identity(p, call->credential, r);
    return st == LENS_OK ? write_count(p, call->args, r) : st;
}

lens_status
gemini_call_describe(void *self, const struct lens_call *call, struct lens_request *r)
{
    const struct provider *p = self;

    switch (call->kind) {
    case LENS_CALL_MODELS:
        return describe_models(p, call, 1000, r);
    case LENS_CALL_HEALTH:
        return describe_models(p, call, 1, r);
    case LENS_CALL_COUNT:
        return describe_count(p, call, r);
    case LENS_CALL_AUTH:
        return lens_auth_describe(p->auth, call, r);
    default:
        return LENS_E_UNSUPPORTED;
    }
}

/* ---- answers ---- */

/* `models/gemini-x` and `publishers/google/models/gemini-x` are called gemini-x. */
static lens_status
tell_model(struct lens_sink *sink, const struct lens_json_string *name)
{
    static const char folder[] = "models/";
    char room[512];
    struct lens_event e = { .struct_size = sizeof e, .kind = LENS_EV_MODEL };
    const char *at;

    if (name->raw.size == 0 || name->raw.size > sizeof room)
        return LENS_OK;
    e.text = (struct lens_bytes){ room, lens_json_unescape(name, room) };
    at = memmem(e.text.data, e.text.size, folder, sizeof folder - 1);
    if (at != NULL) {
        e.text.size -= (size_t)(at + sizeof folder - 1 - e.text.data);
        e.text.data = at + sizeof folder - 1;
    }
    return sink->event(sink, &e);
}

static lens_status
decode_models(const struct provider *p, const struct lens_answer *a,
              struct lens_sink *sink)
{
    struct lens_json_string name;
    struct lens_bytes key;
    struct lens_key_room room;
    struct lens_json j;
    lens_status st = LENS_OK;

    if (!lens_json_find(a->body.data, a->body.size, "models", &j) &&
        !lens_json_find(a->body.data, a->body.size, "publisherModels", &j))
        return p->host->fail(p->host, LENS_E_PROTOCOL,
                             "the answer holds no list of models");
    for (lens_json_array(&j); lens_json_element(&j);) {
        name = (struct lens_json_string){ 0 };
        if (!lens_read_object(&j))
            continue;
        while (lens_read_member(&j, &key, &room)) {
            if (LENS_KEY(key, "name"))
                lens_read_string(&j, &name);
            else
                lens_json_skip(&j);
        }
        if (st == LENS_OK)
            st = tell_model(sink, &name);
    }
    return st;
}

static lens_status
decode_count(const struct provider *p, const struct lens_answer *a,
             struct lens_sink *sink)
{
    struct lens_event e = { .struct_size = sizeof e,
                            .kind = LENS_EV_USAGE,
                            .code = LENS_USAGE_INPUT };
    struct lens_json j;

    if (!lens_json_find(a->body.data, a->body.size, "totalTokens", &j) ||
        !lens_json_int(&j, &e.value) || e.value < 0)
        return p->host->fail(p->host, LENS_E_PROTOCOL, "the answer holds no totalTokens");
    return sink->event(sink, &e);
}

lens_status
gemini_call_decode(void *self, uint32_t kind, const struct lens_answer *a,
                   struct lens_sink *sink)
{
    const struct provider *p = self;

    if (kind == LENS_CALL_AUTH)
        return lens_auth_decode(p->auth, a, sink);
    if (a->status < 200 || a->status > 299)
        return gemini_classify(self, a, sink);
    if (kind == LENS_CALL_MODELS)
        return decode_models(p, a, sink);
    if (kind == LENS_CALL_COUNT)
        return decode_count(p, a, sink);
    return kind == LENS_CALL_HEALTH ? LENS_OK : LENS_E_UNSUPPORTED;
}
