/* bounds: where the buckets of classic histograms end. */
#pragma once

#include "state.h"

/* `buckets`: bounds of times, in seconds; without it 1 ms to 80 s, gaps from 0.1 ms on.
 */
lens_status bounds_open(struct state *s, const struct lens_host *host);
const struct bounds *bounds_of(const struct state *s, const struct lens_name *name);
