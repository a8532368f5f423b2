#include <string.h>

#include "frame-sse.h"

/* Moves data that lies in the read into the buffer. */
lens_status
lens_sse_keep_view(struct lens_framer *f)
{
    const char *view = f->view;
    lens_status st;

    if (view == NULL)
        return LENS_OK;
    f->view = NULL;
    f->used = 0;
    st = lens_framer_keep(f, view, f->data_size);
    return st;
}

void
lens_sse_forget(struct lens_framer *f)
{
    f->state = STATE_OUTSIDE;
    f->marks &= MARK_SWALLOW_LF | MARK_AT_END;
    f->view = NULL;
    f->used = f->data_size = 0;
    f->name_size = 0;
}

/* Hands out the event and forgets it. */
lens_status
lens_sse_dispatch(struct lens_framer *f, uint64_t end, uint32_t flags,
                  const struct lens_sse_outlet *out)
{
    struct lens_frame frame = { .start = f->start, .end = end, .flags = flags };
    lens_status st = LENS_OK;

    frame.data.data = f->view != NULL ? f->view : f->buffer;
    frame.data.size = f->data_size;
    frame.name.data = f->name;
    frame.name.size = f->name_size;
    if (f->data_size > 0)
        st = lens_framer_emit(&frame, out->fn, out->user);
    lens_sse_forget(f);
    return st;
}

/* ---- the value of a field, by pieces ---- */

static void
add_name(struct lens_framer *f, const char *at, size_t size)
{
    const size_t room = sizeof f->name - f->name_size;

    if (size > room)
        size = room;
    memcpy(f->name + f->name_size, at, size);
    f->name_size += (uint32_t)size;
}

/* Begins the value of a field; a data line after the first one joins it by LF. */
lens_status
lens_sse_begin_value(struct lens_framer *f)
{
    lens_status st = LENS_OK;

    f->marks |= MARK_VALUE_OPEN;
    if (f->kind == LINE_NAME) {
        f->name_size = 0;
        return LENS_OK;
    }
    if (f->kind == LINE_SKIPPED)
        return LENS_OK;
    st = lens_sse_keep_view(f);
    if (st >= 0 && f->kind == LINE_DATA) {
        if (f->marks & MARK_DATA)
            st = lens_framer_keep(f, "\n", 1);
        f->marks |= MARK_DATA;
        f->data_size = f->used;
    }
    return st;
}

lens_status
lens_sse_add_value(struct lens_framer *f, const char *at, size_t size)
{
    lens_status st = LENS_OK;

    if (size > 0 && f->marks & MARK_VALUE_OPEN) {
        f->marks &= ~(uint32_t)MARK_VALUE_OPEN;
        if (*at == ' ') {
            at++;
            size--;
        }
    }
    if (f->kind == LINE_NAME) {
        add_name(f, at, size);
    } else if (f->kind == LINE_DATA || f->kind == LINE_ERROR) {
        st = lens_framer_keep(f, at, size);
        if (f->kind == LINE_DATA)
            f->data_size = f->used;
    }
    return st;
}

/* ---- JSON outside of any event ---- */

static void
count_braces(struct lens_framer *f, const char *at, size_t size)
{
    for (const char *end = at + size; at < end; at++) {
        if (f->marks & MARK_ESCAPE)
            f->marks &= ~(uint32_t)MARK_ESCAPE;
        else if (f->marks & MARK_IN_STRING && *at == '\\')
            f->marks |= MARK_ESCAPE;
        else if (*at == '"')
            f->marks ^= MARK_IN_STRING;
        else if (f->marks & MARK_IN_STRING)
            continue;
        else if (*at == '{')
            f->depth++;
        else if (*at == '}' && f->depth > 0)
            f->depth--;
    }
}

lens_status
lens_sse_add_raw(struct lens_framer *f, const char *at, size_t size)
{
    count_braces(f, at, size);
    return lens_framer_keep(f, at, size);
}

/* A line of raw JSON ended. No string goes on over a line end. */
lens_status
lens_sse_end_raw(struct lens_framer *f, uint64_t end, const struct lens_sse_outlet *out)
{
    f->marks &= ~(uint32_t)(MARK_IN_STRING | MARK_ESCAPE);
    f->data_size = f->used;
    if (f->depth == 0)
        return lens_sse_dispatch(f, end, LENS_FRAME_BARE, out);
    return lens_framer_keep(f, "\n", 1);
}

/* The value of the error line, which stands behind the event's data. */
struct lens_bytes
lens_sse_error_value(const struct lens_framer *f)
{
    struct lens_bytes value = { f->buffer, f->used - f->data_size };

    if (value.size > 0)
        value.data += f->data_size;
    return value;
}

/* An error line is a message of its own; the event around it goes on. */
lens_status
lens_sse_emit_error(struct lens_framer *f, uint64_t end,
                    const struct lens_sse_outlet *out)
{
    struct lens_frame frame = { .data = lens_sse_error_value(f),
                                .start = f->line_start,
                                .end = end,
                                .flags = LENS_FRAME_ERROR_FIELD };

    if (f->marks & MARK_AT_END)
        frame.flags |= LENS_FRAME_UNTERMINATED;
    if (frame.data.size == 0 || *frame.data.data != '{')
        return LENS_OK;
    return lens_framer_emit(&frame, out->fn, out->user);
}

/* An error line alone opens no event. */
void
lens_sse_close_error(struct lens_framer *f)
{
    f->used = f->data_size;
    if (f->start == f->line_start)
        f->state = STATE_OUTSIDE;
}
