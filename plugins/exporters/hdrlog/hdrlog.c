/* hdrlog: intervals as a HdrHistogram log, version 1.3: one tagged line for each metric
 * and interval, as the tools of HdrHistogram read it
 * (https://github.com/HdrHistogram/HdrHistogram, AbstractHistogramLogWriter). */
#include <lens/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../common/field.h"
#include "../common/output.h"
#include "log.h"

struct hdrlog {
    const struct lens_host *host;
    struct output file;
    struct run_names names;
    struct text text;
    int32_t plain;   /* one target and one stage: tags are bare metrics */
    int32_t resumed; /* the file may hold intervals that come again */
};

static void
hdrlog_close(void *self)
{
    struct hdrlog *h = self;

    output_close(&h->file);
    run_names_clear(&h->names);
    text_clear(&h->text);
    free(h);
}

static lens_status
hdrlog_open(const struct lens_host *host, void **ret_self)
{
    struct hdrlog *h = calloc(1, sizeof *h);
    lens_status status;

    if (h == NULL)
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    h->host = host;
    h->file.fd = -1;
    status = output_open(&h->file, host, host->opt_string(host, "path", 0));
    if (status != LENS_OK) {
        hdrlog_close(h);
        return status;
    }
    *ret_self = h;
    return LENS_OK;
}

/* ---- begin ---- */

static lens_status
hdrlog_begin(void *self, const struct lens_run *run, uint64_t resumed)
{
    struct hdrlog *h = self;
    struct text head = { 0 };
    lens_status status;

    if (run_names_take(&h->names, run) != LENS_OK)
        return h->host->fail(h->host, LENS_E_NOMEM, "out of memory");
    h->plain = run->target_count <= 1 && run->stage_count <= 1;
    log_head(&head, run->start_unix_ns);
    h->resumed = resumed > 0;
    if (head.failed)
        status = h->host->fail(h->host, LENS_E_NOMEM, "out of memory");
    else if (resumed > 0) /* behind all that stands there, for now */
        status = log_go_on(&h->file, &head);
    else
        status = output_begin(&h->file, &head, 0, 0);
    text_clear(&head);
    return status;
}

/* ---- intervals ---- */

static const char *
name_at(char *const *names, uint32_t count, uint32_t nth)
{
    return nth < count ? names[nth] : "";
}

/* A tag may hold no comma, space or line end. */
static void
make_tag(const struct hdrlog *h, const struct lens_result *r, const char *metric,
         char *ret, size_t size)
{
    if (h->plain)
        snprintf(ret, size, "%s", metric);
    else
        snprintf(ret, size, "%s/%s/%s",
                 name_at(h->names.targets, h->names.target_count, r->target),
                 name_at(h->names.stages, h->names.stage_count, r->stage), metric);
    for (char *c = ret; *c != '\0'; c++)
        if (*c == ',' || *c == '"' || (unsigned char)*c <= ' ' || *c == 0x7f)
            *c = '_';
}

static void
add_result(struct hdrlog *h, const struct lens_snapshot *s, const struct lens_result *r)
{
    for (uint32_t i = 0; i < r->metric_count; i++) {
        const struct lens_metric *m =
            (const void *)((const char *)r->metrics + (size_t)i * r->metric_size);
        char tag[512];

        if (m->count == 0 || m->hdr_v2.size == 0 || strcmp(m->unit, "ms") != 0)
            continue; /* times only: the values of a log have one unit */
        make_tag(h, r, m->name, tag, sizeof tag);
        log_line(&h->text, tag, s->begin_ns, s->end_ns, m->max, &m->hdr_v2);
    }
}

static lens_status
hdrlog_snapshot(void *self, const struct lens_snapshot *s, struct lens_delivery *delivery)
{
    struct hdrlog *h = self;

    if (h->resumed) { /* a line of this interval may be there, or a torn one */
        if (log_cut(&h->file, s->begin_ns) != 0)
            return h->host->fail(h->host, LENS_E_IO, "cannot cut the log");
        h->resumed = 0;
    }
    text_rewind(&h->text);
    for (uint32_t i = 0; i < s->result_count; i++)
        add_result(
            h, s, (const void *)((const char *)s->interval + (size_t)i * s->result_size));
    return output_append(&h->file, &h->text, 1, delivery);
}

static lens_status
hdrlog_end(void *self, const struct lens_summary *summary, struct lens_delivery *delivery)
{
    (void)self, (void)summary;
    delivery->delivered_prefix = 1;
    return LENS_OK;
}

static const struct lens_option options[] = {
    { .name = "path",
      .type = LENS_OPT_PATH,
      .flags = LENS_OPT_REQUIRED,
      .help = "file of the log; - is the standard output" },
};

static const struct lens_exporter exporter = {
    .struct_size = sizeof exporter,
    .flags = LENS_EXPORT_INTERVALS | LENS_EXPORT_IDEMPOTENT,
    .options = LENS_SCHEMA(options),
    .open = hdrlog_open,
    .close = hdrlog_close,
    .begin = hdrlog_begin,
    .snapshot = hdrlog_snapshot,
    .end = hdrlog_end,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    .kind = LENS_KIND_OF_EXPORTER,
    .name = "hdrlog",
    .version = "1.0.0",
    .summary = "the latencies of each interval as a HdrHistogram log",
    .ops = &exporter,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
