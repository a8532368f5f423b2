#include "mock-private.h"

#include <string.h>

static struct lens_bytes
text_bytes(const char *text)
{
    return (struct lens_bytes){ text, strlen(text) };
}

static struct lens_mock_step
step_of(const struct connection *c, uint32_t kind)
{
    const struct answer *a = &c->answer;
    const int64_t cached = MAX(0, c->server->settings.cached);

    return (struct lens_mock_step){
        .struct_size = sizeof(struct lens_mock_step),
        .kind = kind,
        .status = 200,
        .input_tokens = MAX(a->turn.input_tokens, cached),
        .cached_tokens = cached,
        .output_tokens = a->sent,
        .reasoning_tokens = MIN(a->reasoning, a->sent),
    };
}

static const char *
finish_reason(const struct connection *c)
{
    if (c->answer.cut_by_limit)
        return "length";
    return c->server->tool != NULL ? "tool_calls" : "stop";
}

/* The next token is the name with which a tool call starts: a message of its own. */
static bool
starts_call(const struct connection *c)
{
    return c->server->tool != NULL && c->answer.sent == c->answer.reasoning;
}

int64_t
content_count(const struct connection *c)
{
    const struct answer *a = &c->answer;
    const int64_t border = a->sent < a->reasoning ? a->reasoning : a->total;

    if (starts_call(c))
        return MIN(1, border - a->sent);
    return MIN(c->server->settings.tokens_per_chunk, border - a->sent);
}

/* Words [from, from + count) joined. One word is handed out as it is. */
static struct lens_bytes
join_words(struct connection *c, int64_t from, int64_t count)
{
    struct lens_buffer *to = &c->server->fragment;
    const bool multibyte = c->answer.fault == FAULT_SPLIT_UTF8;

    if (count == 1)
        return words_token(from, multibyte);
    to->size = 0;
    for (int64_t i = from; i < from + count; i++) {
        const struct lens_bytes word = words_token(i, multibyte);

        buffer_append(to, word.data, word.size);
    }
    return (struct lens_bytes){ to->data != NULL ? to->data : "", to->size };
}

/* The same as the one JSON argument of a call: {"text":"..."}. The first token of a call
 * is its name, the others are its arguments. */
static struct lens_bytes
join_arguments(struct connection *c, int64_t from, int64_t count)
{
    struct lens_buffer *to = &c->server->fragment;
    const struct answer *a = &c->answer;
    const int64_t start = a->reasoning + 1;

    to->size = 0;
    if (a->total <= start) /* no token is left for them */
        buffer_append(to, "{}", 2);
    else if (from <= start)
        buffer_append(to, "{\"text\":\"", 9);
    for (int64_t i = MAX(from, start); i < from + count; i++) {
        const struct lens_bytes word =
            words_token(i - start, a->fault == FAULT_SPLIT_UTF8);

        buffer_append(to, word.data, word.size);
    }
    if (a->total > start && from + count == a->total && !a->cut_by_limit)
        buffer_append(to, "\"}", 2);
    return (struct lens_bytes){ to->data, to->size };
}

/* The fault huge_line: the same text, and then more and more of it. */
static struct lens_bytes
make_huge(struct connection *c, struct lens_bytes text)
{
    struct lens_buffer *to = &c->server->fragment;

    if (text.data != to->data) {
        to->size = 0;
        buffer_append(to, text.data, text.size);
    }
    for (int64_t i = 1; to->size < HUGE_LINE; i++) {
        const struct lens_bytes word = words_token(i, false);

        buffer_append(to, word.data, word.size);
    }
    return (struct lens_bytes){ to->data, to->size };
}

struct lens_bytes
content_rendered(const mock *m)
{
    return (struct lens_bytes){ m->render.data + RENDER_ROOM,
                                m->render.size - RENDER_ROOM };
}

lens_status
content_begin(struct connection *c)
{
    const struct lens_mock_step step = step_of(c, LENS_STEP_BEGIN);

    c->answer.begun = true;
    return render_step(c, &step);
}

/* All reasoning of the answer. */
static struct lens_bytes
whole_reasoning(struct connection *c)
{
    struct lens_buffer *to = &c->server->reasoning;

    if (c->answer.reasoning == 0)
        return (struct lens_bytes){ "", 0 };
    to->size = 0;
    for (int64_t i = 0; i < c->answer.reasoning; i++) {
        const struct lens_bytes word =
            words_token(i, c->answer.fault == FAULT_SPLIT_UTF8);

        buffer_append(to, word.data, word.size);
    }
    return (struct lens_bytes){ to->data, to->size };
}

/* All that comes behind the reasoning: visible text into `ret_text`, or a call. */
static void
whole_rest(struct connection *c, struct lens_mock_step *step, struct lens_bytes *ret_text)
{
    const struct answer *a = &c->answer;
    const int64_t visible = a->total - a->reasoning;

    if (c->server->tool == NULL) {
        *ret_text = join_words(c, 0, visible);
    } else if (visible > 0) {
        step->name = text_bytes(c->server->tool);
        step->arguments = join_arguments(c, a->reasoning, visible);
    }
}

lens_status
content_tokens(struct connection *c, int64_t count)
{
    struct answer *a = &c->answer;
    struct lens_mock_step step = step_of(c, LENS_STEP_TEXT);

    /* Some protocols repeat the reasoning where it ends. */
    if (a->sent == a->reasoning)
        step.reasoning = whole_reasoning(c);
    if (a->sent < a->reasoning) {
        step.kind = LENS_STEP_REASONING;
        step.text = join_words(c, a->sent, count);
    } else if (c->server->tool != NULL) {
        step.kind = LENS_STEP_TOOL;
        if (starts_call(c))
            step.name = text_bytes(c->server->tool);
        if (!starts_call(c) || a->total == a->sent + 1)
            step.text = join_arguments(c, a->sent, count);
    } else {
        step.text = join_words(c, a->sent - a->reasoning, count);
    }
    if (a->huge)
        step.text = make_huge(c, step.text);
    a->huge = false;
    a->sent += count;
    c->server->truth.tokens += (uint64_t)count;
    return render_step(c, &step);
}

lens_status
content_finish(struct connection *c)
{
    struct lens_mock_step step = step_of(c, LENS_STEP_FINISH);

    step.reasoning = whole_reasoning(c);
    whole_rest(c, &step, &step.said);
    step.text = text_bytes(finish_reason(c));
    step.finish = step.text;
    return render_step(c, &step);
}

lens_status
content_error(struct connection *c, uint32_t kind, int status, const char *text,
              uint32_t step_kind)
{
    struct lens_mock_step step = step_of(c, step_kind);

    step.error_kind = kind;
    step.status = status;
    step.text = text_bytes(text);
    return render_step(c, &step);
}

lens_status
content_whole(struct connection *c)
{
    mock *m = c->server;
    struct answer *a = &c->answer;
    struct lens_mock_step step;

    if (m->script != NULL)
        return script_whole(c);
    a->sent = a->total;
    m->truth.tokens += (uint64_t)a->total;
    step = step_of(c, LENS_STEP_WHOLE);
    step.reasoning = whole_reasoning(c);
    whole_rest(c, &step, &step.text);
    if (m->tool == NULL && a->fault == FAULT_HUGE_LINE)
        step.text = make_huge(c, step.text);
    step.finish = text_bytes(finish_reason(c));
    return render_step(c, &step);
}
