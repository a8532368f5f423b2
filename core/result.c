#include "result.h"

#include <math.h>
#include <string.h>

#include "slo.h"

result *
result_new(const GPtrArray *slos)
{
    result *r = g_new0(result, 1);

    r->end_ns = NEVER;
    r->requests = r->duration_ns = -1;
    r->judge.asked = r->judge.realised = NAN;
    r->tally = tally_new(slos);
    return r;
}

void
result_free(result *r)
{
    if (r == NULL)
        return;
    g_free(r->target_name);
    g_free(r->stage_name);
    g_free(r->provider);
    g_free(r->api);
    g_free(r->model);
    g_free(r->url);
    g_free(r->workload);
    g_free(r->workload_options);
    g_free(r->price_provider);
    g_free(r->price_model);
    g_free(r->price_multiplier);
    g_free(r->price_date);
    g_free(r->gpu_hour_usd);
    tally_free(r->tally);
    verdict_free(r->verdict);
    g_free(r);
}

static void
export_state_free(void *data)
{
    struct export_state *e = data;

    g_free(e->kind);
    g_free(e->name);
    g_free(e->error);
    g_free(e);
}

run_info *
run_info_new(void)
{
    run_info *r = g_new0(run_info, 1);

    r->slos = g_ptr_array_new_with_free_func((GDestroyNotify)slo_free);
    r->results = g_ptr_array_new_with_free_func((GDestroyNotify)result_free);
    r->exports = g_ptr_array_new_with_free_func(export_state_free);
    return r;
}

void
run_info_free(run_info *r)
{
    if (r == NULL)
        return;
    g_free(r->id);
    g_free(r->version);
    g_free(r->plan_hash);
    g_free(r->plan_json);
    g_free(r->run_file);
    g_free(r->host_name);
    g_free(r->host_cpu);
    g_free(r->host_kernel);
    g_ptr_array_unref(r->slos);
    g_ptr_array_unref(r->results);
    g_ptr_array_unref(r->exports);
    verdict_free(r->verdict);
    g_free(r);
}

/* ---- judging ---- */

/* A window without an end of its own, and one that was cut short, ends with the last
 * request. */
static void
close_window(result *r)
{
    tally *t = r->tally;

    if (t->window_end_ns == INT64_MAX || r->judge.ended != ENDED_DONE)
        t->window_end_ns = MIN(t->window_end_ns, MAX(t->last_end_ns, 0));
    if (t->window_start_ns > t->window_end_ns) /* it never began */
        t->window_start_ns = t->window_end_ns;
}

/* Drawn arrivals differ from the rate by chance, so an open loop is held against its own
 * schedule: how much longer did it take to start what was due? */
static double
realised_load(const result *r)
{
    const tally *t = r->tally;

    if (!r->judge.open_loop)
        return MIN(r->judge.asked, tally_concurrency(t));
    if (t->last_due_ns > t->first_due_ns && t->last_start_ns > t->first_start_ns) {
        const double due = (double)(t->last_due_ns - t->first_due_ns);
        const double took = (double)(t->last_start_ns - t->first_start_ns);

        return r->judge.asked * MIN(1.0, due / took);
    }
    return NAN;
}

void
run_info_judge(run_info *run)
{
    verdict_free(run->verdict);
    run->verdict = verdict_new();
    for (guint i = 0; i < run->results->len; i++) {
        result *r = run->results->pdata[i];
        struct verdict_input in = r->judge;

        close_window(r);
        if (isnan(in.realised))
            in.realised = realised_load(r);
        verdict_free(r->verdict);
        r->verdict = verdict_judge(r->tally, &in);
        verdict_add(run->verdict, r->verdict);
    }
}

/* ---- values ---- */

double
result_window_s(const result *r)
{
    const tally *t = r->tally;
    const int64_t end = t->window_end_ns == INT64_MAX ? t->last_end_ns : t->window_end_ns;

    return end > t->window_start_ns ? (double)(end - t->window_start_ns) / 1e9 : 0;
}

double
tally_stat(const tally *t, enum metric m, const char *stat)
{
    const histogram *h = m < METRIC_COUNT ? t->hist[m] : NULL;
    const uint64_t count = h != NULL ? histogram_count(h) : 0;
    const double scale = m < METRIC_COUNT ? metric_get(m)->scale : 1;
    double q;

    if (g_strcmp0(stat, "count") == 0)
        return (double)count;
    if (count == 0 || stat == NULL)
        return NAN;
    if (strcmp(stat, "min") == 0)
        return (double)histogram_min(h) / scale;
    if (strcmp(stat, "max") == 0)
        return (double)histogram_max(h) / scale;
    if (strcmp(stat, "mean") == 0)
        return histogram_mean(h) / scale;
    if (strcmp(stat, "stddev") == 0)
        return histogram_stddev(h) / scale;
    q = metric_quantile_of(stat);
    return count >= histogram_needs(q) ? (double)histogram_quantile(h, q) / scale : NAN;
}

static double
per_second(const result *r, double amount)
{
    const double seconds = result_window_s(r);

    return seconds > 0 ? amount / seconds : NAN;
}

/* A count that nobody told us is not 0. */
static double
tokens_per_second(const result *r, double amount, unsigned usage)
{
    const tally *t = r->tally;

    if (!t->window_tokens_known || (amount <= 0 && !t->tokens_known[usage]))
        return NAN;
    return per_second(r, amount);
}

double
result_value(const result *r, const char *metric, const char *stat)
{
    const tally *t = r->tally;

    if (strcmp(metric, "errors") == 0)
        return t->total > 0 ? (double)(t->failed + t->censored) / (double)t->total : NAN;
    if (strcmp(metric, "goodput") == 0)
        return t->judged > 0 ? (double)t->good / (double)t->judged : NAN;
    if (strcmp(metric, "requests_per_s") == 0)
        return t->total + t->warmup + t->cooldown > 0 ? per_second(r, t->window_requests)
                                                      : NAN;
    if (strcmp(metric, "output_tokens_per_s") == 0)
        return tokens_per_second(r, t->window_output_tokens, LENS_USAGE_OUTPUT);
    if (strcmp(metric, "input_tokens_per_s") == 0)
        return tokens_per_second(r, t->window_input_tokens, LENS_USAGE_INPUT);
    return tally_stat(t, metric_from_id(metric), stat);
}

bool
run_info_slos_met(const run_info *run)
{
    for (guint i = 0; i < run->results->len; i++) {
        for (guint k = 0; k < run->slos->len; k++) {
            const slo *s = run->slos->pdata[k];

            if (!s->per_request &&
                !slo_met(s, result_value(run->results->pdata[i], s->metric, s->stat)))
                return false;
        }
    }
    return true;
}
