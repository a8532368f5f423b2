/* lens mock: serve until told to stop. */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "command.h"
#include "error.h"
#include "mock.h"
#include "option.h"

static mock *serving; /* for the signal handler */

static void
on_signal(int number)
{
    (void)number;
    mock_stop(serving);
}

static bool
unknown_fault(const char *name, GError **error)
{
    const char *known[FAULT_COUNT + 1] = { NULL };
    g_autofree char *all = NULL;
    const char *near;

    for (int i = 0; i < FAULT_COUNT; i++)
        known[i] = mock_fault_name((enum mock_fault)i);
    near = nearest_name(name, known);
    all = g_strjoinv(" ", (char **)known);
    g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                "--fault %s: unknown fault%s%s%s; there are: %s", name,
                near != NULL ? ", did you mean '" : "", near != NULL ? near : "",
                near != NULL ? "'" : "", all);
    return false;
}

/* NAME:RATE; without a rate every request has it. */
static bool
parse_fault(const char *text, mock_settings *s, GError **error)
{
    const char *colon = strchr(text, ':');
    g_autofree char *name =
        colon != NULL ? g_strndup(text, (gsize)(colon - text)) : g_strdup(text);
    const enum mock_fault fault = mock_fault_from_name(name);
    double rate = 1;

    if (fault == FAULT_COUNT)
        return unknown_fault(name, error);
    if (colon != NULL && !parse_double(colon + 1, &rate, error)) {
        g_prefix_error(error, "--fault %s: ", text);
        return false;
    }
    if (!(rate >= 0 && rate <= 1)) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "--fault %s: expected a rate from 0 to 1, such as %s:0.1", text,
                    name);
        return false;
    }
    s->faults[fault] = rate;
    return true;
}

static bool
read_settings(const args *a, mock_settings *s, GError **error)
{
    mock_settings_init(s);
    s->bind = args_string(a, "bind", 0);
    s->port = (uint16_t)args_int(a, "port");
    s->provider = args_string(a, "provider", 0);
    s->ttft_ns = args_duration(a, "ttft");
    s->itl_ns = args_duration(a, "itl");
    s->jitter_ns = args_duration(a, "jitter");
    s->tokens = args_int(a, "tokens");
    s->tokens_per_chunk = args_int(a, "tokens-per-chunk");
    s->reasoning = args_int(a, "reasoning");
    s->tool = args_string(a, "tool", 0);
    s->cached = args_int(a, "cached");
    s->script = args_string(a, "script", 0);
    s->tls = args_bool(a, "tls");
    s->tls_cert_out = args_string(a, "tls-cert-out", 0);
    s->seed = args_unsigned(a, "seed",
                            (uint64_t)g_random_int() << 32 | (uint64_t)g_random_int());
    if (s->tls_cert_out != NULL && !s->tls) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "--tls-cert-out needs --tls: without it there is no certificate");
        return false;
    }
    for (unsigned i = 0; i < args_count(a, "fault"); i++)
        if (!parse_fault(args_string(a, "fault", i), s, error))
            return false;
    return true;
}

int
cmd_mock(const args *a)
{
    const struct sigaction stop = { .sa_handler = on_signal };
    g_autoptr(mock) m = NULL;
    mock_settings settings;
    GError *error = NULL;

    if (!read_settings(a, &settings, &error))
        return args_fail(a, error);
    m = mock_new(&settings, args_plugins(a), &error);
    if (m == NULL)
        return args_fail(a, error);
    serving = m;
    sigaction(SIGINT, &stop, NULL);
    sigaction(SIGTERM, &stop, NULL);
    g_info("mock: seed %" G_GUINT64_FORMAT, settings.seed);
    printf("listening on %s\n", mock_url(m));
    fflush(stdout);
    mock_run(m);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    return EXIT_OK;
}
