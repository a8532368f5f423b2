/* The parts of the OTLP exporter that are arithmetic or bytes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../plugins/exporters/otlp/answers.h"
#include "../../plugins/exporters/otlp/exponential.h"
#include "../../plugins/exporters/otlp/fields.h"

/* base^low and base^high of the bucket at `index`. */
static void
assert_holds(const struct exponential *h, uint32_t at, double value)
{
    const int32_t index = h->offset + (int32_t)at;
    const double low = exp2(ldexp(index, -h->scale));
    const double high = exp2(ldexp(index + 1, -h->scale));

    assert_true(value > low * (1 - 1e-12) && value <= high * (1 + 1e-12));
}

static void
a_value_lies_in_its_bucket(void **state)
{
    static const double values[] = { 1e-5,      0.02, 0.1999, 0.2, 0.5,  1,
                                     1.0000001, 2,    3,      4,   1024, 3599.9 };

    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
        struct exponential h;

        exponential_init(&h, 0);
        assert_true(exponential_add(&h, values[i], 3));
        assert_int_equal(h.scale, 8);
        assert_int_equal(h.size, 1);
        assert_int_equal(h.counts[0], 3);
        assert_holds(&h, 0, values[i]);
        exponential_clear(&h);
    }
}

static void
powers_of_two_end_their_buckets(void **state)
{
    struct exponential h;

    (void)state;
    exponential_init(&h, 2);
    exponential_add(&h, 1, 1);
    assert_int_equal(h.offset, -1); /* (base^-1, 1] */
    exponential_reset(&h);
    exponential_add(&h, 2, 1);
    assert_int_equal(h.offset, 255);
    exponential_clear(&h);
}

static uint64_t
sum_of(const struct exponential *h)
{
    uint64_t sum = h->zero;

    for (uint32_t i = 0; i < h->size; i++)
        sum += h->counts[i];
    return sum;
}

/* Whatever the range, nothing is lost and no more buckets are used than allowed. */
static void
it_grows_coarser_and_loses_nothing(void **state)
{
    static const uint32_t most[] = { 2, 3, 16, 160, 640 };

    (void)state;
    for (size_t m = 0; m < sizeof most / sizeof most[0]; m++) {
        struct exponential h;
        double sum = 0;

        exponential_init(&h, most[m]);
        srand(1);
        for (int i = 0; i < 5000; i++) {
            const double value = exp2((double)rand() / RAND_MAX * 30 - 15);

            assert_true(exponential_add(&h, value, 1 + i % 2));
            sum += value * (1 + i % 2);
        }
        exponential_add(&h, 0, 7);
        assert_int_equal(h.count, 7507);
        assert_int_equal(sum_of(&h), 7507);
        assert_int_equal(h.zero, 7);
        assert_true(h.size <= most[m]);
        assert_true(fabs(h.sum - sum) < sum * 1e-9);
        assert_true(h.min == 0 && h.max > 1);
        exponential_clear(&h);
    }
}

/* Halving is exact: the same values give the same buckets at the coarser scale. */
static void
a_coarser_histogram_is_the_sum_of_the_finer(void **state)
{
    struct exponential fine, coarse;

    (void)state;
    exponential_init(&fine, 10000);
    exponential_init(&coarse, 40);
    srand(2);
    for (int i = 0; i < 2000; i++) {
        const double value = 0.001 * (1 + rand() % 1000);

        exponential_add(&fine, value, 1);
        exponential_add(&coarse, value, 1);
    }
    for (uint32_t i = 0; i < coarse.size; i++) {
        const int32_t shift = fine.scale - coarse.scale;
        uint64_t sum = 0;

        for (uint32_t k = 0; k < fine.size; k++)
            if ((fine.offset + (int32_t)k) >> shift == coarse.offset + (int32_t)i)
                sum += fine.counts[k];
        assert_int_equal(coarse.counts[i], sum);
    }
    exponential_clear(&fine);
    exponential_clear(&coarse);
}

/* ---- encodings ---- */

static void
a_tree_is_written_both_ways(void **state)
{
    static const uint64_t counts[] = { 1, 300 };
    static const unsigned char expected[] = { 0x08, 0xab, 0x02, 0x12,
                                              0x03, 0x01, 0xac, 0x02 };
    struct tree t = { 0 };
    struct text bytes = { 0 }, json = { 0 };
    struct node *root = tree_begin(&t);

    (void)state;
    tree_integer(&t, root, OTLP(BUCKETS_OFFSET), (uint64_t)(int64_t)-150);
    tree_packed(&t, root, OTLP(BUCKETS_COUNTS), counts, 2);
    tree_protobuf(root, &bytes);
    assert_int_equal(bytes.size, sizeof expected);
    assert_memory_equal(bytes.data, expected, sizeof expected);
    tree_json(root, &json);
    assert_int_equal(json.size, 42);
    assert_memory_equal(json.data, "{\"offset\":-150,\"bucketCounts\":[\"1\",\"300\"]}",
                        40);
    text_clear(&bytes);
    text_clear(&json);
    tree_clear(&t);
}

/* ---- answers ---- */

static void
a_partial_success_is_read_in_both_forms(void **state)
{
    static const char proto[] = "\x0a\x0b\x08\xac\x02\x12\x06too ol";
    const struct lens_bytes cases[] = { { proto, sizeof proto - 1 }, { "\x0a\x00", 2 } };
    struct lens_bytes json = { "{\"partialSuccess\":{\"rejectedSpans\":\"3\","
                               "\"errorMessage\":\"no\\n\"}}",
                               0 };
    struct partial p;

    (void)state;
    partial_protobuf(&cases[0], &p);
    assert_int_equal(p.rejected, 300);
    assert_string_equal(p.message, "too ol");
    partial_protobuf(&cases[1], &p);
    assert_int_equal(p.rejected, 0);
    for (size_t size = 0; size < cases[0].size; size++) /* cut anywhere */
        partial_protobuf(&(struct lens_bytes){ proto, size }, &p);
    json.size = strlen(json.data);
    partial_json(&json, &p);
    assert_int_equal(p.rejected, 3);
    assert_string_equal(p.message, "no\n");
}

static void
the_status_of_a_call_is_in_the_trailers(void **state)
{
    /* google.rpc.Status{8, "slow down", [RetryInfo{1.5s}]} */
    static const struct lens_pair trailers[] = {
        { { "grpc-status", 11 }, { "8", 1 } },
        { { "grpc-message", 12 }, { "slow down", 9 } },
        { { "grpc-status-details-bin", 23 },
          { "CAgSCXNsb3cgZG93bho3Cih0eXBlLmdvb2dsZWFwaXMuY29tL2dvb2dsZS5ycGMuUmV0cnlJbmZv"
            "EgsKBwgBEIDKte4B",
            96 } },
    };
    const struct lens_http_answer answer = {
        .struct_size = sizeof answer,
        .trailers = trailers,
        .trailer_count = 3,
        .trailer_size = sizeof trailers[0],
    };
    const struct lens_http_answer none = { .struct_size = sizeof none };
    struct grpc_end end;

    (void)state;
    grpc_end_read(&answer, &end);
    assert_int_equal(end.code, 8);
    assert_string_equal(end.status.message, "slow down");
    grpc_end_read(&none, &end);
    assert_int_equal(end.code, -1);
    assert_int_equal(end.status.retry_after_ns, -1);
}

static void
a_delay_is_read_from_retry_info(void **state)
{
    static const char status[] =
        "\x08\x08\x12\x04"
        "slow\x1a\x36\x0a\x28type.googleapis.com/google.rpc.RetryInfo\x12\x0a\x0a\x08\x08"
        "\x01\x10\x80\xca\xb5\xee\x01";
    struct rpc_status s;

    (void)state;
    rpc_status_protobuf(&(struct lens_bytes){ status, sizeof status - 1 }, &s);
    assert_string_equal(s.message, "slow");
    assert_int_equal(s.retry_after_ns, 1500000000);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_value_lies_in_its_bucket),
        cmocka_unit_test(powers_of_two_end_their_buckets),
        cmocka_unit_test(it_grows_coarser_and_loses_nothing),
        cmocka_unit_test(a_coarser_histogram_is_the_sum_of_the_finer),
        cmocka_unit_test(a_tree_is_written_both_ways),
        cmocka_unit_test(a_partial_success_is_read_in_both_forms),
        cmocka_unit_test(the_status_of_a_call_is_in_the_trailers),
        cmocka_unit_test(a_delay_is_read_from_retry_info),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
