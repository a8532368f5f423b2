#include "event.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <names.h>
#include <write.h>

/* ---- the run ---- */

static char *
copy(const char *text)
{
    return strdup(text != NULL ? text : "");
}

static int
take_targets(struct event_run *r, const struct lens_run *run)
{
    const char *at = (const char *)run->targets;

    r->targets = calloc((size_t)run->target_count + 1, sizeof *r->targets);
    if (r->targets == NULL)
        return 0;
    for (uint32_t i = 0; i < run->target_count; i++, at += run->target_size) {
        const struct lens_target_info *from = (const void *)at;
        struct event_target *to = &r->targets[r->target_count++];

        *to =
            (struct event_target){ copy(from->name), copy(from->provider),
                                   copy(from->api), copy(from->model), copy(from->url) };
        if (to->name == NULL || to->provider == NULL || to->api == NULL ||
            to->model == NULL || to->url == NULL)
            return 0;
    }
    return 1;
}

static int
take_stages(struct event_run *r, const struct lens_run *run)
{
    const char *at = (const char *)run->stages;

    r->stages = calloc((size_t)run->stage_count + 1, sizeof *r->stages);
    if (r->stages == NULL)
        return 0;
    for (uint32_t i = 0; i < run->stage_count; i++, at += run->stage_size) {
        r->stages[r->stage_count] =
            copy(((const struct lens_stage_info *)(const void *)at)->name);
        if (r->stages[r->stage_count++] == NULL)
            return 0;
    }
    return 1;
}

lens_status
event_run_take(struct event_run *r, const struct lens_run *run)
{
    event_run_clear(r);
    r->id = copy(run->id);
    r->version = copy(run->version);
    r->host_name = copy(run->host_name);
    r->plan_hash = copy(run->plan_hash);
    r->run_file = copy(run->run_file);
    r->start_unix_ns = run->start_unix_ns;
    return r->id != NULL && r->version != NULL && r->host_name != NULL &&
                   r->plan_hash != NULL && r->run_file != NULL && take_targets(r, run) &&
                   take_stages(r, run)
               ? LENS_OK
               : LENS_E_NOMEM;
}

void
event_run_clear(struct event_run *r)
{
    for (uint32_t i = 0; i < r->target_count; i++) {
        free(r->targets[i].name);
        free(r->targets[i].provider);
        free(r->targets[i].api);
        free(r->targets[i].model);
        free(r->targets[i].url);
    }
    for (uint32_t i = 0; i < r->stage_count; i++)
        free(r->stages[i]);
    free(r->targets);
    free(r->stages);
    free(r->id);
    free(r->version);
    free(r->host_name);
    free(r->plan_hash);
    free(r->run_file);
    memset(r, 0, sizeof *r);
}

/* ---- pieces ---- */

static void
member(struct lens_writer *w, const char *name)
{
    lens_write(w, ",\"");
    lens_write(w, name);
    lens_write(w, "\":");
}

static void
member_text(struct lens_writer *w, const char *name, const char *text)
{
    member(w, name);
    if (text != NULL)
        lens_write_string(w, text, strlen(text));
    else
        lens_write(w, "null");
}

static void
member_number(struct lens_writer *w, const char *name, double value)
{
    member(w, name);
    if (isfinite(value))
        lens_write_double(w, value);
    else
        lens_write(w, "null");
}

static void
member_time(struct lens_writer *w, const char *name, int64_t unix_ns)
{
    const time_t seconds = (time_t)(unix_ns / 1000000000);
    char text[64];
    struct tm tm;

    gmtime_r(&seconds, &tm);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    member_text(w, name, text);
}

static void
start(struct lens_writer *w, const struct event_run *r, const char *event,
      int64_t unix_ns, struct text *out)
{
    text_rewind(out);
    lens_write_begin(w, out, text_put);
    lens_write(w, "{\"schema\":\"lens.webhook/1\"");
    member_text(w, "event", event);
    member_time(w, "time", unix_ns);
    member(w, "run");
    lens_write(w, "{\"id\":");
    lens_write_string(w, r->id, strlen(r->id));
    member_text(w, "version", r->version);
    member_text(w, "host", r->host_name);
    member_text(w, "plan_hash", r->plan_hash);
    member_text(w, "file", r->run_file);
    member_time(w, "started_at", r->start_unix_ns);
    lens_write(w, "}");
}

static void
finish(struct lens_writer *w, struct text *out)
{
    lens_write(w, "}");
    if (lens_write_end(w) != LENS_OK)
        out->failed = 1;
}

/* `first`: without a comma before it. */
static void
put_whose(struct lens_writer *w, const struct event_run *r, uint32_t target,
          uint32_t stage)
{
    const struct event_target *t = target < r->target_count ? &r->targets[target] : NULL;

    lens_write(w, "{\"target\":");
    if (t != NULL)
        lens_write_string(w, t->name, strlen(t->name));
    else
        lens_write(w, "null");
    member_text(w, "stage", stage < r->stage_count ? r->stages[stage] : NULL);
    if (t == NULL)
        return;
    member_text(w, "provider", t->provider);
    member_text(w, "api", t->api);
    member_text(w, "model", t->model);
    member_text(w, "url", t->url);
}

/* ---- results ---- */

static void
put_metric(struct lens_writer *w, const struct lens_metric *m)
{
    static const struct {
        const char *name;
        double q;
    } quantiles[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p95", 0.95 }, { "p99", 0.99 } };

    member(w, m->name);
    lens_write(w, "{\"count\":");
    lens_write_int(w, (int64_t)m->count);
    member_text(w, "unit", m->unit);
    member_number(w, "mean", m->mean);
    for (size_t i = 0; i < sizeof quantiles / sizeof quantiles[0]; i++)
        member_number(w, quantiles[i].name, lens_metric_quantile(m, quantiles[i].q));
    member_number(w, "max", m->max);
    lens_write(w, "}");
}

static void
put_slo(struct lens_writer *w, const struct lens_slo_state *s)
{
    lens_write(w, "{\"expr\":");
    lens_write_string(w, s->expr, strlen(s->expr));
    member_number(w, "value", s->value);
    member_text(w, "unit", s->unit);
    member(w, "ok");
    lens_write(w, s->met ? "true}" : "false}");
}

static void
put_slos(struct lens_writer *w, const struct lens_result *r)
{
    const char *at = (const char *)r->slos;

    member(w, "slo");
    lens_write(w, "[");
    for (uint32_t i = 0; i < r->slo_count; i++, at += r->slo_size) {
        if (i > 0)
            lens_write(w, ",");
        put_slo(w, (const struct lens_slo_state *)(const void *)at);
    }
    lens_write(w, "]");
}

/* By their path in the summary, with `_` for dots, so that a template can name them. */
static void
put_numbers(struct lens_writer *w, const struct lens_result *r)
{
    const char *at = (const char *)r->numbers;

    for (uint32_t i = 0; i < r->number_count; i++, at += r->number_size) {
        const struct lens_number *n = (const struct lens_number *)(const void *)at;

        char name[128];

        if (!isfinite(n->value))
            continue;
        snprintf(name, sizeof name, "%s", n->name);
        for (char *c = name; *c != '\0'; c++)
            *c = *c == '.' ? '_' : *c;
        member_number(w, name, n->value);
    }
}

static void
put_result(struct lens_writer *w, const struct event_run *run,
           const struct lens_result *r)
{
    const char *at = (const char *)r->metrics;

    put_whose(w, run, r->target, r->stage);
    member_text(w, "verdict", r->verdict);
    for (uint32_t i = 0; i < r->metric_count; i++, at += r->metric_size) {
        const struct lens_metric *m = (const struct lens_metric *)(const void *)at;

        if (m->count > 0)
            put_metric(w, m);
    }
    put_numbers(w, r);
    put_slos(w, r);
    lens_write(w, "}");
}

static void
put_results(struct lens_writer *w, const struct event_run *run, const char *name,
            const struct lens_result *list, uint32_t count, uint32_t stride)
{
    const char *at = (const char *)list;

    member(w, name);
    lens_write(w, "[");
    for (uint32_t i = 0; i < count; i++, at += stride) {
        if (i > 0)
            lens_write(w, ",");
        put_result(w, run, (const struct lens_result *)(const void *)at);
    }
    lens_write(w, "]");
}

/* ---- one line for people ---- */

static const char *
stage_of(const struct event_run *r, const struct lens_result *result)
{
    return result->stage < r->stage_count ? r->stages[result->stage] : "";
}

static const char *
target_of(const struct event_run *r, const struct lens_result *result)
{
    return result->target < r->target_count ? r->targets[result->target].name : "";
}

static void
say_result(const struct event_run *r, const struct lens_result *result, char *ret,
           size_t size)
{
    const struct lens_metric *ttft = lens_result_metric(result, "ttft");
    const double p99 = ttft != NULL ? lens_metric_quantile(ttft, 0.99) : (double)NAN;
    int used = snprintf(ret, size, "%s/%s: %.1f req/s, %.0f tok/s, %.0f failed",
                        target_of(r, result), stage_of(r, result),
                        lens_result_number(result, "throughput.requests_per_s"),
                        lens_result_number(result, "throughput.output_tokens_per_s"),
                        lens_result_number(result, "requests.failed"));

    if (isfinite(p99) && used > 0 && (size_t)used < size)
        snprintf(ret + used, size - (size_t)used, ", ttft p99 %.1f ms", p99);
}

static void
say_results(struct lens_writer *w, const struct event_run *r, const char *start_text,
            const struct lens_result *list, uint32_t count, uint32_t stride)
{
    const char *at = (const char *)list;
    char text[2048], one[512];
    size_t used = (size_t)snprintf(text, sizeof text, "%s", start_text);

    for (uint32_t i = 0; i < count && used + 2 < sizeof text; i++, at += stride) {
        say_result(r, (const struct lens_result *)(const void *)at, one, sizeof one);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s",
                                 i > 0 ? "; " : "", one);
    }
    member_text(w, "text", text);
}

/* ---- the events ---- */

void
event_begin(const struct event_run *r, struct text *out)
{
    struct lens_writer w;

    start(&w, r, "begin", r->start_unix_ns, out);
    member_text(&w, "text", "lens: a run has begun");
    member(&w, "targets");
    lens_write(&w, "[");
    for (uint32_t i = 0; i < r->target_count; i++) {
        if (i > 0)
            lens_write(&w, ",");
        put_whose(&w, r, i, UINT32_MAX);
        lens_write(&w, "}");
    }
    lens_write(&w, "]");
    finish(&w, out);
}

void
event_interval(const struct event_run *r, const struct lens_snapshot *s, struct text *out)
{
    struct lens_writer w;

    start(&w, r, "interval", s->unix_ns, out);
    say_results(&w, r, "lens: ", s->interval, s->result_count, s->result_size);
    member_number(&w, "index", (double)s->index);
    put_results(&w, r, "results", s->interval, s->result_count, s->result_size);
    put_results(&w, r, "totals", s->total, s->result_count, s->result_size);
    finish(&w, out);
}

void
event_slo(const struct event_run *r, const struct lens_snapshot *s,
          const struct lens_result *result, const struct lens_slo_state *broken,
          struct text *out)
{
    struct lens_writer w;
    char text[512];

    start(&w, r, "slo_broken", s->unix_ns, out);
    snprintf(text, sizeof text, "lens: %s/%s: SLO broken: %s, it is %.4g %s",
             target_of(r, result), stage_of(r, result), broken->expr, broken->value,
             broken->unit != NULL ? broken->unit : "");
    member_text(&w, "text", text);
    member(&w, "slo");
    put_slo(&w, broken);
    put_results(&w, r, "totals", result, 1, sizeof *result);
    finish(&w, out);
}

void
event_end(const struct event_run *r, const struct lens_summary *s, struct text *out)
{
    struct lens_writer w;

    start(&w, r, "end", r->start_unix_ns, out);
    say_results(&w, r, "lens: the run has ended: ", s->results, s->result_count,
                s->result_size);
    member(&w, "summary");
    lens_write_bytes(&w, s->json, s->json_size);
    finish(&w, out);
}
