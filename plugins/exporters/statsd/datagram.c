#include "datagram.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void
datagram_init(struct datagram *d, const struct lens_host *host, size_t most)
{
    d->host = host;
    d->fd = -1;
    d->most = most < sizeof d->packet ? most : sizeof d->packet;
}

void
datagram_close(struct datagram *d)
{
    if (d->fd >= 0)
        close(d->fd);
    d->fd = -1;
}

static lens_status
fail(struct datagram *d, lens_status status, const char *where, const char *why)
{
    char text[512];

    snprintf(text, sizeof text, "%.300s: %s", where, why);
    return d->host->fail(d->host, status, text);
}

static lens_status
open_unix(struct datagram *d, const char *path)
{
    struct sockaddr_un to = { .sun_family = AF_UNIX };

    if (strlen(path) >= sizeof to.sun_path)
        return fail(d, LENS_E_CONFIG, path, "too long for the path of a Unix socket");
    memcpy(to.sun_path, path, strlen(path) + 1);
    d->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (d->fd < 0)
        return fail(d, LENS_E_FAILED, path, strerror(errno));
    if (connect(d->fd, (const struct sockaddr *)&to, sizeof to) == 0)
        return LENS_OK;
    return fail(d, LENS_E_IO, path, strerror(errno));
}

/* The port is behind the last colon; an IPv6 address stands in brackets. */
static int
split_address(const char *address, char *host, size_t size, const char **ret_port)
{
    const char *colon = strrchr(address, ':');
    size_t length;

    if (colon == NULL || colon[1] == '\0')
        return 0;
    length = (size_t)(colon - address);
    if (address[0] == '[' && length > 2 && colon[-1] == ']') {
        address++;
        length -= 2;
    }
    if (length == 0 || length >= size)
        return 0;
    memcpy(host, address, length);
    host[length] = '\0';
    *ret_port = colon + 1;
    return 1;
}

lens_status
datagram_check(struct datagram *d, const char *address)
{
    const char *port;
    char host[256], *end;
    unsigned long number;

    if (!split_address(address, host, sizeof host, &port))
        return fail(d, LENS_E_CONFIG, address, "expected HOST:PORT");
    number = strtoul(port, &end, 10);
    if (*port < '0' || *port > '9' || *end != '\0' || number == 0 || number > 65535)
        return fail(d, LENS_E_CONFIG, address, "expected HOST:PORT with a port number");
    return LENS_OK;
}

static lens_status
open_udp(struct datagram *d, const char *address)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_DGRAM,
                                    .ai_flags = AI_ADDRCONFIG };
    struct addrinfo *found;
    const char *port;
    char host[256];
    int code;

    if (!split_address(address, host, sizeof host, &port))
        return fail(d, LENS_E_CONFIG, address, "expected HOST:PORT");
    code = getaddrinfo(host, port, &hints, &found);
    if (code == EAI_SERVICE)
        return fail(d, LENS_E_CONFIG, address, "expected HOST:PORT with a port number");
    if (code != 0)
        return fail(d, LENS_E_IO, address, gai_strerror(code));
    for (const struct addrinfo *a = found; a != NULL && d->fd < 0; a = a->ai_next) {
        d->fd = socket(a->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (d->fd >= 0 && connect(d->fd, a->ai_addr, a->ai_addrlen) != 0)
            datagram_close(d);
    }
    freeaddrinfo(found);
    return d->fd >= 0 ? LENS_OK : fail(d, LENS_E_IO, address, strerror(errno));
}

lens_status
datagram_open(struct datagram *d, const char *address, const char *path)
{
    datagram_close(d);
    return address != NULL ? open_udp(d, address) : open_unix(d, path);
}

/* Waits for room as long as the allowance lasts. */
static int
wait_for_room(struct datagram *d)
{
    struct pollfd socket = { .fd = d->fd, .events = POLLOUT };

    if (d->patience_ms <= 0)
        return 0;
    d->patience_ms -= 10;
    return poll(&socket, 1, 10) > 0;
}

void
datagram_patience(struct datagram *d, int milliseconds)
{
    d->patience_ms = milliseconds;
}

void
datagram_flush(struct datagram *d)
{
    if (d->used == 0)
        return;
    for (;;) {
        if (send(d->fd, d->packet, d->used, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
            d->sent++;
            break;
        }
        d->last_error = errno;
        if (errno == ECONNREFUSED && d->sent > 0) {
            /* That was the datagram before; nobody listened. Somebody may by now. */
            d->sent--;
            d->lost++;
            continue;
        }
        if ((errno == EAGAIN || errno == ENOBUFS) && wait_for_room(d))
            continue;
        d->lost++;
        break;
    }
    d->used = 0;
}

void
datagram_line(struct datagram *d, const char *line, size_t size)
{
    if (size + 1 > d->most)
        return;
    if (d->used + size + 1 > d->most)
        datagram_flush(d);
    memcpy(d->packet + d->used, line, size);
    d->used += size;
    d->packet[d->used++] = '\n';
}
