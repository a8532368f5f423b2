#include "csv.h"

#include <stdlib.h>
#include <string.h>

#include "../common/output.h"

struct csv {
    const struct lens_host *host;
    const char *path;
    int32_t summary;       /* what is written: the summary, or the samples */
    struct output samples; /* host NULL: not asked for */
    struct sample_columns sample_columns;
    struct summary_columns summary_columns;
    struct run_names names;
    struct text text;
};

static void
csv_close(void *self)
{
    struct csv *c = self;

    output_close(&c->samples);
    sample_columns_clear(&c->sample_columns);
    summary_columns_clear(&c->summary_columns);
    run_names_clear(&c->names);
    text_clear(&c->text);
    free(c);
}

static lens_status
choose(struct csv *c)
{
    const char *list = c->host->opt_string(c->host, "columns", 0);
    lens_status status;

    if (c->summary) {
        status = summary_columns_choose(&c->summary_columns, c->host, list);
        return status == LENS_OK ? output_check(c->host, c->path) : status;
    }
    status = sample_columns_choose(&c->sample_columns, c->host, list);
    return status == LENS_OK ? output_open(&c->samples, c->host, c->path) : status;
}

static lens_status
csv_open(const struct lens_host *host, void **ret_self)
{
    struct csv *c = calloc(1, sizeof *c);
    lens_status status;

    if (c == NULL)
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    c->host = host;
    c->path = host->opt_string(host, "path", 0);
    c->summary = strcmp(host->opt_string(host, "what", 0), "summary") == 0;
    c->samples.fd = -1;
    status = choose(c);
    if (status != LENS_OK) {
        csv_close(c);
        return status;
    }
    *ret_self = c;
    return LENS_OK;
}

static lens_status
csv_begin(void *self, const struct lens_run *run, uint64_t resumed)
{
    struct csv *c = self;

    if (run_names_take(&c->names, run) != LENS_OK)
        return c->host->fail(c->host, LENS_E_NOMEM, "out of memory");
    if (c->summary)
        return LENS_OK;
    text_rewind(&c->text);
    sample_header(&c->sample_columns, &c->text);
    return output_begin(&c->samples, &c->text, resumed, 1);
}

static lens_status
csv_samples(void *self, const struct lens_sample *const *batch, uint64_t count,
            struct lens_delivery *delivery)
{
    struct csv *c = self;

    if (c->summary) {
        delivery->delivered_prefix = count;
        return LENS_OK;
    }
    text_rewind(&c->text);
    for (uint64_t i = 0; i < count; i++)
        sample_row(&c->sample_columns, batch[i], &c->names, &c->text);
    return output_append(&c->samples, &c->text, count, delivery);
}

static lens_status
csv_end(void *self, const struct lens_summary *summary, struct lens_delivery *delivery)
{
    struct csv *c = self;

    if (!c->summary)
        return LENS_OK;
    text_rewind(&c->text);
    summary_table(&c->summary_columns, summary, &c->names, &c->text);
    return output_replace(c->host, c->path, &c->text, delivery);
}

static const struct lens_option options[] = {
    { .name = "path",
      .type = LENS_OPT_PATH,
      .flags = LENS_OPT_REQUIRED,
      .help = "file to write; - is the standard output" },
    { .name = "what",
      .type = LENS_OPT_CHOICE,
      .fallback = "samples",
      .choices = "samples|summary",
      .help = "one row a request, or one row a target and stage" },
    { .name = "columns",
      .type = LENS_OPT_STRING,
      .help = "columns to write, in this order, for instance ttft+e2e+outcome" },
};

static const struct lens_exporter exporter = {
    .struct_size = sizeof exporter,
    .flags = LENS_EXPORT_SAMPLES | LENS_EXPORT_IDEMPOTENT,
    .options = LENS_SCHEMA(options),
    .open = csv_open,
    .close = csv_close,
    .begin = csv_begin,
    .samples = csv_samples,
    .end = csv_end,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    .kind = LENS_KIND_OF_EXPORTER,
    .name = "csv",
    .version = "1.0.0",
    .summary = "samples or summary as a table of comma-separated values",
    .ops = &exporter,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
