#include "decode-sink.h"

#include <string.h>

static void
free_string(void *data)
{
    if (data != NULL)
        g_string_free(data, TRUE);
}

static void
free_tool(void *data)
{
    struct decode_tool *tool = data;

    g_string_free(tool->name, TRUE);
    g_string_free(tool->arguments, TRUE);
    g_free(tool);
}

static void
free_extra(void *data)
{
    struct decode_extra *extra = data;

    g_free(extra->name);
    g_free(extra->text);
    g_free(extra);
}

static decode_result *
result_begin(void)
{
    decode_result *r = g_new0(decode_result, 1);

    r->first.chunk = r->first_text.chunk = -1;
    r->classes = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    r->texts = g_ptr_array_new_with_free_func(free_string);
    r->reasonings = g_ptr_array_new_with_free_func(free_string);
    r->refusals = g_ptr_array_new_with_free_func(free_string);
    r->finishes = g_ptr_array_new_with_free_func(free_string);
    r->tools = g_ptr_array_new_with_free_func(free_tool);
    r->warnings = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    r->extras = g_ptr_array_new_with_free_func(free_extra);
    r->retry_after_ns = -1;
    for (unsigned i = 0; i < LENS_USAGE_COUNT; i++)
        r->usage[i] = -1;
    return r;
}

void
decode_result_free(decode_result *r)
{
    if (r == NULL)
        return;
    g_array_unref(r->classes);
    g_ptr_array_unref(r->texts);
    g_ptr_array_unref(r->reasonings);
    g_ptr_array_unref(r->refusals);
    g_ptr_array_unref(r->finishes);
    g_ptr_array_unref(r->tools);
    g_array_unref(r->warnings);
    g_ptr_array_unref(r->extras);
    g_free(r->message);
    g_free(r->code);
    g_free(r->request_id);
    g_free(r->model);
    g_free(r->tier);
    g_free(r);
}

/* A choice beyond this is a server's joke; its content goes to the last one. */
enum { LANES_MAX = 1024 };

static GString *
lane_of(GPtrArray *lanes, uint32_t lane)
{
    lane = MIN(lane, LANES_MAX - 1);
    if (lane >= lanes->len)
        g_ptr_array_set_size(lanes, (int)lane + 1);
    if (lanes->pdata[lane] == NULL)
        lanes->pdata[lane] = g_string_new(NULL);
    return lanes->pdata[lane];
}

static void
append(GPtrArray *lanes, const struct lens_event *e)
{
    if (e->text.size > 0)
        g_string_append_len(lane_of(lanes, e->lane), e->text.data, (gssize)e->text.size);
}

static struct decode_tool *
tool_of(decode_result *r, uint32_t lane, uint32_t index)
{
    struct decode_tool *tool;

    for (unsigned i = 0; i < r->tools->len; i++) {
        tool = r->tools->pdata[i];
        if (tool->lane == lane && tool->index == index)
            return tool;
    }
    tool = g_new0(struct decode_tool, 1);
    tool->lane = lane;
    tool->index = index;
    tool->name = g_string_new(NULL);
    tool->arguments = g_string_new(NULL);
    g_ptr_array_add(r->tools, tool);
    return tool;
}

static void
add_tool(decode_result *r, const struct lens_event *e)
{
    struct decode_tool *tool = tool_of(r, e->lane, e->code);

    if (e->name.size > 0)
        g_string_append_len(tool->name, e->name.data, (gssize)e->name.size);
    if (e->text.size > 0)
        g_string_append_len(tool->arguments, e->text.data, (gssize)e->text.size);
}

static void
add_warning(decode_result *r, uint32_t code)
{
    for (unsigned i = 0; i < r->warnings->len; i++)
        if (g_array_index(r->warnings, uint32_t, i) == code)
            return;
    g_array_append_val(r->warnings, code);
}

static char *
copy_bytes(struct lens_bytes b)
{
    return b.size == 0 ? NULL : g_strndup(b.data, b.size);
}

/* The last value of a name wins. */
static void
add_extra(decode_result *r, const struct lens_event *e)
{
    struct decode_extra *extra = NULL;

    for (unsigned i = 0; i < r->extras->len && extra == NULL; i++) {
        struct decode_extra *known = r->extras->pdata[i];

        if (strlen(known->name) == e->name.size &&
            memcmp(known->name, e->name.data, e->name.size) == 0)
            extra = known;
    }
    if (extra == NULL) {
        extra = g_new0(struct decode_extra, 1);
        extra->name = g_strndup(e->name.data, e->name.size);
        g_ptr_array_add(r->extras, extra);
    }
    extra->code = e->code;
    extra->value = e->value;
    extra->number = e->number;
    g_free(extra->text);
    extra->text = g_strndup(e->text.size > 0 ? e->text.data : "", e->text.size);
}

static void
replace(char **text, struct lens_bytes b)
{
    if (b.size > 0) {
        g_free(*text);
        *text = g_strndup(b.data, b.size);
    }
}

static lens_status
on_event(struct lens_sink *sink, const struct lens_event *e)
{
    decode_result *r = ((struct collector *)sink)->result;

    switch (e->kind) {
    case LENS_EV_TEXT:
        append(r->texts, e);
        break;
    case LENS_EV_REASONING:
        append(r->reasonings, e);
        break;
    case LENS_EV_REFUSAL:
        append(r->refusals, e);
        break;
    case LENS_EV_TOOL:
        add_tool(r, e);
        break;
    case LENS_EV_FINISH:
        g_string_truncate(lane_of(r->finishes, e->lane), 0);
        append(r->finishes, e);
        break;
    case LENS_EV_USAGE:
        if (e->code < LENS_USAGE_COUNT)
            r->usage[e->code] = e->value;
        break;
    case LENS_EV_WARN:
        add_warning(r, e->code);
        break;
    case LENS_EV_EXTRA:
        add_extra(r, e);
        break;
    case LENS_EV_ID:
        replace(&r->request_id, e->text);
        break;
    case LENS_EV_MODEL:
        replace(&r->model, e->text);
        break;
    case LENS_EV_TIER:
        replace(&r->tier, e->text);
        break;
    default:
        break;
    }
    return LENS_OK;
}

static lens_status
on_message(struct lens_sink *sink, uint32_t classes, uint64_t start, uint64_t end,
           int64_t tokens)
{
    struct collector *c = (struct collector *)sink;
    decode_result *r = c->result;
    const struct decode_place here = { c->chunk, r->messages, start, end };

    (void)tokens;
    g_array_append_val(r->classes, classes);
    r->messages++;
    if ((classes & LENS_MSG_OUTPUT) == 0)
        return LENS_OK;
    r->outputs++;
    if (r->first.chunk < 0)
        r->first = here;
    if ((classes & LENS_MSG_TEXT) != 0 && r->first_text.chunk < 0)
        r->first_text = here;
    return LENS_OK;
}

static lens_status
on_fault(struct lens_sink *sink, const struct lens_failure *f)
{
    struct collector *c = (struct collector *)sink;
    decode_result *r = c->result;

    if (c->failed)
        return LENS_OK;
    c->failed = true;
    r->error_class = f->error_class;
    r->error_kind = f->kind;
    r->retryable = f->retryable != 0;
    r->retry_after_ns = f->retry_after_ns;
    r->message = copy_bytes(f->message);
    r->code = copy_bytes(f->code);
    replace(&r->request_id, f->request_id);
    return LENS_OK;
}

void
collector_init(struct collector *c)
{
    *c = (struct collector){
        .sink = { .struct_size = sizeof(struct lens_sink),
                  .wants = LENS_WANT_CONTENT,
                  .event = on_event,
                  .message = on_message,
                  .fault = on_fault },
        .result = result_begin(),
    };
}

void
collector_fault(struct collector *c, uint32_t kind, const char *words)
{
    const struct lens_failure failure = {
        .struct_size = sizeof failure,
        .error_class = LENS_CLASS_PROTOCOL_ERROR,
        .kind = kind,
        .retry_after_ns = -1,
        .message = { words, strlen(words) },
    };

    on_fault(&c->sink, &failure);
}
