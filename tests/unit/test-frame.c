#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../split.h"

struct body {
    enum lens_framing framing;
    const char *wire;
    const char *messages; /* as record_frame writes them, then the status */
};

/* Positions: the first byte of the first field line, one past the blank line. */
static const struct body BODIES[] = {
    { LENS_FRAME_SSE, "", " status 0" },
    { LENS_FRAME_SSE, "data: a\n\n", "[0,9) a; status 0" },
    { LENS_FRAME_SSE, "data:a\r\rdata:  b\r\n\r\n", "[0,8) a;[8,19)  b; status 0" },
    { LENS_FRAME_SSE,
      "\xef\xbb\xbf"
      "data: a\n\n",
      "[3,12) a; status 0" },
    { LENS_FRAME_SSE,
      "\xef\xbb"
      "data: a\n\n",
      " status 0" },
    { LENS_FRAME_SSE, "\n\n\ndata: a\n\n", "[3,12) a; status 0" },
    { LENS_FRAME_SSE, ": keep-alive\n\n:\n\ndata: a\n\n", "[17,26) a; status 0" },
    { LENS_FRAME_SSE, "event: ping\n\ndata: a\n\n", "[13,22) a; status 0" },
    { LENS_FRAME_SSE, "event: x\nid: 7\nretry: 5\ndata: a\nevent: y\n\n",
      "[0,42) name=y a; status 0" },
    { LENS_FRAME_SSE, "data: a\ndata\ndata:\ndata:b\n\n", "[0,27) a\n\n\nb; status 0" },
    { LENS_FRAME_SSE, "data\n\ndata:\n\ndata: \n\n", " status 0" },
    { LENS_FRAME_SSE, "data\ndata\n\n", "[0,11) \n; status 0" },
    { LENS_FRAME_SSE, "database: a\ndat: a\nDATA: a\n data: a\n\n", " status 0" },
    { LENS_FRAME_SSE, "data: a\x0b\x0c\xc2\x85\xe2\x80\xa8z\n\n",
      "[0,17) a\x0b\x0c\xc2\x85\xe2\x80\xa8z; status 0" },
    { LENS_FRAME_SSE, "data: a\r\n: c\r\ndata: b\r\n\r\n", "[0,24) a\nb; status 0" },
    /* the end of the body */
    { LENS_FRAME_SSE, "data: a", " status 0" },
    { LENS_FRAME_SSE, "data: a\n", " status 0" },
    { LENS_FRAME_SSE, "data: [DONE]", "[0,12) unterminated [DONE]; status 0" },
    { LENS_FRAME_SSE, "data:  [DONE] \n", "[0,15) unterminated  [DONE] ; status 0" },
    { LENS_FRAME_SSE, "data: {\"a\":1}\n", "[0,14) unterminated {\"a\":1}; status 0" },
    { LENS_FRAME_SSE, "event: x\ndata: {\"a\":1}",
      "[0,22) unterminated name=x {\"a\":1}; status 0" },
    { LENS_FRAME_SSE, "data: {\"a\":1", " status 0" },
    { LENS_FRAME_SSE, "data: {}\ndata: {", " status 0" },
    /* in-band errors */
    { LENS_FRAME_SSE, "error: {\"e\":1}\n\ndata: a\n\n",
      "[0,15) error {\"e\":1};[16,25) a; status 0" },
    { LENS_FRAME_SSE, "data: a\nerror: {\"e\":1}\ndata: b\n\n",
      "[8,23) error {\"e\":1};[0,32) a\nb; status 0" },
    { LENS_FRAME_SSE, "error: no\n\n", " status 0" },
    { LENS_FRAME_SSE, "error: {\"e\":1}",
      "[0,14) error unterminated {\"e\":1}; status 0" },
    { LENS_FRAME_SSE, "error: {\"e\":", " status 0" },
    /* JSON outside of any event */
    { LENS_FRAME_SSE, "{\"e\":1}\ndata: a\n\n",
      "[0,8) bare {\"e\":1};[8,17) a; status 0" },
    { LENS_FRAME_SSE, "data: a\n\n{\n \"e\": \"}\\\"}\"\n\n}\r\ndata: b\n\n",
      "[0,9) a;[9,27) bare {\n \"e\": \"}\\\"}\"\n};[28,37) b; status 0" },
    { LENS_FRAME_SSE, "{\"e\":1}", "[0,7) bare {\"e\":1}; status 0" },
    { LENS_FRAME_SSE, "{\"e\":", " status 0" },
    { LENS_FRAME_SSE, "{\"e\": \"\n: c\ndata: a\n\n",
      "[0,12) bare {\"e\": \"\n;[12,21) a; status 0" },
    { LENS_FRAME_SSE, "event: x\n{\"e\":1}\ndata: a\n\n", "[0,26) name=x a; status 0" },

    { LENS_FRAME_NDJSON, "{\"a\":1}\n\n \r\n{}\r\n{\"b\":2}",
      "[0,8) {\"a\":1};[12,16) {};[16,23) unterminated {\"b\":2}; status 0" },
    { LENS_FRAME_NDJSON, "\xef\xbb\xbf{}\n", "[3,6) {}; status 0" },
    { LENS_FRAME_NDJSON, "\n \n", " status 0" },

    { LENS_FRAME_ARRAY, "[{\"a\":\"]}\\\"\"}\n,\r\n{}\n]\n",
      "[1,13) {\"a\":\"]}\\\"\"};[17,19) {}; status 0" },
    { LENS_FRAME_ARRAY, " [ ] ", " status 0" },
    { LENS_FRAME_ARRAY, "", " status 0" },
    { LENS_FRAME_ARRAY, "[1,\"a\\\"\",[[]],null]",
      "[1,2) 1;[3,8) \"a\\\"\";[9,13) [[]];[14,18) null; status 0" },
    { LENS_FRAME_ARRAY, "{\"error\":1}", "[0,11) bare {\"error\":1}; status 0" },
    { LENS_FRAME_ARRAY, "[{}", "[1,3) {}; status -5" },
    { LENS_FRAME_ARRAY, "[{", " status -5" },
    { LENS_FRAME_ARRAY, "[{},]", "[1,3) {}; status -5" },
    { LENS_FRAME_ARRAY, "[{}{}]", "[1,3) {}; status -5" },
    { LENS_FRAME_ARRAY, "[]x", " status -5" },
    { LENS_FRAME_ARRAY, "<html>", " status -5" },

    { LENS_FRAME_WHOLE, "{\n}\n", "[0,4) {\n}\n; status 0" },
    { LENS_FRAME_WHOLE, "", " status 0" },
};

/* Whatever the cut, the same messages, and every byte of host memory given back. */
static void
assert_record(enum lens_framing framing, const void *wire, size_t size,
              const char *messages)
{
    char *expected;

    assert_true(asprintf(&expected, "%s kept 0", messages) > 0);
    for (size_t step = 1; step <= size + 1; step++) {
        char *seen = record_split(framing, wire, size, step, 0);

        assert_string_equal(seen, expected);
        free(seen);
    }
    free(expected);
}

static void
same_messages_for_every_split(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof BODIES / sizeof BODIES[0]; i++)
        assert_record(BODIES[i].framing, BODIES[i].wire, strlen(BODIES[i].wire),
                      BODIES[i].messages);
}

static size_t
from_hex(const char *hex, uint8_t *out)
{
    size_t size = 0;

    for (; hex[0] != '\0'; hex += 2)
        assert_int_equal(sscanf(hex, "%2hhx", &out[size++]), 1);
    return size;
}

/* The published vectors of the vendor's own tests, and what must be refused. */
static void
event_stream_vectors(void **state)
{
    static const struct {
        const char *hex, *messages;
    } vectors[] = {
        { "000000100000000005c248eb7d98c8ff", "[0,16) ; status 0" },
        { "0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936",
          "[0,29) {'foo':'bar'}; status 0" },
        { "0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c69636174"
          "696f6e2f6a736f6e7b27666f6f273a27626172277d8d9c08b1",
          "[0,61) {'foo':'bar'}; status 0" },
        { "0000005200000042bf23637e0d3a6d6573736167652d747970650700056572726f720b3a"
          "6572726f722d636f6465070004636f64650e3a6572726f722d6d65737361676507"
          "00076d6573736167656b6cea3d",
          "[0,82) type=error name=code ; status 0" },
        { "000000620000005203b5cb9c013000013101013202020133030003013404000000040135"
          "0500000000000000050136060005627974657301370700047574663801380800000000"
          "000000080139093031323334353637383961626364656663353671",
          "[0,98) ; status 0" },
        { "0100001d00000000fd528c5a7b27666f6f273a27626172277dc3653936", " status -5" },
        { "0000001d00000000fd528c5a7b27666f6f273a27626172278dc3653936", " status -5" },
        { "000000100000000005c248eb7d98c8fe", " status -5" },
        { "000000100000000005c248eb7d98c8", " status -5" },
        { "000000100000000005c248eb7d98c8ff00", "[0,16) ; status -5" },
    };
    uint8_t wire[512];

    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++)
        assert_record(LENS_FRAME_EVENTSTREAM, wire, from_hex(vectors[i].hex, wire),
                      vectors[i].messages);
}

/* A feed of one byte a read must not become slow or wrong when the line is huge. */
static void
an_event_of_the_limit_passes_and_one_byte_more_does_not(void **state)
{
    const size_t size = LENS_FRAME_LIMIT + 8;
    char *wire = malloc(size + 1), *seen;

    (void)state;
    memset(wire, 'x', size + 1);
    memcpy(wire, "data: ", 6);
    memcpy(wire + size - 2, "\n\n", 2);
    for (size_t step = 65536; step < 3 * size; step *= 2048) {
        seen = record_split(LENS_FRAME_SSE, wire, size, step, 0);
        assert_memory_equal(seen, "[0,67108872) xxxx", 17);
        assert_non_null(strstr(seen, "; status 0 kept 0"));
        free(seen);
    }
    memcpy(wire + size - 2, "x\n\n", 3);
    for (size_t step = 65536; step < 3 * size; step *= 2048) {
        seen = record_split(LENS_FRAME_SSE, wire, size + 1, step, 0);
        assert_string_equal(seen, " status -7 kept 0");
        free(seen);
    }
    free(wire);
}

/* A comment without end is no reason to keep anything. */
static void
what_has_no_meaning_takes_no_memory(void **state)
{
    static const char *const fronts[] = { ":", "id: ", "unknown" };
    struct record r = { .budget = 1 };
    const struct lens_host host = { .struct_size = sizeof host, .grow = record_grow };
    char junk[4096];

    (void)state;
    memset(junk, 'x', sizeof junk);
    record_of_host = &r;
    for (size_t i = 0; i < 3; i++) {
        struct lens_framer f;

        lens_framer_init(&f, &host, LENS_FRAME_SSE);
        assert_int_equal(
            lens_framer_feed(&f, fronts[i], strlen(fronts[i]), record_frame, &r), 0);
        for (int k = 0; k < 100; k++)
            assert_int_equal(lens_framer_feed(&f, junk, sizeof junk, record_frame, &r),
                             0);
        lens_framer_clear(&f);
    }
    record_of_host = NULL;
}

static lens_status
refuse(void *user, const struct lens_frame *f)
{
    (void)f;
    ++*(int *)user;
    return LENS_E_FAILED;
}

static void
a_failure_sticks_until_the_reset(void **state)
{
    struct record r = { 0 };
    const struct lens_host host = { .struct_size = sizeof host, .grow = record_grow };
    struct lens_framer f;
    int calls = 0;

    (void)state;
    record_of_host = &r;
    lens_framer_init(&f, &host, LENS_FRAME_SSE);
    assert_int_equal(lens_framer_feed(&f, "data: a\n\ndata: b\n\n", 18, refuse, &calls),
                     LENS_E_FAILED);
    assert_int_equal(lens_framer_feed(&f, "data: c\n\n", 9, refuse, &calls),
                     LENS_E_FAILED);
    assert_int_equal(lens_framer_finish(&f, refuse, &calls), LENS_E_FAILED);
    assert_int_equal(calls, 1);
    lens_framer_reset(&f, LENS_FRAME_NDJSON);
    assert_int_equal(lens_framer_feed(&f, "{}\n", 3, refuse, &calls), LENS_E_FAILED);
    assert_int_equal(calls, 2);
    lens_framer_clear(&f);
    assert_int_equal(r.grown, 0);
    record_of_host = NULL;
}

static void
long_event_names_are_cut_alike(void **state)
{
    char wire[400], expected[400];

    (void)state;
    snprintf(wire, sizeof wire, "event: %0300d\ndata: a\n\n", 7);
    snprintf(expected, sizeof expected, "[0,317) name=%0128d a; status 0", 0);
    assert_record(LENS_FRAME_SSE, wire, strlen(wire), expected);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_messages_for_every_split),
        cmocka_unit_test(event_stream_vectors),
        cmocka_unit_test(an_event_of_the_limit_passes_and_one_byte_more_does_not),
        cmocka_unit_test(what_has_no_meaning_takes_no_memory),
        cmocka_unit_test(a_failure_sticks_until_the_reset),
        cmocka_unit_test(long_event_names_are_cut_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
