/* turns: the elements of the arrays of an ask, whose sizes a newer host may have grown.
 */
#pragma once

#include <lens/provider.h>

static inline const struct lens_turn *
lens_turn_at(const struct lens_ask *ask, uint32_t i)
{
    return (const struct lens_turn *)((const char *)ask->turns +
                                      (size_t)i * ask->turn_size);
}

static inline const struct lens_part *
lens_part_at(const struct lens_turn *t, uint32_t i)
{
    return (const struct lens_part *)((const char *)t->parts + (size_t)i * t->part_size);
}

static inline struct lens_bytes
lens_stop_at(const struct lens_ask *ask, uint32_t i)
{
    return *(const struct lens_bytes *)((const char *)ask->stop +
                                        (size_t)i * ask->stop_size);
}

static inline const struct lens_pair *
lens_header_at(const struct lens_ask *ask, uint32_t i)
{
    return (const struct lens_pair *)((const char *)ask->headers +
                                      (size_t)i * ask->header_size);
}
