/* reference-json: RFC 8259 spelled out, slow and plain. It tells where json-glib 1.6 goes
 * beyond the standard, so that everything else can be compared with json-glib itself. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct verdict {
    bool valid;          /* a JSON text of the standard, at most 256 deep */
    bool lone_surrogate; /* an escape like \ud800 alone, which json-glib refuses */
};

struct verdict reference_json(const char *data, size_t size);
