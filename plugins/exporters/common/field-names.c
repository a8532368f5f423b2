#include "field-names.h"

#include <stddef.h>

#include <lens/plugin.h>

#define WORD(list, code) ((code) < sizeof(list) / sizeof((list)[0]) ? (list)[code] : NULL)

const char *
outcome_word(uint32_t outcome)
{
    static const char *const words[] = {
        [LENS_OUTCOME_OK] = "ok",
        [LENS_OUTCOME_FAILED] = "failed",
        [LENS_OUTCOME_CANCEL] = "cancelled",
        [LENS_OUTCOME_CENSOR] = "censored",
    };

    return WORD(words, outcome);
}

const char *
part_word(uint32_t part)
{
    static const char *const words[] = {
        [LENS_PART_WARMUP] = "warmup",
        [LENS_PART_MEASURED] = "measured",
        [LENS_PART_COOLDOWN] = "cooldown",
    };

    return WORD(words, part);
}

const char *
clock_word(uint32_t clock)
{
    static const char *const words[] = {
        [LENS_CLOCK_KERNEL] = "kernel",
        [LENS_CLOCK_USER] = "user",
        [LENS_CLOCK_INTERVAL] = "interval",
    };

    return WORD(words, clock);
}

const char *
kind_word(uint32_t kind)
{
    static const char *const words[] = {
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

    return WORD(words, kind);
}

const char *
class_word(uint32_t error_class)
{
    static const char *const words[] = {
        [LENS_CLASS_HTTP_ERROR] = "http_error",
        [LENS_CLASS_STREAM_ERROR] = "stream_error",
        [LENS_CLASS_PROTOCOL_ERROR] = "protocol_error",
        [LENS_CLASS_TRUNCATED] = "truncated",
        [LENS_CLASS_BLOCKED] = "blocked",
        [LENS_CLASS_TRANSPORT] = "transport",
    };

    return WORD(words, error_class);
}

const char *
where_word(uint32_t where)
{
    static const char *const words[] = { NULL, "connect", "http", "stream", "client" };

    return WORD(words, where);
}

const char *
message_word(uint32_t *rest)
{
    static const char *const words[] = { "role", "text",  "reasoning", "refusal",
                                         "tool", "media", "finish",    "usage",
                                         "done", "ping",  "error",     "other" };

    for (uint32_t bit = 0; bit < sizeof words / sizeof words[0]; bit++)
        if ((*rest & UINT32_C(1) << bit) != 0) {
            *rest &= ~(UINT32_C(1) << bit);
            return words[bit];
        }
    *rest = 0;
    return NULL;
}
