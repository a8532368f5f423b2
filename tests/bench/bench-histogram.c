/* What it costs to record a value, in ns: of a steady stream, and of values all over the
 * range. Prints one JSON object.
 *
 *   bench-histogram */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "chrono.h"
#include "histogram.h"

#define VALUES (1 << 16)
#define ROUNDS 200

static double
ns_per_record(histogram *h, double from_ns, double to_ns)
{
    g_autofree int64_t *values = g_new(int64_t, VALUES);
    unsigned seed = 1;
    int64_t start;

    for (int i = 0; i < VALUES; i++)
        values[i] =
            (int64_t)(from_ns * pow(to_ns / from_ns, rand_r(&seed) / (double)RAND_MAX));
    for (int i = 0; i < VALUES; i++)
        histogram_record(h, values[i]); /* touches the pages */
    start = chrono_thread_cpu();
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < VALUES; i++)
            histogram_record(h, values[i]);
    }
    return (double)(chrono_thread_cpu() - start) / ((double)VALUES * ROUNDS);
}

int
main(void)
{
    g_autoptr(histogram) h = histogram_new();
    const double stream = ns_per_record(h, 19e6, 21e6);
    const double range = ns_per_record(h, 1000, 3.6e12);

    printf("{\"stream_ns\": %.2f, \"range_ns\": %.2f}\n", stream, range);
    return 0;
}
