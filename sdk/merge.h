/* merge: joins two JSON objects at every depth, for request bodies whose members lie
 * inside other objects (generationConfig, inferenceConfig). */
#pragma once

#include "write.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether a text is one JSON object. */
int lens_is_object(struct lens_bytes json);
/* Writes `base` with what `over` has: members that are objects in both are joined, any
 * other member of `over` wins, also null. Both are JSON objects (lens_is_object); an
 * empty `over` leaves `base` as it is. */
void lens_write_merged(struct lens_writer *w, struct lens_bytes base,
                       struct lens_bytes over);

#ifdef __cplusplus
}
#endif
