/* cmd-models: `lens models`, what the servers of the targets offer. */
#include <stdio.h>

#include "command.h"
#include "credential.h"
#include "error.h"
#include "json-text.h"
#include "plain-text.h"
#include "plan.h"
#include "side-call.h"

static bool
list(const plan_target *t, registry *plugins, GPtrArray *ret, GError **error)
{
    g_autoptr(side_call) call = credential_open_call(t, plugins, 0, error);

    if (call == NULL)
        return false;
    switch (side_call_list_models(call, ret, error)) {
    case SIDE_OK:
        return true;
    case SIDE_UNSUPPORTED:
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "target %s: provider %s has no list of models; any name may be given "
                    "with --model",
                    t->name, t->provider.kind);
        return false;
    default:
        return false;
    }
}

static void
put_target(JsonBuilder *b, const plan_target *t, const GPtrArray *models)
{
    json_builder_begin_object(b);
    json_put_string(b, "target", t->name);
    json_put_string(b, "provider", t->provider.kind);
    json_put_string(b, "url", t->url);
    json_builder_set_member_name(b, "models");
    json_builder_begin_array(b);
    for (unsigned i = 0; i < models->len; i++) {
        g_autofree char *valid = g_utf8_make_valid(models->pdata[i], -1);

        json_builder_add_string_value(b, valid);
    }
    json_builder_end_array(b);
    json_builder_end_object(b);
}

static void
print_models(const plan *p, const plan_target *t, const GPtrArray *models)
{
    g_autofree char *target = plain_text(t->name, -1);

    for (unsigned i = 0; i < models->len; i++) {
        g_autofree char *name = plain_text(models->pdata[i], -1);

        if (p->targets->len > 1)
            printf("%s  %s\n", target, name);
        else
            puts(name);
    }
    if (models->len == 0)
        fprintf(stderr, "lens: target %s: the server lists no model\n", target);
}

static bool
is_url_there(const plan_target *t, GError **error)
{
    if (t->url != NULL && !t->is_mock)
        return true;
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                "whose models? name a provider with --provider, or a URL");
    return false;
}

static bool
list_all(const plan *p, registry *plugins, JsonBuilder *b, GError **error)
{
    for (unsigned i = 0; i < p->targets->len; i++) {
        const plan_target *t = p->targets->pdata[i];
        g_autoptr(GPtrArray) models = g_ptr_array_new_with_free_func(g_free);

        if (!is_url_there(t, error) || !list(t, plugins, models, error))
            return false;
        if (p->json)
            put_target(b, t, models);
        else
            print_models(p, t, models);
    }
    return true;
}

int
cmd_models(const args *a)
{
    GError *error = NULL;
    g_autoptr(plan) p = plan_from_args(a, &error);
    g_autoptr(JsonBuilder) b = json_builder_new();
    g_autoptr(JsonNode) root = NULL;
    g_autofree char *text = NULL;

    if (p == NULL)
        return args_fail(a, error);
    json_builder_begin_object(b);
    json_put_string(b, "schema", "lens.models/1");
    json_builder_set_member_name(b, "targets");
    json_builder_begin_array(b);
    if (!list_all(p, args_plugins(a), b, &error))
        return args_fail(a, error);
    json_builder_end_array(b);
    json_builder_end_object(b);
    root = json_builder_get_root(b);
    text = json_text(root);
    if (p->json)
        fputs(text, stdout);
    return EXIT_OK;
}
