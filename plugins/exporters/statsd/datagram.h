/* datagram: a UDP or Unix datagram socket that waits for nobody longer than it is allowed
 * to: what does not go out then is lost and counted. */
#pragma once

#include <lens/plugin.h>

struct datagram {
    const struct lens_host *host;
    int fd;
    uint64_t sent, lost;
    int patience_ms; /* what may still be waited */
    int last_error;  /* errno of the last loss; 0: none */
    size_t used, most;
    char packet[65536];
};

void datagram_init(struct datagram *d, const struct lens_host *host, size_t most);
/* Refuses what is no HOST:PORT; asks no name server. */
lens_status datagram_check(struct datagram *d, const char *address);
/* Opens it towards "host:port" or, when that is NULL, a Unix socket at `path`. LENS_E_IO:
 * nobody is there yet. */
lens_status datagram_open(struct datagram *d, const char *address, const char *path);
void datagram_close(struct datagram *d);
/* Adds a line without its end; a datagram holds as many as fit, a line is never cut. */
void datagram_line(struct datagram *d, const char *line, size_t size);
void datagram_flush(struct datagram *d);
/* How long all that follows may wait for room in a full queue, as Unix sockets have it.
 */
void datagram_patience(struct datagram *d, int milliseconds);
