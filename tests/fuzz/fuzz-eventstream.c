#include "crc32.h"
#include "fuzz-frame.h"

static void
put_u32(uint8_t *at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Mends lengths and checksums, which no fuzzer would guess: the first two bytes of each
 * frame say how long its headers and its payload are. */
static void
mend(uint8_t *data, size_t size)
{
    while (size >= 16) {
        const size_t headers = data[0] < size - 16 ? data[0] : size - 16;
        const size_t rest = size - 16 - headers;
        const size_t length = 16 + headers + (data[1] < rest ? data[1] : rest);

        put_u32(data, (uint32_t)length);
        put_u32(data + 4, (uint32_t)headers);
        put_u32(data + 8, lens_crc32(0, data, 8));
        put_u32(data + length - 4, lens_crc32(0, data, length - 4));
        data += length;
        size -= length;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t *mended = malloc(size + 1);

    fuzz_frame(LENS_FRAME_EVENTSTREAM, data, size);
    if (size > 0) {
        memcpy(mended, data, size);
        mend(mended, size);
        fuzz_frame(LENS_FRAME_EVENTSTREAM, mended, size);
    }
    free(mended);
    return 0;
}
