/* native: native histograms, as the protobuf exposition and remote write carry them: both
 * say the same with other field numbers. */
#pragma once

#include "protobuf.h"
#include "state.h"

struct native_fields {
    uint32_t schema, zero_threshold, zero_count, spans, deltas;
};

/* Writes these fields, the one with the highest number first. */
void native_write(struct lens_protobuf *p, const struct exponential *h,
                  const struct native_fields *fields);
