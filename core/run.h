/* run: carries out a plan: prepares, runs each stage against each target, saves, judges,
 * delivers. */
#pragma once

#include "error.h"
#include "plan.h"
#include "registry.h"

/* Main thread; installs handlers of SIGINT and SIGTERM for its time. `p` must be checked;
 * what only the run can know (the mock's URL, a model's name) is filled in. Results go to
 * stdout. */
enum exit_code run_plan(plan *p, registry *plugins);
/* Writes every arrival of the plan that does not depend on answers, as CSV; no network.
 */
bool run_dump_schedule(const plan *p, registry *plugins, GError **error);
