/* unencode: content codings of an answer, undone while it comes (RFC 9110, 8.4.1): gzip
 * (of any number of members), deflate (with and without its zlib head), identity, and
 * lists of them. Sans I/O. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include <lens/plugin.h>

typedef struct unencoder unencoder;

enum unencode_result {
    UNENCODE_OK,
    UNENCODE_STOPPED, /* `sink` returned false */
    UNENCODE_BROKEN   /* the data is not what the coding says, or memory ran out */
};

/* Takes a part of the plain data; false: stop. */
typedef bool (*unencode_sink)(void *user, const char *data, size_t size);

/* For the value of a Content-Encoding or Transfer-Encoding header; `chunked` in it is
 * left out. Stands before `next`, which it takes over: what it gives out goes in there.
 * False: a coding is unknown, `next` stays as it was. */
bool unencoder_add(unencoder **next, struct lens_bytes codings);
void unencoder_free(unencoder *u);
/* NULL hands the data on. */
enum unencode_result unencoder_write(unencoder *u, const char *data, size_t size,
                                     unencode_sink sink, void *user);
