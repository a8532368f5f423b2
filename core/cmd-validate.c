#include <stdio.h>
#include <string.h>

#include "command.h"
#include "credential.h"
#include "error.h"
#include "plan.h"
#include "secret.h"
#include "side-call.h"

static void
say(FILE *to, const plan_target *t, const char *words)
{
    g_autofree char *line = g_strdup_printf("online %s: %s", t->name, words);
    g_autofree char *clean = secret_redact(line, -1);

    fprintf(to, "%s\n", clean);
}

/* What was asked, and that it was answered; NULL: it was not. */
static const char *
ask(const plan_target *t, registry *plugins, bool test_request, GError **error)
{
    g_autoptr(side_call) call = credential_open_call(t, plugins, 0, error);
    enum side_result result;

    if (call == NULL)
        return NULL;
    result = side_call_health(call, error);
    if (result == SIDE_FAILED)
        return NULL;
    if (test_request)
        return side_call_test_request(call, error) == SIDE_OK
                   ? "ok: a test request was answered"
                   : NULL;
    return result == SIDE_OK ? "ok"
                             : "not asked: this provider has no call that is free; "
                               "--test-request sends a paid one";
}

/* The worst of what the targets said. */
static int
check_online(const plan *p, registry *plugins, bool test_request)
{
    FILE *to = p->json ? stderr : stdout;
    int code = EXIT_OK;

    for (unsigned i = 0; i < p->targets->len; i++) {
        const plan_target *t = p->targets->pdata[i];
        g_autoptr(GError) error = NULL;
        const char *fine;

        if (t->is_mock || t->url == NULL) {
            say(to, t, t->is_mock ? "ok: the built-in mock" : "FAILED: it has no URL");
            code = t->is_mock || code != EXIT_OK ? code : EXIT_USAGE;
            continue;
        }
        fine = ask(t, plugins, test_request, &error);
        if (fine != NULL) {
            say(to, t, fine);
        } else {
            g_autofree char *whose = g_strdup_printf("target %s: ", t->name);
            const char *why = g_str_has_prefix(error->message, whose)
                                  ? error->message + strlen(whose)
                                  : error->message;
            g_autofree char *words = g_strdup_printf("FAILED: %s", why);

            say(to, t, words);
            if (code != EXIT_USAGE)
                code = lens_error_exit(error);
        }
    }
    return code;
}

int
cmd_validate(const args *a)
{
    GError *error = NULL;
    g_autoptr(plan) p = plan_from_args(a, &error);
    const bool test_request = args_bool(a, "test-request");

    if (p == NULL)
        return args_fail(a, error);
    if (!plan_print(p, args_plugins(a), stdout, &error))
        return args_fail(a, error);
    if (!p->online && !test_request)
        return EXIT_OK;
    fflush(stdout);
    return check_online(p, args_plugins(a), test_request);
}
