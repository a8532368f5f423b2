#include "trace.h"

#include <glib.h>
#include <string.h>

/* splitmix64: every bit of the input changes half of the output's. */
static uint64_t
mix(uint64_t x)
{
    x += UINT64_C(0x9e3779b97f4a7c15);
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static void
put(uint8_t to[8], uint64_t value)
{
    if (value == 0) /* an id of zeroes is none */
        value = 1;
    for (int i = 0; i < 8; i++)
        to[i] = (uint8_t)(value >> (56 - 8 * i));
}

static uint64_t
get(const uint8_t from[8])
{
    uint64_t value = 0;

    for (int i = 0; i < 8; i++)
        value = value << 8 | from[i];
    return value;
}

uint64_t
trace_seed(const char *run_id)
{
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    uint8_t digest[32];
    gsize size = sizeof digest;

    g_checksum_update(sum, (const guchar *)run_id, (gssize)strlen(run_id));
    g_checksum_get_digest(sum, digest, &size);
    return get(digest);
}

void
trace_ids(uint64_t seed, uint64_t request, uint8_t ret_trace[16], uint8_t ret_span[8])
{
    const uint64_t own = mix(seed ^ mix(request));

    put(ret_trace, seed);
    put(ret_trace + 8, own);
    put(ret_span, mix(own));
}

void
trace_attempt(const uint8_t trace[16], uint32_t attempt, uint8_t ret_span[8])
{
    put(ret_span, mix(get(trace + 8) + 1 + attempt));
}

void
trace_parent(const uint8_t trace[16], const uint8_t span[8], char ret[TRACE_PARENT_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    char *at = ret;

    *at++ = '0';
    *at++ = '0';
    *at++ = '-';
    for (int i = 0; i < 16; i++) {
        *at++ = digits[trace[i] >> 4];
        *at++ = digits[trace[i] & 15];
    }
    *at++ = '-';
    for (int i = 0; i < 8; i++) {
        *at++ = digits[span[i] >> 4];
        *at++ = digits[span[i] & 15];
    }
    memcpy(at, "-01", 4);
}
