/* write: builds JSON and text for request bodies and mock answers in a buffer of the
 * host, by pieces. Allocates nothing itself. */
#pragma once

#include <lens/provider.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where pieces go: lens_host.req_body, lens_host.append or anything of that shape. */
struct lens_writer {
    void *to;
    lens_status (*put)(void *to, const void *data, size_t size);
    lens_status status; /* the first failure; later pieces are dropped */
    size_t used;
    char piece[1024]; /* small pieces are joined before they go out */
};

void lens_write_begin(struct lens_writer *w, void *to,
                      lens_status (*put)(void *to, const void *data, size_t size));
void lens_write(struct lens_writer *w, const char *text);
void lens_write_bytes(struct lens_writer *w, const void *data, size_t size);
void lens_write_int(struct lens_writer *w, int64_t value);
void lens_write_double(struct lens_writer *w,
                       double value); /* shortest that reads back */
/* The digits alone, as above, of what is finite; returns how many. No NUL. */
#define LENS_DIGITS 40
size_t lens_digits_int(int64_t value, char ret[LENS_DIGITS]);
size_t lens_digits_double(double value, char ret[LENS_DIGITS]);
/* Seconds since 1970 as "2026-11-21T15:04:05Z" (RFC 3339), with quotes. */
void lens_write_time(struct lens_writer *w, int64_t unix_s);
/* With quotes and escapes; invalid UTF-8 becomes U+FFFD. */
void lens_write_string(struct lens_writer *w, const void *data, size_t size);
/* Base64 with padding, without quotes. */
void lens_write_base64(struct lens_writer *w, const void *data, size_t size);
/* All text parts of all turns as one JSON string, parts by LF: for protocols with one
 * prompt. */
void lens_write_prompt(struct lens_writer *w, const struct lens_ask *ask);
/* Sends what is left and returns the first failure. */
lens_status lens_write_end(struct lens_writer *w);

#ifdef __cplusplus
}
#endif
