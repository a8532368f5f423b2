#include "mock-private.h"

#include <string.h>

#include "chrono.h"

enum { GARBAGE_BYTES = 4096, ENDLESS_TOKENS = 10 * 1000 * 1000 };

static const char *const names[FAULT_COUNT] = {
    [FAULT_429] = "429",
    [FAULT_500] = "500",
    [FAULT_503] = "503",
    [FAULT_ERROR] = "error",
    [FAULT_CUT] = "cut",
    [FAULT_STALL] = "stall",
    [FAULT_SLOW_HEADERS] = "slow_headers",
    [FAULT_HTML] = "html",
    [FAULT_GARBAGE] = "garbage",
    [FAULT_BYTEWISE] = "bytewise",
    [FAULT_SPLIT_UTF8] = "split_utf8",
    [FAULT_HUGE_LINE] = "huge_line",
    [FAULT_ENDLESS] = "endless",
    [FAULT_BAD_LENGTH] = "bad_length",
};

enum mock_fault
mock_fault_from_name(const char *name)
{
    for (int i = 0; i < FAULT_COUNT; i++)
        if (strcmp(names[i], name) == 0)
            return (enum mock_fault)i;
    return FAULT_COUNT;
}

const char *
mock_fault_name(enum mock_fault fault)
{
    return fault < FAULT_COUNT ? names[fault] : NULL;
}

/* One number decides, so that each fault's share is its rate. */
enum mock_fault
fault_draw(const mock *m, uint64_t number)
{
    const double drawn =
        (double)(random_at(m->settings.seed, RAND_FAULT, number) >> 11) * 0x1p-53;
    double below = 0;

    for (int i = 0; i < FAULT_COUNT; i++) {
        below += m->settings.faults[i];
        if (drawn < below)
            return (enum mock_fault)i;
    }
    return FAULT_COUNT;
}

/* An answer that stands for the whole exchange, sent at once. */
static void
answer_at_once(struct connection *c, struct lens_bytes message)
{
    if (connection_send(c, message.data, message.size))
        answer_end(c);
    else
        connection_close(c);
}

static void
refuse(struct connection *c, uint32_t kind, int status, const char *text,
       const char *extra_headers)
{
    mock *m = c->server;

    render_begin(m);
    content_error(c, kind, status, text, LENS_STEP_REFUSED);
    answer_at_once(c, render_whole(c, status, "application/json", extra_headers,
                                   content_rendered(m)));
}

static void
send_html(struct connection *c)
{
    static const char page[] =
        "<!DOCTYPE html>\n<html><head><title>Welcome</title></head>\n"
        "<body><h1>It works!</h1></body></html>\n";

    answer_at_once(c, render_whole(c, 200, "text/html; charset=utf-8", "",
                                   (struct lens_bytes){ page, sizeof page - 1 }));
}

static void
send_garbage(struct connection *c)
{
    mock *m = c->server;
    const struct answer *a = &c->answer;

    render_begin(m);
    for (unsigned i = 0; i < GARBAGE_BYTES / sizeof(uint64_t); i++) {
        const uint64_t bytes =
            random_at(m->settings.seed, RAND_GARBAGE, (a->number << 24) + i);

        buffer_append(&m->render, &bytes, sizeof bytes);
    }
    if (a->turn.stream != 0)
        answer_at_once(c, render_frame(c, true));
    else
        answer_at_once(c,
                       render_whole(c, 200, "application/json", "", content_rendered(m)));
}

static void
start_slow_head(struct connection *c)
{
    struct answer *a = &c->answer;
    char head[RENDER_ROOM];

    if (a->turn.stream == 0)
        return; /* the head is known with the body */
    c->held.size = 0;
    buffer_append(&c->held, head, render_stream_head(c, head, sizeof head));
    a->head_sent = true;
    a->phase = PHASE_HEAD;
}

bool
fault_start(struct connection *c)
{
    struct answer *a = &c->answer;

    switch ((enum mock_fault)a->fault) {
    case FAULT_429:
        refuse(c, LENS_KIND_RATE_LIMIT, 429, "too many requests, slow down",
               "Retry-After: 1\r\n");
        return false;
    case FAULT_500:
        refuse(c, LENS_KIND_SERVER, 500, "the server had an error", "");
        return false;
    case FAULT_503:
        refuse(c, LENS_KIND_OVERLOADED, 503, "the server is overloaded", "");
        return false;
    case FAULT_HTML:
        send_html(c);
        return false;
    case FAULT_GARBAGE:
        send_garbage(c);
        return false;
    case FAULT_ERROR:
        if (a->turn.stream == 0) {
            refuse(c, LENS_KIND_SERVER, 500, "the server had an error", "");
            return false;
        }
        a->fault_at = a->total / 2;
        return true;
    case FAULT_CUT:
    case FAULT_STALL:
    case FAULT_HUGE_LINE:
        a->fault_at = a->total / 2;
        return true;
    case FAULT_ENDLESS:
        a->total = ENDLESS_TOKENS;
        if (a->turn.stream == 0)
            a->phase = PHASE_DRIP;
        return true;
    case FAULT_BAD_LENGTH:
        a->chunked = a->keep_alive = false;
        return true;
    case FAULT_SLOW_HEADERS:
        start_slow_head(c);
        return true;
    case FAULT_BYTEWISE:
    case FAULT_SPLIT_UTF8:
    case FAULT_COUNT:
        return true;
    }
    return true;
}

void
fault_stall(struct connection *c)
{
    c->answer.phase = PHASE_STALLED;
    heap_remove(&c->server->heap, c);
    if (c->peer_closed)
        connection_close(c);
}

/* The next message comes to its middle, then the connection ends; or it comes whole, and
 * then nothing. */
static void
break_off(struct connection *c)
{
    struct lens_bytes message;

    render_begin(c->server);
    if (!c->answer.begun)
        content_begin(c);
    content_tokens(c, content_count(c));
    message = render_frame(c, false);
    if (c->answer.fault == FAULT_CUT) {
        connection_send(c, message.data, message.size / 2);
        connection_close(c);
    } else {
        connection_send(c, message.data, message.size);
        fault_stall(c);
    }
}

static void
send_error(struct connection *c)
{
    render_begin(c->server);
    if (!c->answer.begun)
        content_begin(c);
    content_error(c, LENS_KIND_SERVER, 500, "the model stopped working", LENS_STEP_ERROR);
    answer_at_once(c, render_frame(c, true));
}

bool
fault_in_stream(struct connection *c)
{
    struct answer *a = &c->answer;

    switch ((enum mock_fault)a->fault) {
    case FAULT_ERROR:
        send_error(c);
        return true;
    case FAULT_CUT:
    case FAULT_STALL:
        break_off(c);
        return true;
    case FAULT_HUGE_LINE:
        a->huge = true;
        a->fault_at = -1;
        return false;
    default:
        return false;
    }
}
