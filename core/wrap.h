/* wrap: text in columns of a page of 80. */
#pragma once

#include <stdio.h>

enum { WRAP_PAGE = 80 };

/* Prints `text` into the column that begins at `column`, where the pen is already, word
 * by word; further lines are indented to it. Ends the line. Foreign text is made
 * harmless. */
void wrap_print(FILE *out, const char *text, int column);
/* `text` and blanks up to `width` characters, and never none. */
void wrap_cell(FILE *out, const char *text, int width);
/* Width on screen, characters. */
int wrap_width(const char *text);
