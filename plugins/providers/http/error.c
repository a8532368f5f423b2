/* error: complaints of servers, in a stream or as a failed answer. */
#include <string.h>
#include <strings.h>

#include "http.h"
#include "sdk/complaint.h"
#include "sdk/failure.h"
#include "sdk/head.h"
#include "sdk/members.h"

const char http_kind_names[] =
    "rate_limit, quota, overloaded, timeout, auth, permission, not_found, "
    "invalid_request, context_length, content_filter, blocked, too_large, server";

uint32_t
http_kind_of_name(struct lens_bytes name)
{
    static const struct {
        const char *name;
        uint32_t kind;
    } kinds[] = {
        { "rate_limit", LENS_KIND_RATE_LIMIT },
        { "quota", LENS_KIND_QUOTA },
        { "overloaded", LENS_KIND_OVERLOADED },
        { "timeout", LENS_KIND_TIMEOUT },
        { "auth", LENS_KIND_AUTH },
        { "permission", LENS_KIND_PERMISSION },
        { "not_found", LENS_KIND_NOT_FOUND },
        { "invalid_request", LENS_KIND_INVALID_REQUEST },
        { "context_length", LENS_KIND_CONTEXT_LENGTH },
        { "content_filter", LENS_KIND_CONTENT_FILTER },
        { "blocked", LENS_KIND_BLOCKED },
        { "too_large", LENS_KIND_TOO_LARGE },
        { "server", LENS_KIND_SERVER },
    };

    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        if (strlen(kinds[i].name) == name.size &&
            memcmp(kinds[i].name, name.data, name.size) == 0)
            return kinds[i].kind;
    return 0;
}

/* ---- the user's own kinds ---- */

static int
contains(struct lens_bytes text, struct lens_bytes word)
{
    for (size_t i = 0; i + word.size <= text.size; i++)
        if (strncasecmp(text.data + i, word.data, word.size) == 0)
            return 1;
    return 0;
}

/* Without regard to case; a star at either end stands for anything. */
static int
matches(struct lens_bytes pattern, struct lens_bytes text)
{
    const int front = pattern.size > 1 && pattern.data[0] == '*';
    const int back = pattern.size > 1 && pattern.data[pattern.size - 1] == '*';
    const struct lens_bytes word = { pattern.data + front,
                                     pattern.size - (size_t)(front + back) };

    if (text.size < word.size || text.size == 0)
        return 0;
    if (front && back)
        return contains(text, word);
    if (front)
        text = (struct lens_bytes){ text.data + text.size - word.size, word.size };
    else if (back)
        text.size = word.size;
    return text.size == word.size && strncasecmp(text.data, word.data, word.size) == 0;
}

static uint32_t
own_kind(const struct http *p, const struct lens_complaint *c)
{
    char digits[3] = { 0 };
    struct lens_bytes status = { digits, 0 };

    if (c->http_status >= 100 && c->http_status <= 999) {
        digits[0] = (char)('0' + c->http_status / 100);
        digits[1] = (char)('0' + c->http_status / 10 % 10);
        digits[2] = (char)('0' + c->http_status % 10);
        status.size = 3;
    }
    for (uint32_t i = 0; i < p->kind_count; i++) {
        const struct lens_bytes pattern = p->kinds[i].pattern;

        if (matches(pattern, c->code) || matches(pattern, c->type) ||
            matches(pattern, c->status_text) || matches(pattern, status) ||
            matches(pattern, c->message))
            return p->kinds[i].kind;
    }
    return 0;
}

/* ---- reading ---- */

int
http_is_error(const struct value *v)
{
    const struct lens_bytes raw = v->text.raw;
    struct lens_json j;
    struct lens_bytes key;
    double number;

    lens_json_begin(&j, raw.data, raw.size);
    switch (v->type) {
    case LENS_JSON_STRING:
        return raw.size > 0;
    case LENS_JSON_BOOL:
        return LENS_KEY(raw, "true");
    case LENS_JSON_NUMBER:
        return lens_json_double(&j, &number) && number != 0;
    case LENS_JSON_OBJECT:
        return lens_json_object(&j), lens_json_member(&j, &key);
    case LENS_JSON_ARRAY:
        return lens_read_count(&j) > 0;
    default:
        return 0;
    }
}

static struct lens_bytes
keep(const struct value *v, char *room, size_t size)
{
    struct lens_json_string text = v->text;

    if (text.raw.size > size)
        text.raw.size = size;
    if (v->type == LENS_JSON_STRING && text.raw.size == v->text.raw.size)
        return (struct lens_bytes){ room, lens_json_unescape(&text, room) };
    memcpy(room, text.raw.data, text.raw.size);
    return (struct lens_bytes){ room, text.raw.size };
}

/* What the paths found wins over what any error looks like. */
static void
read_words(struct lens_words *w, const struct found *f, struct lens_bytes json)
{
    const struct value *error = walk_value(f, SLOT_ERROR);
    const struct value *message = walk_value(f, SLOT_ERROR_MESSAGE);
    const struct value *code = walk_value(f, SLOT_ERROR_CODE);
    struct lens_json j;
    int64_t number;

    if (error->type == LENS_JSON_OBJECT || error->type == LENS_JSON_ARRAY)
        lens_words_read(w, error->text.raw);
    else if (error->type == LENS_JSON_STRING)
        w->complaint.message = keep(error, w->message, sizeof w->message);
    else if (!lens_words_read(w, json) && w->complaint.message.size == 0)
        lens_words_page(w, json);
    /* `{"error":"code","message":"words"}` */
    if (error->type == LENS_JSON_STRING && message->type != LENS_JSON_NONE &&
        code->type == LENS_JSON_NONE)
        w->complaint.code = keep(error, w->code_room, sizeof w->code_room);
    if (message->type != LENS_JSON_NONE)
        w->complaint.message = keep(message, w->message, sizeof w->message);
    if (code->type == LENS_JSON_NONE)
        return;
    w->complaint.code = keep(code, w->code_room, sizeof w->code_room);
    lens_json_begin(&j, code->text.raw.data, code->text.raw.size);
    if (code->type == LENS_JSON_NUMBER && w->complaint.http_status == 0 &&
        lens_json_int(&j, &number) && number >= 400 && number < 600)
        w->complaint.http_status = (int32_t)number;
}

static void
fill_failure(const struct http *p, const struct lens_words *w, struct lens_failure *f)
{
    f->kind = own_kind(p, &w->complaint);
    if (f->kind == 0)
        f->kind = lens_failure_kind(&w->complaint);
    f->retryable = lens_failure_retryable(f->kind);
    f->retry_after_ns = w->retry_after_ns;
    f->message = w->complaint.message;
    f->code = lens_words_code(w);
    f->request_id = w->request_id;
}

lens_status
http_complain(struct http_stream *s, struct lens_bytes json)
{
    struct lens_stream *stream = &s->stream;
    struct lens_failure f = { .struct_size = (uint32_t)sizeof f };
    struct lens_words w;

    if (stream->flags & LENS_STREAM_FAILED)
        return LENS_OK;
    stream->flags |= LENS_STREAM_FAILED;
    lens_words_clear(&w);
    read_words(&w, &s->found, json);
    fill_failure(s->provider, &w, &f);
    f.error_class = f.kind == LENS_KIND_BLOCKED && !(stream->flags & LENS_STREAM_OUTPUT)
                        ? LENS_CLASS_BLOCKED
                        : LENS_CLASS_STREAM_ERROR;
    return stream->sink->fault(stream->sink, &f);
}

static lens_status
tell_id(struct lens_sink *sink, struct lens_bytes id)
{
    const struct lens_event e = { .struct_size = (uint32_t)sizeof e,
                                  .kind = LENS_EV_ID,
                                  .text = id };

    return id.size > 0 ? sink->event(sink, &e) : LENS_OK;
}

lens_status
http_classify(void *self, const struct lens_answer *a, struct lens_sink *sink)
{
    const struct http *p = self;
    const int asked = lens_should_retry(a->headers, a->header_count, a->header_size);
    const struct lens_bytes none = { NULL, 0 };
    struct lens_failure f = { .struct_size = (uint32_t)sizeof f };
    struct lens_bytes id = none;
    struct found found = { 0 };
    struct lens_words w;
    lens_status st;
    int64_t delay;

    lens_words_clear(&w);
    w.complaint.http_status = a->status;
    if (!walk_message(&p->tree, a->body, none, &found))
        memset(found.values, 0, sizeof found.values);
    read_words(&w, &found, a->body);
    st = lens_head_tell(sink, a->headers, a->header_count, a->header_size, &id);
    if (p->id_header != NULL)
        id = lens_header(a->headers, a->header_count, a->header_size, p->id_header);
    if (st == LENS_OK && p->id_header != NULL)
        st = tell_id(sink, id);
    fill_failure(p, &w, &f);
    f.error_class = LENS_CLASS_HTTP_ERROR;
    f.request_id = id.size > 0 ? id : w.request_id;
    if (asked >= 0)
        f.retryable = asked;
    delay = lens_retry_after(a->headers, a->header_count, a->header_size, a->unix_ns);
    if (delay >= 0)
        f.retry_after_ns = delay;
    return st == LENS_OK ? sink->fault(sink, &f) : st;
}
