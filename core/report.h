/* report: what people read at the end of a run, within 80 columns, and the lines and live
 * view while it goes on. Results go to stdout, talk to stderr. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "recorder.h"
#include "result.h"

/* The table of every result with the verdict. Colour only on a terminal and without
 * NO_COLOR. */
void report_print(const run_info *r, FILE *out);

/* The live view on stderr: redrawn in place on a terminal, a line every few seconds
 * otherwise, nothing when quiet. */
typedef struct live_view live_view;
struct live_state {
    const char *target, *stage, *note; /* note: "warm-up", "draining", NULL */
    struct live numbers;
    uint32_t in_flight;
    int64_t elapsed_ns, remaining_ns; /* remaining -1: unknown */
    double progress;                  /* 0..1; NaN: unknown */
};
live_view *live_view_new(bool quiet);
void live_view_update(live_view *v, const struct live_state *s);
/* Removes what is drawn, before something else is printed. */
void live_view_clear(live_view *v);
void live_view_free(live_view *v);
