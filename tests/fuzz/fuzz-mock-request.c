/* The mock's request parser: any bytes, all at once and cut in pieces. Both must come to
 * the same end, and nothing may be read or written outside of what was given. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mock-http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(condition)                                                           \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                \
        }                                                                           \
    } while (0)

static void
expect_inside(struct lens_bytes part, const char *data, size_t size)
{
    EXPECT(part.size == 0 || (part.data >= data && part.data + part.size <= data + size));
}

static void
expect_request(const struct http_request *r, const char *data, size_t size)
{
    EXPECT(r->size > 0 && r->size <= size);
    EXPECT(r->method.size > 0 && r->target.size > 0);
    EXPECT(r->header_count <= HTTP_HEADERS_MAX);
    expect_inside(r->method, data, size);
    expect_inside(r->target, data, size);
    expect_inside(r->body, data, size);
    for (uint32_t i = 0; i < r->header_count; i++) {
        expect_inside(r->headers[i].name, data, size);
        expect_inside(r->headers[i].value, data, size);
    }
}

/* Exact copies, so that the sanitizer sees each byte too many. */
static char *
copy(const uint8_t *data, size_t size)
{
    char *to = malloc(size > 0 ? size : 1);

    if (size > 0)
        memcpy(to, data, size);
    return to;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct http_request whole, cut;
    struct http_progress at_once = { 0 }, in_steps = { 0 };
    char *all = copy(data, size), *piece = NULL;
    const size_t step = size > 512 ? size / 64 : 1;
    const int status = http_request_parse(all, size, &at_once, &whole);
    int same = HTTP_MORE;

    if (status == HTTP_READY)
        expect_request(&whole, all, size);
    for (size_t given = 0; same == HTTP_MORE && given < size;) {
        given = given + step < size ? given + step : size;
        free(piece);
        piece = copy(data, given);
        same = http_request_parse(piece, given, &in_steps, &cut);
    }
    EXPECT(size == 0 || same == status);
    if (status == HTTP_READY) {
        EXPECT(cut.size == whole.size && cut.body.size == whole.body.size);
        EXPECT(memcmp(cut.body.data, whole.body.data, whole.body.size) == 0);
        EXPECT(cut.keep_alive == whole.keep_alive);
    }
    free(piece);
    free(all);
    return 0;
}
