/* settings: where and how to send, from the options and, where nothing is given, from
 * the OTEL_* variables (opentelemetry-specification v1.60, protocol/exporter.md and
 * configuration/sdk-environment-variables.md). An option wins over the variable of the
 * signal, that over the general one. */
#pragma once

#include <lens/plugin.h>

#include "../common/receiver.h"

enum protocol { PROTOCOL_PROTOBUF, PROTOCOL_JSON, PROTOCOL_GRPC };
enum signal { SIGNAL_METRICS, SIGNAL_TRACES, SIGNAL_COUNT };
enum sampling { TRACES_OFF, TRACES_ERRORS, TRACES_SLOWEST, TRACES_RATIO, TRACES_ALL };

/* Of one signal. */
struct endpoint {
    char *url; /* whole */
    enum protocol protocol;
    char *headers; /* names and values, each terminated; what `receiver` points to */
    struct receiver receiver;
};

struct settings {
    struct endpoint endpoints[SIGNAL_COUNT];
    int32_t metrics, delta, explicit_buckets, next_names, chunks, disabled;
    uint32_t most_buckets;
    enum sampling sampling;
    uint32_t slowest;
    double ratio;
    const char *service_name;
};

enum { SETTINGS_OPTION_COUNT = 22 };
extern const struct lens_option settings_options[SETTINGS_OPTION_COUNT];

lens_status settings_read(struct settings *s, const struct lens_host *host);
void settings_clear(struct settings *s);
