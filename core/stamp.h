/* stamp: when bytes came and left, from the kernel. For libcurl a socket's queue is
 * looked at without taking anything. Segments that wait together carry only the newest
 * stamp. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "wallclock.h"

enum { STAMP_GROUPS = 2 };

/* Up to two looks at one socket in one turn: the bytes up to `end` carry `at_ns`. */
typedef struct arrivals {
    struct {
        size_t end;
        int64_t at_ns;
        uint32_t clock; /* LENS_CLOCK_* */
    } group[STAMP_GROUPS];
    unsigned groups;
} arrivals;

typedef struct stamper {
    bool rx, tx; /* the kernel stamps this socket */
    arrivals now;
    int64_t tx_first_ns, tx_last_ns; /* of the request under way; -1: none yet */
    int64_t tx_prompt_ns; /* the last one that left when the request was written */
    int64_t looked_ns;    /* last look */
    uint32_t segments;    /* data segments that TCP had received at the last count */
    uint32_t expected;    /* segments that the looks since then account for */
    bool backlog;         /* this look finds bytes that the last one saw already */
    bool counted;         /* `segments` holds a count */
    uint32_t rtt_us;
    int error; /* what a look was told and libcurl will not be; 0: nothing */
} stamper;

/* Asks for stamps; call once the socket is connecting. */
void stamper_enable(stamper *s, int fd);
/* First look of a turn. `likely_ns`: nothing had come by then, as far as is known. */
void stamper_look(stamper *s, int fd, wallclock *w, int64_t likely_ns, int64_t now_ns);
/* Reads, in place of a look: what recvmsg returns, or -errno. The bytes, all of them,
 * came by `ret_at_ns`. */
ssize_t stamper_read(stamper *s, int fd, void *data, size_t size, wallclock *w,
                     int64_t likely_ns, int64_t now_ns, int64_t *ret_at_ns,
                     uint32_t *ret_clock);
/* Second look, just before the work: bytes that came since then get a group of their own.
 */
void stamper_look_again(stamper *s, int fd, wallclock *w, int64_t now_ns);
/* Reads departures from the error queue; false when there was none (a real error then).
 * Those before `since_ns` are not the request's (a TLS handshake); those behind
 * `written_ns` (-1: not yet) are the request's only if it was still in the send buffer,
 * which HTTP/2 frames of ours are not. */
bool stamper_departures(stamper *s, int fd, wallclock *w, int64_t since_ns,
                        int64_t written_ns, int64_t now_ns);
/* A new request goes out on this socket. */
void stamper_begin(stamper *s);
/* Whether more segments have come since the last count than the looks account for: then
 * messages that share a stamp may have come at different times. */
bool stamper_merged(stamper *s, int fd);
/* Counts segments and takes the kernel's round-trip time. */
void stamper_count(stamper *s, int fd);
