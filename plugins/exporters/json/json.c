/* json: the summary as one JSON file, and every sample as a line of JSON. */
#include <lens/plugin.h>

#include <stdlib.h>
#include <string.h>

#include "../common/field-names.h"
#include "../common/field.h"
#include "../common/output.h"
#include "write.h"

struct json {
    const struct lens_host *host;
    const char *path;      /* of the summary */
    struct output samples; /* host NULL: not asked for */
    int32_t marks;
    struct run_names names;
    struct text text;
};

/* ---- a sample as a line ---- */

static void
write_value(struct lens_writer *w, const struct value *v)
{
    switch (v->kind) {
    case VALUE_INT:
        lens_write_int(w, v->integer);
        break;
    case VALUE_DOUBLE:
        lens_write_double(w, v->number);
        break;
    case VALUE_BOOL:
        lens_write(w, v->integer ? "true" : "false");
        break;
    case VALUE_STRING:
        lens_write_string(w, v->string, strlen(v->string));
        break;
    case VALUE_JSON:
        lens_write(w, v->string);
        break;
    default:
        lens_write(w, "null");
    }
}

static void
write_name(struct lens_writer *w, const char *name, size_t size)
{
    lens_write_string(w, name, size);
    lens_write(w, ":");
}

/* Writes the fields that share the object of the first one; returns how many they are. An
 * object of which nothing is known is null. */
static uint32_t
write_object(struct lens_writer *w, const struct field *first, uint32_t left,
             const struct lens_sample *s, const struct run_names *names)
{
    const size_t prefix = (size_t)(strchr(first->name, '.') - first->name);
    uint32_t count = 0, known = 0;
    struct value value;

    while (count < left && strncmp(first[count].name, first->name, prefix + 1) == 0) {
        field_read(&first[count++], s, names, &value);
        known += value.kind != VALUE_NONE;
    }
    write_name(w, first->name, prefix);
    if (known == 0) {
        lens_write(w, "null");
        return count;
    }
    for (uint32_t i = 0; i < count; i++) {
        const char *name = first[i].name + prefix + 1;

        lens_write(w, i == 0 ? "{" : ",");
        write_name(w, name, strlen(name));
        field_read(&first[i], s, names, &value);
        write_value(w, &value);
    }
    lens_write(w, "}");
    return count;
}

static void
write_mark(struct lens_writer *w, const struct lens_mark *m)
{
    uint32_t rest = m->classes;
    const char *word, *comma = "";

    lens_write(w, "{\"at_ns\":");
    lens_write_int(w, m->at_ns);
    lens_write(w, ",\"classes\":[");
    while ((word = message_word(&rest)) != NULL) {
        lens_write(w, comma);
        lens_write_string(w, word, strlen(word));
        comma = ",";
    }
    lens_write(w, "],\"tokens\":");
    if (m->tokens >= 0)
        lens_write_int(w, m->tokens);
    else
        lens_write(w, "null");
    word = clock_word(m->clock);
    lens_write(w, ",\"clock\":");
    lens_write_string(w, word, word != NULL ? strlen(word) : 0);
    lens_write(w, ",\"shared\":");
    lens_write_int(w, m->shared);
    lens_write(w, "}");
}

static void
write_marks(struct lens_writer *w, const struct lens_sample *s)
{
    lens_write(w, ",\"marks\":[");
    for (uint32_t i = 0; i < s->mark_count; i++) {
        const char *at = (const char *)s->marks + (size_t)i * s->mark_size;

        if (i > 0)
            lens_write(w, ",");
        write_mark(w, (const struct lens_mark *)(const void *)at);
    }
    lens_write(w, "]");
}

static void
write_sample(struct json *j, const struct lens_sample *s)
{
    struct lens_writer w;

    lens_write_begin(&w, &j->text, text_put);
    for (uint32_t i = 0; i < sample_field_count;) {
        const struct field *f = &sample_fields[i];
        struct value value;

        lens_write(&w, i == 0 ? "{" : ",");
        if (strchr(f->name, '.') != NULL) {
            i += write_object(&w, f, sample_field_count - i, s, &j->names);
            continue;
        }
        write_name(&w, f->name, strlen(f->name));
        field_read(f, s, &j->names, &value);
        write_value(&w, &value);
        i++;
    }
    if (j->marks)
        write_marks(&w, s);
    lens_write(&w, "}\n");
    lens_write_end(&w);
}

/* ---- the operations ---- */

static void
json_close(void *self)
{
    struct json *j = self;

    output_close(&j->samples);
    run_names_clear(&j->names);
    text_clear(&j->text);
    free(j);
}

static lens_status
open_files(struct json *j)
{
    const struct lens_host *host = j->host;
    const char *samples = host->opt_string(host, "samples", 0);
    lens_status status = output_check(host, j->path);

    if (status != LENS_OK || samples == NULL)
        return status;
    if (strcmp(samples, j->path) == 0)
        return host->fail(host, LENS_E_CONFIG,
                          "options path and samples name the same file, expected two");
    return output_open(&j->samples, host, samples);
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
    j->samples.fd = -1;
    status = open_files(j);
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

    if (run_names_take(&j->names, run) != LENS_OK)
        return j->host->fail(j->host, LENS_E_NOMEM, "out of memory");
    if (j->samples.host == NULL)
        return LENS_OK;
    return output_begin(&j->samples, &no_head, resumed, 0);
}

static lens_status
json_samples(void *self, const struct lens_sample *const *batch, uint64_t count,
             struct lens_delivery *delivery)
{
    struct json *j = self;

    if (j->samples.host == NULL) {
        delivery->delivered_prefix = count;
        return LENS_OK;
    }
    text_rewind(&j->text);
    for (uint64_t i = 0; i < count; i++)
        write_sample(j, batch[i]);
    return output_append(&j->samples, &j->text, count, delivery);
}

static lens_status
json_end(void *self, const struct lens_summary *summary, struct lens_delivery *delivery)
{
    struct json *j = self;

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
    .version = "1.0.0",
    .summary = "the summary as a JSON file, the samples as JSON Lines",
    .ops = &exporter,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
