#include "failure.h"

#include <string.h>
#include <strings.h>

/* Names of kinds as vendors write them, in order of precedence; without regard to case. A
 * star at either end stands for anything. */
static const struct rule {
    const char *pattern;
    uint32_t kind;
} RULES[] = {
    { "insufficient_quota", LENS_KIND_QUOTA },
    { "billing_error", LENS_KIND_QUOTA },
    { "billing_*", LENS_KIND_QUOTA },
    { "ServiceQuotaExceeded*", LENS_KIND_QUOTA },
    { "context_length*", LENS_KIND_CONTEXT_LENGTH },
    { "exceed_context_size*", LENS_KIND_CONTEXT_LENGTH },
    { "string_above_max_length", LENS_KIND_CONTEXT_LENGTH },
    { "content_filter*", LENS_KIND_BLOCKED },
    { "content_policy_violation", LENS_KIND_BLOCKED },
    { "ResponsibleAIPolicyViolation", LENS_KIND_BLOCKED },
    { "rate_limit*", LENS_KIND_RATE_LIMIT },
    { "RateLimit*", LENS_KIND_RATE_LIMIT },
    { "service_tier_capacity_exceeded", LENS_KIND_RATE_LIMIT },
    { "too_many_requests*", LENS_KIND_RATE_LIMIT },
    { "TooManyRequests*", LENS_KIND_RATE_LIMIT },
    { "throttling*", LENS_KIND_RATE_LIMIT },
    { "RESOURCE_EXHAUSTED", LENS_KIND_RATE_LIMIT },
    { "RATE_LIMIT_EXCEEDED", LENS_KIND_RATE_LIMIT },
    { "overloaded*", LENS_KIND_OVERLOADED },
    { "UNAVAILABLE*", LENS_KIND_OVERLOADED },
    { "serviceUnavailable*", LENS_KIND_OVERLOADED },
    { "service_unavailable*", LENS_KIND_OVERLOADED },
    { "capacity*", LENS_KIND_OVERLOADED },
    { "timeout*", LENS_KIND_TIMEOUT },
    { "request_timeout*", LENS_KIND_TIMEOUT },
    { "RequestTimeout*", LENS_KIND_TIMEOUT },
    { "DEADLINE_EXCEEDED", LENS_KIND_TIMEOUT },
    { "modelTimeout*", LENS_KIND_TIMEOUT },
    { "authentication*", LENS_KIND_AUTH },
    { "invalid_api_key*", LENS_KIND_AUTH },
    { "API_KEY_INVALID", LENS_KIND_AUTH },
    { "UNAUTHENTICATED", LENS_KIND_AUTH },
    { "unauthorized*", LENS_KIND_AUTH },
    { "ExpiredToken*", LENS_KIND_AUTH },
    { "UnrecognizedClient*", LENS_KIND_AUTH },
    { "InvalidSignature*", LENS_KIND_AUTH },
    { "IncompleteSignature*", LENS_KIND_AUTH },
    { "MissingAuthenticationToken*", LENS_KIND_AUTH },
    { "permission*", LENS_KIND_PERMISSION },
    { "AccessDenied*", LENS_KIND_PERMISSION },
    { "forbidden*", LENS_KIND_PERMISSION },
    { "not_found*", LENS_KIND_NOT_FOUND },
    { "*_not_found", LENS_KIND_NOT_FOUND },
    { "NotFound*", LENS_KIND_NOT_FOUND },
    { "ResourceNotFound*", LENS_KIND_NOT_FOUND },
    { "DeploymentNotFound", LENS_KIND_NOT_FOUND },
    { "request_too_large", LENS_KIND_TOO_LARGE },
    { "invalid_request*", LENS_KIND_INVALID_REQUEST },
    { "INVALID_ARGUMENT", LENS_KIND_INVALID_REQUEST },
    { "validation*", LENS_KIND_INVALID_REQUEST },
    { "BadRequest*", LENS_KIND_INVALID_REQUEST },
    { "invalid_prompt", LENS_KIND_INVALID_REQUEST },
    { "server_error", LENS_KIND_SERVER },
    { "api_error", LENS_KIND_SERVER },
    { "INTERNAL", LENS_KIND_SERVER },
    { "internal_error", LENS_KIND_SERVER },
    { "internal_server*", LENS_KIND_SERVER },
    { "internalServer*", LENS_KIND_SERVER },
    { "modelStreamError*", LENS_KIND_SERVER },
    { "modelError*", LENS_KIND_SERVER },
    { "generation", LENS_KIND_SERVER },
    { "incomplete_generation", LENS_KIND_SERVER },
};

/* Words in a message, where nothing else tells; the first one found counts. */
static const struct rule WORDS[] = {
    { "maximum context length", LENS_KIND_CONTEXT_LENGTH },
    { "prompt is too long", LENS_KIND_CONTEXT_LENGTH },
    { "context_length", LENS_KIND_CONTEXT_LENGTH },
    { "exceeds the available context size", LENS_KIND_CONTEXT_LENGTH },
    { "exceeds the maximum number of tokens", LENS_KIND_CONTEXT_LENGTH },
    { "exceeds the context length", LENS_KIND_CONTEXT_LENGTH },
    { "`inputs` must have less than", LENS_KIND_CONTEXT_LENGTH },
    { "`inputs` tokens + `max_new_tokens`", LENS_KIND_CONTEXT_LENGTH },
    { "too many tokens", LENS_KIND_CONTEXT_LENGTH },
    { "context window", LENS_KIND_CONTEXT_LENGTH },
    { "quota", LENS_KIND_QUOTA },
    { "billing", LENS_KIND_QUOTA },
    { "rate limit", LENS_KIND_RATE_LIMIT },
    { "rate_limit", LENS_KIND_RATE_LIMIT },
    { "too many requests", LENS_KIND_RATE_LIMIT },
    { "throttl", LENS_KIND_RATE_LIMIT },
    { "overloaded", LENS_KIND_OVERLOADED },
    { "capacity", LENS_KIND_OVERLOADED },
    { "unavailable", LENS_KIND_OVERLOADED },
    { "timed out", LENS_KIND_TIMEOUT },
    { "timeout", LENS_KIND_TIMEOUT },
    { "deadline exceeded", LENS_KIND_TIMEOUT },
    { "api key", LENS_KIND_AUTH },
    { "authentication", LENS_KIND_AUTH },
    { "unauthorized", LENS_KIND_AUTH },
    { "permission", LENS_KIND_PERMISSION },
    { "access denied", LENS_KIND_PERMISSION },
    { "not found", LENS_KIND_NOT_FOUND },
    { "does not exist", LENS_KIND_NOT_FOUND },
    { "content filter", LENS_KIND_BLOCKED },
    { "content_filter", LENS_KIND_BLOCKED },
    { "content management policy", LENS_KIND_BLOCKED },
    { "too large", LENS_KIND_TOO_LARGE },
    { "invalid request", LENS_KIND_INVALID_REQUEST },
    { "invalid_request", LENS_KIND_INVALID_REQUEST },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static int
matches(struct lens_bytes word, const char *pattern)
{
    size_t size = strlen(pattern);

    if (pattern[0] == '*') {
        size--;
        return word.size >= size &&
               strncasecmp(word.data + word.size - size, pattern + 1, size) == 0;
    }
    if (pattern[size - 1] == '*')
        return word.size >= size - 1 && strncasecmp(word.data, pattern, size - 1) == 0;
    return word.size == size && strncasecmp(word.data, pattern, size) == 0;
}

static int
contains(struct lens_bytes text, const char *word)
{
    const size_t size = strlen(word);

    for (size_t i = 0; i + size <= text.size; i++)
        if (strncasecmp(text.data + i, word, size) == 0)
            return 1;
    return 0;
}

/* AWS writes "namespace#Name:address". */
static struct lens_bytes
bare_name(struct lens_bytes word)
{
    for (size_t i = 0; i < word.size; i++) {
        if (word.data[i] == '#') {
            word.data += i + 1;
            word.size -= i + 1;
            break;
        }
    }
    for (size_t i = 1; i < word.size; i++)
        if (word.data[i] == ':')
            word.size = i;
    return word;
}

static uint32_t
kind_of_name(struct lens_bytes word)
{
    word = bare_name(word);
    for (size_t i = 0; word.size > 0 && i < COUNT(RULES); i++)
        if (matches(word, RULES[i].pattern))
            return RULES[i].kind;
    return LENS_KIND_NONE;
}

static uint32_t
kind_of_words(struct lens_bytes text)
{
    for (size_t i = 0; i < COUNT(WORDS); i++)
        if (contains(text, WORDS[i].pattern))
            return WORDS[i].kind;
    return LENS_KIND_NONE;
}

static uint32_t
kind_of_status(int32_t status)
{
    switch (status) {
    case 401:
    case 498:
        return LENS_KIND_AUTH;
    case 402:
        return LENS_KIND_QUOTA;
    case 403:
        return LENS_KIND_PERMISSION;
    case 404:
        return LENS_KIND_NOT_FOUND;
    case 408:
    case 504:
        return LENS_KIND_TIMEOUT;
    case 413:
        return LENS_KIND_TOO_LARGE;
    case 429:
        return LENS_KIND_RATE_LIMIT;
    case 503:
    case 529:
        return LENS_KIND_OVERLOADED;
    case 424:
        return LENS_KIND_SERVER;
    default:
        if (status >= 300 && status < 400)
            return LENS_KIND_REDIRECT;
        if (status >= 400 && status < 500)
            return LENS_KIND_INVALID_REQUEST;
        return status >= 500 ? LENS_KIND_SERVER : LENS_KIND_NONE;
    }
}

/* A code that is an HTTP status in words, as in `"code": "429"`; else 0. */
static int32_t
status_of_code(struct lens_bytes code)
{
    int32_t status = 0;

    if (code.size != 3)
        return 0;
    for (size_t i = 0; i < 3; i++) {
        if (code.data[i] < '0' || code.data[i] > '9')
            return 0;
        status = status * 10 + (code.data[i] - '0');
    }
    return status >= 400 ? status : 0;
}

/* "invalid_request_error" is what many servers say for any 4xx: these statuses know
 * better. */
static uint32_t
refine(uint32_t kind, int32_t status)
{
    const uint32_t exact = kind_of_status(status);

    if (kind != LENS_KIND_INVALID_REQUEST || status < 400 || status >= 500 ||
        exact == LENS_KIND_NONE)
        return kind;
    return exact;
}

uint32_t
lens_failure_kind(const struct lens_complaint *c)
{
    const int32_t code_status = status_of_code(c->code);
    const int32_t status = c->http_status >= 300 ? c->http_status : code_status;
    uint32_t kind = kind_of_name(c->code);

    /* OpenAI says it by either member, beside a more general word in the other. */
    if (kind_of_name(c->type) == LENS_KIND_QUOTA)
        return LENS_KIND_QUOTA;
    if (kind == LENS_KIND_NONE && code_status == 429)
        kind = LENS_KIND_RATE_LIMIT;
    if (kind == LENS_KIND_NONE)
        kind = refine(kind_of_name(c->type), status);
    if (kind == LENS_KIND_NONE)
        kind = refine(kind_of_name(c->status_text), status);
    if (kind == LENS_KIND_NONE)
        kind = kind_of_status(status);
    if (kind == LENS_KIND_NONE)
        kind = kind_of_words(c->message);
    if ((kind == LENS_KIND_INVALID_REQUEST || kind == LENS_KIND_TOO_LARGE) &&
        kind_of_words(c->message) == LENS_KIND_CONTEXT_LENGTH)
        return LENS_KIND_CONTEXT_LENGTH;
    return kind != LENS_KIND_NONE ? kind : LENS_KIND_SERVER;
}

int
lens_failure_retryable(uint32_t kind)
{
    switch (kind) {
    case LENS_KIND_DNS:
    case LENS_KIND_CONNECT:
    case LENS_KIND_NETWORK:
    case LENS_KIND_TIMEOUT:
    case LENS_KIND_TRUNCATED:
    case LENS_KIND_RATE_LIMIT:
    case LENS_KIND_OVERLOADED:
    case LENS_KIND_SERVER:
        return 1;
    default:
        return 0;
    }
}
