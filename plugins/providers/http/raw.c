/* raw: a body that is text and nothing else. */
#include <string.h>

#include "http.h"

/* Bytes at the end of `data` that begin a character without its end. */
static size_t
unfinished(const char *data, size_t size)
{
    for (size_t back = 1; back <= 3 && back <= size; back++) {
        const unsigned char byte = (unsigned char)data[size - back];
        const size_t whole = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;

        if ((byte & 0xc0) != 0x80)
            return whole > back ? back : 0;
    }
    return 0;
}

/* One read is one message; a character that is cut waits for the next one. */
lens_status
http_decode_raw(struct http_stream *s, const char *data, size_t size)
{
    struct lens_frame frame = { .start = s->position, .end = s->position + size };
    const size_t known = s->tail_size;
    size_t rest, take = 0;
    lens_status st = LENS_OK;

    s->position += size;
    s->stream.flags |= LENS_STREAM_MESSAGES | LENS_STREAM_BYTES;
    while (s->tail_size > 0 && take < size &&
           ((unsigned char)data[take] & 0xc0) == 0x80 && s->tail_size < sizeof s->tail)
        s->tail[s->tail_size++] = data[take++];
    if (known > 0 && (take < size || unfinished(s->tail, s->tail_size) == 0)) {
        st =
            http_tell_text(s, LENS_EV_TEXT, (struct lens_bytes){ s->tail, s->tail_size });
        s->tail_size = 0;
    }
    if (s->tail_size > 0)
        return lens_stream_message(&s->stream, LENS_MSG_OTHER, &frame, -1);
    rest = unfinished(data + take, size - take);
    memcpy(s->tail, data + size - rest, rest);
    s->tail_size = (uint32_t)rest;
    if (st == LENS_OK && size - take - rest > 0)
        st = http_tell_text(s, LENS_EV_TEXT,
                            (struct lens_bytes){ data + take, size - take - rest });
    if (st != LENS_OK)
        return st;
    return lens_stream_message(
        &s->stream, known > 0 || size - rest > 0 ? LENS_MSG_TEXT : LENS_MSG_OTHER, &frame,
        -1);
}
