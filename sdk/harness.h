/* harness: stands in for the host in tests of a plugin. `lens plugin check` is made of
 * it, and a vendor's own tests can be: link lens-harness.
 *
 * The host it plays serves option values given as text, counts and limits memory, makes
 * the n-th call fail, keeps the request that is described and writes down, as text, what
 * a decoder tells its sink. Every driver returns 1 when all was well, else 0, and the
 * reason is in `problem`. One thread. */
#pragma once

#include <lens/plugin.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Value of an option, as the user would write it; repeatable ones stand there several
 * times. */
struct lens_setting {
    const char *name, *value;
};

struct lens_sheet {
    char *data; /* terminated; NULL when nothing was written */
    size_t size, capacity;
};

struct lens_harness {
    struct lens_host host; /* first: the plugin's pointer is ours */
    struct lens_sink sink;
    const struct lens_schema *schema;
    const struct lens_setting *settings;
    uint32_t setting_count;
    uint64_t seed;

    uint64_t calls;       /* of services that can fail, so far */
    uint64_t fail_at;     /* the call that fails, from 1; 0: none */
    const char *injected; /* service that was made to fail in this operation, or NULL */
    uint32_t told;        /* faults and warnings before that */
    uint64_t grown;       /* bytes that host->grow has given out */
    lens_status why;      /* of the last `fail`, 0 when it was not called */
    int32_t absent;       /* `begin` of an exporter found nobody at the other end */
    int32_t http_status;  /* what host->http answers; 0: no answer at all */
    uint64_t http_calls;
    /* The receiver behind host->http in place of http_status; NULL: none. */
    lens_status (*receive)(void *data, const struct lens_http_request *request,
                           struct lens_http_answer *answer);
    void *receive_data;
    int32_t listens;   /* host->listen was called */
    int32_t exporting; /* an exporter: its verdict may say that it fails, with LENS_OK */
    /* An AUTH call is under way. What it may find: files by path, variables by name, the
     * output of commands by command. */
    int32_t auth;
    const struct lens_setting *sources;
    uint32_t source_count;
    const char *given; /* by the last read_file or run */

    struct lens_sheet method, url, headers, body; /* the request; headers by LF */
    struct lens_sheet events;   /* what the sink was told, one line each */
    struct lens_sheet messages; /* of that, only the messages */
    struct lens_sheet answer;   /* all fragments of visible text */
    struct lens_sheet models;
    struct lens_sheet follow_up; /* args of the newest that is not for afterwards */
    uint32_t credentials;        /* that AUTH calls told */
    int64_t output_tokens;       /* usage, -1: not told */
    uint32_t faults, fault_class, fault_kind, warnings, classes;
    uint64_t body_size, message_end; /* bytes fed so far; end of the last message */
    char problem[512];
};

void lens_harness_init(struct lens_harness *h, const struct lens_schema *schema,
                       const struct lens_setting *settings, uint32_t count);
/* Forgets request and events, for the next operation or stream. */
void lens_harness_forget(struct lens_harness *h);
void lens_harness_clear(struct lens_harness *h);
/* Keeps the first problem; always 0. */
int lens_harness_problem(struct lens_harness *h, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Judges the status of an operation: a failure must have been explained, an injected one
 * must not be hidden. 1 when st >= 0, as it should be. */
int lens_harness_settle(struct lens_harness *h, const char *operation, lens_status st);
/* Values for what the schema requires and `settings` lacks: something valid of its type.
 * Paths lie in `dir`. Returns how many there are then, at most `room`. */
uint32_t lens_harness_fill(const struct lens_schema *schema, const char *dir,
                           struct lens_setting *settings, uint32_t count, uint32_t room);
/* Frees what that added: the values from `given` to `count`. */
void lens_harness_unfill(struct lens_setting *settings, uint32_t given, uint32_t count);

void lens_sheet_add(struct lens_sheet *t, const void *data, size_t size);
void lens_sheet_print(struct lens_sheet *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void lens_sheet_clear(struct lens_sheet *t);
/* "1.5s", "64KiB", "12" to a number; 0 when it is none. */
int lens_setting_to_int(const char *text, uint32_t type, int64_t *ret);

/* ---- providers ---- */

/* An answer as it came over the wire. */
struct lens_harness_answer {
    const void *body;
    size_t size;
    int32_t streamed, status;
    const char *content_type;
    const struct lens_pair *headers;
    uint32_t header_count, header_size;
};

/* The sink of `h`; `wants` as in lens_sink. */
struct lens_sink *lens_harness_sink(struct lens_harness *h, uint32_t wants);
/* Decodes it in two pieces that meet at `cut`, or in pieces of `step` bytes when step is
 * not 0. `h` then holds what was told; a failed operation is a line of `events`. */
int lens_harness_decode(struct lens_harness *h, const struct lens_provider *p, void *self,
                        const struct lens_harness_answer *answer, size_t cut, size_t step,
                        uint32_t wants);
/* Every way of cutting it gives the same events. */
int lens_harness_splits(struct lens_harness *h, const struct lens_provider *p, void *self,
                        const struct lens_harness_answer *answer);
/* Broken variants of it, and bodies that are no answer at all: no crash, no silence. */
int lens_harness_garbage(struct lens_harness *h, const struct lens_provider *p,
                         void *self, const struct lens_harness_answer *answer);
/* Asks with and without stream and with all parameters; the request must be sound. */
int lens_harness_describe(struct lens_harness *h, const struct lens_provider *p,
                          void *self, uint32_t api, int32_t streamed);
/* Failed answers of many forms, each classified by exactly one fault. */
int lens_harness_classify(struct lens_harness *h, const struct lens_provider *p,
                          void *self);
/* Side calls of every kind with answers of many forms: no crash, and AUTH always ends
 * with a credential, a further call or a fault. */
int lens_harness_calls(struct lens_harness *h, const struct lens_provider *p, void *self);
/* A request through the mock and its answer through the decoder. With `stream` the body
 * of the streamed answer is left in it. */
int lens_harness_mock(struct lens_harness *h, const struct lens_provider *p, void *self,
                      uint32_t api, struct lens_sheet *ret_stream);

/* ---- workloads ---- */

/* Runs up to `most` arrivals at simulated time and writes them into `ret_arrivals`: due
 * times in order, indices of this shard, an end or a wait that can be answered. */
int lens_harness_workload(struct lens_harness *h, const struct lens_workload *w,
                          uint64_t seed, uint32_t shard, uint32_t shards, uint32_t most,
                          struct lens_sheet *ret_arrivals);

/* ---- exporters ---- */

/* begin, samples, snapshot, end with made-up data. `ret_delivered`: how many of the
 * samples were said to be delivered. */
int lens_harness_exporter(struct lens_harness *h, const struct lens_exporter *e,
                          uint64_t *ret_delivered);
#define LENS_HARNESS_SAMPLES 3

/* What goes wrong at the receiver. All but the last three heal by themselves. */
enum lens_fault {
    LENS_FAULT_NONE = 0,
    LENS_FAULT_DEAD_AT_START, /* nobody there for a while */
    LENS_FAULT_DEAD_AT_END,   /* gone when the last part comes, for a while */
    LENS_FAULT_SILENT,        /* takes the request and never answers, for a while */
    LENS_FAULT_RATE_LIMIT,    /* 429 with Retry-After, once */
    LENS_FAULT_BUSY,          /* 503 twice */
    LENS_FAULT_CUT,           /* the connection breaks within the answer, once */
    LENS_FAULT_CERTIFICATE,   /* a wrong certificate, for a while */
    LENS_FAULT_TOO_LARGE,     /* 413 for what is bigger than a part of the first body */
    LENS_FAULT_BAD_DATA,      /* 400, always */
    LENS_FAULT_TOKEN,         /* 401, always */
    LENS_FAULT_COUNT
};
/* "a receiver that is dead at the start" */
const char *lens_fault_name(uint32_t fault);
/* begin, some batches of samples, intervals and end against such a receiver, with the
 * answers carried out as the host does, and time that passes by itself. All that the
 * exporter's flags promise must be kept: nothing is called delivered that was not taken,
 * nothing is lost, each failure has its reason, `Retry-After` is passed on, and it comes
 * to an end. `ret_http`: 0 when the exporter has no HTTP receiver, nothing is proven
 * then. */
int lens_harness_delivery(struct lens_harness *h, const struct lens_exporter *e,
                          uint32_t fault, int *ret_http);

/* ---- leaks ---- */

/* Bytes of the heap that each call of `cycle` leaves behind, once it runs evenly; 0:
 * none. Works with glibc's own allocator. */
int64_t lens_harness_leak(int (*cycle)(void *data), void *data);
/* Open file descriptors of this process. */
int lens_harness_descriptors(void);

#ifdef __cplusplus
}
#endif
