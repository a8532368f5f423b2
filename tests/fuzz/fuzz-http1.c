/* The client's reader of answers: any bytes, all at once and cut in pieces. Both must
 * come to the same end with the same body, and nothing may be read outside of what was
 * given. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http1.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define EXPECT(condition)                                                           \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                \
        }                                                                           \
    } while (0)

struct reading {
    http1 h;
    GArray *headers;
    GString *text, *body;
    enum http1_step last;
    size_t taken;
    unsigned heads;
};

static void
begin(struct reading *r)
{
    *r = (struct reading){ .headers = g_array_new(FALSE, FALSE, sizeof(struct lens_pair)),
                           .text = g_string_new(NULL),
                           .body = g_string_new(NULL) };
    http1_begin(&r->h, r->headers, r->text);
}

static void
end(struct reading *r)
{
    http1_clear(&r->h);
    g_array_unref(r->headers);
    g_string_free(r->text, TRUE);
    g_string_free(r->body, TRUE);
}

static bool
is_last(enum http1_step step)
{
    return step == HTTP1_END || step == HTTP1_BAD || step == HTTP1_TOO_LARGE;
}

static void
expect_headers_inside(const struct reading *r)
{
    for (unsigned i = 0; i < r->headers->len; i++) {
        const struct lens_pair *p = &g_array_index(r->headers, struct lens_pair, i);

        EXPECT(GPOINTER_TO_SIZE(p->name.data) + p->name.size <= r->text->len);
        EXPECT(GPOINTER_TO_SIZE(p->value.data) + p->value.size <= r->text->len);
    }
}

static void
feed(struct reading *r, const uint8_t *data, size_t size)
{
    /* An exact copy, so that the sanitizer sees each byte too many. */
    char *copy = malloc(size > 0 ? size : 1);
    struct lens_bytes left = { copy, size }, part = { 0 };

    if (size > 0)
        memcpy(copy, data, size);
    do {
        r->last = http1_next(&r->h, &left, &part);
        if (r->last == HTTP1_HEAD) {
            r->heads++;
            expect_headers_inside(r);
        } else if (r->last == HTTP1_BODY) {
            EXPECT(part.size > 0 && part.data >= copy &&
                   part.data + part.size <= copy + size);
            g_string_append_len(r->body, part.data, (gssize)part.size);
        }
    } while (r->last == HTTP1_HEAD || r->last == HTTP1_BODY);
    EXPECT(is_last(r->last) || left.size == 0);
    r->taken += size - left.size;
    free(copy);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const size_t step = size > 512 ? size / 64 : 1;
    struct reading whole, cut;

    begin(&whole);
    feed(&whole, data, size);
    begin(&cut);
    for (size_t at = 0; at < size && !is_last(cut.last); at += step)
        feed(&cut, data + at, at + step < size ? step : size - at);
    EXPECT(size == 0 || cut.last == whole.last);
    EXPECT(cut.heads == whole.heads && whole.heads <= 1);
    EXPECT(g_string_equal(cut.body, whole.body));
    EXPECT(whole.last == HTTP1_BAD || cut.h.keep == whole.h.keep);
    if (whole.last == HTTP1_END)
        EXPECT(cut.taken == whole.taken);
    EXPECT(whole.last == HTTP1_BAD || whole.last == HTTP1_TOO_LARGE ||
           http1_may_close(&cut.h) == http1_may_close(&whole.h));
    end(&whole);
    end(&cut);
    return 0;
}
