/* flight-sink: shared by the files of a flight: its sink, its marks, its failures. */
#pragma once

#include "flight.h"

void flight_sink_init(struct lens_sink *sink, bool content);
/* Marks the try failed; the first call counts. `size` -1: `words` is terminated. */
void flight_fail(flight *f, uint32_t error_class, uint32_t kind, uint32_t where,
                 const char *words, gssize size);
/* Appends what fits the limit; makes the string when there is none. */
void flight_append(GString **text, const char *data, size_t size, size_t limit);
/* Monotonic time as time of the run; -1 stays. */
int64_t flight_run_time(const flight *f, int64_t monotonic_ns);
/* Takes over what the look under way has found. */
void flight_take_marks(flight *f);
