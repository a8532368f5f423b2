/* The arrivals of a plan as a file: what an open loop will do is known before it starts.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host.h"
#include "run.h"

enum { MOST = 10000000 };

/* A closed loop waits for answers: its first arrivals are all that can be known. */
static uint64_t
dump_stage(FILE *out, const plan_stage *s, instance *workload)
{
    const int64_t most =
        s->requests >= 0 ? s->requests + MAX(s->warmup_requests, 0) : (int64_t)MOST;
    const int64_t until_ns =
        s->duration_ns >= 0 ? s->duration_ns + MAX(s->warmup_ns, 0) : -1;
    uint64_t written = 0, counted = 0; /* a warm-up by time does not count */

    for (int64_t now_ns = 0; counted < (uint64_t)most && written < MOST;) {
        struct lens_arrival a = { .struct_size = sizeof a,
                                  .item = LENS_ITEM_ANY,
                                  .input_tokens_min = -1,
                                  .input_tokens_max = -1,
                                  .output_tokens_min = -1,
                                  .output_tokens_max = -1 };
        const lens_status status =
            workload->plugin->ops.workload.next(workload->self, now_ns, &a);

        if (status == LENS_WAIT_UNTIL && a.at_ns > now_ns) {
            now_ns = a.at_ns;
            continue;
        }
        if (status != LENS_OK || (until_ns >= 0 && a.at_ns >= until_ns))
            break;
        fprintf(out, "%s,%" G_GUINT64_FORMAT ",%" G_GINT64_FORMAT, s->name, a.index,
                a.at_ns);
        fprintf(out, ",%" G_GINT64_FORMAT ",%" G_GINT64_FORMAT "\n", a.input_tokens_max,
                a.output_tokens_max);
        now_ns = MAX(now_ns, a.at_ns);
        written++;
        counted += a.at_ns >= s->warmup_ns;
    }
    return written;
}

bool
run_dump_schedule(const plan *p, registry *plugins, GError **error)
{
    const bool to_stdout = strcmp(p->dump_schedule, "-") == 0;
    FILE *out =
        to_stdout ? fdopen(dup(STDOUT_FILENO), "w") : fopen(p->dump_schedule, "we");
    bool fine = out != NULL;

    if (fine)
        fputs("stage,k,due_ns,input_tokens,output_tokens\n", out);
    for (unsigned i = 0; fine && i < p->stages->len; i++) {
        const plan_stage *s = p->stages->pdata[i];
        const struct lens_workload_args how = { .struct_size = sizeof how,
                                                .seed = p->seed,
                                                .shards = 1,
                                                .requests = s->requests,
                                                .duration_ns = s->duration_ns };
        const plugin *w =
            registry_find(plugins, LENS_KIND_OF_WORKLOAD, s->workload.kind, error);
        g_autoptr(instance) workload =
            w != NULL ? workload_open(w, &how, s->workload.options, error) : NULL;

        if (workload == NULL) {
            fclose(out);
            return false;
        }
        dump_stage(out, s, workload);
    }
    if (!fine || fclose(out) != 0) {
        g_set_error(error, LENS_ERROR, LENS_ERROR_FILE,
                    "--dump-schedule: cannot write %s: %s", p->dump_schedule,
                    g_strerror(errno));
        return false;
    }
    return true;
}
