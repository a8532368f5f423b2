/* paper: text for people within 80 columns: labels, numbers that carry a unit, wrapping,
 * and colour where a terminal wants it. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define PAPER_WIDTH 80
#define PAPER_LABEL 11 /* text starts in this column */

enum ink { INK_PLAIN, INK_BOLD, INK_DIM, INK_GOOD, INK_WARN, INK_BAD };

typedef struct paper {
    FILE *out;
    bool colour;
} paper;

/* Whether `out` is a terminal that understands more than lines. */
bool paper_is_terminal(FILE *out);
/* Colour on such a terminal, unless NO_COLOR is set. */
paper paper_on(FILE *out);
void paper_ink(const paper *p, enum ink ink, const char *text);
/* A dim label in front of the first line; NULL: only the space that it would take. */
void paper_label(const paper *p, const char *label);
/* Ends the line. Text that does not fit goes on below, under its own start; `column` is
 * where it starts. */
void paper_wrapped(const paper *p, int column, const char *text);
/* Label and wrapped text in one. */
void paper_entry(const paper *p, const char *label, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* All of these give a string that the caller frees. */
char *paper_count(uint64_t value); /* "12,345" */
char *paper_amount(double value);  /* three digits or more: "0.42", "17.1", "12,345" */
char *paper_ms(double ms);         /* "85 us", "200.1 ms", "12.3 s"; NaN: "n/a" */
char *paper_share(double ratio);   /* "98.2 %"; NaN: "n/a" */
char *paper_bytes(int64_t bytes);  /* "45 MB" */
char *paper_cut(const char *text, int width); /* at most `width` characters */
