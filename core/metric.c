#include "metric.h"

#include <glib.h>
#include <math.h>
#include <string.h>

#define MS 1e6

static const struct metric_info infos[METRIC_COUNT] = {
    [METRIC_TTFT] = { "ttft", "ms", "departure to the first output message", MS },
    [METRIC_TTFT_TEXT] = { "ttft_text", "ms", "departure to the first visible text", MS },
    [METRIC_TTFT_FROM_DUE] = { "ttft_from_due", "ms",
                               "due time to the first output message", MS },
    [METRIC_TTFT_TEXT_FROM_DUE] = { "ttft_text_from_due", "ms",
                                    "due time to the first visible text", MS },
    [METRIC_TTST] = { "ttst", "ms", "first to second output message", MS },
    [METRIC_ITL] = { "itl", "ms", "gap between output messages", MS },
    [METRIC_ITL_TOKEN] = { "itl_token", "ms", "gap by the tokens of its message", MS },
    [METRIC_TPOT] = { "tpot", "ms", "(last - first output) / (output tokens - 1)", MS },
    [METRIC_E2E] = { "e2e", "ms", "departure to the terminal message", MS },
    [METRIC_E2E_FROM_DUE] = { "e2e_from_due", "ms", "due time to the terminal message",
                              MS },
    [METRIC_TTFB] = { "ttfb", "ms", "departure to the first byte of the answer", MS },
    [METRIC_DNS] = { "dns", "ms", "name look-up of new connections", MS },
    [METRIC_CONNECT] = { "connect", "ms", "TCP handshake of new connections", MS },
    [METRIC_TLS] = { "tls", "ms", "TLS handshake of new connections", MS },
    [METRIC_NETWORK] = { "network", "ms", "round trip as the kernel measured it", MS },
    [METRIC_SERVER] = { "server", "ms", "ttft without the round trip", MS },
    [METRIC_REQUEST_RATE] = { "output_tokens_per_s_per_request", "tok/s",
                              "output tokens / e2e of a request", 1e6 },
    [METRIC_LAG] = { "lag", "ms", "arrival of a message to its handling in the client",
                     MS },
    [METRIC_START_LATE] = { "start_late", "ms", "due time to start", MS },
    [METRIC_FIRST_CHUNK] = { "first_chunk", "ms",
                             "start to the first message of any class", MS },
    [METRIC_DURATION] = { "duration", "ms", "start of the first attempt to the end", MS },
    [METRIC_INPUT_TOKENS] = { "input_tokens_per_request", "tokens",
                              "input tokens of a request", 1e6 },
    [METRIC_OUTPUT_TOKENS] = { "output_tokens_per_request", "tokens",
                               "output tokens of a request", 1e6 },
};

const struct metric_info *
metric_get(enum metric m)
{
    g_return_val_if_fail(m >= 0 && m < METRIC_COUNT, NULL);
    return &infos[m];
}

enum metric
metric_from_id(const char *id)
{
    for (unsigned m = 0; m < METRIC_COUNT; m++) {
        if (g_strcmp0(infos[m].id, id) == 0)
            return (enum metric)m;
    }
    return METRIC_COUNT;
}

const struct metric_percentile metric_percentiles[METRIC_PERCENTILES] = {
    { "p50", 0.5 },  { "p75", 0.75 }, { "p90", 0.9 },
    { "p95", 0.95 }, { "p99", 0.99 }, { "p99_9", 0.999 },
};

double
metric_quantile_of(const char *stat)
{
    g_autofree char *plain = g_strdup(stat != NULL ? stat : "");
    double percent;
    char *end;

    g_strdelimit(plain, "_", '.');
    if (plain[0] != 'p' || !g_ascii_isdigit(plain[1]) ||
        strspn(plain + 1, "0123456789.") != strlen(plain + 1))
        return NAN;
    percent = g_ascii_strtod(plain + 1, &end);
    return *end == '\0' && percent > 0 && percent < 100 ? round(percent * 1e7) / 1e9
                                                        : NAN;
}
