#include "fuzz-frame.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_frame(LENS_FRAME_SSE, data, size);
}
