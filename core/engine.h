/* engine: runs one stage against one target: asks the workload, sends requests, hands
 * samples to the recorder. One worker thread per engine, each with its own loop,
 * transport and plugin instances; what they share stands in struct stage_run. */
#pragma once

#include <glib.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "bucket.h"
#include "costing.h"
#include "credential.h"
#include "plan.h"
#include "prompts.h"
#include "recorder.h"
#include "registry.h"

typedef struct engine engine;

enum stop_request {
    STOP_NOT,
    STOP_STARTING, /* let what is in flight finish */
    STOP_NOW       /* cancel what is in flight */
};

/* One target and stage under way; made by the main thread, read by the workers. */
typedef struct stage_run {
    const plan *plan;
    const plan_target *target;
    const plan_stage *stage;
    uint32_t target_index, stage_index;
    unsigned api;
    uint32_t task;
    const plugin *provider, *workload;
    const prompts *prompts;
    recorder *recorder;
    credential *credential; /* NULL: the provider needs none */
    bucket *bucket;
    spending spending;
    bool user_clock, open_loop;
    int64_t run_start_ns, stage_start_ns; /* CLOCK_MONOTONIC */
    uint64_t trace_seed;                  /* trace.h */
    int64_t max_in_flight;                /* of one worker */
    unsigned workers;

    atomic_int stop; /* enum stop_request */
    atomic_bool aborted;
    atomic_llong window_start_ns,
        window_end_ns;           /* since the stage's start; INT64_MAX: not known yet */
    atomic_llong measured_drawn; /* counted where warm-up is a time and -n is given */
    atomic_llong measured_open;  /* measured requests that are drawn and not ended */
    atomic_uint past_window;     /* workers that have drawn all of the window */
    atomic_uint in_flight, finished_workers;
    atomic_ullong next_id, drawn, failures_in_a_row;
} stage_run;

/* Opens provider and workload and the loop; main thread. `shard` from 0. */
engine *engine_new(stage_run *run, unsigned shard, GError **error);
/* Starts the thread. */
bool engine_start(engine *e, GError **error);
/* Joins the thread and closes everything. */
void engine_free(engine *e);
