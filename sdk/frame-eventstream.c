#include <string.h>

#include "crc32.h"
#include "frame-cut.h"

/* The limits of the vendor's own decoders. */
#define PRELUDE 12
#define FRAME_MIN 16
#define FRAME_MAX ((uint32_t)24 * 1024 * 1024)
#define HEADERS_MAX ((uint32_t)128 * 1024)
#define VALUE_MAX 32767

enum { HEADER_BYTES = 6, HEADER_STRING = 7 };

struct header {
    struct lens_bytes name, value;
    unsigned type;
};

static uint32_t
read_u32(const char *at)
{
    const unsigned char *u = (const unsigned char *)at;

    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

/* Takes the next header off `block`; 0 when it is broken. */
static int
next_header(struct lens_bytes *block, struct header *ret)
{
    static const unsigned char fixed[] = { 0, 0, 1, 2, 4, 8, 0, 0, 8, 16 };
    const unsigned char *u = (const unsigned char *)block->data;
    size_t used = 1 + (size_t)u[0] + 1, size;

    if (block->size < used)
        return 0;
    ret->name.data = block->data + 1;
    ret->name.size = u[0];
    ret->type = u[used - 1];
    if (ret->type >= sizeof fixed)
        return 0;
    size = fixed[ret->type];
    if (ret->type == HEADER_BYTES || ret->type == HEADER_STRING) {
        if (block->size < used + 2)
            return 0;
        size = (size_t)u[used] << 8 | u[used + 1];
        used += 2;
        if (size > VALUE_MAX)
            return 0;
    }
    if (block->size - used < size)
        return 0;
    ret->value.data = block->data + used;
    ret->value.size = size;
    block->data += used + size;
    block->size -= used + size;
    return 1;
}

static int
same(const struct lens_bytes *a, const char *name, size_t size)
{
    return a->size == size && (size == 0 || memcmp(a->data, name, size) == 0);
}

/* How many headers of that name stand in `block`, which is well-formed. */
static unsigned
count_name(struct lens_bytes block, const struct lens_bytes *name)
{
    struct header h;
    unsigned count = 0;

    while (block.size > 0 && next_header(&block, &h))
        count += (unsigned)same(&h.name, name->data, name->size);
    return count;
}

/* Every header well-formed, none twice. Few have more than three, so comparing each with
 * the rest is cheap; a hostile block is held off by a bound on their number. */
static int
vet_headers(struct lens_bytes block)
{
    struct lens_bytes rest = block;
    struct header h;
    unsigned count = 0;

    while (rest.size > 0)
        if (!next_header(&rest, &h) || ++count > 1024)
            return 0;
    while (block.size > 0 && next_header(&block, &h))
        if (count_name(block, &h.name) > 0)
            return 0;
    return 1;
}

int
lens_frame_header(const struct lens_frame *frame, const char *name,
                  struct lens_bytes *ret)
{
    struct lens_bytes block = frame->headers;
    struct header h;

    while (block.size > 0 && next_header(&block, &h)) {
        if (same(&h.name, name, strlen(name)) &&
            (h.type == HEADER_BYTES || h.type == HEADER_STRING)) {
            *ret = h.value;
            return 1;
        }
    }
    return 0;
}

/* The length of the frame whose prelude this is; 0 when it is broken. */
static uint32_t
vet_prelude(const char *at)
{
    const uint32_t size = read_u32(at), headers = read_u32(at + 4);

    if (lens_crc32(0, at, 8) != read_u32(at + 8))
        return 0;
    if (size < FRAME_MIN || size > FRAME_MAX)
        return 0;
    return headers <= size - FRAME_MIN && headers <= HEADERS_MAX ? size : 0;
}

static lens_status
emit_frame(const char *at, uint32_t size, uint64_t start, lens_frame_fn fn, void *user)
{
    const uint32_t headers = read_u32(at + 4);
    struct lens_frame frame = { .start = start, .end = start + size };

    if (lens_crc32(0, at, size - 4) != read_u32(at + size - 4))
        return LENS_E_PROTOCOL;
    frame.headers.data = at + PRELUDE;
    frame.headers.size = headers;
    frame.data.data = at + PRELUDE + headers;
    frame.data.size = size - FRAME_MIN - headers;
    if (!vet_headers(frame.headers))
        return LENS_E_PROTOCOL;
    lens_frame_header(&frame, ":message-type", &frame.type);
    if (!lens_frame_header(&frame, ":event-type", &frame.name) &&
        !lens_frame_header(&frame, ":exception-type", &frame.name))
        lens_frame_header(&frame, ":error-code", &frame.name);
    return lens_framer_emit(&frame, fn, user);
}

/* Completes the frame that earlier reads began. Returns the bytes taken. */
static lens_status
go_on(struct lens_framer *f, const char *data, size_t size, size_t *ret_taken,
      lens_frame_fn fn, void *user)
{
    size_t wanted, taken = 0;
    lens_status st;

    while (taken < size) {
        wanted = f->used < PRELUDE ? PRELUDE : f->depth;
        wanted -= f->used;
        if (wanted > size - taken)
            wanted = size - taken;
        st = lens_framer_keep(f, data + taken, wanted);
        if (st < 0)
            return st;
        taken += wanted;
        if (f->used == PRELUDE && (f->depth = vet_prelude(f->buffer)) == 0)
            return LENS_E_PROTOCOL;
        if (f->used > PRELUDE && f->used == f->depth) {
            f->used = 0;
            *ret_taken = taken;
            return emit_frame(f->buffer, f->depth, f->start, fn, user);
        }
    }
    *ret_taken = taken;
    return LENS_OK;
}

lens_status
lens_cut_eventstream(struct lens_framer *f, const char *data, size_t size,
                     lens_frame_fn fn, void *user)
{
    const char *at = data, *end = data + size;
    lens_status st = LENS_OK;

    while (st >= 0 && at < end) {
        const uint64_t start = f->position + (uint64_t)(at - data);
        size_t taken = 0;

        if (f->used == 0 && (size_t)(end - at) >= PRELUDE) {
            const uint32_t length = vet_prelude(at);

            if (length == 0)
                return LENS_E_PROTOCOL;
            if (length <= (size_t)(end - at)) {
                st = emit_frame(at, length, start, fn, user);
                at += length;
                continue;
            }
        }
        if (f->used == 0)
            f->start = start;
        st = go_on(f, at, (size_t)(end - at), &taken, fn, user);
        at += taken;
    }
    return st;
}
