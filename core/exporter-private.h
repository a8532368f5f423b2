/* exporter-private: what the files of the exporters' host share. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "exporter-batch.h"
#include "exporter-result.h"
#include "exporter-run.h"
#include "exporter.h"
#include "host.h"

#define BATCH_MOST 5000

/* One lock for all exporters: it is held for moments, some times a second. */
extern pthread_mutex_t exporters_lock;
extern pthread_cond_t exporters_news; /* anything below changed */
/* With the lock held: those that are open. */
GPtrArray *exporters_all(void);
/* With the lock held: until something changed or `until_ns`. */
void exporters_await_news(int64_t until_ns);

struct exporter {
    char *kind, *name;
    char *command;        /* sends the rest */
    const run_info *info; /* for the summary; main thread */
    instance *instance;
    const struct lens_exporter *ops;
    char *path;
    run_shown *run;
    pthread_t thread;
    atomic_bool stop;

    /* Under exporters_lock. */
    recorder *recorder;   /* NULL: an old run, or one that is being closed */
    uint64_t samples, of; /* rank of the last one delivered; how many there are */
    uint64_t intervals, of_intervals;
    uint64_t refused;
    uint64_t failed_tries;
    bool complete;  /* nothing is added to the file any more */
    shown *summary; /* to be delivered, NULL: not yet */
    bool drained;   /* samples and intervals are delivered */
    bool ended;     /* the summary too */
    bool over;      /* the thread has ended: done, or gave up */
    char *error;    /* why something is not delivered; NULL: it is */
    char *refusal;  /* what the receiver said of the first it refused; NULL: nothing */

    /* Of the thread alone. */
    runfile *file;
    batch *batch;
    bool live, again, begun;
    uint64_t limit;     /* of the next batch */
    uint64_t most;      /* it never grows beyond; less for a slow receiver */
    unsigned failures;  /* in a row */
    int64_t retry_ns;   /* not before this time, */
    bool asked_to_wait; /* because the receiver said so */
    bool hurried;       /* the pause was cut short once, at the end of the run */
    struct totals *totals;
    GPtrArray *slos; /* slo; a copy of the run's */
};

/* ---- exporter-deliver.c, thread of the exporter ---- */

enum step {
    STEP_WORKED, /* there may be more */
    STEP_IDLE,   /* until something is added */
    STEP_LATER,  /* until retry_ns */
    STEP_OVER    /* never again */
};
enum step exporter_step(exporter *e);
void exporter_close_file(exporter *e);

/* ---- exporter-verdict.c, thread of the exporter ---- */

/* What became of `count` things that were offered. */
struct outcome {
    enum step step;
    uint64_t done;    /* so many from the front are dealt with */
    uint64_t refused; /* of these */
};
/* What is refused for good is said, and counted by the caller. */
struct outcome exporter_judge(exporter *e, lens_status status,
                              const struct lens_delivery *d, uint64_t count);
/* Puts the next try off: `after_ns` or, when 0, by the host's own backoff. `quiet`: not
 * worth a warning. */
enum step exporter_later(exporter *e, int64_t after_ns, const char *why, bool quiet);
enum step exporter_give_up(exporter *e, const char *why);
void exporter_set_error(exporter *e, const char *why);

/* ---- exporter-interval.c, thread of the exporter ---- */

enum step exporter_deliver_interval(exporter *e);
void totals_free(struct totals *t);

/* ---- exporter-command.c ---- */

/* "lens export RUN --to NAME:..." as a shell takes it. */
char *exporter_command(const char *path, const plugin_choice *choice);
