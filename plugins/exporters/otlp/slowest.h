/* slowest: the requests of an interval that took longest, kept until it is told. */
#pragma once

#include <lens/plugin.h>

struct slowest;

/* Keeps at most `most`. NULL: no memory. */
struct slowest *slowest_new(uint32_t most);
void slowest_free(struct slowest *s);
/* Takes a copy if it is among them; one that is there already is not taken twice. 0: no
 * memory. */
int slowest_offer(struct slowest *s, const struct lens_sample *sample);
uint32_t slowest_count(const struct slowest *s);
const struct lens_sample *slowest_at(const struct slowest *s, uint32_t nth);
void slowest_reset(struct slowest *s);
