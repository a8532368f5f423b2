/* flight-sink: the sink of a flight, where the provider's decoder puts what it finds. */
#pragma once

#include "flight.h"

void flight_sink_init(struct lens_sink *sink, bool record_text);
/* Marks the try failed; the first call counts. `size` -1: `words` is terminated. */
void flight_fail(flight *f, uint32_t error_class, uint32_t kind, uint32_t where,
                 const char *words, gssize size);
/* Appends what fits the limit; makes the string when there is none. */
void flight_append(GString **text, const char *data, size_t size, size_t limit);
