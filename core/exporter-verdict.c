/* What an exporter answered, and what follows from it. */
#include "chrono.h"
#include "exporter-http.h"
#include "exporter-private.h"
#include "secret.h"

#define BACKOFF_FIRST (NS_PER_S / 2)
#define BACKOFF_MOST (30 * NS_PER_S)

void
exporter_set_error(exporter *e, const char *why)
{
    pthread_mutex_lock(&exporters_lock);
    g_free(e->error);
    e->error = why != NULL ? secret_redact(why, -1) : NULL;
    pthread_mutex_unlock(&exporters_lock);
}

/* Full jitter: many clients that lost one receiver do not come back together. */
static int64_t
backoff(unsigned failures)
{
    const int64_t most = MIN(BACKOFF_FIRST << MIN(failures, 10u), BACKOFF_MOST);

    return (int64_t)(g_random_double() * (double)most);
}

static void
count_failure(exporter *e)
{
    pthread_mutex_lock(&exporters_lock);
    e->failed_tries++;
    pthread_mutex_unlock(&exporters_lock);
}

enum step
exporter_later(exporter *e, int64_t after_ns, const char *why, bool quiet)
{
    exporter_set_error(e, why);
    if (!quiet)
        count_failure(e);
    if (e->failures == 0 && !quiet)
        g_warning("export %s: not delivered yet: %s; it is tried again", e->name,
                  e->error);
    else
        g_debug("export %s: not delivered yet: %s", e->name, e->error);
    e->retry_ns = chrono_now() + (after_ns > 0 ? after_ns : backoff(e->failures));
    e->asked_to_wait = after_ns > 0;
    e->failures++;
    return STEP_LATER;
}

enum step
exporter_give_up(exporter *e, const char *why)
{
    exporter_set_error(e, why);
    count_failure(e);
    g_warning("export %s: gave up: %s; what is left stays in the run file", e->name,
              e->error);
    return STEP_OVER;
}

/* A failure without a verdict: input and output may get better, the rest does not. */
static uint32_t
answer_of(lens_status status, const struct lens_delivery *d)
{
    if (status >= 0 || d->verdict != LENS_DELIVERY_OK)
        return d->verdict;
    return status == LENS_E_IO ? LENS_DELIVERY_LATER : LENS_DELIVERY_GIVE_UP;
}

static uint64_t
count_refused(const struct lens_delivery *d, uint64_t done)
{
    uint64_t refused = 0;

    for (uint64_t i = 0; d->refused != NULL && i < d->refused_count; i++)
        refused += d->refused[i] < done;
    return MIN(refused, done);
}

static enum step
split(exporter *e, uint64_t offered, struct outcome *o)
{
    const uint64_t left = offered - o->done;

    if (left <= 1) { /* it cannot be made smaller */
        o->done = offered;
        o->refused += left;
    }
    e->limit = MAX(left / 2, 1);
    return STEP_WORKED;
}

/* The first one is told at once, all of them are counted at the end. */
static void
tell_refused(exporter *e, uint64_t refused, const char *why)
{
    if (e->refusal == NULL) {
        g_warning("export %s: the receiver refused %" G_GUINT64_FORMAT " of it for good: "
                  "%s",
                  e->name, refused, why);
        pthread_mutex_lock(&exporters_lock);
        e->refusal = g_strdup(why);
        pthread_mutex_unlock(&exporters_lock);
    } else {
        g_debug("export %s: refused %" G_GUINT64_FORMAT ": %s", e->name, refused, why);
    }
}

/* A batch that a slow receiver did not take in time is offered in halves from now on. */
static void
slow_down(exporter *e, uint64_t count)
{
    if (!exporter_http_timed_out(e->instance) || count <= 1)
        return;
    e->limit = e->most = MAX(MIN(count, e->most) / 2, 1);
    e->failures = MIN(e->failures, 1); /* a new try, not the same again */
}

struct outcome
exporter_judge(exporter *e, lens_status status, const struct lens_delivery *d,
               uint64_t count)
{
    const uint32_t answer = answer_of(status, d);
    const bool has_words = e->instance->failure != NULL;
    g_autofree char *why = instance_failure(e->instance);
    struct outcome o = { .done = MIN(d->delivered_prefix, count) };

    if (answer == LENS_DELIVERY_OK && o.done == 0)
        o.done = count;
    if (answer == LENS_DELIVERY_LATER && o.done == count)
        o.done = 0; /* there would be nothing left to be sent later */
    o.refused = count_refused(d, o.done);
    if (o.done > 0)
        e->failures = 0;
    switch (answer) {
    case LENS_DELIVERY_OK:
        e->failures = 0;
        e->limit = MIN(e->limit * 2, e->most);
        exporter_set_error(e, NULL);
        o.step = STEP_WORKED;
        break;
    case LENS_DELIVERY_LATER:
        slow_down(e, count);
        o.step =
            exporter_later(e, d->retry_after_ns,
                           has_words ? why : "the receiver is not ready", !has_words);
        break;
    case LENS_DELIVERY_SPLIT:
        o.step = split(e, count, &o);
        break;
    default: /* also verdicts of a later version */
        o.step = exporter_give_up(e, why);
    }
    if (o.refused > 0)
        tell_refused(e, o.refused, has_words ? why : "it gave no reason");
    return o;
}
