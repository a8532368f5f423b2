/* The V2 encoding of HdrHistogram: a big-endian head, then the counts as zigzag LEB128,
 * runs of zeroes as negative numbers; all of it deflated behind a head of its own. */
#include <string.h>
#include <zlib.h>

#include "error.h"
#include "histogram-layout.h"
#include "histogram.h"

#define COOKIE_V2 0x1c849313u         /* 0x1c849303 | 0x10 */
#define COOKIE_COMPRESSED 0x1c849314u /* 0x1c849304 | 0x10 */
#define HEAD_SIZE 40
/* 5 digits over all of int64 are 6.3 million counts of up to 9 bytes. */
#define PAYLOAD_MAX (64 * 1024 * 1024)

/* ---- writing ---- */

static void
put_u32(GByteArray *out, uint32_t value)
{
    const uint32_t big = GUINT32_TO_BE(value);

    g_byte_array_append(out, (const guint8 *)&big, sizeof big);
}

static void
put_u64(GByteArray *out, uint64_t value)
{
    const uint64_t big = GUINT64_TO_BE(value);

    g_byte_array_append(out, (const guint8 *)&big, sizeof big);
}

/* Nine bytes at most: the ninth carries eight bits. */
static void
put_zigzag(GByteArray *out, int64_t value)
{
    uint64_t rest = ((uint64_t)value << 1) ^ (value < 0 ? UINT64_MAX : 0);
    guint8 bytes[9];
    unsigned used = 0;

    for (; rest >= 0x80 && used < 8; rest >>= 7)
        bytes[used++] = (guint8)(rest | 0x80);
    bytes[used++] = (guint8)rest;
    g_byte_array_append(out, bytes, used);
}

struct writer {
    GByteArray *out;
    uint32_t next; /* index that comes next */
};

static void
put_bucket(int64_t low_ns, int64_t high_ns, uint64_t count, void *data)
{
    struct writer *w = data;
    const uint32_t index = layout_index(low_ns);

    (void)high_ns;
    if (index > w->next)
        put_zigzag(w->out, -(int64_t)(index - w->next));
    put_zigzag(w->out, (int64_t)count);
    w->next = index + 1;
}

static GByteArray *
payload(const histogram *h)
{
    GByteArray *out = g_byte_array_new();
    struct writer w = { .out = out };
    const double ratio = 1;
    uint64_t ratio_bits;
    uint32_t size;

    memcpy(&ratio_bits, &ratio, sizeof ratio_bits);
    put_u32(out, COOKIE_V2);
    put_u32(out, 0); /* size, filled in below */
    put_u32(out, 0); /* offset of normalising */
    put_u32(out, LAYOUT_DIGITS);
    put_u64(out, LAYOUT_LOWEST_NS);
    put_u64(out, LAYOUT_HIGHEST_NS);
    put_u64(out, ratio_bits);
    histogram_each(h, put_bucket, &w);
    /* The last bucket lies beyond the highest value, so it can tell of the overflowed. */
    if (histogram_overflow(h) > 0)
        put_bucket(layout_value(LAYOUT_COUNTS - 1), 0, histogram_overflow(h), &w);
    size = GUINT32_TO_BE(out->len - HEAD_SIZE);
    memcpy(out->data + 4, &size, sizeof size);
    return out;
}

GBytes *
histogram_encode(const histogram *h)
{
    g_autoptr(GByteArray) plain = payload(h);
    uLongf size = compressBound(plain->len);
    g_autoptr(GByteArray) packed = g_byte_array_sized_new((guint)size);
    g_autoptr(GByteArray) out = g_byte_array_sized_new((guint)size + 8);

    if (compress2(packed->data, &size, plain->data, plain->len, 1) != Z_OK)
        g_error("out of memory while packing a histogram");
    put_u32(out, COOKIE_COMPRESSED);
    put_u32(out, (uint32_t)size);
    g_byte_array_append(out, packed->data, (guint)size);
    return g_byte_array_free_to_bytes(g_steal_pointer(&out));
}

/* ---- reading ---- */

struct reader {
    const guint8 *at, *end;
};

static uint64_t
get_big(struct reader *r, unsigned size)
{
    uint64_t value = 0;

    for (; size > 0; size--)
        value = value << 8 | *r->at++;
    return value;
}

static bool
get_zigzag(struct reader *r, int64_t *ret)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < 9 && r->at < r->end; i++) {
        const guint8 byte = *r->at++;

        value |= (uint64_t)(i < 8 ? byte & 0x7f : byte) << (7 * i);
        if (i == 8 || byte < 0x80) {
            *ret = (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
            return true;
        }
    }
    return false;
}

static bool
refuse(GError **error, const char *why)
{
    g_set_error(error, LENS_ERROR, LENS_ERROR_FILE,
                "not a readable HdrHistogram V2 encoding: %s", why);
    return false;
}

static GByteArray *
inflate_all(struct reader r, GError **error)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    z_stream z = { .next_in = (Bytef *)r.at, .avail_in = (uInt)(r.end - r.at) };
    guint8 piece[16384];
    int state = inflateInit(&z);

    while (state == Z_OK && out->len <= PAYLOAD_MAX + HEAD_SIZE) {
        z.next_out = piece;
        z.avail_out = sizeof piece;
        state = inflate(&z, Z_NO_FLUSH);
        g_byte_array_append(out, piece, (guint)(sizeof piece - z.avail_out));
    }
    inflateEnd(&z);
    if (state != Z_STREAM_END) {
        refuse(error, state == Z_OK ? "more than 64 MiB" : "the zlib data is damaged");
        return NULL;
    }
    return g_steal_pointer(&out);
}

/* The layout that a head describes. */
struct layout {
    unsigned unit_bits, half_bits;
    uint32_t counts;
    int64_t highest;
};

static bool
read_head(struct reader *r, struct layout *ret, GError **error)
{
    uint64_t digits, lowest, highest, reach;
    uint32_t resolution = 2;

    if (r->end - r->at < HEAD_SIZE || get_big(r, 4) != COOKIE_V2)
        return refuse(error, "the head is missing");
    if (get_big(r, 4) > (uint64_t)(r->end - r->at))
        return refuse(error, "it ends early");
    (void)get_big(r, 4); /* offset of normalising: other writers put 1, readers skip it */
    digits = get_big(r, 4);
    lowest = get_big(r, 8);
    highest = get_big(r, 8);
    (void)get_big(r, 8); /* ratio, of histograms of floating point numbers */
    if (digits > 5)
        return refuse(error, "the number of digits is not within 0 and 5");
    if (lowest < 1 || lowest > INT64_MAX / 2 || highest < 2 * lowest ||
        highest > INT64_MAX)
        return refuse(error, "the lowest and highest value make no sense");

    for (; digits > 0; digits--)
        resolution *= 10;
    ret->half_bits = 31u - (unsigned)__builtin_clz(MAX(resolution - 1, 1));
    ret->unit_bits = 63u - (unsigned)__builtin_clzll(lowest);
    if (ret->unit_bits + ret->half_bits + 1 > 61)
        return refuse(error, "the range is too wide");
    ret->counts = 2;
    for (reach = UINT64_C(2) << (ret->half_bits + ret->unit_bits); reach <= highest;
         reach <<= 1) {
        ret->counts++;
        if (reach > INT64_MAX / 2)
            break;
    }
    ret->counts <<= ret->half_bits;
    ret->highest = (int64_t)highest;
    return true;
}

static int64_t
middle_of(const struct layout *l, uint32_t index)
{
    const uint32_t half = index >> l->half_bits;
    const uint32_t doubling = half > 0 ? half - 1 : 0;
    const uint64_t low = (uint64_t)(index - (doubling << l->half_bits))
                         << (doubling + l->unit_bits);
    const uint64_t middle = low + (UINT64_C(1) << (doubling + l->unit_bits)) / 2;

    return (int64_t)MIN(middle, INT64_MAX);
}

static histogram *
read_counts(struct reader *r, const struct layout *l, GError **error)
{
    g_autoptr(histogram) h = histogram_new();
    uint32_t index = 0;
    int64_t count, total = 0;

    while (r->at < r->end) {
        if (!get_zigzag(r, &count)) {
            refuse(error, "a count is cut off");
            return NULL;
        }
        if (count > 0 && __builtin_add_overflow(total, count, &total)) {
            refuse(error, "there are more values than can be counted");
            return NULL;
        }
        if (count > 0 && index < l->counts) {
            histogram_record_n(h, middle_of(l, index++), (uint64_t)count);
        } else if (count == 0 && index < l->counts) {
            index++;
        } else if (count < 0 && count >= -(int64_t)(l->counts - index)) {
            index += (uint32_t)-count;
        } else {
            refuse(error, "there are more counts than the head allows");
            return NULL;
        }
    }
    return g_steal_pointer(&h);
}

histogram *
histogram_decode(const void *data, gsize size, GError **error)
{
    struct reader r = { .at = data, .end = (const guint8 *)data + size };
    g_autoptr(GByteArray) plain = NULL;
    struct layout l;

    if (size >= 8 && size <= PAYLOAD_MAX && get_big(&r, 4) == COOKIE_COMPRESSED) {
        const uint64_t packed = get_big(&r, 4);

        if (packed > (uint64_t)(r.end - r.at)) {
            refuse(error, "it ends early");
            return NULL;
        }
        r.end = r.at + packed;
        plain = inflate_all(r, error);
        if (plain == NULL)
            return NULL;
        r = (struct reader){ .at = plain->data, .end = plain->data + plain->len };
    } else {
        r.at = data;
    }
    if (!read_head(&r, &l, error))
        return NULL;
    return read_counts(&r, &l, error);
}
