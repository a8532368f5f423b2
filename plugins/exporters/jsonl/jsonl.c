/* jsonl: samples, intervals or the summary, one JSON object a line. */
#include <lens/plugin.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../common/json-row.h"
#include "../common/layout.h"
#include "../common/output.h"

struct jsonl {
    const struct lens_host *host;
    const char *path;
    enum rows rows;
    int32_t marks;
    struct output file; /* host NULL: not open */
    struct layout layout;
    struct columns own;
    struct columns *columns; /* NULL: all of a sample */
    struct run_names names;
    struct text text;
};

static void
jsonl_close(void *self)
{
    struct jsonl *j = self;

    output_close(&j->file);
    columns_clear(&j->own);
    layout_clear(&j->layout);
    run_names_clear(&j->names);
    text_clear(&j->text);
    free(j);
}

static lens_status
choose_columns(struct jsonl *j)
{
    const struct lens_host *host = j->host;
    const char *list = host->opt_string(host, "columns", 0);
    const char *layout = host->opt_string(host, "layout", 0);
    lens_status status;

    j->rows = rows_of(host->opt_string(host, "what", 0));
    if (layout == NULL) {
        if (j->rows == ROWS_SAMPLES && list == NULL)
            return LENS_OK;
        j->columns = &j->own;
        return columns_choose(&j->own, host, j->rows, list);
    }
    if (list != NULL || j->marks)
        return host->fail(host, LENS_E_CONFIG,
                          "options layout and columns or marks: a layout says what there "
                          "is, expected one of them");
    status = layout_load(&j->layout, host, layout, "jsonl");
    j->rows = j->layout.rows;
    j->columns = &j->layout.columns;
    return status;
}

static lens_status
jsonl_open(const struct lens_host *host, void **ret_self)
{
    struct jsonl *j = calloc(1, sizeof *j);
    lens_status status;

    if (j == NULL)
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    j->host = host;
    j->path = host->opt_string(host, "path", 0);
    j->marks = host->opt_int(host, "marks") != 0;
    j->file.fd = -1;
    status = choose_columns(j);
    if (status == LENS_OK)
        status = j->rows == ROWS_SUMMARY ? output_check(host, j->path)
                                         : output_open(&j->file, host, j->path);
    if (status != LENS_OK) {
        jsonl_close(j);
        return status;
    }
    *ret_self = j;
    return LENS_OK;
}

static lens_status
jsonl_begin(void *self, const struct lens_run *run, uint64_t resumed)
{
    struct jsonl *j = self;
    const struct text no_head = { 0 };

    if (run_names_take(&j->names, run) != LENS_OK)
        return j->host->fail(j->host, LENS_E_NOMEM, "out of memory");
    if (j->rows == ROWS_SUMMARY)
        return LENS_OK;
    /* Rows of intervals are not counted by the host: these are few, and come anew. */
    if (j->rows == ROWS_INTERVALS && resumed > 0)
        return LENS_E_UNSUPPORTED;
    return output_begin(&j->file, &no_head, resumed, 0);
}

static lens_status
jsonl_samples(void *self, const struct lens_sample *const *batch, uint64_t count,
              struct lens_delivery *delivery)
{
    struct jsonl *j = self;

    delivery->delivered_prefix = count;
    if (j->rows != ROWS_SAMPLES)
        return LENS_OK;
    text_rewind(&j->text);
    for (uint64_t i = 0; i < count; i++) {
        const struct row row = { .sample = batch[i], .names = &j->names };

        if (j->columns == NULL)
            json_sample(batch[i], &j->names, j->marks, &j->text);
        else
            json_row(j->columns, &row, &j->text);
    }
    return output_append(&j->file, &j->text, count, delivery);
}

static lens_status
jsonl_snapshot(void *self, const struct lens_snapshot *s, struct lens_delivery *delivery)
{
    struct jsonl *j = self;

    delivery->delivered_prefix = 1;
    if (j->rows != ROWS_INTERVALS)
        return LENS_OK;
    text_rewind(&j->text);
    for (uint32_t i = 0; i < s->result_count; i++) {
        const struct row row = {
            .result =
                (const void *)((const char *)s->interval + (size_t)i * s->result_size),
            .snapshot = s,
            .names = &j->names,
            .run_s = (double)NAN,
        };

        json_row(j->columns, &row, &j->text);
    }
    return output_append(&j->file, &j->text, 1, delivery);
}

static lens_status
jsonl_end(void *self, const struct lens_summary *summary, struct lens_delivery *delivery)
{
    struct jsonl *j = self;

    if (j->rows != ROWS_SUMMARY)
        return LENS_OK;
    text_rewind(&j->text);
    for (uint32_t i = 0; i < summary->result_count; i++) {
        const struct row row = {
            .result = (const void *)((const char *)summary->results +
                                     (size_t)i * summary->result_size),
            .names = &j->names,
            .run_s = summary_seconds(summary),
        };

        json_row(j->columns, &row, &j->text);
    }
    return output_replace(j->host, j->path, &j->text, delivery);
}

static const struct lens_option options[] = {
    { .name = "path",
      .type = LENS_OPT_PATH,
      .flags = LENS_OPT_REQUIRED,
      .help = "file to write; - is the standard output" },
    { .name = "what",
      .type = LENS_OPT_CHOICE,
      .fallback = "samples",
      .choices = "samples|intervals|summary",
      .help = "one line a request, an interval, or a target and stage" },
    { .name = "columns",
      .type = LENS_OPT_STRING,
      .help = "members to write, in this order, for instance ttft+e2e+outcome" },
    { .name = "layout",
      .type = LENS_OPT_STRING,
      .help = "members of another program: a layout file" },
    { .name = "marks",
      .type = LENS_OPT_BOOL,
      .fallback = "false",
      .help = "in each sample a list of all messages of its stream" },
};

static const struct lens_exporter exporter = {
    .struct_size = sizeof exporter,
    .flags = LENS_EXPORT_SAMPLES | LENS_EXPORT_INTERVALS | LENS_EXPORT_IDEMPOTENT,
    .options = LENS_SCHEMA(options),
    .open = jsonl_open,
    .close = jsonl_close,
    .begin = jsonl_begin,
    .samples = jsonl_samples,
    .snapshot = jsonl_snapshot,
    .end = jsonl_end,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    .kind = LENS_KIND_OF_EXPORTER,
    .name = "jsonl",
    .version = "1.0.0",
    .summary = "samples, intervals or summary as lines of JSON",
    .ops = &exporter,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
