/* workload: says when the next request starts and how big it may be. It runs at whatever
 * time it is told (`now_ns`), so it can be run ahead, replayed and tested without
 * waiting. */
#ifndef LENS_WORKLOAD_H
#define LENS_WORKLOAD_H

#include "host.h"
#include "option.h"

/* Flags of lens_workload. */
enum {
    LENS_WORKLOAD_OPEN = 1,   /* arrivals do not depend on answers */
    LENS_WORKLOAD_CLOSED = 2, /* `next` waits for answers */
    LENS_WORKLOAD_SEMI_OPEN =
        4,                      /* sessions arrive openly, their turns wait for answers */
    LENS_WORKLOAD_ONE_SHARD = 8 /* cannot be split over threads */
};

/* Phases of an outcome; `wants` is a mask of 1 << phase. */
enum { LENS_PHASE_STARTED = 1, LENS_PHASE_FIRST_OUTPUT = 2, LENS_PHASE_DONE = 3 };
#define LENS_WANTS(phase) (UINT32_C(1) << (phase))

/* Flags of an arrival. */
enum {
    LENS_ARRIVAL_WARMUP = 1,
    LENS_ARRIVAL_UNMEASURED = 2,
    LENS_ARRIVAL_LAST_OF_SESSION = 4
};
#define LENS_ITEM_ANY UINT64_MAX

struct lens_arrival {
    uint32_t struct_size;
    uint32_t target;
    uint64_t flags;
    int64_t at_ns; /* when it is due, since the start of the stage; the past means now */
    uint64_t ticket; /* the workload's own, comes back in outcomes */
    uint64_t index;  /* in the one sequence of the stage, over all shards */
    uint64_t session;
    uint64_t turn;
    uint64_t item;                              /* row of the dataset, or LENS_ITEM_ANY */
    int64_t input_tokens_min, input_tokens_max; /* -1: not asked */
    int64_t output_tokens_min, output_tokens_max; /* -1: not asked */
    uint64_t content_seed;
};

/* Flags of an outcome. */
enum {
    LENS_OUTCOME_CANCELLED = 1,
    LENS_OUTCOME_CENSORED = 2,
    LENS_OUTCOME_REUSED_CONN = 4
};

struct lens_outcome {
    uint32_t struct_size;
    uint32_t phase;
    uint64_t flags;
    uint64_t ticket, id, session, turn;
    int64_t due_ns, start_ns, first_ns,
        end_ns;                 /* since the start of the stage; -1: not yet */
    uint32_t error_class, kind; /* LENS_CLASS_*, LENS_KIND_*; 0: ok */
    int32_t http_status;
    uint32_t reserved;
    int64_t retry_after_ns;
    int64_t input_tokens, cached_tokens, output_tokens, reasoning_tokens;
    struct lens_bytes finish;
};

/* What a stage will come to; -1 where it cannot be known. */
struct lens_estimate {
    uint32_t struct_size;
    uint32_t flags;
    int64_t arrivals, input_tokens, output_tokens, duration_ns;
};

struct lens_workload_args {
    uint32_t struct_size;
    uint32_t flags;
    uint64_t seed;
    uint32_t shard, shards; /* this instance takes indices k with k % shards == shard */
    int64_t requests; /* stop conditions of the stage, which the host keeps; -1: none */
    int64_t duration_ns;
};

struct lens_workload {
    uint32_t struct_size;
    uint32_t flags;
    uint32_t wants;
    uint32_t reserved;
    struct lens_schema options;
    lens_status (*open)(const struct lens_host *, const struct lens_workload_args *,
                        void **ret_self);
    void (*close)(void *self);
    /* LENS_OK: `arrival` is the next one. LENS_WAIT: one more when something finishes.
     * LENS_WAIT_UNTIL: ask again at arrival->at_ns. LENS_DONE: no more. Arrivals of one
     * shard come in order of at_ns. The host zeroes `arrival` and sets the unknowns. */
    lens_status (*next)(void *self, int64_t now_ns, struct lens_arrival *);
    /* News of a request, for the phases in `wants`. */
    void (*event)(void *self, const struct lens_outcome *);
    lens_status (*estimate)(void *self, struct lens_estimate *); /* optional */
};

#endif
