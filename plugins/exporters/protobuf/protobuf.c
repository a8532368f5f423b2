/* protobuf: samples as length-delimited messages of data/lens.proto. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <protobuf.h>

#include "../common/field-names.h"
#include "../common/output.h"

struct protobuf {
    const struct lens_host *host;
    struct output output;
    int32_t marks;
    struct lens_protobuf message;
    struct text text;
};

static void
protobuf_close(void *self)
{
    struct protobuf *p = self;

    output_close(&p->output);
    lens_protobuf_clear(&p->message);
    text_clear(&p->text);
    free(p);
}

static lens_status
protobuf_open(const struct lens_host *host, void **ret_self)
{
    struct protobuf *p = calloc(1, sizeof *p);
    lens_status status;

    if (p == NULL)
        return host->fail(host, LENS_E_NOMEM, "out of memory");
    p->host = host;
    p->marks = host->opt_int(host, "marks") != 0;
    p->output.fd = -1;
    status = output_open(&p->output, host, host->opt_string(host, "path", 0));
    if (status != LENS_OK) {
        protobuf_close(p);
        return status;
    }
    *ret_self = p;
    return LENS_OK;
}

/* ---- pieces: fields are written in falling order ---- */

static void
put_text(struct lens_protobuf *m, uint32_t field, const char *text)
{
    if (text != NULL && text[0] != '\0')
        lens_protobuf_string(m, field, text);
}

static void
put_count(struct lens_protobuf *m, uint32_t field, uint64_t value)
{
    if (value != 0)
        lens_protobuf_uint(m, field, value);
}

/* With presence: -1 is unknown, 0 is a value. */
static void
put_known(struct lens_protobuf *m, uint32_t field, int64_t value)
{
    if (value >= 0)
        lens_protobuf_uint(m, field, (uint64_t)value);
}

/* What is in the message becomes a Record, and that the next thing in the file. */
static void
finish_record(struct protobuf *p, uint32_t field)
{
    struct lens_bytes bytes;

    lens_protobuf_end(&p->message, field, 0);
    lens_protobuf_varint(&p->message, p->message.size);
    bytes = lens_protobuf_bytes(&p->message);
    text_put(&p->text, bytes.data, bytes.size);
    p->text.failed |= p->message.failed;
}

/* ---- the run ---- */

static void
put_target(struct lens_protobuf *m, const struct lens_target_info *t)
{
    const size_t begin = lens_protobuf_begin(m);

    put_text(m, 5, t->url);
    put_text(m, 4, t->model);
    put_text(m, 3, t->api);
    put_text(m, 2, t->provider);
    put_text(m, 1, t->name);
    lens_protobuf_end(m, 7, begin);
}

static void
put_stage(struct lens_protobuf *m, const struct lens_stage_info *s)
{
    const size_t begin = lens_protobuf_begin(m);

    put_text(m, 3, s->options_json);
    put_text(m, 2, s->workload);
    put_text(m, 1, s->name);
    lens_protobuf_end(m, 8, begin);
}

static void
put_run(struct protobuf *p, const struct lens_run *run)
{
    struct lens_protobuf *m = &p->message;

    lens_protobuf_reset(m);
    for (uint32_t i = run->stage_count; i-- > 0;)
        put_stage(
            m, (const void *)((const char *)run->stages + (size_t)i * run->stage_size));
    for (uint32_t i = run->target_count; i-- > 0;)
        put_target(
            m, (const void *)((const char *)run->targets + (size_t)i * run->target_size));
    lens_protobuf_bits(m, 6, (uint64_t)run->start_unix_ns);
    put_text(m, 5, run->plan_hash);
    put_text(m, 4, run->seed);
    put_text(m, 3, run->host_name);
    put_text(m, 2, run->version);
    put_text(m, 1, run->id);
    finish_record(p, 1);
}

/* ---- a sample ---- */

static const struct lens_mark *
mark_at(const struct lens_sample *s, uint32_t nth)
{
    return (const void *)((const char *)s->marks + (size_t)nth * s->mark_size);
}

static void
put_marks(struct lens_protobuf *m, const struct lens_sample *s)
{
    size_t begin = lens_protobuf_begin(m);

    if (s->mark_count == 0)
        return;
    for (uint32_t i = s->mark_count; i-- > 0;)
        lens_protobuf_varint(m, mark_at(s, i)->classes);
    lens_protobuf_end(m, 72, begin);
    begin = lens_protobuf_begin(m);
    for (uint32_t i = s->mark_count; i-- > 0;) {
        const int64_t before = i > 0 ? mark_at(s, i - 1)->at_ns : s->start_ns;

        lens_protobuf_zigzag(m, mark_at(s, i)->at_ns - before);
    }
    lens_protobuf_end(m, 71, begin);
}

static void
put_words(struct lens_protobuf *m, const struct lens_sample *s)
{
    put_text(m, 65, s->reasoning);
    put_text(m, 64, s->text);
    put_text(m, 63, s->prompt);
    if (LENS_HAS(s, struct lens_sample, span_id)) {
        lens_protobuf_bytes_field(m, 62, s->span_id, sizeof s->span_id);
        lens_protobuf_bytes_field(m, 61, s->trace_id, sizeof s->trace_id);
    }
    put_text(m, 59, s->extra_json);
    put_text(m, 58, s->tier);
    put_text(m, 57, s->served_model);
    put_text(m, 56, s->server_id);
    put_text(m, 55, s->finish);
    put_text(m, 54, s->error_detail);
    put_text(m, 53, where_word(s->error_where));
    put_text(m, 52, class_word(s->error_class));
    put_text(m, 51, kind_word(s->error_kind));
}

static void
put_answer(struct lens_protobuf *m, const struct lens_sample *s)
{
    put_count(m, 48, s->output_messages);
    put_count(m, 47, s->messages);
    put_count(m, 46, s->bytes_received);
    put_count(m, 45, s->bytes_sent);
    put_count(m, 44, s->streamed != 0);
    put_count(m, 43, s->reused != 0);
    put_count(m, 42, s->http_version);
    put_count(m, 41, s->http_status > 0 ? (uint64_t)s->http_status : 0);
    if (isfinite(s->cost_reported_usd))
        lens_protobuf_double(m, 40, s->cost_reported_usd);
    put_known(m, 39, LENS_HAS(s, struct lens_sample, cost_total) ? s->cost_total : -1);
    put_known(m, 38, s->asked_output_tokens);
    put_count(m, 37, s->usage_partial != 0);
    put_known(m, 36, s->usage[LENS_USAGE_REASONING]);
    put_known(m, 35, s->usage[LENS_USAGE_OUTPUT]);
    put_known(m, 34, s->usage[LENS_USAGE_CACHE_WRITE_1H]);
    put_known(m, 33, s->usage[LENS_USAGE_CACHE_WRITE]);
    put_known(m, 32, s->usage[LENS_USAGE_CACHE_READ]);
    put_known(m, 31, s->usage[LENS_USAGE_INPUT]);
}

static void
put_times(struct lens_protobuf *m, const struct lens_sample *s)
{
    const int64_t times[] = {
        s->due_ns,        s->start_ns,         s->dns_ns,
        s->connect_ns,    s->tls_ns,           s->departure_first_ns,
        s->departure_ns,  s->first_byte_ns,    s->first_output_ns,
        s->first_text_ns, s->second_output_ns, s->last_output_ns,
        s->terminal_ns,   s->end_ns,           s->rtt_ns
    };

    put_count(m, 27, s->first_clock);
    put_count(m, 26, s->departure_clock);
    for (uint32_t i = sizeof times / sizeof times[0]; i-- > 0;)
        put_known(m, 11 + i, times[i]);
}

static void
put_sample(struct protobuf *p, const struct lens_sample *s)
{
    struct lens_protobuf *m = &p->message;

    lens_protobuf_reset(m);
    if (p->marks)
        put_marks(m, s);
    put_words(m, s);
    put_answer(m, s);
    put_times(m, s);
    put_count(m, 9, s->turn);
    put_count(m, 8, s->session);
    put_count(m, 7, s->index);
    put_count(m, 6, (uint64_t)s->attempt + 1);
    put_count(m, 5, s->outcome);
    put_count(m, 4, s->phase);
    put_count(m, 3, s->stage);
    put_count(m, 2, s->target);
    put_count(m, 1, s->id);
    finish_record(p, 2);
}

/* ---- operations ---- */

/* A varint and as many bytes as it says. */
static size_t
measure(const char *data, size_t size)
{
    uint64_t length = 0;

    for (size_t i = 0; i < size && i < 10; i++) {
        const unsigned char byte = (unsigned char)data[i];

        length |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80)
            return length <= size - (i + 1) ? i + 1 + (size_t)length : 0;
    }
    return 0;
}

static lens_status
protobuf_begin(void *self, const struct lens_run *run, uint64_t resumed)
{
    struct protobuf *p = self;

    text_rewind(&p->text);
    put_run(p, run);
    if (p->text.failed)
        return p->host->fail(p->host, LENS_E_NOMEM, "out of memory");
    return output_begin_records(&p->output, &p->text, resumed, measure);
}

static lens_status
protobuf_samples(void *self, const struct lens_sample *const *batch, uint64_t count,
                 struct lens_delivery *delivery)
{
    struct protobuf *p = self;

    text_rewind(&p->text);
    for (uint64_t i = 0; i < count; i++)
        put_sample(p, batch[i]);
    return output_append(&p->output, &p->text, count, delivery);
}

static lens_status
protobuf_end(void *self, const struct lens_summary *summary,
             struct lens_delivery *delivery)
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
    { .name = "marks",
      .type = LENS_OPT_BOOL,
      .fallback = "false",
      .help = "the arrival of every message of the stream, too" },
};

static const struct lens_exporter exporter = {
    .struct_size = sizeof exporter,
    .flags = LENS_EXPORT_SAMPLES | LENS_EXPORT_IDEMPOTENT,
    .options = LENS_SCHEMA(options),
    .open = protobuf_open,
    .close = protobuf_close,
    .begin = protobuf_begin,
    .samples = protobuf_samples,
    .end = protobuf_end,
};

static const struct lens_plugin plugin = {
    LENS_PLUGIN_HEAD,
    .kind = LENS_KIND_OF_EXPORTER,
    .name = "protobuf",
    .version = "1.0.0",
    .summary = "samples as length-delimited protobuf messages",
    .ops = &exporter,
};

const struct lens_plugin *
lens_plugin_entry(uint32_t host_abi)
{
    (void)host_abi;
    return &plugin;
}
