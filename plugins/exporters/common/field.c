#include "field.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "field-names.h"

/* ---- names ---- */

/* The string at `offset` of each of the infos. */
static char **
copy_names(const void *items, uint32_t count, uint32_t stride, size_t offset)
{
    char **names = calloc((size_t)count + 1, sizeof *names);

    for (uint32_t i = 0; names != NULL && i < count; i++) {
        const char *const *name =
            (const char *const *)(const void *)((const char *)items + (size_t)i * stride +
                                                offset);

        names[i] = strdup(*name != NULL ? *name : "");
    }
    return names;
}

#define OF_TARGETS(member)                                        \
    copy_names(run->targets, run->target_count, run->target_size, \
               offsetof(struct lens_target_info, member))
#define OF_STAGES(member)                                      \
    copy_names(run->stages, run->stage_count, run->stage_size, \
               offsetof(struct lens_stage_info, member))

lens_status
run_names_take(struct run_names *n, const struct lens_run *run)
{
    run_names_clear(n);
    n->targets = OF_TARGETS(name);
    n->providers = OF_TARGETS(provider);
    n->apis = OF_TARGETS(api);
    n->models = OF_TARGETS(model);
    n->urls = OF_TARGETS(url);
    n->stages = OF_STAGES(name);
    n->workloads = OF_STAGES(workload);
    n->options = OF_STAGES(options_json);
    n->target_count = run->target_count;
    n->stage_count = run->stage_count;
    n->run_id = strdup(run->id != NULL ? run->id : "");
    n->start_unix_ns = run->start_unix_ns;
    return n->targets != NULL && n->providers != NULL && n->apis != NULL &&
                   n->models != NULL && n->urls != NULL && n->stages != NULL &&
                   n->workloads != NULL && n->options != NULL && n->run_id != NULL
               ? LENS_OK
               : LENS_E_NOMEM;
}

static void
free_names(char **names, uint32_t count)
{
    for (uint32_t i = 0; names != NULL && i < count; i++)
        free(names[i]);
    free(names);
}

void
run_names_clear(struct run_names *n)
{
    free_names(n->targets, n->target_count);
    free_names(n->providers, n->target_count);
    free_names(n->apis, n->target_count);
    free_names(n->models, n->target_count);
    free_names(n->urls, n->target_count);
    free_names(n->stages, n->stage_count);
    free_names(n->workloads, n->stage_count);
    free_names(n->options, n->stage_count);
    free(n->run_id);
    *n = (struct run_names){ 0 };
}

/* ---- values ---- */

static void
set_int(struct value *v, int64_t integer)
{
    v->kind = VALUE_INT;
    v->integer = integer;
}

static void
set_double(struct value *v, double number)
{
    v->kind = isfinite(number) ? VALUE_DOUBLE : VALUE_NONE;
    v->number = number;
}

static void
set_string(struct value *v, const char *string)
{
    v->kind = string != NULL ? VALUE_STRING : VALUE_NONE;
    v->string = string;
}

/* What was written into the value's own buffer. */
static void
set_buffer(struct value *v)
{
    v->kind = VALUE_STRING;
    v->string = v->buffer;
}

static void
set_span(struct value *v, int64_t from_ns, int64_t to_ns)
{
    if (from_ns >= 0 && to_ns >= 0)
        set_double(v, to_ns > from_ns ? (double)(to_ns - from_ns) / 1e6 : 0);
}

static void
read_target(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    if (s->target < names->target_count)
        set_string(v, names->targets[s->target]);
    else
        set_int(v, s->target);
}

static void
read_stage(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    if (s->stage < names->stage_count)
        set_string(v, names->stages[s->stage]);
    else
        set_int(v, s->stage);
}

static void
read_outcome(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    set_string(v, outcome_word(s->outcome));
}

static void
read_phase(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    set_string(v, part_word(s->phase));
}

static char *
put_digits(char *to, int64_t number, int count, char behind)
{
    for (int i = count - 1; i >= 0; i--, number /= 10)
        to[i] = (char)('0' + number % 10);
    to[count] = behind;
    return to + count + 1;
}

/* RFC 3339 in UTC, to the nanosecond. Half a million rows a second leave no time for
 * strftime. */
void
value_set_time(struct value *v, int64_t unix_ns)
{
    /* Days since 0000-03-01, by eras of 400 years. */
    const int64_t seconds = unix_ns / 1000000000, days = seconds / 86400 + 719468;
    const int64_t era = days / 146097, day = days % 146097;
    const int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
    const int64_t rest = day - (365 * year + year / 4 - year / 100);
    const int64_t month = (5 * rest + 2) / 153;
    char *at = v->buffer;

    if (unix_ns <= 0)
        return;
    at = put_digits(at, year + era * 400 + (month >= 10), 4, '-');
    at = put_digits(at, month < 10 ? month + 3 : month - 9, 2, '-');
    at = put_digits(at, rest - (153 * month + 2) / 5 + 1, 2, 'T');
    at = put_digits(at, seconds / 3600 % 24, 2, ':');
    at = put_digits(at, seconds / 60 % 60, 2, ':');
    at = put_digits(at, seconds % 60, 2, '.');
    at = put_digits(at, unix_ns % 1000000000, 9, 'Z');
    *at = '\0';
    set_buffer(v);
}

static void
read_time(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    value_set_time(v, s->unix_ns);
}

static void
read_end_time(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    value_set_time(v,
                   s->unix_ns + (s->end_ns > s->start_ns ? s->end_ns - s->start_ns : 0));
}

static void
read_unix_s(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    set_int(v, s->unix_ns / 1000000000);
}

static void
read_number(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    set_int(v, (int64_t)s->index + 1);
}

static void
read_run(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    set_string(v, names->run_id);
}

static void
read_of_target(const struct lens_sample *s, const struct run_names *names, char **of,
               struct value *v)
{
    if (s->target < names->target_count && of[s->target][0] != '\0')
        set_string(v, of[s->target]);
}

static void
read_provider(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    read_of_target(s, names, names->providers, v);
}

static void
read_api(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    read_of_target(s, names, names->apis, v);
}

static void
read_model(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    read_of_target(s, names, names->models, v);
}

static void
read_url(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    read_of_target(s, names, names->urls, v);
}

static void
read_success(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    v->kind = VALUE_BOOL;
    v->integer = s->outcome == LENS_OUTCOME_OK;
}

static void
read_total_tokens(const struct lens_sample *s, const struct run_names *names,
                  struct value *v)
{
    const int64_t input = s->usage[LENS_USAGE_INPUT];
    const int64_t output = s->usage_partial ? -1 : s->usage[LENS_USAGE_OUTPUT];

    if (input >= 0 && output >= 0)
        set_int(v, input + output);
}

static void
read_cost_usd(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    if (s->cost_total >= 0)
        set_double(v, (double)s->cost_total / 1e12);
    else
        set_double(v, s->cost_reported_usd);
}

/* Parts of the cost: exclusive, they sum up to cost_usd where that is our own. */
#define PART_OF_COST(name, kind)                                                 \
    static void read_cost_##name(const struct lens_sample *s,                    \
                                 const struct run_names *names, struct value *v) \
    {                                                                            \
        if (s->cost_total >= 0 && s->cost[kind] >= 0)                            \
            set_double(v, (double)s->cost[kind] / 1e12);                         \
    }
PART_OF_COST(input_uncached, LENS_COST_INPUT_UNCACHED)
PART_OF_COST(cache_read, LENS_COST_CACHE_READ)
PART_OF_COST(cache_write_5m, LENS_COST_CACHE_WRITE_5M)
PART_OF_COST(cache_write_1h, LENS_COST_CACHE_WRITE_1H)
PART_OF_COST(output_visible, LENS_COST_OUTPUT_VISIBLE)
PART_OF_COST(reasoning, LENS_COST_REASONING)
PART_OF_COST(request, LENS_COST_REQUEST)
#undef PART_OF_COST

static void
set_hex(struct value *v, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < size; i++) {
        v->buffer[2 * i] = digits[bytes[i] >> 4];
        v->buffer[2 * i + 1] = digits[bytes[i] & 15];
    }
    v->buffer[2 * size] = '\0';
    set_buffer(v);
}

static void
read_trace(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    set_hex(v, s->trace_id, sizeof s->trace_id);
}

static void
read_span(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    set_hex(v, s->span_id, sizeof s->span_id);
}

static void
read_attempts(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    set_int(v, (int64_t)s->attempt + 1);
}

static void
read_item(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    if (s->item <= INT64_MAX) /* LENS_ITEM_ANY: none was named */
        set_int(v, (int64_t)s->item);
}

/* A look-up, connect or handshake lasts from the end of what came before it. */
static void
read_dns(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    if (!s->reused)
        set_span(v, s->start_ns, s->dns_ns);
}

static void
read_connect(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    if (!s->reused)
        set_span(v, s->dns_ns >= 0 ? s->dns_ns : s->start_ns, s->connect_ns);
}

static void
read_tls(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    if (!s->reused)
        set_span(v, s->connect_ns, s->tls_ns);
}

/* What the server said of a stream that broke off is not the whole. */
static int64_t
output_tokens(const struct lens_sample *s)
{
    return s->usage_partial ? -1 : s->usage[LENS_USAGE_OUTPUT];
}

static int64_t
done_ns(const struct lens_sample *s)
{
    return s->terminal_ns >= 0 ? s->terminal_ns : s->end_ns;
}

static void
read_e2e(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    set_span(v, s->departure_ns, done_ns(s));
}

static void
read_e2e_from_due(const struct lens_sample *s, const struct run_names *names,
                  struct value *v)
{
    set_span(v, s->due_ns, done_ns(s));
}

/* A quotient is not truer than the times that it is made of. */
static double
to_millionths(double number)
{
    return nearbyint(number * 1e6) / 1e6;
}

static void
read_tpot(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    const int64_t tokens = output_tokens(s);

    if (s->streamed && tokens > 1 && s->first_output_ns >= 0 && s->last_output_ns >= 0)
        set_double(v, to_millionths((double)(s->last_output_ns - s->first_output_ns) /
                                    1e6 / (double)(tokens - 1)));
}

static void
read_server(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    if (s->streamed && s->rtt_ns >= 0 && s->departure_ns >= 0)
        set_span(v, s->departure_ns + s->rtt_ns, s->first_output_ns);
}

static void
read_rtt(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    if (s->rtt_ns >= 0)
        set_double(v, (double)s->rtt_ns / 1e6);
}

static void
read_rate(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    const int64_t tokens = output_tokens(s);

    if (tokens >= 0 && s->departure_ns >= 0 && done_ns(s) > s->departure_ns)
        set_double(v, to_millionths((double)tokens * 1e9 /
                                    (double)(done_ns(s) - s->departure_ns)));
}

static void
read_http_version(const struct lens_sample *s, const struct run_names *names,
                  struct value *v)
{
    if (s->http_version == 0)
        return;
    if (s->http_version < 100) /* at every sample: no printf */
        memcpy(v->buffer,
               (const char[]){ (char)('0' + s->http_version / 10), '.',
                               (char)('0' + s->http_version % 10), '\0' },
               4);
    else
        snprintf(v->buffer, sizeof v->buffer, "%u.%u", s->http_version / 10,
                 s->http_version % 10);
    set_buffer(v);
}

static void
read_http_status(const struct lens_sample *s, const struct run_names *names,
                 struct value *v)
{
    if (s->http_status > 0)
        set_int(v, s->http_status);
}

static void
read_error_kind(const struct lens_sample *s, const struct run_names *names,
                struct value *v)
{
    set_string(v, kind_word(s->error_kind));
}

static void
read_error_class(const struct lens_sample *s, const struct run_names *names,
                 struct value *v)
{
    set_string(v, class_word(s->error_class));
}

static void
read_error_where(const struct lens_sample *s, const struct run_names *names,
                 struct value *v)
{
    set_string(v, where_word(s->error_where));
}

static void
read_departure_clock(const struct lens_sample *s, const struct run_names *names,
                     struct value *v)
{
    set_string(v, clock_word(s->departure_clock));
}

static void
read_first_clock(const struct lens_sample *s, const struct run_names *names,
                 struct value *v)
{
    set_string(v, clock_word(s->first_clock));
}

static void
read_cost(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    set_double(v, s->cost_reported_usd);
}

static void
read_extra(const struct lens_sample *s, const struct run_names *names, struct value *v)
{
    v->kind = s->extra_json != NULL ? VALUE_JSON : VALUE_NONE;
    v->string = s->extra_json;
}

/* ---- the table ---- */

enum form {
    FORM_READ,        /* by `read` */
    FORM_COUNT,       /* uint64 at a */
    FORM_KNOWN,       /* int64 at a, -1: unknown */
    FORM_FLAG,        /* uint32 at a */
    FORM_STRING,      /* const char * at a */
    FORM_SPAN,        /* ms from int64 a to int64 b */
    FORM_STREAM_SPAN, /* the same, unknown when the answer was not streamed */
};

#define AT(member) offsetof(struct lens_sample, member)
#define READ(name, fn)                     \
    {                                      \
        name, NULL, 0, FORM_READ, 0, 0, fn \
    }
#define NAMED(name, fn)                              \
    {                                                \
        name, NULL, FIELD_NAMED, FORM_READ, 0, 0, fn \
    }
#define COUNT(name, member)                            \
    {                                                  \
        name, NULL, 0, FORM_COUNT, AT(member), 0, NULL \
    }
#define KNOWN(name, member)                            \
    {                                                  \
        name, NULL, 0, FORM_KNOWN, AT(member), 0, NULL \
    }
#define EXTRA(name, member)                                      \
    {                                                            \
        name, NULL, FIELD_EXTRA, FORM_KNOWN, AT(member), 0, NULL \
    }
#define FLAG(name, member)                            \
    {                                                 \
        name, NULL, 0, FORM_FLAG, AT(member), 0, NULL \
    }
#define STRING(name, member)                            \
    {                                                   \
        name, NULL, 0, FORM_STRING, AT(member), 0, NULL \
    }
#define TEXT(name, member)                                        \
    {                                                             \
        name, NULL, FIELD_EXTRA, FORM_STRING, AT(member), 0, NULL \
    }
#define SPAN(name, from, to)                             \
    {                                                    \
        name, NULL, 0, FORM_SPAN, AT(from), AT(to), NULL \
    }
#define STREAM(name, from, to)                                  \
    {                                                           \
        name, NULL, 0, FORM_STREAM_SPAN, AT(from), AT(to), NULL \
    }
#define ERROR(name, column, fn)              \
    {                                        \
        name, column, 0, FORM_READ, 0, 0, fn \
    }
#define TOKENS(name, column, usage)                     \
    {                                                   \
        name, column, 0, FORM_KNOWN, AT(usage), 0, NULL \
    }

const struct field sample_fields[] = {
    COUNT("id", id),
    COUNT("index", index),
    READ("target", read_target),
    READ("stage", read_stage),
    READ("phase", read_phase),
    READ("outcome", read_outcome),
    READ("start_time", read_time),
    COUNT("session", session),
    COUNT("turn", turn),
    READ("item", read_item),
    READ("attempts", read_attempts),

    STREAM("ttft_ms", departure_ns, first_output_ns),
    STREAM("ttft_text_ms", departure_ns, first_text_ns),
    STREAM("ttft_from_due_ms", due_ns, first_output_ns),
    STREAM("ttft_text_from_due_ms", due_ns, first_text_ns),
    STREAM("ttst_ms", first_output_ns, second_output_ns),
    READ("tpot_ms", read_tpot),
    READ("e2e_ms", read_e2e),
    READ("e2e_from_due_ms", read_e2e_from_due),
    SPAN("ttfb_ms", departure_ns, first_byte_ns),
    READ("dns_ms", read_dns),
    READ("connect_ms", read_connect),
    READ("tls_ms", read_tls),
    READ("network_ms", read_rtt),
    READ("server_ms", read_server),
    READ("output_tokens_per_s_per_request", read_rate),

    TOKENS("tokens.input", "input_tokens", usage[LENS_USAGE_INPUT]),
    TOKENS("tokens.cache_read", "cache_read_tokens", usage[LENS_USAGE_CACHE_READ]),
    TOKENS("tokens.cache_write", "cache_write_tokens", usage[LENS_USAGE_CACHE_WRITE]),
    TOKENS("tokens.output", "output_tokens", usage[LENS_USAGE_OUTPUT]),
    TOKENS("tokens.reasoning", "reasoning_tokens", usage[LENS_USAGE_REASONING]),
    { "tokens.partial", "tokens_partial", 0, FORM_FLAG, AT(usage_partial), 0, NULL },
    KNOWN("asked_output_tokens", asked_output_tokens),

    ERROR("error.kind", "error", read_error_kind),
    ERROR("error.class", "error_class", read_error_class),
    ERROR("error.where", "error_where", read_error_where),
    { "error.detail", "error_detail", 0, FORM_STRING, AT(error_detail), 0, NULL },
    READ("http_status", read_http_status),

    COUNT("messages", messages),
    COUNT("output_messages", output_messages),
    FLAG("streamed", streamed),
    STRING("finish", finish),
    STRING("server_id", server_id),
    STRING("served_model", served_model),
    STRING("tier", tier),
    FLAG("reused", reused),
    READ("http_version", read_http_version),
    COUNT("bytes_sent", bytes_sent),
    COUNT("bytes_received", bytes_received),
    READ("departure_clock", read_departure_clock),
    READ("first_clock", read_first_clock),
    READ("cost_reported_usd", read_cost),
    READ("cost_usd", read_cost_usd),
    READ("cost_input_uncached_usd", read_cost_input_uncached),
    READ("cost_cache_read_usd", read_cost_cache_read),
    READ("cost_cache_write_5m_usd", read_cost_cache_write_5m),
    READ("cost_cache_write_1h_usd", read_cost_cache_write_1h),
    READ("cost_output_visible_usd", read_cost_output_visible),
    READ("cost_reasoning_usd", read_cost_reasoning),
    READ("cost_request_usd", read_cost_request),

    KNOWN("due_ns", due_ns),
    KNOWN("start_ns", start_ns),
    EXTRA("dns_ns", dns_ns),
    EXTRA("connect_ns", connect_ns),
    EXTRA("tls_ns", tls_ns),
    EXTRA("departure_first_ns", departure_first_ns),
    KNOWN("departure_ns", departure_ns),
    EXTRA("first_byte_ns", first_byte_ns),
    KNOWN("first_output_ns", first_output_ns),
    EXTRA("first_text_ns", first_text_ns),
    EXTRA("second_output_ns", second_output_ns),
    KNOWN("last_output_ns", last_output_ns),
    KNOWN("terminal_ns", terminal_ns),
    KNOWN("end_ns", end_ns),
    EXTRA("rtt_ns", rtt_ns),
    { "trace_id", NULL, FIELD_EXTRA, FORM_READ, 0, 0, read_trace },
    { "span_id", NULL, FIELD_EXTRA, FORM_READ, 0, 0, read_span },
    NAMED("number", read_number),
    NAMED("run_id", read_run),
    NAMED("provider", read_provider),
    NAMED("api", read_api),
    NAMED("model", read_model),
    NAMED("url", read_url),
    NAMED("success", read_success),
    NAMED("total_tokens", read_total_tokens),
    NAMED("start_unix_s", read_unix_s),
    NAMED("end_time", read_end_time),
    { "extra", NULL, FIELD_EXTRA, FORM_READ, 0, 0, read_extra },
    TEXT("prompt", prompt),
    TEXT("text", text),
    TEXT("reasoning", reasoning),
};
const uint32_t sample_field_count = sizeof sample_fields / sizeof sample_fields[0];

static int64_t
int_at(const struct lens_sample *s, size_t offset)
{
    int64_t integer;

    memcpy(&integer, (const char *)s + offset, sizeof integer);
    return integer;
}

static uint32_t
flag_at(const struct lens_sample *s, size_t offset)
{
    uint32_t flag;

    memcpy(&flag, (const char *)s + offset, sizeof flag);
    return flag;
}

static const char *
string_at(const struct lens_sample *s, size_t offset)
{
    const char *string;

    memcpy(&string, (const char *)s + offset, sizeof string);
    return string;
}

void
field_read(const struct field *f, const struct lens_sample *s,
           const struct run_names *names, struct value *ret)
{
    ret->kind = VALUE_NONE;
    switch (f->form) {
    case FORM_READ:
        f->read(s, names, ret);
        break;
    case FORM_COUNT:
        set_int(ret, int_at(s, f->a));
        break;
    case FORM_KNOWN:
        if (int_at(s, f->a) >= 0)
            set_int(ret, int_at(s, f->a));
        break;
    case FORM_FLAG:
        ret->kind = VALUE_BOOL;
        ret->integer = flag_at(s, f->a) != 0;
        break;
    case FORM_STRING:
        set_string(ret, string_at(s, f->a));
        break;
    case FORM_STREAM_SPAN:
        if (!s->streamed)
            break;
        /* fall through */
    case FORM_SPAN:
        set_span(ret, int_at(s, f->a), int_at(s, f->b));
        break;
    }
}

const char *
field_column(const struct field *f)
{
    return f->column != NULL ? f->column : f->name;
}
