/* utf8: the one check of an UTF-8 sequence (RFC 3629: no overlong forms, no surrogates,
 * nothing above U+10FFFF). */
#pragma once

#include <stdint.h>

/* Bytes of the sequence at `at` (1 to 4), or 0 when it is broken or cut by `end`. */
static inline unsigned
lens_utf8_length(const char *at, const char *end)
{
    const unsigned char *u = (const unsigned char *)at;
    const long left = (long)(end - at);
    unsigned char low = 0x80, high = 0xbf;
    unsigned size;

    if (left < 1)
        return 0;
    if (u[0] < 0x80)
        return 1;
    if (u[0] < 0xc2 || u[0] > 0xf4)
        return 0;
    size = u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : 4;
    if (u[0] == 0xe0)
        low = 0xa0;
    else if (u[0] == 0xed)
        high = 0x9f;
    else if (u[0] == 0xf0)
        low = 0x90;
    else if (u[0] == 0xf4)
        high = 0x8f;
    if (left < (long)size || u[1] < low || u[1] > high)
        return 0;
    for (unsigned i = 2; i < size; i++)
        if ((u[i] & 0xc0) != 0x80)
            return 0;
    return size;
}

/* Writes a code point; returns the bytes used, at most 4. */
static inline unsigned
lens_utf8_put(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}
