#include "mock-private.h"

static struct lens_bytes
borrow(GBytes *bytes)
{
    gsize size = 0;
    const char *data = bytes != NULL ? g_bytes_get_data(bytes, &size) : NULL;

    return (struct lens_bytes){ data != NULL ? data : "", size };
}

static struct lens_mock_step
step_with_usage(const struct answer *a, const mock *m, uint32_t kind)
{
    return (struct lens_mock_step){
        .struct_size = sizeof(struct lens_mock_step),
        .kind = kind,
        .status = 200,
        .error_kind = LENS_KIND_SERVER,
        .input_tokens = MAX(a->turn.input_tokens, m->settings.cached),
        .cached_tokens = m->settings.cached,
        .output_tokens = a->sent,
        .reasoning_tokens = a->reasoning,
    };
}

static struct lens_bytes
string_bytes(const GString *text)
{
    return (struct lens_bytes){ text->str, text->len };
}

/* All that the script says. */
static void
fill_whole(const mock_script *s, struct lens_mock_step *step, struct lens_bytes *ret_text)
{
    *ret_text = string_bytes(s->text);
    step->reasoning = string_bytes(s->reasoning);
    step->name = string_bytes(s->tool);
    step->arguments = string_bytes(s->arguments);
}

lens_status
script_whole(struct connection *c)
{
    mock *m = c->server;
    const mock_script *s = m->script;
    struct answer *a = &c->answer;
    struct lens_mock_step step;

    a->sent = s->tokens;
    a->reasoning = s->reasoning_tokens;
    m->truth.tokens += (uint64_t)s->tokens;
    step = step_with_usage(a, m, LENS_STEP_WHOLE);
    fill_whole(s, &step, &step.text);
    step.finish.data = s->finish != NULL ? s->finish : "stop";
    step.finish.size = strlen(step.finish.data);
    return render_step(c, &step);
}

static lens_status
render_entry(struct connection *c, const struct script_entry *e)
{
    static const uint32_t steps[] = {
        [SCRIPT_TEXT] = LENS_STEP_TEXT,
        [SCRIPT_REASONING] = LENS_STEP_REASONING,
        [SCRIPT_TOOL] = LENS_STEP_TOOL,
        [SCRIPT_FINISH] = LENS_STEP_FINISH,
        [SCRIPT_ERROR] = LENS_STEP_ERROR,
        [SCRIPT_RAW] = 0,
        [SCRIPT_CLOSE] = 0,
        [SCRIPT_PAUSE] = 0,
    };
    mock *m = c->server;
    struct answer *a = &c->answer;
    struct lens_mock_step step;

    if (e->kind == SCRIPT_RAW) {
        const struct lens_bytes raw = borrow(e->content);

        return buffer_append(&m->render, raw.data, raw.size);
    }
    if (steps[e->kind] == 0)
        return LENS_OK;
    if (!a->begun && content_begin(c) != LENS_OK)
        return LENS_E_FAILED;
    a->sent += e->tokens;
    if (e->kind == SCRIPT_REASONING)
        a->reasoning += e->tokens;
    m->truth.tokens += (uint64_t)e->tokens;
    step = step_with_usage(a, m, steps[e->kind]);
    step.text = borrow(e->content);
    step.name = borrow(e->name);
    if (e->kind == SCRIPT_FINISH) {
        step.finish = step.text;
        fill_whole(m->script, &step, &step.said);
    } else if (e->kind != SCRIPT_REASONING) {
        step.reasoning = string_bytes(m->script->reasoning);
    }
    return render_step(c, &step);
}

int64_t
script_due(const struct connection *c)
{
    const GArray *entries = c->server->script->entries;
    const struct answer *a = &c->answer;
    const unsigned at = a->turn.stream != 0 ? a->script_at : entries->len - 1;

    return a->base_ns + g_array_index(entries, struct script_entry, at).at_ns;
}

/* One entry is one send(). The body ends with the last one. */
void
script_fire(struct connection *c)
{
    const GArray *entries = c->server->script->entries;
    struct answer *a = &c->answer;
    const struct script_entry *e =
        &g_array_index(entries, struct script_entry, a->script_at++);

    if (e->kind == SCRIPT_CLOSE) {
        connection_close(c);
        return;
    }
    render_begin(c->server);
    if (render_entry(c, e) != LENS_OK) {
        connection_close(c);
        return;
    }
    answer_send(c, e->kind <= SCRIPT_TOOL, a->script_at == entries->len);
}
