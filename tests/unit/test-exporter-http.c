/* host->http against a server that says what we tell it to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chrono.h"
#include "exporter-http.h"
#include "host.h"
#include "secret.h"

struct server {
    int listener;
    char url[64];
    const char *answer; /* NULL: silence */
    char request[4096];
    pthread_t thread;
};

static bool
is_whole(const char *request)
{
    const char *body = strstr(request, "\r\n\r\n");
    const char *size = strstr(request, "Content-Length: ");

    return body != NULL && (size == NULL || strlen(body + 4) >= (size_t)atoi(size + 16));
}

static void *
serve(void *data)
{
    struct server *s = data;
    const int fd = accept(s->listener, NULL, NULL);
    size_t used = 0;
    ssize_t got = 1;

    while (got > 0 && !is_whole(s->request) && used < sizeof s->request - 1) {
        got = recv(fd, s->request + used, sizeof s->request - 1 - used, 0);
        used += got > 0 ? (size_t)got : 0;
    }
    if (s->answer != NULL)
        send(fd, s->answer, strlen(s->answer), MSG_NOSIGNAL);
    else
        while (recv(fd, s->request, 1, 0) > 0)
            ; /* until the client has enough of it */
    close(fd);
    return NULL;
}

static void
start_server(struct server *s, const char *answer)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof at;

    *s = (struct server){ .answer = answer };
    s->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(s->listener, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(s->listener, 1), 0);
    assert_int_equal(getsockname(s->listener, (struct sockaddr *)&at, &size), 0);
    g_snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u/write?db=x",
               ntohs(at.sin_port));
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void
stop_server(struct server *s)
{
    pthread_join(s->thread, NULL);
    close(s->listener);
}

#define BYTES(text)              \
    {                            \
        (text), sizeof(text) - 1 \
    }

static lens_status
post(instance *i, const char *url, int64_t timeout_ns, struct lens_http_answer *ret)
{
    static const struct lens_pair headers[] = {
        { BYTES("Content-Type"), BYTES("text/plain") },
        { BYTES("X-Bad"), BYTES("one\r\nX-Smuggled: two") },
    };
    const struct lens_http_request request = {
        .struct_size = sizeof request,
        .method = "POST",
        .url = url,
        .headers = headers,
        .header_count = 2,
        .header_size = sizeof headers[0],
        .body = BYTES("a=1\nb=2\n"),
        .timeout_ns = timeout_ns,
    };

    *ret = (struct lens_http_answer){ .struct_size = sizeof *ret };
    return exporter_http(&i->host, &request, ret);
}

static void
an_exchange_carries_all_parts(void **state)
{
    instance i = { 0 };
    struct server s;
    struct lens_http_answer answer;

    (void)state;
    start_server(&s, "HTTP/1.1 100 Continue\r\nX-Early: 1\r\n\r\n"
                     "HTTP/1.1 204 No Content\r\nX-Id:  seven \r\n\r\n");
    assert_int_equal(post(&i, s.url, 0, &answer), LENS_OK);
    stop_server(&s);
    assert_int_equal(answer.status, 204);
    assert_int_equal(answer.retry_after_ns, -1);
    assert_int_equal(answer.header_count, 1);
    assert_memory_equal(answer.headers[0].name.data, "X-Id", 4);
    assert_int_equal(answer.headers[0].value.size, 5);
    assert_memory_equal(answer.headers[0].value.data, "seven", 5);
    assert_true(g_str_has_prefix(s.request, "POST /write?db=x HTTP/1.1\r\n"));
    assert_non_null(strstr(s.request, "\r\nContent-Type: text/plain\r\n"));
    assert_null(strstr(s.request, "\nX-Smuggled"));
    assert_null(strstr(s.request, "Expect"));
    assert_true(g_str_has_suffix(s.request, "\r\n\r\na=1\nb=2\n"));
    exporter_http_free(i.http);
}

static int64_t
wait_told_by(const char *value)
{
    instance i = { 0 };
    struct server s;
    struct lens_http_answer answer;
    g_autofree char *text = g_strdup_printf("HTTP/1.1 503 Busy\r\nRetry-After: %s\r\n"
                                            "Content-Length: 4\r\n\r\nbusy",
                                            value);

    start_server(&s, text);
    assert_int_equal(post(&i, s.url, 0, &answer), LENS_OK);
    stop_server(&s);
    assert_int_equal(answer.status, 503);
    assert_int_equal(answer.body.size, 4);
    assert_memory_equal(answer.body.data, "busy", 4);
    exporter_http_free(i.http);
    return answer.retry_after_ns;
}

static void
retry_after_is_read_in_both_forms(void **state)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autoptr(GDateTime) later = g_date_time_add_seconds(now, 3600);
    g_autofree char *date = g_date_time_format(later, "%a, %d %b %Y %H:%M:%S GMT");
    const int64_t wait = wait_told_by(date);

    (void)state;
    assert_int_equal(wait_told_by("7"), 7 * NS_PER_S);
    assert_int_equal(wait_told_by("0.25"), NS_PER_S / 4);
    assert_int_equal(wait_told_by("soon"), -1);
    assert_int_equal(wait_told_by("Thu, 01 Jan 1970 00:00:10 GMT"), 0);
    assert_in_range(wait / NS_PER_S, 3500, 3600);
}

static void
no_answer_is_told_with_its_reason(void **state)
{
    instance i = { 0 };
    struct server s;
    struct lens_http_answer answer;

    (void)state;
    start_server(&s, NULL);
    assert_int_equal(post(&i, s.url, 50 * NS_PER_MS, &answer), LENS_E_IO);
    stop_server(&s);
    assert_int_equal(answer.status, 0);
    assert_non_null(strstr(answer.error, "timed out"));
    assert_int_equal(post(&i, s.url, 0, &answer), LENS_E_IO); /* nobody listens now */
    assert_non_null(strstr(answer.error, "connect"));
    assert_int_equal(post(&i, "file:///etc/passwd", 0, &answer), LENS_E_IO);
    secret_register("hunter2secret");
    assert_int_equal(post(&i, "http://hunter2secret.invalid./", 0, &answer), LENS_E_IO);
    assert_null(strstr(answer.error, "hunter2secret"));
    exporter_http_free(i.http);
}

static void
an_exchange_ends_when_its_exporter_is_stopped(void **state)
{
    instance i = { 0 };
    struct server s;
    struct lens_http_answer answer;
    const atomic_bool stop = true;

    (void)state;
    start_server(&s, NULL);
    exporter_http_watch(&stop);
    assert_int_equal(post(&i, s.url, 60 * NS_PER_S, &answer), LENS_E_IO);
    exporter_http_watch(NULL);
    shutdown(s.listener, SHUT_RDWR); /* perhaps it never came to a connection */
    exporter_http_free(i.http);
    stop_server(&s);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exchange_carries_all_parts),
        cmocka_unit_test(retry_after_is_read_in_both_forms),
        cmocka_unit_test(no_answer_is_told_with_its_reason),
        cmocka_unit_test(an_exchange_ends_when_its_exporter_is_stopped),
    };

    unsetenv("http_proxy");
    unsetenv("ALL_PROXY");
    unsetenv("all_proxy");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
