/* engine-private: shared by the files of the engine only. */
#pragma once

#include "agenda.h"
#include "chrono.h"
#include "engine.h"
#include "flight.h"
#include "poller.h"
#include "tally.h"
#include "transport.h"

/* How often the engine looks at itself and at timeouts when nothing else happens. */
#define ENGINE_BEAT_NS (20 * NS_PER_MS)

enum engine_task { TASK_RETRY, TASK_RELEASE, TASK_CREDENTIAL };

struct timer {
    poll_item item; /* first */
    engine *engine;
    int64_t armed_ns;
};

/* What the workload is told of a request when its slot is free again. */
struct release {
    struct lens_outcome outcome;
};

struct engine {
    stage_run *run;
    unsigned shard;
    GThread *thread;
    GMainContext *context;
    GMainLoop *loop;
    poller *poller;
    transport *transport;
    transport *after_transport; /* for what is asked afterwards; NULL: nothing yet */
    GPtrArray *afters;          /* those under way; engine-follow.c */
    bool after_warned;
    instance *provider, *workload;
    flight_context flights;
    GPtrArray *in_flight; /* flight, at its slot */
    GPtrArray *idle;      /* flight */
    GPtrArray *unsent;    /* sample: the recorder's ring was full */
    prompt prompt;        /* of the request that is being made */
    agenda agenda;        /* retries and releases */
    unsigned held;        /* releases that wait in the agenda */

    GArray *pending; /* struct lens_arrival: drawn, not started */
    unsigned pending_first;
    bool exhausted, past_window, finishing;
    int64_t ask_again_ns; /* the workload said so; INT64_MAX: no */
    int64_t allowed_ns;   /* the target's limits said so; 0: now */
    int64_t bucket_since_ns;
    struct burst *burst; /* the newest; NULL: none */
    int64_t burst_due_ns;
    unsigned quick_failures; /* in a row */

    struct timer due, heartbeat;
    int64_t swept_ns, stop_seen_ns;

    /* The report under way. */
    client_report *report;
    int64_t report_start_ns, report_cpu_ns, in_flight_since_ns, beat_ns;
    bool measuring;  /* when the report was begun */
    int64_t spun_ns; /* burnt by --spin */
    uint64_t resources_seen;
};

extern const struct exchange_events engine_exchange_events;

/* engine-arrivals.c: what the workload asks for. */
void engine_draw(engine *e, int64_t now_ns);
/* The next arrival, or NULL; what comes after it is never due earlier. */
const struct lens_arrival *engine_next(const engine *e);
void engine_drop_next(engine *e);
void engine_drop_all(engine *e);
uint32_t engine_phase_of(const engine *e, const struct lens_arrival *a);
/* engine-burst.c: arrivals that are due at one moment. */
void engine_join_burst(engine *e, flight *f, int64_t due_ns);
void engine_leave_burst(engine *e, flight *f);
void engine_close_burst(engine *e);
/* engine-start.c: arrivals to requests. */
void engine_pump(engine *e);
sample *engine_make_sample(engine *e, const struct lens_arrival *a, int64_t waited_ns);
void engine_retry(engine *e, flight *f);
/* engine-cost.c: what requests cost and may cost. */
/* Reserves the most that the prompt that was drawn last can cost. After LEDGER_OVER the
 * stage starts nothing any more. */
enum ledger_answer engine_reserve(engine *e, int64_t output_tokens,
                                  int64_t *ret_reserved);
/* Prices the finished sample and settles what was reserved for it. */
void engine_pay(engine *e, sample *of, int64_t worst, int64_t reserved);
/* engine-end.c: requests to samples. */
/* A try is over: again, or a sample. */
void engine_settle(engine *e, flight *f);
void engine_finish(engine *e, flight *f, uint32_t outcome);
void engine_stop_flight(engine *e, flight *f, uint32_t kind, uint32_t outcome,
                        const char *detail);
void engine_release(engine *e, struct release *r);
void engine_push(engine *e, sample *s);
void engine_push_unsent(engine *e);
/* engine-follow.c: requests that belong to a request. */
/* True: the flight goes on with another exchange, or has been failed. */
bool engine_follow(engine *e, flight *f, const struct exchange_end *end);
/* Hands the finished sample to the recorder, or asks what is still to be asked. */
void engine_complete(engine *e, flight *f);
/* Gives up what takes too long, or all. */
void engine_sweep_afters(engine *e, int64_t now_ns, bool all);
/* engine-watch.c: timeouts, stops, the engine's own figures. */
void engine_beat(engine *e);
void engine_count_in_flight(engine *e, int change);
void engine_report(engine *e);
/* engine.c */
void engine_arm(engine *e);
int64_t engine_stage_time(const engine *e, int64_t monotonic_ns);
