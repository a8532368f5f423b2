/* sample: the record of a request, made by a worker, consumed by the recorder. Times are
 * nanoseconds of CLOCK_MONOTONIC since the start of the run; -1: it never came to that.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include <lens/exporter.h>
#include <lens/provider.h>

#include "timeline.h"

#define NEVER INT64_C(-1)

/* `where` of an error. */
enum {
    WHERE_NONE = 0,
    WHERE_CONNECT = 1,
    WHERE_HTTP = 2,
    WHERE_STREAM = 3,
    WHERE_CLIENT = 4
};

/* One try. */
typedef struct attempt {
    int64_t start_ns; /* handed to the transport */
    int64_t dns_ns, connect_ns,
        tls_ns; /* when each was done; -1: not needed (re-used) or never */
    int64_t departure_first_ns; /* first byte left, kernel */
    int64_t departure_ns;       /* last byte left */
    int64_t first_byte_ns;
    int64_t first_message_ns; /* of any class */
    int64_t first_output_ns, first_text_ns, second_output_ns, last_output_ns;
    int64_t terminal_ns; /* terminal message, or last byte of a whole answer */
    int64_t end_ns;      /* last byte or end of the try */
    uint32_t departure_clock, first_clock; /* LENS_CLOCK_* */
    int64_t rtt_ns;                        /* TCP_INFO; -1 unknown */
    uint64_t bytes_sent, bytes_received;
    bool reused, streamed, usage_partial;
    uint32_t resends;      /* libcurl's own silent resends on a dead connection */
    uint16_t http_version; /* 10, 11, 20 */
    int32_t http_status;
    uint32_t messages, output_messages, shared_messages, interval_messages;
    uint32_t kernel_stamps, user_stamps, interval_stamps; /* of output messages */
    uint32_t warnings;                                    /* bit 1 << LENS_WARN_* */
    int64_t usage[LENS_USAGE_COUNT];                      /* -1 unknown */
    uint32_t error_class, error_kind, error_where;
    bool retryable;
    int64_t retry_after_ns; /* -1: not said */
    char *error_detail;     /* NULL: none; redacted already */
    char *error_code;       /* the server's; NULL: none */
    char *finish, *server_id, *served_model, *tier, *extra_json; /* NULL: none */
    double cost_reported_usd;                                    /* NaN: none */
    timeline messages_log; /* empty with --no-deltas */
} attempt;

typedef struct sample {
    uint64_t id; /* from 1, unique within the run */
    uint64_t index, session, turn, item, prompt_id;
    uint32_t target, stage, worker;
    uint32_t outcome; /* LENS_OUTCOME_* */
    uint32_t phase;   /* LENS_PART_* */
    int64_t due_ns;
    int64_t start_unix_ns;
    int64_t asked_output_tokens;      /* -1: no limit */
    int64_t bucket_wait_ns;           /* waited for the target's rate limits */
    char *text, *reasoning, *prompt;  /* only with --record-text */
    uint8_t trace_id[16], span_id[8]; /* trace.h; zeroes: not derived yet */
    uint32_t attempt_count;           /* at least 1 */
    attempt *attempts;                /* in order; the last one is the sample's own */
    /* In 10^-12 USD, of all attempts; -1: unknown (the saving: 0). By LENS_COST_*. */
    int64_t cost[LENS_COST_COUNT], cost_total;
    int64_t cache_saving; /* against no cache at all; negative: it cost more */
} sample;

/* The try whose times and outcome stand for the request. */
static inline const attempt *
sample_last(const sample *s)
{
    return &s->attempts[s->attempt_count - 1];
}

/* A sample with `attempts` tries, every time -1, every count unknown. */
sample *sample_new(uint32_t attempts);
/* Whether the try may have used tokens: not so what the server refused or never saw. */
bool sample_used_tokens(const sample *s, const attempt *a);
/* Adds a fresh try at the end and returns it. */
attempt *sample_add_attempt(sample *s);
void sample_free(sample *s);

const char *outcome_name(uint32_t outcome); /* "ok" "failed" "cancelled" "censored" */
const char *phase_name(uint32_t phase);     /* "warmup" "measured" "cooldown" */
const char *where_name(uint32_t where);     /* "connect" "http" "stream" "client" */
const char *error_kind_name(uint32_t kind); /* "rate_limit" ..., docs/streams.md 4 */
const char *error_class_name(uint32_t error_class);
uint32_t error_kind_from_name(const char *name); /* 0 when unknown */
const char *warning_name(uint32_t warn);         /* LENS_WARN_* */
