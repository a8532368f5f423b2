/* run-private: shared by the files of the run only. */
#pragma once

#include "costing.h"
#include "credential.h"
#include "exporter.h"
#include "mock.h"
#include "prompts.h"
#include "recorder.h"
#include "report.h"
#include "result.h"
#include "run.h"

typedef struct run {
    plan *plan;
    registry *plugins;
    mock *mock; /* built in; NULL: none needed */
    prompts *prompts;
    run_info *info;
    recorder *recorder;
    GPtrArray *exporters;   /* exporter */
    GPtrArray *credentials; /* credential, by target; NULL: it needs none */
    price_book *prices;
    GPtrArray *costings; /* costing, by target */
    ledger budget;
    bool cost_reached;
    live_view *view;
    char *path;
    int64_t start_ns, file_limit;
    volatile int signal; /* the first one; 0: none */
    volatile int signals;
    bool aborted;
    bool succeeded; /* at least one request was ok */
} run;

/* run-prepare.c: everything that may refuse, before the load starts. */
bool run_prepare(run *r, GError **error);
/* run-cost.c: prices of the targets, and the limit; and what is said of them. */
bool run_price(run *r, GError **error);
/* Says what the run will cost at most, on stderr, when that is not nothing. */
void run_say_cost(run *r);
const char *run_price_provider(const run *r, const plan_target *t);
void run_spending(run *r, unsigned target, spending *ret);
/* run-stage.c: one stage against one target. */
bool run_stage(run *r, unsigned stage, unsigned target, GError **error);
/* run-model.c: asks the server for its one model. */
bool run_ask_model(run *r, plan_target *t, const credential_value *current,
                   GError **error);
