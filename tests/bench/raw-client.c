/* raw-client: the least that a client of a token stream can do, as the yardstick for the
 * CPU that lens takes: one epoll, recvmsg with kernel stamps, a scan for the ends of SSE
 * events; no JSON, no HTTP parser, no record of a request.
 *
 *   raw-client PORT STREAMS REQUESTS MAX_TOKENS [PATH]
 *
 * Prints one JSON object. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 512, READ_SIZE = 64 * 1024 };

struct stream {
    int fd;
    bool seen_output;
    unsigned tail; /* bytes of END that have matched */
    int64_t sent_ns, last_ns;
};

struct client {
    int epoll_fd;
    struct sockaddr_in server;
    char request[1024];
    size_t request_size;
    long asked, wanted, finished;
    uint64_t messages, reads, ttft_sum_ns, gap_sum_ns, gaps;
    char data[READ_SIZE];
};

/* The last chunk of a chunked body. */
static const char END[] = "\r\n0\r\n\r\n";

static int64_t
clock_ns(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static void
die(const char *what)
{
    fprintf(stderr, "raw-client: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void
ask(struct client *c, struct stream *s)
{
    if (c->asked == c->wanted)
        return;
    c->asked++;
    s->seen_output = false;
    s->tail = 0;
    s->sent_ns = clock_ns(CLOCK_REALTIME);
    if (send(s->fd, c->request, c->request_size, MSG_NOSIGNAL) !=
        (ssize_t)c->request_size)
        die("send");
}

static void
open_stream(struct client *c, struct stream *s)
{
    const int yes = 1, stamps = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
    struct epoll_event event = { .events = EPOLLIN, .data.ptr = s };

    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (s->fd < 0 ||
        connect(s->fd, (const struct sockaddr *)&c->server, sizeof c->server) < 0)
        die("connect");
    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(s->fd, SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof stamps);
    epoll_ctl(c->epoll_fd, EPOLL_CTL_ADD, s->fd, &event);
}

/* Counts events that end here; true at the end of the body. */
static bool
scan(struct client *c, struct stream *s, const char *data, size_t size)
{
    for (const char *at = data; at < data + size;) {
        const char *lf = memchr(at, '\n', (size_t)(data + size - at));

        if (lf == NULL)
            break;
        if (lf + 1 < data + size && lf[1] == '\n') {
            c->messages++;
            lf++;
        }
        at = lf + 1;
    }
    if (size >= sizeof END - 1)
        return memcmp(data + size - (sizeof END - 1), END, sizeof END - 1) == 0;
    for (size_t i = 0; i < size; i++)
        s->tail = data[i] == END[s->tail] ? s->tail + 1 : (data[i] == END[0]);
    return s->tail == sizeof END - 1;
}

static int64_t
stamp_of(struct msghdr *message)
{
    for (struct cmsghdr *m = CMSG_FIRSTHDR(message); m != NULL;
         m = CMSG_NXTHDR(message, m))
        if (m->cmsg_level == SOL_SOCKET && m->cmsg_type == SCM_TIMESTAMPING) {
            struct scm_timestamping stamps;

            memcpy(&stamps, CMSG_DATA(m), sizeof stamps);
            return stamps.ts[0].tv_sec * INT64_C(1000000000) + stamps.ts[0].tv_nsec;
        }
    return clock_ns(CLOCK_REALTIME);
}

static void
on_readable(struct client *c, struct stream *s)
{
    char control[CMSG_SPACE(sizeof(struct scm_timestamping))];
    struct iovec part = { c->data, sizeof c->data };
    struct msghdr message = { .msg_iov = &part,
                              .msg_iovlen = 1,
                              .msg_control = control,
                              .msg_controllen = sizeof control };
    const ssize_t n = recvmsg(s->fd, &message, MSG_DONTWAIT);
    int64_t at_ns;

    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0)
        die("the server closed a stream");
    c->reads++;
    at_ns = stamp_of(&message);
    if (!s->seen_output) {
        c->ttft_sum_ns += (uint64_t)(at_ns - s->sent_ns);
        s->seen_output = true;
    } else {
        c->gap_sum_ns += (uint64_t)(at_ns - s->last_ns);
        c->gaps++;
    }
    s->last_ns = at_ns;
    if (scan(c, s, c->data, (size_t)n)) {
        c->finished++;
        ask(c, s);
    }
}

static void
report(const struct client *c, long streams, long max_tokens, double cpu_s, double wall_s)
{
    const double tokens = (double)c->finished * (double)max_tokens;
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    printf("{\"streams\":%ld,\"requests\":%ld,\"tokens\":%.0f,\"messages\":%llu,"
           "\"reads\":%llu,\"cpu_s\":%.6f,\"wall_s\":%.6f,\"cpu_us_per_token\":%.3f,"
           "\"requests_per_s\":%.1f,\"ttft_mean_ms\":%.4f,\"itl_mean_ms\":%.4f,"
           "\"max_rss_kb\":%ld}\n",
           streams, c->finished, tokens, (unsigned long long)c->messages,
           (unsigned long long)c->reads, cpu_s, wall_s,
           tokens > 0 ? cpu_s * 1e6 / tokens : 0.0, (double)c->finished / wall_s,
           (double)c->ttft_sum_ns / 1e6 / (double)(c->finished > 0 ? c->finished : 1),
           (double)c->gap_sum_ns / 1e6 / (double)(c->gaps > 0 ? c->gaps : 1),
           usage.ru_maxrss);
}

static void
make_request(struct client *c, const char *path, long max_tokens)
{
    char body[512];
    const int size =
        snprintf(body, sizeof body,
                 "{\"model\":\"mock-model\",\"stream\":true,"
                 "\"stream_options\":{\"include_usage\":true},\"max_tokens\":%ld,"
                 "\"messages\":[{\"role\":\"user\",\"content\":\"Tell me about rivers, "
                 "mills and bridges.\"}]}",
                 max_tokens);

    c->request_size = (size_t)snprintf(c->request, sizeof c->request,
                                       "POST %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                                       "Content-Type: application/json\r\n"
                                       "Content-Length: %d\r\n\r\n%s",
                                       path, size, body);
}

int
main(int argc, char **argv)
{
    static struct client c;
    struct epoll_event events[EVENTS];
    struct stream *streams;
    int64_t cpu_ns, wall_ns;
    long count, max_tokens;

    if (argc < 5) {
        fputs("usage: raw-client PORT STREAMS REQUESTS MAX_TOKENS [PATH]\n", stderr);
        return 2;
    }
    c.server = (struct sockaddr_in){ .sin_family = AF_INET,
                                     .sin_port = htons((uint16_t)atoi(argv[1])),
                                     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    count = atol(argv[2]);
    c.wanted = atol(argv[3]);
    max_tokens = atol(argv[4]);
    make_request(&c, argc > 5 ? argv[5] : "/v1/chat/completions", max_tokens);
    c.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    streams = calloc((size_t)count, sizeof *streams);
    if (streams == NULL)
        die("streams");
    for (long i = 0; i < count; i++)
        open_stream(&c, &streams[i]);
    cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    wall_ns = clock_ns(CLOCK_MONOTONIC);
    for (long i = 0; i < count; i++)
        ask(&c, &streams[i]);
    while (c.finished < c.wanted) {
        const int n = epoll_wait(c.epoll_fd, events, EVENTS, -1);

        for (int i = 0; i < n; i++)
            on_readable(&c, events[i].data.ptr);
    }
    report(&c, count, max_tokens,
           (double)(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns) / 1e9,
           (double)(clock_ns(CLOCK_MONOTONIC) - wall_ns) / 1e9);
    return 0;
}
