/* scripted: an exporter that answers as its options say and logs every call, one line
 * each. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lens/plugin.h>

struct scripted {
    const struct lens_host *host;
    FILE *log;
    int64_t down, later, most, refuse, poison, die_after, end_later, hang_ms;
    int64_t taken;
    uint64_t refused[1];
};

static const struct lens_option options[] = {
    { .name = "log", .type = LENS_OPT_PATH, .flags = LENS_OPT_REQUIRED, .help = "calls" },
    { .name = "down",
      .type = LENS_OPT_INT,
      .fallback = "0",
      .help = "so many times begin finds nobody" },
    { .name = "later",
      .type = LENS_OPT_INT,
      .fallback = "0",
      .help = "so many batches are put off" },
    { .name = "most",
      .type = LENS_OPT_INT,
      .fallback = "1000000",
      .help = "bigger batches are to be split" },
    { .name = "refuse", .type = LENS_OPT_INT, .fallback = "0", .help = "id never taken" },
    { .name = "poison",
      .type = LENS_OPT_INT,
      .fallback = "0",
      .help = "id with which every batch is too big" },
    { .name = "die_after",
      .type = LENS_OPT_INT,
      .fallback = "-1",
      .help = "gives up after so many samples" },
    { .name = "end_later",
      .type = LENS_OPT_INT,
      .fallback = "0",
      .help = "so many times the summary is put off" },
    { .name = "hang", .type = LENS_OPT_DURATION, .fallback = "0s", .help = "each batch" },
    { .name = "secret", .type = LENS_OPT_SECRET, .help = "never shown" },
};

static lens_status
scripted_open(const struct lens_host *host, void **ret_self)
{
    struct scripted *s = calloc(1, sizeof *s);

    if (s == NULL)
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    s->host = host;
    s->log = fopen(host->opt_string(host, "log", 0), "ae");
    if (s->log == NULL) {
        free(s);
        return host->fail(host, LENS_E_CONFIG, "cannot write the log");
    }
    s->down = host->opt_int(host, "down");
    s->later = host->opt_int(host, "later");
    s->most = host->opt_int(host, "most");
    s->refuse = host->opt_int(host, "refuse");
    s->poison = host->opt_int(host, "poison");
    s->die_after = host->opt_int(host, "die_after");
    s->end_later = host->opt_int(host, "end_later");
    s->hang_ms = host->opt_int(host, "hang") / 1000000;
    *ret_self = s;
    return LENS_OK;
}

static void
scripted_close(void *self)
{
    struct scripted *s = self;

    fclose(s->log);
    free(s);
}

static lens_status
scripted_begin(void *self, const struct lens_run *run, uint64_t resumed)
{
    struct scripted *s = self;

    if (s->down > 0) {
        s->down--;
        fprintf(s->log, "down\n");
        fflush(s->log);
        return s->host->fail(s->host, LENS_E_IO, "connection refused");
    }
    fprintf(s->log, "begin %s %" PRIu64 " %s/%s\n", run->id, resumed,
            run->targets[0].name, run->stages[0].name);
    fflush(s->log);
    return LENS_OK;
}

static int
holds(const struct lens_sample *const *batch, uint64_t count, int64_t id, uint64_t *where)
{
    for (*where = 0; *where < count; ++*where)
        if ((int64_t)batch[*where]->id == id)
            return 1;
    return 0;
}

static lens_status
scripted_samples(void *self, const struct lens_sample *const *batch, uint64_t count,
                 struct lens_delivery *d)
{
    struct scripted *s = self;
    uint64_t at;

    if (s->hang_ms > 0)
        usleep((unsigned)s->hang_ms * 1000);
    fprintf(s->log, "samples %" PRIu64 "-%" PRIu64, batch[0]->id, batch[count - 1]->id);
    if (s->later > 0) {
        s->later--;
        d->verdict = LENS_DELIVERY_LATER;
        d->retry_after_ns = 1000000;
        d->delivered_prefix = count / 2;
        fprintf(s->log, " later\n");
    } else if ((int64_t)count > s->most ||
               (s->poison > 0 && holds(batch, count, s->poison, &at))) {
        d->verdict = LENS_DELIVERY_SPLIT;
        fprintf(s->log, " split\n");
    } else if (s->die_after >= 0 && s->taken + (int64_t)count > s->die_after) {
        d->verdict = LENS_DELIVERY_GIVE_UP;
        d->delivered_prefix = (uint64_t)(s->die_after - s->taken);
        fprintf(s->log, " die\n");
        fflush(s->log);
        return s->host->fail(s->host, LENS_E_FAILED, "token hunter2secret was revoked");
    } else {
        s->taken += (int64_t)count;
        d->delivered_prefix = count;
        if (s->refuse > 0 && holds(batch, count, s->refuse, &s->refused[0])) {
            d->refused = s->refused;
            d->refused_count = 1;
        }
        fprintf(s->log, " ok\n");
    }
    fflush(s->log);
    return LENS_OK;
}

static double
number(const struct lens_result *r, const char *name)
{
    for (uint32_t i = 0; i < r->number_count; i++)
        if (strcmp(r->numbers[i].name, name) == 0)
            return r->numbers[i].value;
    return -1;
}

static uint64_t
gaps(const struct lens_result *r)
{
    for (uint32_t i = 0; i < r->metric_count; i++)
        if (strcmp(r->metrics[i].name, "itl") == 0)
            return r->metrics[i].count;
    return 0;
}

static lens_status
scripted_snapshot(void *self, const struct lens_snapshot *p, struct lens_delivery *d)
{
    struct scripted *s = self;

    (void)d;
    fprintf(s->log, "snapshot %" PRIu64 " requests %g/%g gaps %" PRIu64 "/%" PRIu64 "\n",
            p->index, number(p->interval, "requests.total"),
            number(p->total, "requests.total"), gaps(p->interval), gaps(p->total));
    fflush(s->log);
    return LENS_OK;
}

static lens_status
scripted_end(void *self, const struct lens_summary *summary, struct lens_delivery *d)
{
    struct scripted *s = self;

    if (s->end_later > 0) {
        s->end_later--;
        d->verdict = LENS_DELIVERY_LATER;
        d->retry_after_ns = 1000000;
        fprintf(s->log, "end later\n");
    } else {
        fprintf(s->log, "end %s total %g ok %g rate_limit %g %s\n",
                strstr(summary->json, "\"lens.summary/1\"") != NULL ? "json" : "?",
                number(summary->results, "requests.total"),
                number(summary->results, "requests.ok"),
                number(summary->results, "requests.errors.rate_limit.count"),
                summary->results->verdict);
    }
    fflush(s->log);
    return LENS_OK;
}

static const struct lens_exporter exporter = {
    .struct_size = sizeof exporter,
    .flags = LENS_EXPORT_SAMPLES | LENS_EXPORT_INTERVALS,
    .options = LENS_SCHEMA(options),
    .open = scripted_open,
    .close = scripted_close,
    .begin = scripted_begin,
    .samples = scripted_samples,
    .snapshot = scripted_snapshot,
    .end = scripted_end,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    .kind = LENS_KIND_OF_EXPORTER,
    .name = "scripted",
    .version = "1.0.0",
    .summary = "answers as it is told; for tests",
    .ops = &exporter,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
