/* decode: recorded bytes through a provider's decoder, without network or clock, and what
 * came out as JSON. `lens decode` and the tests of decoders stand on it. Any thread, one
 * instance each. */
#pragma once

#include <glib.h>
#include <json-glib/json-glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "registry.h"

/* A recorded answer. */
typedef struct decode_case {
    char *id, *provider, *api;
    unsigned line;      /* where it starts in its file, from 1 */
    char *broken;       /* why it cannot be run; NULL: it can */
    char *content_type; /* NULL: the api's own; empty: none sent */
    int status;
    bool streamed; /* a stream was asked for */
    GByteArray *body;
    GArray *ends;        /* size_t: where each read ends in the body */
    GPtrArray *headers;  /* char *, name and value in turn */
    JsonObject *options; /* NULL: none */
    JsonObject *expect;  /* NULL: none */
} decode_case;

/* All cases of a text: objects one a line, or spread over lines, or in one array. One
 * that cannot be read is among them, and fails when it is run; NULL when there is none at
 * all.
 */
GPtrArray *decode_cases_parse(const char *text, size_t size, const char *name,
                              GError **error);
void decode_case_free(decode_case *c);
/* Delivers the body in reads of `size` bytes, or in two reads that meet at `at`. */
void decode_case_every(decode_case *c, size_t size);
void decode_case_split(decode_case *c, size_t at);

/* Where a message stands; chunk -1: there was none. */
struct decode_place {
    int64_t chunk, event;
    uint64_t start, end;
};

struct decode_tool {
    uint32_t lane, index;
    GString *name, *arguments;
};

typedef struct decode_result {
    struct decode_place first, first_text;
    int64_t messages, outputs;
    GArray *classes;                                     /* uint32_t, of each message */
    GPtrArray *texts, *reasonings, *refusals, *finishes; /* GString by choice, or NULL */
    GPtrArray *tools; /* struct decode_tool, in the order of their starts */
    int64_t usage[LENS_USAGE_COUNT]; /* -1: unknown */
    uint32_t error_class, error_kind;
    bool retryable;
    int64_t retry_after_ns;
    char *message, *code, *request_id, *model, *tier; /* NULL: none */
    GArray *warnings;                                 /* uint32_t, LENS_WARN_* */
    GPtrArray *extras;                                /* struct decode_extra */
} decode_result;

struct decode_extra {
    char *name;
    uint32_t code; /* as in LENS_EV_EXTRA */
    int64_t value;
    double number;
    char *text;
};

/* NULL and an error when the case cannot be run: no such provider, api or option. */
decode_result *decode_run(const decode_case *c, registry *plugins, GError **error);
void decode_result_free(decode_result *r);
/* One line of JSON, without LF; caller frees. */
char *decode_result_json(const decode_result *r, const char *id);
/* What differs from `expect`, one sentence, or NULL when all it names is so. */
char *decode_result_differs(const decode_result *r, JsonObject *expect);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(decode_case, decode_case_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(decode_result, decode_result_free)
