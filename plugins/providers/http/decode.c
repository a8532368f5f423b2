/* decode: the body of an answer, from its first byte to its end. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http.h"
#include "sdk/failure.h"

static int
name_is(const struct lens_frame *f, const char *name)
{
    return name != NULL && f->name.size == strlen(name) &&
           memcmp(f->name.data, name, f->name.size) == 0;
}

static struct lens_bytes
trimmed(struct lens_bytes b)
{
    while (b.size > 0 && strchr(" \t\r\n", b.data[0]) != NULL)
        b.data++, b.size--;
    while (b.size > 0 && strchr(" \t\r\n", b.data[b.size - 1]) != NULL)
        b.size--;
    return b;
}

/* Whether the data is the literal that ends the stream. */
static int
is_done_mark(const struct http *p, struct lens_bytes data)
{
    const char *mark = p->done_data != NULL        ? p->done_data
                       : p->framing == FRAMING_SSE ? "[DONE]"
                                                   : "";
    const size_t size = strlen(mark);

    if (size == 0 || data.size < size || data.size > size + 64)
        return 0;
    data = trimmed(data);
    return data.size == size && memcmp(data.data, mark, size) == 0;
}

static int
is_looked_at(const struct http *p, const struct lens_frame *f)
{
    if (p->event_count == 0 || name_is(f, p->done_event) || name_is(f, p->error_event))
        return 1;
    for (uint32_t i = 0; i < p->event_count; i++)
        if (name_is(f, p->events[i]))
            return 1;
    return 0;
}

static lens_status
end_message(struct http_stream *s, const struct lens_frame *f, uint32_t classes,
            int64_t tokens)
{
    lens_status st = LENS_OK;

    if (classes & LENS_MSG_DONE)
        st = http_tell_usage(s);
    return st == LENS_OK ? lens_stream_message(&s->stream, classes, f, tokens) : st;
}

/* An error page of a gateway is no text of a model. */
static int
is_page(struct lens_bytes text)
{
    static const char *const fronts[] = { "<!doctype", "<html" };

    text = trimmed(text);
    for (int i = 0; i < 2; i++)
        if (text.size >= strlen(fronts[i]) &&
            strncasecmp(text.data, fronts[i], strlen(fronts[i])) == 0)
            return 1;
    return 0;
}

/* Data that is text: the event's name tells what it is. */
static lens_status
text_message(struct http_stream *s, const struct lens_frame *f)
{
    const struct http *p = s->provider;
    uint32_t classes = 0;
    lens_status st = LENS_OK;

    if (!(s->stream.flags & LENS_STREAM_OUTPUT) && is_page(f->data)) {
        st = lens_stream_broken_document(&s->stream, f->data);
        return st == LENS_OK ? end_message(s, f, LENS_MSG_ERROR, -1) : st;
    }
    if (name_is(f, p->error_event) || (f->flags & LENS_FRAME_ERROR_FIELD)) {
        if (!walk_message(&p->tree, f->data, f->name, &s->found))
            memset(s->found.values, 0, sizeof s->found.values);
        st = http_complain(s, f->data);
        return st == LENS_OK ? end_message(s, f, LENS_MSG_ERROR, -1) : st;
    }
    if (name_is(f, p->done_event) &&
        walk_message(&p->tree, f->data, f->name, &s->found)) {
        int64_t tokens;

        st = http_tell(s, f->data, &classes, &tokens);
    } else if (name_is(f, p->reasoning_event)) {
        classes = f->data.size > 0 ? LENS_MSG_REASONING : 0;
        st = http_tell_text(s, LENS_EV_REASONING, f->data);
    } else if (!name_is(f, p->done_event) &&
               (p->text_event == NULL || name_is(f, p->text_event))) {
        classes = f->data.size > 0 ? LENS_MSG_TEXT : 0;
        st = http_tell_text(s, LENS_EV_TEXT, f->data);
    }
    if (name_is(f, p->done_event))
        classes |= LENS_MSG_DONE;
    return st == LENS_OK ? end_message(s, f, classes, -1) : st;
}

static lens_status
on_message(struct lens_stream *stream, const struct lens_frame *f)
{
    struct http_stream *s = (struct http_stream *)stream;
    const struct http *p = s->provider;
    uint32_t classes = 0;
    int64_t tokens = -1;
    lens_status st;

    if (!is_looked_at(p, f))
        return lens_stream_message(stream, LENS_MSG_OTHER, f, -1);
    if (is_done_mark(p, f->data))
        return end_message(s, f, LENS_MSG_DONE, -1);
    if (p->text_data)
        return text_message(s, f);
    if (!walk_message(&p->tree, f->data, f->name, &s->found)) {
        if (name_is(f, p->done_event))
            return end_message(s, f, LENS_MSG_DONE, -1);
        if (!name_is(f, p->error_event))
            return lens_stream_broken(stream, f);
        memset(s->found.values, 0, sizeof s->found.values);
        st = http_complain(s, f->data);
        return st == LENS_OK ? end_message(s, f, LENS_MSG_ERROR, -1) : st;
    }
    st = http_tell(s, f->data, &classes, &tokens);
    if (st == LENS_OK &&
        (name_is(f, p->error_event) || (f->flags & LENS_FRAME_ERROR_FIELD))) {
        classes |= LENS_MSG_ERROR;
        st = http_complain(s, f->data);
    }
    if (name_is(f, p->done_event))
        classes |= LENS_MSG_DONE;
    return st == LENS_OK ? end_message(s, f, classes, tokens) : st;
}

/* Counts and times may follow the end; they are taken as they come. */
static lens_status
after_done(struct lens_stream *stream, const struct lens_frame *f)
{
    struct http_stream *s = (struct http_stream *)stream;
    const struct http *p = s->provider;
    const struct lens_bytes data = trimmed(f->data);
    uint32_t classes = 0;
    int64_t tokens;
    lens_status st;

    if (is_done_mark(p, data) || (data.size == 6 && memcmp(data.data, "[DONE]", 6) == 0))
        return LENS_OK;
    if (!p->text_data && walk_message(&p->tree, f->data, f->name, &s->found)) {
        s->found.piece_count = 0;
        memset(&s->found.values[SLOT_ERROR - SLOT_SINGLE], 0,
               sizeof(struct value) * (SLOT_ERROR_CODE - SLOT_ERROR + 1));
        st = http_tell(s, f->data, &classes, &tokens);
        if (st == LENS_OK && (classes & LENS_MSG_USAGE))
            return http_tell_usage(s);
        if (st != LENS_OK)
            return st;
    }
    return lens_stream_warn(stream, LENS_WARN_DATA_AFTER_DONE);
}

/* ---- documents ---- */

static lens_status
tell_document(struct http_stream *s, struct lens_bytes json)
{
    const struct lens_bytes none = { NULL, 0 };
    uint32_t classes = 0;
    int64_t tokens;

    if (!walk_message(&s->provider->tree, json, none, &s->found))
        return lens_stream_broken_document(&s->stream, json);
    return http_tell(s, json, &classes, &tokens);
}

static lens_status
on_document(struct lens_stream *stream, struct lens_bytes json)
{
    struct http_stream *s = (struct http_stream *)stream;
    const struct http *p = s->provider;
    struct lens_json j;
    struct lens_bytes element;
    lens_status st = LENS_OK;

    if (stream->streamed && p->framing != FRAMING_WHOLE)
        st = lens_stream_warn(stream, LENS_WARN_NOT_STREAMED);
    if (st != LENS_OK)
        return st;
    if (p->text_data && is_page(json))
        return lens_stream_broken_document(stream, json);
    if (p->text_data || p->framing == FRAMING_RAW)
        return http_tell_text(s, LENS_EV_TEXT, json);
    lens_json_begin(&j, json.data, json.size);
    if (p->framing != FRAMING_ARRAY || lens_json_peek(&j) != LENS_JSON_ARRAY) {
        st = tell_document(s, json);
    } else {
        for (lens_json_array(&j); st == LENS_OK && lens_json_element(&j);)
            st = lens_json_raw(&j, &element) ? tell_document(s, element) : LENS_OK;
        if (st == LENS_OK && !lens_json_end(&j))
            return lens_stream_broken_document(stream, json);
    }
    return st == LENS_OK ? http_tell_usage(s) : st;
}

/* ---- the end ---- */

/* Without a marker the end of the body is the end; a reason to finish, where there is a
 * path for it, must have come before. */
static int
is_whole(const struct lens_stream *stream)
{
    const struct http_stream *s = (const struct http_stream *)stream;
    const struct http *p = s->provider;
    const int marked =
        p->done_data != NULL || p->done_event != NULL || tree_has(&p->tree, SLOT_DONE);

    if (!(stream->flags & LENS_STREAM_MESSAGES))
        return 0;
    if (marked)
        return s->finished;
    return s->finished || !tree_has(&p->tree, SLOT_FINISH) ? LENS_STREAM_AS_USUAL : 0;
}

static lens_status
settle(struct lens_stream *stream)
{
    struct http_stream *s = (struct http_stream *)stream;
    int known = 0;
    lens_status st = http_tell_usage(s);

    for (uint32_t code = 1; code < LENS_USAGE_COUNT; code++)
        known = known || s->told[code] >= 0;
    if (st == LENS_OK && known && (stream->flags & LENS_STREAM_FAILED))
        st = lens_stream_warn(stream, LENS_WARN_USAGE_PARTIAL);
    return st;
}

/* ---- bytes ---- */

/* The framing broke: what follows cannot be told apart any more. */
static lens_status
tell_broken(struct http_stream *s, struct lens_sink *sink)
{
    lens_status st;

    s->stream.sink = sink;
    st = lens_stream_fault(&s->stream, LENS_CLASS_PROTOCOL_ERROR, LENS_KIND_PROTOCOL,
                           "the answer is not framed as option framing says");
    s->stream.sink = NULL;
    return st;
}

lens_status
http_decode(void *stream, const void *data, size_t size, struct lens_sink *sink)
{
    struct http_stream *s = stream;
    lens_status st;

    if (s->provider->framing != FRAMING_RAW || !s->stream.streamed) {
        st = lens_stream_decode(stream, data, size, sink);
        return st == LENS_E_PROTOCOL ? tell_broken(s, sink) : st;
    }
    if (size == 0)
        return LENS_OK;
    s->stream.sink = sink;
    st = http_decode_raw(s, data, size);
    s->stream.sink = NULL;
    return st;
}

lens_status
http_finish(void *stream, struct lens_sink *sink)
{
    struct http_stream *s = stream;

    if (s->provider->framing != FRAMING_RAW || !s->stream.streamed)
        return lens_stream_finish(stream, sink);
    return LENS_OK;
}

/* ---- head ---- */

static lens_status
tell_header_time(const struct time_rule *rule, struct lens_bytes value,
                 struct lens_sink *sink)
{
    struct lens_event e = { .struct_size = (uint32_t)sizeof e,
                            .kind = LENS_EV_EXTRA,
                            .name = { rule->name, strlen(rule->name) } };
    struct lens_json j;

    lens_json_begin(&j, value.data, value.size);
    if (lens_json_peek(&j) == LENS_JSON_NUMBER && lens_json_int(&j, &e.value) &&
        lens_json_end(&j))
        return sink->event(sink, &e);
    lens_json_begin(&j, value.data, value.size);
    e.code = 1;
    if (lens_json_peek(&j) != LENS_JSON_NUMBER || !lens_json_double(&j, &e.number) ||
        !lens_json_end(&j)) {
        e.code = 2;
        e.text = value;
    }
    return sink->event(sink, &e);
}

lens_status
http_head(void *stream, const struct lens_head *h, struct lens_sink *sink)
{
    struct http_stream *s = stream;
    const struct http *p = s->provider;
    lens_status st = lens_stream_head(stream, h, sink);
    struct lens_event e = { .struct_size = (uint32_t)sizeof e, .kind = LENS_EV_ID };

    if (p->id_header != NULL)
        e.text = lens_header(h->headers, h->header_count, h->header_size, p->id_header);
    if (st == LENS_OK && e.text.size > 0) {
        s->stream.flags |= LENS_STREAM_HAS_ID;
        st = sink->event(sink, &e);
    }
    for (uint32_t i = 0; i < p->time_count && st == LENS_OK; i++) {
        struct lens_bytes value;

        if (p->times[i].header == NULL)
            continue;
        value =
            lens_header(h->headers, h->header_count, h->header_size, p->times[i].header);
        if (value.size > 0)
            st = tell_header_time(&p->times[i], value, sink);
    }
    return st;
}

/* ---- life cycle ---- */

static const struct lens_stream_ops sse_ops = {
    .content_type = "text/event-stream",
    .message = on_message,
    .document = on_document,
    .after_done = after_done,
    .is_whole = is_whole,
    .settle = settle,
};

/* Nothing that servers call such streams is relied on. */
static const struct lens_stream_ops other_ops = {
    .content_type = "application/x-ndjson",
    .message = on_message,
    .document = on_document,
    .after_done = after_done,
    .is_whole = is_whole,
    .settle = settle,
};

lens_status
http_stream_reset(void *stream, int32_t streamed)
{
    struct http_stream *s = stream;

    lens_stream_start(&s->stream, s->provider->framing == FRAMING_WHOLE ? 0 : streamed);
    for (uint32_t i = 0; i < LENS_USAGE_COUNT; i++)
        s->usage[i] = s->told[i] = -1;
    /* Lines of text may begin with anything. */
    if (s->provider->text_data && s->provider->framing == FRAMING_NDJSON && streamed)
        s->stream.flags |= LENS_STREAM_EVENTS;
    s->total = -1;
    s->next_tool = s->tail_size = 0;
    s->finished = s->has_tier = 0;
    s->position = 0;
    memset(s->seen, 0, sizeof s->seen);
    return LENS_OK;
}

lens_status
http_stream_open(void *self, int32_t streamed, void **ret_stream)
{
    static const enum lens_framing framings[] = {
        [FRAMING_SSE] = LENS_FRAME_SSE,     [FRAMING_NDJSON] = LENS_FRAME_NDJSON,
        [FRAMING_ARRAY] = LENS_FRAME_ARRAY, [FRAMING_CONCATENATED] = LENS_FRAME_ARRAY,
        [FRAMING_RAW] = LENS_FRAME_WHOLE,   [FRAMING_WHOLE] = LENS_FRAME_WHOLE,
    };
    const struct http *p = self;
    struct http_stream *s = calloc(1, sizeof *s);

    if (s == NULL)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    s->provider = p;
    lens_stream_init(&s->stream, p->host, framings[p->framing],
                     p->framing == FRAMING_SSE ? &sse_ops : &other_ops);
    *ret_stream = s;
    return http_stream_reset(s, streamed);
}

void
http_stream_close(void *stream)
{
    struct http_stream *s = stream;

    if (s == NULL)
        return;
    lens_stream_clear(&s->stream);
    free(s);
}
