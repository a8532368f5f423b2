/* mock-private: what the files of the mock share. Everything here belongs to the server's
 * thread; `lock` is held while it works and free while it waits. */
#pragma once

#include <glib.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <lens/plugin.h>

#include "histogram.h"
#include "host.h"
#include "mock-http.h"
#include "mock-script.h"
#include "mock.h"
#include "random.h"
#include "wallclock.h"

/* Free bytes in front of a rendered payload: the head and the chunk's size line go there,
 * so that one send() takes all of it. */
#define RENDER_ROOM 1024
#define READ_SIZE (64 * 1024)
/* What a client that does not read may make us keep, before its stream waits. */
#define PENDING_MAX (1024 * 1024)
/* Of the fault huge_line. */
#define HUGE_LINE (8 * 1024 * 1024)

/* Streams of the counter-based generator. */
enum { RAND_FAULT = LENS_RAND_USER, RAND_JITTER, RAND_GARBAGE };

enum phase {
    PHASE_IDLE,
    PHASE_HEAD,    /* slow_headers: the head comes in pieces */
    PHASE_STREAM,  /* tokens at their times */
    PHASE_HELD,    /* the second half of a message that was cut in two */
    PHASE_WHOLE,   /* one answer at one time */
    PHASE_SCRIPT,  /* entries at their times */
    PHASE_DRIP,    /* endless whole answer */
    PHASE_STALLED, /* nothing more will be sent */
    PHASE_LINGER   /* answered; what the client still sends is thrown away */
};

/* One request that is being answered. */
struct answer {
    const plugin *provider;
    struct lens_mock_turn turn;
    int64_t arrival_ns; /* of the request's last byte in the kernel */
    int64_t read_ns;    /* of the same byte in our hands */
    int64_t base_ns;    /* what the schedule counts from */
    int64_t output_ns;  /* last output sent; 0: none */
    int64_t reasoning;  /* of `total` */
    int64_t total;      /* tokens to send */
    int64_t sent;       /* tokens sent */
    int64_t fault_at;   /* the fault happens before this token; -1: it does not */
    uint64_t number;    /* of this request, from 1 */
    uint32_t script_at;
    uint8_t fault;  /* enum mock_fault */
    uint8_t phase;  /* enum phase */
    uint8_t pieces; /* of a slow head, sent */
    bool cut_by_limit, keep_alive, chunked, head_sent, begun, head_only;
    bool huge;     /* the next message is the huge one */
    bool held_end; /* `held` is the end of the answer */
};

struct connection {
    mock *server;
    int fd;
    int64_t due_ns;      /* valid while in the heap */
    uint32_t heap_index; /* from 1; 0: not in the heap */
    uint32_t events;     /* what epoll watches */
    struct connection *previous, *next;
    struct http_progress progress;
    struct lens_buffer in;      /* bytes that do not make a request yet */
    struct lens_buffer pending; /* bytes that the socket did not take */
    struct lens_buffer held;    /* rest of a message, or a slow head */
    size_t pending_sent;
    int64_t rx_ns, read_ns; /* of the newest bytes of `in` */
    SSL *ssl;
    struct answer answer;
    int64_t idle_ns; /* when the last answer ended */
    bool peer_closed, close_when_sent, broken;
    bool waiting; /* due at `due_ns`, but `pending` is full */
};

struct heap {
    struct connection **items; /* from 1 */
    uint32_t count, capacity;
};

struct truth {
    histogram *ttft_kernel, *ttft_read, *itl, *e2e, *late;
    uint64_t requests, streams, tokens, answered, refused, aborted, faults[FAULT_COUNT];
};

struct mock {
    mock_settings settings;
    char *url, *bind, *tool;
    uint16_t port;
    GPtrArray *providers; /* const plugin */
    mock_script *script;
    SSL_CTX *tls;
    int epoll_fd, listen_fd, wake_fd;
    bool accepting;
    atomic_bool stopping;
    bool started;
    pthread_t thread;
    pthread_mutex_t lock;
    struct heap heap;
    struct connection *connections, *graveyard;
    uint64_t open_connections, in_flight;
    uint64_t request_number;
    wallclock wall;
    int64_t sent_ns; /* just before the last send() */
    struct truth truth;
    struct lens_buffer render, fragment, reasoning, whole;
    struct lens_buffer headers; /* of the protocol, for the next whole answer */
    struct http_request request;
    char read[READ_SIZE], plain[READ_SIZE];
};

/* mock-loop.c */
bool mock_loop_open(mock *m, GError **error);
void mock_loop_close(mock *m);

/* mock-heap.c: deadlines */
void heap_set(struct heap *h, struct connection *c, int64_t due_ns);
void heap_remove(struct heap *h, struct connection *c);
struct connection *heap_first(const struct heap *h); /* NULL: empty */
void heap_clear(struct heap *h);

/* mock-io.c: bytes in and out */
struct connection *connection_new(mock *m, int fd);
void connection_close(struct connection *c);
void connection_free(struct connection *c);
/* Takes what the socket has. Gives the bytes (plain text) and sets the stamps of `c`; 0:
 * none now, -1: the end. */
ssize_t connection_read(struct connection *c, char **ret_data);
/* More plain text of bytes that were read before; as above. */
ssize_t connection_read_more(struct connection *c, char **ret_data);
/* One send(); what does not fit waits. Sets `sent_ns`. False: the connection is broken.
 */
bool connection_send(struct connection *c, const void *data, size_t size);
bool connection_flush(struct connection *c);
void connection_watch(struct connection *c);
/* Says that nothing more comes, and reads on until the client closes too. */
void connection_finish(struct connection *c);

/* mock-tls.c */
SSL_CTX *tls_context_new(const char *pem_file, GError **error);

/* mock-render.c: the bytes of an answer */
void render_begin(mock *m);
lens_status render_step(struct connection *c, const struct lens_mock_step *step);
/* Puts head (unless sent) and chunk framing around the payload. `end`: the body ends
 * here.
 */
struct lens_bytes render_frame(struct connection *c, bool end);
/* Head of a streamed answer. */
size_t render_stream_head(const struct connection *c, char *to, size_t room);
/* An answer of known length, in `whole`. */
struct lens_bytes render_whole(struct connection *c, int status, const char *content_type,
                               const char *extra_headers, struct lens_bytes body);

/* mock-route.c: from a request to an answer */
void route(struct connection *c, const struct http_request *r);
void refuse_request(struct connection *c, int status);

/* mock-answer.c: the schedule. `answer` holds provider, turn, number, keep_alive and
 * chunked when it starts. */
void answer_start(struct connection *c);
void answer_fire(struct connection *c);
/* Sends the next tokens and what stands around them. */
void answer_send_tokens(struct connection *c);
/* Puts the next deadline into the heap, or nothing while the client does not read. */
void answer_schedule(struct connection *c, int64_t due_ns);
int64_t answer_token_due(const struct connection *c, int64_t token);
/* Frames and sends what has been rendered; `output`: tokens are in it. What is left to do
 * then happens by itself. */
void answer_send(struct connection *c, bool output, bool end);
/* After a message: the next deadline, or the end. */
void answer_continue(struct connection *c, bool end);
/* Notes that an output message has just been sent. */
void answer_note_output(struct connection *c);
void answer_end(struct connection *c);

/* mock-content.c: what an answer says */
/* Steps into `render`. */
lens_status content_begin(struct connection *c);
lens_status content_tokens(struct connection *c, int64_t count);
lens_status content_finish(struct connection *c);
lens_status content_error(struct connection *c, uint32_t kind, int status,
                          const char *text, uint32_t step);
lens_status content_whole(struct connection *c);
struct lens_bytes content_rendered(const mock *m);
/* How many tokens the next message takes. */
int64_t content_count(const struct connection *c);

/* mock-script-play.c */
void script_fire(struct connection *c);
int64_t script_due(const struct connection *c);
lens_status script_whole(struct connection *c);

/* mock-fault.c */
enum mock_fault fault_draw(const mock *m, uint64_t number);
/* Prepares the fault of a request that starts; false: it has been answered altogether. */
bool fault_start(struct connection *c);
/* A stream has reached `fault_at`; true: the fault took over. */
bool fault_in_stream(struct connection *c);
/* Nothing more will be sent. */
void fault_stall(struct connection *c);

/* mock-fault-send.c */
/* Sends a message in the way of the fault; `end`: it is the answer's last. True: all of
 * it is on its way; else the rest comes by itself, or the connection is gone. */
bool fault_send(struct connection *c, struct lens_bytes message, bool end);
void fault_fire_head(struct connection *c);
void fault_fire_held(struct connection *c);
void fault_fire_drip(struct connection *c);

/* mock-words.c */
/* Word `nth` of the text, with the space in front that separates it. */
struct lens_bytes words_token(int64_t nth, bool multibyte);

/* mock-truth.c */
void truth_init(struct truth *t);
void truth_clear(struct truth *t);
void truth_reset(struct truth *t);
char *truth_json(mock *m);
