#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "failure.h"

static struct lens_bytes
bytes(const char *text)
{
    struct lens_bytes b = { text, text != NULL ? strlen(text) : 0 };

    return b;
}

static void
kinds_by_what_is_said(void **state)
{
    static const struct {
        const char *code, *type, *status_text;
        int status;
        const char *message;
        uint32_t kind;
    } cases[] = {
        /* the table */
        { NULL, NULL, NULL, 429, NULL, LENS_KIND_RATE_LIMIT },
        { NULL, "rate_limit_error", NULL, 0, NULL, LENS_KIND_RATE_LIMIT },
        { NULL, "ThrottlingException", NULL, 400, NULL, LENS_KIND_RATE_LIMIT },
        { "429", NULL, NULL, 0, NULL, LENS_KIND_RATE_LIMIT },
        { NULL, NULL, "RESOURCE_EXHAUSTED", 429, NULL, LENS_KIND_RATE_LIMIT },
        { "service_tier_capacity_exceeded", NULL, NULL, 0, NULL, LENS_KIND_RATE_LIMIT },
        { "insufficient_quota", "insufficient_quota", NULL, 429, NULL, LENS_KIND_QUOTA },
        { "rate_limit_exceeded", "insufficient_quota", NULL, 429, NULL, LENS_KIND_QUOTA },
        { NULL, "billing_error", NULL, 402, NULL, LENS_KIND_QUOTA },
        { NULL, NULL, NULL, 402, NULL, LENS_KIND_QUOTA },
        { NULL, "overloaded_error", NULL, 0, NULL, LENS_KIND_OVERLOADED },
        { NULL, NULL, NULL, 529, NULL, LENS_KIND_OVERLOADED },
        { NULL, NULL, "UNAVAILABLE", 503, NULL, LENS_KIND_OVERLOADED },
        { "ServiceUnavailableException", NULL, NULL, 0, NULL, LENS_KIND_OVERLOADED },
        { NULL, NULL, NULL, 408, NULL, LENS_KIND_TIMEOUT },
        { NULL, NULL, "DEADLINE_EXCEEDED", 504, NULL, LENS_KIND_TIMEOUT },
        { "invalid_api_key", "invalid_request_error", NULL, 401, NULL, LENS_KIND_AUTH },
        { "API_KEY_INVALID", NULL, "INVALID_ARGUMENT", 400, NULL, LENS_KIND_AUTH },
        { "com.amazon.coral.service#ExpiredTokenException:http://x", NULL, NULL, 403,
          NULL, LENS_KIND_AUTH },
        { NULL, NULL, NULL, 498, NULL, LENS_KIND_AUTH },
        { NULL, "permission_error", NULL, 403, NULL, LENS_KIND_PERMISSION },
        { NULL, "not_found_error", NULL, 404, NULL, LENS_KIND_NOT_FOUND },
        { "model_not_found", "invalid_request_error", NULL, 404, NULL,
          LENS_KIND_NOT_FOUND },
        { "DeploymentNotFound", NULL, NULL, 404, NULL, LENS_KIND_NOT_FOUND },
        { NULL, "request_too_large", NULL, 413, NULL, LENS_KIND_TOO_LARGE },
        { NULL, NULL, NULL, 413, NULL, LENS_KIND_TOO_LARGE },
        { NULL, "api_error", NULL, 500, NULL, LENS_KIND_SERVER },
        { NULL, "generation", NULL, 424, NULL, LENS_KIND_SERVER },
        { NULL, NULL, NULL, 599, NULL, LENS_KIND_SERVER },
        { NULL, NULL, NULL, 418, NULL, LENS_KIND_INVALID_REQUEST },
        { NULL, NULL, NULL, 302, NULL, LENS_KIND_REDIRECT },
        /* a general type does not hide an exact status */
        { NULL, "invalid_request_error", NULL, 401, NULL, LENS_KIND_AUTH },
        { NULL, "invalid_request_error", NULL, 400, NULL, LENS_KIND_INVALID_REQUEST },
        { NULL, "invalid_request_error", NULL, 500, NULL, LENS_KIND_INVALID_REQUEST },
        /* exceptions */
        { "content_filter", "invalid_request_error", NULL, 400, NULL, LENS_KIND_BLOCKED },
        { "ResponsibleAIPolicyViolation", NULL, NULL, 400, NULL, LENS_KIND_BLOCKED },
        { "context_length_exceeded", "invalid_request_error", NULL, 400, NULL,
          LENS_KIND_CONTEXT_LENGTH },
        { NULL, "invalid_request_error", NULL, 413, "Prompt is too long: 9 > 8",
          LENS_KIND_CONTEXT_LENGTH },
        { "400", "BadRequestError", NULL, 0, "This model's maximum context length is 8",
          LENS_KIND_CONTEXT_LENGTH },
        { NULL, "exceed_context_size_error", NULL, 400, NULL, LENS_KIND_CONTEXT_LENGTH },
        { NULL, NULL, NULL, 429, "maximum context length", LENS_KIND_RATE_LIMIT },
        /* the message, where nothing else tells */
        { NULL, NULL, NULL, 0, "Too Many Requests, slow down", LENS_KIND_RATE_LIMIT },
        { NULL, NULL, NULL, 0, "the engine is OVERLOADED", LENS_KIND_OVERLOADED },
        { NULL, NULL, NULL, 200, "request timed out", LENS_KIND_TIMEOUT },
        { NULL, NULL, NULL, 0, "boom", LENS_KIND_SERVER },
        { "503", "odd", NULL, 0, "boom", LENS_KIND_OVERLOADED },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct lens_complaint c = { bytes(cases[i].code), bytes(cases[i].type),
                                          bytes(cases[i].status_text),
                                          bytes(cases[i].message), cases[i].status };
        const uint32_t kind = lens_failure_kind(&c);

        if (kind != cases[i].kind)
            fail_msg("case %zu: kind %u, not %u", i, kind, cases[i].kind);
    }
}

static void
some_kinds_may_be_tried_again(void **state)
{
    static const uint32_t yes = 1u << LENS_KIND_DNS | 1u << LENS_KIND_CONNECT |
                                1u << LENS_KIND_NETWORK | 1u << LENS_KIND_TIMEOUT |
                                1u << LENS_KIND_TRUNCATED | 1u << LENS_KIND_RATE_LIMIT |
                                1u << LENS_KIND_OVERLOADED | 1u << LENS_KIND_SERVER;

    (void)state;
    for (uint32_t kind = 0; kind < 30; kind++)
        assert_int_equal(lens_failure_retryable(kind), yes >> kind & 1);
}

static void
retry_delays(void **state)
{
    static const struct {
        const char *ms, *after;
        int64_t delay;
    } cases[] = {
        { NULL, NULL, -1 },
        { NULL, "0", 0 },
        { NULL, "2", 2000000000 },
        { NULL, " 1.5 ", 1500000000 },
        { NULL, "0.0000000019", 1 },
        { "250", "9", 250000000 },
        { "0.5", NULL, 500000 },
        { "soon", "3", 3000000000 },
        { NULL, "99999999999999999999", INT64_C(999999999) * 1000000000 },
        { NULL, "-1", -1 },
        { NULL, "", -1 },
        { NULL, ".", -1 },
        { NULL, "1e3", -1 },
        { NULL, "tomorrow", -1 },
        /* now is Sun, 06 Nov 1994 08:49:37 GMT */
        { NULL, "Sun, 06 Nov 1994 08:49:47 GMT", 10000000000 },
        { NULL, "Sunday, 06-Nov-94 08:50:37 GMT", 60000000000 },
        { NULL, "Sun Nov  6 09:49:37 1994", INT64_C(3600000000000) },
        { NULL, "Mon, 07 Nov 1994 08:49:37 GMT", INT64_C(86400000000000) },
        { NULL, "Sat, 05 Nov 1994 08:49:37 GMT", 0 },
        { NULL, "Sun, 06 Foo 1994 08:49:47 GMT", -1 },
        { NULL, "Sun, 06 Nov 1994", -1 },
        { NULL, "Sun, 06 Nov 9999 08:49:47 GMT", INT64_MAX },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct lens_pair headers[] = {
            { bytes("content-type"), bytes("text/plain") },
            { bytes("Retry-After-Ms"), bytes(cases[i].ms) },
            { bytes("RETRY-AFTER"), bytes(cases[i].after) },
        };
        const int64_t delay = lens_retry_after(headers, 3, sizeof headers[0],
                                               INT64_C(784111777) * 1000000000);

        if (delay != cases[i].delay)
            fail_msg("case %zu: %lld, not %lld", i, (long long)delay,
                     (long long)cases[i].delay);
    }
    assert_int_equal(lens_retry_after(NULL, 0, sizeof(struct lens_pair), 0), -1);
}

/* A newer host's pairs may be longer than ours. */
static void
headers_are_walked_by_their_stride(void **state)
{
    struct {
        struct lens_pair pair;
        uint64_t more;
    } headers[] = {
        { { bytes("a"), bytes("1") }, 0 },
        { { bytes("X-Should-Retry"), bytes(" False") }, 0 },
    };
    struct lens_bytes value;

    (void)state;
    assert_int_equal(lens_should_retry(&headers[0].pair, 2, sizeof headers[0]), 0);
    assert_int_equal(lens_should_retry(&headers[0].pair, 1, sizeof headers[0]), -1);
    value = lens_header(&headers[0].pair, 2, sizeof headers[0], "A");
    assert_int_equal(value.size, 1);
    assert_int_equal(lens_header(&headers[0].pair, 2, sizeof headers[0], "b").size, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kinds_by_what_is_said),
        cmocka_unit_test(some_kinds_may_be_tried_again),
        cmocka_unit_test(retry_delays),
        cmocka_unit_test(headers_are_walked_by_their_stride),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
