/* Our half of the proof against hdr-histogram-js: check.js is the other.
 *
 *   hdr-peer write   a JSON array of histograms: name, encoding, count, overflow, and for
 *                    each quantile the bucket that holds it
 *   hdr-peer read    reads one encoding (base64) a line, prints count and quantiles */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "histogram.h"

static const double quantiles[] = { 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1 };

struct search {
    int64_t value_ns, low_ns, high_ns;
};

static void
find_bucket(int64_t low_ns, int64_t high_ns, uint64_t count, void *data)
{
    struct search *s = data;

    (void)count;
    if (s->value_ns >= low_ns && s->value_ns <= high_ns) {
        s->low_ns = low_ns;
        s->high_ns = high_ns;
    }
}

static void
write_one(const char *name, const histogram *h, bool last)
{
    g_autoptr(GBytes) bytes = histogram_encode(h);
    gsize size;
    const guchar *data = g_bytes_get_data(bytes, &size);
    g_autofree char *text = g_base64_encode(data, size);

    printf("{\"name\": \"%s\", \"encoding\": \"%s\", \"count\": %llu, "
           "\"overflow\": %llu, \"quantiles\": [",
           name, text, (unsigned long long)histogram_count(h),
           (unsigned long long)histogram_overflow(h));
    for (unsigned i = 0; i < G_N_ELEMENTS(quantiles); i++) {
        struct search s = { .value_ns = histogram_quantile(h, quantiles[i]) };

        histogram_each(h, find_bucket, &s);
        printf("%s{\"q\": %g, \"low\": %lld, \"high\": %lld}", i > 0 ? ", " : "",
               quantiles[i], (long long)s.low_ns, (long long)s.high_ns);
    }
    printf("]}%s\n", last ? "" : ",");
}

/* 100,000 values, so that every quantile is a whole rank. */
static histogram *
spread(double from_ns, double to_ns)
{
    histogram *h = histogram_new();
    unsigned seed = 1;

    for (int i = 0; i < 100000; i++)
        histogram_record(h, (int64_t)(from_ns * pow(to_ns / from_ns,
                                                    rand_r(&seed) / (double)RAND_MAX)));
    return h;
}

static void
write_all(void)
{
    g_autoptr(histogram) range = spread(1000, 3.6e12), stream = spread(19e6, 21e6);
    g_autoptr(histogram) beyond = spread(1000, 1e9), one = histogram_new();
    g_autoptr(histogram) many = histogram_new();

    histogram_record_n(beyond, INT64_C(7200000000000), 3);
    histogram_record(one, 123456789);
    histogram_record_n(many, 5000000, 4000000000);
    histogram_record_n(many, 6000000, 1000000);
    puts("[");
    write_one("whole range", range, false);
    write_one("a stream", stream, false);
    write_one("beyond an hour", beyond, false);
    write_one("one value", one, false);
    write_one("billions", many, true);
    puts("]");
}

static int
read_all(void)
{
    char *line = NULL;
    size_t capacity = 0;

    while (getline(&line, &capacity, stdin) > 0) {
        g_autoptr(GError) error = NULL;
        g_autoptr(histogram) h = NULL;
        g_autofree guchar *data = NULL;
        gsize size;

        data = g_base64_decode(g_strchomp(line), &size);
        h = histogram_decode(data, size, &error);
        if (h == NULL) {
            fprintf(stderr, "%s\n", error->message);
            return 1;
        }
        printf("{\"count\": %llu, \"quantiles\": [",
               (unsigned long long)histogram_count(h));
        for (unsigned i = 0; i < G_N_ELEMENTS(quantiles); i++)
            printf("%s{\"q\": %g, \"value\": %lld}", i > 0 ? ", " : "", quantiles[i],
                   (long long)histogram_quantile(h, quantiles[i]));
        puts("]}");
    }
    free(line);
    return 0;
}

int
main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "write") == 0)
        write_all();
    else if (argc == 2 && strcmp(argv[1], "read") == 0)
        return read_all();
    else
        return 2;
    return 0;
}
