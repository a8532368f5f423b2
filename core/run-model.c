/* The model of a target that names none: the only one that its server has. */
#include <lens/provider.h>

#include "chrono.h"
#include "host.h"
#include "run-private.h"
#include "transport.h"

enum { MODELS_LIMIT = 8 * 1024 * 1024, SHOWN = 8 };

struct model_sink {
    struct lens_sink sink; /* first */
    GPtrArray *models;     /* char */
};

static lens_status
on_event(struct lens_sink *sink, const struct lens_event *e)
{
    struct model_sink *m = (struct model_sink *)sink;

    if (e->kind == LENS_EV_MODEL && e->text.size > 0)
        g_ptr_array_add(m->models, g_strndup(e->text.data, e->text.size));
    return LENS_OK;
}

static lens_status
on_message(struct lens_sink *sink, uint32_t classes, uint64_t start, uint64_t end,
           int64_t tokens)
{
    (void)sink;
    (void)classes;
    (void)start;
    (void)end;
    (void)tokens;
    return LENS_OK;
}

static lens_status
on_fault(struct lens_sink *sink, const struct lens_failure *failure)
{
    (void)sink;
    (void)failure;
    return LENS_OK;
}

static bool
fetch(const plan_target *t, instance *provider, GPtrArray *models, long *ret_status,
      GError **error)
{
    const struct lens_provider *ops = &provider->plugin->ops.provider;
    struct model_sink sink = {
        .sink = { sizeof sink.sink, 0, on_event, on_message, on_fault },
        .models = models,
    };
    struct lens_answer answer = { .struct_size = sizeof answer };
    struct lens_request request;
    const struct lens_call call = { .struct_size = sizeof call,
                                    .kind = LENS_CALL_MODELS };
    g_autoptr(GString) body = g_string_new(NULL);
    bool fine;

    lens_request_init(&request);
    fine = ops->call_describe != NULL && ops->call_decode != NULL &&
           ops->call_describe(provider->self, &call, &request) == LENS_OK;
    if (fine && !transport_call(t, &request, MODELS_LIMIT, ret_status, body, error)) {
        lens_request_clear(&request);
        return false;
    }
    if (fine && *ret_status >= 200 && *ret_status < 300) {
        answer.status = (int32_t)*ret_status;
        answer.body = (struct lens_bytes){ body->str, body->len };
        answer.unix_ns = chrono_wall();
        ops->call_decode(provider->self, LENS_CALL_MODELS, &answer, &sink.sink);
    }
    lens_request_clear(&request);
    return true;
}

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

bool
run_ask_model(run *r, plan_target *t, GError **error)
{
    g_autoptr(GPtrArray) models = g_ptr_array_new_with_free_func(g_free);
    const plugin *p =
        registry_find(r->plugins, LENS_KIND_OF_PROVIDER, t->provider.kind, error);
    g_autoptr(instance) provider = NULL;
    long status = 0;
    int api;

    if (p == NULL || (api = provider_api(p, t->api, error)) < 0)
        return false;
    provider = provider_open(p, (unsigned)api, t->provider.options, r->plan->seed, error);
    return provider != NULL && fetch(t, provider, models, &status, error) &&
           choose(t, models, status, error);
}
