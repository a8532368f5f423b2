#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "histogram-layout.h"
#include "histogram.h"

static int
by_value(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

/* Buckets as HdrHistogram lays them out: 512 ns up to 16.8 ms, then doubling. */
static void
buckets_are_where_hdr_has_them(void **state)
{
    static const struct {
        int64_t ns;
        uint32_t index;
        int64_t low, width;
    } cases[] = {
        { 0, 0, 0, 512 },
        { 511, 0, 0, 512 },
        { 512, 1, 512, 512 },
        { 16777215, 32767, 16776704, 512 },
        { 16777216, 32768, 16777216, 1024 },
        { 33554431, 49151, 33553408, 1024 },
        { 33554432, 49152, 33554432, 2048 },
    };

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(layout_index(cases[i].ns), cases[i].index);
        assert_int_equal(layout_value(cases[i].index), cases[i].low);
        assert_int_equal(layout_width(cases[i].index), cases[i].width);
    }
    /* 4 digits: 8 us at 200 ms. */
    assert_int_equal(layout_width(layout_index(200000000)), 8192);
    assert_true(layout_index(LAYOUT_HIGHEST_NS) < LAYOUT_COUNTS);
}

static void
every_bucket_holds_its_own_values(void **state)
{
    (void)state;
    for (uint32_t i = 0; i <= layout_index(LAYOUT_HIGHEST_NS); i++) {
        const int64_t low = layout_value(i), high = low + layout_width(i) - 1;

        if (high > LAYOUT_HIGHEST_NS)
            break;
        if (layout_index(low) != i || layout_index(high) != i)
            fail_msg("bucket %u does not hold %lld and %lld", i, (long long)low,
                     (long long)high);
    }
}

static void
an_empty_one_has_no_values(void **state)
{
    g_autoptr(histogram) h = histogram_new();

    (void)state;
    assert_int_equal(histogram_count(h), 0);
    assert_int_equal(histogram_min(h), 0);
    assert_int_equal(histogram_max(h), 0);
    assert_int_equal(histogram_quantile(h, 0.5), 0);
    assert_true(histogram_mean(h) == 0 && histogram_stddev(h) == 0);
}

static void
sums_are_exact(void **state)
{
    g_autoptr(histogram) h = histogram_new();

    (void)state;
    /* 2, 4, 4, 4, 5, 5, 7, 9 ms: mean 5, deviation 2. */
    histogram_record(h, 2000000);
    histogram_record_n(h, 4000000, 3);
    histogram_record_n(h, 5000000, 2);
    histogram_record(h, 7000000);
    histogram_record(h, 9000000);
    assert_int_equal(histogram_count(h), 8);
    assert_int_equal(histogram_min(h), 2000000);
    assert_int_equal(histogram_max(h), 9000000);
    assert_true(histogram_sum(h) == 40e6);
    assert_true(histogram_mean(h) == 5e6);
    assert_true(histogram_stddev(h) == 2e6);
}

/* Large times that differ by little: nothing must cancel. */
static void
deviation_of_close_values_is_exact(void **state)
{
    g_autoptr(histogram) h = histogram_new();

    (void)state;
    for (int i = 0; i < 1000000; i++)
        histogram_record(h, INT64_C(3599999999990) + (i % 2) * 2);
    assert_true(fabs(histogram_stddev(h) - 1) < 1e-9);
}

static void
values_out_of_range_are_kept(void **state)
{
    g_autoptr(histogram) h = histogram_new();

    (void)state;
    histogram_record(h, -5);
    histogram_record(h, LAYOUT_HIGHEST_NS);
    histogram_record(h, LAYOUT_HIGHEST_NS + 1);
    histogram_record(h, INT64_C(7200000000000));
    assert_int_equal(histogram_count(h), 4);
    assert_int_equal(histogram_overflow(h), 2);
    assert_int_equal(histogram_min(h), 0);
    assert_int_equal(histogram_max(h), INT64_C(7200000000000));
    assert_int_equal(histogram_quantile(h, 0.99), INT64_C(7200000000000));
    histogram_record(h, INT64_MAX);
    assert_true(histogram_mean(h) > 1e12);
    assert_true(isfinite(histogram_stddev(h)));
}

static void
a_quantile_needs_enough_values(void **state)
{
    static const struct {
        double q;
        uint64_t needs;
    } cases[] = { { 0.5, 2 },    { 0.75, 4 },     { 0.9, 10 },      { 0.95, 20 },
                  { 0.99, 100 }, { 0.999, 1000 }, { 0.9999, 10000 } };

    (void)state;
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(histogram_needs(cases[i].q), cases[i].needs);
}

/* Against the definition: the ceil(q*n)-th of the sorted values, off by its bucket. */
static void
quantiles_are_those_of_the_sorted_values(void **state)
{
    static const double qs[] = { 0, 0.01, 0.07, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1 };
    unsigned seed = 42;

    (void)state;
    for (int round = 0; round < 200; round++) {
        g_autoptr(histogram) h = histogram_new();
        const int n = 1 + rand_r(&seed) % 2000;
        g_autofree int64_t *values = g_new(int64_t, n);

        for (int i = 0; i < n; i++) {
            values[i] = (int64_t)exp(log(3.6e12) * rand_r(&seed) / RAND_MAX);
            histogram_record(h, values[i]);
        }
        qsort(values, (size_t)n, sizeof *values, by_value);
        for (unsigned k = 0; k < sizeof qs / sizeof *qs; k++) {
            const int rank = MAX(1, (int)ceil(qs[k] * n - 1e-9));
            const int64_t exact = values[rank - 1];
            const int64_t told = histogram_quantile(h, qs[k]);

            assert_true(llabs(told - exact) <= layout_width(layout_index(exact)) / 2);
            assert_true(told >= values[0] && told <= values[n - 1]);
        }
    }
}

static void
assert_equal(const histogram *a, const histogram *b)
{
    assert_int_equal(histogram_count(a), histogram_count(b));
    assert_int_equal(histogram_overflow(a), histogram_overflow(b));
    assert_int_equal(histogram_min(a), histogram_min(b));
    assert_int_equal(histogram_max(a), histogram_max(b));
    assert_true(histogram_sum(a) == histogram_sum(b));
    assert_true(histogram_stddev(a) == histogram_stddev(b));
    for (double q = 0; q <= 1; q += 1.0 / 64)
        assert_int_equal(histogram_quantile(a, q), histogram_quantile(b, q));
}

static void
parts_add_up_to_the_whole(void **state)
{
    g_autoptr(histogram) whole = histogram_new();
    g_autoptr(histogram) sum = histogram_new();
    unsigned seed = 7;

    (void)state;
    for (int part = 0; part < 5; part++) {
        g_autoptr(histogram) h = histogram_new();

        for (int i = 0; i < part * 1000; i++) {
            const int64_t v =
                (int64_t)rand_r(&seed) * (part == 4 ? 4000 : 1) / (1 + i % 100);

            histogram_record(h, v);
            histogram_record(whole, v);
        }
        histogram_add(sum, h);
    }
    assert_true(histogram_overflow(whole) > 0);
    assert_equal(sum, whole);
}

static void
reset_forgets_everything(void **state)
{
    g_autoptr(histogram) h = histogram_new();
    g_autoptr(histogram) fresh = histogram_new();

    (void)state;
    for (int narrow = 0; narrow < 2; narrow++) {
        for (int64_t v = 1; v < (narrow ? 2000 : 8000000000000); v *= 3)
            histogram_record(h, v);
        histogram_reset(h);
        assert_int_equal(histogram_count(h), 0);
        histogram_record(h, 5000);
        histogram_record(fresh, 5000);
        assert_equal(h, fresh);
        histogram_reset(h);
        histogram_reset(fresh);
    }
}

static void
keep_bucket(int64_t low_ns, int64_t high_ns, uint64_t count, void *data)
{
    g_string_append_printf(data, "%lld-%lld:%llu ", (long long)low_ns, (long long)high_ns,
                           (unsigned long long)count);
}

static void
buckets_are_listed_in_order(void **state)
{
    g_autoptr(histogram) h = histogram_new();
    g_autoptr(GString) seen = g_string_new(NULL);

    (void)state;
    histogram_record(h, 16777216);
    histogram_record_n(h, 600, 2);
    histogram_each(h, keep_bucket, seen);
    assert_string_equal(seen->str, "512-1023:2 16777216-16778239:1 ");
}

static void
encoding_keeps_every_bucket(void **state)
{
    g_autoptr(histogram) h = histogram_new();
    g_autoptr(histogram) back = NULL;
    g_autoptr(GBytes) bytes = NULL;
    g_autoptr(GString) before = g_string_new(NULL), after = g_string_new(NULL);

    (void)state;
    for (int64_t v = 1; v < LAYOUT_HIGHEST_NS; v = v * 5 / 4 + 1)
        histogram_record_n(h, v, (uint64_t)v % 1000 + 1);
    histogram_record_n(h, LAYOUT_HIGHEST_NS * 2, 3);
    bytes = histogram_encode(h);
    back = histogram_decode(g_bytes_get_data(bytes, NULL), g_bytes_get_size(bytes), NULL);
    assert_non_null(back);
    histogram_each(h, keep_bucket, before);
    histogram_each(back, keep_bucket, after);
    assert_string_equal(before->str, after->str);
    assert_int_equal(histogram_overflow(back), 3);
    assert_int_equal(histogram_count(back), histogram_count(h));
}

/* The bytes of the format, by hand: 1 value in bucket 1 after one empty bucket. */
static void
encoding_is_hdr_v2(void **state)
{
    static const unsigned char expected[] = {
        0x1c, 0x84, 0x93, 0x13,                         /* V2 */
        0,    0,    0,    2,                            /* bytes of counts */
        0,    0,    0,    0,                            /* offset */
        0,    0,    0,    4,                            /* digits */
        0,    0,    0,    0,    0,    0,    0x03, 0xe8, /* lowest: 1000 */
        0,    0,    0x03, 0x46, 0x30, 0xb8, 0xa0, 0x00, /* highest: 3.6e12 */
        0x3f, 0xf0, 0,    0,    0,    0,    0,    0,    /* 1.0 */
        0x01, 0x02,                                     /* -1: one zero; 1 */
    };
    g_autoptr(histogram) h = histogram_new();
    g_autoptr(GBytes) bytes = NULL;
    const unsigned char *data;
    unsigned char plain[256];
    uLongf size = sizeof plain;

    (void)state;
    histogram_record(h, 1000);
    bytes = histogram_encode(h);
    data = g_bytes_get_data(bytes, NULL);
    assert_memory_equal(data, "\x1c\x84\x93\x14", 4);
    assert_int_equal((data[4] << 24 | data[5] << 16 | data[6] << 8 | data[7]) + 8,
                     g_bytes_get_size(bytes));
    assert_int_equal(uncompress(plain, &size, data + 8, g_bytes_get_size(bytes) - 8),
                     Z_OK);
    assert_int_equal(size, sizeof expected);
    assert_memory_equal(plain, expected, sizeof expected);
}

/* Written by others: lowest 1, highest 2, 0 digits, counts 3 for value 0 and 1 for 1. */
static void
reads_other_layouts(void **state)
{
    static const unsigned char other[] = {
        0x1c, 0x84, 0x93, 0x13, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0,    0,    1,    0,    0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 6, 2,
    };
    g_autoptr(histogram) h = histogram_decode(other, sizeof other, NULL);

    (void)state;
    assert_non_null(h);
    assert_int_equal(histogram_count(h), 4);
    assert_int_equal(histogram_max(h), 1);
}

static void
garbage_is_refused(void **state)
{
    g_autoptr(histogram) h = histogram_new();
    g_autoptr(GBytes) bytes = NULL;
    g_autofree unsigned char *copy = NULL;
    gsize size;
    unsigned seed = 3;

    (void)state;
    for (int i = 0; i < 1000; i++)
        histogram_record(h, i * 10000);
    bytes = histogram_encode(h);
    size = g_bytes_get_size(bytes);
    for (gsize cut = 0; cut < size; cut++) {
        g_autoptr(GError) error = NULL;

        assert_null(histogram_decode(g_bytes_get_data(bytes, NULL), cut, &error));
        assert_non_null(error);
    }
    copy = g_malloc(size);
    for (int round = 0; round < 3000; round++) {
        g_autoptr(histogram) back = NULL;

        memcpy(copy, g_bytes_get_data(bytes, NULL), size);
        copy[(unsigned)rand_r(&seed) % size] ^= (unsigned char)(1 << rand_r(&seed) % 8);
        back = histogram_decode(copy, size, NULL); /* must only not crash */
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buckets_are_where_hdr_has_them),
        cmocka_unit_test(every_bucket_holds_its_own_values),
        cmocka_unit_test(an_empty_one_has_no_values),
        cmocka_unit_test(sums_are_exact),
        cmocka_unit_test(deviation_of_close_values_is_exact),
        cmocka_unit_test(values_out_of_range_are_kept),
        cmocka_unit_test(a_quantile_needs_enough_values),
        cmocka_unit_test(quantiles_are_those_of_the_sorted_values),
        cmocka_unit_test(parts_add_up_to_the_whole),
        cmocka_unit_test(reset_forgets_everything),
        cmocka_unit_test(buckets_are_listed_in_order),
        cmocka_unit_test(encoding_keeps_every_bucket),
        cmocka_unit_test(encoding_is_hdr_v2),
        cmocka_unit_test(reads_other_layouts),
        cmocka_unit_test(garbage_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
