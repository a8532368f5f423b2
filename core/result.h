/* result: one target and stage, ready to be shown: the tally with all that names it. The
 * summary, the table, the exporters and the exit code are made from an array of these. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "money.h"
#include "tally.h"
#include "verdict.h"

typedef struct result {
    uint32_t target, stage; /* indexes into the plan */
    char *target_name, *stage_name, *provider, *api, *model, *url;
    char *workload;         /* plugin name */
    char *workload_options; /* JSON object */
    int64_t start_ns,
        end_ns; /* of the stage, since the run's start; end -1: still open */
    int64_t requests, duration_ns; /* stop condition; -1 none */
    struct verdict_input judge;    /* realised NaN: taken from the tally when judged */
    /* How it is priced: costing_setup; the table's date NULL: no price is known. */
    char *price_provider, *price_model, *price_multiplier, *price_date;
    char *gpu_hour_usd; /* NULL: not self-hosted */
    int64_t gpus;
    tally *tally;
    verdict *verdict; /* set by run_info_judge */
} result;

struct export_state {
    char *kind, *name, *error; /* error NULL: none */
    uint64_t delivered, of;
    bool complete;
};

/* The run as a whole. */
typedef struct run_info {
    char *id, *version, *plan_hash, *plan_json, *run_file;
    uint64_t seed;
    int64_t start_unix_ns, duration_ns;
    char *host_name, *host_cpu, *host_kernel;
    unsigned host_cores;
    bool interrupted, is_mock;
    GPtrArray *slos;    /* slo */
    GPtrArray *results; /* result */
    GPtrArray *exports; /* struct export_state */
    verdict *verdict;   /* of the run: the worst */
} run_info;

result *result_new(const GPtrArray *slos);
void result_free(result *r);
run_info *run_info_new(void);
void run_info_free(run_info *r);
/* Closes the windows (one that is open or was cut short ends with its last request) and
 * sets every verdict. May be called again. */
void run_info_judge(run_info *r);
/* Value of METRIC.STAT, or of a number of the result ("errors", "requests_per_s",
 * "goodput", "output_tokens_per_s", "input_tokens_per_s"); NaN when unknown. ms for
 * times, ratio for shares.
 */
double result_value(const result *r, const char *metric, const char *stat);
/* A stat ("count", "mean", "p99", any percentile) of one distribution in its shown unit;
 * NaN when unknown or when there are too few for a percentile. */
double tally_stat(const tally *t, enum metric m, const char *stat);
double result_window_s(const result *r);
/* Whether every SLO that judges results is met by every result. */
bool run_info_slos_met(const run_info *r);

/* What a result, or the run, has cost, in 10^-12 USD. */
struct cost_view {
    bool known;
    money_amount total, by[LENS_COST_COUNT], cache_saving, other;
    uint64_t known_requests, unknown_requests, good;
    bool judged, reported_known;
    money_amount reported;
    int64_t output_tokens;
    const char *price_date; /* NULL: none, or several */
};
struct cost_view cost_of_result(const result *r);
struct cost_view cost_of_run(const run_info *r);
/* total * times / of as dollars; NULL when it is unknown or of nothing. Caller frees. */
char *cost_per(const struct cost_view *v, uint64_t times, uint64_t of);

/* lens.summary/1. Caller frees. */
char *summary_json(const run_info *r);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(run_info, run_info_free)
