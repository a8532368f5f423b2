/* plain-text: foreign text made harmless for a terminal, a log line and JSON. */
#pragma once

#include <glib.h>

/* A copy of `text` (`size` bytes, or -1: up to NUL) as valid UTF-8 in one line: escape
 * sequences, control characters and bidi marks are gone, line breaks and tabs are
 * spaces, bad bytes are U+FFFD. */
char *plain_text(const char *text, gssize size);

/* The bytes of `text` to show when no more than `limit` should be, for `%.*s`: never ends
 * within a character. */
int plain_text_cut(const char *text, int limit);
