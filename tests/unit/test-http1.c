/* The client's reader of answers: what is one, where it ends, what is refused, and that
 * the cuts of the network change nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "http1.h"

#define OK_HEAD "HTTP/1.1 200 OK\r\n"
#define CHUNKED OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"

struct expected {
    const char *wire;
    enum http1_step last; /* HTTP1_MORE: goes on */
    uint16_t version, status;
    bool keep, may_close;
    const char *body, *rest;
    const char *headers; /* "name=value|..." */
};

static const struct expected CASES[] = {
    { OK_HEAD "Content-Length: 5\r\n\r\nhello", HTTP1_END, 11, 200, true, true, "hello",
      "", "Content-Length=5|" },
    { OK_HEAD "Content-Length: 5\r\n\r\nhelloHTTP", HTTP1_END, 11, 200, true, true,
      "hello", "HTTP", NULL },
    { "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", HTTP1_END, 11, 200, true, true, "", "",
      NULL },
    { "HTTP/1.1 404 Not Found Here\nContent-Length:1\n\nx", HTTP1_END, 11, 404, true,
      true, "x", "", "Content-Length=1|" },
    { "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", HTTP1_END, 10, 200, false, true,
      "x", "", NULL },
    { "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 1\r\n\r\nx",
      HTTP1_END, 10, 200, true, true, "x", "", NULL },
    { OK_HEAD "Connection: foo, CLOSE\r\nContent-Length: 1\r\n\r\nx", HTTP1_END, 11, 200,
      false, true, "x", "", NULL },
    { OK_HEAD "Connection: close\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
      HTTP1_END, 11, 200, false, true, "x", "", NULL },
    { OK_HEAD "Content-Length: 3\r\nContent-Length: 3, 3\r\n\r\nabc", HTTP1_END, 11, 200,
      true, true, "abc", "", NULL },
    /* headers */
    { OK_HEAD "A:  b \t\r\nfolded: one\r\n two\r\n\t three \r\nEmpty:\r\n more\r\nno "
              "colon\r\nspace : x\r\nContent-Length: 0\r\n\r\n",
      HTTP1_END, 11, 200, true, true, "", "",
      "A=b|folded=one two three|Empty=more|space=x|Content-Length=0|" },
    { "HTTP/1.1 100 Continue\r\nX: 1\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: "
      "a\r\n\r\n" OK_HEAD "Content-Length: 2\r\n\r\nab",
      HTTP1_END, 11, 200, true, true, "ab", "", "Content-Length=2|" },
    /* no body */
    { "HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n", HTTP1_END, 11, 204, true,
      true, "", "", NULL },
    { "HTTP/1.1 304 Not Modified\r\n\r\n", HTTP1_END, 11, 304, true, true, "", "", NULL },
    /* until the end of the connection */
    { OK_HEAD "\r\nabc", HTTP1_MORE, 11, 200, false, true, "abc", "", NULL },
    { OK_HEAD "Transfer-Encoding: gzip\r\nContent-Length: 1\r\n\r\nabc", HTTP1_MORE, 11,
      200, false, true, "abc", "", NULL },
    /* chunks */
    { CHUNKED "3\r\nabc\r\nA;x=\"y\"\r\n0123456789\r\n0\r\n\r\n", HTTP1_END, 11, 200,
      true, true, "abc0123456789", "", NULL },
    { CHUNKED "0003 \r\nabc\r\n000;last\r\nTrailer: 1\r\nOther: 2\r\n\r\nrest", HTTP1_END,
      11, 200, true, true, "abc", "rest", "Transfer-Encoding=chunked|" },
    { OK_HEAD "TRANSFER-ENCODING: Chunked\n\n1\nz\n0\n\n", HTTP1_END, 11, 200, true, true,
      "z", "", NULL },
    { OK_HEAD "Transfer-Encoding: gzip, chunked\r\n\r\n1\r\nz\r\n0\r\n\r\n", HTTP1_END,
      11, 200, true, true, "z", "", NULL },
    { OK_HEAD "Transfer-Encoding: identity\r\nContent-Length: 1\r\n\r\nz", HTTP1_END, 11,
      200, true, true, "z", "", NULL },
    { OK_HEAD "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"
              "1\r\nz\r\n0\r\n\r\n",
      HTTP1_END, 11, 200, true, true, "z", "", NULL },
    /* the connection is not kept: somebody may have read it by the length */
    { OK_HEAD
      "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nz\r\n0\r\n\r\n",
      HTTP1_END, 11, 200, false, true, "z", "", NULL },
    /* not complete */
    { "", HTTP1_MORE, 0, 0, false, false, "", "", NULL },
    { "HTTP/1.", HTTP1_MORE, 0, 0, false, false, "", "", NULL },
    { OK_HEAD "A: b\r\n", HTTP1_MORE, 11, 200, false, false, "", "", NULL },
    { OK_HEAD "Content-Length: 5\r\n\r\nhell", HTTP1_MORE, 11, 200, true, false, "hell",
      "", NULL },
    { CHUNKED "5\r\nhel", HTTP1_MORE, 11, 200, true, false, "hel", "", NULL },
    { CHUNKED "1\r\nx\r\n0\r\n", HTTP1_MORE, 11, 200, true, false, "x", "", NULL },
    { CHUNKED "1\r\nx\r", HTTP1_MORE, 11, 200, true, false, "x", "", NULL },
    /* refused */
    { "\r\n\r\n", HTTP1_BAD, 0, 0, false, false, "", NULL, NULL },
    { "SSH-2.0-OpenSSH_9.2\r\n", HTTP1_BAD, 0, 0, false, false, "", NULL, NULL },
    { "HTTP/2 200 OK\r\n", HTTP1_BAD, 0, 0, false, false, "", NULL, NULL },
    { "HTTP/9.9 200 OK\r\n", HTTP1_BAD, 0, 0, false, false, "", NULL, NULL },
    { "http/1.1 200 OK\r\n", HTTP1_BAD, 0, 0, false, false, "", NULL, NULL },
    { "HTTP/1.1 20 OK\r\n", HTTP1_BAD, 0, 0, false, false, "", NULL, NULL },
    { "HTTP/1.1 2000 OK\r\n", HTTP1_BAD, 0, 0, false, false, "", NULL, NULL },
    { "HTTP/1.1 099 OK\r\n", HTTP1_BAD, 0, 0, false, false, "", NULL, NULL },
    { "HTTP/1.1  200 OK\r\n", HTTP1_BAD, 0, 0, false, false, "", NULL, NULL },
    { "HTTP/1.x 200 OK\r\n", HTTP1_BAD, 0, 0, false, false, "", NULL, NULL },
    { OK_HEAD "Content-Length: -5\r\n\r\n", HTTP1_BAD, 11, 200, false, false, "", NULL,
      NULL },
    { OK_HEAD "Content-Length: +5\r\n\r\n", HTTP1_BAD, 11, 200, false, false, "", NULL,
      NULL },
    { OK_HEAD "Content-Length:\r\n\r\n", HTTP1_BAD, 11, 200, false, false, "", NULL,
      NULL },
    { OK_HEAD "Content-Length: 5 5\r\n\r\n", HTTP1_BAD, 11, 200, false, false, "", NULL,
      NULL },
    { OK_HEAD "Content-Length: 99999999999999999999\r\n\r\n", HTTP1_BAD, 11, 200, false,
      false, "", NULL, NULL },
    { OK_HEAD "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", HTTP1_BAD, 11, 200, false,
      false, "", NULL, NULL },
    { OK_HEAD "Content-Length: 5, 6\r\n\r\n", HTTP1_BAD, 11, 200, false, false, "", NULL,
      NULL },
    { OK_HEAD "Transfer-Encoding: chunked, gzip\r\n\r\n", HTTP1_BAD, 11, 200, false,
      false, "", NULL, NULL },
    { OK_HEAD "Transfer-Encoding: chunked, gzip, chunked\r\n\r\n", HTTP1_BAD, 11, 200,
      false, false, "", NULL, NULL },
    { "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n" OK_HEAD "\r\n", HTTP1_BAD,
      11, 101, false, false, "", NULL, NULL },
    { CHUNKED "zz\r\n", HTTP1_BAD, 11, 200, true, false, "", NULL, NULL },
    { CHUNKED "-1\r\n", HTTP1_BAD, 11, 200, true, false, "", NULL, NULL },
    { CHUNKED " 1\r\nx\r\n", HTTP1_BAD, 11, 200, true, false, "", NULL, NULL },
    { CHUNKED "0x1\r\nx\r\n", HTTP1_BAD, 11, 200, true, false, "", NULL, NULL },
    { CHUNKED "\r\nx\r\n", HTTP1_BAD, 11, 200, true, false, "", NULL, NULL },
    { CHUNKED "ffffffffffffffffff\r\nx", HTTP1_BAD, 11, 200, true, false, "", NULL,
      NULL },
    { CHUNKED "1\r\nxy\r\n0\r\n\r\n", HTTP1_BAD, 11, 200, true, false, "x", NULL, NULL },
    { CHUNKED "1\r\nx\r\r\n0\r\n\r\n", HTTP1_BAD, 11, 200, true, false, "x", NULL, NULL },
};

struct reader {
    http1 h;
    GArray *headers;
    GString *text, *body, *seen;
    enum http1_step last;
    bool head;
    size_t taken;
};

static void
reader_init(struct reader *r)
{
    *r = (struct reader){ .headers = g_array_new(FALSE, FALSE, sizeof(struct lens_pair)),
                          .text = g_string_new(NULL),
                          .body = g_string_new(NULL),
                          .seen = g_string_new(NULL) };
    http1_begin(&r->h, r->headers, r->text);
}

static void
reader_clear(struct reader *r)
{
    http1_clear(&r->h);
    g_array_unref(r->headers);
    g_string_free(r->text, TRUE);
    g_string_free(r->body, TRUE);
    g_string_free(r->seen, TRUE);
}

static void
keep_headers(struct reader *r)
{
    r->head = true;
    for (unsigned i = 0; i < r->headers->len; i++) {
        const struct lens_pair *p = &g_array_index(r->headers, struct lens_pair, i);

        g_string_append_len(r->seen, r->text->str + GPOINTER_TO_SIZE(p->name.data),
                            (gssize)p->name.size);
        g_string_append_c(r->seen, '=');
        g_string_append_len(r->seen, r->text->str + GPOINTER_TO_SIZE(p->value.data),
                            (gssize)p->value.size);
        g_string_append_c(r->seen, '|');
    }
}

static bool
is_last(enum http1_step step)
{
    return step == HTTP1_END || step == HTTP1_BAD || step == HTTP1_TOO_LARGE;
}

/* An exact copy, so that a sanitizer sees each byte too many. */
static void
reader_feed(struct reader *r, const char *data, size_t size)
{
    g_autofree char *copy = g_memdup2(data, size);
    struct lens_bytes left = { copy, size }, part;

    do {
        r->last = http1_next(&r->h, &left, &part);
        if (r->last == HTTP1_HEAD)
            keep_headers(r);
        else if (r->last == HTTP1_BODY)
            g_string_append_len(r->body, part.data, (gssize)part.size);
    } while (r->last == HTTP1_HEAD || r->last == HTTP1_BODY);
    r->taken += size - left.size;
}

static void
check(const struct expected *e, const struct reader *r)
{
    assert_int_equal(r->last, e->last);
    assert_string_equal(r->body->str, e->body);
    if (e->version != 0) {
        assert_int_equal(r->h.version, e->version);
        assert_int_equal(r->h.status, e->status);
    }
    if (e->last == HTTP1_BAD) {
        assert_non_null(r->h.why);
        return;
    }
    assert_int_equal(http1_may_close(&r->h), e->may_close);
    if (r->head)
        assert_int_equal(r->h.keep, e->keep);
    if (e->headers != NULL)
        assert_string_equal(r->seen->str, e->headers);
}

static void
test_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        struct reader r;

        reader_init(&r);
        reader_feed(&r, CASES[i].wire, strlen(CASES[i].wire));
        check(&CASES[i], &r);
        if (CASES[i].rest != NULL)
            assert_string_equal(CASES[i].wire + r.taken, CASES[i].rest);
        reader_clear(&r);
    }
}

static void
test_every_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const size_t size = strlen(CASES[i].wire);

        for (size_t cut = 0; cut <= size; cut++) {
            struct reader r;

            reader_init(&r);
            reader_feed(&r, CASES[i].wire, cut);
            if (!is_last(r.last))
                reader_feed(&r, CASES[i].wire + cut, size - cut);
            check(&CASES[i], &r);
            reader_clear(&r);
        }
    }
}

static void
test_byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
        const size_t size = strlen(CASES[i].wire);
        struct reader r;

        reader_init(&r);
        for (size_t at = 0; at < size && !is_last(r.last); at++)
            reader_feed(&r, CASES[i].wire + at, 1);
        check(&CASES[i], &r);
        reader_clear(&r);
    }
}

static void
test_nul_bytes_are_refused(void **state)
{
    static const char wire[] = OK_HEAD "X: a\0b\r\n\r\n";
    struct reader r;

    (void)state;
    reader_init(&r);
    reader_feed(&r, wire, sizeof wire - 1);
    assert_int_equal(r.last, HTTP1_BAD);
    reader_clear(&r);
}

/* Of all that is not body, however it comes. */
static void
test_heads_are_limited(void **state)
{
    static const char *const repeated[] = { "X-Filler: 0123456789\r\n", "x",
                                            "HTTP/1.1 103 Hint\r\n\r\n" };

    (void)state;
    for (size_t i = 0; i < sizeof repeated / sizeof *repeated; i++) {
        struct reader r;
        size_t given = 0;

        reader_init(&r);
        if (i < 2)
            reader_feed(&r, OK_HEAD, strlen(OK_HEAD));
        while (!is_last(r.last) && given < 2 * HTTP1_HEAD_LIMIT) {
            reader_feed(&r, repeated[i], strlen(repeated[i]));
            given += strlen(repeated[i]);
        }
        assert_int_equal(r.last, HTTP1_TOO_LARGE);
        assert_in_range(given, HTTP1_HEAD_LIMIT - 100, HTTP1_HEAD_LIMIT + 100);
        reader_clear(&r);
    }
}

static void
test_chunk_extensions_are_limited(void **state)
{
    struct reader r;

    (void)state;
    reader_init(&r);
    reader_feed(&r, CHUNKED "1;", strlen(CHUNKED "1;"));
    for (int i = 0; i < HTTP1_LINE_LIMIT + 10 && !is_last(r.last); i++)
        reader_feed(&r, "x", 1);
    assert_int_equal(r.last, HTTP1_BAD);
    reader_clear(&r);
}

static void
test_what_was_missing(void **state)
{
    struct reader r;

    (void)state;
    reader_init(&r);
    assert_string_equal(http1_missing(&r.h), "Empty reply from server");
    reader_feed(&r, "HTTP", 4);
    assert_non_null(strstr(http1_missing(&r.h), "head"));
    reader_clear(&r);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_every_cut),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_nul_bytes_are_refused),
        cmocka_unit_test(test_heads_are_limited),
        cmocka_unit_test(test_chunk_extensions_are_limited),
        cmocka_unit_test(test_what_was_missing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
