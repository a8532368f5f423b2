/* Interval snapshots: each interval beside the totals of its result so far. */
#include "exporter-private.h"

/* Of the result whose intervals are walked. */
struct totals {
    uint64_t nth; /* of the last interval that is in it */
    uint32_t target, stage;
    tally *sum; /* NULL: none yet */
    int64_t start_ns;
};

void
totals_free(struct totals *t)
{
    if (t == NULL)
        return;
    tally_free(t->sum);
    g_free(t);
}

/* One interval, taken out of the file. */
struct taken {
    exporter *e;
    bool found;
    uint64_t nth;
    int64_t begin_ns, end_ns, unix_ns;
    shown *interval, *total;
};

static void
clear_taken(struct taken *t)
{
    shown_free(t->interval);
    shown_free(t->total);
}

/* A tally alone, as the one result of a run. */
static shown *
show_tally(exporter *e, uint32_t target, uint32_t stage, const tally *t)
{
    run_info *info = run_info_new();
    result *r = result_new(NULL);

    g_ptr_array_unref(info->slos);
    info->slos = g_ptr_array_ref(e->slos);

    r->target = target;
    r->stage = stage;
    tally_add(r->tally, t);
    r->tally->window_start_ns = t->window_start_ns;
    r->tally->window_end_ns = t->window_end_ns;
    g_ptr_array_add(info->results, r);
    run_info_judge(info);
    return shown_take(info);
}

static void
add_to_totals(struct totals *to, uint32_t target, uint32_t stage, const tally *t)
{
    if (to->sum == NULL || to->target != target || to->stage != stage) {
        tally_free(to->sum);
        to->sum = tally_new(NULL);
        to->sum->window_start_ns = t->window_start_ns;
        to->target = target;
        to->stage = stage;
    }
    tally_add(to->sum, t);
    to->sum->window_end_ns = t->window_end_ns;
}

static bool
take_interval(uint32_t target, uint32_t stage, uint64_t nth, int64_t begin_ns,
              int64_t end_ns, int64_t unix_ns, const tally *t, void *data)
{
    struct taken *taken = data;
    struct totals *totals = taken->e->totals;

    if (nth > totals->nth) {
        add_to_totals(totals, target, stage, t);
        totals->nth = nth;
    }
    if (nth <= taken->e->intervals)
        return true; /* delivered before; the totals need it */
    taken->found = true;
    taken->nth = nth;
    taken->begin_ns = begin_ns;
    taken->end_ns = end_ns;
    taken->unix_ns = unix_ns;
    taken->interval = show_tally(taken->e, target, stage, t);
    taken->total = show_tally(taken->e, target, stage, totals->sum);
    return false;
}

/* How the exporters of this process stand. */
static void
list_exports(GArray *infos, GStringChunk *texts)
{
    pthread_mutex_lock(&exporters_lock);
    for (guint i = 0; i < exporters_all()->len; i++) {
        const exporter *e = exporters_all()->pdata[i];
        const struct lens_export_info info = {
            .kind = g_string_chunk_insert_const(texts, e->kind),
            .name = g_string_chunk_insert_const(texts, e->name),
            .error =
                e->error != NULL ? g_string_chunk_insert_const(texts, e->error) : NULL,
            .delivered = e->samples - MIN(e->refused, e->samples),
            .of = e->of,
            .refused = e->refused,
            .failures = e->failed_tries,
        };

        g_array_append_val(infos, info);
    }
    pthread_mutex_unlock(&exporters_lock);
}

static enum step
offer(exporter *e, const struct taken *t, const GArray *exports)
{
    const struct lens_snapshot snapshot = {
        .struct_size = sizeof snapshot,
        .index = t->nth - 1,
        .begin_ns = t->begin_ns,
        .end_ns = t->end_ns,
        .unix_ns = t->unix_ns,
        .interval = shown_results(t->interval),
        .total = shown_results(t->total),
        .result_count = shown_count(t->interval),
        .result_size = sizeof(struct lens_result),
        .exports = (const struct lens_export_info *)(const void *)exports->data,
        .export_count = exports->len,
        .export_size = sizeof(struct lens_export_info),
    };
    struct lens_delivery d = { .struct_size = sizeof d };
    struct outcome o;

    instance_lock(e->instance);
    o = exporter_judge(e, e->ops->snapshot(e->instance->self, &snapshot, &d), &d, 1);
    instance_unlock(e->instance);
    pthread_mutex_lock(&exporters_lock);
    if (o.done > 0)
        e->intervals = t->nth;
    pthread_mutex_unlock(&exporters_lock);
    return o.step;
}

enum step
exporter_deliver_interval(exporter *e)
{
    struct taken taken = { .e = e };
    g_autoptr(GError) error = NULL;
    enum step step = STEP_WORKED;
    uint64_t after;

    if (e->totals == NULL)
        e->totals = g_new0(struct totals, 1);
    after = MIN(e->totals->nth, e->intervals);
    /* The one that was put off is in the totals already. */
    if (!runfile_each_interval(e->file, after, take_interval, &taken, &error))
        return exporter_later(e, 0, error->message, false);
    if (taken.found) {
        g_autoptr(GArray) infos =
            g_array_new(FALSE, FALSE, sizeof(struct lens_export_info));
        GStringChunk *texts = g_string_chunk_new(1024);

        list_exports(infos, texts);
        step = offer(e, &taken, infos);
        g_string_chunk_free(texts);
    } else { /* fewer than were counted */
        pthread_mutex_lock(&exporters_lock);
        e->intervals = e->of_intervals;
        pthread_mutex_unlock(&exporters_lock);
    }
    clear_taken(&taken);
    return step;
}
