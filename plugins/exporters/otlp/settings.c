#include "settings.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const signal_names[] = { "METRICS", "TRACES" };
static const char *const http_paths[] = { "/v1/metrics", "/v1/traces" };
static const char *const grpc_paths[] = {
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
};

/* OTEL_EXPORTER_OTLP_METRICS_NAME, or OTEL_EXPORTER_OTLP_NAME; NULL: neither. An empty
 * variable counts as unset, as the specification asks. */
static const char *
variable_of(enum signal signal, const char *name, int32_t *ret_own)
{
    char full[96];
    const char *value;

    snprintf(full, sizeof full, "OTEL_EXPORTER_OTLP_%s_%s", signal_names[signal], name);
    value = getenv(full);
    if (ret_own != NULL)
        *ret_own = value != NULL && value[0] != '\0';
    if (value != NULL && value[0] != '\0')
        return value;
    snprintf(full, sizeof full, "OTEL_EXPORTER_OTLP_%s", name);
    value = getenv(full);
    return value != NULL && value[0] != '\0' ? value : NULL;
}

static const char *
plain_variable(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] != '\0' ? value : NULL;
}

static lens_status
refuse(const struct lens_host *host, const char *name, const char *value,
       const char *expected)
{
    char why[512];

    snprintf(why, sizeof why, "%s is `%.200s`, expected %s", name, value, expected);
    return host->fail(host, LENS_E_CONFIG, why);
}

/* ---- where ---- */

static lens_status
read_protocol(const struct lens_host *host, enum signal signal, enum protocol *ret)
{
    const char *value = host->opt_string(host, "protocol", 0);

    if (value == NULL)
        value = variable_of(signal, "PROTOCOL", NULL);
    if (value == NULL || strcmp(value, "http/protobuf") == 0)
        *ret = PROTOCOL_PROTOBUF;
    else if (strcmp(value, "http/json") == 0)
        *ret = PROTOCOL_JSON;
    else if (strcmp(value, "grpc") == 0)
        *ret = PROTOCOL_GRPC;
    else
        return refuse(host, "OTEL_EXPORTER_OTLP_PROTOCOL", value,
                      "http/protobuf, http/json or grpc");
    return LENS_OK;
}

/* gRPC names its receiver without a scheme, and with no path. */
static char *
grpc_url(enum signal signal, const char *base)
{
    const char *insecure = variable_of(signal, "INSECURE", NULL);
    const char *scheme = "";
    const char *host = strstr(base, "://");
    char *url;
    size_t size;

    if (host == NULL) {
        scheme = insecure != NULL && strcasecmp(insecure, "true") == 0 ? "http://"
                                                                       : "https://";
        host = base;
    } else {
        host += 3;
    }
    size = (size_t)(host - base) + strcspn(host, "/?#");
    return asprintf(&url, "%s%.*s%s", scheme, (int)size, base, grpc_paths[signal]) >= 0
               ? url
               : NULL;
}

/* Taken as it is; no path means "/". */
static char *
whole_url(const char *url)
{
    const char *host = strstr(url, "://");
    char *copy;

    host = host != NULL ? host + 3 : url;
    return asprintf(&copy, "%s%s", url, strchr(host, '/') == NULL ? "/" : "") >= 0 ? copy
                                                                                   : NULL;
}

static lens_status
read_url(const struct lens_host *host, enum signal signal, struct endpoint *e)
{
    const char *own = host->opt_string(
        host, signal == SIGNAL_METRICS ? "metrics_url" : "traces_url", 0);
    const char *base = host->opt_string(host, "url", 0);
    int32_t as_it_is = own != NULL;
    const char *value = own != NULL ? own : base;

    if (value == NULL)
        value = variable_of(signal, "ENDPOINT", &as_it_is);
    if (value == NULL)
        value = e->protocol == PROTOCOL_GRPC ? "http://localhost:4317"
                                             : "http://localhost:4318";
    if (e->protocol == PROTOCOL_GRPC)
        e->url = grpc_url(signal, value);
    else if (strncmp(value, "http://", 7) != 0 && strncmp(value, "https://", 8) != 0)
        return refuse(host, "OTEL_EXPORTER_OTLP_ENDPOINT", value,
                      "a URL that starts with http:// or https://");
    else
        e->url = as_it_is ? whole_url(value) : receiver_join(value, http_paths[signal]);
    return e->url != NULL ? LENS_OK : host->fail(host, LENS_E_NOMEM, "out of memory");
}

/* ---- headers ---- */

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undoes %XX; white space around the text is not part of it. */
static char *
decode_piece(const char *text, size_t size, char *out)
{
    while (size > 0 && isspace((unsigned char)text[0])) {
        text++;
        size--;
    }
    while (size > 0 && isspace((unsigned char)text[size - 1]))
        size--;
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '%' && i + 2 < size && hex_digit(text[i + 1]) >= 0 &&
            hex_digit(text[i + 2]) >= 0) {
            *out++ = (char)(hex_digit(text[i + 1]) * 16 + hex_digit(text[i + 2]));
            i += 2;
        } else {
            *out++ = text[i];
        }
    }
    *out++ = '\0';
    return out;
}

/* "k=v,k=v" in the form of W3C baggage, without its properties. */
static lens_status
add_headers(const struct lens_host *host, struct endpoint *e, const char *list,
            char **room)
{
    while (list != NULL && *list != '\0') {
        const size_t size = strcspn(list, ",");
        const char *equals = memchr(list, '=', size);
        char *name = *room, *value;

        if (equals != NULL) {
            value = decode_piece(list, (size_t)(equals - list), name);
            *room = decode_piece(equals + 1, size - (size_t)(equals + 1 - list), value);
            if (strpbrk(name, "\r\n: ") != NULL || strpbrk(value, "\r\n") != NULL ||
                name[0] == '\0')
                return host->fail(host, LENS_E_CONFIG,
                                  "a header is not a name and a value: expected "
                                  "name=value,name=value");
            receiver_header(&e->receiver, name, value);
        } else if (strspn(list, " \t") < size) {
            return host->fail(host, LENS_E_CONFIG,
                              "the headers are not name=value,name=value");
        }
        list += size + (list[size] == ',');
    }
    return LENS_OK;
}

static lens_status
read_headers(const struct lens_host *host, enum signal signal, struct endpoint *e)
{
    const char *list = host->opt_string(
        host, signal == SIGNAL_METRICS ? "metrics_headers" : "traces_headers", 0);
    static const char *const types[] = { "application/x-protobuf", "application/json",
                                         "application/grpc" };
    char *room;

    if (list == NULL)
        list = host->opt_string(host, "headers", 0);
    receiver_header(&e->receiver, "Content-Type", types[e->protocol]);
    receiver_header(&e->receiver, "User-Agent", "lens/0.1 OTel-OTLP-Exporter-C/0.1");
    if (e->protocol == PROTOCOL_GRPC)
        receiver_header(&e->receiver, "TE", "trailers");
    if (list == NULL)
        return LENS_OK;
    room = e->headers = malloc(strlen(list) * 2 + 2);
    if (room == NULL)
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    return add_headers(host, e, list, &room);
}

/* ---- how ---- */

static lens_status
read_timeout(const struct lens_host *host, enum signal signal, int64_t *ret)
{
    const char *value = variable_of(signal, "TIMEOUT", NULL);
    char *end;

    *ret = host->opt_int(host, "timeout");
    if (*ret > 0 || value == NULL)
        return LENS_OK;
    *ret = strtoll(value, &end, 10);
    if (*end != '\0' || *ret <= 0 || *ret > 86400000)
        return refuse(host, "OTEL_EXPORTER_OTLP_TIMEOUT", value,
                      "a number of milliseconds");
    *ret *= 1000000;
    return LENS_OK;
}

static lens_status
read_compression(const struct lens_host *host, enum signal signal, uint32_t *flags)
{
    const char *value = host->opt_string(host, "compression", 0);

    if (value == NULL)
        value = variable_of(signal, "COMPRESSION", NULL);
    if (value == NULL || strcmp(value, "none") == 0)
        return LENS_OK;
    if (strcmp(value, "gzip") != 0)
        return refuse(host, "OTEL_EXPORTER_OTLP_COMPRESSION", value, "gzip or none");
    *flags |= LENS_HTTP_GZIP;
    return LENS_OK;
}

static const char *
file_of(const struct lens_host *host, enum signal signal, const char *option,
        const char *variable)
{
    const char *value = host->opt_string(host, option, 0);

    return value != NULL ? value : variable_of(signal, variable, NULL);
}

static lens_status
read_endpoint(const struct lens_host *host, enum signal signal, struct endpoint *e)
{
    struct receiver *r = &e->receiver;
    lens_status status;

    *r = (struct receiver){
        .host = host,
        .cacert = file_of(host, signal, "cacert", "CERTIFICATE"),
        .cert = file_of(host, signal, "cert", "CLIENT_CERTIFICATE"),
        .key = file_of(host, signal, "key", "CLIENT_KEY"),
        .proxy = host->opt_string(host, "proxy", 0),
    };
    if (host->opt_int(host, "insecure") != 0)
        r->flags |= LENS_HTTP_INSECURE;
    status = read_protocol(host, signal, &e->protocol);
    if (status == LENS_OK && e->protocol == PROTOCOL_GRPC)
        r->flags |= LENS_HTTP_2;
    if (status == LENS_OK)
        status = read_timeout(host, signal, &r->timeout_ns);
    if (status == LENS_OK)
        status = read_compression(host, signal, &r->flags);
    if (status == LENS_OK)
        status = read_url(host, signal, e);
    return status == LENS_OK ? read_headers(host, signal, e) : status;
}

/* ---- what ---- */

static const char *
sampler_variable(char *room, size_t size)
{
    const char *sampler = plain_variable("OTEL_TRACES_SAMPLER");
    const char *argument = plain_variable("OTEL_TRACES_SAMPLER_ARG");

    if (sampler == NULL || strstr(sampler, "always_off") != NULL)
        return "off";
    if (strstr(sampler, "always_on") != NULL)
        return "all";
    if (strstr(sampler, "traceidratio") == NULL)
        return sampler;
    snprintf(room, size, "ratio:%s", argument != NULL ? argument : "1");
    return room;
}

static lens_status
read_sampling(struct settings *s, const struct lens_host *host)
{
    char room[64];
    const char *value = host->opt_string(host, "traces", 0);
    char *end = NULL;
    unsigned long count;

    if (value == NULL)
        value = sampler_variable(room, sizeof room);
    if (strcmp(value, "off") == 0) {
        s->sampling = TRACES_OFF;
    } else if (strcmp(value, "errors") == 0) {
        s->sampling = TRACES_ERRORS;
    } else if (strcmp(value, "all") == 0) {
        s->sampling = TRACES_ALL;
    } else if (strncmp(value, "slowest:", 8) == 0) {
        count = strtoul(value + 8, &end, 10);
        s->sampling = TRACES_SLOWEST;
        s->slowest = (uint32_t)count;
        if (count == 0 || count > 1000)
            end = NULL;
    } else if (strncmp(value, "ratio:", 6) == 0) {
        s->ratio = strtod(value + 6, &end);
        s->sampling = TRACES_RATIO;
        if (!(s->ratio >= 0 && s->ratio <= 1) || end == value + 6)
            end = NULL;
    } else {
        return refuse(host, "traces", value, "off, errors, slowest:N, ratio:R or all");
    }
    if ((s->sampling == TRACES_SLOWEST || s->sampling == TRACES_RATIO) &&
        (end == NULL || *end != '\0'))
        return refuse(host, "traces", value,
                      "slowest:N with N from 1 to 1000, or ratio:R with R from 0 to 1");
    return LENS_OK;
}

static lens_status
read_metrics(struct settings *s, const struct lens_host *host)
{
    const char *value = host->opt_string(host, "temporality", 0);

    s->metrics = host->opt_int(host, "metrics") != 0;
    s->most_buckets = (uint32_t)host->opt_int(host, "max_buckets");
    s->next_names = strcmp(host->opt_string(host, "semconv", 0), "next") == 0;
    if (value == NULL)
        value = plain_variable("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE");
    if (value != NULL && strcasecmp(value, "cumulative") != 0 &&
        strcasecmp(value, "delta") != 0 && strcasecmp(value, "lowmemory") != 0)
        return refuse(host, "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", value,
                      "cumulative, delta or lowmemory");
    s->delta = value != NULL && strcasecmp(value, "cumulative") != 0;
    value = host->opt_string(host, "histograms", 0);
    if (value != NULL) {
        s->explicit_buckets = strcmp(value, "explicit") == 0;
        return LENS_OK;
    }
    value = plain_variable("OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION");
    if (value != NULL && strcmp(value, "explicit_bucket_histogram") != 0 &&
        strcmp(value, "base2_exponential_bucket_histogram") != 0)
        return refuse(host, "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
                      value,
                      "explicit_bucket_histogram or base2_exponential_bucket_histogram");
    s->explicit_buckets = value != NULL && value[0] == 'e';
    return LENS_OK;
}

lens_status
settings_read(struct settings *s, const struct lens_host *host)
{
    const char *disabled = plain_variable("OTEL_SDK_DISABLED");
    lens_status status = LENS_OK;

    s->disabled = disabled != NULL && strcasecmp(disabled, "true") == 0;
    s->chunks = host->opt_int(host, "chunks") != 0;
    s->service_name = host->opt_string(host, "service_name", 0);
    for (int i = 0; i < SIGNAL_COUNT && status == LENS_OK; i++)
        status = read_endpoint(host, (enum signal)i, &s->endpoints[i]);
    if (status == LENS_OK)
        status = read_metrics(s, host);
    return status == LENS_OK ? read_sampling(s, host) : status;
}

void
settings_clear(struct settings *s)
{
    for (int i = 0; i < SIGNAL_COUNT; i++) {
        free(s->endpoints[i].url);
        free(s->endpoints[i].headers);
    }
}
