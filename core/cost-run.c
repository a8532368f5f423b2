/* `lens cost RUN`: a stored run with other prices. */
#include "command.h"
#include "cost.h"
#include "error.h"

int
cost_run(const args *a, const price_book *b, const char *path)
{
    (void)b;
    return args_fail(a,
                     g_error_new(LENS_ERROR, LENS_ERROR_USAGE, "%s: not priced", path));
}
