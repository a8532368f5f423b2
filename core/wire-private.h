/* wire-private: shared by the files of the wire only. */
#pragma once

#include <sys/socket.h>

#include "http1.h"
#include "unencode.h"
#include "wire.h"

enum { ADDRESSES_MOST = 16 };
/* Edge-triggered: reads take all there is. */
#define WIRE_EVENTS ((uint32_t)(EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET))

struct wire_address {
    struct sockaddr_storage to;
    socklen_t size;
};

/* One host and port. */
typedef struct wire_origin {
    wire *wire;
    char *host; /* without brackets */
    uint16_t port;
    struct wire_address addresses[ADDRESSES_MOST];
    unsigned address_count;
    unsigned preferred;    /* the address that answered last */
    int64_t resolved_ns;   /* -1: not yet, or to be done again */
    bool fixed;            /* numeric, or by --resolve: never asked again */
    struct lookup *lookup; /* under way; NULL: none */
    GPtrArray *waiting;    /* wire_exchange: for the addresses */
    GPtrArray *idle;       /* wire_connection, the newest last */
} wire_origin;

/* What a URL means, made once. */
typedef struct wire_place {
    wire_origin *origin;
    char *target; /* path and query */
    char *host;   /* value of the Host header */
} wire_place;

/* Bytes that one read took. */
struct piece {
    const char *data;
    uint32_t size;
    uint32_t next; /* of the same connection; NO_PIECE: none */
    int64_t at_ns;
    uint32_t clock;
    struct poll_turn turn;
};
#define NO_PIECE UINT32_MAX

/* Where reads go between a look and the work. It is empty whenever nothing waits. */
struct arena {
    char *data;
    size_t used;
    GArray *pieces;
    unsigned waiting; /* pieces that were not worked on */
};

typedef struct wire_connection {
    poll_item item; /* first: the poller hands it back */
    wire *wire;
    wire_origin *origin;
    struct wire_exchange *exchange; /* NULL: idle */
    http1 answer;
    stamper stamper;
    uint32_t first_piece, last_piece;
    bool connecting;
    bool used;             /* carried an exchange before this one */
    bool head_done;        /* the answer's final head is there */
    bool over;             /* the answer is complete */
    bool spoiled;          /* not to be used again */
    bool closing;          /* an end will follow what is to be read; said only once */
    bool urgent;           /* data was sent so: reads stop short at its mark */
    bool ended;            /* the other side closed it */
    bool odd_coding;       /* of the body, which cannot be read */
    bool departing;        /* in wire->departing */
    bool watches_room;     /* to write */
    bool recount;          /* of segments, with the next request */
    int error, send_error; /* of the socket; 0: none */
    unsigned tried;        /* addresses that were tried */
    unsigned address;      /* the newest of those */
    unsigned slot;         /* in wire->connecting */
    int64_t give_up_ns;    /* on this address */
    int64_t idle_since_ns, counted_ns;
    unencoder *unencoder; /* NULL: the body is plain */
    GString *unsent_head; /* NULL: the head is sent */
    size_t sent_body;
    bool sending;
} wire_connection;

enum wire_state { WIRE_IDLE, WIRE_QUEUED, WIRE_WAITING, WIRE_CONNECTED };

struct wire_exchange {
    exchange x; /* first */
    wire *wire;
    enum wire_state state;
    bool fresh_only; /* not on a connection that was used before */
    wire_connection *connection;
    int64_t begin_ns; /* of the send; -1: not yet */
    int64_t sent_ns;  /* all was written; -1: not yet */
    int64_t connect_by_ns;
};

struct wire {
    struct transport_base base;
    GHashTable *places;  /* wire_place, by URL */
    GHashTable *origins; /* wire_origin, by host:port */
    char *last_url;      /* of last_place */
    wire_place *last_place;
    GPtrArray *queued;     /* wire_exchange: for the next wire_run; NULL: cancelled */
    GPtrArray *departing;  /* wire_connection: sent just now */
    GPtrArray *connecting; /* wire_connection */
    GPtrArray *open;       /* wire_connection: all but those */
    GString *head;         /* scratch: of the request that is being sent */
    struct arena arena;
    int64_t deadline_ns; /* of what connects or waits for addresses; INT64_MAX: none */
    struct mailbox *mailbox; /* of lookups; NULL: none was needed */
    poll_item mail;
    char detail[256];
};

/* wire-place.c: what a URL means. NULL: not for the wire. */
wire_place *wire_place_of(wire *w, const char *url);
void wire_place_free(void *place);
void wire_origin_free(void *origin);

/* wire-resolve.c */
/* Addresses that need no asking: numeric, by --resolve, the local host. */
void wire_resolve_at_once(wire_origin *o);
/* True: the addresses are there, or cannot be had (address_count is 0). False: a lookup
 * is under way, wire_on_resolved follows. */
bool wire_resolve(wire_origin *o);
void wire_resolve_close(wire *w);

/* wire-connect.c */
/* Sends the exchange on a connection, kept or new. */
void wire_connect(wire *w, struct wire_exchange *e);
void wire_on_resolved(wire_origin *o);
/* Those that took too long; sets wire->deadline_ns anew. */
void wire_connect_sweep(wire *w, int64_t now_ns);
/* A socket that was connecting is ready. */
void wire_connect_continue(wire_connection *c, uint32_t events);
/* Its exchange, if there is one, is let go without a word. */
void wire_connection_close(wire_connection *c);
/* The exchange has left: kept for another one, or closed. */
void wire_connection_release(wire_connection *c);

/* wire-send.c */
void wire_send(wire_connection *c);
void wire_send_on(wire_connection *c);
/* Of what was sent since the last call. */
void wire_take_departures(wire *w);
/* Settles when the request left, once its answer begins or will not come. */
void wire_settle_departure(wire_connection *c);

/* wire-read.c */
void wire_arena_init(struct arena *a);
void wire_arena_clear(struct arena *a);
void wire_drop_pieces(wire_connection *c);
/* For the poller. */
void wire_on_stamp(poll_item *item, uint32_t events);
void wire_on_work(poll_item *item, uint32_t events);

/* wire.c */
/* Ends the exchange, in order or with what went wrong (`detail`: until the return). */
void wire_end(struct wire_exchange *e, uint32_t kind, uint32_t where, const char *detail);
/* The kept connection was dead: sends again on a new one. */
void wire_resend(struct wire_exchange *e);
