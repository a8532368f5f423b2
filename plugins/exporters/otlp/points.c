#include "points.h"

#include <math.h>
#include <string.h>

struct node *
point_number(struct tree *t, struct node *to, const struct moment *at, double value,
             int integer)
{
    struct node *point = tree_message(t, to, OTLP(DATA_POINTS));

    if (at->start != 0)
        tree_integer(t, point, OTLP(NUMBER_START), at->start);
    tree_integer(t, point, OTLP(NUMBER_TIME), at->time);
    if (integer)
        tree_integer(t, point, OTLP(NUMBER_INT), (uint64_t)(int64_t)llround(value));
    else
        tree_number(t, point, OTLP(NUMBER_DOUBLE), value);
    return point;
}

/* The middle of a range of the histogram, in base units. */
static double
middle_of(const struct lens_bucket *b, const struct lens_metric *m,
          const struct lens_name *name)
{
    return ((double)b->low + (double)b->high) / 2 * m->scale * name->scale;
}

static int
next_bucket(const struct lens_host *host, const struct lens_metric *m, uint64_t *cursor,
            struct lens_bucket *ret)
{
    return m->histogram != NULL && LENS_HAS(host, struct lens_host, histogram_next) &&
           host->histogram_next(host, m->histogram, cursor, ret);
}

static void
fill(const struct lens_host *host, const struct lens_metric *m,
     const struct lens_name *name, struct exponential *h)
{
    const double min = m->min * name->scale, max = m->max * name->scale;
    struct lens_bucket b;
    uint64_t cursor = 0;

    exponential_reset(h);
    while (next_bucket(host, m, &cursor, &b)) {
        double value = middle_of(&b, m, name);

        value = value < min ? min : value > max ? max : value;
        exponential_add(h, value, b.count);
    }
    h->sum = m->sum * name->scale;
    h->min = min;
    h->max = max;
}

static void
add_buckets(const struct exponential *h, struct tree *t, struct node *point)
{
    struct node *positive;
    uint64_t *counts;

    if (h->size == 0 || (counts = tree_room(t, h->size * sizeof *counts)) == NULL)
        return;
    memcpy(counts, h->counts, h->size * sizeof *counts);
    positive = tree_message(t, point, OTLP(EXPONENTIAL_POSITIVE));
    if (h->offset != 0)
        tree_integer(t, positive, OTLP(BUCKETS_OFFSET), (uint64_t)(int64_t)h->offset);
    tree_packed(t, positive, OTLP(BUCKETS_COUNTS), counts, h->size);
}

void
point_exponential(const struct lens_host *host, const struct lens_metric *m,
                  const struct lens_name *name, const struct moment *at,
                  struct exponential *h, attributes_fn add, void *data, struct tree *t,
                  struct node *to)
{
    struct node *point = tree_message(t, to, OTLP(DATA_POINTS));

    fill(host, m, name, h);
    add(data, t, point, OTLP(EXPONENTIAL_ATTRIBUTES));
    tree_integer(t, point, OTLP(EXPONENTIAL_START), at->start);
    tree_integer(t, point, OTLP(EXPONENTIAL_TIME), at->time);
    tree_integer(t, point, OTLP(EXPONENTIAL_COUNT), h->count);
    tree_number(t, point, OTLP(EXPONENTIAL_SUM), h->sum);
    if (h->scale != 0)
        tree_integer(t, point, OTLP(EXPONENTIAL_SCALE), (uint64_t)(int64_t)h->scale);
    if (h->zero != 0)
        tree_integer(t, point, OTLP(EXPONENTIAL_ZERO_COUNT), h->zero);
    add_buckets(h, t, point);
    tree_number(t, point, OTLP(EXPONENTIAL_MIN), h->min);
    tree_number(t, point, OTLP(EXPONENTIAL_MAX), h->max);
    tree_number(t, point, OTLP(EXPONENTIAL_ZERO_THRESHOLD), EXPONENTIAL_ZERO);
}

/* ---- explicit buckets ---- */

/* Ours are finer at the low end than those of the conventions, whose first bucket (10 ms)
 * would hold all gaps between tokens. */
static const double seconds[] = { 0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01,
                                  0.02,   0.04,    0.06,   0.08,  0.1,   0.15,  0.2,
                                  0.25,   0.3,     0.4,    0.5,   0.75,  1,     1.5,
                                  2.5,    5,       7.5,    10,    20,    40,    80 };
/* gen_ai.client.token.usage, semantic-conventions v1.41.1. */
static const double tokens[] = { 1,       4,       16,       64,      256,
                                 1024,    4096,    16384,    65536,   262144,
                                 1048576, 4194304, 16777216, 67108864 };
static const double rates[] = { 1,   2,   5,    10,   20,   50,   100,
                                200, 500, 1000, 2000, 5000, 10000 };

#define BOUNDS(array) (array), sizeof(array) / sizeof((array)[0])

static const double *
bounds_of(const struct lens_name *name, size_t *ret_count)
{
    static const struct {
        const char *unit;
        const double *bounds;
        size_t count;
    } by_unit[] = { { "s", BOUNDS(seconds) }, { "{token}", BOUNDS(tokens) } };

    for (size_t i = 0; i < sizeof by_unit / sizeof by_unit[0]; i++)
        if (strcmp(name->base_unit, by_unit[i].unit) == 0) {
            *ret_count = by_unit[i].count;
            return by_unit[i].bounds;
        }
    *ret_count = sizeof rates / sizeof rates[0];
    return rates;
}

/* Buckets are (bound before, bound]. */
static uint64_t
count_into(const struct lens_host *host, const struct lens_metric *m,
           const struct lens_name *name, const double *bounds, size_t size,
           uint64_t *counts)
{
    struct lens_bucket b;
    uint64_t cursor = 0, sum = 0;

    while (next_bucket(host, m, &cursor, &b)) {
        const double value = middle_of(&b, m, name);
        size_t i = 0;

        while (i < size && value > bounds[i])
            i++;
        counts[i] += b.count;
        sum += b.count;
    }
    return sum;
}

void
point_explicit(const struct lens_host *host, const struct lens_metric *m,
               const struct lens_name *name, const struct moment *at, attributes_fn add,
               void *data, struct tree *t, struct node *to)
{
    struct node *point = tree_message(t, to, OTLP(DATA_POINTS));
    size_t size;
    const double *bounds = bounds_of(name, &size);
    uint64_t *counts = tree_room(t, (size + 1) * sizeof *counts);
    uint64_t count;

    if (counts == NULL)
        return;
    memset(counts, 0, (size + 1) * sizeof *counts);
    count = count_into(host, m, name, bounds, size, counts);
    tree_integer(t, point, OTLP(EXPLICIT_START), at->start);
    tree_integer(t, point, OTLP(EXPLICIT_TIME), at->time);
    tree_integer(t, point, OTLP(EXPLICIT_COUNT), count);
    tree_number(t, point, OTLP(EXPLICIT_SUM), m->sum * name->scale);
    tree_packed(t, point, OTLP(EXPLICIT_COUNTS), counts, size + 1);
    tree_packed(t, point, OTLP(EXPLICIT_BOUNDS), bounds, size);
    add(data, t, point, OTLP(EXPLICIT_ATTRIBUTES));
    tree_number(t, point, OTLP(EXPLICIT_MIN), m->min * name->scale);
    tree_number(t, point, OTLP(EXPLICIT_MAX), m->max * name->scale);
}
