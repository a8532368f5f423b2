/* mock: `lens mock`, a server with an exact schedule for any provider that brings mock
 * operations. One thread, one epoll, a heap of deadlines; its own thread when it stands
 * inside `lens run`. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "registry.h"

enum mock_fault {
    FAULT_429,
    FAULT_500,
    FAULT_503,
    FAULT_ERROR,
    FAULT_CUT,
    FAULT_STALL,
    FAULT_SLOW_HEADERS,
    FAULT_HTML,
    FAULT_GARBAGE,
    FAULT_BYTEWISE,
    FAULT_SPLIT_UTF8,
    FAULT_HUGE_LINE,
    FAULT_ENDLESS,
    FAULT_BAD_LENGTH,
    FAULT_COUNT
};

typedef struct mock_settings {
    const char *bind; /* NULL: 127.0.0.1 */
    uint16_t port;    /* 0: any free one */
    int64_t ttft_ns, itl_ns, jitter_ns;
    int64_t tokens, tokens_per_chunk;
    int64_t reasoning;          /* reasoning tokens before the text */
    const char *tool;           /* name of a tool that is called; NULL: none */
    int64_t cached;             /* cached input tokens in usage */
    const char *script;         /* file; NULL: none */
    double faults[FAULT_COUNT]; /* rate 0..1 */
    bool tls;
    uint64_t seed;
    const char
        *provider; /* only this one's protocol; NULL: every provider that has mock ops */
    const char *tls_cert_out; /* file for the certificate's PEM; NULL: none */
} mock_settings;

typedef struct mock mock;

void mock_settings_init(mock_settings *s); /* ttft 200 ms, itl 20 ms, 64 tokens */
/* Binds and listens; `ret` knows its port. */
mock *mock_new(const mock_settings *s, registry *plugins, GError **error);
uint16_t mock_port(const mock *m);
const char *mock_url(const mock *m); /* "http://127.0.0.1:PORT" */
void mock_run(mock *m); /* until mock_stop, which any thread or signal handler may call */
void mock_stop(mock *m);
bool mock_start(mock *m, GError **error); /* mock_run on a thread of its own */
void mock_free(mock *m);                  /* stops and joins */
/* lens.truth/1, what GET /truth answers. Caller frees. */
char *mock_truth(mock *m);
/* "429", "stall", ...; FAULT_COUNT when unknown. */
enum mock_fault mock_fault_from_name(const char *name);
const char *mock_fault_name(enum mock_fault fault); /* NULL: FAULT_COUNT */

G_DEFINE_AUTOPTR_CLEANUP_FUNC(mock, mock_free)
