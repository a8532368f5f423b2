/* output: files of exporters. A file of records grows by whole batches and can be gone on
 * with after a crash; a whole file is replaced at once. `-` is the standard output. */
#pragma once

#include <lens/plugin.h>

#include "text.h"

struct output {
    const struct lens_host *host;
    const char *path;
    int32_t fd;
    int32_t regular; /* can be cut */
    int64_t size;    /* of what is known to be good */
};

/* Opens a file of records for writing, as it stands; says why it cannot. */
lens_status output_open(struct output *o, const struct lens_host *host, const char *path);
void output_close(struct output *o);
/* Goes on behind `head` and `records` records that the file should hold, and cuts what
 * comes after them; 0 records: starts anew with `head`. A record ends at a line end,
 * which may stand inside double quotes when `quoted`. LENS_E_UNSUPPORTED: the file does
 * not hold them. */
lens_status output_begin(struct output *o, const struct text *head, uint64_t records,
                         int32_t quoted);
/* The same for a file of binary records: `measure` says how long the record at `data` is,
 * of which `size` bytes are there, 0: longer than that. */
typedef size_t (*output_measure)(const char *data, size_t size);
lens_status output_begin_records(struct output *o, const struct text *head,
                                 uint64_t records, output_measure measure);
/* Appends all or nothing, and sets verdict and delivered prefix for `count` records. */
lens_status output_append(struct output *o, const struct text *records, uint64_t count,
                          struct lens_delivery *delivery);

/* Whether a whole file could be put at `path`; says why not. */
lens_status output_check(const struct lens_host *host, const char *path);
/* Puts the text at `path` by a temporary file and a rename, so that no reader ever sees a
 * part of it. */
lens_status output_replace(const struct lens_host *host, const char *path,
                           const struct text *whole, struct lens_delivery *delivery);
