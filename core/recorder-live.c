/* The numbers of the live view. */
#include <math.h>
#include <string.h>

#include "chrono.h"
#include "recorder-private.h"

#define SLOT_NS (NS_PER_S / 2)
#define QUANTILES_EVERY_NS (NS_PER_S / 4)

void
live_begin(recorder *r)
{
    r->next_live = (struct live){
        .ttft_p50_ms = NAN, .ttft_p99_ms = NAN, .itl_p50_ms = NAN, .lag_p99_ms = NAN
    };
    memset(&r->rates, 0, sizeof r->rates);
    r->rates.slot =
        chrono_now() / SLOT_NS; /* what ends before the first look counts too */
    r->quantiles_ns = 0;
}

void
live_add(recorder *r, const sample *s)
{
    const attempt *last = sample_last(s);
    const int64_t tokens = last->usage[LENS_USAGE_OUTPUT];
    const size_t slot = (size_t)(r->rates.slot % RATE_SLOTS);

    r->next_live.done++;
    r->next_live.ok += s->outcome == LENS_OUTCOME_OK;
    r->next_live.failed += s->outcome == LENS_OUTCOME_FAILED;
    if (s->outcome == LENS_OUTCOME_FAILED && last->error_kind < ERROR_KINDS)
        r->next_live.errors[last->error_kind]++;
    r->rates.requests[slot]++;
    r->rates.tokens[slot] += tokens >= 0 ? (uint64_t)tokens : last->output_messages;
}

static void
turn_rates(struct rates *rates, int64_t now_ns)
{
    const int64_t slot = now_ns / SLOT_NS;

    if (rates->slot == 0 || slot - rates->slot >= RATE_SLOTS)
        memset(rates, 0, sizeof *rates);
    else
        for (int64_t s = rates->slot + 1; s <= slot; s++) {
            rates->requests[s % RATE_SLOTS] = 0;
            rates->tokens[s % RATE_SLOTS] = 0;
        }
    rates->slot = slot;
}

static void
publish_rates(recorder *r, int64_t now_ns)
{
    const int64_t begin_ns = r->run_start_ns + r->shadow.start_ns;
    const int64_t oldest_ns = MAX((r->rates.slot - RATE_SLOTS + 1) * SLOT_NS,
                                  r->shadow.start_ns >= 0 ? begin_ns : 0);
    const double seconds = (double)MAX(now_ns - oldest_ns, SLOT_NS) / 1e9;
    uint64_t requests = 0, tokens = 0;

    for (int i = 0; i < RATE_SLOTS; i++) {
        requests += r->rates.requests[i];
        tokens += r->rates.tokens[i];
    }
    r->next_live.requests_per_s = (double)requests / seconds;
    r->next_live.output_tokens_per_s = (double)tokens / seconds;
}

static double
quantile_ms(const histogram *h, double q)
{
    return h == NULL || histogram_count(h) == 0 ? NAN
                                                : (double)histogram_quantile(h, q) / 1e6;
}

static void
publish_quantiles(recorder *r, int64_t now_ns)
{
    const tally *t = r->result != NULL ? r->result->tally : NULL;

    if (t == NULL || now_ns - r->quantiles_ns < QUANTILES_EVERY_NS ||
        !atomic_exchange(&r->live_wanted, false))
        return;
    r->quantiles_ns = now_ns;
    r->next_live.ttft_p50_ms = quantile_ms(t->hist[METRIC_TTFT], 0.5);
    r->next_live.ttft_p99_ms = quantile_ms(t->hist[METRIC_TTFT], 0.99);
    r->next_live.itl_p50_ms = quantile_ms(t->hist[METRIC_ITL], 0.5);
    r->next_live.lag_p99_ms = quantile_ms(t->hist[METRIC_LAG], 0.99);
}

void
live_publish(recorder *r, int64_t now_ns)
{
    turn_rates(&r->rates, now_ns);
    publish_rates(r, now_ns);
    publish_quantiles(r, now_ns);
    pthread_mutex_lock(&r->lock);
    r->live = r->next_live;
    pthread_mutex_unlock(&r->lock);
}
