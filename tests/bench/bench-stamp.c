/* How far behind the server's send() the arrival stamps of the transport are: a server
 * thread that notes when it sends, and the transport as lens uses it. Prints one JSON
 * object.
 *
 *   bench-stamp STREAMS MESSAGES GAP_MS SERVER_CPU CLIENT_CPU */
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "chrono.h"
#include "histogram.h"
#include "transport.h"

struct bench {
    int streams, messages, listen_fd;
    int64_t gap_ns;
    int64_t *sent_ns; /* of stream and message */
    int *fds;
    int server_cpu;
    GMainLoop *loop;
    poller *poller;
    transport *transport;
    histogram *late;
    int ended;
    uint64_t user_clock;
};

struct stream {
    struct bench *bench;
    int nth;
    int messages; /* seen */
};

static void
pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

/* ---- the server: all streams in lockstep, a message is one byte ---- */

/* The first send after a sleep pays for cold caches, on the server's side of the stamp:
 * it goes to a stream that is not counted. */
enum { WARMING_STREAMS = 1 };

static void
accept_streams(struct bench *b)
{
    static const char head[] = "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n";

    for (int i = 0; i < b->streams; i++) {
        const int fd = accept(b->listen_fd, NULL, NULL), yes = 1;
        char request[2048] = "";
        const ssize_t n = recv(fd, request, sizeof request - 1, 0);
        const char *path = n > 0 ? strchr(request, '/') : NULL;

        if (path == NULL)
            exit(1);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
        b->fds[atoi(path + 1)] = fd;
        send(fd, head, sizeof head - 1, MSG_NOSIGNAL);
    }
}

static void *
serve(void *data)
{
    struct bench *b = data;
    int64_t due_ns;

    pin(b->server_cpu);
    accept_streams(b);
    due_ns = chrono_now() + 100 * NS_PER_MS;
    for (int k = 0; k < b->messages; k++, due_ns += b->gap_ns) {
        const struct timespec due = { .tv_sec = due_ns / NS_PER_S,
                                      .tv_nsec = due_ns % NS_PER_S };

        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
        for (int i = 0; i < b->streams; i++) {
            __atomic_store_n(&b->sent_ns[i * b->messages + k], chrono_now(),
                             __ATOMIC_RELAXED);
            send(b->fds[i], "x", 1, MSG_NOSIGNAL);
        }
    }
    usleep(100 * 1000);
    for (int i = 0; i < b->streams; i++)
        close(b->fds[i]);
    return NULL;
}

/* ---- the client ---- */

static bool
on_head(exchange *x)
{
    (void)x;
    return true;
}

static bool
on_body(exchange *x, const char *data, size_t size, int64_t at_ns, uint32_t clock)
{
    struct stream *s = x->user;
    struct bench *b = s->bench;

    (void)data;
    for (size_t i = 0; i < size; i++) {
        const int64_t sent_ns = __atomic_load_n(
            &b->sent_ns[s->nth * b->messages + s->messages++], __ATOMIC_RELAXED);

        if (s->nth >= WARMING_STREAMS)
            histogram_record(b->late, at_ns - sent_ns);
    }
    b->user_clock += clock != LENS_CLOCK_KERNEL;
    return true;
}

static void
on_nothing(exchange *x)
{
    (void)x;
}

static void
on_end(exchange *x, const struct exchange_end *end)
{
    struct stream *s = x->user;
    struct bench *b = s->bench;

    if (end->kind != LENS_KIND_NONE) {
        fprintf(stderr, "bench-stamp: %s\n",
                end->detail != NULL ? end->detail : "failed");
        exit(1);
    }
    transport_put(b->transport, x);
    if (++b->ended == b->streams)
        g_main_loop_quit(b->loop);
}

static void
after_turn(void *data)
{
    struct bench *b = data;

    transport_run(b->transport);
    poller_wake_at(b->poller, transport_deadline(b->transport));
}

static uint16_t
start_server(struct bench *b, pthread_t *ret_thread)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof at;

    b->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(b->listen_fd, (struct sockaddr *)&at, size) < 0 ||
        listen(b->listen_fd, 4096) < 0 ||
        getsockname(b->listen_fd, (struct sockaddr *)&at, &size) < 0 ||
        pthread_create(ret_thread, NULL, serve, b) != 0)
        exit(1);
    return ntohs(at.sin_port);
}

static void
start_streams(struct bench *b, struct stream *streams, uint16_t port)
{
    for (int i = 0; i < b->streams; i++) {
        g_autofree char *url = g_strdup_printf("http://127.0.0.1:%u/%d", port, i);
        exchange *x;

        streams[i] = (struct stream){ .bench = b, .nth = i };
        x = transport_get(b->transport, &streams[i]);
        buffer_append(&x->request.method, "GET", 3);
        buffer_append(&x->request.url, url, strlen(url));
        transport_start(b->transport, x);
    }
}

int
main(int argc, char **argv)
{
    static const struct exchange_events events = { .head = on_head,
                                                   .body = on_body,
                                                   .look = on_nothing,
                                                   .resend = on_nothing,
                                                   .end = on_end };
    const plan_target target = { .name = (char *)"bench",
                                 .url = (char *)"http://127.0.0.1",
                                 .connect_timeout_ns = 30 * NS_PER_S,
                                 .first_token_timeout_ns = 60 * NS_PER_S,
                                 .idle_timeout_ns = 60 * NS_PER_S,
                                 .timeout_ns = 600 * NS_PER_S,
                                 .reuse = true,
                                 .stream = true };
    struct bench b = { 0 };
    GError *error = NULL;
    pthread_t server;
    struct stream *streams;
    uint16_t port;

    if (argc != 6)
        return 2;
    b.streams = WARMING_STREAMS + atoi(argv[1]);
    b.messages = atoi(argv[2]);
    b.gap_ns = atoi(argv[3]) * NS_PER_MS;
    b.server_cpu = atoi(argv[4]);
    b.sent_ns = g_new0(int64_t, (size_t)b.streams * (size_t)b.messages);
    b.fds = g_new0(int, (size_t)b.streams);
    b.late = histogram_new();
    streams = g_new0(struct stream, (size_t)b.streams);
    port = start_server(&b, &server);
    pin(atoi(argv[5]));
    b.loop = g_main_loop_new(NULL, FALSE);
    b.poller = poller_new(NULL, after_turn, &b, &error);
    b.transport = b.poller != NULL
                      ? transport_new(b.poller, &target, false, &events, &error)
                      : NULL;
    if (b.transport == NULL) {
        fprintf(stderr, "bench-stamp: %s\n", error->message);
        return 1;
    }
    start_streams(&b, streams, port);
    poller_wake_at(b.poller, chrono_now());
    g_main_loop_run(b.loop);
    pthread_join(server, NULL);
    printf("{\"streams\":%d,\"messages\":%llu,\"p50_us\":%.2f,\"p99_us\":%.2f,"
           "\"p99_9_us\":%.2f,\"max_us\":%.2f,\"not_kernel\":%llu}\n",
           b.streams, (unsigned long long)histogram_count(b.late),
           (double)histogram_quantile(b.late, 0.5) / 1e3,
           (double)histogram_quantile(b.late, 0.99) / 1e3,
           (double)histogram_quantile(b.late, 0.999) / 1e3,
           (double)histogram_max(b.late) / 1e3, (unsigned long long)b.user_clock);
    transport_free(b.transport);
    poller_free(b.poller);
    return 0;
}
