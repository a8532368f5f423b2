/* fuzz-frame: a body in one piece, byte by byte and in random pieces gives the same
 * messages. */
#pragma once

#include "../split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline int
fuzz_frame(enum lens_framing framing, const uint8_t *data, size_t size)
{
    char *whole = record_split(framing, data, size, size + 1, 0);

    for (int way = 0; way < 3; way++) {
        char *cut = record_split(framing, data, size, way == 0, size * 31 + (size_t)way);

        if (strcmp(whole, cut) != 0) {
            fprintf(stderr, "whole: %s\ncut:   %s\n", whole, cut);
            abort();
        }
        free(cut);
    }
    free(whole);
    return 0;
}
