#include "tally.h"

#include <math.h>
#include <string.h>

#include "chrono.h"
#include "machine.h"

client_report *
client_report_new(void)
{
    client_report *c = g_new0(client_report, 1);

    c->lag_kernel = histogram_new();
    c->lag_user = histogram_new();
    c->start_late = histogram_new();
    return c;
}

void
client_report_free(client_report *c)
{
    if (c == NULL)
        return;
    histogram_free(c->lag_kernel);
    histogram_free(c->lag_user);
    histogram_free(c->start_late);
    g_free(c);
}

static void
forget_times(tally *t)
{
    t->window_end_ns = INT64_MAX;
    t->first_due_ns = t->last_due_ns = t->last_end_ns = NEVER;
    t->first_start_ns = t->last_start_ns = NEVER;
    t->concurrency = (double)NAN;
}

tally *
tally_new(const GPtrArray *slos)
{
    tally *t = g_new0(tally, 1);

    (void)slos;
    t->lag_kernel = histogram_new();
    t->lag_user = histogram_new();
    t->workers = g_array_new(false, true, sizeof(struct worker_use));
    t->flights = g_array_new(false, false, sizeof(struct tally_flight));
    forget_times(t);
    return t;
}

static void
drop_errors(tally *t)
{
    for (unsigned i = 0; i < ERROR_KINDS; i++) {
        g_free(t->errors[i].example);
        histogram_free(t->errors[i].duration);
    }
}

void
tally_free(tally *t)
{
    if (t == NULL)
        return;
    for (unsigned m = 0; m < METRIC_COUNT; m++)
        histogram_free(t->hist[m]);
    histogram_free(t->lag_kernel);
    histogram_free(t->lag_user);
    g_array_unref(t->workers);
    g_array_unref(t->flights);
    drop_errors(t);
    g_free(t);
}

void
tally_reset(tally *t)
{
    tally kept = { .lag_kernel = t->lag_kernel,
                   .lag_user = t->lag_user,
                   .workers = t->workers,
                   .flights = t->flights };

    for (unsigned m = 0; m < METRIC_COUNT; m++) {
        kept.hist[m] = t->hist[m];
        if (t->hist[m] != NULL)
            histogram_reset(t->hist[m]);
    }
    histogram_reset(t->lag_kernel);
    histogram_reset(t->lag_user);
    g_array_set_size(t->workers, 0);
    g_array_set_size(t->flights, 0);
    drop_errors(t);
    *t = kept;
    forget_times(t);
}

static void
add_histogram(histogram **to, const histogram *from)
{
    if (from == NULL || histogram_count(from) == 0)
        return;
    if (*to == NULL)
        *to = histogram_new();
    histogram_add(*to, from);
}

/* ---- the client itself ---- */

static void
use_worker(tally *t, uint32_t worker, const struct worker_use *more)
{
    struct worker_use *use;

    if (worker >= t->workers->len)
        g_array_set_size(t->workers, worker + 1);
    use = &g_array_index(t->workers, struct worker_use, worker);
    use->cpu_ns += more->cpu_ns;
    use->wall_ns += more->wall_ns;
    t->in_flight_wall_ns = MAX(t->in_flight_wall_ns, use->wall_ns);
    t->cpu_ns += more->cpu_ns;
}

static void
sum_up_workers(tally *t)
{
    t->cpu_ns_max_share_ppm = 0;
    for (guint i = 0; i < t->workers->len; i++) {
        const struct worker_use *use = &g_array_index(t->workers, struct worker_use, i);

        if (use->wall_ns > 0)
            t->cpu_ns_max_share_ppm =
                MAX(t->cpu_ns_max_share_ppm,
                    (int64_t)(1e6 * (double)use->cpu_ns / (double)use->wall_ns));
    }
}

void
tally_add_client(tally *t, const client_report *c)
{
    t->max_rss_bytes = MAX(t->max_rss_bytes, machine_max_rss());
    t->clock_step_ns = MAX(t->clock_step_ns, c->clock_step_ns);
    t->burst_spread_ns = MAX(t->burst_spread_ns, c->burst_spread_ns);
    t->lost += c->lost;
    t->resources += c->resources;
    if (!c->measured)
        return;
    add_histogram(&t->lag_kernel, c->lag_kernel);
    add_histogram(&t->lag_user, c->lag_user);
    add_histogram(&t->hist[METRIC_LAG], c->lag_kernel);
    add_histogram(&t->hist[METRIC_LAG], c->lag_user);
    t->stall_ns = MAX(t->stall_ns, c->stall_ns);
    t->in_flight_time += c->in_flight_time;
    t->in_flight_max = MAX(t->in_flight_max, c->in_flight_max);
    use_worker(t, c->worker, &(struct worker_use){ c->cpu_ns, c->wall_ns });
    sum_up_workers(t);
}

/* ---- merging ---- */

static void
earliest(int64_t *to, int64_t ns)
{
    if (ns != NEVER && (*to == NEVER || ns < *to))
        *to = ns;
}

static void
add_counts(tally *to, const tally *from)
{
    to->total += from->total;
    to->ok += from->ok;
    to->failed += from->failed;
    to->cancelled += from->cancelled;
    to->censored += from->censored;
    to->warmup += from->warmup;
    to->cooldown += from->cooldown;
    to->no_output += from->no_output;
    to->retries += from->retries;
    to->window_requests += from->window_requests;
    to->window_output_tokens += from->window_output_tokens;
    to->window_input_tokens += from->window_input_tokens;
    to->window_tokens_known |= from->window_tokens_known;
    to->stamps_kernel += from->stamps_kernel;
    to->stamps_user += from->stamps_user;
    to->stamps_interval += from->stamps_interval;
    to->merged_samples += from->merged_samples;
    to->messages_output += from->messages_output;
    to->messages_shared += from->messages_shared;
    to->reused += from->reused;
    to->attempts += from->attempts;
    to->judged += from->judged;
    for (unsigned i = 0; i < LENS_COST_COUNT; i++)
        to->cost[i] = saturating_add(to->cost[i], from->cost[i]);
    to->cost_total = saturating_add(to->cost_total, from->cost_total);
    to->cache_saving = saturating_add(to->cache_saving, from->cache_saving);
    to->cost_known += from->cost_known;
    to->cost_unknown += from->cost_unknown;
    to->cost_output_tokens =
        saturating_add(to->cost_output_tokens, from->cost_output_tokens);
    to->cost_other = saturating_add(to->cost_other, from->cost_other);
    to->cost_reported = saturating_add(to->cost_reported, from->cost_reported);
    to->reported_count += from->reported_count;
    to->good += from->good;
    to->due_in_window += from->due_in_window;
    to->deltas_missing |= from->deltas_missing;
}

static void
add_client_of(tally *to, const tally *from)
{
    add_histogram(&to->lag_kernel, from->lag_kernel);
    add_histogram(&to->lag_user, from->lag_user);
    to->stall_ns = MAX(to->stall_ns, from->stall_ns);
    to->burst_spread_ns = MAX(to->burst_spread_ns, from->burst_spread_ns);
    to->clock_step_ns = MAX(to->clock_step_ns, from->clock_step_ns);
    to->lost += from->lost;
    to->resources += from->resources;
    to->in_flight_time += from->in_flight_time;
    if (from->workers->len == 0) { /* intervals follow one another */
        to->in_flight_wall_ns += from->in_flight_wall_ns;
        to->in_flight_max = MAX(to->in_flight_max, from->in_flight_max);
    }
    to->max_rss_bytes = MAX(to->max_rss_bytes, from->max_rss_bytes);
    for (guint i = 0; i < from->workers->len; i++)
        use_worker(to, i, &g_array_index(from->workers, struct worker_use, i));
    sum_up_workers(to);
}

void
tally_add(tally *to, const tally *from)
{
    add_counts(to, from);
    add_client_of(to, from);
    for (unsigned m = 0; m < METRIC_COUNT; m++)
        add_histogram(&to->hist[m], from->hist[m]);
    for (unsigned i = 0; i < ERROR_KINDS; i++) {
        struct error_tally *e = &to->errors[i];

        if (e->count == 0) {
            e->where = from->errors[i].where;
            e->example = g_strdup(from->errors[i].example);
        }
        e->count += from->errors[i].count;
        add_histogram(&e->duration, from->errors[i].duration);
    }
    for (unsigned i = 0; i < LENS_USAGE_COUNT; i++) {
        to->tokens[i] += from->tokens[i];
        to->tokens_known[i] |= from->tokens_known[i];
    }
    to->tokens_unknown += from->tokens_unknown;
    earliest(&to->first_due_ns, from->first_due_ns);
    earliest(&to->first_start_ns, from->first_start_ns);
    g_array_append_vals(to->flights, from->flights->data, from->flights->len);
    to->flown_s += from->flown_s;
    to->last_due_ns = MAX(to->last_due_ns, from->last_due_ns);
    to->last_start_ns = MAX(to->last_start_ns, from->last_start_ns);
    to->last_end_ns = MAX(to->last_end_ns, from->last_end_ns);
}
