/* A histogram that can be decoded at all keeps its buckets when it is encoded again. The
 * counts may also stand uncompressed, so that the fuzzer gets to them. */
#include <stdlib.h>

#include "histogram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct sum {
    uint64_t count, mixed;
};

static void
add_bucket(int64_t low_ns, int64_t high_ns, uint64_t count, void *data)
{
    struct sum *s = data;

    s->count += count;
    s->mixed = s->mixed * 31 + (uint64_t)(low_ns ^ high_ns) * count;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autoptr(histogram) h = histogram_decode(data, size, NULL);
    g_autoptr(histogram) again = NULL;
    g_autoptr(GBytes) bytes = NULL;
    struct sum before = { 0 }, after = { 0 };

    if (h == NULL)
        return 0;
    histogram_each(h, add_bucket, &before);
    bytes = histogram_encode(h);
    again =
        histogram_decode(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), NULL);
    if (again == NULL)
        abort();
    histogram_each(again, add_bucket, &after);
    if (before.count != after.count || before.mixed != after.mixed)
        abort();
    return 0;
}
