#include <stdio.h>
#include <string.h>
#include <time.h>

#include "chrono.h"
#include "host.h"
#include "machine.h"
#include "run-private.h"
#include "transport.h"

/* Descriptors for the run file, plugins, timers, exporters. */
enum { FILE_RESERVE = 128 };

/* ---- targets ---- */

static bool
start_mock(run *r, GError **error)
{
    mock_settings settings;
    bool needed = false;

    for (unsigned i = 0; i < r->plan->targets->len; i++)
        needed |= ((plan_target *)r->plan->targets->pdata[i])->is_mock;
    if (!needed)
        return true;
    mock_settings_init(&settings);
    settings.ttft_ns = 40 * NS_PER_MS;
    settings.itl_ns = 4 * NS_PER_MS;
    settings.tokens = 32;
    settings.seed = r->plan->seed;
    r->mock = mock_new(&settings, r->plugins, error);
    return r->mock != NULL && mock_start(r->mock, error) &&
           plan_set_mock_url(r->plan, mock_url(r->mock), error);
}

static void
warn(const char *format, const char *name)
{
    fputs("lens: warning: ", stderr);
    fprintf(stderr, format, name);
    fputc('\n', stderr);
}

static bool
is_clear(const plan_target *t)
{
    return t->url != NULL && g_str_has_prefix(t->url, "http://");
}

/* What the provider needs besides a key; kept for the run. */
static bool
get_credential(run *r, const plan_target *t, credential **ret, GError **error)
{
    if (!credential_fetch(t, r->plugins, r->plan->seed, ret, error))
        return false;
    g_ptr_array_add(r->credentials, *ret);
    return *ret == NULL || credential_watch(*ret, error);
}

static bool
prepare_target(run *r, plan_target *t, GError **error)
{
    credential *key = NULL;

    if (t->insecure)
        warn("target %s: --insecure: the server's certificate is NOT verified", t->name);
    if (t->http == HTTP_2 && is_clear(t) && t->reuse) {
        /* curl#10634: libcurl 7.88 fails on the second request of such a connection. */
        warn("target %s: --http 2 in clear text implies --no-reuse", t->name);
        t->reuse = false;
    }
    if (t->url == NULL) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                    "target %s: no URL: name one with --url or the option url", t->name);
        return false;
    }
    if (r->plan->preflight && !transport_preflight(t, error))
        return false;
    if (!get_credential(r, t, &key, error) ||
        (t->model == NULL && !run_ask_model(r, t, credential_get(key), error)))
        return false;
    g_info("target %s: %s, model %s", t->name, t->url, t->model);
    return true;
}

/* A closed loop that cannot have its connections would measure something else. */
static bool
check_files(run *r, GError **error)
{
    r->file_limit = machine_raise_file_limit();
    for (unsigned i = 0; i < r->plan->stages->len; i++) {
        const plan_stage *s = r->plan->stages->pdata[i];
        const option_values *v = s->workload.options;
        const int64_t wanted =
            option_values_has(v, "concurrency") ? option_values_int(v, "concurrency") : 0;

        if (wanted > r->file_limit - FILE_RESERVE) {
            g_set_error(error, LENS_ERROR, LENS_ERROR_USAGE,
                        "stage %s: concurrency %" G_GINT64_FORMAT
                        " needs more open files than the limit of %" G_GINT64_FORMAT
                        " allows: raise it with ulimit -n %" G_GINT64_FORMAT,
                        s->name, wanted, r->file_limit, wanted + FILE_RESERVE);
            return false;
        }
    }
    r->file_limit -= FILE_RESERVE;
    return true;
}

/* ---- the file ---- */

static char *
file_name(const plan *p)
{
    const time_t now = (time_t)(chrono_wall() / NS_PER_S);
    char text[64];
    struct tm local;

    if (p->out != NULL)
        return g_strdup(p->out);
    localtime_r(&now, &local);
    strftime(text, sizeof text, "lens-%Y%m%d-%H%M%S", &local);
    for (unsigned nth = 1;; nth++) { /* two runs in one second */
        g_autofree char *name = nth == 1 ? g_strdup_printf("%s.lens", text)
                                         : g_strdup_printf("%s-%u.lens", text, nth);

        if (p->force || !g_file_test(name, G_FILE_TEST_EXISTS))
            return g_steal_pointer(&name);
    }
}

static void
describe_run(run *r)
{
    run_info *info = r->info;

    info->id = g_uuid_string_random();
    info->version = g_strdup(LENS_VERSION);
    info->seed = r->plan->seed;
    info->plan_hash = plan_hash(r->plan);
    info->plan_json = plan_to_json(r->plan);
    info->run_file = g_strdup(r->path);
    info->start_unix_ns = chrono_wall();
    info->is_mock = r->mock != NULL;
    machine_describe(info);
    for (unsigned i = 0; i < r->plan->slos->len; i++) {
        const slo *s = r->plan->slos->pdata[i];

        g_ptr_array_add(info->slos, slo_parse(s->text, NULL));
    }
}

static bool
open_exporters(run *r, GError **error)
{
    for (unsigned i = 0; i < r->plan->exports->len; i++) {
        exporter *e = exporter_start(r->plan->exports->pdata[i], r->plugins, r->path,
                                     r->recorder, r->info, false, error);

        if (e == NULL)
            return false;
        g_ptr_array_add(r->exporters, e);
    }
    return true;
}

/* Those that are asked from a server can be priced only then. */
static bool
knows_models(const plan *p)
{
    for (unsigned i = 0; i < p->targets->len; i++)
        if (((const plan_target *)p->targets->pdata[i])->model == NULL)
            return false;
    return true;
}

bool
run_prepare(run *r, GError **error)
{
    g_autoptr(runfile) file = NULL;

    if (!check_files(r, error) || !start_mock(r, error))
        return false;
    r->prompts = prompts_new(&r->plan->prompts, r->plan->seed, error);
    if (r->prompts == NULL)
        return false;
    r->path = file_name(r->plan);
    if (!runfile_may_create(r->path, r->plan->force, error))
        return false; /* before the network is touched */
    if (knows_models(r->plan) && !run_price(r, error))
        return false;
    for (unsigned i = 0; i < r->plan->targets->len; i++) {
        if (!prepare_target(r, r->plan->targets->pdata[i], error))
            return false;
    }
    if (r->prices == NULL && !run_price(r, error))
        return false;
    file = runfile_create(r->path, r->plan->force, error);
    if (file == NULL)
        return false;
    describe_run(r);
    r->start_ns = chrono_now();
    r->recorder = recorder_new(g_steal_pointer(&file), r->info, r->plan->threads,
                               r->plan->interval_ns, r->plan->deltas, r->start_ns);
    run_say_cost(r);
    return open_exporters(r, error);
}
