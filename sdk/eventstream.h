/* eventstream: writes frames of application/vnd.amazon.eventstream; lens_framer reads
 * them. */
#pragma once

#include "text.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A string header (type 7). */
struct lens_frame_string {
    const char *name, *value;
};

/* Adds one frame with both checksums to `ret`. Names are at most 255 bytes long, values
 * at most 32767; longer ones are cut. */
void lens_write_frame(struct lens_text *ret, const struct lens_frame_string *headers,
                      unsigned header_count, struct lens_bytes payload);

#ifdef __cplusplus
}
#endif
