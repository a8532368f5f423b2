/* The run as its samples tell it. */
#include "runfile-private.h"

struct loading {
    run_info *run;
    result *last; /* samples of one result stand together */
    const runfile_pricer *pricer;
};

static result *
result_of(struct loading *l, const sample *s)
{
    if (l->last != NULL && l->last->target == s->target && l->last->stage == s->stage)
        return l->last;
    l->last = NULL;
    for (guint i = 0; i < l->run->results->len; i++) {
        result *r = l->run->results->pdata[i];

        if (r->target == s->target && r->stage == s->stage)
            l->last = r;
    }
    return l->last;
}

static bool
add_sample(const sample *s, uint64_t rank, void *data)
{
    struct loading *l = data;
    result *r = result_of(l, s);

    (void)rank;
    if (r != NULL && l->pricer != NULL) {
        sample priced = *s;

        l->pricer->price(r, &priced, l->pricer->data);
        tally_add_sample(r->tally, &priced, l->run->slos);
    } else if (r != NULL) {
        tally_add_sample(r->tally, s, l->run->slos);
    }
    return true;
}

/* Numbers that are not in the samples: those of the client itself, and those that need
 * the timelines where these were dropped. */
static void
take_stored(tally *to, const tally *stored, bool deltas)
{
    to->stall_ns = stored->stall_ns;
    to->burst_spread_ns = stored->burst_spread_ns;
    to->cpu_ns_max_share_ppm = stored->cpu_ns_max_share_ppm;
    to->cpu_ns = stored->cpu_ns;
    to->clock_step_ns = stored->clock_step_ns;
    to->lost = stored->lost;
    to->resources = stored->resources;
    to->in_flight_max = stored->in_flight_max;
    to->in_flight_time = stored->in_flight_time;
    to->in_flight_wall_ns = stored->in_flight_wall_ns;
    to->max_rss_bytes = stored->max_rss_bytes;
    if (deltas)
        return;
    to->deltas_missing = stored->deltas_missing;
    to->messages_shared = stored->messages_shared;
    to->window_requests = stored->window_requests;
    to->window_output_tokens = stored->window_output_tokens;
    to->window_input_tokens = stored->window_input_tokens;
    to->window_tokens_known = stored->window_tokens_known;
}

static bool
add_stored(runfile *f, guint nth, result *r, bool deltas, GError **error)
{
    g_autoptr(GString) sql = g_string_new("SELECT ");
    g_autoptr(tally) stored = tally_new(NULL);
    autostatement row = NULL;

    columns_names(sql, tally_columns, tally_column_count, "");
    g_string_append(sql, ", ");
    columns_names(sql, token_columns, token_column_count, "");
    g_string_append(sql, " FROM result ORDER BY nth LIMIT 1 OFFSET ?");
    row = runfile_prepare(f, sql->str, error);
    if (row == NULL)
        return false;
    sqlite3_bind_int64(row, 1, nth);
    if (sqlite3_step(row) != SQLITE_ROW)
        return runfile_fail(f, "read the run file", error);
    tally_read(row, 0, stored);
    take_stored(r->tally, stored, deltas);
    return true;
}

static bool
load_results(runfile *f, run_info *r, const runfile_pricer *pricer, GError **error)
{
    struct loading l = { .run = r, .pricer = pricer };
    const bool deltas = runfile_has_deltas(f);

    for (guint i = 0; pricer != NULL && i < r->results->len; i++)
        pricer->begin(r->results->pdata[i], pricer->data);
    if (!runfile_each_sample(f, 0, UINT64_MAX, add_sample, &l, error))
        return false;
    for (guint i = 0; i < r->results->len; i++) {
        result *res = r->results->pdata[i];

        if (!deltas) {
            g_clear_pointer(&res->tally->hist[METRIC_ITL], histogram_free);
            g_clear_pointer(&res->tally->hist[METRIC_ITL_TOKEN], histogram_free);
        }
        if (!add_stored(f, i, res, deltas, error) ||
            !histograms_get(f, "histogram", i, res->tally, error))
            return false;
        if (res->end_ns < 0 && res->judge.ended == ENDED_DONE)
            res->judge.ended = ENDED_INTERRUPTED;
    }
    return true;
}

run_info *
runfile_load(runfile *f, GError **error)
{
    return runfile_load_priced(f, NULL, error);
}

run_info *
runfile_load_priced(runfile *f, const runfile_pricer *pricer, GError **error)
{
    g_autoptr(run_info) r = NULL;
    bool fine;

    /* One state of a file that is still written to. */
    if (!runfile_exec(f, "BEGIN", "read the run file", error))
        return NULL;
    r = runfile_get_run(f, error);
    fine = r != NULL && load_results(f, r, pricer, error);
    sqlite3_exec(f->db, "ROLLBACK", NULL, NULL, NULL);
    if (!fine)
        return NULL;
    run_info_judge(r);
    return g_steal_pointer(&r);
}
