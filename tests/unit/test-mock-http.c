/* The mock's request parser: what is a request, what is refused, and that the cuts of the
 * network change nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mock-http.h"

struct expected {
    const char *wire;
    int status; /* HTTP_READY, HTTP_MORE or a refusal */
    const char *method, *target, *body;
    bool keep_alive;
};

static const struct expected cases[] = {
    { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_READY, "GET", "/", "", true },
    { "\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n", HTTP_READY, "GET", "/x", "", true },
    { "GET /x?y=1 HTTP/1.1\nHost: a\n\n", HTTP_READY, "GET", "/x?y=1", "", true },
    { "GET / HTTP/1.0\r\n\r\n", HTTP_READY, "GET", "/", "", false },
    { "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", HTTP_READY, "GET", "/", "",
      true },
    { "GET / HTTP/1.1\r\nConnection: foo , CLOSE\r\n\r\n", HTTP_READY, "GET", "/", "",
      false },
    { "POST /p HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", HTTP_READY, "POST", "/p",
      "hello", true },
    { "POST /p HTTP/1.1\r\ncontent-length:  3\t\r\n\r\nabc", HTTP_READY, "POST", "/p",
      "abc", true },
    { "POST /p HTTP/1.1\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab", HTTP_READY,
      "POST", "/p", "ab", true },
    { "POST /p HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n",
      HTTP_READY, "POST", "/p", "abc0123456789", true },
    { "POST /p HTTP/1.1\r\nTransfer-Encoding: CHUNKED\r\n\r\n1\nz\n000\nTrailer: 1\n\n",
      HTTP_READY, "POST", "/p", "z", true },
    /* not complete */
    { "", HTTP_MORE },
    { "\r\n", HTTP_MORE },
    { "GET / HTTP/1.1\r\nHost: a\r\n", HTTP_MORE },
    { "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhell", HTTP_MORE },
    { "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
      HTTP_MORE },
    /* refused */
    { "hello\r\n\r\n", 400 },
    { "GET /\r\n\r\n", 400 },
    { "GET  / HTTP/1.1\r\n\r\n", 400 },
    { "GET / HTTP/1.1 x\r\n\r\n", 400 },
    { "GET / FTP/1.1\r\n\r\n", 400 },
    { "G@T / HTTP/1.1\r\n\r\n", 400 },
    { "GET /\x01 HTTP/1.1\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nno colon\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nspace : x\r\n\r\n", 400 },
    { "GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nContent-Length: 1x\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nContent-Length:\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400 },
    { "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
    { "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400 },
    { "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n", 400 },
    { "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501 },
    { "POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n", 400 },
    { "POST / HTTP/1.1\r\nContent-Length: 67108865\r\n\r\n", 413 },
    { "POST / HTTP/1.1\r\nExpect: a miracle\r\n\r\n", 417 },
    { "PRI * HTTP/2.0\r\n\r\n", 505 },
};

static void
assert_bytes(struct lens_bytes b, const char *text)
{
    assert_int_equal(b.size, strlen(text));
    assert_memory_equal(b.data, text, b.size);
}

static void
check(const struct expected *e, int status, const struct http_request *r, size_t size)
{
    if (status != e->status)
        fail_msg("%s: %d instead of %d", e->wire, status, e->status);
    if (status != HTTP_READY)
        return;
    assert_bytes(r->method, e->method);
    assert_bytes(r->target, e->target);
    assert_bytes(r->body, e->body);
    assert_int_equal(r->keep_alive, e->keep_alive);
    assert_int_equal(r->size, size);
}

static void
understands_whole_requests(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_progress progress = { 0 };
        struct http_request request;
        char *wire = strdup(cases[i].wire);
        const size_t size = strlen(wire);

        check(&cases[i], http_request_parse(wire, size, &progress, &request), &request,
              size);
        free(wire);
    }
}

/* As the server does it: the same buffer, one byte more each time. */
static void
understands_the_same_byte_by_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct http_progress progress = { 0 };
        struct http_request request;
        const size_t size = strlen(cases[i].wire);
        char *wire = malloc(size + 1);
        int status = HTTP_MORE;
        size_t given;

        memcpy(wire, cases[i].wire, size + 1);
        for (given = 1; given <= size && status == HTTP_MORE; given++) {
            char *exact = malloc(given); /* so that a sanitizer sees a read beyond */

            memcpy(exact, wire, given);
            status = http_request_parse(exact, given, &progress, &request);
            if (status != HTTP_MORE)
                check(&cases[i], status, &request, given);
            free(exact);
        }
        assert_int_equal(status, cases[i].status);
        free(wire);
    }
}

static void
leaves_the_next_request_alone(void **state)
{
    char wire[] =
        "POST /1 HTTP/1.1\r\nContent-Length: 2\r\n\r\nabGET /2 HTTP/1.1\r\n\r\n";
    struct http_progress progress = { 0 };
    struct http_request request;

    (void)state;
    assert_int_equal(http_request_parse(wire, sizeof wire - 1, &progress, &request),
                     HTTP_READY);
    assert_bytes(request.body, "ab");
    assert_memory_equal(wire + request.size, "GET /2", 6);
}

static void
tells_who_waits_for_continue(void **state)
{
    char wire[] = "POST / HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n";
    struct http_progress progress = { 0 };
    struct http_request request;

    (void)state;
    assert_int_equal(http_request_parse(wire, sizeof wire - 1, &progress, &request),
                     HTTP_MORE);
    assert_true(progress.head_size > 0);
    assert_true(request.expects_continue);
}

/* A client that never ends its head, or never stops adding headers. */
static void
bounds_the_head(void **state)
{
    char *wire = malloc(HTTP_HEAD_MAX + 100);
    struct http_progress progress = { 0 };
    struct http_request request;
    size_t size;

    (void)state;
    memset(wire, 'a', HTTP_HEAD_MAX + 100);
    assert_int_equal(http_request_parse(wire, HTTP_HEAD_MAX + 1, &progress, &request),
                     431);

    progress = (struct http_progress){ 0 };
    size = (size_t)sprintf(wire, "GET / HTTP/1.1\r\n");
    for (int i = 0; i <= HTTP_HEADERS_MAX; i++)
        size += (size_t)sprintf(wire + size, "h%d: v\r\n", i);
    size += (size_t)sprintf(wire + size, "\r\n");
    assert_int_equal(http_request_parse(wire, size, &progress, &request), 431);
    free(wire);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(understands_whole_requests),
        cmocka_unit_test(understands_the_same_byte_by_byte),
        cmocka_unit_test(leaves_the_next_request_alone),
        cmocka_unit_test(tells_who_waits_for_continue),
        cmocka_unit_test(bounds_the_head),
    };

    return cmocka_run_group_tests_name("mock-http", tests, NULL, NULL);
}
