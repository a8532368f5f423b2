/* describe: an ask becomes a request as the templates say. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http.h"
#include "sdk/emit.h"
#include "sdk/merge.h"
#include "sdk/models.h"
#include "sdk/request.h"

static const char *
content_type(const struct http *p)
{
    if (p->content_type != NULL)
        return p->content_type;
    return p->body_form == TEMPLATE_JSON   ? "application/json"
           : p->body_form == TEMPLATE_FORM ? "application/x-www-form-urlencoded"
                                           : "text/plain; charset=utf-8";
}

static const char *
accept_type(const struct http *p, int stream)
{
    static const char *const types[] = {
        [FRAMING_SSE] = "text/event-stream",
        [FRAMING_NDJSON] = "application/x-ndjson, application/json",
        [FRAMING_ARRAY] = "application/json",
        [FRAMING_CONCATENATED] = "application/json",
        [FRAMING_RAW] = "*/*",
        [FRAMING_WHOLE] = "application/json",
    };

    if (p->accept != NULL)
        return p->accept;
    if (p->text_data && (!stream || p->framing == FRAMING_WHOLE))
        return "*/*";
    return stream ? types[p->framing] : "application/json";
}

/* One that the user configured himself is not sent twice. */
static int
has_header(const struct http *p, const char *name)
{
    for (uint32_t i = 0; i < p->header_count; i++)
        if (strcasecmp(p->headers[i].name, name) == 0)
            return 1;
    return 0;
}

static lens_status
add_headers(const struct http *p, int stream, int body, struct lens_request *r)
{
    lens_status st = LENS_OK;

    if (body && !has_header(p, "Content-Type"))
        st = p->host->req_header(r, "Content-Type", content_type(p), 0);
    if (st == LENS_OK && !has_header(p, "Accept"))
        st = p->host->req_header(r, "Accept", accept_type(p, stream), 0);
    for (uint32_t i = 0; i < p->header_count && st == LENS_OK; i++)
        st = p->host->req_header(r, p->headers[i].name, p->headers[i].value,
                                 p->headers[i].flags);
    return st;
}

static lens_status
fail(const struct http *p, lens_status st, const char *why)
{
    return p->host->fail(p->host, st, why);
}

/* NULL after a failure, which `st` then is. */
static char *
make_url(const struct http *p, const struct lens_ask *ask, lens_status *st)
{
    const int stream = (ask->flags & LENS_ASK_STREAM) != 0;
    const char *path = !stream && p->path_whole != NULL ? p->path_whole : p->path;
    struct lens_text route = { 0 };
    char why[256], *url = NULL;

    *st = LENS_OK;
    if (path != NULL)
        *st = template_render(path, TEMPLATE_FORM, ask, &route, why, sizeof why);
    if (*st != LENS_OK)
        fail(p, *st, why);
    else if (route.size == 0)
        url = strdup(p->url);
    else
        url = lens_url_join(p->url, lens_text_get(&route));
    lens_text_clear(&route);
    if (*st == LENS_OK && url == NULL)
        *st = fail(p, LENS_E_NOMEM, "out of memory");
    return url;
}

/* `extra` wins over members of the same name, at every depth. */
static lens_status
make_body(const struct http *p, const struct lens_ask *ask, struct lens_text *ret)
{
    struct lens_text base = { 0 };
    struct lens_writer w;
    char why[256];
    lens_status st;

    if (ask->body.size > 0) {
        lens_text_add_bytes(ret, ask->body.data, ask->body.size);
        return LENS_OK;
    }
    if (p->body == NULL)
        return LENS_OK;
    if (ask->extra.size > 0 &&
        (p->body_form != TEMPLATE_JSON || !lens_is_object(ask->extra)))
        return fail(p, LENS_E_CONFIG,
                    p->body_form != TEMPLATE_JSON
                        ? "extra needs a body of JSON"
                        : "extra is not a JSON object, for instance {\"top_k\":40}");
    st = template_render(p->body, p->body_form, ask, &base, why, sizeof why);
    if (st != LENS_OK) {
        fail(p, st, why);
    } else if (ask->extra.size > 0 && lens_is_object(lens_text_bytes(&base))) {
        lens_write_begin(&w, ret, lens_text_put);
        lens_write_merged(&w, lens_text_bytes(&base), ask->extra);
        st = lens_write_end(&w);
    } else {
        lens_text_add_bytes(ret, base.data, base.size);
    }
    lens_text_clear(&base);
    return st;
}

static lens_status
describe_to(const struct http *p, const struct lens_ask *ask, const char *url,
            struct lens_request *r)
{
    const int stream = (ask->flags & LENS_ASK_STREAM) != 0;
    struct lens_text body = { 0 };
    lens_status st = make_body(p, ask, &body);

    if (st == LENS_OK && body.failed)
        st = fail(p, LENS_E_NOMEM, "out of memory");
    if (st == LENS_OK)
        st = p->host->req_line(r, p->method, url);
    if (st == LENS_OK)
        st = add_headers(p, stream, body.size > 0, r);
    if (st == LENS_OK)
        st = http_auth_add(p, ask, url, lens_text_bytes(&body), r);
    if (st == LENS_OK)
        st = lens_request_headers(p->host, ask, r);
    if (st == LENS_OK && body.size > 0)
        st = p->host->req_body(r, body.data, body.size);
    lens_text_clear(&body);
    return st;
}

lens_status
http_describe(void *self, const struct lens_ask *ask, struct lens_request *r)
{
    const struct http *p = self;
    lens_status st;
    char *url = make_url(p, ask, &st);

    if (url == NULL)
        return st;
    st = describe_to(p, ask, url, r);
    free(url);
    return st;
}

/* ---- side calls ---- */

lens_status
http_call_describe(void *self, const struct lens_call *call, struct lens_request *r)
{
    const struct http *p = self;
    const struct lens_ask ask = { .struct_size = (uint32_t)sizeof ask,
                                  .credential = call->credential,
                                  .unix_ns = call->unix_ns };
    const struct lens_bytes none = { NULL, 0 };
    struct http get = *p;
    lens_status st;
    char *url;

    if (call->kind == LENS_CALL_AUTH)
        return lens_auth_describe(p->chain, call, r);
    if (call->kind != LENS_CALL_MODELS || p->models_path == NULL)
        return LENS_E_UNSUPPORTED;
    url = lens_url_join(p->url, p->models_path);
    if (url == NULL)
        return fail(p, LENS_E_NOMEM, "out of memory");
    get.method = "GET";
    st = p->host->req_line(r, "GET", url);
    if (st == LENS_OK)
        st = add_headers(p, 0, 0, r);
    if (st == LENS_OK)
        st = http_auth_add(&get, &ask, url, none, r);
    free(url);
    return st;
}

lens_status
http_call_decode(void *self, uint32_t kind, const struct lens_answer *a,
                 struct lens_sink *sink)
{
    const struct http *p = self;
    lens_status st;

    if (kind == LENS_CALL_AUTH)
        return p->chain != NULL ? lens_auth_decode(p->chain, a, sink)
                                : LENS_E_UNSUPPORTED;
    if (kind != LENS_CALL_MODELS)
        return LENS_E_UNSUPPORTED;
    if (a->status < 200 || a->status > 299)
        return http_classify(self, a, sink);
    st = lens_emit_models(sink, a->body, p->models_list, p->models_name);
    return st != LENS_E_PROTOCOL
               ? st
               : fail(p, st, "the model list has no array where models_list says");
}
