/* stream-emit: what was read becomes events, in the order of the ABI: events of a message
 * first, then the message. */
#include <string.h>

#include "complaint.h"
#include "emit.h"
#include "stream.h"

/* Room for `size` unescaped bytes, kept for the next time. */
static char *
scratch(struct lens_stream *s, size_t size)
{
    if (size > s->scratch_size) {
        const size_t room = size < 1024 ? 1024 : size + size / 2;
        char *grown = s->host->grow(s->host, s->scratch, s->scratch_size, room);

        if (grown == NULL)
            return NULL;
        s->scratch = grown;
        s->scratch_size = room;
    }
    return s->scratch;
}

/* Name and text side by side in the scratch room. */
static lens_status
unescape(struct lens_stream *s, const struct lens_json_string *name,
         const struct lens_json_string *text, struct lens_event *e)
{
    char *room;

    e->name = name->raw;
    e->text = text->raw;
    if (!name->escaped && !text->escaped)
        return LENS_OK;
    room = scratch(s, name->raw.size + text->raw.size);
    if (room == NULL)
        return LENS_E_TOO_LARGE;
    if (name->escaped) {
        e->name.data = room;
        e->name.size = lens_json_unescape(name, room);
        room += e->name.size;
    }
    if (text->escaped) {
        e->text.data = room;
        e->text.size = lens_json_unescape(text, room);
    }
    return LENS_OK;
}

lens_status
lens_stream_text(struct lens_stream *s, uint32_t kind, uint32_t lane, uint32_t code,
                 const struct lens_json_string *name, const struct lens_json_string *text)
{
    static const struct lens_json_string none = { { NULL, 0 }, 0 };
    struct lens_event e = {
        .struct_size = (uint32_t)sizeof e, .kind = kind, .lane = lane, .code = code
    };
    lens_status st;

    name = name != NULL ? name : &none;
    text = text != NULL ? text : &none;
    if (name->raw.size == 0 && text->raw.size == 0)
        return LENS_OK;
    if (kind != LENS_EV_FINISH && !(s->sink->wants & LENS_WANT_CONTENT))
        return LENS_OK;
    st = unescape(s, name, text, &e);
    return st == LENS_OK ? s->sink->event(s->sink, &e) : st;
}

lens_status
lens_stream_word(struct lens_stream *s, uint32_t kind,
                 const struct lens_json_string *text)
{
    struct lens_event e = { .struct_size = (uint32_t)sizeof e,
                            .kind = kind,
                            .text = text->raw };
    char room[256];

    if (text->raw.size == 0 || text->raw.size > sizeof room)
        return LENS_OK;
    if (text->escaped) {
        e.text.data = room;
        e.text.size = lens_json_unescape(text, room);
    }
    return s->sink->event(s->sink, &e);
}

static lens_status
tell_once(struct lens_stream *s, uint32_t flag, uint32_t kind,
          const struct lens_json_string *text)
{
    if (text->raw.size == 0 || (s->flags & flag))
        return LENS_OK;
    s->flags |= flag;
    return lens_stream_word(s, kind, text);
}

lens_status
lens_stream_id(struct lens_stream *s, const struct lens_json_string *text)
{
    return tell_once(s, LENS_STREAM_HAS_ID, LENS_EV_ID, text);
}

lens_status
lens_stream_model(struct lens_stream *s, const struct lens_json_string *text)
{
    return tell_once(s, LENS_STREAM_HAS_MODEL, LENS_EV_MODEL, text);
}

lens_status
lens_stream_extra(struct lens_stream *s, const char *name, int64_t value)
{
    const struct lens_event e = { .struct_size = (uint32_t)sizeof e,
                                  .kind = LENS_EV_EXTRA,
                                  .value = value,
                                  .name = { name, strlen(name) } };

    return s->sink->event(s->sink, &e);
}

lens_status
lens_stream_message(struct lens_stream *s, uint32_t classes, const struct lens_frame *f,
                    int64_t tokens)
{
    lens_status st;

    if (classes & LENS_MSG_OUTPUT)
        s->flags |= LENS_STREAM_OUTPUT;
    st = s->sink->message(s->sink, classes != 0 ? classes : LENS_MSG_OTHER, f->start,
                          f->end, tokens);
    if (st == LENS_OK && (classes & LENS_MSG_DONE))
        s->flags |= LENS_STREAM_DONE;
    return st;
}

lens_status
lens_stream_warn(struct lens_stream *s, uint32_t code)
{
    const struct lens_event e = { .struct_size = (uint32_t)sizeof e,
                                  .kind = LENS_EV_WARN,
                                  .code = code };

    if (s->warned & (UINT32_C(1) << code))
        return LENS_OK;
    s->warned |= UINT32_C(1) << code;
    return s->sink->event(s->sink, &e);
}

lens_status
lens_stream_fault(struct lens_stream *s, uint32_t error_class, uint32_t kind,
                  const char *message)
{
    const struct lens_bytes words = { message, strlen(message) }, none = { NULL, 0 };

    if (s->flags & LENS_STREAM_FAILED)
        return LENS_OK;
    s->flags |= LENS_STREAM_FAILED;
    return lens_emit_fault(s->sink, error_class, kind, -1, words, none);
}

lens_status
lens_stream_complain(struct lens_stream *s, struct lens_bytes json)
{
    struct lens_failure f = { .struct_size = (uint32_t)sizeof f };
    struct lens_words w;

    if (s->flags & LENS_STREAM_FAILED)
        return LENS_OK;
    s->flags |= LENS_STREAM_FAILED;
    lens_words_clear(&w);
    if (!lens_words_read(&w, json))
        w.complaint.message = json;
    f.kind = lens_failure_kind(&w.complaint);
    /* A prompt that was refused is another thing than an answer that broke off. */
    f.error_class = f.kind == LENS_KIND_BLOCKED && !(s->flags & LENS_STREAM_OUTPUT)
                        ? LENS_CLASS_BLOCKED
                        : LENS_CLASS_STREAM_ERROR;
    f.retryable = lens_failure_retryable(f.kind);
    f.retry_after_ns = w.retry_after_ns;
    f.message = w.complaint.message;
    f.code = lens_words_code(&w);
    f.request_id = w.request_id;
    return s->sink->fault(s->sink, &f);
}

/* ---- what is no JSON ---- */

static struct lens_bytes
trimmed(struct lens_bytes b)
{
    while (b.size > 0 && strchr(" \t\r\n", b.data[0]) != NULL)
        b.data++, b.size--;
    while (b.size > 0 && strchr(" \t\r\n", b.data[b.size - 1]) != NULL)
        b.size--;
    return b;
}

static int
meant_as_json(struct lens_bytes trimmed_text)
{
    return trimmed_text.size > 0 &&
           (trimmed_text.data[0] == '{' || trimmed_text.data[0] == '[');
}

/* Whether JSON ends inside a string or an open bracket. */
int
lens_is_cut_json(struct lens_bytes json)
{
    const struct lens_bytes text = trimmed(json);
    int string = 0;
    int64_t depth = 0;

    if (!meant_as_json(text))
        return 0;
    for (size_t i = 0; i < text.size; i++) {
        const char byte = text.data[i];

        if (string && byte == '\\')
            i++;
        else if (byte == '"')
            string = !string;
        else if (!string && (byte == '{' || byte == '['))
            depth++;
        else if (!string && (byte == '}' || byte == ']'))
            depth--;
    }
    return string || depth > 0;
}

lens_status
lens_stream_broken(struct lens_stream *s, const struct lens_frame *f)
{
    lens_status st;

    /* The end of the body tells what became of it. */
    if (f->flags & LENS_FRAME_UNTERMINATED && lens_is_cut_json(f->data))
        return LENS_OK;
    if (!meant_as_json(trimmed(f->data))) {
        st = lens_stream_warn(s, LENS_WARN_NON_JSON_DATA);
        return st == LENS_OK ? lens_stream_message(s, LENS_MSG_PING, f, -1) : st;
    }
    st = lens_stream_fault(s, LENS_CLASS_PROTOCOL_ERROR, LENS_KIND_PROTOCOL,
                           "a message of the stream is broken JSON");
    return st == LENS_OK ? lens_stream_message(s, LENS_MSG_ERROR, f, -1) : st;
}

lens_status
lens_stream_broken_document(struct lens_stream *s, struct lens_bytes json)
{
    const struct lens_bytes text = trimmed(json);

    if (lens_is_cut_json(text))
        return lens_stream_fault(s, LENS_CLASS_TRUNCATED, LENS_KIND_TRUNCATED,
                                 "the answer ended inside its JSON");
    if (text.size > 0 && text.data[0] == '<')
        return lens_stream_fault(
            s, LENS_CLASS_PROTOCOL_ERROR, LENS_KIND_PROTOCOL,
            "the answer is a page (HTML), not JSON: is the URL that of the API?");
    return lens_stream_fault(s, LENS_CLASS_PROTOCOL_ERROR, LENS_KIND_PROTOCOL,
                             "the answer is not JSON");
}

/* ---- extras ---- */

/* 64-bit integers go as such, other numbers as double. */
static void
extra_number(struct lens_bytes raw, struct lens_event *e)
{
    int whole = 1;
    struct lens_json j;

    for (size_t i = 0; i < raw.size; i++)
        whole =
            whole && (raw.data[i] == '-' || (raw.data[i] >= '0' && raw.data[i] <= '9'));
    lens_json_begin(&j, raw.data, raw.size);
    if (whole && lens_json_int(&j, &e->value))
        return;
    e->code = 1;
    lens_json_begin(&j, raw.data, raw.size);
    lens_json_double(&j, &e->number);
}

static int
ends_with(struct lens_bytes text, const char *end)
{
    const size_t size = strlen(end);

    return text.size >= size && memcmp(text.data + text.size - size, end, size) == 0;
}

lens_status
lens_emit_numbers(struct lens_sink *sink, struct lens_bytes object, const char *only,
                  const char *unit)
{
    const size_t unit_size = strlen(unit);
    struct lens_json j;
    struct lens_bytes key, raw;
    lens_status st = LENS_OK;
    char name[96];

    lens_json_begin(&j, object.data, object.size);
    if (lens_json_peek(&j) != LENS_JSON_OBJECT)
        return LENS_OK;
    for (lens_json_object(&j); st == LENS_OK && lens_json_member(&j, &key);) {
        struct lens_event e = { .struct_size = (uint32_t)sizeof e,
                                .kind = LENS_EV_EXTRA };

        if (lens_json_peek(&j) != LENS_JSON_NUMBER ||
            key.size + unit_size > sizeof name ||
            (only != NULL && !ends_with(key, only))) {
            lens_json_skip(&j);
            continue;
        }
        lens_json_raw(&j, &raw);
        memcpy(name, key.data, key.size);
        memcpy(name + key.size, unit, unit_size); /* NOLINT: no string */
        e.name.data = name;
        e.name.size = key.size + unit_size;
        extra_number(raw, &e);
        st = sink->event(sink, &e);
    }
    return st;
}
