#include "mock-private.h"

#include <string.h>

#include "chrono.h"

static bool
is(struct lens_bytes b, const char *text)
{
    return b.size == strlen(text) && memcmp(b.data, text, b.size) == 0;
}

/* Answers at once. The connection goes on, or ends if the client or `last` says so. */
static void
answer_now(struct connection *c, int status, const char *body, bool last)
{
    struct answer *a = &c->answer;
    struct lens_bytes message;

    if (last)
        a->keep_alive = false;
    message = render_whole(c, status, "application/json", "",
                           (struct lens_bytes){ body, strlen(body) });
    a->phase = PHASE_IDLE;
    if (!connection_send(c, message.data, message.size))
        connection_close(c);
    else if (!a->keep_alive)
        connection_finish(c);
}

static void
answer_error(struct connection *c, int status, const char *message, bool last)
{
    g_autofree char *body =
        g_strdup_printf("{\"error\":{\"message\":\"%s\",\"type\":\"%s\",\"code\":%d}}\n",
                        message, status == 404 ? "not_found" : "invalid_request", status);

    c->server->truth.refused++;
    answer_now(c, status, body, last);
}

void
refuse_request(struct connection *c, int status)
{
    const char *why = status == 413   ? "the body is larger than 64 MiB"
                      : status == 431 ? "the head is larger than 64 KiB or 128 headers"
                      : status == 417 ? "only 100-continue can be expected"
                      : status == 501 ? "the only transfer coding is chunked"
                      : status == 505 ? "this server speaks HTTP/1.1 and HTTP/1.0"
                                      : "this is not an HTTP request";

    c->answer = (struct answer){ .fault = FAULT_COUNT };
    answer_error(c, status, why, true);
}

/* Paths of the mock itself. */
static bool
route_own(struct connection *c, const struct http_request *r)
{
    mock *m = c->server;
    const bool get = is(r->method, "GET") || is(r->method, "HEAD");

    if (is(r->target, "/health") && get) {
        answer_now(c, 200, "{\"status\":\"ok\"}\n", false);
    } else if (is(r->target, "/truth") && get) {
        g_autofree char *json = truth_json(m);

        answer_now(c, 200, json, false);
    } else if (is(r->target, "/truth/reset") && is(r->method, "POST")) {
        truth_reset(&m->truth);
        answer_now(c, 200, "{\"status\":\"reset\"}\n", false);
    } else if (is(r->target, "/health") || is(r->target, "/truth") ||
               is(r->target, "/truth/reset")) {
        answer_error(c, 405, "this path takes another method", false);
    } else {
        return false;
    }
    return true;
}

static void
send_step(struct connection *c, int status, uint32_t step_kind, uint32_t error_kind,
          const char *text)
{
    struct lens_bytes message;

    render_begin(c->server);
    content_error(c, error_kind, status, text, step_kind);
    message =
        render_whole(c, status, "application/json", "", content_rendered(c->server));
    if (!connection_send(c, message.data, message.size))
        connection_close(c);
    else if (!c->answer.keep_alive)
        connection_finish(c);
}

/* The providers are asked in turn whose protocol it is. */
static lens_status
recognise(struct connection *c, const struct http_request *r, const char **ret_why)
{
    mock *m = c->server;
    struct answer *a = &c->answer;
    const struct lens_mock_request request = {
        .struct_size = sizeof request,
        .method = r->method,
        .path = r->target,
        .headers = r->headers,
        .header_count = r->header_count,
        .header_size = sizeof r->headers[0],
        .body = r->body,
    };

    for (unsigned i = 0; i < m->providers->len; i++) {
        const plugin *p = g_ptr_array_index(m->providers, i);
        lens_status st;

        a->turn = (struct lens_mock_turn){ .struct_size = sizeof a->turn,
                                           .max_output = -1,
                                           .input_tokens = 1,
                                           .now_s = chrono_wall() / NS_PER_S,
                                           .id = a->number };
        st = p->mock.recognise(&request, &a->turn, ret_why);
        if (st != LENS_E_UNSUPPORTED) {
            a->provider = p;
            return st;
        }
    }
    return LENS_E_UNSUPPORTED;
}

void
route(struct connection *c, const struct http_request *r)
{
    mock *m = c->server;
    struct answer *a = &c->answer;
    const char *why = "the request is not understood";
    lens_status st;

    *a = (struct answer){ .number = ++m->request_number,
                          .fault = FAULT_COUNT,
                          .keep_alive = r->keep_alive && r->minor > 0,
                          .chunked = r->minor > 0,
                          .head_only = is(r->method, "HEAD") };
    if (route_own(c, r))
        return;
    st = recognise(c, r, &why);
    if (st == LENS_E_UNSUPPORTED) {
        answer_error(c, 404, "no provider of this server answers this path and method",
                     false);
    } else if (st != LENS_OK) {
        m->truth.refused++;
        send_step(c, 400, LENS_STEP_REFUSED, LENS_KIND_INVALID_REQUEST, why);
    } else if (a->turn.api == LENS_MOCK_MODELS) {
        send_step(c, 200, LENS_STEP_MODELS, LENS_KIND_NONE, "mock-model");
    } else {
        if (a->turn.stream != 0 && !a->chunked)
            a->keep_alive = false;
        answer_start(c);
    }
}
