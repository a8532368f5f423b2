/* json: the summary as one JSON file, and every sample as a line of JSON. */
#include <lens/plugin.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../common/json-row.h"
#include "document.h"
#include "names.h"

struct json {
    const struct lens_host *host;
    const char *path;      /* of the summary */
    struct output samples; /* host NULL: not asked for */
    int32_t marks;
    struct layout layout; /* document empty: the summary as it is */
    char *spool_path;
    struct output spool; /* samples of the document; host NULL: they are `kept` */
    struct text kept;
    struct run_names names;
    struct text text;
};

/* ---- the operations ---- */

static void
json_close(void *self)
{
    struct json *j = self;

    output_close(&j->samples);
    output_close(&j->spool);
    layout_clear(&j->layout);
    run_names_clear(&j->names);
    text_clear(&j->text);
    text_clear(&j->kept);
    free(j->spool_path);
    free(j);
}

static lens_status
open_samples(struct json *j)
{
    const struct lens_host *host = j->host;
    const char *samples = host->opt_string(host, "samples", 0);

    if (samples == NULL)
        return LENS_OK;
    if (strcmp(samples, j->path) == 0)
        return host->fail(host, LENS_E_CONFIG,
                          "options path and samples name the same file, expected two");
    return output_open(&j->samples, host, samples);
}

/* Samples of a document lie beside it until its numbers are known; those for a pipe stay
 * in memory. */
static lens_status
open_layout(struct json *j)
{
    const struct lens_host *host = j->host;
    const char *layout = host->opt_string(host, "layout", 0);
    lens_status status;

    if (layout == NULL)
        return LENS_OK;
    status = layout_load(&j->layout, host, layout, "json");
    if (status == LENS_OK && j->layout.document.size == 0)
        status = host->fail(host, LENS_E_CONFIG,
                            "option layout: the layout has no `document`");
    if (status == LENS_OK)
        status = document_check(&j->layout);
    if (status != LENS_OK || strcmp(j->path, "-") == 0)
        return status;
    if (asprintf(&j->spool_path, "%s.samples", j->path) < 0) {
        j->spool_path = NULL;
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    }
    return output_open(&j->spool, host, j->spool_path);
}

static lens_status
json_open(const struct lens_host *host, void **ret_self)
{
    struct json *j = calloc(1, sizeof *j);
    lens_status status;

    if (j == NULL)
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    j->host = host;
    j->path = host->opt_string(host, "path", 0);
    j->marks = host->opt_int(host, "marks") != 0;
    j->samples.fd = j->spool.fd = -1;
    status = output_check(host, j->path);
    if (status == LENS_OK)
        status = open_samples(j);
    if (status == LENS_OK)
        status = open_layout(j);
    if (status != LENS_OK) {
        json_close(j);
        return status;
    }
    *ret_self = j;
    return LENS_OK;
}

static lens_status
json_begin(void *self, const struct lens_run *run, uint64_t resumed)
{
    struct json *j = self;
    const struct text no_head = { 0 };
    lens_status status = LENS_OK;

    if (run_names_take(&j->names, run) != LENS_OK)
        return j->host->fail(j->host, LENS_E_NOMEM, "out of memory");
    text_rewind(&j->kept);
    if (j->layout.document.size > 0 && j->spool.host == NULL && resumed > 0)
        return LENS_E_UNSUPPORTED;
    if (j->spool.host != NULL)
        status = output_begin(&j->spool, &no_head, resumed, 0);
    if (status == LENS_OK && j->samples.host != NULL)
        status = output_begin(&j->samples, &no_head, resumed, 0);
    return status;
}

static lens_status
keep_for_document(struct json *j, const struct lens_sample *const *batch, uint64_t count,
                  struct lens_delivery *delivery)
{
    struct text *to = j->spool.host != NULL ? &j->text : &j->kept;

    if (j->spool.host != NULL)
        text_rewind(to);
    for (uint64_t i = 0; i < count; i++)
        document_sample(&j->layout,
                        &(struct row){ .sample = batch[i], .names = &j->names }, to);
    if (j->spool.host != NULL)
        return output_append(&j->spool, to, count, delivery);
    if (to->failed)
        return j->host->fail(j->host, LENS_E_NOMEM, "out of memory");
    delivery->delivered_prefix = count;
    return LENS_OK;
}

static lens_status
json_samples(void *self, const struct lens_sample *const *batch, uint64_t count,
             struct lens_delivery *delivery)
{
    struct json *j = self;

    delivery->delivered_prefix = count;
    if (j->layout.document.size > 0) {
        const lens_status status = keep_for_document(j, batch, count, delivery);

        if (status < 0 || delivery->verdict != LENS_DELIVERY_OK)
            return status;
    }
    if (j->samples.host == NULL)
        return LENS_OK;
    text_rewind(&j->text);
    for (uint64_t i = 0; i < count; i++)
        json_sample(batch[i], &j->names, j->marks, &j->text);
    return output_append(&j->samples, &j->text, count, delivery);
}

/* ---- the end ---- */

static int
read_spool(struct json *j)
{
    char piece[64 * 1024];
    int64_t at = 0;
    ssize_t got;

    while ((got = pread(j->spool.fd, piece, sizeof piece, at)) > 0) {
        text_put(&j->kept, piece, (size_t)got);
        at += got;
    }
    return got == 0 && !j->kept.failed;
}

/* Counts of several results add up; their percentiles do not. */
static struct lens_result
add_up(const struct lens_summary *summary, struct lens_number *numbers, uint32_t room)
{
    const struct lens_result *first = summary->results;
    struct lens_result sum = *first;
    uint32_t count = 0;

    if (summary->result_count == 1)
        return sum;
    for (uint32_t i = 0; i < first->number_count && count < room; i++) {
        const struct lens_number *n =
            (const void *)((const char *)first->numbers + (size_t)i * first->number_size);

        if (strncmp(n->name, "requests.", 9) != 0 &&
            strncmp(n->name, "tokens.", 7) != 0 && strncmp(n->name, "cost.", 5) != 0)
            continue;
        numbers[count] = *n;
        for (uint32_t k = 1; k < summary->result_count; k++)
            numbers[count].value +=
                lens_result_number((const void *)((const char *)summary->results +
                                                  (size_t)k * summary->result_size),
                                   n->name);
        count++;
    }
    sum.numbers = numbers;
    sum.number_count = count;
    sum.number_size = sizeof *numbers;
    sum.metric_count = 0;
    return sum;
}

static lens_status
end_document(struct json *j, const struct lens_summary *summary,
             struct lens_delivery *delivery)
{
    struct lens_number numbers[128];
    struct lens_result sum;
    struct row row = { .result = &sum,
                       .names = &j->names,
                       .run_s = summary_seconds(summary) };
    lens_status status;

    if (summary->result_count == 0)
        return LENS_OK;
    sum = add_up(summary, numbers, sizeof numbers / sizeof numbers[0]);
    if (j->spool.host != NULL && !read_spool(j))
        return j->host->fail(j->host, LENS_E_IO, "cannot read the samples kept so far");
    text_rewind(&j->text);
    document_write(&j->layout, &row, &j->kept, &j->text);
    status = output_replace(j->host, j->path, &j->text, delivery);
    if (status == LENS_OK && j->spool_path != NULL)
        unlink(j->spool_path);
    text_rewind(&j->kept);
    return status;
}

static lens_status
json_end(void *self, const struct lens_summary *summary, struct lens_delivery *delivery)
{
    struct json *j = self;

    if (j->layout.document.size > 0)
        return end_document(j, summary, delivery);
    text_rewind(&j->text);
    text_put(&j->text, summary->json, summary->json_size);
    if (j->text.size > 0 && j->text.data[j->text.size - 1] != '\n')
        text_add(&j->text, "\n");
    return output_replace(j->host, j->path, &j->text, delivery);
}

static const struct lens_option options[] = {
    { .name = "path",
      .type = LENS_OPT_PATH,
      .flags = LENS_OPT_REQUIRED,
      .help = "file for the summary, replaced at the end of the run; - is the standard "
              "output" },
    { .name = "samples",
      .type = LENS_OPT_PATH,
      .help = "file for the samples as JSON Lines, one object a request" },
    { .name = "layout",
      .type = LENS_OPT_STRING,
      .help = "document of another program: test-bench, or a layout file" },
    { .name = "marks",
      .type = LENS_OPT_BOOL,
      .fallback = "false",
      .help = "in each sample a list of all messages of its stream" },
};

static const struct lens_exporter exporter = {
    .struct_size = sizeof exporter,
    .flags = LENS_EXPORT_SAMPLES | LENS_EXPORT_IDEMPOTENT,
    .options = LENS_SCHEMA(options),
    .open = json_open,
    .close = json_close,
    .begin = json_begin,
    .samples = json_samples,
    .end = json_end,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    .kind = LENS_KIND_OF_EXPORTER,
    .name = "json",
    .version = "1.1.0",
    .summary = "the summary as a JSON file, the samples as JSON Lines",
    .ops = &exporter,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
