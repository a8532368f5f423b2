/* http1-fields: what the headers of an answer say of its body and its connection
 * (RFC 9112, 6.3 and 9.3). Sans I/O. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct http1_fields {
    int64_t length; /* -1: not said */
    bool chunked;   /* the last transfer coding */
    bool coded;     /* there is a transfer coding, so a length says nothing */
    bool keep;      /* the connection stays */
};

/* `headers`: struct lens_pair whose data are offsets into `text`. NULL, or why the answer
 * cannot be read. */
const char *http1_read_fields(const GArray *headers, const char *text, uint16_t version,
                              struct http1_fields *ret);
