#include "sample.h"

#include <glib.h>
#include <math.h>
#include <string.h>

static void
attempt_init(attempt *a)
{
    *a = (attempt){
        .start_ns = NEVER,
        .dns_ns = NEVER,
        .connect_ns = NEVER,
        .tls_ns = NEVER,
        .departure_first_ns = NEVER,
        .departure_ns = NEVER,
        .first_byte_ns = NEVER,
        .first_message_ns = NEVER,
        .first_output_ns = NEVER,
        .first_text_ns = NEVER,
        .second_output_ns = NEVER,
        .last_output_ns = NEVER,
        .terminal_ns = NEVER,
        .end_ns = NEVER,
        .rtt_ns = -1,
        .retry_after_ns = -1,
        .cost_reported_usd = NAN,
    };
    for (unsigned i = 0; i < LENS_USAGE_COUNT; i++)
        a->usage[i] = -1;
    timeline_init(&a->messages_log);
}

static void
attempt_clear(attempt *a)
{
    g_free(a->error_detail);
    g_free(a->error_code);
    g_free(a->finish);
    g_free(a->server_id);
    g_free(a->served_model);
    g_free(a->tier);
    g_free(a->extra_json);
    timeline_clear(&a->messages_log);
}

sample *
sample_new(uint32_t attempts)
{
    sample *s = g_new0(sample, 1);

    s->due_ns = NEVER;
    s->asked_output_tokens = -1;
    for (unsigned i = 0; i < LENS_COST_COUNT; i++)
        s->cost[i] = -1;
    s->cost_total = -1;
    s->attempts = g_new(attempt, MAX(attempts, 1));
    for (uint32_t i = 0; i < attempts; i++)
        attempt_init(&s->attempts[i]);
    s->attempt_count = attempts;
    return s;
}

bool
sample_used_tokens(const sample *s, const attempt *a)
{
    if (a->output_messages > 0)
        return true;
    if (a == sample_last(s) && s->outcome != LENS_OUTCOME_FAILED)
        return s->outcome == LENS_OUTCOME_OK || a->departure_ns != NEVER;
    return a->departure_ns != NEVER && a->error_where != WHERE_HTTP &&
           a->error_where != WHERE_CONNECT;
}

attempt *
sample_add_attempt(sample *s)
{
    attempt *fresh;

    s->attempts = g_renew(attempt, s->attempts, s->attempt_count + 1);
    fresh = &s->attempts[s->attempt_count++];
    attempt_init(fresh);
    return fresh;
}

void
sample_free(sample *s)
{
    if (s == NULL)
        return;
    for (uint32_t i = 0; i < s->attempt_count; i++)
        attempt_clear(&s->attempts[i]);
    g_free(s->attempts);
    g_free(s->text);
    g_free(s->reasoning);
    g_free(s->prompt);
    g_free(s);
}

static const char *const outcomes[] = {
    [LENS_OUTCOME_OK] = "ok",
    [LENS_OUTCOME_FAILED] = "failed",
    [LENS_OUTCOME_CANCEL] = "cancelled",
    [LENS_OUTCOME_CENSOR] = "censored",
};
static const char *const phases[] = {
    [LENS_PART_WARMUP] = "warmup",
    [LENS_PART_MEASURED] = "measured",
    [LENS_PART_COOLDOWN] = "cooldown",
};
static const char *const wheres[] = {
    [WHERE_NONE] = "none",     [WHERE_CONNECT] = "connect", [WHERE_HTTP] = "http",
    [WHERE_STREAM] = "stream", [WHERE_CLIENT] = "client",
};
static const char *const classes[] = {
    [LENS_CLASS_NONE] = "none",
    [LENS_CLASS_HTTP_ERROR] = "http_error",
    [LENS_CLASS_STREAM_ERROR] = "stream_error",
    [LENS_CLASS_PROTOCOL_ERROR] = "protocol_error",
    [LENS_CLASS_TRUNCATED] = "truncated",
    [LENS_CLASS_BLOCKED] = "blocked",
    [LENS_CLASS_TRANSPORT] = "transport",
};
static const char *const kinds[] = {
    [LENS_KIND_NONE] = "none",
    [LENS_KIND_DNS] = "dns",
    [LENS_KIND_CONNECT] = "connect",
    [LENS_KIND_TLS] = "tls",
    [LENS_KIND_NETWORK] = "network",
    [LENS_KIND_TIMEOUT] = "timeout",
    [LENS_KIND_REDIRECT] = "redirect",
    [LENS_KIND_PROTOCOL] = "protocol",
    [LENS_KIND_TRUNCATED] = "truncated",
    [LENS_KIND_BLOCKED] = "blocked",
    [LENS_KIND_TOO_LARGE] = "too_large",
    [LENS_KIND_CANCELLED] = "cancelled",
    [LENS_KIND_RATE_LIMIT] = "rate_limit",
    [LENS_KIND_QUOTA] = "quota",
    [LENS_KIND_OVERLOADED] = "overloaded",
    [LENS_KIND_AUTH] = "auth",
    [LENS_KIND_PERMISSION] = "permission",
    [LENS_KIND_NOT_FOUND] = "not_found",
    [LENS_KIND_INVALID_REQUEST] = "invalid_request",
    [LENS_KIND_CONTEXT_LENGTH] = "context_length",
    [LENS_KIND_CONTENT_FILTER] = "content_filter",
    [LENS_KIND_SERVER] = "server",
};
static const char *const warnings[] = {
    [LENS_WARN_DATA_AFTER_DONE] = "data_after_done",
    [LENS_WARN_NO_DONE] = "no_done",
    [LENS_WARN_NO_END] = "no_end",
    [LENS_WARN_USAGE_PARTIAL] = "usage_partial",
    [LENS_WARN_NOT_STREAMED] = "not_streamed",
    [LENS_WARN_NON_JSON_DATA] = "non_json_data",
    [LENS_WARN_UNTERMINATED_EVENT] = "unterminated_event",
};

static const char *
name_of(const char *const *names, size_t count, uint32_t code)
{
    return code < count && names[code] != NULL ? names[code] : "unknown";
}

const char *
outcome_name(uint32_t outcome)
{
    return name_of(outcomes, G_N_ELEMENTS(outcomes), outcome);
}

const char *
phase_name(uint32_t phase)
{
    return name_of(phases, G_N_ELEMENTS(phases), phase);
}

const char *
where_name(uint32_t where)
{
    return name_of(wheres, G_N_ELEMENTS(wheres), where);
}

const char *
error_class_name(uint32_t error_class)
{
    return name_of(classes, G_N_ELEMENTS(classes), error_class);
}

const char *
error_kind_name(uint32_t kind)
{
    return name_of(kinds, G_N_ELEMENTS(kinds), kind);
}

const char *
warning_name(uint32_t warn)
{
    return name_of(warnings, G_N_ELEMENTS(warnings), warn);
}

uint32_t
error_kind_from_name(const char *name)
{
    for (uint32_t i = 1; i < G_N_ELEMENTS(kinds); i++) {
        if (g_strcmp0(kinds[i], name) == 0)
            return i;
    }
    return LENS_KIND_NONE;
}
