/* The state as delimited messages io.prometheus.client.MetricFamily
 * (https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto),
 * with classic buckets and native histograms side by side. */
#include <string.h>

#include "exposition.h"
#include "native.h"

struct sheet {
    struct lens_protobuf message;
    struct text *text;
    int failed;
};

static void
write_labels(struct lens_protobuf *p, const struct point *point)
{
    struct label labels[MOST_LABELS];

    for (uint32_t i = exposition_sorted(point, labels); i-- > 0;) {
        const size_t begin = lens_protobuf_begin(p);

        lens_protobuf_string(p, 2, labels[i].value);
        lens_protobuf_string(p, 1, labels[i].name);
        lens_protobuf_end(p, 1, begin);
    }
}

/* message Histogram */
static void
write_distribution(struct lens_protobuf *p, const struct distribution *d)
{
    static const struct native_fields fields = {
        .schema = 5, .zero_threshold = 6, .zero_count = 7, .spans = 12, .deltas = 13
    };

    native_write(p, &d->native, &fields);
    for (uint32_t i = d->bounds->count; i-- > 0;) {
        const size_t begin = lens_protobuf_begin(p);

        lens_protobuf_double(p, 2, d->bounds->values[i]);
        lens_protobuf_uint(p, 1, d->classic[i]);
        lens_protobuf_end(p, 3, begin);
    }
    lens_protobuf_double(p, 2, d->sum);
    lens_protobuf_uint(p, 1, d->count);
}

/* message Metric */
static void
write_point(struct lens_protobuf *p, const struct lens_name *name,
            const struct point *point)
{
    const size_t metric = lens_protobuf_begin(p);
    const size_t value = lens_protobuf_begin(p);

    if (point->distribution != NULL) {
        write_distribution(p, point->distribution);
        lens_protobuf_end(p, 7, value);
    } else {
        lens_protobuf_double(p, 1, point->value);
        lens_protobuf_end(p, name->kind == LENS_NAME_COUNTER ? 3 : 2, value);
    }
    write_labels(p, point);
    lens_protobuf_end(p, 4, metric);
}

static void
write_family(const struct family *f, void *data)
{
    static const uint32_t types[] = {
        [LENS_NAME_HISTOGRAM] = 4, [LENS_NAME_COUNTER] = 0, [LENS_NAME_GAUGE] = 1
    };
    struct sheet *s = data;
    struct lens_protobuf *p = &s->message;
    struct lens_bytes bytes;

    lens_protobuf_reset(p);
    for (uint32_t i = f->count; i-- > 0;)
        write_point(p, f->name, &f->points[i]);
    lens_protobuf_uint(p, 3, types[f->name->kind]);
    lens_protobuf_string(p, 2, f->name->help);
    lens_protobuf_string(p, 1, f->name->prometheus);
    lens_protobuf_varint(p, p->size);
    s->failed |= p->failed;
    bytes = lens_protobuf_bytes(p);
    text_put(s->text, bytes.data, bytes.size);
}

int
exposition_protobuf(const struct state *s, struct text *to)
{
    struct sheet sheet = { .text = to };
    const int ok = families_each(s, NULL, write_family, &sheet);

    lens_protobuf_clear(&sheet.message);
    return ok && !sheet.failed && !to->failed;
}
