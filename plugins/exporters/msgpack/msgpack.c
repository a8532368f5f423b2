/* msgpack: samples as MessagePack: a map that says what the run and the columns are, then
 * one array of values per sample. */
#include <stdlib.h>
#include <string.h>

#include <msgpack.h>

#include "../common/field.h"
#include "../common/near.h"
#include "../common/output.h"

struct packer {
    const struct lens_host *host;
    struct output output;
    struct run_names names;
    struct text text;
    msgpack_packer pack;
    uint32_t *columns; /* indexes of sample_fields */
    uint32_t column_count;
};

static void
packer_close(void *self)
{
    struct packer *p = self;

    output_close(&p->output);
    run_names_clear(&p->names);
    text_clear(&p->text);
    free(p->columns);
    free(p);
}

static int
put_bytes(void *to, const char *data, size_t size)
{
    return text_put(to, data, size) == LENS_OK ? 0 : -1;
}

/* ---- columns ---- */

static int
find_column(const char *name, size_t size, uint32_t *ret)
{
    for (*ret = 0; *ret < sample_field_count; (*ret)++) {
        const char *column = field_column(&sample_fields[*ret]);

        const size_t length = strlen(column);

        /* also without its unit: ttft for ttft_ms */
        if ((length == size ||
             (length == size + 3 && strcmp(column + size, "_ms") == 0)) &&
            memcmp(column, name, size) == 0)
            return 1;
    }
    return 0;
}

static lens_status
choose(struct packer *p, const char *list)
{
    p->columns = calloc(sample_field_count, sizeof *p->columns);
    if (p->columns == NULL)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    for (uint32_t i = 0; list == NULL && i < sample_field_count; i++)
        if ((sample_fields[i].flags & (FIELD_EXTRA | FIELD_NAMED)) == 0)
            p->columns[p->column_count++] = i;
    while (list != NULL && *list != '\0') {
        const size_t size = strcspn(list, "+");
        char why[256], word[100];

        if (p->column_count == sample_field_count ||
            !find_column(list, size, &p->columns[p->column_count])) {
            const char *near;

            snprintf(word, sizeof word, "%.*s", (int)size, list);
            near = field_near(word);
            snprintf(why, sizeof why, "option columns: no column `%s`%s%s%s", word,
                     near != NULL ? "; did you mean `" : "",
                     near != NULL ? near : ", expected columns of docs/exporters/csv.md",
                     near != NULL ? "`?" : "");
            return p->host->fail(p->host, LENS_E_CONFIG, why);
        }
        p->column_count++;
        list += size + (list[size] == '+');
    }
    return LENS_OK;
}

static lens_status
packer_open(const struct lens_host *host, void **ret_self)
{
    struct packer *p = calloc(1, sizeof *p);
    lens_status status;

    if (p == NULL)
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    p->host = host;
    p->output.fd = -1;
    msgpack_packer_init(&p->pack, &p->text, put_bytes);
    status = choose(p, host->opt_string(host, "columns", 0));
    if (status == LENS_OK)
        status = output_open(&p->output, host, host->opt_string(host, "path", 0));
    if (status != LENS_OK) {
        packer_close(p);
        return status;
    }
    *ret_self = p;
    return LENS_OK;
}

/* ---- values ---- */

static void
put_text(msgpack_packer *pack, const char *text)
{
    const size_t size = text != NULL ? strlen(text) : 0;

    if (text == NULL) {
        msgpack_pack_nil(pack);
        return;
    }
    msgpack_pack_str(pack, size);
    msgpack_pack_str_body(pack, text, size);
}

static void
put_value(msgpack_packer *pack, const struct value *v)
{
    switch (v->kind) {
    case VALUE_INT:
        msgpack_pack_int64(pack, v->integer);
        break;
    case VALUE_DOUBLE:
        msgpack_pack_double(pack, v->number);
        break;
    case VALUE_BOOL:
        if (v->integer)
            msgpack_pack_true(pack);
        else
            msgpack_pack_false(pack);
        break;
    case VALUE_STRING:
    case VALUE_JSON:
        put_text(pack, v->string);
        break;
    default:
        msgpack_pack_nil(pack);
    }
}

static void
put_head(struct packer *p, const struct lens_run *run)
{
    msgpack_packer *pack = &p->pack;

    text_rewind(&p->text);
    msgpack_pack_map(pack, 5);
    put_text(pack, "schema");
    put_text(pack, "lens.msgpack/1");
    put_text(pack, "run");
    put_text(pack, run->id);
    put_text(pack, "version");
    put_text(pack, run->version);
    put_text(pack, "start_unix_ns");
    msgpack_pack_int64(pack, run->start_unix_ns);
    put_text(pack, "columns");
    msgpack_pack_array(pack, p->column_count);
    for (uint32_t i = 0; i < p->column_count; i++)
        put_text(pack, field_column(&sample_fields[p->columns[i]]));
}

/* ---- operations ---- */

static size_t
measure(const char *data, size_t size)
{
    msgpack_zone zone;
    msgpack_object object;
    size_t at = 0;
    msgpack_unpack_return found;

    if (!msgpack_zone_init(&zone, 4096))
        return 0;
    found = msgpack_unpack(data, size, &at, &zone, &object);
    msgpack_zone_destroy(&zone);
    return found == MSGPACK_UNPACK_SUCCESS || found == MSGPACK_UNPACK_EXTRA_BYTES ? at
                                                                                  : 0;
}

static lens_status
packer_begin(void *self, const struct lens_run *run, uint64_t resumed)
{
    struct packer *p = self;

    if (run_names_take(&p->names, run) != LENS_OK)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    put_head(p, run);
    if (p->text.failed)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    return output_begin_records(&p->output, &p->text, resumed, measure);
}

static lens_status
packer_samples(void *self, const struct lens_sample *const *batch, uint64_t count,
               struct lens_delivery *delivery)
{
    struct packer *p = self;
    struct value v;

    text_rewind(&p->text);
    for (uint64_t i = 0; i < count; i++) {
        msgpack_pack_array(&p->pack, p->column_count);
        for (uint32_t k = 0; k < p->column_count; k++) {
            field_read(&sample_fields[p->columns[k]], batch[i], &p->names, &v);
            put_value(&p->pack, &v);
        }
    }
    return output_append(&p->output, &p->text, count, delivery);
}

static lens_status
packer_end(void *self, const struct lens_summary *summary, struct lens_delivery *delivery)
{
    (void)self;
    (void)summary;
    delivery->delivered_prefix = 1;
    return LENS_OK;
}

static const struct lens_option options[] = {
    { .name = "path",
      .type = LENS_OPT_PATH,
      .flags = LENS_OPT_REQUIRED,
      .help = "file to write; - is the standard output" },
    { .name = "columns",
      .type = LENS_OPT_STRING,
      .help = "columns to write, in this order, for instance id+ttft_ms+e2e_ms" },
};

static const struct lens_exporter exporter = {
    .struct_size = sizeof exporter,
    .flags = LENS_EXPORT_SAMPLES | LENS_EXPORT_IDEMPOTENT,
    .options = LENS_SCHEMA(options),
    .open = packer_open,
    .close = packer_close,
    .begin = packer_begin,
    .samples = packer_samples,
    .end = packer_end,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    .kind = LENS_KIND_OF_EXPORTER,
    .name = "msgpack",
    .version = "1.0.0",
    .summary = "samples as compact MessagePack arrays",
    .ops = &exporter,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
