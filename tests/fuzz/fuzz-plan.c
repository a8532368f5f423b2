/* Plans: any text is a plan or one clear message. */
#include <stdio.h>
#include <stdlib.h>

#include "plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static registry *plugins;
    g_autoptr(GError) error = NULL;
    plan *p = plan_new();
    bool ok;

    if (plugins == NULL)
        plugins = registry_new(NULL, true);
    ok = plan_parse((const char *)data, size, "plan.yaml", plugins, p, &error);
    if (ok == (error != NULL) || (error != NULL && *error->message == '\0')) {
        fprintf(stderr, "%s without a message\n", ok ? "taken" : "refused");
        abort();
    }
    plan_free(p);
    return 0;
}
