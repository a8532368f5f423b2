/* The model of a target that names none: the only one that its server has. */
#include "host.h"
#include "run-private.h"
#include "side-call.h"

enum { SHOWN = 8 };

static char *
list_of(const GPtrArray *models)
{
    GString *list = g_string_new(NULL);

    for (unsigned i = 0; i < models->len && i < SHOWN; i++)
        g_string_append_printf(list, "%s%s", i > 0 ? ", " : "", (char *)models->pdata[i]);
    if (models->len > SHOWN)
        g_string_append_printf(list, " and %u more", models->len - SHOWN);
    return g_string_free(list, FALSE);
}

static bool
choose(plan_target *t, const GPtrArray *models, long status, GError **error)
{
    g_autofree char *list = list_of(models);

    if (models->len == 1) {
        t->model = g_strdup(models->pdata[0]);
        return true;
    }
    if (models->len > 1)
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "target %s: the server has %u models: choose one with --model: %s",
                    t->name, models->len, list);
    else if (status == 401 || status == 403)
        g_set_error(
            error, LENS_ERROR, LENS_ERROR_USAGE,
            "target %s: the server refused the model list (HTTP %ld): name a key with "
            "--api-key-env or --api-key-file",
            t->name, status);
    else
        g_set_error(
            error, LENS_ERROR, LENS_ERROR_USAGE,
            "target %s: no model is named and the server lists none (HTTP %ld): name one "
            "with --model",
            t->name, status);
    return false;
}

static bool
needs_no_model(const run *r, const plan_target *t)
{
    const plugin *p =
        registry_find(r->plugins, LENS_KIND_OF_PROVIDER, t->provider.kind, NULL);

    return p != NULL && (p->ops.provider.capabilities & LENS_CAP_NO_MODEL) != 0;
}

bool
run_ask_model(run *r, plan_target *t, const credential_value *current, GError **error)
{
    g_autoptr(GPtrArray) models = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(side_call) call = side_call_open(t, r->plugins, r->plan->seed, error);
    const bool optional = needs_no_model(r, t);
    long status = 0;
    bool asked;

    if (call == NULL)
        return false;
    if (current != NULL)
        side_call_set_credential(call, current->bytes);
    asked =
        side_call_models(call, models, &status, optional ? NULL : error) != SIDE_FAILED;
    if (optional && models->len == 0) {
        t->model = g_strdup("");
        return true;
    }
    return asked && choose(t, models, status, error);
}
