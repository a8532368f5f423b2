#include "bounds.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/words.h"

/* They hold the bounds that vLLM and the conventions of OpenTelemetry use where these are
 * of use. Gaps between tokens get three more in front. */
static const double times[] = {
    0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.06,
    0.08,   0.1,     0.15,   0.2,   0.25,  0.3,   0.4,  0.5,  0.75, 1,
    1.5,    2.5,     5,      7.5,   10,    20,    40,   80,
};
#define FINE 3
#define TIMES (sizeof times / sizeof times[0])

static void
add(struct bounds *b, double value)
{
    snprintf(b->texts[b->count], sizeof b->texts[0], "%.12g", value);
    b->values[b->count++] = value;
}

static lens_status
refuse(const struct lens_host *host, const char *text)
{
    char why[512];

    snprintf(why, sizeof why,
             "option buckets: `%.200s`: expected rising numbers of seconds, for "
             "instance 0.1+0.5+1, %d at most",
             text, MOST_BOUNDS);
    return host->fail(host, LENS_E_CONFIG, why);
}

struct choice {
    struct bounds *bounds;
    const struct lens_host *host;
};

static lens_status
choose(void *data, const char *text)
{
    const struct choice *c = data;
    struct bounds *b = c->bounds;
    char *end;
    const double value = strtod(text, &end);

    if (end == text || *end != '\0' || !isfinite(value) || value <= 0 ||
        b->count == MOST_BOUNDS || (b->count > 0 && value <= b->values[b->count - 1]))
        return refuse(c->host, text);
    add(b, value);
    return LENS_OK;
}

lens_status
bounds_open(struct state *s, const struct lens_host *host)
{
    const int32_t own = host->opt_count(host, "buckets");
    struct choice choice = { &s->time, host };
    const lens_status status = words_each(host, "buckets", choose, &choice);

    if (own > 0) {
        s->gap = s->time;
    }
    for (size_t i = 0; own <= 0 && i < TIMES; i++) {
        add(&s->gap, times[i]);
        if (i >= FINE)
            add(&s->time, times[i]);
    }
    for (unsigned power = 0; power <= 24; power += 2)
        add(&s->tokens, 1 << power);
    for (int rate = 1; rate <= 10000; rate *= 10) {
        add(&s->rate, rate);
        add(&s->rate, 2 * rate);
        add(&s->rate, 5 * rate);
    }
    return status;
}

const struct bounds *
bounds_of(const struct state *s, const struct lens_name *name)
{
    if (strcmp(name->base_unit, "{token}") == 0)
        return &s->tokens;
    if (strcmp(name->base_unit, "s") != 0)
        return &s->rate;
    return strncmp(name->id, "itl", 3) == 0 || strcmp(name->id, "tpot") == 0 ||
                   strcmp(name->id, "lag") == 0
               ? &s->gap
               : &s->time;
}
