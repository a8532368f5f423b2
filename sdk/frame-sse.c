#include <string.h>

#include "frame-sse.h"
#include "json.h"

static const struct field {
    const char *name;
    uint32_t size, kind;
} FIELDS[] = {
    { "data:", 5, LINE_DATA },
    { "event:", 6, LINE_NAME },
    { "error:", 6, LINE_ERROR },
};
#define FIELD_COUNT (sizeof FIELDS / sizeof FIELDS[0])

/* Finds out what a line is from its front. Returns the bytes of the field's name with its
 * colon, or -1 when more must be seen. `whole`: nothing more comes. */
static int
classify(struct lens_framer *f, const char *at, size_t size, int whole)
{
    f->kind = LINE_SKIPPED;
    if (size > 0 && *at == '{' && f->state != STATE_EVENT) {
        f->kind = LINE_RAW;
        return 0;
    }
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        const struct field *field = &FIELDS[i];

        if (size >= field->size) {
            if (memcmp(at, field->name, field->size) != 0)
                continue;
            f->kind = field->kind;
            return (int)field->size;
        }
        if (memcmp(at, field->name, size) != 0)
            continue;
        if (!whole) {
            f->kind = LINE_UNKNOWN;
            return -1;
        }
        /* A field without colon has an empty value. */
        if (size == field->size - 1) {
            f->kind = field->kind;
            return (int)size;
        }
    }
    if (f->state == STATE_RAW && *at != ':')
        f->kind = LINE_RAW;
    return 0;
}

/* The line is known by now: begins it, `at` being its front. */
static lens_status
begin_line(struct lens_framer *f, const char *at, size_t size, int field_size,
           const struct lens_sse_outlet *out)
{
    lens_status st = LENS_OK;

    if (f->kind == LINE_RAW) {
        if (f->state != STATE_RAW) {
            f->start = f->line_start;
            f->state = STATE_RAW;
            f->depth = 0;
        }
        return lens_sse_add_raw(f, at, size);
    }
    if (*at == ':')
        return LENS_OK;
    /* A field ends raw JSON, complete or not: it must not eat the rest of the stream. */
    if (f->state == STATE_RAW) {
        f->data_size = f->used;
        st = lens_sse_dispatch(f, f->line_start, LENS_FRAME_BARE, out);
        if (st < 0)
            return st;
    }
    if (f->state == STATE_OUTSIDE) {
        f->start = f->line_start;
        f->state = STATE_EVENT;
    }
    f->marks |= MARK_LINE_OPEN;
    st = lens_sse_begin_value(f);
    return st < 0 ? st
                  : lens_sse_add_value(f, at + field_size, size - (size_t)field_size);
}

/* Some bytes of a line whose end has not been seen. */
static lens_status
push_line(struct lens_framer *f, const char *at, size_t size,
          const struct lens_sse_outlet *out)
{
    lens_status st = LENS_OK;

    f->marks |= MARK_LINE_OPEN;
    while (size > 0 && f->kind == LINE_UNKNOWN) {
        int field_size;

        f->head[f->head_size++] = *at++;
        size--;
        field_size = classify(f, f->head, f->head_size, 0);
        if (field_size >= 0) {
            st = begin_line(f, f->head, f->head_size, field_size, out);
            if (st < 0)
                return st;
        }
    }
    if (f->kind == LINE_RAW)
        return lens_sse_add_raw(f, at, size);
    return f->kind == LINE_UNKNOWN ? st : lens_sse_add_value(f, at, size);
}

/* The end of a line that was pushed. */
static lens_status
end_line(struct lens_framer *f, uint64_t end, const struct lens_sse_outlet *out)
{
    lens_status st = LENS_OK;

    if (f->kind == LINE_UNKNOWN) {
        const int field_size = classify(f, f->head, f->head_size, 1);

        st = begin_line(f, f->head, f->head_size, field_size, out);
    }
    if (st >= 0 && f->kind == LINE_RAW)
        st = lens_sse_end_raw(f, end, out);
    if (st >= 0 && f->kind == LINE_ERROR) {
        st = lens_sse_emit_error(f, end, out);
        lens_sse_close_error(f);
    }
    f->kind = LINE_UNKNOWN;
    f->head_size = 0;
    f->marks &= ~(uint32_t)(MARK_LINE_OPEN | MARK_VALUE_OPEN);
    return st;
}

/* A line that lies whole in the read: the first data line of an event stays there. */
static lens_status
whole_line(struct lens_framer *f, const char *at, size_t size, uint64_t end,
           const struct lens_sse_outlet *out)
{
    if (size >= 5 && !(f->marks & MARK_DATA) && f->state != STATE_RAW &&
        memcmp(at, "data:", 5) == 0) {
        const size_t front = 5 + (size > 5 && at[5] == ' ');

        if (f->state == STATE_OUTSIDE) {
            f->start = f->line_start;
            f->state = STATE_EVENT;
        }
        f->marks |= MARK_DATA;
        f->view = at + front;
        f->data_size = size - front;
        return f->data_size > LENS_FRAME_LIMIT ? LENS_E_TOO_LARGE : LENS_OK;
    }
    if (size > 0) {
        const lens_status st = push_line(f, at, size, out);

        return st < 0 ? st : end_line(f, end, out);
    }
    if (f->state == STATE_RAW)
        return LENS_OK;
    return lens_sse_dispatch(f, end, 0, out);
}

lens_status
lens_cut_sse(struct lens_framer *f, const char *data, size_t size, lens_frame_fn fn,
             void *user)
{
    const struct lens_sse_outlet out = { fn, user };
    const char *at = data, *end = data + size;
    const char *feed = at, *carriage = at; /* next of each, `end` when there is none */
    lens_status st = LENS_OK;

    if (f->marks & MARK_SWALLOW_LF) {
        f->marks &= ~(uint32_t)MARK_SWALLOW_LF;
        at += *at == '\n';
    }
    while (st >= 0 && at < end) {
        const char *stop;
        uint64_t past;

        if (feed <= at && (feed = memchr(at, '\n', (size_t)(end - at))) == NULL)
            feed = end;
        if (carriage <= at && (carriage = memchr(at, '\r', (size_t)(end - at))) == NULL)
            carriage = end;
        stop = feed < carriage ? feed : carriage;
        if (!(f->marks & MARK_LINE_OPEN))
            f->line_start = f->position + (uint64_t)(at - data);
        if (stop == end) {
            st = push_line(f, at, (size_t)(end - at), &out);
            break;
        }
        past = f->position + (uint64_t)(stop + 1 - data);
        if (f->marks & MARK_LINE_OPEN) {
            st = push_line(f, at, (size_t)(stop - at), &out);
            if (st >= 0)
                st = end_line(f, past, &out);
        } else {
            st = whole_line(f, at, (size_t)(stop - at), past, &out);
        }
        at = stop + 1;
        if (*stop == '\r' && at == end)
            f->marks |= MARK_SWALLOW_LF;
        else if (*stop == '\r' && *at == '\n')
            at++;
    }
    return st < 0 ? st : lens_sse_keep_view(f);
}

/* Rule 6: what may be delivered although its end never came. */
static int
is_complete(struct lens_bytes text)
{
    const char *data = text.data;
    const size_t size = text.size;
    struct lens_json j;
    size_t blank = 0;

    while (blank < size && lens_is_blank(data[blank]))
        blank++;
    if (size - blank >= 6 && memcmp(data + blank, "[DONE]", 6) == 0)
        return 1;
    lens_json_begin(&j, data, size);
    return lens_json_skip(&j) && lens_json_end(&j);
}

lens_status
lens_end_sse(struct lens_framer *f, lens_frame_fn fn, void *user)
{
    const struct lens_sse_outlet out = { fn, user };
    const int raw = f->state == STATE_RAW || f->kind == LINE_RAW;
    struct lens_bytes data;
    lens_status st = LENS_OK;

    f->marks |= MARK_AT_END;
    /* A cut error line must not come out as one. */
    if (f->kind == LINE_ERROR && !is_complete(lens_sse_error_value(f)))
        f->kind = LINE_SKIPPED;
    if (f->marks & MARK_LINE_OPEN)
        st = end_line(f, f->position, &out);
    if (st < 0 || f->state == STATE_OUTSIDE)
        return st;
    data.data = f->buffer;
    data.size = f->data_size;
    if (raw || data.size == 0 || !is_complete(data)) {
        lens_sse_forget(f);
        return LENS_OK;
    }
    return lens_sse_dispatch(f, f->position, LENS_FRAME_UNTERMINATED, &out);
}
