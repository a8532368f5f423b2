#include "measure.h"

#include <glib.h>
#include <math.h>

static int64_t
between(int64_t from_ns, int64_t to_ns)
{
    if (from_ns == NEVER || to_ns == NEVER)
        return NEVER;
    return MAX(to_ns - from_ns, 0);
}

/* Only a stream has a first token; the output of a whole answer comes at its end. */
static int64_t
in_stream(const attempt *a, int64_t ns)
{
    return a->streamed ? ns : NEVER;
}

static int64_t
done_ns(const attempt *a)
{
    return a->terminal_ns != NEVER ? a->terminal_ns : a->end_ns;
}

/* Steps of making a connection; a step that was not needed takes no time of its own. */
static int64_t
connection_step(const attempt *a, enum metric m)
{
    const int64_t resolved = a->dns_ns != NEVER ? a->dns_ns : a->start_ns;

    if (a->reused)
        return NEVER;
    if (m == METRIC_DNS)
        return between(a->start_ns, a->dns_ns);
    if (m == METRIC_CONNECT)
        return between(resolved, a->connect_ns);
    return between(a->connect_ns, a->tls_ns);
}

static int64_t
tpot(const attempt *a)
{
    const int64_t tokens = a->usage_partial ? -1 : a->usage[LENS_USAGE_OUTPUT];
    const int64_t pace = between(a->first_output_ns, in_stream(a, a->last_output_ns));

    if (pace == NEVER || tokens < 2 || a->output_messages < 2)
        return NEVER; /* one message has no pace, however many tokens it carries */
    return (pace + (tokens - 1) / 2) / (tokens - 1);
}

static int64_t
request_rate(const attempt *a)
{
    const int64_t tokens = a->usage_partial ? -1 : a->usage[LENS_USAGE_OUTPUT];
    const int64_t e2e = between(a->departure_ns, done_ns(a));

    if (e2e <= 0 || tokens < 0)
        return NEVER;
    return (int64_t)MIN((double)tokens * 1e15 / (double)e2e, 9e18);
}

static int64_t
tokens(int64_t count)
{
    return count >= 0 && count < INT64_MAX / 1000000 ? count * 1000000 : NEVER;
}

static int64_t
server(const attempt *a)
{
    const int64_t ttft = between(a->departure_ns, in_stream(a, a->first_output_ns));

    if (ttft == NEVER || a->rtt_ns < 0)
        return NEVER;
    return MAX(ttft - a->rtt_ns, 0);
}

int64_t
measure_metric(const sample *s, enum metric m)
{
    const attempt *a = sample_last(s);

    switch (m) {
    case METRIC_TTFT:
        return between(a->departure_ns, in_stream(a, a->first_output_ns));
    case METRIC_TTFT_TEXT:
        return between(a->departure_ns, in_stream(a, a->first_text_ns));
    case METRIC_TTFT_FROM_DUE:
        return between(s->due_ns, in_stream(a, a->first_output_ns));
    case METRIC_TTFT_TEXT_FROM_DUE:
        return between(s->due_ns, in_stream(a, a->first_text_ns));
    case METRIC_TTST:
        return between(a->first_output_ns, in_stream(a, a->second_output_ns));
    case METRIC_TPOT:
        return tpot(a);
    case METRIC_E2E:
        return between(a->departure_ns, done_ns(a));
    case METRIC_E2E_FROM_DUE:
        return between(s->due_ns, done_ns(a));
    case METRIC_TTFB:
        return between(a->departure_ns, a->first_byte_ns);
    case METRIC_DNS:
    case METRIC_CONNECT:
    case METRIC_TLS:
        return connection_step(a, m);
    case METRIC_NETWORK:
        return a->rtt_ns >= 0 ? a->rtt_ns : NEVER;
    case METRIC_SERVER:
        return server(a);
    case METRIC_REQUEST_RATE:
        return request_rate(a);
    case METRIC_START_LATE: /* a wait that the user asked for is not late */
        return between(s->due_ns == NEVER ? NEVER : s->due_ns + s->bucket_wait_ns,
                       s->attempts[0].start_ns);
    case METRIC_FIRST_CHUNK:
        return between(a->start_ns, in_stream(a, a->first_message_ns));
    case METRIC_DURATION:
        return between(s->attempts[0].start_ns, done_ns(a));
    case METRIC_INPUT_TOKENS:
        return tokens(a->usage[LENS_USAGE_INPUT]);
    case METRIC_OUTPUT_TOKENS:
        return tokens(a->usage_partial ? -1 : a->usage[LENS_USAGE_OUTPUT]);
    case METRIC_ITL:
    case METRIC_ITL_TOKEN:
    case METRIC_LAG:
    case METRIC_COUNT:
        break;
    }
    return NEVER;
}

void
gap_read(gap_reader *r, const attempt *a)
{
    timeline_read(&r->marks, a->messages_log.data, a->messages_log.size);
    r->previous_ns = NEVER;
}

bool
gap_next(gap_reader *r, struct gap *ret)
{
    struct timeline_mark mark;

    while (timeline_next(&r->marks, &mark)) {
        const int64_t previous_ns = r->previous_ns;

        if ((mark.classes & LENS_MSG_OUTPUT) == 0)
            continue;
        r->previous_ns = mark.at_ns;
        if (previous_ns == NEVER)
            continue;
        *ret = (struct gap){ MAX(mark.at_ns - previous_ns, 0), mark.tokens };
        return true;
    }
    return false;
}

bool
measure_has_gaps(const attempt *a)
{
    return a->streamed && (a->messages_log.size > 0 || a->output_messages < 2);
}

static double
logged_share(const attempt *a, int64_t start_ns, int64_t end_ns)
{
    struct timeline_mark mark;
    timeline_reader r;
    uint64_t inside = 0, all = 0;

    timeline_read(&r, a->messages_log.data, a->messages_log.size);
    while (timeline_next(&r, &mark)) {
        if ((mark.classes & LENS_MSG_OUTPUT) == 0)
            continue;
        all++;
        if (mark.at_ns >= start_ns && mark.at_ns <= end_ns)
            inside++;
    }
    return all > 0 ? (double)inside / (double)all : NAN;
}

double
measure_share(const attempt *a, int64_t start_ns, int64_t end_ns)
{
    const int64_t end = done_ns(a);
    int64_t first = a->first_output_ns, last = a->last_output_ns;
    double share = NAN;

    if (first == NEVER || last == NEVER)
        first = last = end;
    if (first >= start_ns && last <= end_ns)
        return 1;
    if (last < start_ns || first > end_ns)
        return 0;
    if (a->messages_log.size > 0)
        share = logged_share(a, start_ns, end_ns);
    if (isnan(share)) /* as if it had come evenly; last > first here */
        share =
            (double)(MIN(last, end_ns) - MAX(first, start_ns)) / (double)(last - first);
    return share;
}

static bool
gaps_meet(const attempt *a, const slo *condition, bool per_token)
{
    gap_reader r;
    struct gap g;
    bool any = false;

    if (!measure_has_gaps(a))
        return false;
    gap_read(&r, a);
    while (gap_next(&r, &g)) {
        if (per_token && g.tokens <= 0)
            return false;
        if (!slo_met(condition, (double)g.ns / (per_token ? (double)g.tokens : 1) / 1e6))
            return false;
        any = true;
    }
    return any;
}

bool
measure_meets(const sample *s, const slo *condition)
{
    const enum metric m = metric_from_id(condition->metric);
    int64_t value;

    if (m == METRIC_COUNT)
        return false;
    if (m == METRIC_ITL || m == METRIC_ITL_TOKEN)
        return gaps_meet(sample_last(s), condition, m == METRIC_ITL_TOKEN);
    value = measure_metric(s, m);
    return value != NEVER && slo_met(condition, (double)value / metric_get(m)->scale);
}
