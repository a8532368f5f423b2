/* calibrate: lens measured by lens: this program's `run` against its own `mock`, as child
 * processes, and the difference between what was reported and what was done. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

enum { CALIBRATE_P50, CALIBRATE_P99, CALIBRATE_MAX, CALIBRATE_STATS };

typedef struct calibrate_settings {
    const char *program;             /* path of lens */
    const char *const *plugin_flags; /* handed to both children; NULL-terminated */
    int64_t ttft_ns, itl_ns, tokens;
} calibrate_settings;

/* Milliseconds; NAN: too few samples to tell. */
struct calibrate_numbers {
    double ttft[CALIBRATE_STATS], itl[CALIBRATE_STATS];
};

struct calibrate_row {
    int64_t concurrency, requests;
    const char *clock; /* "kernel" or "user" */
    struct calibrate_numbers reported, truth;
    double merged; /* messages that are known as an interval only */
    char *verdict;
};

typedef struct calibrator calibrator;

/* Starts the mock. */
calibrator *calibrator_new(const calibrate_settings *s, GError **error);
void calibrator_free(calibrator *c); /* ends it */
/* One run. `row` holds concurrency, requests and clock, and gets the rest. */
bool calibrator_measure(calibrator *c, struct calibrate_row *row, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(calibrator, calibrator_free)
