#include <stdio.h>

#include "command.h"
#include "error.h"
#include "plan.h"

int
cmd_validate(const args *a)
{
    GError *error = NULL;
    g_autoptr(plan) p = plan_from_args(a, &error);

    if (p == NULL)
        return args_fail(a, error);
    if (!plan_print(p, args_plugins(a), stdout, &error))
        return args_fail(a, error);
    return EXIT_OK;
}
