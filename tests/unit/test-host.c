/* The services of the host and the life of an instance, with a plugin that lives in this
 * file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <glib.h>

/* cmocka has a macro of that name, the host a service. */
#undef fail

#include "error.h"
#include "grow.h"
#include "host.h"
#include "secret.h"

/* ---- a plugin whose behaviour is set by the test ---- */

static lens_status open_status;
static const char *open_words;
static int opened, closed;
static const struct lens_host *seen_host;
static uint32_t seen_api;

static lens_status
provider_opens(const struct lens_host *host, const struct lens_provider_args *args,
               void **ret_self)
{
    seen_host = host;
    seen_api = args->api;
    if (open_status < 0)
        return open_words == NULL ? open_status
                                  : host->fail(host, open_status, open_words);
    opened++;
    *ret_self = &opened;
    return LENS_OK;
}

static lens_status
exporter_opens(const struct lens_host *host, void **ret_self)
{
    seen_host = host;
    *ret_self = NULL;
    return LENS_OK;
}

static void
closes(void *self)
{
    assert_ptr_equal(self, &opened);
    closed++;
}

static const struct lens_option items[] = {
    { "rate", LENS_OPT_DOUBLE, 0, "2.5", NULL, NULL, NULL, "rate" },
    { "count", LENS_OPT_INT, 0, "7", NULL, NULL, NULL, "count" },
    { "tag", LENS_OPT_STRING, LENS_OPT_REPEATABLE, NULL, NULL, NULL, NULL, "tags" },
};
static const struct lens_schema schema = LENS_SCHEMA(items);
static const struct lens_api apis[] = { { "chat", "chat", LENS_TASK_CHAT, 0, "x/y" },
                                        { "completions", "old", 0, 0, "x/y" } };
static const plugin provider = {
    .kind = LENS_KIND_OF_PROVIDER,
    .name = "fake",
    .ops.provider = { .open = provider_opens,
                      .close = closes,
                      .apis = apis,
                      .api_count = 2,
                      .api_size = sizeof apis[0] },
};
static const plugin exporter = {
    .kind = LENS_KIND_OF_EXPORTER,
    .name = "fake",
    .ops.exporter = { .open = exporter_opens, .close = closes },
};

static option_values *
finished_options(void)
{
    option_values *v = option_values_new(&schema, "provider fake");

    assert_true(option_values_set_list(v, "tag=a,tag=b", NULL));
    assert_true(option_values_finish(v, true, NULL));
    return v;
}

static int
fresh(void **state)
{
    (void)state;
    open_status = LENS_OK;
    open_words = NULL;
    opened = closed = 0;
    return 0;
}

/* ---- the tests ---- */

static void
an_instance_is_opened_and_closed_once(void **state)
{
    g_autoptr(option_values) options = finished_options();
    instance *i = provider_open(&provider, 1, options, 42, NULL);

    (void)state;
    assert_non_null(i);
    assert_int_equal(seen_api, 1);
    assert_ptr_equal(seen_host, &i->host);
    assert_int_equal(i->host.struct_size, sizeof(struct lens_host));
    assert_int_equal(i->host.abi, LENS_ABI);
    assert_null(i->host.http);
    instance_close(i);
    instance_close(NULL);
    assert_int_equal(opened, 1);
    assert_int_equal(closed, 1);
}

static void
a_failed_open_carries_the_plugins_words(void **state)
{
    g_autoptr(option_values) options = finished_options();
    static const struct {
        lens_status status;
        const char *words, *message;
        int code;
    } cases[] = {
        { LENS_E_CONFIG, "the model is missing", "provider fake: the model is missing",
          LENS_ERROR_USAGE },
        { LENS_E_FAILED, "two\nlines\033[1m", "provider fake: two lines",
          LENS_ERROR_PLUGIN },
        { LENS_E_NOMEM, NULL, "provider fake: gave no reason", LENS_ERROR_PLUGIN },
        { -99, "", "provider fake: gave no reason", LENS_ERROR_PLUGIN },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;

        open_status = cases[i].status;
        open_words = cases[i].words;
        assert_null(provider_open(&provider, 0, options, 1, &error));
        assert_string_equal(error->message, cases[i].message);
        assert_int_equal(error->code, cases[i].code);
    }
    assert_int_equal(closed, 0);
}

static void
options_are_read_by_name(void **state)
{
    g_autoptr(option_values) options = finished_options();
    g_autoptr(instance) i = provider_open(&provider, 0, options, 1, NULL);
    const struct lens_host *host = &i->host;

    (void)state;
    assert_int_equal(host->opt_count(host, "tag"), 2);
    assert_string_equal(host->opt_string(host, "tag", 1), "b");
    assert_null(host->opt_string(host, "tag", 2));
    assert_int_equal(host->opt_int(host, "count"), 7);
    assert_true(host->opt_double(host, "rate") == 2.5);
    assert_null(host->opt_string(host, "nonsense", 0));
    assert_int_equal(host->opt_int(host, "nonsense"), 0);
    assert_int_equal(host->opt_count(host, NULL), 0);
}

static void
a_failure_is_kept_without_secrets_and_once(void **state)
{
    g_autoptr(option_values) options = finished_options();
    g_autoptr(instance) i = provider_open(&provider, 0, options, 1, NULL);
    const struct lens_host *host = &i->host;
    g_autofree char *first = NULL, *second = NULL;

    (void)state;
    secret_register("sk-very-secret");
    assert_int_equal(host->fail(host, LENS_E_PROTOCOL, "key sk-very-secret is wrong"),
                     LENS_E_PROTOCOL);
    assert_int_equal(i->failure_status, LENS_E_PROTOCOL);
    first = instance_failure(i);
    assert_string_equal(first, "key [redacted] is wrong");
    second = instance_failure(i);
    assert_string_equal(second, "gave no reason");
    /* A plugin that calls its failure a success has still failed. */
    assert_int_equal(host->fail(host, LENS_OK, NULL), LENS_E_FAILED);
}

static void
numbers_depend_on_the_seed_alone(void **state)
{
    g_autoptr(option_values) options = finished_options();
    g_autoptr(instance) a = provider_open(&provider, 0, options, 5, NULL);
    g_autoptr(instance) b = provider_open(&provider, 0, options, 5, NULL);

    (void)state;
    assert_true(a->host.rand(&a->host, 1, 9) == b->host.rand(&b->host, 1, 9));
    assert_true(a->host.rand(&a->host, 1, 9) == random_at(5, 1, 9));
}

static void
a_request_is_built_and_built_again(void **state)
{
    struct lens_request r;

    (void)state;
    lens_request_init(&r);
    for (int round = 0; round < 2; round++) {
        assert_int_equal(lens_request_line(&r, "POST", "http://h/v1"), LENS_OK);
        assert_int_equal(lens_request_header(&r, "Content-Type", "text/plain", 0),
                         LENS_OK);
        assert_int_equal(lens_request_header(&r, "X-Empty", "", 0), LENS_OK);
        assert_int_equal(lens_request_header(&r, "X-Two", "1", 0), LENS_OK);
        assert_int_equal(lens_request_header(&r, "X-Two", "2", 0), LENS_OK);
        assert_int_equal(lens_request_header(&r, "content-type", "application/json", 0),
                         LENS_OK);
        assert_int_equal(lens_request_body(&r, "{\"a\":", 5), LENS_OK);
        assert_int_equal(lens_request_body(&r, NULL, 0), LENS_OK);
        assert_int_equal(lens_request_body(&r, "1}", 2), LENS_OK);
        assert_string_equal(r.method.data, "POST");
        assert_string_equal(r.url.data, "http://h/v1");
        assert_int_equal(r.body.size, 7);
        assert_memory_equal(r.body.data, "{\"a\":1}", 7);
        assert_int_equal(r.headers->len, 4);
        assert_string_equal(g_ptr_array_index(r.headers, 0), "X-Empty;");
        assert_string_equal(g_ptr_array_index(r.headers, 1), "X-Two: 1");
        assert_string_equal(g_ptr_array_index(r.headers, 3),
                            "content-type: application/json");
        assert_false(r.failed);
        lens_request_reset(&r);
        assert_int_equal(r.headers->len, 0);
    }
    lens_request_clear(&r);
}

static void
what_would_break_the_wire_is_refused(void **state)
{
    static const struct {
        const char *name, *value;
    } headers[] = {
        { "X", "a\r\nEvil: 1" },
        { "X", "a\nb" },
        { "X", "a\x01" },
        { "X", "a\x7f" },
        { "X Y", "a" },
        { "X:", "a" },
        { "", "a" },
        { "X\r\n", "a" },
        { NULL, "a" },
        { "X", NULL },
        { "Content-Length", "5" },
        { "transfer-encoding", "chunked" },
    };
    static const struct {
        const char *method, *url;
    } lines[] = {
        { "POST", "ftp://h" },        { "POST", "/path" },     { "POST", "http://h/a b" },
        { "POST", "http://h/\r\nx" }, { "PO ST", "http://h" }, { "", "http://h" },
        { NULL, "http://h" },         { "POST", NULL },        { "POST", "file:///etc" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(headers); i++) {
        struct lens_request r;

        lens_request_init(&r);
        assert_true(lens_request_header(&r, headers[i].name, headers[i].value, 0) < 0);
        assert_true(r.failed);
        assert_non_null(r.why);
        assert_int_equal(r.headers->len, 0);
        lens_request_clear(&r);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        struct lens_request r;

        lens_request_init(&r);
        assert_true(lens_request_line(&r, lines[i].method, lines[i].url) < 0);
        assert_true(r.failed);
        lens_request_clear(&r);
    }
}

static void
headers_have_a_limit(void **state)
{
    g_autofree char *big = g_strnfill(100000, 'x');
    struct lens_request r;

    (void)state;
    lens_request_init(&r);
    assert_int_equal(lens_request_header(&r, "A", big, 0), LENS_OK);
    assert_int_equal(lens_request_header(&r, "B", big, 0), LENS_OK);
    assert_int_equal(lens_request_header(&r, "C", big, 0), LENS_E_TOO_LARGE);
    lens_request_clear(&r);
}

static void
a_secret_header_is_redacted_from_then_on(void **state)
{
    struct lens_request r;
    g_autofree char *shown = NULL;

    (void)state;
    lens_request_init(&r);
    assert_int_equal(lens_request_header(&r, "Authorization", "Bearer made-in-header",
                                         LENS_HEADER_SECRET),
                     LENS_OK);
    shown = secret_redact("echo: made-in-header", -1);
    assert_string_equal(shown, "echo: [redacted]");
    lens_request_clear(&r);
}

static void
memory_is_bounded_per_buffer_and_process(void **state)
{
    const size_t mib = 1 << 20;
    void *a, *b, *c;

    (void)state;
    assert_int_equal(host_grown_bytes(), 0);
    a = grow_memory(NULL, 0, 64 * mib);
    assert_non_null(a);
    assert_null(grow_memory(a, 64 * mib, 64 * mib + 1));
    b = grow_memory(NULL, 0, 60 * mib);
    assert_non_null(b);
    assert_null(grow_memory(NULL, 0, 5 * mib));
    c = grow_memory(NULL, 0, 4 * mib);
    assert_non_null(c);
    assert_int_equal(host_grown_bytes(), 128 * mib);
    assert_null(grow_memory(c, 4 * mib, 4 * mib + 1));
    b = grow_memory(b, 60 * mib, mib);
    assert_int_equal(host_grown_bytes(), 69 * mib);
    assert_null(grow_memory(NULL, 0, SIZE_MAX));
    assert_null(grow_memory(a, 64 * mib, 0));
    assert_null(grow_memory(b, mib, 0));
    assert_null(grow_memory(c, 4 * mib, 0));
    assert_null(grow_memory(NULL, 0, 0));
    assert_int_equal(host_grown_bytes(), 0);
}

static void
grown_memory_keeps_its_bytes(void **state)
{
    char *p = grow_memory(NULL, 0, 4);

    (void)state;
    memcpy(p, "abcd", 4);
    p = grow_memory(p, 4, 100000);
    assert_memory_equal(p, "abcd", 4);
    grow_memory(p, 100000, 0);
    assert_int_equal(host_grown_bytes(), 0);
}

static void *
grow_and_free(void *data)
{
    for (int i = 0; i < 20000; i++) {
        void *p = grow_memory(NULL, 0, 100);

        p = grow_memory(p, 100, 50);
        grow_memory(p, 50, 0);
    }
    return NULL;
}

static void
the_count_is_exact_over_threads(void **state)
{
    GThread *threads[4];

    (void)state;
    for (int i = 0; i < 4; i++)
        threads[i] = g_thread_new("grow", grow_and_free, NULL);
    for (int i = 0; i < 4; i++)
        g_thread_join(threads[i]);
    assert_int_equal(host_grown_bytes(), 0);
}

static void
a_buffer_stops_at_its_limit(void **state)
{
    struct lens_buffer b = { 0 };
    g_autofree char *piece = g_malloc0(32 << 20);

    (void)state;
    assert_int_equal(buffer_append(&b, piece, 32 << 20), LENS_OK);
    assert_int_equal(buffer_append(&b, piece, 32 << 20), LENS_E_TOO_LARGE);
    assert_int_equal(buffer_append(&b, piece, SIZE_MAX), LENS_E_TOO_LARGE);
    assert_int_equal(b.size, 32 << 20);
    buffer_clear(&b);
    buffer_clear(&b);
}

static void
an_api_is_found_by_name(void **state)
{
    g_autoptr(GError) near = NULL, far = NULL;

    (void)state;
    assert_int_equal(provider_api(&provider, NULL, NULL), 0);
    assert_int_equal(provider_api(&provider, "completions", NULL), 1);
    assert_int_equal(provider_api(&provider, "chta", &near), -1);
    assert_string_equal(near->message,
                        "provider fake has no api `chta`; did you mean `chat`?");
    assert_int_equal(provider_api(&provider, "responses", &far), -1);
    assert_string_equal(far->message,
                        "provider fake has no api `responses`; it has chat, "
                        "completions");
}

static int freed_clients;

static lens_status
call_http(const struct lens_host *host, const struct lens_http_request *request,
          struct lens_http_answer *answer)
{
    ((instance *)host)->http = &freed_clients;
    return LENS_OK;
}

static void
free_http(void *client)
{
    assert_ptr_equal(client, &freed_clients);
    freed_clients++;
}

static void
only_exporters_are_given_http(void **state)
{
    g_autoptr(option_values) options = finished_options();
    instance *e, *p;

    (void)state;
    host_set_http(call_http, free_http);
    e = exporter_open(&exporter, options, 1, NULL);
    p = provider_open(&provider, 0, options, 1, NULL);
    assert_null(p->host.http);
    assert_non_null(e->host.http);
    e->host.http(&e->host, NULL, NULL);
    instance_close(e);
    instance_close(p);
    host_set_http(NULL, NULL);
    assert_int_equal(freed_clients, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_instance_is_opened_and_closed_once, fresh),
        cmocka_unit_test_setup(a_failed_open_carries_the_plugins_words, fresh),
        cmocka_unit_test_setup(options_are_read_by_name, fresh),
        cmocka_unit_test_setup(a_failure_is_kept_without_secrets_and_once, fresh),
        cmocka_unit_test_setup(numbers_depend_on_the_seed_alone, fresh),
        cmocka_unit_test(a_request_is_built_and_built_again),
        cmocka_unit_test(what_would_break_the_wire_is_refused),
        cmocka_unit_test(headers_have_a_limit),
        cmocka_unit_test(a_secret_header_is_redacted_from_then_on),
        cmocka_unit_test(memory_is_bounded_per_buffer_and_process),
        cmocka_unit_test(grown_memory_keeps_its_bytes),
        cmocka_unit_test(the_count_is_exact_over_threads),
        cmocka_unit_test(a_buffer_stops_at_its_limit),
        cmocka_unit_test(an_api_is_found_by_name),
        cmocka_unit_test_setup(only_exporters_are_given_http, fresh),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
