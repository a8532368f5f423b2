#include "mock-private.h"

#include <stdio.h>
#include <string.h>

void
render_begin(mock *m)
{
    m->render.size = RENDER_ROOM;
    m->headers.size = 0;
}

static bool
fills_body(const struct lens_mock_step *step)
{
    return step->kind == LENS_STEP_WHOLE || step->kind == LENS_STEP_REFUSED ||
           step->kind == LENS_STEP_MODELS;
}

lens_status
render_step(struct connection *c, const struct lens_mock_step *step)
{
    mock *m = c->server;
    struct answer *a = &c->answer;
    const struct lens_mock *ops = &a->provider->mock;
    const lens_status st = ops->encode(&a->turn, step, &m->render, buffer_append);

    if (st != LENS_OK || ops->headers == NULL || !fills_body(step))
        return st;
    return ops->headers(&a->turn, step, &m->headers, buffer_append);
}

static const char *
stream_content_type(const struct answer *a)
{
    const struct lens_provider *ops = &a->provider->ops.provider;
    const struct lens_api *api;

    if (a->turn.api >= ops->api_count)
        return "application/json";
    api = (const struct lens_api *)((const char *)ops->apis +
                                    (size_t)a->turn.api * ops->api_size);
    return api->content_type != NULL ? api->content_type : "text/event-stream";
}

size_t
render_stream_head(const struct connection *c, char *to, size_t room)
{
    const struct answer *a = &c->answer;
    const char *framing = a->chunked ? "Transfer-Encoding: chunked\r\n" : "";
    int size;

    /* Says more than will come; the close after the last byte is what the client gets. */
    if (a->fault == FAULT_BAD_LENGTH)
        framing = "Content-Length: 100000000\r\n";
    size = snprintf(to, room,
                    "HTTP/1.1 200 OK\r\n"
                    "Content-Type: %.100s\r\n"
                    "Cache-Control: no-cache\r\n"
                    "x-request-id: req_%016llx\r\n"
                    "%s"
                    "%s"
                    "\r\n",
                    stream_content_type(a), (unsigned long long)a->number, framing,
                    a->keep_alive ? "" : "Connection: close\r\n");
    return (size_t)size;
}

static size_t
chunk_line(char to[static 20], size_t size)
{
    static const char digits[] = "0123456789abcdef";
    char reversed[16];
    size_t count = 0;

    do
        reversed[count++] = digits[size & 15];
    while ((size >>= 4) != 0);
    for (size_t i = 0; i < count; i++)
        to[i] = reversed[count - 1 - i];
    to[count++] = '\r';
    to[count++] = '\n';
    return count;
}

struct lens_bytes
render_frame(struct connection *c, bool end)
{
    mock *m = c->server;
    struct answer *a = &c->answer;
    const size_t payload = m->render.size - RENDER_ROOM;
    char head[RENDER_ROOM - 20], line[20];
    size_t start = RENDER_ROOM, size;

    if (a->chunked) {
        if (payload > 0) {
            size = chunk_line(line, payload);
            start -= size;
            memcpy(m->render.data + start, line, size);
            buffer_append(&m->render, "\r\n", 2);
        }
        if (end)
            buffer_append(&m->render, "0\r\n\r\n", 5);
    }
    if (!a->head_sent) {
        size = render_stream_head(c, head, sizeof head);
        start -= size;
        memcpy(m->render.data + start, head, size);
        a->head_sent = true;
    }
    return (struct lens_bytes){ m->render.data + start, m->render.size - start };
}

static const char *
reason_phrase(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } phrases[] = {
        { 200, "OK" },
        { 400, "Bad Request" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 413, "Content Too Large" },
        { 417, "Expectation Failed" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 503, "Service Unavailable" },
        { 505, "HTTP Version Not Supported" },
    };

    for (size_t i = 0; i < G_N_ELEMENTS(phrases); i++)
        if (phrases[i].status == status)
            return phrases[i].phrase;
    return "Status";
}

struct lens_bytes
render_whole(struct connection *c, int status, const char *content_type,
             const char *extra_headers, struct lens_bytes body)
{
    mock *m = c->server;
    const struct answer *a = &c->answer;
    const size_t promised = a->fault == FAULT_BAD_LENGTH ? body.size + 1000 : body.size;
    char head[512];
    int size;

    size = snprintf(head, sizeof head,
                    "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
                    "x-request-id: req_%016llx\r\n%s%s",
                    status, reason_phrase(status), content_type, promised,
                    (unsigned long long)a->number, extra_headers,
                    a->keep_alive ? "" : "Connection: close\r\n");
    m->whole.size = 0;
    buffer_append(&m->whole, head, (size_t)size);
    buffer_append(&m->whole, m->headers.data, m->headers.size);
    m->headers.size = 0;
    buffer_append(&m->whole, "\r\n", 2);
    if (!a->head_only)
        buffer_append(&m->whole, body.data, body.size);
    return (struct lens_bytes){ m->whole.data, m->whole.size };
}
