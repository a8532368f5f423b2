/* calls: the stream and the metrics of a prediction, and what else can be asked. */
#include <string.h>

#include "replicate.h"
#include "sdk/emit.h"
#include "sdk/members.h"
#include "sdk/request.h"

/* The list of models has a million of them: that of the user's own hardware is short. */
#define HEALTH_ROUTE "/account"
#define MODELS_ROUTE "/models"

/* `args` is the address. What belongs to somebody else does not get the token. */
static lens_status
follow(const struct replicate *p, struct lens_bytes link, struct lens_request *r)
{
    struct lens_text url = { 0 };
    lens_status st;

    if (!replicate_resolve(p, link, &url)) {
        lens_text_clear(&url);
        return p->host->fail(p->host, LENS_E_PROTOCOL,
                             "the address of the stream is not a URL of http or https");
    }
    st = p->host->req_line(r, "GET", url.data);
    if (st == LENS_OK)
        st = p->host->req_header(r, "Accept", "text/event-stream, application/json", 0);
    if (st == LENS_OK)
        st = p->host->req_header(r, "Cache-Control", "no-store", 0);
    if (st == LENS_OK && p->authorization != NULL && replicate_is_trusted(p, url.data))
        st =
            p->host->req_header(r, "Authorization", p->authorization, LENS_HEADER_SECRET);
    lens_text_clear(&url);
    return st;
}

static lens_status
get(const struct replicate *p, const char *route, struct lens_request *r)
{
    struct lens_text url = { 0 };
    lens_status st;

    replicate_route(p, route, &url);
    st = url.failed ? p->host->fail(p->host, LENS_E_NOMEM, "out of memory")
                    : lens_request_get(p->host, url.data, p->authorization, r);
    lens_text_clear(&url);
    return st;
}

lens_status
replicate_call_describe(void *self, const struct lens_call *call, struct lens_request *r)
{
    const struct replicate *p = self;

    switch (call->kind) {
    case LENS_CALL_FOLLOW_UP:
        return follow(p, call->args, r);
    case LENS_CALL_MODELS:
        return get(p, MODELS_ROUTE, r);
    case LENS_CALL_HEALTH:
        return get(p, HEALTH_ROUTE, r);
    default:
        return LENS_E_UNSUPPORTED;
    }
}

/* Names are OWNER/NAME, which stand apart. */
static lens_status
tell_model(struct lens_json *j, struct lens_sink *sink)
{
    struct lens_json_string owner = { 0 }, name = { 0 };
    struct lens_event e = { .struct_size = sizeof e, .kind = LENS_EV_MODEL };
    struct lens_bytes key;
    struct lens_key_room room;
    char text[512];
    size_t size;

    if (!lens_read_object(j))
        return LENS_OK;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "owner"))
            lens_read_string(j, &owner);
        else if (LENS_KEY(key, "name"))
            lens_read_string(j, &name);
        else
            lens_json_skip(j);
    }
    if (owner.raw.size == 0 || name.raw.size == 0 ||
        owner.raw.size + name.raw.size + 1 > sizeof text)
        return LENS_OK;
    size = lens_json_unescape(&owner, text);
    text[size++] = '/';
    size += lens_json_unescape(&name, text + size);
    e.text = (struct lens_bytes){ text, size };
    return sink->event(sink, &e);
}

static lens_status
tell_models(const struct replicate *p, struct lens_bytes body, struct lens_sink *sink)
{
    struct lens_json j;
    lens_status st = LENS_OK;

    if (!lens_json_find(body.data, body.size, "results", &j) ||
        lens_json_peek(&j) != LENS_JSON_ARRAY)
        return p->host->fail(p->host, LENS_E_PROTOCOL,
                             "the model list is not JSON with a list in \"results\"");
    for (lens_json_array(&j); st == LENS_OK && lens_json_element(&j);)
        st = tell_model(&j, sink);
    return st;
}

lens_status
replicate_call_decode(void *self, uint32_t kind, const struct lens_answer *a,
                      struct lens_sink *sink)
{
    const struct replicate *p = self;

    if (kind != LENS_CALL_FOLLOW_UP && kind != LENS_CALL_MODELS &&
        kind != LENS_CALL_HEALTH)
        return LENS_E_UNSUPPORTED;
    if (a->status < 200 || a->status > 299)
        return lens_emit_refusal(sink, a);
    if (kind == LENS_CALL_MODELS)
        return tell_models(p, a->body, sink);
    if (kind == LENS_CALL_FOLLOW_UP && replicate_metrics(sink, a->body) != LENS_OK)
        return p->host->fail(p->host, LENS_E_PROTOCOL, "the prediction is not JSON");
    return LENS_OK;
}
