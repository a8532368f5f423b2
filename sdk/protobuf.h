/* protobuf: writes messages of protocol buffers back to front, so that the length of each
 * nested message is known when it is written: no second pass and no moving. Whoever
 * writes fields in falling order of their numbers gets them in rising order.
 *
 *   size_t end = lens_protobuf_begin(&p);
 *   lens_protobuf_double(&p, 2, sum);
 *   lens_protobuf_uint(&p, 1, count);
 *   lens_protobuf_end(&p, 7, end);          // field 7: a message of these two
 *
 * https://protobuf.dev/programming-guides/encoding/ */
#pragma once

#include <lens/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

/* All zero is empty. What was written are the last `size` bytes of `room`. */
struct lens_protobuf {
    unsigned char *data;
    size_t size, room;
    size_t most;    /* it never grows beyond; 0: 64 MiB */
    int32_t failed; /* no memory, or beyond `most`: the message is then cut */
};

void lens_protobuf_clear(struct lens_protobuf *p);
void lens_protobuf_reset(struct lens_protobuf *p); /* empty again, memory kept */
struct lens_bytes lens_protobuf_bytes(const struct lens_protobuf *p);

/* Each writes one field, zero and empty values too: leave them out as the message asks.
 */
void lens_protobuf_uint(struct lens_protobuf *p, uint32_t field, uint64_t value);
void lens_protobuf_sint(struct lens_protobuf *p, uint32_t field, int64_t value);
void lens_protobuf_double(struct lens_protobuf *p, uint32_t field, double value);
void lens_protobuf_bits(struct lens_protobuf *p, uint32_t field, uint64_t fixed64);
void lens_protobuf_bytes_field(struct lens_protobuf *p, uint32_t field, const void *data,
                               size_t size);
void lens_protobuf_string(struct lens_protobuf *p, uint32_t field, const char *text);

/* A nested message, or a packed field of the bare values below. */
size_t lens_protobuf_begin(const struct lens_protobuf *p);
void lens_protobuf_end(struct lens_protobuf *p, uint32_t field, size_t begin);
/* Without a tag. */
void lens_protobuf_varint(struct lens_protobuf *p, uint64_t value);
void lens_protobuf_zigzag(struct lens_protobuf *p, int64_t value);
void lens_protobuf_raw(struct lens_protobuf *p, const void *data, size_t size);

#ifdef __cplusplus
}
#endif
