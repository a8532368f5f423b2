/* frame-sse: the event that the lines of an SSE stream build up. Private to the SDK. */
#pragma once

#include "frame-cut.h"

/* f->state */
enum {
    STATE_OUTSIDE = 0, /* no field line since the last dispatch */
    STATE_EVENT = 1,
    STATE_RAW = 2 /* JSON outside of any event, over lines (docs/streams.md 5) */
};

/* f->kind: what the line is, as far as it has been seen. */
enum {
    LINE_UNKNOWN = 0, /* its front stands in f->head */
    LINE_SKIPPED,     /* comment or a field without meaning: no byte of it is kept */
    LINE_DATA,
    LINE_NAME,
    LINE_ERROR,
    LINE_RAW
};

/* f->marks */
enum {
    MARK_SWALLOW_LF = 1, /* the last line ended with CR */
    MARK_DATA = 2,       /* the event has a data line */
    MARK_LINE_OPEN = 4,  /* some of the line has been seen */
    MARK_VALUE_OPEN = 8, /* a space in front of the value may still come */
    MARK_IN_STRING = 16, /* raw JSON */
    MARK_ESCAPE = 32,
    MARK_AT_END = 64 /* the body ended */
};

/* Where messages go. */
struct lens_sse_outlet {
    lens_frame_fn fn;
    void *user;
};

/* Moves data that lies in the read into the buffer. */
lens_status lens_sse_keep_view(struct lens_framer *f);
/* Back to outside of any event. */
void lens_sse_forget(struct lens_framer *f);
/* Hands out the event and forgets it. */
lens_status lens_sse_dispatch(struct lens_framer *f, uint64_t end, uint32_t flags,
                              const struct lens_sse_outlet *out);
/* Begins the value of a field; a data line after the first one joins it by LF. */
lens_status lens_sse_begin_value(struct lens_framer *f);
/* A piece of the value of a field. */
lens_status lens_sse_add_value(struct lens_framer *f, const char *at, size_t size);
/* A piece of a line of raw JSON. */
lens_status lens_sse_add_raw(struct lens_framer *f, const char *at, size_t size);
/* A line of raw JSON ended. */
lens_status lens_sse_end_raw(struct lens_framer *f, uint64_t end,
                             const struct lens_sse_outlet *out);
/* The value of the error line, which stands behind the event's data. */
struct lens_bytes lens_sse_error_value(const struct lens_framer *f);
/* An error line is a message of its own; the event around it goes on. */
lens_status lens_sse_emit_error(struct lens_framer *f, uint64_t end,
                                const struct lens_sse_outlet *out);
/* The error line ended; it alone opens no event. */
void lens_sse_close_error(struct lens_framer *f);
