#include "decode.h"

#include <string.h>

#include "chrono.h"
#include "decode-sink.h"
#include "error.h"
#include "host.h"
#include "presets.h"

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

/* The plugin of a name, which may be a preset's, then put into `ret_preset`. */
static const plugin *
find_provider(const char *name, registry *plugins, preset **ret_preset, GError **error)
{
    g_autoptr(GError) unknown = NULL, broken = NULL;
    g_autofree char *near = NULL;
    const plugin *p = registry_find(plugins, LENS_KIND_OF_PROVIDER, name, &unknown);

    if (p != NULL)
        return p;
    *ret_preset = preset_find(name, &near, &broken);
    if (*ret_preset != NULL)
        return registry_find(plugins, LENS_KIND_OF_PROVIDER, (*ret_preset)->provider,
                             error);
    if (broken != NULL)
        g_propagate_error(error, g_steal_pointer(&broken));
    else
        g_propagate_error(error, g_steal_pointer(&unknown));
    return NULL;
}

static option_values *
options_of(const decode_case *c, const plugin *p, const preset *named, GError **error)
{
    g_autofree char *owner = g_strconcat("provider ", p->name, NULL);
    g_autoptr(option_values) v = option_values_new(&p->ops.provider.options, owner);
    g_autoptr(GList) names = NULL;

    if (c->options != NULL)
        names = json_object_get_members(c->options);
    for (GList *at = names; at != NULL; at = at->next)
        if (!set_option(v, at->data, json_object_get_member(c->options, at->data), error))
            return NULL;
    for (char **o = named != NULL ? named->options : NULL; o != NULL && *o != NULL;
         o += 2)
        if (!option_values_is_set(v, o[0]) && !option_values_set(v, o[0], o[1], error))
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
    const plugin *p;
    g_autoptr(preset) named = NULL;
    g_autoptr(option_values) options = NULL;
    g_autoptr(instance) i = NULL;
    g_autofree char *words = NULL;
    struct collector collector;
    lens_status st;
    int api;

    if (c->broken != NULL) {
        g_set_error_literal(error, LENS_ERROR, LENS_ERROR_USAGE, c->broken);
        return NULL;
    }
    p = find_provider(c->provider, plugins, &named, error);
    if (p == NULL || (api = provider_api(p, c->api, error)) < 0)
        return NULL;
    options = options_of(c, p, named, error);
    if (options == NULL)
        return NULL;
    i = provider_open(p, (unsigned)api, options, 0, error);
    if (i == NULL)
        return NULL;
    collector_init(&collector);
    st = c->status < 200 || c->status > 299 ? run_failed(&collector, c, i)
                                            : run_stream(&collector, c, i, (unsigned)api);
    if (st < LENS_OK) {
        words = instance_failure(i);
        collector_fault(&collector,
                        st == LENS_E_TOO_LARGE ? LENS_KIND_TOO_LARGE : LENS_KIND_PROTOCOL,
                        words);
    }
    return collector.result;
}
