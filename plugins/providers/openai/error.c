/* error: complaints of servers, in a stream or as a failed answer, in all their shapes.
 */
#include <string.h>

#include "openai.h"

/* What a complaint says, cut to what anybody would read. */
struct words {
    char message[2048], code[128], type[128], status[128], request_id[128];
    struct lens_complaint complaint;
    struct lens_bytes id;
};

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
    size_t end = 0;

    if (cut.raw.size > room) {
        while (end + step(cut.raw.data + end) <= room)
            end += step(cut.raw.data + end);
        while (end > 0 && ((unsigned char)cut.raw.data[end] & 0xc0) == 0x80)
            end--;
        cut.raw.size = end;
    }
    return (struct lens_bytes){ out, lens_json_unescape(&cut, out) };
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
read_message(struct words *w, struct lens_json *j)
{
    struct lens_bytes raw;

    if (lens_json_peek(j) == LENS_JSON_STRING) {
        keep_string(j, &w->complaint.message, w->message, sizeof w->message);
        return;
    }
    read_raw(j, &raw);
    if (raw.size > 0) {
        const struct lens_json_string text = { raw, 0 };

        w->complaint.message = keep(&text, w->message, sizeof w->message);
    }
}

/* A code is a word, or a number that stands for an HTTP status. */
static void
read_code(struct words *w, struct lens_json *j)
{
    int64_t number;

    if (lens_json_peek(j) != LENS_JSON_NUMBER) {
        keep_string(j, &w->complaint.code, w->code, sizeof w->code);
        return;
    }
    if (!lens_json_int(j, &number) || number < 0 || number > 99999)
        return;
    if (number >= 400 && number < 600 && w->complaint.http_status == 0)
        w->complaint.http_status = (int32_t)number;
}

static void read_object(struct words *w, struct lens_json *j);

/* Google's list of details: the reason is the true machine code. */
static void
read_details(struct words *w, struct lens_json *j)
{
    struct lens_bytes key;
    struct key_room room;

    if (lens_json_peek(j) != LENS_JSON_ARRAY) {
        lens_json_skip(j);
        return;
    }
    for (lens_json_array(j); lens_json_element(j);) {
        if (lens_json_peek(j) != LENS_JSON_OBJECT) {
            lens_json_skip(j);
            continue;
        }
        for (lens_json_object(j); read_member(j, &key, &room);) {
            if (KEY(key, "reason"))
                keep_string(j, &w->complaint.code, w->code, sizeof w->code);
            else
                lens_json_skip(j);
        }
    }
}

static void
read_error_member(struct words *w, struct lens_json *j)
{
    if (lens_json_peek(j) == LENS_JSON_OBJECT)
        read_object(w, j);
    else if (lens_json_peek(j) == LENS_JSON_STRING)
        keep_string(j, &w->complaint.message, w->message, sizeof w->message);
    else
        lens_json_skip(j);
}

static void
read_type(struct words *w, struct lens_json *j)
{
    struct lens_json_string text;

    /* "error" names the kind of message, not of the error. */
    if (lens_json_string(j, &text) && !KEY(text.raw, "error") && text.raw.size > 0)
        w->complaint.type = keep(&text, w->type, sizeof w->type);
}

static void
read_object(struct words *w, struct lens_json *j)
{
    struct lens_bytes key, nested = { 0 };
    struct key_room room;
    struct lens_json inner;

    for (lens_json_object(j); read_member(j, &key, &room);) {
        if (KEY(key, "error"))
            read_raw(j, &nested);
        else if (KEY(key, "message") || KEY(key, "detail"))
            read_message(w, j);
        else if (KEY(key, "code") || KEY(key, "error_code"))
            read_code(w, j);
        else if (KEY(key, "type") || KEY(key, "error_type"))
            read_type(w, j);
        else if (KEY(key, "status"))
            keep_string(j, &w->complaint.status_text, w->status, sizeof w->status);
        else if (KEY(key, "details"))
            read_details(w, j);
        else if (KEY(key, "request_id"))
            keep_string(j, &w->id, w->request_id, sizeof w->request_id);
        else
            lens_json_skip(j);
    }
    if (nested.size > 0) {
        lens_json_begin(&inner, nested.data, nested.size);
        read_error_member(w, &inner);
    }
}

/* False: not a JSON object. */
static bool
read_words(struct words *w, struct lens_bytes json)
{
    struct lens_json j;

    lens_json_begin(&j, json.data, json.size);
    if (lens_json_peek(&j) == LENS_JSON_ARRAY) /* a lone error in an array */
        lens_json_find(json.data, json.size, "0", &j);
    if (lens_json_peek(&j) != LENS_JSON_OBJECT)
        return false;
    read_object(w, &j);
    return !j.bad;
}

static void
words_clear(struct words *w)
{
    memset(&w->complaint, 0, sizeof w->complaint);
    w->id = (struct lens_bytes){ 0 };
}

lens_status
error_tell(struct stream *s, struct lens_bytes json)
{
    struct words w;
    struct lens_failure failure = { .struct_size = sizeof failure, .retry_after_ns = -1 };

    if (s->flags & STREAM_FAILED)
        return LENS_OK;
    s->flags |= STREAM_FAILED;
    words_clear(&w);
    if (!read_words(&w, json))
        w.complaint.message = json;
    failure.kind = lens_failure_kind(&w.complaint);
    /* A prompt that was refused is another thing than an answer that broke off. */
    failure.error_class = failure.kind == LENS_KIND_BLOCKED && !(s->flags & STREAM_OUTPUT)
                              ? LENS_CLASS_BLOCKED
                              : LENS_CLASS_STREAM_ERROR;
    failure.retryable = lens_failure_retryable(failure.kind);
    failure.message = w.complaint.message;
    failure.code = w.complaint.code.size > 0 ? w.complaint.code : w.complaint.type;
    failure.request_id = w.id;
    return s->sink->fault(s->sink, &failure);
}

/* An error page or a plain line: its first words, white space joined. */
static void
read_page(struct words *w, struct lens_bytes body)
{
    size_t used = 0;
    bool gap = false, tag = false;

    for (size_t i = 0; i < body.size && used < 500; i++) {
        const char byte = body.data[i];

        if (byte == '<' || byte == '>') {
            tag = byte == '<';
            gap = true;
        } else if (!tag && strchr(" \t\r\n", byte) == NULL) {
            if (gap && used > 0)
                w->message[used++] = ' ';
            w->message[used++] = byte;
            gap = false;
        } else {
            gap = true;
        }
    }
    w->complaint.message = (struct lens_bytes){ w->message, used };
}

static lens_status
tell_id(struct lens_sink *sink, struct lens_bytes id)
{
    const struct lens_event e = { .struct_size = sizeof e,
                                  .kind = LENS_EV_ID,
                                  .text = id };

    return id.size > 0 ? sink->event(sink, &e) : LENS_OK;
}

lens_status
openai_classify(void *self, const struct lens_answer *a, struct lens_sink *sink)
{
    struct words w;
    struct lens_failure failure = { .struct_size = sizeof failure,
                                    .error_class = LENS_CLASS_HTTP_ERROR };
    const int asked = lens_should_retry(a->headers, a->header_count, a->header_size);
    lens_status st;

    (void)self;
    words_clear(&w);
    w.complaint.http_status = a->status;
    if (!read_words(&w, a->body) && w.complaint.message.size == 0)
        read_page(&w, a->body);
    st =
        head_tell(sink, a->headers, a->header_count, a->header_size, &failure.request_id);
    if (failure.request_id.size == 0) {
        failure.request_id = w.id;
        if (st == LENS_OK)
            st = tell_id(sink, w.id);
    }
    failure.kind = lens_failure_kind(&w.complaint);
    failure.retryable = asked >= 0 ? asked : lens_failure_retryable(failure.kind);
    failure.retry_after_ns =
        lens_retry_after(a->headers, a->header_count, a->header_size, a->unix_ns);
    failure.message = w.complaint.message;
    failure.code = w.complaint.code.size > 0 ? w.complaint.code : w.complaint.type;
    return st == LENS_OK ? sink->fault(sink, &failure) : st;
}
