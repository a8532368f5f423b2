#include "exporter-batch.h"

#include <string.h>

#include "timeline.h"
#include "trace.h"

/* A batch ends early rather than to hold more than this. */
#define MOST_MARKS 200000

struct batch {
    GArray *samples;                  /* struct lens_sample */
    GPtrArray *pointers;              /* to these, when they lie still */
    GArray *ranks, *marks, *attempts; /* uint64_t, struct lens_mark, lens_attempt */
    uint64_t trace_seed;
    GStringChunk *strings;
};

batch *
batch_new(uint64_t trace_seed)
{
    batch *b = g_new0(batch, 1);

    b->samples = g_array_new(FALSE, TRUE, sizeof(struct lens_sample));
    b->pointers = g_ptr_array_new();
    b->ranks = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    b->marks = g_array_new(FALSE, FALSE, sizeof(struct lens_mark));
    b->attempts = g_array_new(FALSE, TRUE, sizeof(struct lens_attempt));
    b->strings = g_string_chunk_new(4096);
    b->trace_seed = trace_seed;
    return b;
}

void
batch_free(batch *b)
{
    if (b == NULL)
        return;
    g_array_unref(b->samples);
    g_ptr_array_unref(b->pointers);
    g_array_unref(b->ranks);
    g_array_unref(b->marks);
    g_array_unref(b->attempts);
    g_string_chunk_free(b->strings);
    g_free(b);
}

static const char *
keep(batch *b, const char *text)
{
    return text != NULL ? g_string_chunk_insert(b->strings, text) : NULL;
}

static void
copy_request(batch *b, const sample *s, struct lens_sample *to)
{
    to->outcome = s->outcome;
    to->id = s->id;
    to->index = s->index;
    to->session = s->session;
    to->turn = s->turn;
    to->item = s->item;
    to->target = s->target;
    to->stage = s->stage;
    to->phase = s->phase;
    to->attempt = s->attempt_count - 1;
    to->unix_ns = s->start_unix_ns;
    to->due_ns = s->due_ns;
    to->asked_output_tokens = s->asked_output_tokens;
    for (size_t i = 0; i < G_N_ELEMENTS(to->cost); i++)
        to->cost[i] = i < LENS_COST_COUNT ? s->cost[i] : -1;
    to->cost_total = s->cost_total;
    to->text = keep(b, s->text);
    to->reasoning = keep(b, s->reasoning);
    to->prompt = keep(b, s->prompt);
}

static void
copy_times(const attempt *a, struct lens_sample *to)
{
    to->start_ns = a->start_ns;
    to->dns_ns = a->dns_ns;
    to->connect_ns = a->connect_ns;
    to->tls_ns = a->tls_ns;
    to->departure_first_ns = a->departure_first_ns;
    to->departure_ns = a->departure_ns;
    to->first_byte_ns = a->first_byte_ns;
    to->first_output_ns = a->first_output_ns;
    to->first_text_ns = a->first_text_ns;
    to->second_output_ns = a->second_output_ns;
    to->last_output_ns = a->last_output_ns;
    to->terminal_ns = a->terminal_ns;
    to->end_ns = a->end_ns;
    to->departure_clock = a->departure_clock;
    to->first_clock = a->first_clock;
    to->rtt_ns = a->rtt_ns;
}

static void
copy_answer(batch *b, const attempt *a, struct lens_sample *to)
{
    to->bytes_sent = a->bytes_sent;
    to->bytes_received = a->bytes_received;
    to->reused = a->reused;
    to->http_version = a->http_version;
    to->http_status = a->http_status;
    to->streamed = a->streamed;
    to->messages = a->messages;
    to->output_messages = a->output_messages;
    for (size_t u = 0; u < G_N_ELEMENTS(to->usage); u++)
        to->usage[u] = u > 0 && u < LENS_USAGE_COUNT ? a->usage[u] : -1;
    to->usage_partial = a->usage_partial;
    to->error_class = a->error_class;
    to->error_kind = a->error_kind;
    to->error_where = a->error_where;
    to->error_detail = keep(b, a->error_detail);
    to->finish = keep(b, a->finish);
    to->server_id = keep(b, a->server_id);
    to->served_model = keep(b, a->served_model);
    to->tier = keep(b, a->tier);
    to->extra_json = keep(b, a->extra_json);
    to->cost_reported_usd = a->cost_reported_usd;
}

/* Messages that came with one read follow each other; each gets their number. */
static void
close_read(GArray *marks, guint first)
{
    for (guint i = first; i < marks->len; i++)
        g_array_index(marks, struct lens_mark, i).shared = marks->len - first;
}

static void
copy_marks(batch *b, const timeline *log, struct lens_sample *to)
{
    const guint begin = b->marks->len;
    guint read = begin;
    timeline_reader r;
    struct timeline_mark m;

    timeline_read(&r, log->data, log->size);
    while (timeline_next(&r, &m)) {
        const struct lens_mark mark = {
            .at_ns = m.at_ns, .tokens = m.tokens, .classes = m.classes, .clock = m.clock
        };

        if (!m.shared) {
            close_read(b->marks, read);
            read = b->marks->len;
        }
        g_array_append_val(b->marks, mark);
    }
    close_read(b->marks, read);
    to->mark_count = b->marks->len - begin;
    to->mark_size = sizeof(struct lens_mark);
}

static void
copy_trace(const batch *b, const sample *s, struct lens_sample *to)
{
    static const uint8_t none[8];

    if (memcmp(s->span_id, none, sizeof none) == 0) {
        trace_ids(b->trace_seed, s->id, to->trace_id, to->span_id);
        return;
    }
    memcpy(to->trace_id, s->trace_id, sizeof to->trace_id);
    memcpy(to->span_id, s->span_id, sizeof to->span_id);
}

static void
copy_attempts(batch *b, const sample *s, struct lens_sample *to)
{
    for (uint32_t i = 0; i < s->attempt_count; i++) {
        const attempt *a = &s->attempts[i];
        struct lens_attempt try = {
            .number = i,
            .error_class = a->error_class,
            .error_kind = a->error_kind,
            .error_where = a->error_where,
            .http_status = a->http_status,
            .start_ns = a->start_ns,
            .departure_ns = a->departure_ns,
            .first_byte_ns = a->first_byte_ns,
            .first_output_ns = a->first_output_ns,
            .end_ns = a->end_ns,
            .error_detail =
                i + 1 < s->attempt_count ? keep(b, a->error_detail) : to->error_detail,
        };

        trace_attempt(to->trace_id, i, try.span_id);
        g_array_append_val(b->attempts, try);
    }
    to->attempt_count = s->attempt_count;
    to->attempt_size = sizeof(struct lens_attempt);
}

static bool
add_sample(const sample *s, uint64_t rank, void *data)
{
    batch *b = data;
    const attempt *last = sample_last(s);
    struct lens_sample *to;

    g_array_set_size(b->samples, b->samples->len + 1);
    to = &g_array_index(b->samples, struct lens_sample, b->samples->len - 1);
    to->struct_size = sizeof *to;
    copy_request(b, s, to);
    copy_times(last, to);
    copy_answer(b, last, to);
    copy_trace(b, s, to);
    copy_attempts(b, s, to);
    copy_marks(b, &last->messages_log, to);
    g_array_append_val(b->ranks, rank);
    return b->marks->len < MOST_MARKS;
}

bool
batch_read(batch *b, runfile *f, uint64_t after, uint64_t limit, GError **error)
{
    guint mark = 0, tries = 0;

    g_array_set_size(b->samples, 0);
    g_ptr_array_set_size(b->pointers, 0);
    g_array_set_size(b->ranks, 0);
    g_array_set_size(b->marks, 0);
    g_array_set_size(b->attempts, 0);
    g_string_chunk_clear(b->strings);
    if (!runfile_each_sample(f, after, limit, add_sample, b, error))
        return false;
    for (guint i = 0; i < b->samples->len; i++) { /* they lie still now */
        struct lens_sample *s = &g_array_index(b->samples, struct lens_sample, i);

        if (s->mark_count > 0)
            s->marks = &g_array_index(b->marks, struct lens_mark, mark);
        mark += s->mark_count;
        s->attempts = &g_array_index(b->attempts, struct lens_attempt, tries);
        tries += s->attempt_count;
        g_ptr_array_add(b->pointers, s);
    }
    return true;
}

uint64_t
batch_count(const batch *b)
{
    return b->samples->len;
}

const struct lens_sample *const *
batch_samples(const batch *b)
{
    return (const struct lens_sample *const *)b->pointers->pdata;
}

uint64_t
batch_rank(const batch *b, uint64_t count)
{
    return g_array_index(b->ranks, uint64_t, count - 1);
}
