/* json-check: whether a text is one JSON value by RFC 8259, where json-glib is lenient
 * (single quotes, comments, trailing commas). Any thread. */
#pragma once

#include <stddef.h>

/* NULL when `text` is one value, alone; else what was expected, and where (a byte of
 * `text`). Nested at most 256 deep. */
const char *json_check(const char *text, size_t *ret_at);
