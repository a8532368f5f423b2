#include "frame.h"

#include <string.h>

#include "frame-cut.h"

/* What a stream may keep between two answers; thousands of streams do. */
#define SMALL_BUFFER ((size_t)16 * 1024)

static const char BYTE_ORDER_MARK[] = "\xef\xbb\xbf";
#define MARK_SIZE 3
/* Value of mark_size once the front of the body has been looked at. */
#define MARK_PASSED 4

lens_status
lens_framer_keep(struct lens_framer *f, const void *data, size_t size)
{
    const size_t needed = f->used + size;

    if (size > LENS_FRAME_LIMIT || needed > LENS_FRAME_LIMIT)
        return LENS_E_TOO_LARGE;
    if (needed > f->capacity) {
        size_t wanted = f->capacity < 512 ? 512 : f->capacity * 2;
        char *grown;

        if (wanted > LENS_FRAME_LIMIT)
            wanted = LENS_FRAME_LIMIT;
        if (wanted < needed)
            wanted = needed;
        grown = f->host->grow(f->host, f->buffer, f->capacity, wanted);
        if (grown == NULL && wanted > needed) {
            wanted = needed;
            grown = f->host->grow(f->host, f->buffer, f->capacity, wanted);
        }
        if (grown == NULL)
            return LENS_E_TOO_LARGE;
        f->buffer = grown;
        f->capacity = wanted;
    }
    if (size > 0)
        memcpy(f->buffer + f->used, data, size);
    f->used = needed;
    return LENS_OK;
}

lens_status
lens_framer_emit(struct lens_frame *frame, lens_frame_fn fn, void *user)
{
    const lens_status st = fn(user, frame);

    return st < 0 ? st : LENS_OK;
}

static void
give_back(struct lens_framer *f)
{
    if (f->buffer != NULL)
        f->host->grow(f->host, f->buffer, f->capacity, 0);
    f->buffer = NULL;
    f->capacity = 0;
}

void
lens_framer_init(struct lens_framer *f, const struct lens_host *host,
                 enum lens_framing framing)
{
    memset(f, 0, sizeof *f);
    f->host = host;
    f->framing = framing;
}

void
lens_framer_reset(struct lens_framer *f, enum lens_framing framing)
{
    char *buffer;
    size_t capacity;

    if (f->capacity > SMALL_BUFFER)
        give_back(f);
    buffer = f->buffer;
    capacity = f->capacity;
    lens_framer_init(f, f->host, framing);
    f->buffer = buffer;
    f->capacity = capacity;
}

void
lens_framer_clear(struct lens_framer *f)
{
    if (f->host != NULL)
        give_back(f);
}

static lens_status
cut(struct lens_framer *f, const char *data, size_t size, lens_frame_fn fn, void *user)
{
    lens_status st = LENS_E_UNSUPPORTED;

    switch (f->framing) {
    case LENS_FRAME_SSE:
        st = lens_cut_sse(f, data, size, fn, user);
        break;
    case LENS_FRAME_NDJSON:
        st = lens_cut_lines(f, data, size, fn, user);
        break;
    case LENS_FRAME_ARRAY:
        st = lens_cut_array(f, data, size, fn, user);
        break;
    case LENS_FRAME_WHOLE:
        st = lens_framer_keep(f, data, size);
        break;
    case LENS_FRAME_EVENTSTREAM:
        st = lens_cut_eventstream(f, data, size, fn, user);
        break;
    }
    f->position += size;
    return st;
}

/* Gives the bytes that only looked like a byte order mark to the cutter. */
static lens_status
replay_mark(struct lens_framer *f, lens_frame_fn fn, void *user)
{
    const uint32_t size = f->mark_size;

    f->mark_size = MARK_PASSED;
    if (size == 0 || size >= MARK_SIZE)
        return LENS_OK;
    f->position -= size;
    return cut(f, BYTE_ORDER_MARK, size, fn, user);
}

lens_status
lens_framer_feed(struct lens_framer *f, const void *data, size_t size, lens_frame_fn fn,
                 void *user)
{
    const int text =
        f->framing != LENS_FRAME_WHOLE && f->framing != LENS_FRAME_EVENTSTREAM;
    const char *at = data, *end = at + size;

    if (f->status < 0 || size == 0)
        return f->status;
    if (text && f->mark_size != MARK_PASSED) {
        while (at < end && f->mark_size < MARK_SIZE &&
               *at == BYTE_ORDER_MARK[f->mark_size]) {
            f->mark_size++;
            f->position++;
            at++;
        }
        if (at == end)
            return LENS_OK;
        f->status = replay_mark(f, fn, user);
        if (f->status < 0)
            return f->status;
    }
    f->status = cut(f, at, (size_t)(end - at), fn, user);
    return f->status;
}

static lens_status
end_whole(struct lens_framer *f, lens_frame_fn fn, void *user)
{
    struct lens_frame frame = { .end = f->position };

    if (f->used == 0)
        return LENS_OK;
    frame.data.data = f->buffer;
    frame.data.size = f->used;
    return lens_framer_emit(&frame, fn, user);
}

lens_status
lens_framer_finish(struct lens_framer *f, lens_frame_fn fn, void *user)
{
    if (f->status >= 0 && f->mark_size < MARK_SIZE)
        f->status = replay_mark(f, fn, user);
    if (f->status < 0)
        return f->status;
    switch (f->framing) {
    case LENS_FRAME_SSE:
        f->status = lens_end_sse(f, fn, user);
        break;
    case LENS_FRAME_NDJSON:
        f->status = lens_end_lines(f, fn, user);
        break;
    case LENS_FRAME_ARRAY:
        f->status = lens_end_array(f, fn, user);
        break;
    case LENS_FRAME_WHOLE:
        f->status = end_whole(f, fn, user);
        break;
    case LENS_FRAME_EVENTSTREAM:
        f->status = f->used > 0 ? LENS_E_PROTOCOL : LENS_OK;
        break;
    }
    f->used = 0;
    return f->status;
}
