#include "stamp.h"

#include <errno.h>
#include <time.h>

#include <lens/exporter.h>
#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "chrono.h"

enum { LOOK_SIZE = 64 * 1024 };

/* MSG_TRUNC copies nothing, but the kernel checks the address. */
static _Thread_local char look_buffer[LOOK_SIZE];

union control {
    char bytes[512];
    struct cmsghdr align;
};

void
stamper_enable(stamper *s, int fd)
{
    int flags = SOF_TIMESTAMPING_RX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;
    const int tx = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_OPT_ID |
                   SOF_TIMESTAMPING_OPT_TSONLY;
    int both = flags | tx;

    s->tx = setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &both, sizeof both) == 0;
    s->rx =
        s->tx || setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPING, &flags, sizeof flags) == 0;
    s->tx_first_ns = s->tx_last_ns = s->tx_prompt_ns = -1;
    s->looked_ns = 0;
}

static int64_t
software_stamp(struct msghdr *message)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c != NULL;
         c = CMSG_NXTHDR(message, c)) {
        struct scm_timestamping stamps;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPING)
            continue;
        memcpy(&stamps, CMSG_DATA(c), sizeof stamps);
        if (stamps.ts[0].tv_sec != 0)
            return stamps.ts[0].tv_sec * NS_PER_S + stamps.ts[0].tv_nsec;
    }
    return -1;
}

/* Bytes in the queue and the newest stamp among them (-1: none). */
static ssize_t
look(int fd, int64_t *ret_realtime_ns)
{
    union control control;
    struct iovec space = { .iov_base = look_buffer, .iov_len = sizeof look_buffer };
    struct msghdr message = { .msg_iov = &space,
                              .msg_iovlen = 1,
                              .msg_control = control.bytes,
                              .msg_controllen = sizeof control.bytes };
    const ssize_t size = recvmsg(fd, &message, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT);

    *ret_realtime_ns = size > 0 ? software_stamp(&message) : -1;
    return size < 0 && errno != EAGAIN ? -errno : size;
}

/* How many segments a look of this size is expected to be: one, and more where it would
 * not fit a full segment of an Ethernet. */
static uint32_t
segments_of(size_t size)
{
    return 1 + (uint32_t)(size / 1400);
}

static void
add_group(stamper *s, size_t end, int64_t realtime_ns, wallclock *w, int64_t likely_ns,
          int64_t now_ns)
{
    const unsigned g = s->now.groups++;
    const size_t before = g == 0 ? 0 : s->now.group[g - 1].end;

    s->now.group[g].end = end;
    s->now.group[g].clock = LENS_CLOCK_KERNEL;
    s->expected += segments_of(end - before);
    if (realtime_ns < 0 || !wallclock_convert(w, realtime_ns, likely_ns, s->looked_ns,
                                              now_ns, &s->now.group[g].at_ns)) {
        s->now.group[g].at_ns = now_ns;
        s->now.group[g].clock = LENS_CLOCK_USER;
    }
}

void
stamper_look(stamper *s, int fd, wallclock *w, int64_t likely_ns, int64_t now_ns)
{
    int64_t realtime_ns;
    ssize_t size;

    s->now.groups = 0;
    if (!s->rx)
        return;
    size = look(fd, &realtime_ns);
    if (size > 0)
        add_group(s, (size_t)size, realtime_ns, w, likely_ns, now_ns);
    else if (size < -1)
        s->error = (int)-size;
    s->looked_ns = now_ns;
}

ssize_t
stamper_read(stamper *s, int fd, void *data, size_t size, wallclock *w, int64_t likely_ns,
             int64_t now_ns, int64_t *ret_at_ns, uint32_t *ret_clock)
{
    union control control;
    struct iovec space = { .iov_base = data, .iov_len = size };
    struct msghdr message = { .msg_iov = &space,
                              .msg_iovlen = 1,
                              .msg_control = control.bytes,
                              .msg_controllen = sizeof control.bytes };
    ssize_t taken;
    int64_t realtime_ns;

    do
        taken = recvmsg(fd, &message, MSG_DONTWAIT);
    while (taken < 0 && errno == EINTR);
    if (taken <= 0)
        return taken < 0 ? -errno : 0;
    realtime_ns = s->rx ? software_stamp(&message) : -1;
    s->expected += segments_of((size_t)taken);
    *ret_clock = LENS_CLOCK_KERNEL;
    if (realtime_ns < 0 ||
        !wallclock_convert(w, realtime_ns, likely_ns, s->looked_ns, now_ns, ret_at_ns)) {
        *ret_at_ns = now_ns;
        *ret_clock = LENS_CLOCK_USER;
    }
    s->looked_ns = now_ns;
    return taken;
}

void
stamper_look_again(stamper *s, int fd, wallclock *w, int64_t now_ns)
{
    int64_t realtime_ns;
    ssize_t size;

    if (!s->rx || s->now.groups != 1)
        return;
    size = look(fd, &realtime_ns);
    if (size > 0 && (size_t)size > s->now.group[0].end)
        add_group(s, (size_t)size, realtime_ns, w, s->looked_ns, now_ns);
    s->looked_ns = now_ns;
}

/* What leaves later than this after the request was written was not written with it. */
static const int64_t PROMPT_NS = 300 * NS_PER_US;

static void
add_departure(stamper *s, int64_t at_ns, int64_t since_ns, int64_t written_ns)
{
    if (at_ns < since_ns)
        return;
    if (s->tx_first_ns < 0)
        s->tx_first_ns = at_ns;
    s->tx_last_ns = at_ns;
    if (written_ns < 0 || at_ns <= written_ns + PROMPT_NS)
        s->tx_prompt_ns = at_ns;
}

bool
stamper_departures(stamper *s, int fd, wallclock *w, int64_t since_ns, int64_t written_ns,
                   int64_t now_ns)
{
    bool found = false;

    for (;;) {
        union control control;
        struct msghdr message = { .msg_control = control.bytes,
                                  .msg_controllen = sizeof control.bytes };
        int64_t realtime_ns, at_ns;

        if (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
            break;
        found = true;
        realtime_ns = software_stamp(&message);
        if (realtime_ns >= 0 &&
            wallclock_convert(w, realtime_ns, since_ns, s->looked_ns, now_ns, &at_ns))
            add_departure(s, at_ns, since_ns, written_ns);
    }
    return found;
}

void
stamper_begin(stamper *s)
{
    s->tx_first_ns = s->tx_last_ns = s->tx_prompt_ns = -1;
    s->now.groups = 0;
    s->counted = s->backlog = false;
    s->expected = 0;
    s->error = 0;
}

void
stamper_count(stamper *s, int fd)
{
    struct tcp_info info;
    socklen_t size = sizeof info;

    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
        return;
    /* The smoothed time holds the other side's delayed acknowledgements. */
    s->rtt_us = info.tcpi_min_rtt > 0 ? info.tcpi_min_rtt : info.tcpi_rtt;
    s->counted = size >= offsetof(struct tcp_info, tcpi_data_segs_in) +
                             sizeof info.tcpi_data_segs_in;
    s->segments = info.tcpi_data_segs_in;
    s->expected = 0;
}

bool
stamper_merged(stamper *s, int fd)
{
    const bool counted = s->counted;
    const uint32_t before = s->segments, expected = s->expected;

    stamper_count(s, fd);
    /* Without a count to start from nothing is known: the cautious answer. Bytes that
     * were left by the last read came no later than what it read, in segments that were
     * counted then. */
    return !counted || s->backlog || s->segments - before > expected;
}
