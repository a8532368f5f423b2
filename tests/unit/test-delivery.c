/* The receivers of lens_harness_delivery find the faults of an exporter. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "harness.h"

enum { SOUND, BELIEVES, MUTE, HASTY, DESPAIRS, STUBBORN };
static int fault;
static const struct lens_host *the_host;

static lens_status
open_exporter(const struct lens_host *host, void **ret_self)
{
    the_host = host;
    *ret_self = &fault;
    return LENS_OK;
}

static void
close_exporter(void *self)
{
    (void)self;
}

static lens_status
begin(void *self, const struct lens_run *run, uint64_t resumed)
{
    (void)self, (void)run, (void)resumed;
    return LENS_OK;
}

static lens_status
post(uint64_t count, struct lens_delivery *d)
{
    static const char line[] = "one line of a sample that is about so long\n";
    char body[sizeof line * 32];
    struct lens_http_request request = { .struct_size = sizeof request,
                                         .method = "POST",
                                         .url = "http://127.0.0.1:9/write",
                                         .body = { body, count * (sizeof line - 1) } };
    struct lens_http_answer answer = { .struct_size = sizeof answer };

    for (uint64_t i = 0; i < count; i++)
        memcpy(body + i * (sizeof line - 1), line, sizeof line);
    if (the_host->http(the_host, &request, &answer) != LENS_OK)
        answer.status = 0;
    if ((answer.status >= 200 && answer.status < 300) || fault == BELIEVES) {
        d->delivered_prefix = count;
        return LENS_OK;
    }
    if (fault != MUTE)
        (the_host->fail)(the_host, LENS_OK, "the receiver did not take it");
    d->retry_after_ns = fault == HASTY ? 0 : answer.retry_after_ns;
    d->verdict = answer.status == 413                        ? LENS_DELIVERY_SPLIT
                 : fault == STUBBORN                         ? LENS_DELIVERY_LATER
                 : answer.status == 401 || fault == DESPAIRS ? LENS_DELIVERY_GIVE_UP
                 : answer.status == 400                      ? LENS_DELIVERY_SPLIT
                                                             : LENS_DELIVERY_LATER;
    return LENS_OK;
}

static lens_status
samples(void *self, const struct lens_sample *const *batch, uint64_t count,
        struct lens_delivery *d)
{
    (void)self, (void)batch;
    return post(count, d);
}

static lens_status
snapshot(void *self, const struct lens_snapshot *s, struct lens_delivery *d)
{
    (void)self, (void)s;
    return post(1, d);
}

static lens_status
end(void *self, const struct lens_summary *s, struct lens_delivery *d)
{
    (void)self, (void)s;
    return post(1, d);
}

static const struct lens_exporter exporter = {
    .struct_size = sizeof exporter,
    .flags = LENS_EXPORT_SAMPLES | LENS_EXPORT_INTERVALS,
    .open = open_exporter,
    .close = close_exporter,
    .begin = begin,
    .samples = samples,
    .snapshot = snapshot,
    .end = end,
};

/* Whether the exporter with this fault stands against the receiver. */
static int
stands(int with, uint32_t receiver, const char *words)
{
    static const struct lens_schema none;
    struct lens_harness h;
    int http = 0, fine;

    fault = with;
    lens_harness_init(&h, &none, NULL, 0);
    fine = lens_harness_delivery(&h, &exporter, receiver, &http);
    assert_int_equal(http, 1);
    if (words != NULL && strstr(h.problem, words) == NULL)
        fail_msg("expected `%s`, not `%s`", words, h.problem);
    lens_harness_clear(&h);
    return fine;
}

static void
a_sound_exporter_stands_against_all(void **state)
{
    (void)state;
    for (uint32_t receiver = 0; receiver < LENS_FAULT_COUNT; receiver++)
        assert_true(stands(SOUND, receiver, NULL));
}

static void
each_fault_is_found(void **state)
{
    (void)state;
    for (uint32_t receiver = LENS_FAULT_DEAD_AT_START; receiver < LENS_FAULT_COUNT;
         receiver++)
        assert_false(stands(BELIEVES, receiver, "no receiver took it"));
    assert_false(stands(MUTE, LENS_FAULT_DEAD_AT_END, "no reason"));
    assert_false(stands(HASTY, LENS_FAULT_RATE_LIMIT, "Retry-After"));
    assert_false(stands(DESPAIRS, LENS_FAULT_BUSY, "gives up"));
    assert_false(stands(STUBBORN, LENS_FAULT_BAD_DATA, "never comes to an end"));
    assert_false(stands(STUBBORN, LENS_FAULT_TOKEN, "never comes to an end"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sound_exporter_stands_against_all),
        cmocka_unit_test(each_fault_is_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
