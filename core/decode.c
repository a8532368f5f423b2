#include "decode.h"

#include <string.h>

#include "chrono.h"
#include "error.h"
#include "host.h"

/* The sink of one run, and where the run stands. */
struct collector {
    struct lens_sink sink; /* first: the plugin's pointer is ours */
    decode_result *result;
    int64_t chunk;
    bool failed;
};

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

/* ---- the sink ---- */

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

/* ---- the run ---- */

static const struct lens_api *
api_at(const plugin *p, unsigned index)
{
    const struct lens_provider *ops = &p->ops.provider;

    return (const struct lens_api *)((const char *)ops->apis +
                                     (size_t)index * ops->api_size);
}

static bool
set_option(option_values *v, const char *name, JsonNode *node, GError **error)
{
    g_autofree char *text = NULL;

    if (JSON_NODE_HOLDS_NULL(node))
        return true;
    if (JSON_NODE_HOLDS_ARRAY(node)) {
        JsonArray *list = json_node_get_array(node);

        for (unsigned i = 0; i < json_array_get_length(list); i++)
            if (!set_option(v, name, json_array_get_element(list, i), error))
                return false;
        return true;
    }
    if (JSON_NODE_HOLDS_VALUE(node) && json_node_get_value_type(node) == G_TYPE_STRING)
        text = g_strdup(json_node_get_string(node));
    else
        text = json_to_string(node, FALSE);
    return option_values_set(v, name, text, error);
}

/* Decoding needs no server: what only tells where one is gets a place holder. */
static const char *
place_holder(uint32_t type)
{
    switch (type) {
    case LENS_OPT_URL:
        return "http://127.0.0.1";
    case LENS_OPT_STRING:
    case LENS_OPT_PATH:
        return "none";
    case LENS_OPT_SECRET:
        return "env:NONE";
    default:
        return NULL;
    }
}

static bool
fill_required(option_values *v, const struct lens_schema *schema, GError **error)
{
    for (uint32_t i = 0; i < schema->count; i++) {
        const struct lens_option *o =
            (const struct lens_option *)((const char *)schema->items +
                                         (size_t)i * schema->item_size);

        if ((o->flags & LENS_OPT_REQUIRED) == 0 || option_values_is_set(v, o->name) ||
            place_holder(o->type) == NULL)
            continue;
        if (!option_values_set(v, o->name, place_holder(o->type), error))
            return false;
    }
    return true;
}

static option_values *
options_of(const decode_case *c, const plugin *p, GError **error)
{
    g_autofree char *owner = g_strconcat("provider ", p->name, NULL);
    g_autoptr(option_values) v = option_values_new(&p->ops.provider.options, owner);
    g_autoptr(GList) names = NULL;

    if (c->options != NULL)
        names = json_object_get_members(c->options);
    for (GList *at = names; at != NULL; at = at->next)
        if (!set_option(v, at->data, json_object_get_member(c->options, at->data), error))
            return NULL;
    if (!fill_required(v, &p->ops.provider.options, error) ||
        !option_values_finish(v, false, error))
        return NULL;
    return g_steal_pointer(&v);
}

static struct lens_bytes
bytes_of(const char *text)
{
    return (struct lens_bytes){ text, strlen(text) };
}

static GArray *
headers_of(const decode_case *c)
{
    GArray *headers = g_array_new(FALSE, TRUE, sizeof(struct lens_pair));

    for (unsigned i = 0; i + 1 < c->headers->len; i += 2) {
        const struct lens_pair pair = { bytes_of(c->headers->pdata[i]),
                                        bytes_of(c->headers->pdata[i + 1]) };

        g_array_append_val(headers, pair);
    }
    return headers;
}

/* The plugin gave up without a fault: its words are ours. */
static void
own_fault(struct collector *c, instance *i, lens_status status)
{
    g_autofree char *words = instance_failure(i);
    const struct lens_failure failure = {
        .struct_size = sizeof failure,
        .error_class = LENS_CLASS_PROTOCOL_ERROR,
        .kind = status == LENS_E_TOO_LARGE ? LENS_KIND_TOO_LARGE : LENS_KIND_PROTOCOL,
        .retry_after_ns = -1,
        .message = bytes_of(words),
    };

    on_fault(&c->sink, &failure);
}

static lens_status
feed(struct collector *c, const decode_case *dc, const struct lens_provider *ops,
     void *stream)
{
    size_t at = 0;
    lens_status st = LENS_OK;

    for (unsigned i = 0; i < dc->ends->len && st >= LENS_OK; i++) {
        const size_t end = g_array_index(dc->ends, size_t, i);

        c->chunk = i;
        if (end > at) {
            /* A copy of exactly this read: a plugin that looks beyond it is found out. */
            g_autofree void *read = g_memdup2(dc->body->data + at, end - at);

            st = ops->decode(stream, read, end - at, &c->sink);
        }
        at = end;
    }
    return st >= LENS_OK ? ops->finish(stream, &c->sink) : st;
}

static lens_status
run_stream(struct collector *c, const decode_case *dc, instance *i, unsigned api)
{
    const struct lens_provider *ops = &i->plugin->ops.provider;
    const struct lens_api *a = api_at(i->plugin, api);
    g_autoptr(GArray) headers = headers_of(dc);
    const char *type = dc->content_type != NULL ? dc->content_type
                       : dc->streamed           ? a->content_type
                                                : "application/json";
    const struct lens_head head = {
        .struct_size = sizeof head,
        .status = dc->status,
        .content_type = bytes_of(type != NULL ? type : ""),
        .headers = (const struct lens_pair *)headers->data,
        .header_count = headers->len,
        .header_size = sizeof(struct lens_pair),
        .unix_ns = chrono_wall(),
    };
    const bool streamed = dc->streamed && (a->flags & LENS_API_NO_STREAM) == 0;
    void *stream = NULL;
    lens_status st = ops->stream_open(i->self, streamed, &stream);

    if (st < 0)
        return st;
    if (ops->head != NULL)
        st = ops->head(stream, &head, &c->sink);
    if (st >= LENS_OK)
        st = feed(c, dc, ops, stream);
    ops->stream_close(stream);
    return st;
}

static lens_status
run_failed(struct collector *c, const decode_case *dc, instance *i)
{
    g_autoptr(GArray) headers = headers_of(dc);
    const struct lens_answer answer = {
        .struct_size = sizeof answer,
        .status = dc->status,
        .headers = (const struct lens_pair *)headers->data,
        .header_count = headers->len,
        .header_size = sizeof(struct lens_pair),
        .body = { (const char *)dc->body->data, dc->body->len },
        .unix_ns = chrono_wall(),
    };

    return i->plugin->ops.provider.classify(i->self, &answer, &c->sink);
}

decode_result *
decode_run(const decode_case *c, registry *plugins, GError **error)
{
    const plugin *p = registry_find(plugins, LENS_KIND_OF_PROVIDER, c->provider, error);
    g_autoptr(option_values) options = NULL;
    g_autoptr(instance) i = NULL;
    struct collector collector = {
        .sink = { .struct_size = sizeof(struct lens_sink),
                  .wants = LENS_WANT_CONTENT,
                  .event = on_event,
                  .message = on_message,
                  .fault = on_fault },
    };
    lens_status st;
    int api;

    if (p == NULL || (api = provider_api(p, c->api, error)) < 0)
        return NULL;
    options = options_of(c, p, error);
    if (options == NULL)
        return NULL;
    i = provider_open(p, (unsigned)api, options, 0, error);
    if (i == NULL)
        return NULL;
    collector.result = result_begin();
    st = c->status < 200 || c->status > 299 ? run_failed(&collector, c, i)
                                            : run_stream(&collector, c, i, (unsigned)api);
    if (st < LENS_OK)
        own_fault(&collector, i, st);
    return collector.result;
}
