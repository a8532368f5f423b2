/* On a real TCP connection over loopback: what the kernel stamps and merges. */
#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>
#include <lens/exporter.h>

#include "chrono.h"
#include "stamp.h"

struct pair {
    int client, server;
    stamper stamper;
    wallclock wall;
};

static int
open_pair(void **state)
{
    static struct pair p;
    struct sockaddr_in address = { .sin_family = AF_INET,
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof address;
    const int listener = socket(AF_INET, SOCK_STREAM, 0);

    p = (struct pair){ 0 };
    assert_return_code(bind(listener, (struct sockaddr *)&address, size), 0);
    assert_return_code(listen(listener, 1), 0);
    getsockname(listener, (struct sockaddr *)&address, &size);
    p.client = socket(AF_INET, SOCK_STREAM, 0);
    assert_return_code(connect(p.client, (struct sockaddr *)&address, size), 0);
    p.server = accept(listener, NULL, NULL);
    close(listener);
    wallclock_init(&p.wall);
    stamper_enable(&p.stamper, p.client);
    stamper_begin(&p.stamper);
    *state = &p;
    return 0;
}

static int
close_pair(void **state)
{
    struct pair *p = *state;

    close(p->client);
    close(p->server);
    return 0;
}

static void
wait_readable(int fd)
{
    struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

    assert_int_equal(poll(&poll_fd, 1, 5000), 1);
}

static void
send_all(int fd, const char *text, size_t size)
{
    assert_int_equal(send(fd, text, size, 0), (ssize_t)size);
}

static void
an_arrival_carries_the_kernels_time(void **state)
{
    struct pair *p = *state;
    int64_t before_ns, after_ns;

    before_ns = chrono_now();
    send_all(p->server, "hello", 5);
    after_ns = chrono_now();
    wait_readable(p->client);
    usleep(20000); /* read late: the stamp must not be */
    /* The clocks are compared to within some microseconds, more on a busy machine. */
    stamper_look(&p->stamper, p->client, &p->wall, before_ns - NS_PER_MS / 10,
                 chrono_now());
    assert_int_equal(p->stamper.now.groups, 1);
    assert_int_equal(p->stamper.now.group[0].end, 5);
    assert_int_equal(p->stamper.now.group[0].clock, LENS_CLOCK_KERNEL);
    assert_in_range(p->stamper.now.group[0].at_ns, before_ns - NS_PER_MS / 10,
                    after_ns + 10 * NS_PER_MS);
}

static void
bytes_between_two_looks_get_a_stamp_of_their_own(void **state)
{
    struct pair *p = *state;

    send_all(p->server, "one", 3);
    wait_readable(p->client);
    stamper_look(&p->stamper, p->client, &p->wall, 0, chrono_now());
    usleep(3000);
    send_all(p->server, "three", 5);
    usleep(3000);
    stamper_look_again(&p->stamper, p->client, &p->wall, chrono_now());
    assert_int_equal(p->stamper.now.groups, 2);
    assert_int_equal(p->stamper.now.group[0].end, 3);
    assert_int_equal(p->stamper.now.group[1].end, 8);
    assert_true(p->stamper.now.group[1].at_ns - p->stamper.now.group[0].at_ns >
                2 * NS_PER_MS);
}

static void
a_departure_is_stamped(void **state)
{
    struct pair *p = *state;
    const int64_t before_ns = chrono_now();

    send_all(p->client, "request", 7);
    wait_readable(p->server);
    assert_true(stamper_departures(&p->stamper, p->client, &p->wall, before_ns, -1,
                                   chrono_now()));
    assert_in_range(p->stamper.tx_last_ns, before_ns, chrono_now());
    assert_int_equal(p->stamper.tx_first_ns, p->stamper.tx_last_ns);
    assert_false(stamper_departures(&p->stamper, p->client, &p->wall, before_ns, -1,
                                    chrono_now()));
}

static void
one_segment_is_not_merged(void **state)
{
    struct pair *p = *state;

    stamper_count(&p->stamper, p->client);
    send_all(p->server, "data: a\n\ndata: b\n\n", 18);
    wait_readable(p->client);
    stamper_look(&p->stamper, p->client, &p->wall, 0, chrono_now());
    assert_false(stamper_merged(&p->stamper, p->client));
}

static void
segments_that_waited_together_are_merged(void **state)
{
    struct pair *p = *state;
    const int one = 1;

    setsockopt(p->server, 6 /* TCP */, 1 /* TCP_NODELAY */, &one, sizeof one);
    stamper_count(&p->stamper, p->client);
    send_all(p->server, "data: a\n\n", 9);
    usleep(2000);
    send_all(p->server, "data: b\n\n", 9);
    usleep(2000);
    stamper_look(&p->stamper, p->client, &p->wall, 0, chrono_now());
    assert_int_equal(p->stamper.now.groups, 1);
    assert_int_equal(p->stamper.now.group[0].end, 18);
    assert_true(stamper_merged(&p->stamper, p->client));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_arrival_carries_the_kernels_time, open_pair,
                                        close_pair),
        cmocka_unit_test_setup_teardown(bytes_between_two_looks_get_a_stamp_of_their_own,
                                        open_pair, close_pair),
        cmocka_unit_test_setup_teardown(a_departure_is_stamped, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(one_segment_is_not_merged, open_pair, close_pair),
        cmocka_unit_test_setup_teardown(segments_that_waited_together_are_merged,
                                        open_pair, close_pair),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
