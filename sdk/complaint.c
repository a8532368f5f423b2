#include "complaint.h"

#include <string.h>

#include "emit.h"
#include "head.h"
#include "members.h"

/* Bytes of the character or escape at `at`. */
static size_t
step(const char *at)
{
    if (at[0] == '\\')
        return at[1] == 'u' ? 6 : 2;
    return 1;
}

/* Unescapes at most `room` bytes, never ending inside an escape or a character. */
static struct lens_bytes
keep(const struct lens_json_string *text, char *out, size_t room)
{
    struct lens_json_string cut = *text;
    struct lens_bytes kept = { out, 0 };
    size_t end = 0;

    if (cut.raw.size > room) {
        while (end + step(cut.raw.data + end) <= room)
            end += step(cut.raw.data + end);
        while (end > 0 && ((unsigned char)cut.raw.data[end] & 0xc0) == 0x80)
            end--;
        cut.raw.size = end;
    }
    kept.size = lens_json_unescape(&cut, out);
    return kept;
}

static void
keep_string(struct lens_json *j, struct lens_bytes *ret, char *out, size_t room)
{
    struct lens_json_string text;

    if (lens_json_string(j, &text) && text.raw.size > 0)
        *ret = keep(&text, out, room);
}

/* A message is a string; FastAPI and Mistral put a structure there, shown as it is. */
static void
read_message(struct lens_words *w, struct lens_json *j)
{
    struct lens_json_string text = { { NULL, 0 }, 0 };

    if (lens_json_peek(j) == LENS_JSON_STRING) {
        keep_string(j, &w->complaint.message, w->message, sizeof w->message);
        return;
    }
    lens_read_raw(j, &text.raw);
    if (text.raw.size > 0)
        w->complaint.message = keep(&text, w->message, sizeof w->message);
}

static void
keep_code(struct lens_words *w, struct lens_json *j)
{
    keep_string(j, &w->complaint.code, w->code_room, sizeof w->code_room);
}

/* A code is a word, or a number that stands for an HTTP status. */
static void
read_code(struct lens_words *w, struct lens_json *j)
{
    int64_t number;

    if (lens_json_peek(j) != LENS_JSON_NUMBER) {
        keep_code(w, j);
        return;
    }
    if (!lens_json_int(j, &number) || number < 0 || number > 99999)
        return;
    if (number >= 400 && number < 600 && w->complaint.http_status == 0)
        w->complaint.http_status = (int32_t)number;
}

/* "57.2s" of Google's RetryInfo. */
static void
read_delay(struct lens_words *w, struct lens_json *j)
{
    struct lens_json_string text;
    struct lens_json number;
    double seconds;

    if (!lens_json_string(j, &text) || text.raw.size < 2 ||
        text.raw.data[text.raw.size - 1] != 's')
        return;
    lens_json_begin(&number, text.raw.data, text.raw.size - 1);
    if (lens_json_double(&number, &seconds) && lens_json_end(&number) && seconds >= 0 &&
        seconds < 1e9)
        w->retry_after_ns = (int64_t)(seconds * 1e9 + 0.5);
}

/* Replicate's "retry_after": 3. */
static void
read_seconds(struct lens_words *w, struct lens_json *j)
{
    double seconds;

    if (lens_json_peek(j) != LENS_JSON_NUMBER)
        lens_json_skip(j);
    else if (lens_json_double(j, &seconds) && seconds >= 0 && seconds < 1e9)
        w->retry_after_ns = (int64_t)(seconds * 1e9 + 0.5);
}

/* One entry of `details`: Google's reason and Anthropic's error_code are the true machine
 * codes. */
static void
read_detail(struct lens_words *w, struct lens_json *j, struct lens_bytes *code)
{
    struct lens_bytes key;
    struct lens_key_room room;

    if (!lens_read_object(j))
        return;
    while (lens_read_member(j, &key, &room)) {
        if (LENS_KEY(key, "reason") || LENS_KEY(key, "error_code"))
            lens_read_raw(j, code);
        else if (LENS_KEY(key, "retryDelay"))
            read_delay(w, j);
        else
            lens_json_skip(j);
    }
}

static void
read_details(struct lens_words *w, struct lens_json *j, struct lens_bytes *code)
{
    if (lens_json_peek(j) != LENS_JSON_ARRAY) {
        read_detail(w, j, code);
        return;
    }
    for (lens_json_array(j); lens_json_element(j);)
        read_detail(w, j, code);
}

static void
read_type(struct lens_words *w, struct lens_json *j)
{
    struct lens_json_string text;

    /* "error" names the kind of message, not of the error. */
    if (lens_json_string(j, &text) && !LENS_KEY(text.raw, "error") && text.raw.size > 0)
        w->complaint.type = keep(&text, w->type_room, sizeof w->type_room);
}

static void read_object(struct lens_words *w, struct lens_json *j);

static void
read_nested(struct lens_words *w, struct lens_bytes json)
{
    struct lens_json j;

    lens_json_begin(&j, json.data, json.size);
    if (lens_json_peek(&j) == LENS_JSON_OBJECT)
        read_object(w, &j);
    else if (lens_json_peek(&j) == LENS_JSON_STRING)
        keep_string(&j, &w->complaint.message, w->message, sizeof w->message);
}

static void
read_object(struct lens_words *w, struct lens_json *j)
{
    struct lens_bytes key, nested = { NULL, 0 }, code = { NULL, 0 }, data = { NULL, 0 };
    struct lens_key_room room;
    struct lens_json inner;

    for (lens_json_object(j); lens_read_member(j, &key, &room);) {
        if (LENS_KEY(key, "error"))
            lens_read_raw(j, &nested);
        else if (LENS_KEY(key, "message") || LENS_KEY(key, "detail") ||
                 LENS_KEY(key, "Message"))
            read_message(w, j);
        else if (LENS_KEY(key, "code") || LENS_KEY(key, "error_code"))
            read_code(w, j);
        else if (LENS_KEY(key, "type") || LENS_KEY(key, "error_type") ||
                 LENS_KEY(key, "__type"))
            read_type(w, j);
        else if (LENS_KEY(key, "status"))
            keep_string(j, &w->complaint.status_text, w->status_room,
                        sizeof w->status_room);
        else if (LENS_KEY(key, "details"))
            read_details(w, j, &code);
        else if (LENS_KEY(key, "retry_after"))
            read_seconds(w, j);
        else if (LENS_KEY(key, "data"))
            lens_read_raw(j, &data);
        else if (LENS_KEY(key, "request_id"))
            keep_string(j, &w->request_id, w->id_room, sizeof w->id_room);
        else
            lens_json_skip(j);
    }
    if (nested.size > 0)
        read_nested(w, nested);
    if (data.size > 0 && w->complaint.message.size == 0) /* Cohere */
        read_nested(w, data);
    if (code.size > 0) { /* wins over the general code beside it */
        lens_json_begin(&inner, code.data, code.size);
        keep_code(w, &inner);
    }
}

void
lens_words_clear(struct lens_words *w)
{
    memset(&w->complaint, 0, sizeof w->complaint);
    w->request_id.data = NULL;
    w->request_id.size = 0;
    w->retry_after_ns = -1;
}

int
lens_words_read(struct lens_words *w, struct lens_bytes json)
{
    struct lens_json j;

    lens_json_begin(&j, json.data, json.size);
    if (lens_json_peek(&j) == LENS_JSON_ARRAY) /* a lone error in an array */
        lens_json_find(json.data, json.size, "0", &j);
    if (lens_json_peek(&j) != LENS_JSON_OBJECT)
        return 0;
    read_object(w, &j);
    return !j.bad;
}

void
lens_words_page(struct lens_words *w, struct lens_bytes body)
{
    size_t used = 0;
    int gap = 0, tag = 0;

    for (size_t i = 0; i < body.size && used < 500; i++) {
        const char byte = body.data[i];

        if (byte == '<' || byte == '>') {
            tag = byte == '<';
            gap = 1;
        } else if (!tag && strchr(" \t\r\n", byte) == NULL) {
            if (gap && used > 0)
                w->message[used++] = ' ';
            w->message[used++] = byte;
            gap = 0;
        } else {
            gap = 1;
        }
    }
    w->complaint.message.data = w->message;
    w->complaint.message.size = used;
}

struct lens_bytes
lens_words_code(const struct lens_words *w)
{
    const struct lens_complaint *c = &w->complaint;

    if (c->code.size > 0)
        return c->code;
    return c->type.size > 0 ? c->type : c->status_text;
}

static lens_status
tell_id(struct lens_sink *sink, struct lens_bytes id)
{
    const struct lens_event e = { .struct_size = (uint32_t)sizeof e,
                                  .kind = LENS_EV_ID,
                                  .text = id };

    return id.size > 0 ? sink->event(sink, &e) : LENS_OK;
}

/* AWS says the type in a header, "Name:http://...". */
static void
read_header_type(struct lens_words *w, const struct lens_answer *a)
{
    const struct lens_bytes type =
        lens_header(a->headers, a->header_count, a->header_size, "x-amzn-errortype");

    if (type.size == 0 || type.size > sizeof w->type_room)
        return;
    memcpy(w->type_room, type.data, type.size);
    w->complaint.type.data = w->type_room;
    w->complaint.type.size = type.size;
}

lens_status
lens_emit_refusal(struct lens_sink *sink, const struct lens_answer *a)
{
    struct lens_words w;
    struct lens_failure failure = { .struct_size = (uint32_t)sizeof failure,
                                    .error_class = LENS_CLASS_HTTP_ERROR };
    const int asked = lens_should_retry(a->headers, a->header_count, a->header_size);
    lens_status st;

    lens_words_clear(&w);
    w.complaint.http_status = a->status;
    if (!lens_words_read(&w, a->body) && w.complaint.message.size == 0)
        lens_words_page(&w, a->body);
    read_header_type(&w, a);
    st = lens_head_tell(sink, a->headers, a->header_count, a->header_size,
                        &failure.request_id);
    if (failure.request_id.size == 0) {
        failure.request_id = w.request_id;
        if (st == LENS_OK)
            st = tell_id(sink, w.request_id);
    }
    failure.kind = lens_failure_kind(&w.complaint);
    failure.retryable = asked >= 0 ? asked : lens_failure_retryable(failure.kind);
    failure.retry_after_ns =
        lens_retry_after(a->headers, a->header_count, a->header_size, a->unix_ns);
    if (failure.retry_after_ns < 0)
        failure.retry_after_ns = w.retry_after_ns;
    failure.message = w.complaint.message;
    failure.code = lens_words_code(&w);
    return st == LENS_OK ? sink->fault(sink, &failure) : st;
}
