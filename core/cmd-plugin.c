#include <stdio.h>
#include <string.h>

#include "cmd-plugin.h"
#include "command.h"
#include "error.h"
#include "plugin-show.h"

#pragma weak cmd_plugin_check
#pragma weak cmd_plugin_new

static int
list(const args *a)
{
    registry *r = args_plugins(a);
    g_autofree char *json = NULL;

    if (!args_bool(a, "json")) {
        plugin_show_list(r, stdout);
        return EXIT_OK;
    }
    json = plugin_list_json(r);
    fputs(json, stdout);
    return EXIT_OK;
}

/* Plugins of different kinds may have one name: all are shown. */
static int
info(const args *a)
{
    const char *name = args_positional(a, 0);
    registry *r = args_plugins(a);
    const GPtrArray *plugins = registry_plugins(r);
    g_autoptr(GPtrArray) found = g_ptr_array_new();
    g_autofree char *json = NULL;
    GError *error = NULL;

    for (unsigned i = 0; i < plugins->len; i++) {
        const plugin *p = plugins->pdata[i];

        if (strcmp(p->name, name) == 0)
            g_ptr_array_add(found, (void *)p);
    }
    if (found->len == 0) {
        registry_find(r, 0, name, &error);
        return args_fail(a, error);
    }
    if (args_bool(a, "json")) {
        json = plugin_info_json(name, found);
        fputs(json, stdout);
        return EXIT_OK;
    }
    for (unsigned i = 0; i < found->len; i++) {
        if (i > 0)
            fputc('\n', stdout);
        plugin_show_info(found->pdata[i], stdout);
    }
    return EXIT_OK;
}

int
cmd_plugin(const args *a)
{
    static const struct {
        const char *name;
        int (*call)(const args *);
    } calls[] = { { "list", list },
                  { "info", info },
                  { "check", cmd_plugin_check },
                  { "new", cmd_plugin_new } };
    const char *name = args_subcommand(a);

    for (size_t i = 0; name != NULL && i < G_N_ELEMENTS(calls); i++)
        if (strcmp(name, calls[i].name) == 0 && calls[i].call != NULL)
            return calls[i].call(a);
    return args_fail(a,
                     g_error_new(LENS_ERROR, LENS_ERROR_USAGE,
                                 "`lens plugin` takes list, info NAME, check FILE.so or "
                                 "new KIND NAME DIR"));
}
