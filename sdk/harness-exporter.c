/* An exporter with made-up data. */
#include <math.h>
#include <string.h>

#include "harness-private.h"

static const struct lens_target_info TARGET = { "target", "provider", "chat", "model",
                                                "http://127.0.0.1:9" };
static const struct lens_stage_info STAGE = { "stage", "closed", "{}" };
static const struct lens_mark MARKS[] = {
    { 210000000, 1, LENS_MSG_TEXT, LENS_CLOCK_KERNEL, 1, 0 },
    { 230000000, -1, LENS_MSG_TEXT, LENS_CLOCK_USER, 1, 0 },
    { 250000000, 0, LENS_MSG_FINISH | LENS_MSG_DONE, LENS_CLOCK_INTERVAL, 2, 0 },
};

const struct lens_run harness_run = {
    .struct_size = (uint32_t)sizeof harness_run,
    .id = "0190f0a0-0000-7000-8000-000000000000",
    .version = "0.0.0",
    .seed = "42",
    .plan_hash = "0123456789abcdef",
    .host_name = "host",
    .plan_json = "{\"lens\":1}",
    .start_unix_ns = INT64_C(1700000000000000000),
    .targets = &TARGET,
    .target_count = 1,
    .target_size = (uint32_t)sizeof TARGET,
    .stages = &STAGE,
    .stage_count = 1,
    .stage_size = (uint32_t)sizeof STAGE,
    .run_file = "run.lens",
};

/* One that went well, one that failed before an answer, one with awkward text. */
void
harness_make_sample(struct lens_sample *s, uint32_t nth)
{
    memset(s, 0, sizeof *s);
    s->struct_size = (uint32_t)sizeof *s;
    s->outcome = nth == 1 ? LENS_OUTCOME_FAILED : LENS_OUTCOME_OK;
    s->id = nth + 1;
    s->index = nth;
    s->item = LENS_ITEM_ANY;
    s->phase = LENS_PART_MEASURED;
    s->unix_ns = harness_run.start_unix_ns + nth;
    s->due_ns = s->start_ns = nth * 1000000;
    s->dns_ns = s->connect_ns = s->tls_ns = -1;
    s->departure_first_ns = s->departure_ns = nth == 1 ? -1 : 10000000;
    s->first_byte_ns = s->first_output_ns = s->first_text_ns = nth == 1 ? -1 : 210000000;
    s->second_output_ns = s->last_output_ns = nth == 1 ? -1 : 230000000;
    s->terminal_ns = nth == 1 ? -1 : 250000000;
    s->end_ns = 260000000;
    s->departure_clock = s->first_clock = LENS_CLOCK_KERNEL;
    s->rtt_ns = nth == 1 ? -1 : 30000;
    s->http_version = 11;
    s->http_status = nth == 1 ? 0 : 200;
    s->streamed = 1;
    s->asked_output_tokens = -1;
    for (size_t i = 0; i < 16; i++)
        s->usage[i] = -1;
    s->usage[LENS_USAGE_OUTPUT] = nth == 1 ? -1 : 2;
    s->cost_reported_usd = NAN;
    if (nth == 1) {
        s->error_class = LENS_CLASS_TRANSPORT;
        s->error_kind = LENS_KIND_CONNECT;
        s->error_where = 1;
        s->error_detail = "connection refused";
        return;
    }
    s->messages = 3;
    s->output_messages = 2;
    s->marks = MARKS;
    s->mark_count = 3;
    s->mark_size = (uint32_t)sizeof MARKS[0];
    s->finish = nth == 2 ? "st\"o,p\n'" : "stop";
    s->served_model = nth == 2 ? "m\xc3\xa9 = x" : "model";
    s->extra_json = "{\"queue_ms\":1}";
}

static int
export_samples(struct lens_harness *h, const struct lens_exporter *e, void *self,
               uint64_t *ret_delivered)
{
    struct lens_sample samples[LENS_HARNESS_SAMPLES];
    const struct lens_sample *batch[LENS_HARNESS_SAMPLES];
    struct lens_delivery delivery = { .struct_size = (uint32_t)sizeof delivery };

    for (uint32_t i = 0; i < LENS_HARNESS_SAMPLES; i++) {
        harness_make_sample(&samples[i], i);
        batch[i] = &samples[i];
    }
    if (e->samples == NULL)
        return 1;
    if (!lens_harness_settle(h, "samples",
                             e->samples(self, batch, LENS_HARNESS_SAMPLES, &delivery)))
        return 0;
    if (delivery.delivered_prefix > LENS_HARNESS_SAMPLES)
        return lens_harness_problem(h, "samples: %llu of %d are delivered",
                                    (unsigned long long)delivery.delivered_prefix,
                                    LENS_HARNESS_SAMPLES);
    if (delivery.verdict == LENS_DELIVERY_OK &&
        delivery.delivered_prefix < LENS_HARNESS_SAMPLES)
        return lens_harness_problem(h, "samples: the verdict is ok, %llu of %d delivered",
                                    (unsigned long long)delivery.delivered_prefix,
                                    LENS_HARNESS_SAMPLES);
    if (delivery.verdict > LENS_DELIVERY_GIVE_UP)
        return lens_harness_problem(h, "samples: the verdict is %u", delivery.verdict);
    for (uint64_t i = 0; i < delivery.refused_count; i++)
        if (delivery.refused[i] >= LENS_HARNESS_SAMPLES)
            return lens_harness_problem(h, "samples: refuses sample %llu of %d",
                                        (unsigned long long)delivery.refused[i],
                                        LENS_HARNESS_SAMPLES);
    *ret_delivered = delivery.delivered_prefix;
    return 1;
}

/* A result with one distribution, empty ones among them, and one number. */
void
harness_with_totals(harness_totals_fn fn, void *data)
{
    static const struct lens_quantile quantiles[] = { { 0.5, 200 }, { 0.99, NAN } };
    const struct lens_metric metrics[] = {
        { "ttft",
          "ms",
          2,
          200,
          210,
          205,
          5,
          410,
          quantiles,
          2,
          (uint32_t)sizeof quantiles[0],
          NULL,
          { NULL, 0 } },
        { "itl",
          "ms",
          0,
          NAN,
          NAN,
          NAN,
          NAN,
          0,
          quantiles,
          0,
          (uint32_t)sizeof quantiles[0],
          NULL,
          { NULL, 0 } },
    };
    const struct lens_number numbers[] = { { "requests.total", "", 3 },
                                           { "tokens.reasoning", "", NAN } };
    const struct lens_result result = {
        .metrics = metrics,
        .metric_count = 2,
        .metric_size = (uint32_t)sizeof metrics[0],
        .numbers = numbers,
        .number_count = 2,
        .number_size = (uint32_t)sizeof numbers[0],
        .verdict = "VALID",
    };
    const struct lens_snapshot snapshot = {
        .struct_size = (uint32_t)sizeof snapshot,
        .end_ns = INT64_C(10000000000),
        .unix_ns = harness_run.start_unix_ns + INT64_C(10000000000),
        .interval = &result,
        .total = &result,
        .result_count = 1,
        .result_size = (uint32_t)sizeof result,
    };
    static const char json[] =
        "{\"schema\":\"lens.summary/1\",\"run\":{},\"results\":[]}";
    const struct lens_summary summary = {
        .struct_size = (uint32_t)sizeof summary,
        .json = json,
        .json_size = sizeof json - 1,
        .results = &result,
        .result_count = 1,
        .result_size = (uint32_t)sizeof result,
    };
    fn(&snapshot, &summary, data);
}

struct offer {
    struct lens_harness *harness;
    const struct lens_exporter *exporter;
    void *self;
    int ok;
};

static void
offer_totals(const struct lens_snapshot *snapshot, const struct lens_summary *summary,
             void *data)
{
    struct offer *o = data;
    struct lens_delivery delivery = { .struct_size = (uint32_t)sizeof delivery };

    o->ok = o->exporter->snapshot == NULL ||
            lens_harness_settle(o->harness, "snapshot",
                                o->exporter->snapshot(o->self, snapshot, &delivery));
    if (!o->ok)
        return;
    memset(&delivery, 0, sizeof delivery);
    delivery.struct_size = (uint32_t)sizeof delivery;
    o->ok = lens_harness_settle(o->harness, "end",
                                o->exporter->end(o->self, summary, &delivery));
}

static int
export_totals(struct lens_harness *h, const struct lens_exporter *e, void *self)
{
    struct offer o = { h, e, self, 0 };

    harness_with_totals(offer_totals, &o);
    return o.ok;
}

int
lens_harness_exporter(struct lens_harness *h, const struct lens_exporter *e,
                      uint64_t *ret_delivered)
{
    void *self = NULL;
    lens_status begun;
    int ok;

    lens_harness_forget(h);
    h->exporting = 1;
    *ret_delivered = 0;
    ok = lens_harness_settle(h, "open", e->open(&h->host, &self));
    begun = ok ? e->begin(self, &harness_run, 0) : LENS_OK;
    h->absent = begun == LENS_E_IO;
    ok = ok && lens_harness_settle(h, "begin", begun) &&
         export_samples(h, e, self, ret_delivered) && export_totals(h, e, self);
    if (self != NULL)
        e->close(self);
    if (h->grown > 0)
        return lens_harness_problem(h, "close keeps %llu bytes of host->grow",
                                    (unsigned long long)h->grown);
    return ok && h->problem[0] == '\0';
}
