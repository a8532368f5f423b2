/* frame-cut: what the framings share. Private to the SDK.
 *
 * A cutter takes the bytes of one read; f->position is the body offset of the first of
 * them and is moved on by the caller. */
#pragma once

#include "frame.h"

lens_status lens_cut_sse(struct lens_framer *f, const char *data, size_t size,
                         lens_frame_fn fn, void *user);
lens_status lens_end_sse(struct lens_framer *f, lens_frame_fn fn, void *user);
lens_status lens_cut_lines(struct lens_framer *f, const char *data, size_t size,
                           lens_frame_fn fn, void *user);
lens_status lens_end_lines(struct lens_framer *f, lens_frame_fn fn, void *user);
lens_status lens_cut_array(struct lens_framer *f, const char *data, size_t size,
                           lens_frame_fn fn, void *user);
lens_status lens_end_array(struct lens_framer *f, lens_frame_fn fn, void *user);
lens_status lens_cut_eventstream(struct lens_framer *f, const char *data, size_t size,
                                 lens_frame_fn fn, void *user);

static inline int
lens_is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Appends to the buffer. */
lens_status lens_framer_keep(struct lens_framer *f, const void *data, size_t size);
/* Hands out one message; > 0 counts as LENS_OK. */
lens_status lens_framer_emit(struct lens_frame *frame, lens_frame_fn fn, void *user);
