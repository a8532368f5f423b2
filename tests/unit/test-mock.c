/* The mock as clients see it, over sockets: what comes, in which order, and what it says
 * about itself. When it comes is not tested here (lens calibrate does). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mock.h"

#define STREAM                                                             \
    "{\"model\":\"m\",\"stream\":true,\"messages\":[],\"stream_options\":" \
    "{\"include_usage\":true}}"
#define WHOLE "{\"model\":\"m\",\"messages\":[]}"

static registry *plugins;

/* ---- a server and a client of it ---- */

static mock_settings
quick(void)
{
    mock_settings s;

    mock_settings_init(&s);
    s.ttft_ns = 1000 * 1000;
    s.itl_ns = 200 * 1000;
    s.tokens = 5;
    s.seed = 7;
    s.provider = "openai";
    return s;
}

static mock *
serve(const mock_settings *s)
{
    GError *error = NULL;
    mock *m = mock_new(s, plugins, &error);

    if (m == NULL)
        fail_msg("%s", error->message);
    assert_true(mock_start(m, &error));
    return m;
}

static int
dial(const mock *m)
{
    const struct timeval patience = { .tv_sec = 20 };
    const struct sockaddr_in to = { .sin_family = AF_INET,
                                    .sin_port = htons(mock_port(m)),
                                    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    const int fd = socket(AF_INET, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (const struct sockaddr *)&to, sizeof to), 0);
    return fd;
}

static void
say(int fd, const char *text)
{
    const size_t size = strlen(text);

    assert_int_equal(send(fd, text, size, MSG_NOSIGNAL), size);
}

static void
ask_on(int fd, const char *method, const char *path, const char *body)
{
    g_autofree char *text =
        g_strdup_printf("%s %s HTTP/1.1\r\nHost: mock\r\nContent-Length: %zu\r\n\r\n%s",
                        method, path, strlen(body), body);

    say(fd, text);
}

/* Reads until `end` stands at the end of what came, or the connection ends. */
static GString *
hear_until(int fd, const char *end)
{
    GString *text = g_string_new(NULL);
    char data[4096];
    ssize_t n;

    while (end == NULL || !g_str_has_suffix(text->str, end)) {
        n = recv(fd, data, sizeof data, 0);
        if (n <= 0) {
            assert_false(n < 0 && errno == EAGAIN); /* nothing comes any more */
            break;
        }
        g_string_append_len(text, data, n);
    }
    return text;
}

/* One request on a connection of its own, which it asks to close. */
static char *
exchange(const mock *m, const char *method, const char *path, const char *body)
{
    const int fd = dial(m);
    g_autofree char *text = g_strdup_printf("%s %s HTTP/1.1\r\nHost: mock\r\nConnection: "
                                            "close\r\nContent-Length: %zu\r\n\r\n%s",
                                            method, path, strlen(body), body);
    GString *heard;

    say(fd, text);
    heard = hear_until(fd, NULL);
    close(fd);
    return g_string_free(heard, FALSE);
}

static char *
chat(const mock *m, const char *body)
{
    return exchange(m, "POST", "/v1/chat/completions", body);
}

static void
assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("no %s in: %.2000s", part, text);
}

static unsigned
count_of(const char *text, const char *part)
{
    unsigned count = 0;

    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
        count++;
    return count;
}

static int64_t
truth_count(mock *m, const char *name)
{
    g_autofree char *json = mock_truth(m);
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *counts;

    assert_true(json_parser_load_from_data(parser, json, -1, NULL));
    counts = json_object_get_object_member(
        json_node_get_object(json_parser_get_root(parser)), "counts");
    if (json_object_has_member(counts, name))
        return json_object_get_int_member(counts, name);
    counts = json_object_get_object_member(counts, "faults");
    assert_true(json_object_has_member(counts, name));
    return json_object_get_int_member(counts, name);
}

/* The server notes an answer just after the client has it. */
static void
await_count(mock *m, const char *name, int64_t value)
{
    for (int i = 0; i < 2000 && truth_count(m, name) != value; i++)
        g_usleep(5000);
    assert_int_equal(truth_count(m, name), value);
}

/* ---- answers ---- */

static void
streams_every_token_then_usage_and_the_end(void **state)
{
    const mock_settings s = quick();
    g_autoptr(mock) m = serve(&s);
    g_autofree char *answer = chat(m, STREAM);

    (void)state;
    assert_has(answer, "HTTP/1.1 200 OK\r\n");
    assert_has(answer, "Content-Type: text/event-stream");
    assert_has(answer, "Transfer-Encoding: chunked\r\n");
    for (int i = 0; i < 5; i++) {
        static const char *const words[] = { "\"The\"", "\" river\"", "\" runs\"",
                                             "\" past\"", "\" the\"" };
        const char *at = strstr(answer, words[i]);

        assert_non_null(at);
        if (i > 0)
            assert_true(at > strstr(answer, words[i - 1]));
    }
    assert_has(answer, "\"finish_reason\":\"stop\"");
    assert_has(answer, "\"completion_tokens\":5");
    assert_true(g_str_has_suffix(answer, "data: [DONE]\n\n\r\n0\r\n\r\n"));
}

static void
ends_where_the_request_says(void **state)
{
    const mock_settings s = quick();
    g_autoptr(mock) m = serve(&s);
    g_autofree char *answer =
        chat(m, "{\"stream\":true,\"max_tokens\":2,\"messages\":[]}");
    g_autofree char *whole = chat(m, "{\"max_tokens\":2,\"messages\":[]}");

    (void)state;
    assert_has(answer, "\" river\"");
    assert_null(strstr(answer, " runs"));
    assert_has(answer, "\"finish_reason\":\"length\"");
    assert_has(whole, "\"content\":\"The river\"");
    assert_has(whole, "\"finish_reason\":\"length\"");
    assert_has(whole, "\"completion_tokens\":2");
}

static void
groups_tokens_in_chunks(void **state)
{
    mock_settings s = quick();
    g_autoptr(mock) m = NULL;
    g_autofree char *answer = NULL;

    (void)state;
    s.tokens_per_chunk = 2;
    m = serve(&s);
    answer = chat(m, STREAM);
    assert_has(answer, "\"The river\"");
    assert_has(answer, "\" runs past\"");
    assert_has(answer, "\" the\"");
    assert_has(answer, "\"completion_tokens\":5");
}

static void
reasons_calls_and_counts_the_cache(void **state)
{
    mock_settings s = quick();
    g_autoptr(mock) m = NULL;
    g_autofree char *stream = NULL, *whole = NULL;

    (void)state;
    s.reasoning = 3;
    s.tool = "look_up";
    s.cached = 40;
    m = serve(&s);
    stream = chat(m, STREAM);
    whole = chat(m, WHOLE);
    assert_int_equal(count_of(stream, "\"reasoning_content\":"), 3);
    assert_int_equal(count_of(stream, "\"name\":\"look_up\""), 1);
    assert_int_equal(count_of(stream, "\"tool_calls\":"), 5);
    assert_has(stream, "\"finish_reason\":\"tool_calls\"");
    assert_has(stream, "\"completion_tokens\":8");
    assert_has(stream, "\"reasoning_tokens\":3");
    assert_has(stream, "\"cached_tokens\":40");
    assert_has(whole, "{\\\"text\\\":\\\"The river runs past\\\"}");
    assert_has(whole, "\"reasoning_tokens\":3");
}

static void
answers_its_own_paths(void **state)
{
    const mock_settings s = quick();
    g_autoptr(mock) m = serve(&s);
    g_autofree char *health = exchange(m, "GET", "/health", "");
    g_autofree char *truth = exchange(m, "GET", "/truth", "");
    g_autofree char *models = exchange(m, "GET", "/v1/models", "");
    g_autofree char *none = exchange(m, "GET", "/nothing", "");
    g_autofree char *method = exchange(m, "DELETE", "/truth", "");
    g_autofree char *wrong = chat(m, "{}");

    (void)state;
    assert_has(health, "200 OK");
    assert_has(truth, "lens.truth/1");
    assert_has(models, "mock-model");
    assert_has(none, "404 Not Found");
    assert_has(none, "{\"error\":");
    assert_has(method, "405");
    assert_has(wrong, "400 Bad Request");
    assert_int_equal(truth_count(m, "requests"), 0);
}

/* ---- connections ---- */

static void
keeps_the_connection_and_answers_in_order(void **state)
{
    const mock_settings s = quick();
    g_autoptr(mock) m = serve(&s);
    const int fd = dial(m);
    GString *heard;

    (void)state;
    for (int i = 0; i < 3; i++) {
        ask_on(fd, "POST", "/v1/chat/completions", STREAM);
        heard = hear_until(fd, "\r\n0\r\n\r\n");
        assert_int_equal(count_of(heard->str, "[DONE]"), 1);
        g_string_free(heard, TRUE);
    }
    /* Pipelined, in one segment; the last one asks for another thing. */
    say(fd, "POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 29\r\n\r\n"
            "{\"stream\":true,\"messages\":[]}"
            "POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 15\r\n\r\n"
            "{\"messages\":[]}"
            "GET /health HTTP/1.1\r\nConnection: close\r\n\r\n");
    heard = hear_until(fd, NULL);
    assert_int_equal(count_of(heard->str, "HTTP/1.1 200 OK"), 3);
    assert_true(strstr(heard->str, "[DONE]") < strstr(heard->str, "chat.completion\""));
    assert_true(g_str_has_suffix(heard->str, "{\"status\":\"ok\"}\n"));
    g_string_free(heard, TRUE);
    close(fd);
    await_count(m, "answered", 5);
}

static void
takes_bodies_in_chunks_and_cut_anywhere(void **state)
{
    static const char wire[] =
        "POST /v1/chat/completions HTTP/1.1\r\nTransfer-Encoding: chunked\r\n"
        "Connection: close\r\n\r\n8\r\n{\"messag\r\n7\r\nes\":[]}\r\n0\r\n\r\n";
    const mock_settings s = quick();
    g_autoptr(mock) m = serve(&s);

    (void)state;
    for (unsigned step = 1; step < sizeof wire; step += 17) {
        const int fd = dial(m);
        GString *heard;

        for (size_t at = 0; at < sizeof wire - 1; at += step)
            send(fd, wire + at, MIN(step, sizeof wire - 1 - at), MSG_NOSIGNAL);
        heard = hear_until(fd, NULL);
        assert_has(heard->str, "\"content\":\"The river runs past the\"");
        g_string_free(heard, TRUE);
        close(fd);
    }
}

static void
says_continue_to_who_waits_for_it(void **state)
{
    const mock_settings s = quick();
    g_autoptr(mock) m = serve(&s);
    const int fd = dial(m);
    GString *heard;

    (void)state;
    say(fd, "POST /v1/chat/completions HTTP/1.1\r\nExpect: 100-continue\r\n"
            "Connection: close\r\nContent-Length: 15\r\n\r\n");
    heard = hear_until(fd, "\r\n\r\n");
    assert_string_equal(heard->str, "HTTP/1.1 100 Continue\r\n\r\n");
    g_string_free(heard, TRUE);
    say(fd, "{\"messages\":[]}");
    heard = hear_until(fd, NULL);
    assert_has(heard->str, "HTTP/1.1 200 OK");
    g_string_free(heard, TRUE);
    close(fd);
}

static void
closes_behind_old_and_broken_clients(void **state)
{
    const mock_settings s = quick();
    g_autoptr(mock) m = serve(&s);
    int fd = dial(m);
    GString *heard;

    (void)state;
    say(fd, "POST /v1/chat/completions HTTP/1.0\r\nContent-Length: 29\r\n\r\n"
            "{\"stream\":true,\"messages\":[]}");
    heard = hear_until(fd, NULL);
    assert_null(strstr(heard->str, "chunked"));
    assert_has(heard->str, "Connection: close");
    assert_true(g_str_has_suffix(heard->str, "data: [DONE]\n\n"));
    g_string_free(heard, TRUE);
    close(fd);

    fd = dial(m);
    say(fd, "this is no request\r\n\r\nGET /health HTTP/1.1\r\n\r\n");
    heard = hear_until(fd, NULL);
    assert_has(heard->str, "HTTP/1.1 400 Bad Request");
    assert_null(strstr(heard->str, "200 OK"));
    g_string_free(heard, TRUE);
    close(fd);

    fd = dial(m);
    ask_on(fd, "POST", "/v1/chat/completions", STREAM);
    close(fd); /* cancelled before the first token */
    await_count(m, "open_connections", 0);
    await_count(m, "in_flight", 0);
}

/* A client that closes its half still gets its answer. */
static void
answers_a_half_closed_client(void **state)
{
    const mock_settings s = quick();
    g_autoptr(mock) m = serve(&s);
    const int fd = dial(m);
    GString *heard;

    (void)state;
    ask_on(fd, "POST", "/v1/chat/completions", STREAM);
    shutdown(fd, SHUT_WR);
    heard = hear_until(fd, NULL);
    assert_has(heard->str, "[DONE]");
    g_string_free(heard, TRUE);
    close(fd);
}

/* ---- faults ---- */

struct fault_case {
    const char *name;
    const char *stream_has, *stream_lacks; /* NULL: whatever */
    const char *whole_has, *whole_lacks;
};

static const struct fault_case fault_cases[] = {
    { "429", "HTTP/1.1 429", "data:", "Retry-After: 1\r\n", "choices" },
    { "500", "HTTP/1.1 500", "data:", "HTTP/1.1 500", "choices" },
    { "503", "HTTP/1.1 503", "data:", "HTTP/1.1 503", "choices" },
    { "error", "{\"error\":", "[DONE]", "HTTP/1.1 500", "choices" },
    { "cut", "The", "[DONE]", "Content-Length", "service_tier" },
    { "slow_headers", "[DONE]", NULL, "The river runs past the", NULL },
    { "html", "<html>", "data:", "text/html", "choices" },
    { "garbage", "text/event-stream", "[DONE]", "Content-Length: 4096", "choices" },
    { "bytewise", "[DONE]", NULL, "The river runs past the", NULL },
    { "split_utf8", "na\u00efve", NULL, "na\u00efve caf\u00e9", NULL },
    { "bad_length", "Content-Length: 100000000", "chunked", "choices", NULL },
};

static void
shows_each_fault_on_the_wire(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(fault_cases); i++) {
        const struct fault_case *f = &fault_cases[i];
        mock_settings s = quick();
        g_autoptr(mock) m = NULL;
        g_autofree char *stream = NULL, *whole = NULL;

        s.faults[mock_fault_from_name(f->name)] = 1;
        m = serve(&s);
        stream = chat(m, STREAM);
        whole = chat(m, WHOLE);
        assert_has(stream, f->stream_has);
        assert_true(f->stream_lacks == NULL || !strstr(stream, f->stream_lacks));
        assert_has(whole, f->whole_has);
        assert_true(f->whole_lacks == NULL || !strstr(whole, f->whole_lacks));
        await_count(m, f->name, 2);
        await_count(m, "in_flight", 0);
    }
}

static void
sends_one_huge_line(void **state)
{
    mock_settings s = quick();
    g_autoptr(mock) m = NULL;
    g_autofree char *stream = NULL, *whole = NULL;

    (void)state;
    s.faults[FAULT_HUGE_LINE] = 1;
    m = serve(&s);
    stream = chat(m, STREAM);
    whole = chat(m, WHOLE);
    assert_true(strlen(stream) > 8 << 20 && strlen(stream) < 9 << 20);
    assert_has(stream, "[DONE]");
    assert_true(strlen(whole) > 8 << 20);
    assert_has(whole, "\"completion_tokens\":5");
}

/* Neither ends by itself; one is silent, the other is not. */
static void
stalls_or_goes_on_for_ever(void **state)
{
    static const enum mock_fault faults[] = { FAULT_STALL, FAULT_ENDLESS };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(faults); i++) {
        mock_settings s = quick();
        g_autoptr(mock) m = NULL;
        struct pollfd more;
        char data[4096];
        size_t got = 0;
        ssize_t n;

        s.faults[faults[i]] = 1;
        m = serve(&s);
        more = (struct pollfd){ .fd = dial(m), .events = POLLIN };
        ask_on(more.fd, "POST", "/v1/chat/completions", STREAM);
        while (got < 100 * 1000 && poll(&more, 1, 500) > 0) {
            n = recv(more.fd, data, sizeof data, 0);
            assert_true(n > 0); /* it does not close */
            got += (size_t)n;
        }
        if (faults[i] == FAULT_STALL)
            assert_in_range(got, 300, 5000);
        else
            assert_true(got >= 100 * 1000);
        close(more.fd);
        await_count(m, "open_connections", 0);
    }
}

/* The share of a fault is its rate, and the same for the same seed. */
static void
draws_faults_by_rate_and_seed(void **state)
{
    int64_t first = -1;

    (void)state;
    for (int round = 0; round < 2; round++) {
        mock_settings s = quick();
        g_autoptr(mock) m = NULL;
        int fd;

        s.ttft_ns = s.itl_ns = 0;
        s.tokens = 1;
        s.faults[FAULT_500] = 0.25;
        m = serve(&s);
        fd = dial(m);
        for (int i = 0; i < 400; i++) {
            GString *heard;

            ask_on(fd, "POST", "/v1/chat/completions", WHOLE);
            heard = hear_until(fd, "}");
            g_string_free(heard, TRUE);
        }
        close(fd);
        assert_in_range(truth_count(m, "500"), 70, 130);
        assert_true(first < 0 || truth_count(m, "500") == first);
        first = truth_count(m, "500");
    }
}

/* ---- scripts ---- */

static void
plays_a_script(void **state)
{
    static const char script[] = "{\"at\":\"1ms\",\"reasoning\":\"hm\"}\n"
                                 "{\"after\":\"1ms\",\"text\":\"one\"}\n"
                                 "\n"
                                 "{\"text\":\" two\",\"tokens\":2}\n"
                                 "{\"raw\":\": caf\\u00c3\\u00a9\\n\\n\"}\n"
                                 "{\"after\":\"1ms\",\"finish\":\"stop\"}\n";
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "test-mock-XXXXXX", NULL);
    mock_settings s = quick();
    g_autoptr(mock) m = NULL;
    g_autofree char *stream = NULL, *whole = NULL;

    (void)state;
    close(g_mkstemp(path));
    assert_true(g_file_set_contents(path, script, -1, NULL));
    s.script = path;
    m = serve(&s);
    stream = chat(m, STREAM);
    whole = chat(m, WHOLE);
    g_unlink(path);
    assert_true(strstr(stream, "\"hm\"") < strstr(stream, "\"one\""));
    assert_true(strstr(stream, "\"one\"") < strstr(stream, "\" two\""));
    assert_has(stream, ": caf\u00e9\n\n");
    assert_has(stream, "\"completion_tokens\":4");
    assert_true(g_str_has_suffix(stream, "data: [DONE]\n\n\r\n0\r\n\r\n"));
    assert_has(whole, "\"content\":\"one two\"");
    assert_has(whole, "\"finish_reason\":\"stop\"");
}

static void
refuses_bad_scripts_with_their_line(void **state)
{
    static const struct {
        const char *script, *why;
    } cases[] = {
        { "", "no lines" },
        { "{\"text\":\"a\"}\nnonsense\n", ":2: " },
        { "[1]\n", ":1: expected one JSON object" },
        { "{\"txt\":\"a\"}\n", "did you mean \"text\"" },
        { "{\"text\":1}\n", "must be a string" },
        { "{\"text\":\"a\",\"raw\":\"b\"}\n", "one thing" },
        { "{\"at\":\"1ms\",\"after\":\"1ms\"}\n", "not both" },
        { "{\"at\":\"soon\",\"text\":\"a\"}\n", ":1: " },
        { "{\"at\":\"2ms\",\"text\":\"a\"}\n{\"at\":\"1ms\",\"text\":\"a\"}\n", ":2: " },
        { "{\"raw\":\"\\u20ac\"}\n", "U+00FF" },
        { "{\"arguments\":\"{}\"}\n", "needs \"tool\"" },
    };

    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path =
            g_build_filename(g_get_tmp_dir(), "test-mock-XXXXXX", NULL);
        mock_settings s = quick();
        GError *error = NULL;

        close(g_mkstemp(path));
        assert_true(g_file_set_contents(path, cases[i].script, -1, NULL));
        s.script = path;
        assert_null(mock_new(&s, plugins, &error));
        g_unlink(path);
        assert_has(error->message, path);
        assert_has(error->message, cases[i].why);
        g_error_free(error);
    }
}

/* ---- TLS, load, settings ---- */

static void
serves_tls_that_can_be_verified(void **state)
{
    g_autofree char *path = g_build_filename(g_get_tmp_dir(), "test-mock-XXXXXX", NULL);
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    mock_settings s = quick();
    g_autoptr(mock) m = NULL;
    GString *heard = g_string_new(NULL);
    static const char request[] = "POST /v1/chat/completions HTTP/1.1\r\n"
                                  "Connection: close\r\nContent-Length: 29\r\n\r\n"
                                  "{\"stream\":true,\"messages\":[]}";
    char data[4096];
    SSL *ssl;
    int fd, n;

    (void)state;
    close(g_mkstemp(path));
    s.tls = true;
    s.tls_cert_out = path;
    m = serve(&s);
    assert_true(g_str_has_prefix(mock_url(m), "https://127.0.0.1:"));
    assert_int_equal(SSL_CTX_load_verify_locations(context, path, NULL), 1);
    g_unlink(path);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    ssl = SSL_new(context);
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), "127.0.0.1");
    fd = dial(m);
    SSL_set_fd(ssl, fd);
    assert_int_equal(SSL_connect(ssl), 1);
    assert_int_equal(SSL_write(ssl, request, sizeof request - 1), sizeof request - 1);
    while ((n = SSL_read(ssl, data, sizeof data)) > 0)
        g_string_append_len(heard, data, n);
    assert_has(heard->str, "[DONE]");
    /* An orderly end, so that a client can tell it from a cut. */
    assert_int_equal(SSL_get_error(ssl, n), SSL_ERROR_ZERO_RETURN);
    g_string_free(heard, TRUE);
    SSL_free(ssl);
    SSL_CTX_free(context);
    close(fd);
}

static void
counts_the_truth_and_forgets_it_when_told(void **state)
{
    const mock_settings s = quick();
    g_autoptr(mock) m = serve(&s);
    g_autofree char *one = chat(m, STREAM);
    g_autofree char *two = chat(m, WHOLE);
    g_autofree char *reset = NULL, *truth = NULL;
    g_autoptr(JsonParser) parser = json_parser_new();
    JsonObject *root, *ttft;

    (void)state;
    assert_has(one, "200 OK");
    assert_has(two, "200 OK");
    await_count(m, "answered", 2);
    assert_int_equal(truth_count(m, "requests"), 2);
    assert_int_equal(truth_count(m, "streams"), 1);
    assert_int_equal(truth_count(m, "tokens"), 10);
    truth = mock_truth(m);
    assert_true(json_parser_load_from_data(parser, truth, -1, NULL));
    root = json_node_get_object(json_parser_get_root(parser));
    ttft = json_object_get_object_member(root, "ttft");
    ttft = json_object_get_object_member(ttft, "from_kernel");
    /* Never early; a whole answer has no first token. */
    assert_int_equal(json_object_get_int_member(ttft, "count"), 1);
    assert_true(json_object_get_int_member(ttft, "min") >= s.ttft_ns);
    assert_int_equal(
        json_object_get_int_member(json_object_get_object_member(root, "itl"), "count"),
        4);
    assert_int_equal(
        json_object_get_int_member(json_object_get_object_member(root, "e2e"), "count"),
        2);
    reset = exchange(m, "POST", "/truth/reset", "");
    assert_has(reset, "200 OK");
    assert_int_equal(truth_count(m, "requests"), 0);
}

static void
serves_two_thousand_streams_at_once(void **state)
{
    enum { STREAMS = 2000 };
    g_autofree int *fds = g_new(int, STREAMS);
    mock_settings s = quick();
    g_autoptr(mock) m = NULL;
    int open = STREAMS;
    struct rlimit limit;

    (void)state;
    getrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < 2 * STREAMS + 100) /* both ends are ours */
        open = (int)(limit.rlim_max - 100) / 2;
    s.ttft_ns = 300 * 1000 * 1000;
    m = serve(&s);
    for (int i = 0; i < open; i++) {
        fds[i] = dial(m);
        ask_on(fds[i], "POST", "/v1/chat/completions", STREAM);
    }
    for (int i = 0; i < open; i++) {
        GString *heard = hear_until(fds[i], "\r\n0\r\n\r\n");

        assert_int_equal(count_of(heard->str, "[DONE]"), 1);
        g_string_free(heard, TRUE);
        close(fds[i]);
    }
    await_count(m, "answered", open);
    await_count(m, "open_connections", 0);
    assert_int_equal(truth_count(m, "tokens"), open * 5);
}

static void
refuses_settings_that_cannot_work(void **state)
{
    mock_settings s = quick();
    g_autoptr(mock) m = serve(&s);
    GError *error = NULL;

    (void)state;
    s.port = mock_port(m);
    assert_null(mock_new(&s, plugins, &error));
    assert_has(error->message, "cannot listen on 127.0.0.1 port");
    g_clear_error(&error);

    s = quick();
    s.bind = "nowhere";
    assert_null(mock_new(&s, plugins, &error));
    assert_has(error->message, "--bind nowhere");
    g_clear_error(&error);

    s = quick();
    s.provider = "opennai";
    assert_null(mock_new(&s, plugins, &error));
    assert_has(error->message, "openai");
    g_clear_error(&error);

    s = quick();
    s.faults[FAULT_429] = s.faults[FAULT_500] = 0.6;
    assert_null(mock_new(&s, plugins, &error));
    assert_has(error->message, "1.2");
    g_clear_error(&error);
    assert_int_equal(mock_fault_from_name("no_such"), FAULT_COUNT);
}

int
main(void)
{
    const char *const dirs[] = { PLUGINS, NULL };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_every_token_then_usage_and_the_end),
        cmocka_unit_test(ends_where_the_request_says),
        cmocka_unit_test(groups_tokens_in_chunks),
        cmocka_unit_test(reasons_calls_and_counts_the_cache),
        cmocka_unit_test(answers_its_own_paths),
        cmocka_unit_test(keeps_the_connection_and_answers_in_order),
        cmocka_unit_test(takes_bodies_in_chunks_and_cut_anywhere),
        cmocka_unit_test(says_continue_to_who_waits_for_it),
        cmocka_unit_test(closes_behind_old_and_broken_clients),
        cmocka_unit_test(answers_a_half_closed_client),
        cmocka_unit_test(shows_each_fault_on_the_wire),
        cmocka_unit_test(sends_one_huge_line),
        cmocka_unit_test(stalls_or_goes_on_for_ever),
        cmocka_unit_test(draws_faults_by_rate_and_seed),
        cmocka_unit_test(plays_a_script),
        cmocka_unit_test(refuses_bad_scripts_with_their_line),
        cmocka_unit_test(serves_tls_that_can_be_verified),
        cmocka_unit_test(counts_the_truth_and_forgets_it_when_told),
        cmocka_unit_test(serves_two_thousand_streams_at_once),
        cmocka_unit_test(refuses_settings_that_cannot_work),
    };
    int failed;

    plugins = registry_new(dirs, true);
    failed = cmocka_run_group_tests_name("mock", tests, NULL, NULL);
    registry_free(plugins);
    return failed;
}
