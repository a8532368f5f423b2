/* text: bytes that grow, for what is built off the per-token path: URLs, bodies that are
 * signed, tokens. One flag remembers that memory ran out, so a builder checks once. */
#pragma once

#include <lens/abi.h>

#ifdef __cplusplus
extern "C" {
#endif

/* All zero is an empty text. `data` is NULL or ends in a NUL that does not count. */
struct lens_text {
    char *data;
    size_t size, room;
    int32_t failed; /* memory ran out: what was added since is missing */
};

/* Wipes and frees: a text may have held a secret. The text is empty and usable then. */
void lens_text_clear(struct lens_text *t);
/* Empty again, memory kept. */
void lens_text_reset(struct lens_text *t);
void lens_text_add(struct lens_text *t, const char *text);
void lens_text_add_bytes(struct lens_text *t, const void *data, size_t size);
/* Percent-encoded (RFC 3986): all but letters, digits, `-._~` and the bytes of `keep`. */
void lens_text_add_percent(struct lens_text *t, const void *data, size_t size,
                           const char *keep);
/* A pair of application/x-www-form-urlencoded, after `&` unless it is the first. */
void lens_text_add_form(struct lens_text *t, const char *name, const void *value,
                        size_t size);
/* Base64 with padding (RFC 4648, 4), or the form for URLs without (5). */
void lens_text_add_base64(struct lens_text *t, const void *data, size_t size);
void lens_text_add_base64url(struct lens_text *t, const void *data, size_t size);
/* The same as `put` of a lens_writer: `to` is a struct lens_text. */
lens_status lens_text_put(void *to, const void *data, size_t size);
/* Terminated text, "" when empty. */
const char *lens_text_get(const struct lens_text *t);
struct lens_bytes lens_text_bytes(const struct lens_text *t);

/* Decodes either form of base64, with or without padding; line ends are passed over.
 * `out` has room for size / 4 * 3 + 3 bytes. Returns the length, or -1: not base64. */
int64_t lens_base64_decode(const void *data, size_t size, void *out);

#ifdef __cplusplus
}
#endif
