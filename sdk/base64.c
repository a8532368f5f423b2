/* The base64 half of text.h. */
#include <string.h>

#include "text.h"

static void
add_base64(struct lens_text *t, const unsigned char *in, size_t size, const char *digits,
           int padded)
{
    for (; size > 0; in += 3) {
        const size_t here = size < 3 ? size : 3;
        const uint32_t bits = (uint32_t)in[0] << 16 |
                              (here > 1 ? (uint32_t)in[1] << 8 : 0) |
                              (here > 2 ? in[2] : 0);
        const char out[4] = { digits[bits >> 18], digits[bits >> 12 & 63],
                              here > 1 ? digits[bits >> 6 & 63] : '=',
                              here > 2 ? digits[bits & 63] : '=' };

        lens_text_add_bytes(t, out, padded ? 4 : here + 1);
        size -= here;
    }
}

void
lens_text_add_base64(struct lens_text *t, const void *data, size_t size)
{
    add_base64(t, data, size,
               "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", 1);
}

void
lens_text_add_base64url(struct lens_text *t, const void *data, size_t size)
{
    add_base64(t, data, size,
               "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 0);
}

static int
value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+' || c == '-')
        return 62;
    return c == '/' || c == '_' ? 63 : -1;
}

int64_t
lens_base64_decode(const void *data, size_t size, void *out)
{
    const char *in = data;
    unsigned char *to = out;
    uint32_t bits = 0;
    unsigned digits = 0, padding = 0;

    for (; size > 0; in++, size--) {
        const int value = value_of(*in);

        if (*in == '\n' || *in == '\r')
            continue;
        if (*in == '=') {
            padding++;
            continue;
        }
        if (value < 0 || padding > 0)
            return -1;
        bits = bits << 6 | (uint32_t)value;
        if (++digits % 4 == 0) {
            *to++ = (unsigned char)(bits >> 16);
            *to++ = (unsigned char)(bits >> 8);
            *to++ = (unsigned char)bits;
        }
    }
    if (digits % 4 == 1 || (padding > 0 && (digits + padding) % 4 != 0) || padding > 2)
        return -1;
    if (digits % 4 >= 2)
        *to++ = (unsigned char)(digits % 4 == 2 ? bits >> 4 : bits >> 10);
    if (digits % 4 == 3)
        *to++ = (unsigned char)(bits >> 2);
    return to - (unsigned char *)out;
}
