/* models: side calls: the list of models, and how many tokens a text has. */
#include <stdlib.h>
#include <string.h>

#include "openai.h"
#include "sdk/auth.h"
#include "sdk/emit.h"
#include "sdk/request.h"

/* ---- tokens of a text ---- */

/* Servers of this family tell it beside the versioned part: POST /tokenize (vLLM, SGLang:
 * `prompt`; llama.cpp: `content`). */
static lens_status
request_tokenize(const struct provider *p, struct lens_request *r)
{
    static const char list[] = "/models", version[] = "/v1", route[] = "/tokenize";
    size_t size = strlen(p->models_url);
    lens_status st;
    char *url;

    if (size < sizeof list || strcmp(p->models_url + size - sizeof list + 1, list) != 0)
        return LENS_E_UNSUPPORTED; /* a URL with a query of its own */
    size -= sizeof list - 1;
    if (size > sizeof version - 1 && strncmp(p->models_url + size - sizeof version + 1,
                                             version, sizeof version - 1) == 0)
        size -= sizeof version - 1;
    url = malloc(size + sizeof route);
    if (url == NULL)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    memcpy(url, p->models_url, size);
    memcpy(url + size, route, sizeof route);
    st = p->host->req_line(r, "POST", url);
    free(url);
    return st;
}

static lens_status
put(const struct provider *p, struct lens_request *r, const char *before,
    struct lens_bytes text)
{
    lens_status st = p->host->req_body(r, before, strlen(before));

    return st == LENS_OK ? p->host->req_body(r, text.data, text.size) : st;
}

/* The texts of `args` are JSON already: they go on as they are written there. */
static lens_status
describe_tokenize(const struct provider *p, const struct lens_call *call,
                  struct lens_request *r)
{
    struct lens_json_string text = { 0 }, model = { 0 };
    struct lens_json j;
    lens_status st;

    if (!p->compat || p->is_azure ||
        !lens_json_find(call->args.data, call->args.size, "text", &j) ||
        !lens_json_string(&j, &text))
        return LENS_E_UNSUPPORTED;
    if (lens_json_find(call->args.data, call->args.size, "model", &j))
        lens_json_string(&j, &model);
    st = request_tokenize(p, r);
    if (st == LENS_OK)
        st = p->host->req_header(r, "Content-Type", "application/json", 0);
    if (st == LENS_OK)
        st = describe_identity(p, call->credential, r);
    if (st == LENS_OK)
        st = put(p, r, "{\"model\":\"", model.raw);
    if (st == LENS_OK)
        st = put(p, r, "\",\"prompt\":\"", text.raw);
    if (st == LENS_OK)
        st = put(p, r, "\",\"content\":\"", text.raw);
    return st == LENS_OK ? p->host->req_body(r, "\"}", 2) : st;
}

/* `count`, or as many as there are in `tokens`. */
static lens_status
decode_tokenize(const struct provider *p, const struct lens_answer *a,
                struct lens_sink *sink)
{
    struct lens_event e = { .struct_size = sizeof e,
                            .kind = LENS_EV_USAGE,
                            .code = LENS_USAGE_INPUT };
    struct lens_json j;

    if (lens_json_find(a->body.data, a->body.size, "count", &j) &&
        lens_json_int(&j, &e.value))
        return sink->event(sink, &e);
    if (!lens_json_find(a->body.data, a->body.size, "tokens", &j) ||
        lens_json_peek(&j) != LENS_JSON_ARRAY)
        return p->host->fail(p->host, LENS_E_PROTOCOL,
                             "the answer has neither \"count\" nor \"tokens\"");
    for (lens_json_array(&j); lens_json_element(&j); lens_json_skip(&j))
        e.value++;
    return sink->event(sink, &e);
}

/* ---- models ---- */

/* The list costs nothing, so it also tells whether the server is there and lets us in. */
lens_status
openai_call_describe(void *self, const struct lens_call *call, struct lens_request *r)
{
    const struct provider *p = self;
    const struct lens_bytes none = { NULL, 0 };
    char *own;
    lens_status st;

    if (call->kind == LENS_CALL_AUTH)
        return lens_auth_describe(p->azure.auth, call, r);
    if (call->kind == LENS_CALL_TOKENIZE)
        return describe_tokenize(p, call, r);
    if (call->kind != LENS_CALL_MODELS && call->kind != LENS_CALL_HEALTH)
        return LENS_E_UNSUPPORTED;
    own = p->is_azure ? azure_url(p, API_COUNT, none) : NULL;
    if (p->is_azure && own == NULL)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    st = lens_request_get(p->host, own != NULL ? own : p->models_url, NULL, r);
    free(own);
    return st == LENS_OK ? describe_identity(p, call->credential, r) : st;
}

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

/* `{"id":"m"}`; some gateways name it otherwise, and some list bare strings. */
static lens_status
read_model(struct lens_json *j, struct lens_sink *sink)
{
    struct lens_json_string id = { 0 }, name = { 0 };
    struct lens_bytes key;
    struct lens_key_room room;

    if (lens_json_peek(j) != LENS_JSON_OBJECT) {
        lens_read_string(j, &id);
        return tell_model(sink, &id);
    }
    for (lens_json_object(j); lens_read_member(j, &key, &room);) {
        if (LENS_KEY(key, "id"))
            lens_read_string(j, &id);
        else if (LENS_KEY(key, "name") || LENS_KEY(key, "model"))
            lens_read_string(j, &name);
        else
            lens_json_skip(j);
    }
    return tell_model(sink, id.raw.size > 0 ? &id : &name);
}

lens_status
openai_call_decode(void *self, uint32_t kind, const struct lens_answer *a,
                   struct lens_sink *sink)
{
    const struct provider *p = self;
    struct lens_json j;
    lens_status st = LENS_OK;

    if (kind == LENS_CALL_AUTH)
        return lens_auth_decode(p->azure.auth, a, sink);
    if (kind != LENS_CALL_MODELS && kind != LENS_CALL_HEALTH &&
        kind != LENS_CALL_TOKENIZE)
        return LENS_E_UNSUPPORTED;
    if (a->status < 200 || a->status > 299)
        return openai_classify(self, a, sink);
    if (kind == LENS_CALL_HEALTH)
        return LENS_OK;
    if (kind == LENS_CALL_TOKENIZE)
        return decode_tokenize(p, a, sink);
    if (!lens_json_find(a->body.data, a->body.size, "data", &j) &&
        !lens_json_find(a->body.data, a->body.size, "models", &j))
        lens_json_begin(&j, a->body.data, a->body.size);
    if (lens_json_peek(&j) != LENS_JSON_ARRAY)
        return p->host->fail(p->host, LENS_E_PROTOCOL,
                             "the model list is not JSON with a list in \"data\"");
    for (lens_json_array(&j); st == LENS_OK && lens_json_element(&j);)
        st = read_model(&j, sink);
    return st;
}

lens_status
openai_classify(void *self, const struct lens_answer *a, struct lens_sink *sink)
{
    (void)self;
    return lens_emit_refusal(sink, a);
}
