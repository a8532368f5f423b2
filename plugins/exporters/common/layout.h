/* layout: a file that says what another program's file looks like: its columns, or its
 * JSON document, and which of our values stand there. data/layouts/README.md. */
#pragma once

#include "column.h"
#include "json.h"
#include "text.h"

struct layout {
    const struct lens_host *host;
    char *path;
    struct text file;
    enum rows rows;
    int32_t pairs;              /* one line a column: its title and its value */
    char *pair_titles[2];       /* the header of these */
    int32_t no_header;          /* of a CSV */
    struct columns columns;     /* of a table */
    struct lens_bytes document; /* of a JSON document; empty: a table */
};

/* Reads the layout NAME of those that come along, or the file NAME (with a slash, or
 * ending in .json), which must be for `format`: "csv", "json" or "jsonl". Whatever it
 * does not understand is refused, with the place. */
lens_status layout_load(struct layout *l, const struct lens_host *host, const char *name,
                        const char *format);
void layout_clear(struct layout *l);
/* A value of the document: {"field": ..., "decimals": ..., ...} at the cursor becomes the
 * last of `c`. */
lens_status layout_column(struct layout *l, struct lens_json *j, struct columns *c,
                          const char *title);
