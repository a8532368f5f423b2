#include "names.h"

#include <math.h>
#include <string.h>

#define MS "ms", 1e-3, "s"
#define COUNT(unit) unit "s", 1, "{" unit "}"

/* A time that is ours in every convention. */
#define TIME(id, help, prometheus, otlp)                                              \
    {                                                                                 \
        id, LENS_NAME_HISTOGRAM, MS, help, NULL, NULL, "lens_" prometheus "_seconds", \
            "lens.client." otlp, "lens.client." otlp, NULL, id, id "_ms", "lens." id  \
    }
/* One that the conventions have. */
#define STANDARD(id, help, prometheus, otlp, next)                                      \
    {                                                                                   \
        id, LENS_NAME_HISTOGRAM, MS, help, NULL, NULL, "lens_" prometheus "_seconds",   \
            "gen_ai.client.operation." otlp, "gen_ai.client.inference." next, NULL, id, \
            id "_ms", "lens." id                                                        \
    }
/* A member of a family. */
#define MEMBER(id, unit, help, label, value, prometheus, otlp, also, flat)               \
    {                                                                                    \
        id, LENS_NAME_COUNTER, COUNT(unit), help, label, value,                          \
            "lens_" prometheus "_total", "lens.client." otlp, "lens.client." otlp, also, \
            flat, flat, "lens." flat                                                     \
    }
#define COUNTER(id, unit, help, prometheus, otlp, also, flat) \
    MEMBER(id, unit, help, NULL, NULL, prometheus, otlp, also, flat)
#define GAUGE(id, unit, base, help, prometheus, otlp, flat)                          \
    {                                                                                \
        id, LENS_NAME_GAUGE, unit, 1, base, help, NULL, NULL, "lens_" prometheus,    \
            "lens.client." otlp, "lens.client." otlp, NULL, flat, flat, "lens." flat \
    }

#define USAGE "gen_ai.client.inference.usage."

const struct lens_name lens_names[] = {
    TIME("ttft", "departure of the request to the first output message",
         "time_to_first_token", "time_to_first_token"),
    TIME("ttft_text", "departure of the request to the first visible text",
         "time_to_first_token_text", "time_to_first_token_text"),
    TIME("ttft_from_due", "due time of the request to the first output message",
         "time_to_first_token_from_due", "time_to_first_token_from_due"),
    TIME("ttft_text_from_due", "due time of the request to the first visible text",
         "time_to_first_token_text_from_due", "time_to_first_token_text_from_due"),
    TIME("ttst", "first to second output message", "time_to_second_token",
         "time_to_second_token"),
    STANDARD("itl", "gap between output messages", "inter_token_latency",
             "time_per_output_chunk", "time_per_output_chunk"),
    TIME("itl_token", "gap between output messages by the tokens of the later one",
         "inter_token_latency_per_token", "inter_token_latency_per_token"),
    TIME("tpot", "first to last output by the output tokens after the first",
         "time_per_output_token", "time_per_output_token"),
    TIME("e2e", "departure of the request to the terminal message", "request_duration",
         "request.duration"),
    TIME("e2e_from_due", "due time of the request to the terminal message",
         "request_duration_from_due", "request.duration_from_due"),
    TIME("ttfb", "departure of the request to the first byte of the answer",
         "time_to_first_byte", "time_to_first_byte"),
    TIME("dns", "name look-up of new connections", "dns", "dns.duration"),
    TIME("connect", "TCP handshake of new connections", "connect", "connect.duration"),
    TIME("tls", "TLS handshake of new connections", "tls", "tls.duration"),
    TIME("network", "round trip time as the kernel measured it", "network_round_trip",
         "network.round_trip"),
    TIME("server", "time to the first output message without the round trip",
         "server_time", "server_time"),
    { "output_tokens_per_s_per_request", LENS_NAME_HISTOGRAM, "tok/s", 1, "{token}/s",
      "output tokens of a request by its duration", NULL, NULL,
      "lens_request_output_tokens_per_second", "lens.client.request.output_token_rate",
      "lens.client.request.output_token_rate", NULL, "output_tokens_per_s_per_request",
      "output_tokens_per_s_per_request", "lens.output_tokens_per_s_per_request" },
    TIME("lag", "arrival of a message to its handling in the client", "client_lag",
         "lag"),
    TIME("start_late", "due time to start of requests", "client_start_late",
         "start_late"),
    STANDARD("first_chunk", "start of the request to the first message of any class",
             "time_to_first_chunk", "time_to_first_chunk", "time_to_first_chunk"),
    STANDARD("duration", "start of the request to its end", "operation_duration",
             "duration", "duration"),
    { "input_tokens_per_request", LENS_NAME_HISTOGRAM, COUNT("token"),
      "input tokens of a request", NULL, NULL, "lens_request_input_tokens",
      "gen_ai.client.token.usage", "gen_ai.client.inference.operation.input_tokens", NULL,
      "input_tokens_per_request", "input_tokens_per_request",
      "lens.input_tokens_per_request" },
    { "output_tokens_per_request", LENS_NAME_HISTOGRAM, COUNT("token"),
      "output tokens of a request", NULL, NULL, "lens_request_output_tokens",
      "gen_ai.client.token.usage", "gen_ai.client.inference.operation.output_tokens",
      NULL, "output_tokens_per_request", "output_tokens_per_request",
      "lens.output_tokens_per_request" },

#define REQUESTS(value, help)                                                            \
    MEMBER("requests." value, "request", help, "outcome", value, "requests", "requests", \
           NULL, "requests_" value)
    REQUESTS("ok", "measured requests by how they ended"),
    REQUESTS("failed", "measured requests by how they ended"),
    REQUESTS("cancelled", "measured requests by how they ended"),
    REQUESTS("censored", "measured requests by how they ended"),
    MEMBER("requests.warmup", "request", "requests outside the measured window", "phase",
           "warmup", "requests_unmeasured", "requests_unmeasured", NULL,
           "requests_warmup"),
    MEMBER("requests.cooldown", "request", "requests outside the measured window",
           "phase", "cooldown", "requests_unmeasured", "requests_unmeasured", NULL,
           "requests_cooldown"),
    COUNTER("requests.total", "request", "measured requests", "requests_measured",
            "requests_measured", NULL, "requests_total"),
    COUNTER("requests.no_output", "request", "requests that were ok without any output",
            "requests_no_output", "requests_no_output", NULL, "requests_no_output"),
    COUNTER("requests.retries", "attempt", "attempts beyond the first of a request",
            "retries", "retries", NULL, "retries"),
    /* One number a kind: requests.errors.KIND.count; `where` is a second label. */
    MEMBER("errors", "request", "failed requests by the kind of their error", "error",
           NULL, "errors", "errors", NULL, "errors"),

#define TOKENS(value, also)                                                             \
    MEMBER("tokens." value, "token", "tokens by type; the types add up", "type", value, \
           "tokens", "tokens", also, value "_tokens")
    TOKENS("input_uncached", NULL),
    TOKENS("cache_read", USAGE "cache_read.input_tokens"),
    TOKENS("cache_write", USAGE "cache_write.input_tokens"),
    TOKENS("output_visible", NULL),
    TOKENS("reasoning", USAGE "reasoning.output_tokens"),
    COUNTER("tokens.input", "token", "input tokens, cached ones too", "input_tokens",
            "input_tokens", USAGE "input_tokens", "input_tokens"),
    COUNTER("tokens.output", "token", "output tokens, reasoning too", "output_tokens",
            "output_tokens", USAGE "output_tokens", "output_tokens"),
    COUNTER("tokens.unknown_requests", "request", "requests that told no token counts",
            "requests_unknown_tokens", "requests_unknown_tokens", NULL,
            "requests_unknown_tokens"),

#define COST(value)                                                                  \
    {                                                                                \
        "cost." value, LENS_NAME_COUNTER, "USD", 1, "{USD}",                         \
            "cost in US dollars by type; the types add up", "type", value,           \
            "lens_cost_dollars_total", "lens.client.cost", "lens.client.cost", NULL, \
            "cost_" value, "cost_" value "_usd", "lens.cost_" value                  \
    }
    COST("input_uncached"),
    COST("cache_read"),
    COST("cache_write"),
    COST("output_visible"),
    COST("reasoning"),
    COST("request"),
    { "cost.total", LENS_NAME_COUNTER, "USD", 1, "{USD}", "cost in US dollars", NULL,
      NULL, "lens_cost_all_dollars_total", "lens.client.cost_all", "lens.client.cost_all",
      NULL, "cost", "cost_usd", "lens.cost" },

    GAUGE("throughput.requests_per_s", "req/s", "{request}/s",
          "requests that completed per second", "requests_per_second", "request_rate",
          "requests_per_s"),
    GAUGE("throughput.output_tokens_per_s", "tok/s", "{token}/s",
          "output tokens per second", "output_tokens_per_second", "output_token_rate",
          "output_tokens_per_s"),
    GAUGE("throughput.input_tokens_per_s", "tok/s", "{token}/s",
          "input tokens per second", "input_tokens_per_second", "input_token_rate",
          "input_tokens_per_s"),
    GAUGE("goodput.ratio", "ratio", "1", "share of requests that met all their SLOs",
          "goodput_ratio", "goodput", "goodput"),
    GAUGE("goodput.requests_per_s", "req/s", "{request}/s",
          "requests that met all their SLOs per second", "goodput_requests_per_second",
          "goodput_rate", "goodput_requests_per_s"),
    GAUGE("client.in_flight", "requests", "{request}", "requests in flight, on average",
          "requests_in_flight", "requests_in_flight", "in_flight"),
    GAUGE("client.in_flight_max", "requests", "{request}", "most requests in flight",
          "requests_in_flight_max", "requests_in_flight_max", "in_flight_max"),
    GAUGE("target.up", "", "1", "1: the target answered, 0: no request got an answer",
          "target_up", "target_up", "target_up"),
    /* One number an SLO: `slo` is its label. */
    { "slo", LENS_NAME_GAUGE, "", 1, "1", "1: the SLO is met, 0: it is not", "slo", NULL,
      "lens_slo_ok", "lens.client.slo_ok", "lens.client.slo_ok", NULL, "slo_ok", "slo_ok",
      "lens.slo_ok" },

#define STAMPS(value)                                                     \
    MEMBER("client.clock." value, "message",                              \
           "output messages by the clock of their stamp", "clock", value, \
           "client_stamps", "stamps", NULL, "stamps_" value)
    STAMPS("kernel"),
    STAMPS("user"),
    STAMPS("interval"),
    COUNTER("client.merged", "request",
            "requests with output messages known only as an interval", "client_merged",
            "merged", NULL, "merged"),
    { "client.cpu_s", LENS_NAME_COUNTER, "s", 1, "s", "CPU time of the client's workers",
      NULL, NULL, "lens_client_cpu_seconds_total", "lens.client.cpu.time",
      "lens.client.cpu.time", NULL, "client_cpu", "client_cpu_s", "lens.client_cpu_s" },
    GAUGE("client.max_rss_bytes", "B", "By", "largest memory of the client",
          "client_resident_memory_max_bytes", "memory.max", "client_max_rss"),
    GAUGE("client.shared_read_share", "ratio", "1",
          "share of output messages that came with the read of another",
          "client_shared_read_ratio", "shared_read", "shared_read"),
    GAUGE("client.reuse_ratio", "ratio", "1", "share of attempts on a used connection",
          "connection_reuse_ratio", "connection_reuse", "connection_reuse"),
    /* Of lens_snapshot.exports; `exporter` is the label. */
    MEMBER("exports.delivered", "sample", "samples that a receiver has taken", "exporter",
           NULL, "export_delivered", "export.delivered", NULL, "export_delivered"),
    MEMBER("exports.refused", "sample", "samples that a receiver refused for good",
           "exporter", NULL, "export_refused", "export.refused", NULL, "export_refused"),
    MEMBER("exports.failures", "attempt", "deliveries that failed", "exporter", NULL,
           "export_failures", "export.failures", NULL, "export_failures"),
    /* Its labels say what the run is: run_id, version, provider, workload, seed. */
    { "run", LENS_NAME_GAUGE, "", 1, "1", "always 1; the labels say what the run is",
      NULL, NULL, "lens_run_info", "lens.client.run", "lens.client.run", NULL, "run",
      "run", "lens.run" },
};
const uint32_t lens_name_count = sizeof lens_names / sizeof lens_names[0];

const struct lens_label_name lens_labels[] = {
    { "target", "name of the target", "target", "lens.target", "lens.target", "target",
      "target" },
    { "stage", "name of the stage", "stage", "lens.stage", "lens.stage", "stage",
      "stage" },
    { "model", "model that was asked for", "model", "gen_ai.request.model",
      "gen_ai.request.model", "model", "model" },
    { "provider", "provider of the target", "provider", "gen_ai.provider.name",
      "gen_ai.provider.name", "provider", "provider" },
    { "api", "operation of the provider", "api", "gen_ai.operation.name",
      "gen_ai.operation.name", "api", "api" },
    { "run", "id of the run", "run_id", "service.instance.id", "service.instance.id",
      "run", "run_id" },
    { "host", "machine that lens ran on", "instance", "host.name", "host.name", "host",
      "host_name" },
    { "outcome", "how requests ended", "outcome", "lens.outcome", "lens.outcome",
      "outcome", "outcome" },
    { "error", "kind of an error", "error", "error.type", "error.type", "error",
      "error_kind" },
    { "where", "where it went wrong", "where", "lens.error.where", "lens.error.where",
      "where", "error_where" },
    { "type", "type of tokens or cost", "type", "lens.token.type", "lens.token.type",
      "type", "type" },
    { "phase", "warm-up or cool-down", "phase", "lens.phase", "lens.phase", "phase",
      "phase" },
    { "clock", "clock of a stamp", "clock", "lens.clock", "lens.clock", "clock",
      "clock" },
    { "slo", "an SLO as it was written", "slo", "lens.slo", "lens.slo", "slo", "slo" },
    { "exporter", "name of an exporter", "exporter", "lens.exporter", "lens.exporter",
      "exporter", "exporter" },
};
const uint32_t lens_label_count = sizeof lens_labels / sizeof lens_labels[0];

const struct lens_name *
lens_name_find(const char *id)
{
    for (uint32_t i = 0; i < lens_name_count; i++)
        if (strcmp(lens_names[i].id, id) == 0)
            return &lens_names[i];
    return NULL;
}

const struct lens_label_name *
lens_label_find(const char *id)
{
    for (uint32_t i = 0; i < lens_label_count; i++)
        if (strcmp(lens_labels[i].id, id) == 0)
            return &lens_labels[i];
    return NULL;
}

/* ---- values ---- */

static const void *
element(const void *array, uint32_t nth, uint32_t stride)
{
    return (const char *)array + (size_t)nth * stride;
}

const struct lens_metric *
lens_result_metric(const struct lens_result *r, const char *id)
{
    for (uint32_t i = 0; i < r->metric_count; i++) {
        const struct lens_metric *m = element(r->metrics, i, r->metric_size);

        if (strcmp(m->name, id) == 0)
            return m;
    }
    return NULL;
}

double
lens_result_number(const struct lens_result *r, const char *id)
{
    for (uint32_t i = 0; i < r->number_count; i++) {
        const struct lens_number *n = element(r->numbers, i, r->number_size);

        if (strcmp(n->name, id) == 0)
            return n->value;
    }
    return (double)NAN;
}

double
lens_metric_quantile(const struct lens_metric *m, double q)
{
    for (uint32_t i = 0; i < m->quantile_count; i++) {
        const struct lens_quantile *at = element(m->quantiles, i, m->quantile_size);

        if (fabs(at->q - q) < 1e-9)
            return at->value;
    }
    return (double)NAN;
}
