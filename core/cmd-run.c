#include <stdio.h>

#include "command.h"
#include "error.h"
#include "plan.h"
#include "run.h"

int
cmd_run(const args *a)
{
    g_autoptr(plan) p = NULL;
    GError *error = NULL;

    p = plan_from_args(a, &error);
    if (p == NULL)
        return args_fail(a, error);
    if (p->dump_schedule != NULL) {
        if (!run_dump_schedule(p, args_plugins(a), &error))
            return args_fail(a, error);
        return EXIT_OK;
    }
    if (p->dry_run) {
        if (!plan_print(p, args_plugins(a), stdout, &error))
            return args_fail(a, error);
        return EXIT_OK;
    }
    return run_plan(p, args_plugins(a));
}
