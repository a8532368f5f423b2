#include "mock-private.h"

#include "chrono.h"

/* Where the time of token `token` lies: never before that of the one before it. */
int64_t
answer_token_due(const struct connection *c, int64_t token)
{
    const mock_settings *s = &c->server->settings;
    const struct answer *a = &c->answer;
    int64_t due_ns = a->base_ns + s->ttft_ns + token * s->itl_ns;

    if (s->jitter_ns > 0) {
        const uint64_t drawn =
            random_at(s->seed, RAND_JITTER, (a->number << 24) + (uint64_t)token);

        due_ns += (int64_t)(drawn % (uint64_t)(2 * s->jitter_ns + 1)) - s->jitter_ns;
    }
    return MAX(due_ns, c->due_ns);
}

void
answer_schedule(struct connection *c, int64_t due_ns)
{
    if (c->pending.size - c->pending_sent <= PENDING_MAX) {
        heap_set(&c->server->heap, c, due_ns);
        return;
    }
    heap_remove(&c->server->heap, c);
    c->due_ns = due_ns;
    c->waiting = true;
}

void
answer_note_output(struct connection *c)
{
    mock *m = c->server;
    struct answer *a = &c->answer;

    if (a->fault == FAULT_COUNT) {
        if (a->output_ns != 0) {
            histogram_record(m->truth.itl, m->sent_ns - a->output_ns);
        } else {
            histogram_record(m->truth.ttft_kernel, m->sent_ns - a->arrival_ns);
            histogram_record(m->truth.ttft_read, m->sent_ns - a->read_ns);
        }
        histogram_record(m->truth.late, m->sent_ns - c->due_ns);
    }
    a->output_ns = m->sent_ns;
}

void
answer_end(struct connection *c)
{
    mock *m = c->server;
    struct answer *a = &c->answer;

    heap_remove(&m->heap, c);
    m->in_flight--;
    a->phase = PHASE_IDLE;
    c->idle_ns = m->sent_ns;
    if (a->fault == FAULT_COUNT) {
        m->truth.answered++;
        histogram_record(m->truth.e2e, m->sent_ns - a->arrival_ns);
    }
    if (!a->keep_alive)
        connection_finish(c);
}

void
answer_continue(struct connection *c, bool end)
{
    struct answer *a = &c->answer;

    if (end) {
        answer_end(c);
    } else if (c->server->script != NULL) {
        a->phase = PHASE_SCRIPT;
        answer_schedule(c, script_due(c));
    } else {
        a->phase = PHASE_STREAM;
        answer_schedule(c, answer_token_due(c, a->sent));
    }
}

void
answer_send(struct connection *c, bool output, bool end)
{
    if (!fault_send(c, render_frame(c, end), end))
        return;
    if (output)
        answer_note_output(c);
    answer_continue(c, end);
}

static void
give_up(struct connection *c)
{
    g_warning("mock: provider %s cannot encode the answer", c->answer.provider->name);
    connection_close(c);
}

void
answer_send_tokens(struct connection *c)
{
    struct answer *a = &c->answer;
    const int64_t count = content_count(c);
    lens_status st = LENS_OK;
    bool end;

    render_begin(c->server);
    if (!a->begun)
        st = content_begin(c);
    if (st == LENS_OK && count > 0)
        st = content_tokens(c, count);
    end = a->sent >= a->total;
    if (st == LENS_OK && end)
        st = content_finish(c);
    if (st == LENS_OK)
        answer_send(c, count > 0, end);
    else
        give_up(c);
}

static void
fire_whole(struct connection *c)
{
    render_begin(c->server);
    if (content_whole(c) != LENS_OK)
        give_up(c);
    else if (fault_send(c,
                        render_whole(c, 200, "application/json", "",
                                     content_rendered(c->server)),
                        true))
        answer_end(c);
}

void
answer_fire(struct connection *c)
{
    struct answer *a = &c->answer;

    switch ((enum phase)a->phase) {
    case PHASE_STREAM:
        if (a->fault_at < 0 || a->sent < a->fault_at || !fault_in_stream(c))
            answer_send_tokens(c);
        break;
    case PHASE_WHOLE:
        fire_whole(c);
        break;
    case PHASE_SCRIPT:
        script_fire(c);
        break;
    case PHASE_HEAD:
        fault_fire_head(c);
        break;
    case PHASE_HELD:
        fault_fire_held(c);
        break;
    case PHASE_DRIP:
        fault_fire_drip(c);
        break;
    case PHASE_IDLE:
    case PHASE_STALLED:
    case PHASE_LINGER:
        connection_close(c);
        break;
    }
}

static int64_t
first_due(const struct connection *c)
{
    const struct answer *a = &c->answer;

    if (c->server->script != NULL)
        return script_due(c);
    /* A whole answer is there when its last token is. */
    return answer_token_due(c, a->phase == PHASE_WHOLE ? MAX(0, a->total - 1) : 0);
}

void
answer_start(struct connection *c)
{
    mock *m = c->server;
    const mock_settings *s = &m->settings;
    struct answer *a = &c->answer;

    a->arrival_ns = MAX(c->rx_ns, c->idle_ns);
    a->read_ns = MAX(c->read_ns, c->idle_ns);
    a->base_ns = a->arrival_ns;
    a->reasoning = s->reasoning;
    a->total = s->tokens + s->reasoning;
    if (a->turn.max_output >= 0 && a->turn.max_output < a->total) {
        a->total = a->turn.max_output;
        a->cut_by_limit = true;
    }
    a->reasoning = m->script != NULL ? 0 : MIN(a->reasoning, a->total);
    a->fault = (uint8_t)fault_draw(m, a->number);
    a->fault_at = -1;
    a->phase = a->turn.stream == 0 ? PHASE_WHOLE
               : m->script != NULL ? PHASE_SCRIPT
                                   : PHASE_STREAM;
    c->due_ns = 0;
    m->in_flight++;
    m->truth.requests++;
    m->truth.streams += a->turn.stream != 0;
    if (a->fault != FAULT_COUNT)
        m->truth.faults[a->fault]++;
    if (fault_start(c))
        answer_schedule(c, first_due(c));
}
