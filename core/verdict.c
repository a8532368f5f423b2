#include "verdict.h"

#include <math.h>

enum row_unit { AS_SHARE, AS_MS, AS_COUNT };

/* One row of the table. A NaN limit: this row has no such state. */
struct row {
    const char *id;
    enum row_unit unit;
    double suspect, invalid;
    bool below; /* the limit is a floor */
    const char *what, *advice;
};

static const struct row rows[] = {
    { "merged", AS_SHARE, 0.01, 0.05, false,
      "of the output messages arrived unseen between two reads, their times are late",
      "give the client a free core or use more --threads" },
    { "lag_user", AS_MS, 1, 10, false,
      "p99 of the client's lag where it had to stamp arrivals itself, it adds to every "
      "time",
      "give the client a free core or use a system with kernel stamps" },
    { "lag_kernel", AS_MS, 50, 500, false,
      "p99 of the client's lag behind arrivals, it reacted late",
      "give the client a free core or use more --threads" },
    { "start_late", AS_MS, 5, 50, false, "p99 of start behind due, requests started late",
      "lower the rate, raise --max-in-flight or use more --threads" },
    { "underload", AS_SHARE, 0.98, 0.90, true,
      "of the load that was asked for came about",
      "lower the load, or see why requests could not be started" },
    { "stall", AS_MS, 100, 1000, false,
      "was the longest time in which the client stood still",
      "give the client a free core" },
    { "cpu", AS_SHARE, 0.90, 0.98, false,
      "of a core was used by a worker, it was the limit",
      "use more --threads or a lower load" },
    { "clock_step", AS_MS, 1, 1000, false,
      "is how far the wall clock stepped, stamps were corrected",
      "run without a clock that is being set" },
    { "lost", AS_COUNT, NAN, 0, false, "samples or stamps were lost inside the client",
      "see the warnings of the run" },
    { "resources", AS_COUNT, NAN, 0, false,
      "times file descriptors, ports or memory ran out",
      "raise the limits (ulimit -n) or lower the load" },
    { "failures", AS_SHARE, 0.05, 0.50, false,
      "of the requests failed, those that remain may be the lucky ones",
      "see the errors" },
};

static char *
amount(enum row_unit unit, double value)
{
    if (unit == AS_SHARE)
        return g_strdup_printf("%.*f %%", value < 0.0995 ? 2 : 1, 100 * value);
    if (unit == AS_MS)
        return value < 1000 ? g_strdup_printf("%.3g ms", value)
                            : g_strdup_printf("%.3g s", value / 1000);
    return g_strdup_printf("%.0f", value);
}

static void
add_reason(verdict *v, struct verdict_reason reason)
{
    g_array_append_val(v->reasons, reason);
    v->state = MAX(v->state, reason.state);
}

static void
judge_row(verdict *v, const struct row *row, double value)
{
    const double sign = row->below ? -1 : 1;
    const bool invalid = sign * value > sign * row->invalid;
    const bool suspect = sign * value > sign * row->suspect; /* never so for NaN */
    const double limit = invalid ? row->invalid : row->suspect;
    g_autofree char *seen = NULL, *allowed = NULL;

    if (!invalid && !suspect)
        return;
    seen = amount(row->unit, value);
    allowed = amount(row->unit, limit);
    add_reason(v, (struct verdict_reason){
                      .id = row->id,
                      .state = invalid ? VERDICT_INVALID : VERDICT_SUSPECT,
                      .value = value,
                      .limit = limit,
                      .text = g_strdup_printf("%s %s (limit %s): %s", seen, row->what,
                                              allowed, row->advice),
                  });
}

static double
share(double part, double of)
{
    return of > 0 ? part / of : NAN;
}

static double
p99_ms(const histogram *h)
{
    if (h == NULL || histogram_count(h) == 0)
        return NAN;
    return (double)histogram_quantile(h, 0.99) / 1e6;
}

/* A stray stamp of our own among the kernel's bends no p99. */
static const histogram *
lag_that_matters(const tally *t)
{
    const uint64_t user = histogram_count(t->lag_user);

    return user * 100 >= user + histogram_count(t->lag_kernel) ? t->lag_user : NULL;
}

static void
judge_end(verdict *v, enum ended ended)
{
    static const char *const texts[] = {
        [ENDED_INTERRUPTED] =
            "interrupted before the stop condition was met: let it run to its end",
        [ENDED_ABORTED] = "given up before the stop condition was met: see the errors",
        [ENDED_COST] = "stopped before the stop condition was met: one more request "
                       "could have cost more than --max-cost",
    };

    if (ended == ENDED_DONE)
        return;
    add_reason(v, (struct verdict_reason){
                      .id = "ended",
                      .state = ended == ENDED_ABORTED ? VERDICT_INVALID : VERDICT_SUSPECT,
                      .value = NAN,
                      .limit = NAN,
                      .text = g_strdup(texts[ended]),
                  });
}

verdict *
verdict_judge(const tally *t, const struct verdict_input *in)
{
    const double stamps =
        (double)(t->stamps_kernel + t->stamps_user + t->stamps_interval);
    const double values[] = {
        share((double)t->stamps_interval, stamps),
        p99_ms(lag_that_matters(t)),
        p99_ms(t->lag_kernel),
        in->open_loop ? p99_ms(t->hist[METRIC_START_LATE]) : NAN,
        in->asked > 0 ? in->realised / in->asked : NAN,
        (double)t->stall_ns / 1e6,
        (double)t->cpu_ns_max_share_ppm / 1e6,
        (double)t->clock_step_ns / 1e6,
        (double)t->lost,
        (double)t->resources,
        share((double)t->failed, (double)t->total),
    };
    verdict *v = verdict_new();

    G_STATIC_ASSERT(G_N_ELEMENTS(values) == G_N_ELEMENTS(rows));
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++)
        judge_row(v, &rows[i], values[i]);
    judge_end(v, in->ended);
    return v;
}

void
verdict_add(verdict *to, const verdict *from)
{
    to->state = MAX(to->state, from->state);
    for (guint i = 0; i < from->reasons->len; i++) {
        const struct verdict_reason *r =
            &g_array_index(from->reasons, struct verdict_reason, i);
        struct verdict_reason *known = NULL;

        for (guint k = 0; k < to->reasons->len && known == NULL; k++) {
            known = &g_array_index(to->reasons, struct verdict_reason, k);
            if (g_strcmp0(known->id, r->id) != 0)
                known = NULL;
        }
        if (known == NULL) {
            struct verdict_reason copy = *r;

            copy.text = g_strdup(r->text);
            g_array_append_val(to->reasons, copy);
        } else if (r->state > known->state) { /* the worse one speaks */
            g_free(known->text);
            *known = *r;
            known->text = g_strdup(r->text);
        }
    }
}

static void
clear_reason(void *data)
{
    struct verdict_reason *r = data;

    g_free(r->text);
}

verdict *
verdict_new(void)
{
    verdict *v = g_new0(verdict, 1);

    v->reasons = g_array_new(false, false, sizeof(struct verdict_reason));
    g_array_set_clear_func(v->reasons, clear_reason);
    return v;
}

void
verdict_free(verdict *v)
{
    if (v == NULL)
        return;
    g_array_unref(v->reasons);
    g_free(v);
}

const char *
verdict_name(enum verdict_state s)
{
    static const char *const names[] = { "VALID", "SUSPECT", "INVALID" };

    return names[s];
}
