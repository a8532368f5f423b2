/* shuffle: a permutation of 0..count-1 that is computed place by place, so that no list
 * of `count` numbers is kept and any thread may ask for any place. */
#pragma once

#include <stdint.h>

/* What lies at `place` (< count) in the permutation that `key` names. */
uint64_t shuffle_at(uint64_t key, uint64_t place, uint64_t count);
