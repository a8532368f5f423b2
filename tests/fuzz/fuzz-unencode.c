/* Content codings, undone: any bytes, all at once and cut in pieces. Both must give the
 * same data and come to the same end. The first byte chooses the codings and the cut. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "unencode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OUTPUT_MOST = 1 << 20 };

#define EXPECT(condition)                                                           \
    do {                                                                            \
        if (!(condition)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                                \
        }                                                                           \
    } while (0)

static bool
collect(void *user, const char *data, size_t size)
{
    GString *out = user;

    if (out->len + size > OUTPUT_MOST)
        return false;
    g_string_append_len(out, data, (gssize)size);
    return true;
}

static enum unencode_result
undo(const char *codings, const uint8_t *data, size_t size, size_t step, GString *out)
{
    enum unencode_result result = UNENCODE_OK;
    unencoder *u = NULL;

    EXPECT(unencoder_add(&u, (struct lens_bytes){ codings, strlen(codings) }));
    for (size_t at = 0; at < size && result == UNENCODE_OK; at += step) {
        const size_t part = at + step < size ? step : size - at;
        /* An exact copy, so that the sanitizer sees each byte too many. */
        char *copy = malloc(part);

        memcpy(copy, data + at, part);
        result = unencoder_write(u, copy, part, collect, out);
        free(copy);
    }
    unencoder_free(u);
    return result;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const CODINGS[] = { "gzip", "deflate", "deflate, gzip",
                                           "gzip, gzip" };
    GString *whole, *cut;
    enum unencode_result result;

    if (size < 2)
        return 0;
    whole = g_string_new(NULL);
    cut = g_string_new(NULL);
    result = undo(CODINGS[data[0] & 3], data + 1, size - 1, size - 1, whole);
    EXPECT(undo(CODINGS[data[0] & 3], data + 1, size - 1, 1 + (data[0] >> 2) % 17, cut) ==
           result);
    EXPECT(result == UNENCODE_STOPPED || g_string_equal(whole, cut));
    g_string_free(whole, TRUE);
    g_string_free(cut, TRUE);
    return 0;
}
