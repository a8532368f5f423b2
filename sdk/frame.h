/* frame: cuts a body into messages, wherever the reads cut it. Sans I/O.
 *
 * A message that lies whole inside the bytes given is handed out in place; only what is
 * incomplete is kept, in memory from host->grow. Positions are offsets in the body. */
#pragma once

#include <lens/host.h>

#ifdef __cplusplus
extern "C" {
#endif

enum lens_framing {
    LENS_FRAME_SSE = 1,        /* text/event-stream, docs/streams.md 5 */
    LENS_FRAME_NDJSON = 2,     /* one JSON text a line */
    LENS_FRAME_ARRAY = 3,      /* [ {..}, {..} ], element by element */
    LENS_FRAME_WHOLE = 4,      /* one message at the end of the body */
    LENS_FRAME_EVENTSTREAM = 5 /* application/vnd.amazon.eventstream, both CRCs checked */
};

/* Flags of a frame. */
enum {
    LENS_FRAME_ERROR_FIELD = 1,  /* SSE: the line was `error: {...}` */
    LENS_FRAME_UNTERMINATED = 2, /* delivered at the end of the body, without its end */
    LENS_FRAME_BARE = 4 /* SSE: JSON that stands outside any event; ARRAY: a value that
                           stands outside of the array */
};

struct lens_frame {
    struct lens_bytes data; /* SSE: data lines joined by LF; event stream: payload */
    struct lens_bytes
        name; /* SSE: event field; event stream: :event-type or :exception-type */
    struct lens_bytes type;    /* event stream: :message-type */
    struct lens_bytes headers; /* event stream: raw headers block */
    uint64_t start, end;       /* in the body; end exclusive */
    uint32_t flags;
};

/* Returning < 0 stops the framer, which returns the same. */
typedef lens_status (*lens_frame_fn)(void *data, const struct lens_frame *);

/* Longest line, event or element; one byte more is LENS_E_TOO_LARGE. */
#define LENS_FRAME_LIMIT ((size_t)64 * 1024 * 1024)
/* Longer names of SSE events are cut. */
#define LENS_FRAME_NAME 128

/* Lives in the user's own struct; nothing in it is for the user. */
struct lens_framer {
    const struct lens_host *host;
    enum lens_framing framing;
    lens_status status; /* the first failure; sticks */
    char *buffer;       /* what is incomplete */
    size_t used, capacity;
    uint64_t position; /* body offset of the next byte given */
    uint64_t start;    /* body offset of the message that is being collected */
    uint32_t state, depth, marks, kind;
    uint64_t line_start; /* SSE: body offset of the line */
    const char *view;    /* SSE: data that still lies in the read, `used` bytes */
    size_t data_size;    /* SSE: of the event, in front of the buffer */
    uint32_t mark_size, head_size, name_size;
    char head[8]; /* SSE: front of a line whose field is not known yet */
    char name[LENS_FRAME_NAME];
};

void lens_framer_init(struct lens_framer *f, const struct lens_host *host,
                      enum lens_framing framing);
/* Back to the start of a body; keeps a small buffer, gives a big one back. */
void lens_framer_reset(struct lens_framer *f, enum lens_framing framing);
void lens_framer_clear(struct lens_framer *f);
/* LENS_E_TOO_LARGE past LENS_FRAME_LIMIT or the host's limits, LENS_E_PROTOCOL for a
 * broken frame (CRC, length, headers) or array. A failure sticks until the reset. */
lens_status lens_framer_feed(struct lens_framer *f, const void *data, size_t size,
                             lens_frame_fn fn, void *user);
/* End of the body: delivers an unfinished message where the rules say so (SSE rule 6:
 * `[DONE]` or complete JSON; NDJSON and WHOLE: what is there), else drops it.
 * LENS_E_PROTOCOL when a frame of the event stream, or an element or the bracket of an
 * array is missing its end: whether that means `truncated` is the decoder's to say. */
lens_status lens_framer_finish(struct lens_framer *f, lens_frame_fn fn, void *user);

/* Event stream: value of a string or byte-array header of a frame; 0 when missing. */
int lens_frame_header(const struct lens_frame *frame, const char *name,
                      struct lens_bytes *ret);

#ifdef __cplusplus
}
#endif
