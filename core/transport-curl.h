/* transport-curl: exchanges by libcurl's multi_socket: TLS, HTTP/2, proxies, redirects.
 * Shared by the files of the transport only; the functions mean what those of transport.h
 * do. */
#pragma once

#include <curl/curl.h>

#include "transport-private.h"

typedef struct curl_transport curl_transport;

curl_transport *curl_transport_new(const struct transport_base *base, GError **error);
void curl_transport_free(curl_transport *t);
void curl_transport_start(curl_transport *t, exchange *x);
void curl_transport_cancel(curl_transport *t, exchange *x);
void curl_transport_put(curl_transport *t, exchange *x);
void curl_transport_run(curl_transport *t);
int64_t curl_transport_deadline(const curl_transport *t);
bool curl_transport_merged(exchange *x);
/* What it keeps with an exchange. */
void curl_exchange_clear(exchange *x);

struct curl_transport {
    poller *poller;
    const plan_target *target;
    const struct exchange_events *events;
    CURLM *multi;
    struct curl_slist *resolve;
    wallclock *wall;
    bool user_clock, secure;
    int64_t curl_deadline_ns; /* INT64_MAX: none */
    GHashTable *header_lists; /* struct curl_slist, by the text of their headers */
    GPtrArray *by_fd;         /* connection, by file descriptor */
    GPtrArray *touched;       /* exchange: got something in this look */
    GPtrArray *sending;       /* exchange: libcurl may still be writing the request */
};

enum { SMALL_BODY = 16 * 1024 };

/* One TCP connection that libcurl uses. */
typedef struct connection {
    poll_item item; /* first: the poller hands it back */
    curl_transport *transport;
    exchange *exchange; /* the one it carries; NULL: idle */
    stamper stamper;
    int wanted;      /* CURL_POLL_* */
    bool polled;     /* is in the poller */
    bool tcp;        /* libcurl also polls resolver pipes */
    bool departed;   /* this turn's EPOLLERR was a departure stamp */
    uint32_t events; /* that the poller watches */
} connection;

struct exchange_private {
    curl_transport *transport;
    CURL *easy;
    struct curl_slist *headers; /* its own; NULL: a shared list */
    char *sent_url;
    connection *connection;
    char error[CURL_ERROR_SIZE];
    unsigned sends;         /* times the request went out */
    int64_t pretransfer_ns; /* the newest of those */
    int64_t sent_ns;        /* user clock: libcurl had the whole request written */
    size_t header_size;
    size_t raw; /* bytes of this look that were handed over, about */
    bool active, head_done, chunked, touched, redirecting;
    int broken;          /* the socket's error that our look took; 0: none */
    uint32_t abort_kind; /* why we stopped it: LENS_KIND_* */
    const char *abort_detail;
    unsigned redirects;
};

/* transport-easy.c */
/* The target's --resolve entries, which must outlive every handle they are given to. */
struct curl_slist *easy_resolve_list(const plan_target *target);
/* All settings that do not change from request to request. */
void easy_setup(CURL *easy, const plan_target *target, struct curl_slist *resolve);
/* Method, URL, headers and body. `request` must outlive the transfer. */
void easy_request(CURL *easy, const struct lens_request *request,
                  struct curl_slist *headers);
struct curl_slist *easy_header_list(const struct lens_request *request);
/* transport-error.c: the kind, where and words of a libcurl result. */
void transport_explain(CURLcode code, const exchange *x, struct exchange_end *ret);
bool transport_out_of_resources(CURLcode code, long os_error);

/* transport-connection.c */
/* The connection no longer carries its exchange; what it found so far is handed over. */
void connection_detach(connection *c);
void connection_drop(connection *c);
/* Lets libcurl act on a socket, or on its timers, and hands over what that brought. */
void transport_act(curl_transport *t, curl_socket_t fd, int what);
/* For libcurl. */
int transport_on_socket_made(void *data, curl_socket_t fd, curlsocktype purpose);
int transport_on_socket_close(void *data, curl_socket_t fd);
int transport_on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *data,
                               void *unused);
int transport_on_timer_wanted(CURLM *multi, long ms, void *data);

/* transport-answer.c */
/* Settles when the request left, once its answer begins or will not come. */
void answer_take_departure(exchange *x);
/* For libcurl. */
int answer_on_before_request(void *data, char *peer, char *local, int peer_port,
                             int local_port);
size_t answer_on_header(char *line, size_t one, size_t size, void *data);
size_t answer_on_body(char *data, size_t one, size_t size, void *user);
