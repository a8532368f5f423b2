/* csv: samples, intervals or the summary as a table with a header line, quoted by RFC
 * 4180, lines end with LF. */
#include <lens/plugin.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "../common/layout.h"
#include "../common/output.h"
#include "../common/value.h"

struct csv {
    const struct lens_host *host;
    const char *path;
    enum rows rows;
    struct output file; /* of samples and intervals; host NULL: not open */
    struct layout layout;
    struct columns own;      /* without a layout */
    struct columns *columns; /* one of the two */
    struct run_names names;
    struct text text;
};

static void
csv_close(void *self)
{
    struct csv *c = self;

    output_close(&c->file);
    columns_clear(&c->own);
    layout_clear(&c->layout);
    run_names_clear(&c->names);
    text_clear(&c->text);
    free(c);
}

static lens_status
choose_columns(struct csv *c)
{
    const struct lens_host *host = c->host;
    const char *list = host->opt_string(host, "columns", 0);
    const char *layout = host->opt_string(host, "layout", 0);
    lens_status status;

    c->rows = rows_of(host->opt_string(host, "what", 0));
    c->columns = &c->own;
    if (layout == NULL)
        return columns_choose(&c->own, host, c->rows, list);
    if (list != NULL)
        return host->fail(host, LENS_E_CONFIG,
                          "options layout and columns: a layout says which columns there "
                          "are, expected one of them");
    status = layout_load(&c->layout, host, layout, "csv");
    c->rows = c->layout.rows;
    c->columns = &c->layout.columns;
    return status;
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
    c->file.fd = -1;
    status = choose_columns(c);
    if (status == LENS_OK)
        status = c->rows == ROWS_SUMMARY ? output_check(host, c->path)
                                         : output_open(&c->file, host, c->path);
    if (status != LENS_OK) {
        csv_close(c);
        return status;
    }
    *ret_self = c;
    return LENS_OK;
}

/* ---- rows ---- */

static void
put_header(struct csv *c)
{
    if (c->layout.no_header)
        return;
    for (uint32_t i = 0; i < c->columns->count; i++) {
        if (i > 0)
            text_put(&c->text, ",", 1);
        text_to_csv(c->columns->items[i].title, &c->text);
    }
    text_put(&c->text, "\n", 1);
}

static void
put_row(struct csv *c, const struct row *row)
{
    for (uint32_t i = 0; i < c->columns->count; i++) {
        struct value value;

        if (i > 0)
            text_byte(&c->text, ',');
        column_read(&c->columns->items[i], row, &value);
        value_to_csv(&value, &c->text);
    }
    text_byte(&c->text, '\n');
}

/* One line a column. */
static void
put_pairs(struct csv *c, const struct row *row)
{
    for (uint32_t i = 0; i < c->columns->count; i++) {
        struct value value;

        text_to_csv(c->columns->items[i].title, &c->text);
        text_put(&c->text, ",", 1);
        column_read(&c->columns->items[i], row, &value);
        value_to_csv(&value, &c->text);
        text_put(&c->text, "\n", 1);
    }
}

/* ---- the operations ---- */

static lens_status
csv_begin(void *self, const struct lens_run *run, uint64_t resumed)
{
    struct csv *c = self;

    if (run_names_take(&c->names, run) != LENS_OK)
        return c->host->fail(c->host, LENS_E_NOMEM, "out of memory");
    if (c->rows == ROWS_SUMMARY)
        return LENS_OK;
    /* Rows of intervals are not counted by the host: these are few, and come anew. */
    if (c->rows == ROWS_INTERVALS && resumed > 0)
        return LENS_E_UNSUPPORTED;
    text_rewind(&c->text);
    put_header(c);
    return output_begin(&c->file, &c->text, resumed, 1);
}

static lens_status
csv_samples(void *self, const struct lens_sample *const *batch, uint64_t count,
            struct lens_delivery *delivery)
{
    struct csv *c = self;

    delivery->delivered_prefix = count;
    if (c->rows != ROWS_SAMPLES)
        return LENS_OK;
    text_rewind(&c->text);
    for (uint64_t i = 0; i < count; i++)
        put_row(c, &(struct row){ .sample = batch[i], .names = &c->names });
    return output_append(&c->file, &c->text, count, delivery);
}

static lens_status
csv_snapshot(void *self, const struct lens_snapshot *s, struct lens_delivery *delivery)
{
    struct csv *c = self;

    delivery->delivered_prefix = 1;
    if (c->rows != ROWS_INTERVALS)
        return LENS_OK;
    text_rewind(&c->text);
    for (uint32_t i = 0; i < s->result_count; i++)
        put_row(c, &(struct row){
                       .result = (const void *)((const char *)s->interval +
                                                (size_t)i * s->result_size),
                       .snapshot = s,
                       .names = &c->names,
                       .run_s = (double)NAN,
                   });
    return output_append(&c->file, &c->text, 1, delivery);
}

static lens_status
csv_end(void *self, const struct lens_summary *summary, struct lens_delivery *delivery)
{
    struct csv *c = self;

    if (c->rows != ROWS_SUMMARY)
        return LENS_OK;
    text_rewind(&c->text);
    if (!c->layout.pairs) {
        put_header(c);
    } else {
        text_to_csv(c->layout.pair_titles[0], &c->text);
        text_put(&c->text, ",", 1);
        text_to_csv(c->layout.pair_titles[1], &c->text);
        text_put(&c->text, "\n", 1);
    }
    for (uint32_t i = 0; i < summary->result_count; i++) {
        const struct row row = {
            .result = (const void *)((const char *)summary->results +
                                     (size_t)i * summary->result_size),
            .names = &c->names,
            .run_s = summary_seconds(summary),
        };

        if (c->layout.pairs)
            put_pairs(c, &row);
        else
            put_row(c, &row);
    }
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
      .choices = "samples|intervals|summary",
      .help = "one row a request, an interval, or a target and stage" },
    { .name = "columns",
      .type = LENS_OPT_STRING,
      .help = "columns to write, in this order, for instance ttft+e2e+outcome" },
    { .name = "layout",
      .type = LENS_OPT_STRING,
      .help = "columns of another program: genai-bench, genai-bench-summary, "
              "throughput, latency-lens, or a layout file" },
};

static const struct lens_exporter exporter = {
    .struct_size = sizeof exporter,
    .flags = LENS_EXPORT_SAMPLES | LENS_EXPORT_INTERVALS | LENS_EXPORT_IDEMPOTENT |
             LENS_EXPORT_NO_MARKS,
    .options = LENS_SCHEMA(options),
    .open = csv_open,
    .close = csv_close,
    .begin = csv_begin,
    .samples = csv_samples,
    .snapshot = csv_snapshot,
    .end = csv_end,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    .kind = LENS_KIND_OF_EXPORTER,
    .name = "csv",
    .version = "1.1.0",
    .summary = "samples, intervals or summary as a table of comma-separated values",
    .ops = &exporter,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
