/* Content codings: what is undone, in which order, cut anywhere, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>
#include <zlib.h>

#include "unencode.h"

static const char TEXT[] =
    "data: {\"choices\":[{\"delta\":{\"content\":\"hello\"}}]}\n\n"
    "data: {\"choices\":[{\"delta\":{\"content\":\"hello\"}}]}\n\n";

static GBytes *
coded(const void *data, size_t size, int window)
{
    z_stream z = { 0 };
    g_autofree Bytef *out = g_malloc(size + 256);

    assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY),
                     Z_OK);
    z.next_in = (Bytef *)(uintptr_t)data;
    z.avail_in = (uInt)size;
    z.next_out = out;
    z.avail_out = (uInt)size + 256;
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return g_bytes_new(out, size + 256 - z.avail_out);
}

static bool
collect(void *user, const char *data, size_t size)
{
    g_string_append_len(user, data, (gssize)size);
    return true;
}

static unencoder *
unencoder_for(const char *codings)
{
    unencoder *u = NULL;

    assert_true(unencoder_add(&u, (struct lens_bytes){ codings, strlen(codings) }));
    return u;
}

/* In pieces of `step` bytes. */
static void
expect_text(const char *codings, GBytes *bytes, size_t step)
{
    unencoder *u = unencoder_for(codings);
    g_autoptr(GString) out = g_string_new(NULL);
    size_t size;
    const char *data = g_bytes_get_data(bytes, &size);

    for (size_t at = 0; at < size; at += step)
        assert_int_equal(
            unencoder_write(u, data + at, MIN(step, size - at), collect, out),
            UNENCODE_OK);
    assert_string_equal(out->str, TEXT);
    unencoder_free(u);
}

static void
expect_text_in_all_steps(const char *codings, GBytes *bytes)
{
    for (size_t step = 1; step <= g_bytes_get_size(bytes); step++)
        expect_text(codings, bytes, step);
}

static void
test_each(void **state)
{
    g_autoptr(GBytes) gzip = coded(TEXT, strlen(TEXT), MAX_WBITS + 16);
    g_autoptr(GBytes) zlib = coded(TEXT, strlen(TEXT), MAX_WBITS);
    g_autoptr(GBytes) raw = coded(TEXT, strlen(TEXT), -MAX_WBITS);

    (void)state;
    expect_text_in_all_steps("gzip", gzip);
    expect_text_in_all_steps(" X-GZIP ", gzip);
    expect_text_in_all_steps("deflate", zlib);
    expect_text_in_all_steps("deflate", raw);
    expect_text_in_all_steps("gzip, chunked", gzip);
}

static void
test_lists(void **state)
{
    g_autoptr(GBytes) inner = coded(TEXT, strlen(TEXT), MAX_WBITS);
    g_autoptr(GBytes) outer =
        coded(g_bytes_get_data(inner, NULL), g_bytes_get_size(inner), MAX_WBITS + 16);

    (void)state;
    expect_text_in_all_steps("deflate, gzip", outer);
    expect_text_in_all_steps("deflate,identity,, gzip", outer);
}

static void
test_none(void **state)
{
    g_autoptr(GBytes) plain = g_bytes_new(TEXT, strlen(TEXT));

    (void)state;
    assert_null(unencoder_for("identity"));
    assert_null(unencoder_for(""));
    expect_text("identity", plain, 7);
}

static void
test_unknown(void **state)
{
    static const char *const unknown[] = { "br", "gzip, zstd", "x-own",
                                           "gzip,gzip,gzip,gzip,gzip,gzip" };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(unknown); i++) {
        unencoder *u = NULL;

        assert_false(
            unencoder_add(&u, (struct lens_bytes){ unknown[i], strlen(unknown[i]) }));
        assert_null(u);
    }
}

static void
test_broken(void **state)
{
    static const char garbage[] = "no gzip at all";
    g_autoptr(GString) out = g_string_new(NULL);
    unencoder *u = unencoder_for("gzip");

    (void)state;
    assert_int_equal(unencoder_write(u, garbage, strlen(garbage), collect, out),
                     UNENCODE_BROKEN);
    unencoder_free(u);
    u = unencoder_for("deflate");
    assert_int_equal(unencoder_write(u, "\xff\xff\xff\xff", 4, collect, out),
                     UNENCODE_BROKEN);
    unencoder_free(u);
}

/* What was decoded before the fault is not lost with it. */
static void
test_broken_at_the_end(void **state)
{
    g_autoptr(GBytes) gzip = coded(TEXT, strlen(TEXT), MAX_WBITS + 16);
    g_autoptr(GString) out = g_string_new(NULL);
    const size_t size = g_bytes_get_size(gzip);
    g_autofree char *data = g_memdup2(g_bytes_get_data(gzip, NULL), size);
    unencoder *u = unencoder_for("gzip");

    (void)state;
    data[size - 8] ^= 1; /* of the checksum */
    assert_int_equal(unencoder_write(u, data, size, collect, out), UNENCODE_BROKEN);
    assert_string_equal(out->str, TEXT);
    unencoder_free(u);
}

static void
test_members_and_padding(void **state)
{
    g_autoptr(GBytes) first = coded(TEXT, 9, MAX_WBITS + 16);
    g_autoptr(GBytes) empty = coded("", 0, MAX_WBITS + 16);
    g_autoptr(GBytes) second = coded(TEXT + 9, strlen(TEXT) - 9, MAX_WBITS + 16);
    g_autoptr(GByteArray) all = g_byte_array_new();
    g_autoptr(GBytes) bytes = NULL;
    GBytes *parts[] = { first, empty, second };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        g_byte_array_append(all, g_bytes_get_data(parts[i], NULL),
                            (guint)g_bytes_get_size(parts[i]));
    g_byte_array_append(all, (const guint8 *)"\0\0\x1f", 3);
    bytes = g_byte_array_free_to_bytes(g_steal_pointer(&all));
    expect_text_in_all_steps("gzip", bytes);
}

static bool
refuse(void *user, const char *data, size_t size)
{
    (void)user;
    (void)data;
    (void)size;
    return false;
}

static void
test_stopped(void **state)
{
    g_autoptr(GBytes) gzip = coded(TEXT, strlen(TEXT), MAX_WBITS + 16);
    unencoder *u = unencoder_for("gzip");
    size_t size;
    const char *data = g_bytes_get_data(gzip, &size);

    (void)state;
    assert_int_equal(unencoder_write(u, data, size, refuse, NULL), UNENCODE_STOPPED);
    assert_int_equal(unencoder_write(NULL, "x", 1, refuse, NULL), UNENCODE_STOPPED);
    unencoder_free(u);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_none),
        cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_broken_at_the_end),
        cmocka_unit_test(test_members_and_padding),
        cmocka_unit_test(test_stopped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
