/* split: feeds a body to a framer in pieces and writes down what comes out, as text, so
 * that two ways of cutting can be compared. Shared by unit tests and fuzz targets. */
#pragma once

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frame.h"

struct record {
    FILE *out;
    char *text;
    size_t size;
    size_t grown;  /* bytes out at host->grow */
    size_t budget; /* most that may be out; 0: any */
};

static struct record *record_of_host; /* one at a time is enough here */

static inline void *
record_grow(const struct lens_host *host, void *old, size_t old_size, size_t size)
{
    struct record *r = record_of_host;

    (void)host;
    if (size == 0) {
        free(old);
        r->grown -= old_size;
        return NULL;
    }
    if (r->budget > 0 && r->grown - old_size + size > r->budget)
        return NULL;
    r->grown += size - old_size;
    return realloc(old, size);
}

static inline lens_status
record_frame(void *user, const struct lens_frame *f)
{
    struct record *r = user;

    fprintf(r->out, "[%" PRIu64 ",%" PRIu64 ")", f->start, f->end);
    if (f->flags & LENS_FRAME_ERROR_FIELD)
        fputs(" error", r->out);
    if (f->flags & LENS_FRAME_UNTERMINATED)
        fputs(" unterminated", r->out);
    if (f->flags & LENS_FRAME_BARE)
        fputs(" bare", r->out);
    if (f->type.size > 0)
        fprintf(r->out, " type=%.*s", (int)f->type.size, f->type.data);
    if (f->name.size > 0)
        fprintf(r->out, " name=%.*s", (int)f->name.size, f->name.data);
    fputs(" ", r->out);
    fwrite(f->data.data, 1, f->data.size, r->out);
    fputs(";", r->out);
    return LENS_OK;
}

/* What a framer says of `data` given `step` bytes at a time, or in pieces of up to 7
 * bytes drawn from `seed` when step is 0. Caller frees. */
static inline char *
record_split(enum lens_framing framing, const void *data, size_t size, size_t step,
             uint64_t seed)
{
    struct record r = { 0 };
    const struct lens_host host = { .struct_size = sizeof host, .grow = record_grow };
    struct lens_framer f;
    lens_status st = LENS_OK;

    r.out = open_memstream(&r.text, &r.size);
    record_of_host = &r;
    lens_framer_init(&f, &host, framing);
    for (size_t at = 0, piece; at < size && st >= 0; at += piece) {
        char *copy;

        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        piece = step > 0 ? step : 1 + (seed >> 33) % 7;
        if (piece > size - at)
            piece = size - at;
        /* A copy of its own, so that a sanitizer sees a read past its end, and a frame
         * that outlives it. */
        copy = malloc(piece);
        memcpy(copy, (const char *)data + at, piece);
        st = lens_framer_feed(&f, copy, piece, record_frame, &r);
        free(copy);
    }
    if (st >= 0)
        st = lens_framer_finish(&f, record_frame, &r);
    fprintf(r.out, " status %d", st);
    lens_framer_clear(&f);
    fprintf(r.out, " kept %zu", r.grown);
    fclose(r.out);
    return r.text;
}
