#include "native.h"

/* A gap of fewer empty buckets is cheaper written out than as a span of its own. */
#define GAP 3

/* Of the buckets from `at` on, the end of a span; `at` is not empty. */
static uint32_t
span_end(const struct exponential *h, uint32_t at)
{
    uint32_t end = at + 1;

    for (uint32_t i = end; i < h->size && i < end + GAP; i++)
        if (h->counts[i] > 0)
            end = i + 1;
    return end;
}

static uint32_t
next_used(const struct exponential *h, uint32_t at)
{
    while (at < h->size && h->counts[at] == 0)
        at++;
    return at;
}

struct span {
    uint32_t start, end;
    int32_t offset;
};
#define MOST_SPANS 640

/* The first offset counts from index 0, later ones from the end of the span before.
 * Prometheus' index is one more than OpenTelemetry's. */
static uint32_t
find_spans(const struct exponential *h, struct span *spans)
{
    int32_t before = -h->offset - 1; /* the end of the last one */
    uint32_t count = 0;

    for (uint32_t at = next_used(h, 0); at < h->size && count < MOST_SPANS;) {
        struct span *s = &spans[count++];

        s->start = at;
        s->end = span_end(h, at);
        s->offset = (int32_t)at - before;
        before = (int32_t)s->end;
        at = next_used(h, s->end);
    }
    return count;
}

/* Each bucket as the difference to the one before. */
static void
write_deltas(struct lens_protobuf *p, const struct exponential *h,
             const struct span *spans, uint32_t count, uint32_t field)
{
    const size_t begin = lens_protobuf_begin(p);

    for (uint32_t i = count; i-- > 0;)
        for (uint32_t k = spans[i].end; k-- > spans[i].start;) {
            const uint64_t before = k > spans[i].start ? h->counts[k - 1]
                                    : i > 0            ? h->counts[spans[i - 1].end - 1]
                                                       : 0;

            lens_protobuf_zigzag(p, (int64_t)(h->counts[k] - before));
        }
    if (count > 0)
        lens_protobuf_end(p, field, begin);
}

void
native_write(struct lens_protobuf *p, const struct exponential *h,
             const struct native_fields *f)
{
    struct span spans[MOST_SPANS];
    const uint32_t count = find_spans(h, spans);

    write_deltas(p, h, spans, count, f->deltas);
    for (uint32_t i = count; i-- > 0;) {
        const size_t begin = lens_protobuf_begin(p);

        lens_protobuf_uint(p, 2, spans[i].end - spans[i].start);
        lens_protobuf_sint(p, 1, spans[i].offset);
        lens_protobuf_end(p, f->spans, begin);
    }
    lens_protobuf_uint(p, f->zero_count, h->zero);
    lens_protobuf_double(p, f->zero_threshold, EXPONENTIAL_ZERO);
    lens_protobuf_sint(p, f->schema, h->scale);
}
