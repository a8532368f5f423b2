/* What an interval of one target costs when it is told by OTLP: time to encode it, and
 * the size of what is posted. The argument is a directory of plugins. One JSON object. */
#include <stdio.h>

#include "chrono.h"
#include "exporter-result.h"
#include "exporter-run.h"
#include "host.h"
#include "registry.h"

enum { REQUESTS = 1000, HISTOGRAMS = 8 };

static size_t posted;        /* bytes of the last request */
static int64_t posted_at_ns; /* when it was ready */

static lens_status
take_post(const struct lens_host *host, const struct lens_http_request *request,
          struct lens_http_answer *answer)
{
    (void)host;
    posted_at_ns = chrono_now();
    posted = request->body.size;
    answer->status = 200;
    return LENS_OK;
}

/* A request of a server that is loaded: TTFT from 200 to 600 ms, 32 gaps of 15 to 40 ms.
 */
static sample *
make_sample(uint64_t id)
{
    sample *s = sample_new(1);
    attempt *a = &s->attempts[0];
    const int64_t start = (int64_t)id * NS_PER_MS;
    uint32_t dice = (uint32_t)id * 2654435761U;
    int64_t at = start + 200 * NS_PER_MS + dice % 400000 * NS_PER_US;

    s->id = id;
    s->outcome = LENS_OUTCOME_OK;
    s->phase = LENS_PART_MEASURED;
    s->due_ns = a->start_ns = start;
    a->departure_first_ns = a->departure_ns = start + 20000 + dice % 50000;
    a->first_byte_ns = a->first_message_ns = a->first_output_ns = a->first_text_ns = at;
    a->streamed = a->reused = true;
    a->rtt_ns = 30000 + dice % 100000;
    for (int i = 0; i < 32; i++) {
        timeline_add(&a->messages_log, at, LENS_MSG_TEXT, LENS_CLOCK_KERNEL, 1, false);
        a->last_output_ns = at;
        if (i == 1)
            a->second_output_ns = at;
        dice = dice * 1664525 + 1013904223;
        at += 15 * NS_PER_MS + (dice >> 8) % 25000 * NS_PER_US;
    }
    a->output_messages = a->messages = a->kernel_stamps = 32;
    a->terminal_ns = a->end_ns = a->last_output_ns + 1000;
    a->usage[LENS_USAGE_INPUT] = 140;
    a->usage[LENS_USAGE_OUTPUT] = 32;
    return s;
}

static run_info *
make_run(void)
{
    run_info *info = run_info_new();
    result *r = result_new(NULL);

    info->id = g_strdup("0190f0a0-0000-7000-8000-000000000000");
    info->version = g_strdup("1");
    info->start_unix_ns = INT64_C(1800000000) * NS_PER_S;
    r->target_name = g_strdup("a");
    r->stage_name = g_strdup("b");
    r->provider = g_strdup("openai");
    r->api = g_strdup("chat");
    r->model = g_strdup("m");
    r->url = g_strdup("http://127.0.0.1:8000");
    r->workload = g_strdup("closed");
    r->tally->window_start_ns = 0;
    r->tally->window_end_ns = INT64_MAX;
    for (uint64_t id = 1; id <= REQUESTS; id++) {
        sample *s = make_sample(id);

        tally_add_sample(r->tally, s, NULL);
        sample_free(s);
    }
    g_ptr_array_add(info->results, r);
    run_info_judge(info);
    return info;
}

/* Of the result only the first distributions that hold something. */
static struct lens_result
pick(const struct lens_result *of, struct lens_metric ret[HISTOGRAMS])
{
    struct lens_result r = *of;

    r.metrics = ret;
    r.metric_count = 0;
    r.metric_size = sizeof *ret;
    for (uint32_t i = 0; i < of->metric_count && r.metric_count < HISTOGRAMS; i++) {
        const struct lens_metric *m =
            (const void *)((const char *)of->metrics + (size_t)i * of->metric_size);

        if (m->count > 0)
            ret[r.metric_count++] = *m;
    }
    return r;
}

static void
measure(instance *i, const shown *s)
{
    const struct lens_exporter *ops = &i->plugin->ops.exporter;
    struct lens_metric metrics[HISTOGRAMS];
    const struct lens_result picked = pick(shown_results(s), metrics);
    const struct lens_snapshot snapshot = {
        .struct_size = sizeof snapshot,
        .end_ns = 10 * NS_PER_S,
        .unix_ns = INT64_C(1800000010) * NS_PER_S,
        .interval = &picked,
        .total = &picked,
        .result_count = 1,
        .result_size = sizeof(struct lens_result),
    };
    int64_t best_ns = INT64_MAX;

    for (int round = 0; round < 200; round++) {
        struct lens_delivery d = { .struct_size = sizeof d };
        const int64_t start_ns = chrono_now();

        ops->snapshot(i->self, &snapshot, &d);
        best_ns = MIN(best_ns, posted_at_ns - start_ns);
    }
    printf("{\"histograms\":%u,\"bytes\":%zu,\"encode_ms\":%.4f}\n", picked.metric_count,
           posted, (double)best_ns / 1e6);
}

int
main(int argc, char **argv)
{
    const char *const dirs[] = { argc > 1 ? argv[1] : ".", NULL };
    g_autoptr(GError) error = NULL;
    registry *plugins = registry_new(dirs, false);
    const plugin *p = registry_find(plugins, LENS_KIND_OF_EXPORTER, "otlp", &error);
    option_values *options;
    run_shown *run;
    shown *all;
    instance *i;

    if (p == NULL)
        g_error("%s", error->message);
    options = option_values_new(&p->ops.exporter.options, "otlp");
    if (!option_values_finish(options, false, &error))
        g_error("%s", error->message);
    host_set_http(take_post, NULL);
    i = exporter_open(p, options, 0, &error);
    if (i == NULL)
        g_error("%s", error->message);
    {
        g_autoptr(run_info) info = make_run();

        run = run_shown_new(info, "bench.lens");
        all = shown_new(info);
        p->ops.exporter.begin(i->self, run_shown_get(run), 0);
        measure(i, all);
    }
    instance_close(i);
    shown_free(all);
    run_shown_free(run);
    option_values_free(options);
    registry_free(plugins);
    return 0;
}
