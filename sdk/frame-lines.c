#include <string.h>

#include "frame-cut.h"

static lens_status
emit_line(const char *line, size_t size, uint64_t start, uint64_t end, uint32_t flags,
          lens_frame_fn fn, void *user)
{
    struct lens_frame frame = { .start = start, .end = end, .flags = flags };
    size_t blank = 0;

    while (blank < size && lens_is_blank(line[blank]))
        blank++;
    if (blank == size)
        return LENS_OK;
    if (size > LENS_FRAME_LIMIT)
        return LENS_E_TOO_LARGE;
    frame.data.data = line;
    frame.data.size = size - (line[size - 1] == '\r');
    return lens_framer_emit(&frame, fn, user);
}

lens_status
lens_cut_lines(struct lens_framer *f, const char *data, size_t size, lens_frame_fn fn,
               void *user)
{
    const char *at = data, *end = data + size, *feed;
    lens_status st = LENS_OK;

    while (st >= 0 && at < end && (feed = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        const uint64_t begin = f->position + (uint64_t)(at - data);
        const uint64_t past = f->position + (uint64_t)(feed + 1 - data);
        const size_t length = (size_t)(feed - at);

        if (f->used == 0) {
            st = emit_line(at, length, begin, past, 0, fn, user);
        } else {
            st = lens_framer_keep(f, at, length);
            if (st >= 0)
                st = emit_line(f->buffer, f->used, f->start, past, 0, fn, user);
            f->used = 0;
        }
        at = feed + 1;
    }
    if (st < 0 || at == end)
        return st;
    if (f->used == 0)
        f->start = f->position + (uint64_t)(at - data);
    return lens_framer_keep(f, at, (size_t)(end - at));
}

lens_status
lens_end_lines(struct lens_framer *f, lens_frame_fn fn, void *user)
{
    return emit_line(f->buffer, f->used, f->start, f->position, LENS_FRAME_UNTERMINATED,
                     fn, user);
}
