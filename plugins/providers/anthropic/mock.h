/* mock: between the two halves of the mock. */
#pragma once

#include <stdbool.h>

#include "sdk/mock-kit.h"

/* Members of scratch: kind and index of the block that is open, and whether tokens are
 * only counted. */
enum { MOCK_OPEN = 0, MOCK_INDEX = 1, MOCK_COUNTING = 2 };

/* mock-write.c: adds the bytes of one step. */
void mock_write(struct lens_mock_out *o);
